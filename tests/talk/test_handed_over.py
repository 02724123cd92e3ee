"""A shift that is handed over: what it names, that it is decided once, and that nothing goes over before it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, cast

import pytest

from groups.emergency import alert as machine
from groups.model import Agency, Unit, User
from groups.vocabulary import AgencyId, AlertState, HandoverState, MonitorScope, Refusal, Role, UnitId, UserId
from poc_server.dispatch.handovers import Handovers
from poc_server.ground.refused import Refused, StoreUnavailable
from poc_server.store import Store, handovers
from poc_server.store.directory import Directory
from poc_server.store.directory.snapshot import Snapshot
from poc_server.store.handovers import KeptHandover
from poc_server.talk.patch import Joined
from poc_server.talk.phone import Phone
from poc_server.talk.phones import Phones
from poc_server.talk.roster import Roster
from signaling.limits import MAX_HANDED_OVER
from signaling.messages import AlertInfo, HandoverAnswer, HandoverOffer, HandoverWithdraw, Person

AGENCY, UNIT, BY, TO = AgencyId("ag"), UnitId("un"), UserId("us-1"), UserId("us-2")
CONTENT = {
    "note": "",
    "scope": MonitorScope.NONE.value,
    "hidden": False,
    "monitored": [],
    "listens": [],
    "patches": [],
}
in_sqlite = pytest.mark.parametrize("store_settings", ["sqlite"], indirect=True)


class Claimed:
    """Open alerts of one dispatcher; a step of one waits until it may go on, and is refused where it is ``over``."""

    def __init__(self, *, over: str = "") -> None:
        self.owners = {"al-1": BY, "al-2": BY}
        self.over = over
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    def claimed_by(self, user: UserId) -> list[Any]:
        mine = [each for each, owner in self.owners.items() if owner == user]
        return [
            SimpleNamespace(record=SimpleNamespace(id=each), user=None, info=lambda _, k=each: info(k)) for each in mine
        ]

    async def step(self, alert: str, _: User, given: machine.HandOver) -> None:
        self.asked.set()
        await self.go_on.wait()
        if alert == self.over:
            raise Refused(Refusal.ALERT_OVER)
        self.owners[alert] = given.user


class Shift:
    """Two dispatchers with a page each, and the desk where one hands over to the other."""

    def __init__(self, store: Any, alerts: Any) -> None:
        people = [User(key, AGENCY, UNIT, key, frozenset({Role.DISPATCHER, Role.SHIFT_LEADER})) for key in (BY, TO)]
        snapshot = Snapshot(
            agencies={AGENCY: Agency(AGENCY, "城")},
            units={UNIT: Unit(UNIT, AGENCY, None, "队")},
            users={each.id: each for each in people},
        )
        self.before, self.late = (Phone(f"key-{each.id}", each, "", 2) for each in people)
        phones = Phones()
        for each in (self.before, self.late):
            phones[each.key] = each
        self.store = store
        field = SimpleNamespace(
            emergency=SimpleNamespace(alerts=alerts, may_claim=lambda *_: True),
            joined=Joined(),
            roster=Roster(Directory(snapshot)),
            phones=phones,
            affiliation=SimpleNamespace(affiliate=lambda *_: None),
            monitoring=SimpleNamespace(told=lambda _: None),
        )
        self.desk = Handovers(cast("Any", store), cast("Any", field), cast("Any", None))

    async def offer(self) -> KeptHandover:
        return await self.desk.offer(self.before, HandoverOffer(id="r1", to=TO))

    async def accept(self, offered: KeptHandover) -> KeptHandover:
        return await self.desk.answer(self.late, HandoverAnswer(id="r2", handover=offered.id, accept=True))

    async def withdraw(self, offered: KeptHandover) -> KeptHandover:
        return await self.desk.withdraw(self.before, HandoverWithdraw(id="r3", handover=offered.id))

    def slow(self) -> tuple[asyncio.Event, asyncio.Event]:
        """What is read of SQL now is looked at when the second event is set; the first says that it was read."""
        read, look = asyncio.Event(), asyncio.Event()
        reading = self.store.reading

        @asynccontextmanager
        async def slowly() -> AsyncIterator[Any]:
            async with reading() as connection:
                yield connection
            self.store.reading = reading
            read.set()
            await look.wait()

        self.store.reading = slowly
        return read, look

    async def waiting(self) -> list[str]:
        async with self.store.reading() as connection:
            return [each.id for each in await handovers.open_ones(connection)]


def info(key: str, raised: int = 0) -> AlertInfo:
    somebody = Person(id="us-3", name="赵静")
    return AlertInfo(id=key, by=somebody, state=AlertState.CLAIMED, pressed_ms=raised, raised_ms=raised)


async def refused(asked: Any) -> Refusal:
    with pytest.raises(Refused) as caught:
        await asked
    return caught.value.code


def test_as_many_alerts_as_the_limit_are_named_and_of_one_more_those_raised_first() -> None:
    for count in (MAX_HANDED_OVER, MAX_HANDED_OVER + 1):
        mine = [SimpleNamespace(info=lambda _, n=n: info(f"al-{n}", n)) for n in range(count)]
        of: Callable[[UserId], list[Any]] = {BY: mine}.__getitem__
        told = Shift(None, SimpleNamespace(claimed_by=of)).desk.info(KeptHandover("ho-1", AGENCY, BY, TO, 1, CONTENT))
        assert told.state is HandoverState.OFFERED
        assert [alert.id for alert in told.alerts] == [f"al-{n}" for n in range(MAX_HANDED_OVER)]


@pytest.mark.wire
@in_sqlite
async def test_what_was_accepted_is_not_withdrawn_while_its_alerts_go_over(store: Store) -> None:
    alerts = Claimed()
    shift = Shift(store, alerts)
    offered = await shift.offer()
    accepting = asyncio.create_task(shift.accept(offered))
    await alerts.asked.wait()
    assert await refused(shift.withdraw(offered)) is Refusal.NOT_FOUND
    assert await refused(shift.accept(offered)) is Refusal.NOT_FOUND
    alerts.go_on.set()
    assert (await accepting).state is HandoverState.ACCEPTED
    assert set(alerts.owners.values()) == {TO}
    assert await shift.waiting() == []


@pytest.mark.wire
@in_sqlite
async def test_of_what_is_withdrawn_when_it_is_accepted_nothing_goes_over(store: Store) -> None:
    alerts = Claimed()
    shift = Shift(store, alerts)
    offered = await shift.offer()
    first, second = await asyncio.gather(shift.withdraw(offered), shift.accept(offered), return_exceptions=True)
    assert isinstance(first, KeptHandover)
    assert first.state is HandoverState.WITHDRAWN
    assert isinstance(second, Refused)
    assert not alerts.asked.is_set()


@pytest.mark.wire
@in_sqlite
async def test_an_alert_that_is_over_meanwhile_keeps_no_other_from_going_over(store: Store) -> None:
    alerts = Claimed(over="al-1")
    alerts.go_on.set()
    shift = Shift(store, alerts)
    assert (await shift.accept(await shift.offer())).state is HandoverState.ACCEPTED
    assert alerts.owners == {"al-1": BY, "al-2": TO}


@pytest.mark.wire
@in_sqlite
async def test_without_sql_nothing_goes_over_and_it_can_be_accepted_later(store: Store) -> None:
    def away() -> Any:
        raise StoreUnavailable

    alerts = Claimed()
    alerts.go_on.set()
    shift = Shift(SimpleNamespace(reading=store.reading, writing=store.writing, clock=store.clock), alerts)
    offered = await shift.offer()
    shift.store.writing = away
    assert await refused(shift.accept(offered)) is Refusal.UNAVAILABLE
    assert set(alerts.owners.values()) == {BY}
    shift.store.writing = store.writing
    assert (await shift.accept(offered)).state is HandoverState.ACCEPTED
    assert set(alerts.owners.values()) == {TO}


@pytest.mark.wire
@in_sqlite
async def test_of_two_offers_of_one_dispatcher_at_once_the_later_stands(store: Store) -> None:
    shift = Shift(store, Claimed())
    _, later = await asyncio.gather(shift.offer(), shift.offer())
    assert await shift.waiting() == [later.id]


@pytest.mark.wire
@in_sqlite
async def test_what_is_offered_or_decided_while_the_record_is_read_stays_so(store: Store) -> None:
    shift = Shift(SimpleNamespace(reading=store.reading, writing=store.writing, clock=store.clock), Claimed())
    first = await shift.offer()
    read, look = shift.slow()
    loading = asyncio.create_task(shift.desk.load())
    await read.wait()
    await shift.withdraw(first)
    second = await shift.offer()
    look.set()
    await loading
    assert await refused(shift.withdraw(first)) is Refusal.NOT_FOUND
    assert (await shift.withdraw(second)).state is HandoverState.WITHDRAWN
