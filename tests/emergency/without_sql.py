"""What begins, ends or is due while SQL is away happens at once, and is kept as soon as SQL is back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import asyncpg

from groups.vocabulary import ReceiptState
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
    Receipt,
    Recipients,
    Sos,
)
from tests.emergency.cast import Cast
from tests.fixtures.postgres import Postgres

KEPT_S = 30
OPERATED = {"POC_EMERGENCY__ESCALATE_S": "3"}
"""How the operator of the city has alerts ring again."""


async def until(seen: Callable[[], bool]) -> None:
    """Nobody tells of what a server writes down."""
    end = time.monotonic() + KEPT_S
    while not seen():
        assert time.monotonic() < end
        await asyncio.sleep(0.1)


async def kept_by_a_desk_that_died(url: str) -> None:
    """What somebody has asked for stands in SQL, by a desk that could not answer him any more."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    for table, one in (("broadcast", "note"), ("emergency_call", "call")):
        columns = [
            row["column_name"]
            for row in await connection.fetch(
                "SELECT column_name FROM information_schema.columns WHERE table_name = $1", table
            )
        ]
        values = [{"id": f"'{one}-twin'", "group_id": "'gr-twin'"}.get(name, name) for name in columns]
        into = f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table} WHERE id = $1"
        await connection.execute(into, one)
    people = "SELECT 'note-twin', user_id FROM receipt WHERE broadcast_id = 'note'"
    await connection.execute(f"INSERT INTO receipt (broadcast_id, user_id) {people}")
    await connection.close()


async def test_what_ends_without_sql_is_over_after_it_too_and_an_alert_goes_on_ringing(
    cast: Cast, city_postgres: Postgres, sql_url: str
) -> None:
    leader, one, officer, dispatcher = await cast.phones("LD-001", "BJ-001", "XS-001", "PQ-001")
    to = Recipients(users=[one.user])
    await leader.request(BroadcastStart(id="b", broadcast="note", to=to, kind="text", text="集合"))
    await one.request(Receipt(id="r", broadcast="note", state=ReceiptState.DELIVERED))
    called, _ = await leader.request(EmergencyCall(id="c", call="call", to=to, name="会商"))
    await one.told(BroughtIn, call="call")
    await officer.request(Sos(id="s", alert="sos", pressed_ms=1))
    await dispatcher.request(AlertClaim(id="k", alert="sos"))
    await kept_by_a_desk_that_died(sql_url)
    twin = BroadcastStart(id="bt", broadcast="note-twin", to=to, kind="text", text="集合")
    begun, _ = await leader.request(twin)
    assert (begun.broadcast, begun.people) == ("note-twin", 1), "served once"
    again, _ = await leader.request(EmergencyCall(id="ct", call="call-twin", to=to, name="会商"))
    assert again.group.id == "gr-twin", "in the group its people may be in already"
    await leader.request(EmergencyCancel(id="et", group="gr-twin"))
    city_postgres.stop("immediate")

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
    await until(lambda: "broadcast_not_kept" in cast.city.log.read_text())

    versions = [m.alert.version for m in dispatcher.inbox if isinstance(m, Alert) and m.alert.id == "unkept"]
    assert versions == sorted(set(versions)), "each step told once, however often it was sent"

    while (rung := (await dispatcher.told(Alert, queue=True)).alert).id != "sos" or not rung.escalated:
        pass
    assert (rung.state, rung.claimed_by) == ("raised", None), "a claim without a word is given up"

    await dispatcher.request(AlertResolve(id="k4", alert="unkept", outcome="resolved"))
    city_postgres.start()

    auditor = cast.city.post(f"/api/v1/demo/people/{cast.id('SJ-001')}/step-in")["access_token"]

    def audited(action: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = cast.city.get(f"/api/v1/audit?action={action}", auditor)["items"]
        return found

    await until(lambda: bool(audited("emergency.end") and audited("broadcast.withdrawn")))
    for action in ("raise", "claim", "acknowledge", "resolved"):
        done = [e["actor"] for e in audited(f"alert.{action}") if e["target"] == "unkept"]
        assert done == [one.user if action == "raise" else dispatcher.user], action
    alerts = cast.city.get("/api/v1/alerts", dispatcher.identity.token)["alerts"]
    assert [a["record"]["state"] for a in alerts if a["record"]["id"] == "unkept"] == ["resolved"]
    ended = [(e["actor"], e["target"]) for e in audited("emergency.end")]
    assert ended == [(leader.user, "call"), (leader.user, "call-twin")]
    report = cast.city.get("/api/v1/broadcasts/note", leader.identity.token)
    assert report["broadcast"]["state"] == "withdrawn"

    # Nothing is left to the next scenario of this city.
    await dispatcher.request(AlertClaim(id="k5", alert="sos"))
    await dispatcher.request(AlertResolve(id="k6", alert="sos", outcome="resolved"))
    await leader.request(BroadcastEnd(id="wt", broadcast="note-twin", withdraw=True))
