"""Orders between nodes: once, in order, whatever of them is lost on the way."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

from poc_server.neighbours.known.neighbour import Neighbour
from poc_server.neighbours.orders import post as module
from poc_server.neighbours.orders.post import Post


class Wire:
    """Two ends of the post, and a way between them that loses what it likes."""

    def __init__(self, monkeypatch: Any, loss: float) -> None:
        self.rng, self.loss, self.now = random.Random(3), loss, 0.0
        self.done: list[int] = []
        monkeypatch.setattr(module, "loop_time", lambda: self.now)
        self.ends = {name: self._end(name) for name in ("a", "b")}
        self.posts = {name: Post(end, self._carry_out) for name, end in self.ends.items()}
        self.meet("a", "b")
        self.meet("b", "a")

    def _end(self, name: str) -> Any:
        fabric = SimpleNamespace(cast=self._cast)
        return SimpleNamespace(me=name, nodes={}, fabric=fabric, beat_s=0.5)

    def _carry_out(self, _neighbour: Neighbour, orders: list[dict[str, Any]], _blob: bytes) -> None:
        self.done.extend(order["n"] for order in orders)

    def meet(self, one: str, other: str) -> None:
        self.ends[one].nodes[other] = Neighbour(other, 0.0, sent=int(self.now * 1000))

    def _cast(self, channel: str, message: bytes) -> None:
        if self.rng.random() >= self.loss:
            self.posts[channel.removeprefix("node:")].heard(message)

    def send(self, number: int) -> None:
        self.posts["a"].send(self.ends["a"].nodes["b"], [{"do": "x", "n": number}], b"")

    def beat(self) -> None:
        self.now += 1.0
        self.posts["b"].compare(self.ends["b"].nodes["a"], self.posts["a"].sent())


def test_all_arrive_once_and_in_order_though_many_are_lost(monkeypatch: Any) -> None:
    wire = Wire(monkeypatch, loss=0.0)
    wire.send(0)
    wire.loss = 0.2
    for number in range(1, 200):
        wire.send(number)
    for _ in range(500):
        wire.beat()
    assert wire.done == list(range(200))


def test_who_was_given_up_and_met_again_hears_what_comes_after(monkeypatch: Any) -> None:
    wire = Wire(monkeypatch, loss=0.0)
    wire.send(0)
    wire.loss = 1.0
    wire.send(1)
    wire.loss = 0.0
    wire.now = 10.0
    wire.meet("a", "b")  # a had given b up, and b had not noticed
    wire.send(2)
    wire.beat()
    wire.send(3)
    assert wire.done == [0, 2, 3]
