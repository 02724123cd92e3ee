"""A node dies, sleeps, drains: what phones notice, and that the city is whole again after."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import time
from contextlib import AsyncExitStack, closing
from functools import partial

import pytest

from groups.vocabulary import BurstEnd, Refusal
from loadtest.phone import PhoneFailed
from signaling.messages import (
    Alert,
    AlertClaim,
    AlertClaimed,
    AlertResolve,
    Bye,
    CallEnded,
    FloorIdle,
    FloorTaken,
    Sos,
    Switched,
)
from tests.emergency.cast import Cast
from tests.nodes.broken import WAIT_S, come_back, three, until, whole
from tests.nodes.under_way import a_leaders_call, at_a_desk_of, in_a_call, joined, queued_on, rings_again
from tests.support.city import City, fetch
from tests.support.handsets import Handset, Handsets
from tests.support.proxy import Proxy

pytestmark = pytest.mark.wire


async def test_a_node_that_drains_sends_its_phones_away_between_bursts_and_the_proxy_sends_nobody_there(
    city: City, street: Handsets, proxy: Proxy
) -> None:
    group, a, b, c = await three(street)
    said = asyncio.create_task(b.say(group, frames=50))
    taken = await a.told(FloorTaken, group=group)
    os.kill(city.node_pid(0), signal.SIGTERM)
    await a.told(FloorIdle, group=group, burst=taken.burst)
    heard = a.packets()
    await said
    await a.told(Bye, reconnect=True)
    assert heard >= 40  # it went when nobody spoke
    await come_back(a, street.urls[1])
    assert a.welcome is not None
    assert (a.welcome.resumed, a.welcome.selected) == (True, group)
    new = Cast(city, street).identities("XS-001")[0]
    async with asyncio.timeout(WAIT_S), AsyncExitStack() as held:
        while not await proxy.sign_on(new, held):  # noqa: ASYNC110 - what it looks at it tells nobody
            await asyncio.sleep(0.1)
    await c.say(group)
    await a.until_packets(8)
    await until(partial(whole, city))


def recorded(city: City, burst: int) -> list[tuple[str, bool]]:
    """How a burst ended, as it stands in SQL, and whether that is after it began and in the past."""
    with closing(sqlite3.connect(city.data / "poc.sqlite")) as database:
        found = database.execute("SELECT end_reason, started_ms, ended_ms FROM burst WHERE id = ?", (burst,))
        return [(reason, began < ended <= time.time() * 1000) for reason, began, ended in found]


async def test_the_node_of_the_desk_is_killed_its_floor_is_free_and_its_phones_resume_elsewhere(
    city: City, street: Handsets
) -> None:
    dead = next(node for node in (0, 1) if city.node_metric(node, "poc_desk_here"))
    group, a, _, c = await three(street, dead)
    is_next = await queued_on(dead, street)
    talker, other, call = await in_a_call(street, 1 - dead)
    speaks = asyncio.create_task(talker.utter(750))
    one_hears_the_other, part = await joined(1 - dead, street)
    # Nothing can be written into SQL until what the desk led that died was taken over: it is led all the same.
    busy = sqlite3.connect(city.data / "poc.sqlite", isolation_level=None)
    busy.execute("BEGIN IMMEDIATE")
    gone, stays = await at_a_desk_of(dead, street)
    leader_ends_it = await a_leaders_call(dead, street)
    queued_behind = c.press_key(group)
    async with asyncio.timeout(WAIT_S):
        await queued_behind.settled
    c.release_key()
    talking = a.press_key(group)
    async with asyncio.timeout(WAIT_S):
        await talking.settled
    await a.utter(15)
    await c.told(FloorTaken, group=group, burst=talking.burst)
    os.kill(city.node_pid(dead), signal.SIGSTOP)
    lost = other.press_key(call.group)  # by way of the desk, which never gets to it
    os.kill(city.node_pid(dead), signal.SIGKILL)
    died = time.monotonic()
    back = asyncio.create_task(come_back(a, street.urls[1 - dead]))
    # The one that is left is where all phones go: it stays ready though the desk may have died with the other.
    for _ in range(20):
        assert await asyncio.to_thread(city.node_status, 1 - dead, "/readyz") == 200
    idle = await c.told(FloorIdle, group=group, burst=talking.burst)
    assert idle.end in (BurstEnd.LEFT, BurstEnd.MEDIA_LOST, BurstEnd.CUT)
    print("floor free after", round(time.monotonic() - died, 2))
    waited = asyncio.create_task(is_next())
    await one_hears_the_other()
    alert = await rings_again(gone, stays)
    await leader_ends_it()
    busy.execute("ROLLBACK")  # the dead node could not start again without it
    busy.close()
    # Who leads the call now did not hear that burst begin, and hears its end.
    assert not [m for m in other.inbox if isinstance(m, CallEnded)]
    async with asyncio.timeout(WAIT_S):
        await lost.settled
    assert lost.cause is Refusal.UNAVAILABLE, "whoever holds a key has an answer"
    other.release_key()
    speaks.cancel()
    talker.release_key()
    await back
    await waited
    assert a.welcome is not None
    assert a.welcome.resumed
    assert a.welcome.selected == group
    a.press = None
    await a.say(group)
    await c.until_packets(8)
    await stays.request(AlertClaim(id="c", alert=alert))
    await stays.request(AlertResolve(id="z", alert=alert, outcome="resolved"))
    await part()
    assert (await other.told(CallEnded, call=call.call)).end == "inactivity"
    await until(partial(whole, city, dead))
    await until(lambda: recorded(city, talking.burst or 0) == [(BurstEnd.CUT, True)])


async def test_the_node_of_the_desk_sleeps_is_given_up_and_wakes_without_a_voice_and_without_a_say(
    city: City, street: Handsets
) -> None:
    asleep = next(node for node in (0, 1) if city.node_metric(node, "poc_desk_here"))
    group, a, b, c = await three(street, asleep)
    people = Cast(city, street).identities("QK-001", "PQ-001", "PQ-002")
    nodes = (1 - asleep, asleep, 1 - asleep)
    officer, late, first = [await street.connect(each, node=at) for each, at in zip(people, nodes, strict=True)]
    await officer.request(Sos(id="s", alert="slept", pressed_ms=1))
    await late.told(Alert, queue=True)
    talking = a.press_key(group)
    async with asyncio.timeout(WAIT_S):
        await talking.settled
    await c.told(FloorTaken, group=group, burst=talking.burst)
    pid = city.node_pid(asleep)
    os.kill(pid, signal.SIGSTOP)
    try:
        await c.told(FloorIdle, group=group, burst=talking.burst)
        await b.say(group, frames=5)
        heard = c.packets()
        for number in range(10):
            a.speak(b"\x08" + bytes(99), 1920 * number)
        await claimed(first, "slept")
        asked = asyncio.create_task(claimed(late, "slept"))
        await asyncio.sleep(0)  # it is on the wire while the node sleeps
    finally:
        os.kill(pid, signal.SIGCONT)
    # It woke as the desk, and an alert is one dispatcher's all the same.
    assert (await asked).by.id == first.user
    await until(partial(whole, city))
    await b.say(group, frames=5)
    await c.until_packets(heard + 4)
    assert c.packets() <= heard + 7  # and nothing of what slept
    await first.request(AlertResolve(id="z", alert="slept", outcome="resolved"))


async def claimed(dispatcher: Handset, alert: str) -> AlertClaimed:
    """Ask until there is a desk that knows it, as a page does; what it says."""
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                answer, _ = await dispatcher.request(AlertClaim(id="c", alert=alert))
            except PhoneFailed as refused:
                if refused.code is not Refusal.UNAVAILABLE:
                    raise
                await asyncio.sleep(0.1)
            else:
                return answer


def asleep_once_committed(city: City, node: int, code: str) -> None:
    """This node stops as soon as a case stands in SQL: so soon that it hardly ever told anybody."""
    pid, end = city.node_pid(node), time.monotonic() + WAIT_S
    with closing(sqlite3.connect(city.data / "poc.sqlite")) as database:
        while not database.execute("SELECT 1 FROM incident WHERE code = ?", (code,)).fetchone():
            assert time.monotonic() < end
        # Not in the middle of writing: it would keep the other from writing, too.
        database.execute("BEGIN IMMEDIATE")
        os.kill(pid, signal.SIGSTOP)
        database.rollback()


async def test_what_a_node_that_sleeps_after_the_commit_did_not_tell_of_a_case_the_other_tells_once(
    city: City, street: Handsets
) -> None:
    code = f"E{time.time_ns()}"
    cast = Cast(city, street)
    officer = await street.connect(cast.identities("DH-005")[0], node=1)
    group = cast.group(officer, "东湖巡查组")
    await officer.select(group)
    headers = {"Authorization": f"Bearer {cast.token('PQ-001')}", "Content-Type": "application/json"}
    url = f"http://127.0.0.1:{city.own_ports[0]}/api/v1/incidents/"
    case = {"title": "路面塌陷", "urgent": True, "parties": [{"kind": "user", "id": officer.user}]}

    def put(code: str) -> str:
        return fetch("PUT", url + code, headers, json.dumps(case))

    asleep = asyncio.create_task(asyncio.to_thread(asleep_once_committed, city, 0, code))
    telling = asyncio.create_task(asyncio.to_thread(put, code))
    try:
        await asleep
        assert (await officer.told(Switched)).incident == code
        await officer.select(group)
    finally:
        os.kill(city.node_pid(0), signal.SIGCONT)
    await asyncio.gather(telling, return_exceptions=True)  # it may have been given up, and drop its requests
    await until(partial(whole, city))
    # What the node that woke has to tell comes before what it tells next.
    await asyncio.to_thread(put, code + "-2")
    assert (await officer.told(Switched)).incident == code + "-2"
