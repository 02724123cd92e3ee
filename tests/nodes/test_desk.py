"""The desk moves while SQL is slow: what is decided meanwhile is told, and who left it leads nothing any more."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from groups.model import User
from groups.vocabulary import GroupId
from poc_server.fabric.settings import FabricSettings
from poc_server.neighbours.desk import decided
from poc_server.neighbours.desk import desk as module
from poc_server.neighbours.desk.desk import Desk
from poc_server.neighbours.known.far_phone import FarPhone
from signaling.messages import AlertClaim, Sos, encode
from tests.nodes import samples

OLD, NEW = GroupId("known-before"), GroupId("new-call")


class SlowSql:
    """What lasts about emergencies, of which SQL says nothing until it is let."""

    def __init__(self) -> None:
        self.asked, self.let = asyncio.Event(), asyncio.Event()
        self.there = True
        self.rested = 0
        self.store = SimpleNamespace(answers=self._answers)

    async def _answers(self) -> bool:
        return self.there

    async def start(self) -> bool:
        self.asked.set()
        await self.let.wait()
        return self.there

    def rest(self) -> None:
        self.rested += 1


class Office:
    """One node's desk, and what it tells the others."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sql, self.forgotten, self.holder = SlowSql(), 0, "me"
        self.told: list[set[str]] = []
        self.news = asyncio.Event()
        self.groups: set[GroupId] = {OLD}
        monkeypatch.setattr(decided, "groups", lambda *_: set(self.groups))
        monkeypatch.setattr(decided, "of", lambda _, group: {"of": group})
        nothing = SimpleNamespace(
            start=lambda: None, take_up=lambda _: None, rest=lambda: None, groups=set, group=lambda _: None
        )
        node: Any = SimpleNamespace(
            emergency=self.sql, texts=None, dispatch=None, calls=nothing, roster=nothing, talkgroups={}, phones={}
        )
        node.conditions, node.draining = SimpleNamespace(forget=self._forget), False
        fabric = SimpleNamespace(
            settings=FabricSettings(heartbeat_ms=50), alone=False, hold=self._hold, drop=self._hold
        )
        others: Any = SimpleNamespace(node=node, fabric=fabric, me="me", nodes={}, beat_s=0.0, say=self._say)
        self.desk = Desk(others, losses=SimpleNamespace())  # type: ignore[arg-type]
        others.flush_soon = self.desk.tell
        self.desk.start()
        self.node = node

    def _forget(self) -> None:
        self.forgotten += 1

    async def _hold(self, *_: Any, **__: Any) -> str:
        return self.holder

    def _say(self, topic: str, said: dict[str, Any]) -> None:
        assert topic == "desk"
        self.told.append(set(said["groups"]))
        self.news.set()

    async def hears(self) -> set[str]:
        """What the others are told next."""
        async with asyncio.timeout(30):
            await self.news.wait()
        self.news.clear()
        return self.told.pop(0)


async def test_a_new_call_is_told_before_slow_sql_has_said_what_went_on(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(monkeypatch)
    await office.sql.asked.wait()
    office.groups.add(NEW)
    for group in (NEW, OLD):
        office.node.conditions.on_changed(group)
    assert await office.hears() == {NEW}
    assert office.told == [], "what others know of a group is not taken back by who has not read it"
    office.sql.let.set()
    assert await office.hears() == {NEW, OLD}
    await office.desk.aclose()


async def test_who_loses_the_desk_while_sql_is_slow_stops_leading_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(monkeypatch)
    await office.sql.asked.wait()
    office.holder = "other"
    async with asyncio.timeout(30):
        while not office.sql.rested:  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)
    assert not office.sql.let.is_set()
    await office.desk.aclose()


async def test_what_is_known_is_not_forgotten_while_sql_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    office = Office(monkeypatch)
    office.sql.let.set()
    assert await office.hears() == {OLD}
    before = office.forgotten
    office.sql.there = False
    monkeypatch.setattr("poc_server.neighbours.desk.desk.LOOK_AGAIN_S", 0.0)
    asked = asyncio.Event()
    office.sql.store.answers = lambda: _away(asked, office)
    office.desk.alone(True)
    office.desk.alone(False)
    await asked.wait()
    assert (office.forgotten, office.sql.rested) == (before, 0)
    office.sql.there = True
    assert await office.hears() == {OLD}
    assert (office.forgotten, office.sql.rested) == (before + 1, 1)
    await office.desk.aclose()


async def _away(asked: asyncio.Event, office: Office) -> bool:
    asked.set()
    await asyncio.sleep(0)
    return office.sql.there


class Asking:
    """A phone of another node that asks the desk, and what was carried out for it."""

    def __init__(self, office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[str] = []
        self._carried_out = asyncio.Event()
        home: Any = SimpleNamespace(id="far")
        phone = FarPhone("u/p", samples.sample(User), "s", 2, neighbour=home)
        office.node.phones = {phone.key: phone}
        office.desk._others.order = lambda *_: None
        monkeypatch.setattr(module, "carry_out", self._carry_out)
        self._ask = lambda message: office.desk.requested(home, {"key": phone.key, "number": 1}, encode(message))

    def asks(self, message: Any) -> None:
        self._ask(message)

    def _carry_out(self, _node: Any, _phone: Any, message: Any) -> None:
        self.done.append(message.type)
        self._carried_out.set()

    async def next(self) -> str:
        """What is carried out next."""
        async with asyncio.timeout(30):
            await self._carried_out.wait()
        self._carried_out.clear()
        return self.done.pop(0)


async def test_who_asks_about_an_alert_waits_till_the_new_desk_has_read_it_and_one_in_danger_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    office = Office(monkeypatch)
    asking = Asking(office, monkeypatch)
    await office.sql.asked.wait()
    asking.asks(AlertClaim(id="c", alert="open since before"))
    asking.asks(Sos(id="s", alert="new", pressed_ms=1))
    assert (await asking.next(), asking.done) == ("sos", []), "of what it has not read it would say that it is over"
    office.sql.let.set()
    assert await asking.next() == "alert_claim"
    await office.desk.aclose()


async def test_nobody_waits_for_sql_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_S", 0.01)
    office = Office(monkeypatch)
    asking = Asking(office, monkeypatch)
    await office.sql.asked.wait()
    asking.asks(AlertClaim(id="c", alert="open since before"))
    assert await asking.next() == "alert_claim"
    assert not office.sql.let.is_set()
    await office.desk.aclose()
