"""A desk dies over what it had taken: who asked is told at once; who was answered, or asks the next desk, is not."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from groups.vocabulary import Refusal
from poc_server.neighbours.desk.unanswered import MAX_REMEMBERED, Unanswered
from signaling.connection import frame
from signaling.messages import Ok


class Waiting:
    """One phone of this node, and what it is told for want of an answer."""

    def __init__(self) -> None:
        self.told: list[tuple[Refusal, str]] = []
        self.phone: Any = SimpleNamespace(key="u/p", away=None, refuse=lambda code, id_: self.told.append((code, id_)))
        node: Any = SimpleNamespace(phones={"u/p": self.phone})
        self.unanswered = Unanswered(node)

    def asks(self, request: str, *, taken_by: str | None = "a") -> None:
        self.unanswered.asked(self.phone, request)
        if taken_by is not None:
            self.unanswered.taken(self.phone, request, taken_by)

    def hears(self, request: str) -> None:
        self.unanswered.told(self.phone, frame(Ok(id=request)))


async def test_what_a_dead_desk_had_taken_is_refused_once() -> None:
    waiting = Waiting()
    waiting.asks("接受")
    waiting.asks("of another", taken_by="b")
    waiting.asks("on its way", taken_by=None)
    for _ in range(2):
        waiting.unanswered.lost("a")
    assert waiting.told == [(Refusal.UNAVAILABLE, "接受")]


async def test_who_was_answered_is_told_nothing_though_the_answer_was_quicker_than_the_word_that_it_is_taken() -> None:
    waiting = Waiting()
    waiting.asks("later")
    waiting.hears("later")
    waiting.asks("接受", taken_by=None)
    waiting.hears("接受")
    waiting.unanswered.taken(waiting.phone, "接受", "a")
    waiting.unanswered.lost("a")
    assert waiting.told == []


async def test_no_more_than_so_many_are_remembered() -> None:
    waiting = Waiting()
    for number in range(MAX_REMEMBERED + 1):
        waiting.asks(str(number))
    waiting.unanswered.lost("a")
    assert [request for _, request in waiting.told] == [str(number) for number in range(1, MAX_REMEMBERED + 1)]
