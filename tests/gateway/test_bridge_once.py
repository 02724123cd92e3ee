"""What is done once though it comes again, or several want to: signed messages, polls, receivers, refused news."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from gateway.delivery.receiver import Health
from gateway.incidents.document import read_document
from gateway.incidents.effects import EventOut, EventType
from gateway.incidents.lifecycle import Happened
from gateway.incidents.limits import Lamp
from gateway.polling import PollState
from groups.vocabulary import IncidentCode
from poc_server.bridge.bridge import Bridge
from poc_server.bridge.setup import BridgeFile, Setup, WorkingTime
from poc_server.store.bridge import incident_events, incident_happenings, incidents, outbox, polls, refused_news
from poc_server.store.bridge.heard import Heard
from poc_server.store.bridge.outbox import SqlOutbox
from poc_server.store.ids import now_ms
from poc_server.store.tables import bridge as bridge_tables
from tests.fixtures.bridge import WAITING, Bridged

pytestmark = pytest.mark.wire
HOUR = 3_600_000


async def test_a_signed_message_is_taken_once_whatever_node_it_comes_to(bridged: Bridged) -> None:
    agency, code = bridged.town.agency, IncidentCode("H1")
    other = Bridge(Setup(), bridged.store, bridged.told, batch=32, waiting_limit=WAITING)
    other.start()
    other.open.set()

    async def tell(node: Bridge, mark: str, title: str) -> bool:
        document = read_document({"title": title, "parties": []})
        return not (await node.news(agency, code, document, heard=Heard("cases", mark))).discarded

    assert await tell(bridged.bridge, "m1", "one")
    assert await tell(bridged.bridge, "m2", "two")
    again = await asyncio.gather(*(tell(node, "m1", "one") for node in (other, bridged.bridge, other, other)))
    assert again == [False] * 4
    assert sorted(await asyncio.gather(*(tell(node, "m3", "one") for node in (other, bridged.bridge)))) == [False, True]
    assert (await bridged.bridge.find(agency, code)).incident.title == "one"
    assert len((await bridged.bridge.find(agency, code)).news) == 3
    await other.aclose()

    one = {"id": "told-1", "title": "of that id"}
    for fields in (one, {"title": "meanwhile"}, one):
        await bridged.tell("H1", **fields)
    assert (await bridged.bridge.find(agency, code)).incident.title == "meanwhile"


async def test_when_working_time_was_changed_the_lamp_follows_and_nothing_stays_due(bridged: Bridged) -> None:
    long_ago = now_ms() - 40 * 24 * HOUR
    limit = {"stage": "handling", "allowed_ms": HOUR}
    await bridged.tell("T1", at=long_ago, state="handling", limits=[limit], parties=[])
    await bridged.tell("T2", at=now_ms(), state="handling", limits=[{**limit, "wall_clock": True}], parties=[])
    assert (await bridged.bridge.find(bridged.town.agency, IncidentCode("T1"))).lamp is Lamp.RED
    await bridged.bridge.aclose()
    # Nobody works but on one day, which is a month from now: nothing of the hour is used up.
    rare = WorkingTime(weekdays=frozenset(), extra_days=frozenset({datetime.now(UTC).date() + timedelta(days=30)}))
    changed = Setup(BridgeFile(working_time=rare))
    bridge = Bridge(changed, bridged.store, bridged.told, batch=32, waiting_limit=WAITING, tick_s=0.1)
    bridge.start()
    bridge.open.set()

    i = bridge_tables.incident.c

    async def due() -> dict[str, Any]:
        async with bridged.store.reading() as connection:
            rows = await connection.execute(select(i.code, i.lamp, i.due_ms))
            return {row.code: (row.lamp, row.due_ms) for row in rows}

    async with asyncio.timeout(30):
        while (found := await due())["T1"][0] != "green" or found["T2"][1] < now_ms():  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert found["T1"][1] > now_ms() + 20 * 24 * HOUR
    assert found["T2"][0] == "green"
    await bridge.aclose()


async def test_journal_and_news_that_want_the_same_cases_in_another_order_wait_for_each_other(bridged: Bridged) -> None:
    agency, codes = bridged.town.agency, [IncidentCode(code) for code in ("J1", "J2")]
    for code in codes:
        await bridged.tell(code, parties=[])
    one_told = asyncio.Event()
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")

    async def journal() -> None:
        async with bridged.store.writing() as connection:
            for code in reversed(codes):
                note = Happened(f"j-{code}", EventType.NOTE, 1)
                await incident_happenings.tell_one(connection, agency, code, note, now_ms())
                one_told.set()
                while connection.dialect.name == "postgresql" and not await connection.scalar(waits):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    async def news() -> None:
        await one_told.wait()
        async with bridged.store.writing() as connection:
            await incidents.load_many(connection, agency, codes)
            await incident_events.append(connection, agency, codes[0], [EventOut("n1", EventType.NOTE, 2)])

    async with asyncio.timeout(30):
        await asyncio.gather(journal(), news())
    for code in codes:
        assert "note" in await bridged.types(code)


async def test_news_that_are_refused_again_and_again_are_kept_once(bridged: Bridged) -> None:
    async with bridged.store.writing() as connection:
        for now in range(3):
            kept = await refused_news.refuse(connection, "list", now, "R1", ["version: not found"], '{"no": "R1"}')
            assert kept is (now == 0)
        assert await refused_news.refuse(connection, "list", 9, "R1", ["version: not found"], '{"no": "R1", "x": 1}')
        assert [row.at_ms for row in await refused_news.newest(connection, 10)] == [9, 0]


async def test_of_several_nodes_one_polls_an_endpoint_until_it_stops_or_is_silent_too_long(bridged: Bridged) -> None:
    async def hold(node: str, now: int) -> PollState | None:
        async with bridged.store.writing() as connection:
            return await polls.hold(connection, "list", node, now, lambda state: 10 * (1 + state.failures))

    assert await hold("a", 0) == PollState()
    assert await hold("b", 9) is None
    assert await hold("a", 9) == PollState()
    async with bridged.store.writing() as connection:
        await polls.save(connection, "list", PollState(5, 1, "down"))
        assert await polls.failing(connection, ["list"]) == 1
    assert await hold("b", 18) is None
    assert await hold("b", 19) == PollState(5, 1, "down")
    assert await hold("a", 38) is None
    async with bridged.store.writing() as connection:
        await polls.release(connection, "list", "a")
        await polls.release(connection, "list", "b")
    assert await hold("a", 38) == PollState(5, 1, "down")


async def test_two_nodes_may_enter_a_new_receiver_at_the_same_time(bridged: Bridged) -> None:
    async def enter() -> None:
        async with bridged.store.writing() as connection:
            await outbox.enter(connection, ["cases", "archive"])

    await asyncio.gather(*(enter() for _ in range(8)))
    box = SqlOutbox(bridged.store.database, "archive", bridged.town.agency, lambda _: True, 60_000)
    assert await box.health() == Health("archive")
