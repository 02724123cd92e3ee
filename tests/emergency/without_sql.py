"""What begins, ends or is due while SQL is away happens at once, and is kept as soon as SQL is back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest

from codec.opus import CLOCK_HZ
from groups.vocabulary import ReceiptState, Refusal, Tier
from loadtest.phone import PhoneFailed
from poc_server.store.ids import id_after
from signaling.messages import (
    Alert,
    AlertAcknowledge,
    AlertClaim,
    AlertResolve,
    Broadcast,
    BroadcastEnd,
    BroadcastStart,
    BroughtIn,
    BroughtOut,
    EmergencyCall,
    EmergencyCancel,
    PlanRun,
    Receipt,
    Recipients,
    Sos,
)
from tests.emergency.cast import Cast, says
from tests.emergency.lost_phone import Lost
from tests.fixtures.postgres import Postgres
from tests.support.handsets import Handset

KEPT_S = 30
FRAMES = 25
OPERATED = {"POC_EMERGENCY__ESCALATE_S": "3"}
"""How the operator of the city has alerts ring again."""


async def until(seen: Callable[[], bool]) -> None:
    """Nobody tells of what a server writes down."""
    end = time.monotonic() + KEPT_S
    while not seen():
        assert time.monotonic() < end
        await asyncio.sleep(0.1)


async def kept_by_a_desk_that_died(url: str, leader: str) -> None:
    """What a leader has asked for stands in SQL, by a desk that could not answer him any more."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    for table, one, twin, group in (
        ("broadcast", "note", "note-twin", ""),
        ("emergency_call", "call", "call-twin", "gr-twin"),
        ("emergency_call", "call", "call-slow", id_after("em", leader, "call-slow")),
    ):
        columns = [
            row["column_name"]
            for row in await connection.fetch(
                "SELECT column_name FROM information_schema.columns WHERE table_name = $1", table
            )
        ]
        values = [{"id": f"'{twin}'", "group_id": f"'{group}'"}.get(name, name) for name in columns]
        into = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table} WHERE id = $1"
        await connection.execute(into, one)
    people = "SELECT 'note-twin', user_id FROM receipt WHERE broadcast_id = 'note'"
    await connection.execute(f"INSERT INTO receipt (broadcast_id, user_id) {people}")
    await connection.close()


@asynccontextmanager
async def slow(url: str) -> AsyncIterator[None]:
    """Whoever asks SQL for a call, a broadcast or a plan meanwhile waits until this is over, and is answered then."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.execute("BEGIN; LOCK TABLE emergency_call, broadcast, plan IN ACCESS EXCLUSIVE MODE")
    try:
        yield
    finally:
        await connection.close()


async def begins_once_while_sql_is_slow(leader: Handset, one: Handset, url: str) -> None:
    """Asked for twice, the call of a desk that died before: SQL does its part when that is over, and both are one."""
    to = Recipients(users=[one.user])
    calls = [EmergencyCall(id=f"c-slow{n}", call="call-slow", to=to, name="会商") for n in range(2)]
    broadcasts = [BroadcastStart(id=f"b-slow{n}", broadcast="air-slow", to=to, text="撤离") for n in range(2)]
    async with slow(url):
        plan = asyncio.create_task(leader.request(PlanRun(id="p-slow", plan="plan", call="planned")))
        begun = await asyncio.gather(*(leader.request(each) for each in (*calls, *broadcasts)))
        with pytest.raises(PhoneFailed) as refused:
            await plan
    assert refused.value.code is Refusal.UNAVAILABLE, "the page begins what it has read of the plan"
    called, called_again, started, started_again = [answer.group.id for answer, _ in begun]
    assert (called, started) == (called_again, started_again)
    for cause, group in (("call-slow", called), ("air-slow", started)):
        assert (await one.told(BroughtIn, call=cause)).group.id == group
        assert not [m for m in one.inbox if isinstance(m, BroughtIn) and m.call == cause]

    async def groups() -> list[str | None]:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        call = await connection.fetchval("SELECT group_id FROM emergency_call WHERE id = 'call-slow'")
        air = await connection.fetchval("SELECT content->>'group' FROM broadcast WHERE id = 'air-slow'")
        await connection.close()
        return [call, air]

    async with asyncio.timeout(KEPT_S):
        while await groups() != [called, started]:  # noqa: ASYNC110 - nobody tells of what SQL has
            await asyncio.sleep(0.1)
    await leader.request(EmergencyCancel(id="e-slow", group=called))
    await leader.request(BroadcastEnd(id="w-slow", broadcast="air-slow", withdraw=True))
    while (await one.told(Broadcast)).broadcast.state != "withdrawn":
        pass


async def takes_the_air(leader: Handset, hearers: list[Handset], away: str) -> str:
    """A call that is answered and changes its tier, and a broadcast with its receipts; returns the call's group."""
    to = Recipients(users=[*(each.user for each in hearers), away])
    call = EmergencyCall(id="c3", call="cut", to=to, name="无库")
    called, _ = await leader.request(call)
    assert (called.people, called.online) == (len(hearers) + 1, len(hearers))
    before = leader.packets()
    for each in hearers:
        await each.told(BroughtIn, call="cut")
    await hearers[-1].say(called.group.id, 5)
    await leader.until_packets(before + 5)
    await leader.request(call.model_copy(update={"id": "c4", "tier": Tier.IMMINENT_PERIL}))

    start = BroadcastStart(id="b3", broadcast="air", to=to, text="撤离")
    started, _ = await leader.request(start)
    again, _ = await leader.request(start.model_copy(update={"id": "b4"}))
    assert again.group.id == started.group.id
    for each in hearers:
        await each.told(BroughtIn, call="air")
        await says(each, Receipt(id="r3", broadcast="air", state=ReceiptState.DELIVERED))
    await leader.say(started.group.id, FRAMES)
    for each in hearers:
        await each.told(BroughtOut, call="air")
    said = FRAMES * CLOCK_HZ // 25
    heard = Receipt(id="r4", broadcast="air", state=ReceiptState.HEARD, samples_expected=said, samples_played=said)
    await says(hearers[0], heard)
    return called.group.id


async def standing(url: str) -> tuple[dict[str, str], list[tuple[int, bool]]]:
    """The receipts of that broadcast by user, and tier and openness of that call, as they stand in SQL."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    receipts = await connection.fetch("SELECT user_id, state FROM receipt WHERE broadcast_id = 'air'")
    calls = await connection.fetch("SELECT tier, open FROM emergency_call WHERE id = 'cut'")
    await connection.close()
    return {row["user_id"]: row["state"] for row in receipts}, [(row["tier"], row["open"]) for row in calls]


async def test_what_begins_or_ends_without_sql_is_so_after_it_too_and_an_alert_goes_on_ringing(
    cast: Cast, city_postgres: Postgres, sql_url: str
) -> None:
    leader, one, officer, dispatcher = await cast.phones("LD-001", "BJ-001", "XS-001", "PQ-001")
    lost = await Lost.of(cast)
    to = Recipients(users=[one.user])
    await leader.request(BroadcastStart(id="b", broadcast="note", to=to, kind="text", text="集合"))
    await says(one, Receipt(id="r", broadcast="note", state=ReceiptState.DELIVERED))
    called, _ = await leader.request(EmergencyCall(id="c", call="call", to=to, name="会商"))
    await one.told(BroughtIn, call="call")
    await officer.request(Sos(id="s", alert="sos", pressed_ms=1))
    await dispatcher.request(AlertClaim(id="k", alert="sos"))
    await kept_by_a_desk_that_died(sql_url, leader.user)
    twin = BroadcastStart(id="bt", broadcast="note-twin", to=to, kind="text", text="集合")
    begun, _ = await leader.request(twin)
    assert (begun.broadcast, begun.people) == ("note-twin", 1), "served once"
    twins = [EmergencyCall(id=f"ct{number}", call="call-twin", to=to, name="会商") for number in range(2)]
    for again, _ in await asyncio.gather(*(leader.request(each) for each in twins)):
        assert again.group.id == "gr-twin", "in the group its people may be in already"
    await leader.request(EmergencyCancel(id="et", group="gr-twin"))
    await begins_once_while_sql_is_slow(leader, one, sql_url)
    city_postgres.stop("immediate")
    await lost.is_cut_off_without_sql()

    for number in range(3):
        confirmed, _ = await one.request(Sos(id=f"again{number}", alert="unkept", pressed_ms=1))
        assert (confirmed.alert, confirmed.told) == ("unkept", 1)
    await one.say(confirmed.group, 5)
    await dispatcher.until_packets(1)
    claimed, _ = await dispatcher.request(AlertClaim(id="k2", alert="unkept"))
    assert claimed.yours
    await dispatcher.request(AlertAcknowledge(id="k3", alert="unkept"))
    while (await one.told(Alert)).alert.state != "acknowledged":
        pass
    await leader.request(EmergencyCancel(id="e", group=called.group.id))
    await one.told(BroughtOut, call="call")
    await leader.request(BroadcastEnd(id="w", broadcast="note", withdraw=True))
    while (await one.told(Broadcast)).broadcast.state != "withdrawn":
        pass
    cut = await takes_the_air(leader, [one, officer], cast.id("QK-001"))
    listed = cast.city.get("/api/v1/broadcasts", leader.identity.token)["broadcasts"]
    assert [each["id"] for each in listed][:1] == ["air"], "his page lists it, with its receipts"
    late = await cast.phone("QK-001")
    assert (await late.told(Broadcast)).broadcast.id == "air"
    assert (await late.told(BroughtIn, call="cut")).tier is Tier.IMMINENT_PERIL
    await says(late, Receipt(id="r5", broadcast="air", state=ReceiptState.DELIVERED))

    versions = [m.alert.version for m in dispatcher.inbox if isinstance(m, Alert) and m.alert.id == "unkept"]
    assert versions == sorted(set(versions)), "each step told once, however often it was sent"

    while (rung := (await dispatcher.told(Alert, queue=True)).alert).id != "sos" or not rung.escalated:
        pass
    assert (rung.state, rung.claimed_by) == ("raised", None), "a claim without a word is given up"

    await dispatcher.request(AlertResolve(id="k4", alert="unkept", outcome="resolved"))
    city_postgres.start()
    await lost.stays_out_until_it_is_enabled_again()

    auditor = cast.city.post(f"/api/v1/demo/people/{cast.id('SJ-001')}/step-in")["access_token"]

    def audited(action: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = cast.city.get(f"/api/v1/audit?action={action}", auditor)["items"]
        return found

    await until(lambda: "unkept" in [e["target"] for e in audited("alert.resolved")])  # the last of it
    assert [each["target"] for each in audited("device.disable")] == [lost.device["id"]]
    for action in ("raise", "claim", "acknowledge", "resolved"):
        done = [e["actor"] for e in audited(f"alert.{action}") if e["target"] == "unkept"]
        assert done == [one.user if action == "raise" else dispatcher.user], action
    alerts = cast.city.get("/api/v1/alerts", dispatcher.identity.token)["alerts"]
    assert [a["record"]["state"] for a in alerts if a["record"]["id"] == "unkept"] == ["resolved"]
    ended = [(e["actor"], e["target"]) for e in audited("emergency.end")]
    assert ended == [(leader.user, each) for each in ("call", "call-slow", "call-twin")]
    for action, target in (
        ("emergency.start", "call-slow"),
        ("broadcast.start", "air-slow"),
        ("emergency.start", "cut"),
        ("emergency.tier", "cut"),
        ("broadcast.start", "air"),
    ):
        assert [e["actor"] for e in audited(action) if e["target"] == target] == [leader.user], "once"
    receipts, calls = await standing(sql_url)
    assert receipts == {one.user: "heard", officer.user: "delivered", late.user: "delivered"}
    assert calls == [(Tier.IMMINENT_PERIL, True)]
    report = cast.city.get("/api/v1/broadcasts/note", leader.identity.token)
    assert report["broadcast"]["state"] == "withdrawn"

    # Nothing is left to the next scenario of this city.
    await dispatcher.request(AlertClaim(id="k5", alert="sos"))
    await dispatcher.request(AlertResolve(id="k6", alert="sos", outcome="resolved"))
    for each in ("note-twin", "air"):
        await leader.request(BroadcastEnd(id=f"w-{each}", broadcast=each, withdraw=True))
    await leader.request(EmergencyCancel(id="ec", group=cut))
