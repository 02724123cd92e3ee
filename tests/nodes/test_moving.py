"""Where a phone is that is on two nodes: every node takes the same one of them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from poc_server.neighbours.known.far_phone import FarPhone, record_of
from poc_server.neighbours.known.neighbour import Neighbour
from poc_server.neighbours.phones import moving
from poc_server.talk.phone import Phone
from poc_server.talk.phones import Phones
from tests.talk.test_great_audience import LEADER

AT_MS = 1_000


class One:
    """A node to which the leader's phone came, as its own parts see it."""

    def __init__(self, me: str) -> None:
        self.closed: list[int] = []
        connection = SimpleNamespace(language="en", send=lambda _: None, close=self.closed.append)
        self.phone = Phone("leader/", LEADER, "s", 2, connection=connection, since=AT_MS)  # type: ignore[arg-type]
        nothing = lambda *_: None  # noqa: E731
        node = SimpleNamespace(
            phones=Phones(),
            roster=SimpleNamespace(user=lambda _: LEADER),
            talkgroups={},
            monitoring=SimpleNamespace(leaves=nothing),
            ears=SimpleNamespace(forget=nothing),
            presence=SimpleNamespace(changed=nothing),
        )
        node.phones[self.phone.key] = self.phone
        self.others: Any = SimpleNamespace(me=me, node=node, order=nothing, placed=nothing)

    def hears(self, of: One) -> None:
        """What another node says of the phone there."""
        neighbour = Neighbour(of.others.me, 0.0)
        desk: Any = SimpleNamespace(here=False)
        moving.take(self.others, desk, neighbour, of.phone.key, record_of(of.phone, 0.0))

    @property
    def has_it(self) -> bool:
        return not isinstance(self.others.node.phones[self.phone.key], FarPhone)


def test_a_phone_that_came_to_two_nodes_in_one_millisecond_is_on_one_of_them() -> None:
    one, two = One("node-1:a"), One("node-2:b")
    one.hears(two)
    two.hears(one)
    assert (one.has_it, two.has_it) == (False, True)
    assert (len(one.closed), len(two.closed)) == (1, 0), "one socket is closed, not both"


def test_a_phone_is_where_it_came_last() -> None:
    one, two = One("node-1:a"), One("node-2:b")
    one.phone.since += 1
    two.hears(one)
    one.hears(two)
    assert (one.has_it, two.has_it) == (True, False)
