"""SQL is there, takes connections, and answers nobody: who talks or is in danger does not notice, all others are told.

Of two nodes the phones are on the one that is not the desk.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.error import HTTPError

import pytest

from groups.vocabulary import Refusal, TextKind, Tier
from loadtest.phone import PhoneFailed
from signaling.messages import (
    AlertAcknowledge,
    AlertClaim,
    AlertResolve,
    BroadcastEnd,
    BroadcastStart,
    BroughtIn,
    BroughtOut,
    EmergencyCall,
    EmergencyCancel,
    Recipients,
    Sos,
    TextSend,
)
from tests.emergency.cast import Cast
from tests.fixtures.postgres import Postgres
from tests.support.city import fetch
from tests.support.handsets import WAIT_S, Handset

GROUP = "滨江巡查组"
PASSWORD = "shift change at six"
GIVES_UP_S = 8.0
"""So long a page waits for an answer; SQL has three seconds, and a loaded machine some more."""


class Door:
    """Where people sign in, at one node."""

    def __init__(self, cast: Cast, node: int) -> None:
        self._at = f"http://127.0.0.1:{cast.city.own_ports[node]}/api/v1"
        self._admin = cast.token("XT-001")

    def ask(self, method: str, path: str, body: Any, *, token: str = "", match: str = "") -> Any:
        headers = {"Content-Type": "application/json"}
        headers |= {"Authorization": f"Bearer {token}"} if token else {}
        headers |= {"If-Match": match} if match else {}
        text = fetch(method, self._at + path, headers, json.dumps(body))
        return json.loads(text) if text else None

    def with_password(self, unit: str) -> None:
        """Somebody new, who signs in by name and password."""
        made = self.ask("POST", "/people", {"name": "新人", "unit": unit, "account": "newman"}, token=self._admin)
        self.ask("PUT", f"/people/{made['id']}/password", {"password": PASSWORD}, token=self._admin, match="*")

    def signs_in(self, password: str = PASSWORD) -> dict[str, Any]:
        """Raises HTTPError."""
        return dict(self.ask("POST", "/auth/sign-in", {"name": "newman", "password": password}))

    def renews(self, signed_in: dict[str, Any]) -> dict[str, Any]:
        """Another pair of tokens. Raises HTTPError."""
        return dict(self.ask("POST", "/auth/refresh", {"refresh_token": signed_in["refresh_token"]}))


async def told_soon(asked: Awaitable[Any]) -> int | Refusal | None:
    """What somebody is refused who needs SQL: in time, and not by his own patience."""
    async with asyncio.timeout(GIVES_UP_S):
        try:
            await asked
        except HTTPError as answer:
            return answer.code
        except PhoneFailed as failed:
            return failed.code
    return None


async def in_danger(officer: Handset, dispatcher: Handset, talker: Handset, group: str) -> None:
    """Raised over a talker by one who waits for no answer, heard, claimed, told him, closed."""
    heard, talks = dispatcher.packets(), talker.press_key(group)
    await talks.settled
    raised = asyncio.create_task(officer.request(Sos(id="s", alert="while frozen", pressed_ms=1, group=group)))
    await asyncio.sleep(0)
    await officer.say(group, 5)
    talker.release_key()
    confirmed, _ = await raised
    assert confirmed.group == group
    await dispatcher.until_packets(heard + 1)
    claimed, _ = await dispatcher.request(AlertClaim(id="k", alert="while frozen"))
    assert claimed.yours
    await dispatcher.request(AlertAcknowledge(id="a", alert="while frozen"))
    await dispatcher.request(AlertResolve(id="r", alert="while frozen", outcome="resolved"))


async def in_command(leader: Handset, called: Handset) -> None:
    """A call, raised, talked in and ended, and a broadcast."""
    call = EmergencyCall(id="c", call="cold", to=Recipients(users=[called.user]), name="会商", tier=Tier.IMMINENT_PERIL)
    begun, _ = await leader.request(call)
    await called.told(BroughtIn, call="cold")
    await leader.request(call.model_copy(update={"id": "u", "tier": Tier.EMERGENCY}))
    heard = called.packets()
    await leader.say(begun.group.id, 5)
    await called.until_packets(heard + 1)
    await leader.request(BroadcastStart(id="b", broadcast="chill", to=call.to, kind="text", text="撤离"))
    await leader.request(BroadcastEnd(id="w", broadcast="chill", withdraw=True))
    await leader.request(EmergencyCancel(id="e", group=begun.group.id))
    await called.told(BroughtOut, call="cold")


async def back(phone: Handset, url: str) -> None:
    """His network was gone for a moment."""
    await phone.come_back(url)
    assert phone.welcome is not None


async def test_frozen_sql_is_noticed_by_nobody_who_talks_and_all_others_are_refused_in_time(
    cast: Cast, city_postgres: Postgres
) -> None:
    nodes = range(len(cast.city.own_ports))
    here = (
        next((node for node in nodes if not cast.city.node_metric(node, "poc_desk_here")), 0) if len(nodes) > 1 else 0
    )
    leader, officer, dispatcher, returns, moves = [
        await cast.street.connect(each, node=here)
        for each in cast.identities("LD-001", "BJ-001", "PQ-001", "BJ-002", "BJ-003")
    ]
    group = cast.group(officer, GROUP)
    for each in (officer, returns, moves):
        await each.select(group)
    door = Door(cast, here)
    door.with_password(cast.city.get("/api/v1/me", cast.token("BJ-001"))["units"][0]["id"])
    signed_in = door.signs_in()
    threads: Callable[..., Awaitable[Any]] = asyncio.to_thread

    city_postgres.freeze()
    try:
        # Kept connections hang first of all: each of these asks one of them.
        refused = [
            asyncio.create_task(told_soon(each))
            for each in (
                threads(door.signs_in),
                threads(door.signs_in, "not this one"),
                officer.request(TextSend(id="t", message="t", group=group, kind=TextKind.TEXT, text="到"), WAIT_S),
            )
        ]
        began = time.monotonic()
        await returns.say(group, 3)
        await in_danger(officer, dispatcher, returns, group)
        await in_command(leader, returns)
        await back(returns, cast.street.urls[here])
        await back(moves, cast.street.urls[nodes[here - 1]])
        await cast.street.connect(*cast.identities("QK-001"), node=here)
        await moves.say(group, 3)
        talked_s = time.monotonic() - began
        assert await asyncio.gather(*refused) == [503, 503, Refusal.UNAVAILABLE]
        renewed = await threads(door.renews, signed_in)
        assert talked_s < WAIT_S / 2
    finally:
        city_postgres.thaw()

    async with asyncio.timeout(WAIT_S):
        while await told_soon(threads(door.signs_in)) is not None:  # noqa: ASYNC110 - SQL tells nobody
            await asyncio.sleep(0.2)
    assert door.renews(renewed)["expires_in"] > 0
    with pytest.raises(HTTPError, match="401"):
        door.signs_in("not this one")
    auditor = cast.token("SJ-001")

    def audited() -> list[str]:
        found = cast.city.get("/api/v1/audit?limit=200", auditor)["items"]
        return [each["action"] for each in found if each["target"] in ("while frozen", "cold", "chill")]

    wanted = ["alert.acknowledge", "alert.claim", "alert.raise", "alert.resolved", "broadcast.start"]
    wanted += ["broadcast.withdrawn", "emergency.end", "emergency.start", "emergency.tier"]
    async with asyncio.timeout(WAIT_S):
        while len(done := audited()) < len(wanted):  # noqa: ASYNC110 - the journal tells nobody
            await asyncio.sleep(0.1)
    assert sorted(done) == wanted
