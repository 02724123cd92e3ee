"""The bridge on both real databases: batches, members that follow, the outbox; without phones and without HTTP."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace

import asyncpg
import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from gateway.delivery.outbox import Status
from gateway.delivery.receiver import Health
from gateway.incidents.effects import EventType
from gateway.incidents.incident_state import IncidentState
from gateway.incidents.lifecycle import Happened
from groups.vocabulary import AgencyId, IncidentCode, Refusal, Role
from poc_server.ground.refused import Refused
from poc_server.store import SYSTEM, Store
from poc_server.store import tables as t
from poc_server.store.bridge import incident_happenings, incidents, outbox
from poc_server.store.bridge.outbox import SqlOutbox
from poc_server.store.city import cells, duty, groups, people, units
from poc_server.store.city.cells import Cell
from poc_server.store.city.duty import ShiftDraft
from poc_server.store.city.groups import GroupDraft
from poc_server.store.city.people import UserDraft
from poc_server.store.ids import now_ms
from tests.fixtures.bridge import WAITING, Bridged, of

pytestmark = pytest.mark.wire
HOUR = 3_600_000
NOON = 1_784_088_000_000
CELL = "420102001003007"


async def test_a_hundred_at_once_share_transactions_and_each_is_whole(bridged: Bridged) -> None:
    crew = [await bridged.town.person(name=f"队员{n}") for n in range(3)]
    version = bridged.store.directory.version
    await asyncio.gather(*(bridged.tell(f"C{n}", title=f"案{n}", parties=of(*crew)) for n in range(100)))
    assert bridged.store.directory.version - version <= 10, "a transaction for thirty-two, not for each"
    for n in (0, 50, 99):
        await bridged.members(f"C{n}", set(crew))
        assert await bridged.types(f"C{n}") == ["group.opened", "members.changed"]
    assert {code for code, _ in bridged.told.changes} == {f"C{n}" for n in range(100)}
    group = bridged.store.directory.group(incidents.group_of(bridged.town.agency, IncidentCode("C7")))
    assert group is not None
    assert (group.name, group.enabled, group.unit) == ("案7", True, bridged.town.unit)


async def test_the_few_that_matter_are_the_urgent_then_what_comes_forward_then_the_newest(bridged: Bridged) -> None:
    officer = await bridged.town.person()
    for at in range(12):
        await bridged.tell(f"L{at:02}", title=f"暴露垃圾 {at}", at=NOON + at, parties=of(officer))
    await bridged.tell("W1", title="井盖 100%", at=NOON - 10, supervised=True, parties=of(officer))
    await bridged.tell("F1", title="火情", at=NOON - 20, urgent=True, parties=of(officer))
    await bridged.tell("Z1", urgent=True, version=1, parties=of(officer))
    await bridged.tell("Z1", version=2, state="closed")
    groups_of_his = bridged.store.directory.groups_of(officer)

    async def codes(limit: int, text: str = "") -> list[str]:
        async with bridged.store.reading() as connection:
            found = await incidents.that_matter(connection, groups_of_his, limit, text)
        return [each.code for each in found]

    everything = ["F1", "W1", *(f"L{at:02}" for at in reversed(range(12)))]
    assert await codes(8) == everything[:8]
    assert await codes(14) == everything
    assert await codes(8, "垃圾 1") == ["L11", "L10", "L01"]
    assert await codes(8, "l1") == ["L11", "L10"]
    assert await codes(8, "0%") == ["W1"]


async def test_several_pieces_about_one_case_in_one_batch_are_taken_in_their_order(bridged: Bridged) -> None:
    one, two = await bridged.town.person(), await bridged.town.person(name="李四")
    told = [
        {"version": 1, "parties": of(one)},
        {"version": 2, "parties": of(two)},
        {"version": 2, "id": "again", "title": "路面塌陷"},
        {"version": 3, "step": "suspend"},
    ]
    states = await asyncio.gather(*(bridged.tell("E1", **each) for each in (*told, *told)))
    assert states[-1].address == "parked"
    await bridged.members("E1", {two})
    assert await bridged.types("E1") == [
        "group.opened",
        "members.changed",
        "members.changed",
        "group.parked",
    ]
    await bridged.tell("E1", version=9, step="void")
    assert bridged.store.directory.group(incidents.group_of(bridged.town.agency, IncidentCode("E1"))) is None


async def test_an_archived_case_leaves_the_directory_and_is_found_all_the_same(bridged: Bridged) -> None:
    one = await bridged.town.person()
    code, group = IncidentCode("A1"), incidents.group_of(bridged.town.agency, IncidentCode("A1"))
    bridged.bridge.options = replace(bridged.bridge.options, hang_ms=0)
    await bridged.tell("A1", version=1, title="路面塌陷", parties=of(one))
    assert bridged.bridge.code_of(group) == code
    await bridged.tell("A1", version=2, step="close")
    async with asyncio.timeout(30):
        while (frozen := await bridged.bridge.find(bridged.town.agency, code)).address == "closing":  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    await bridged.tell("A9", version=1, title="井盖")
    # Its days are over after the news of another case.
    old, agency = replace(frozen, archive_at=0), bridged.town.agency
    async with bridged.store.writing() as connection:
        await incidents.save_many(connection, agency, [], [old], now_ms(), None, quiet={code})
    async with asyncio.timeout(30):
        while bridged.store.directory.group(group) is not None or bridged.bridge.code_of(group):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert group not in bridged.store.directory.groups_of(one)
    async with bridged.store.reading() as connection:
        assert await incidents.unit_of(connection, bridged.town.agency, code) == bridged.town.unit
        asked = incidents.Asked(text="塌陷", units=frozenset({bridged.town.unit}))
        (found,) = await incidents.page(connection, bridged.town.agency, 10, asked)
        newest = await incidents.page(connection, bridged.town.agency, 10)
        assert [each.code for each in newest] == ["A9", "A1"], "that it was archived is no news of it"
        assert (found.address, found.members) == ("archived", {one})
        assert await incidents.titles(connection, [group]) == {group: "路面塌陷"}
        assert await incidents.codes(connection) == {}
        acts = select(t.audit.c.action).where(t.audit.c.target_id == group).order_by(t.audit.c.seq.desc()).limit(1)
        assert await connection.scalar(acts) == "group.archive", "nobody deleted it"
    await bridged.tell("A1", version=3, step="rework")
    await bridged.members("A1", {one})


async def test_an_archived_case_stays_with_its_unit_though_its_people_have_moved(bridged: Bridged) -> None:
    town, store, code = bridged.town, bridged.store, IncidentCode("A2")
    async with store.change() as change:
        patrol = await units.create_unit(change, town.agency, town.unit, "一队")
    one = await town.person(unit=patrol)
    bridged.bridge.options = replace(bridged.bridge.options, hang_ms=0)
    await bridged.tell("A2", version=1, parties=of(one))
    await bridged.tell("A2", version=2, step="close")
    async with asyncio.timeout(30):
        while (frozen := await bridged.bridge.find(town.agency, code)).address != "frozen":  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    async with store.change() as change:
        await people.update_user(change, one, UserDraft(town.agency, town.unit, "王建国", frozenset({Role.OFFICER})))
    async with store.writing() as connection:
        await incidents.save(connection, town.agency, replace(frozen, archive_at=0), now_ms())
    async with asyncio.timeout(30):
        while store.directory.group(incidents.group_of(town.agency, code)) is not None:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    async with store.reading() as connection:
        assert await incidents.unit_of(connection, town.agency, code) == patrol


async def test_duty_where_nobody_plans_it_is_the_unit_and_who_is_dispatched_to_nobody_is_told(bridged: Bridged) -> None:
    town = bridged.town
    one = await town.person()
    await bridged.tell("D0", parties=[{"kind": "duty", "id": town.unit}])
    await bridged.members("D0", {one})
    yesterday = now_ms() - 24 * HOUR
    async with bridged.store.change() as change:
        draft = ShiftDraft(town.agency, town.unit, "夜班", yesterday, yesterday + HOUR, frozenset({one}))
        await duty.create_shift(change, draft)
    await bridged.members("D0", set())
    state = await bridged.tell("D0", parties=[{"kind": "duty", "id": town.unit}, {"kind": "duty", "id": "早班"}])
    name = bridged.store.directory.snapshot.units[town.unit].name
    assert (state.empty, state.unknown) == ((f"duty:{name}",), ("duty:早班",))


async def test_members_follow_people_units_duty_and_cells(bridged: Bridged) -> None:
    town, store = bridged.town, bridged.store
    async with store.change() as change:
        patrol = await units.create_unit(change, town.agency, town.unit, "一队")
    early, late, keeper = [await town.person(name=name, unit=patrol) for name in ("早班", "晚班", "网格员")]
    now = now_ms()
    async with store.change() as change:
        for name, user, starts in (("早", early, now - HOUR), ("晚", late, now + HOUR)):
            draft = ShiftDraft(town.agency, patrol, name, starts, starts + 2 * HOUR, frozenset({user}))
            if name == "早":
                shift = await duty.create_shift(change, draft)
            else:
                await duty.create_shift(change, draft)
        await cells.put_cells(change, [Cell(town.agency, CELL, "甲", patrol, keeper)])
    await bridged.tell("D1", parties=[{"kind": "duty", "id": patrol}])
    await bridged.tell("U1", parties=[{"kind": "unit", "id": "一队"}])
    await bridged.tell("G1", parties=[{"kind": "cell", "id": CELL}])
    await bridged.members("D1", {early})
    await bridged.members("U1", {early, late, keeper})
    await bridged.members("G1", {keeper})

    async def early_shift(ends_ms: int) -> None:
        async with store.change() as change:
            draft = ShiftDraft(town.agency, patrol, "早", now - HOUR, ends_ms, frozenset({early, late}))
            await duty.update_shift(change, shift, draft)

    await early_shift(now + HOUR)
    await bridged.members("D1", {early, late})
    # It ends a moment from now by itself: nothing in the directory changes when it does.
    await early_shift(now_ms() + 500)
    await bridged.members("D1", set())

    async with store.change() as change:
        await cells.put_cells(change, [Cell(town.agency, CELL, "甲", patrol, late)])
        await people.update_user(change, early, UserDraft(town.agency, town.unit, "早班", frozenset({Role.OFFICER})))
    await bridged.members("G1", {late})
    await bridged.members("U1", {late, keeper})


async def test_news_beyond_what_may_wait_are_refused_and_come_again(bridged: Bridged) -> None:
    crew = of(await bridged.town.person())
    told = await asyncio.gather(
        *(bridged.tell(f"W{n}", parties=crew) for n in range(WAITING + 60)), return_exceptions=True
    )
    refused = [each for each in told if isinstance(each, Refused)]
    assert len(refused) == 60
    assert {each.code for each in refused} == {Refusal.TOO_FAST}
    assert all(each.retry_after_ms for each in refused)
    await bridged.tell(f"W{WAITING}", parties=crew)


async def test_what_goes_wrong_in_telling_of_one_case_holds_up_neither_it_nor_the_others(bridged: Bridged) -> None:
    def fails(_: AgencyId, state: IncidentState) -> None:
        if state.code == "F1":
            raise RuntimeError("a phone that cannot be told")

    bridged.bridge.telling.noted.append(fails)
    with capture_logs() as logged:
        async with asyncio.timeout(30):
            found = await asyncio.gather(*(bridged.tell(f"F{n}", title=f"案{n}", parties=[]) for n in range(3)))
            later = await bridged.tell("F1", title="again")
    assert [(each["event"], each["incident"]) for each in logged] == [("incident_not_told", "F1")] * 2
    assert [state.incident.title for state in (*found, later)] == ["案0", "案1", "案2", "again"]
    assert {code for code, _ in bridged.told.changes} == {"F0", "F2"}


async def test_linked_groups_bring_their_bursts_to_every_incident_they_belong_to(bridged: Bridged) -> None:
    town, store = bridged.town, bridged.store
    async with store.change() as change:
        shared = await groups.create_group(change, GroupDraft(town.agency, town.unit, "巡查组"))
    for code in ("L1", "L2"):
        await bridged.tell(code, parties=of(await town.person()))
        await bridged.bridge.link(town.agency, IncidentCode(code), shared, SYSTEM)
    burst = Happened("burst/b1", EventType.BURST, now_ms(), None, {"recording": "b1"})
    for _ in range(2):  # a journal may be replayed
        async with store.writing() as connection:
            await incident_happenings.tell(connection, shared, burst, now_ms())
    for code in ("L1", "L2"):
        assert (await bridged.types(code)).count("burst.recorded") == 1
    await bridged.bridge.link(town.agency, IncidentCode("L2"), shared, SYSTEM, linked=False)
    async with store.writing() as connection:
        later = Happened("burst/b2", EventType.BURST, now_ms())
        await incident_happenings.tell(connection, shared, later, now_ms())
    assert (await bridged.types("L1")).count("burst.recorded") == 2
    assert (await bridged.types("L2")).count("burst.recorded") == 1
    with pytest.raises(Refused):
        await bridged.bridge.link(town.agency, IncidentCode("nowhere"), shared, SYSTEM)


@asynccontextmanager
async def sql_away(store: Store) -> AsyncIterator[None]:
    """PostgreSQL takes nobody in and shows all out; SQLite is held by another."""
    if store.settings.url is None:
        path = store.data / "poc.sqlite"
        with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
            # Beside the loop: a bridge that is just writing something ends that first.
            await asyncio.to_thread(other.execute, "BEGIN IMMEDIATE")
            yield
        return
    server, _, database = store.settings.url.rpartition("/")
    other = await asyncpg.connect(f"{server}/postgres")
    try:
        await other.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS false')
        await other.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", database)
        yield
        await other.execute(f'ALTER DATABASE "{database}" ALLOW_CONNECTIONS true')
    finally:
        await other.close()


async def test_who_opens_the_group_while_sql_is_away_is_told_of_when_it_is_back_and_once(bridged: Bridged) -> None:
    town, store = bridged.town, bridged.store
    one, two = await town.person(name="甲"), await town.person(name="乙")
    await bridged.tell("J1", parties=of(one, two))
    group = incidents.group_of(town.agency, IncidentCode("J1"))
    users = store.directory.snapshot.users
    async with sql_away(store):
        for user in (one, two, one):
            bridged.bridge.joined(users[user], group)
        # The process may end before SQL is back.
        await bridged.bridge.aclose()
        await store.journal.flush()
    async with asyncio.timeout(30):
        while (await bridged.types("J1")).count("member.joined") < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    bridged.bridge.joined(users[one], group)  # he comes back later
    async with asyncio.timeout(30):
        while store.journal.state().applied < store.journal.state().appended:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    told = await bridged.bridge.events(town.agency, IncidentCode("J1"), 2, 10)
    assert [(event.type, event.data) for event in told] == [
        ("member.joined", {"user": one, "name": "甲"}),
        ("member.joined", {"user": two, "name": "乙"}),
    ]


async def test_the_outbox_hands_out_one_event_of_each_incident_and_each_once(bridged: Bridged) -> None:
    town, store = bridged.town, bridged.store
    async with store.writing() as connection:
        await outbox.enter(connection, ["cases"])
    crew = of(await town.person())
    await asyncio.gather(*(bridged.tell(f"O{n}", parties=crew) for n in range(40)))
    box = SqlOutbox(store.database, "cases", town.agency, lambda _: True, 60_000)
    now = now_ms()
    first, second = await asyncio.gather(box.heads(now, 25), box.heads(now, 25))
    taken = [(each.event.incident, each.event.sequence) for each in (*first, *second)]
    assert sorted(taken) == sorted({(f"O{n}", 1) for n in range(40)}), "two couriers never hold the same one"
    assert await box.heads(now, 25) == ()
    await box.settle([replace(each, status=Status.DELIVERED) for each in first], Health("cases"))
    assert {(d.event.incident, d.event.sequence) for d in await box.heads(now, 50)} == {
        (each.event.incident, 2) for each in first
    }
    async with store.reading() as connection:
        assert (await outbox.counts(connection))["cases", "delivered"] == len(first)
    await box.settle([replace(each, status=Status.DEAD) for each in second], Health("cases"))
    async with store.reading() as connection:
        never, after = [], ""
        while page := await outbox.dead_letters(connection, "cases", 4, after):
            never += [each.event.incident for each in page]
            after = page[-1].event.id
        assert never == sorted(each.event.incident for each in second), "page by page, none twice"
        for receiver, last in (("cases", "never"), ("others", after)):
            with pytest.raises(Refused):
                await outbox.dead_letters(connection, receiver, 4, last)


async def test_who_was_taken_off_by_an_urgent_dispatch_is_not_woken_by_it(bridged: Bridged) -> None:
    one, two = await bridged.town.person(name="甲"), await bridged.town.person(name="乙")
    await bridged.tell("U2", parties=of(one))
    await bridged.tell("U2", parties=of(two), urgent=True)
    assert frozenset().union(*(users for _, users in bridged.told.forward)) == {two}


async def test_a_tap_after_a_rework_is_told_as_the_first_was_and_each_once(bridged: Bridged) -> None:
    one = await bridged.town.person()
    user = bridged.store.directory.snapshot.users[one]
    await bridged.tell("T1", version=1, parties=of(one))
    await bridged.members("T1", {one})
    for number in (1, 2):
        for _ in range(2):
            await bridged.bridge.report(user, IncidentCode("T1"), "done")
        assert (await bridged.types("T1")).count("officer.done") == number
        await bridged.tell("T1", version=2 * number, step="feed_back")
        await bridged.tell("T1", version=2 * number + 1, step="rework")
