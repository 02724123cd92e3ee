"""How emergencies stand in SQL: what comes late takes nothing back, from wherever it comes."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import select

from groups.emergency import alert as machine
from groups.emergency.broadcast import PersonReceipt
from groups.model import User
from groups.vocabulary import AgencyId, GroupId, ReceiptState, Tier, UnitId, UserId
from poc_server.emergency.alert_keeping import AlertKeeping
from poc_server.emergency.desk import Desk
from poc_server.emergency.keeping import Keeping
from poc_server.emergency.live_alert import LiveAlert
from poc_server.emergency.settings import EmergencySettings
from poc_server.store import Journal, Store, StoreSettings, emergency
from poc_server.store import tables as t
from poc_server.store.journal import AlertKept, BroadcastKept, EmergencyCallKept, ReceiptsKept
from poc_server.store.settings import JournalSettings
from poc_server.store.sql.engine import Database

pytestmark = pytest.mark.wire
START = 1_700_000_000_000


async def test_what_a_node_keeps_late_takes_nothing_back(database: Database) -> None:
    us, agency = UserId("us-1"), AgencyId("ag")

    def kept(state: str, said: int, *, going_on: bool = True) -> emergency.Kept:
        return emergency.Kept("one", agency, us, going_on, START, {"said": said}, state, GroupId("g"), Tier.EMERGENCY)

    def alert(version: int, *, going_on: bool) -> emergency.Kept:
        return replace(kept("", 1, going_on=going_on), content={"record": {"version": version}})

    async with database.writing() as connection:
        for each in (kept("running", 1), kept("running", 2), kept("over", 3), kept("running", 2)):
            await emergency.put_broadcast(connection, each, [])
        found = await emergency.find_broadcast(connection, "one")
        assert found is not None
        assert (found.state, found.content) == ("over", {"said": 3})
        for each in (kept("withdrawn", 4, going_on=False), kept("over", 3), kept("running", 2)):
            await emergency.put_broadcast(connection, each, [])
        found = await emergency.find_broadcast(connection, "one")
        assert found is not None
        assert (found.open, found.state, found.content) == (False, "withdrawn", {"said": 4})
        for version, going_on in enumerate((True, False, True)):
            await emergency.put_alert(connection, alert(version, going_on=going_on), [])
            await emergency.put_call(connection, kept("", 1, going_on=going_on), [])
        assert await emergency.open_alerts(connection) == []
        assert await emergency.open_calls(connection) == []


async def test_of_two_nodes_that_keep_the_same_step_of_an_alert_the_first_one_holds(database: Database) -> None:
    def kept(version: int, by: str) -> emergency.Kept:
        content = {"record": {"version": version, "claimed_by": by}}
        return emergency.Kept("al", AgencyId("ag"), UserId("us-1"), True, START, content, "claimed")

    async with database.writing() as connection:
        done = [await emergency.put_alert(connection, kept(*each), []) for each in ((2, "a"), (2, "b"), (3, "b"))]
        found = await emergency.find_alert(connection, "al")
    assert done == [True, False, True]
    assert found is not None
    assert found.content["record"]["claimed_by"] == "b"


async def test_a_receipt_that_is_kept_late_takes_nothing_back(database: Database) -> None:
    states = (ReceiptState.SENT, ReceiptState.MISSED, ReceiptState.HEARD, ReceiptState.MISSED, ReceiptState.DELIVERED)
    us = UserId("us-1")
    async with database.writing() as connection:
        row = emergency.Kept("b", AgencyId("ag"), us, True, START, {}, "over")
        await emergency.put_broadcast(connection, row, [])
        await emergency.begin_receipts(connection, "b", [us])
        for state in states:
            await emergency.put_receipts(connection, "b", [PersonReceipt(us, state, sent_at=1)])
        (found,) = await emergency.receipts(connection, "b")
    assert found.state is ReceiptState.HEARD


async def test_an_alert_that_comes_late_from_the_disk_changes_nothing_of_a_newer_one(
    database: Database, tmp_path: Path
) -> None:
    def kept(version: int, state: str) -> emergency.Kept:
        record = {"record": {"version": version}}
        return emergency.Kept("al", AgencyId("ag"), UserId("us-1"), True, START, record, state)

    journal = Journal(tmp_path / "j", database, JournalSettings())
    journal.append(AlertKept.of(kept(2, "claimed"), None))
    async with database.writing() as connection:
        await emergency.put_alert(connection, kept(3, "acknowledged"), [])
    for version, state in ((3, "acknowledged"), (4, "raised")):
        if version > 3:
            journal.append(AlertKept.of(kept(version, state), None))
        await journal.drain()
        async with database.reading() as connection:
            found = await emergency.find_alert(connection, "al")
        assert found is not None
        assert (found.version, found.state) == (version, state)
    await journal.aclose()


async def test_what_a_leader_began_without_sql_stands_there_afterwards_whatever_came_before_it(
    database: Database, tmp_path: Path
) -> None:
    leader, one, two = (UserId(name) for name in ("leader", "one", "two"))

    def row(name: str, version: int, tier: Tier = Tier.EMERGENCY, by: UserId = leader) -> emergency.Kept:
        content = {"version": version}
        return emergency.Kept(name, AgencyId("ag"), by, True, START, content, "over", GroupId("g"), tier)

    def call(version: int, tier: Tier, by: UserId = leader) -> EmergencyCallKept:
        return EmergencyCallKept.of(row("call", version, tier, by), GroupId("g"))

    async with database.writing() as connection:  # SQL did this part late
        await emergency.put_broadcast(connection, row("air", 1), [])
    journal = Journal(tmp_path / "j", database, JournalSettings())
    for record in (
        call(0, Tier.EMERGENCY),
        call(1, Tier.IMMINENT_PERIL),
        call(0, Tier.EMERGENCY),
        call(2, Tier.EMERGENCY, by=one),
        *BroadcastKept.of(row("air", 0), [one, two]),
        *ReceiptsKept.of("air", [PersonReceipt(one, ReceiptState.ACKNOWLEDGED, 1, 2, None, 3)]),
        *ReceiptsKept.of("air", [PersonReceipt(one, ReceiptState.SENT, 1)]),
        *ReceiptsKept.of("began before this node", [PersonReceipt(one, ReceiptState.SENT, 1)]),
    ):
        journal.append(record)
    assert (await journal.drain(), journal.state().dead) == (8, 0)
    async with database.reading() as connection:
        (kept,) = await emergency.open_calls(connection)
        assert (kept.user, kept.tier, kept.content) == (leader, Tier.IMMINENT_PERIL, {"version": 1})
        (over,) = await emergency.open_broadcasts(connection)
        assert over.content == {"version": 1}
        found = await emergency.receipts(connection, "air")
    assert found == [PersonReceipt(one, ReceiptState.ACKNOWLEDGED, 1, 2, None, 3), PersonReceipt(two)]
    await journal.aclose()


async def test_what_the_disk_does_not_take_at_once_stands_there_and_in_sql_when_it_is_back(tmp_path: Path) -> None:
    store = await Store.open(StoreSettings(), tmp_path)
    nobody = cast("Any", SimpleNamespace(affiliation=SimpleNamespace(keeping=[])))
    keeping = Keeping(Desk(EmergencySettings(), store, nobody))
    call = EmergencyCallKept(
        id="call",
        agency=AgencyId("ag"),
        user=UserId("us-1"),
        group=GroupId("g"),
        tier=Tier.EMERGENCY,
        started_ms=START,
        content={"version": 0},
    )
    shutil.rmtree(tmp_path / "journal")
    assert not await keeping.now_or_later([call])
    (tmp_path / "journal").mkdir()
    await store.journal.flush()
    await store.journal.catch_up(None)
    async with store.reading() as connection:
        assert [each.id for each in await emergency.open_calls(connection)] == ["call"]
    assert await keeping.now_or_later([call])
    await store.aclose()


async def test_an_alert_claimed_while_neither_sql_nor_the_disk_is_quick_is_claimed_and_stands_so_once(
    tmp_path: Path,
) -> None:
    store = await Store.open(StoreSettings(), tmp_path)
    nobody = cast("Any", SimpleNamespace(affiliation=SimpleNamespace(keeping=[])))
    keeping = AlertKeeping(Desk(EmergencySettings(), store, nobody))
    officer, dispatcher = (User(UserId(each), AgencyId("ag"), UnitId("un"), each, frozenset()) for each in "od")
    record = machine.raised("al", officer.id, None, START, START, machine.AlertOptions())
    live = LiveAlert(record, officer, None, None, None, covert=False)
    assert await keeping.first(live) is None
    live.record, _ = machine.handle(record, machine.Claim(dispatcher.id), START)
    shutil.rmtree(tmp_path / "journal")
    async with store.writing():  # on SQLite one at a time writes
        await keeping.changed(live, "alert.claim", dispatcher, tell_case=False)
    (tmp_path / "journal").mkdir()
    await store.journal.flush()
    await store.journal.catch_up(None)
    async with store.reading() as connection:
        (found,) = await emergency.open_alerts(connection)
        acts = await connection.execute(select(t.audit.c.action).where(t.audit.c.target_id == "al"))
    assert (found.state, found.content["record"]["claimed_by"]) == ("claimed", dispatcher.id)
    assert sorted(acts.scalars()) == ["alert.claim", "alert.raise"]
    await store.aclose()
