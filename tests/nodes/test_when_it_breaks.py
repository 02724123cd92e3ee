"""A node dies, sleeps, drains; Redis is away: what phones notice, and that the city is whole again after."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, closing
from functools import partial

import pytest

from groups.vocabulary import BurstEnd, Refusal
from loadtest.phone import PhoneFailed
from signaling.messages import (
    Alert,
    AlertAcknowledge,
    AlertClaim,
    AlertClaimed,
    AlertResolve,
    BroadcastEnd,
    BroadcastStart,
    BroughtIn,
    BroughtOut,
    Bye,
    Call,
    CallEnded,
    EmergencyCall,
    EmergencyCancel,
    FloorGranted,
    FloorIdle,
    FloorQueued,
    FloorTaken,
    Isolated,
    Patched,
    PatchEnd,
    PatchStart,
    Recipients,
    Sos,
    Switched,
)
from tests.emergency.cast import Cast
from tests.nodes.patrol import patrol
from tests.support.city import City, fetch
from tests.support.handsets import Handset, Handsets
from tests.support.proxy import Proxy
from tests.support.redis import RedisServer
from tests.talk.test_ways_on_the_wire import standing

pytestmark = pytest.mark.wire
WAIT_S = 120.0


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not await asyncio.to_thread(_held, holds):  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.05)


def _held(holds: Callable[[], bool]) -> bool:
    try:
        return holds()
    except (OSError, StopIteration):
        return False


def whole(city: City, node: int = 0) -> bool:
    """Whether this node is back: one that still drains, or has not met the desk, takes no phone."""
    return city.node_status(node, "/readyz") == 200 and city.node_metric(node, "poc_nodes") == 2


async def come_back(phone: Handset, url: str) -> None:
    """Try until a node takes it in."""
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                await phone.come_back(url)
            except (PhoneFailed, OSError):
                await asyncio.sleep(0.1)
            else:
                return


async def three(street: Handsets, alone: int = 0) -> tuple[str, Handset, Handset, Handset]:
    """A group and three of its people: one on the node ``alone``, two on the other."""
    group, (a, b, c) = await patrol(street, alone, 1 - alone, 1 - alone)
    for phone in (a, c):
        await phone.until_online(group, 3)
    return group, a, b, c


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


async def at_a_desk_of(node: int, street: Handsets) -> tuple[Handset, Handset]:
    """An alert that is taken on this node and told to the officer; its dispatcher, and one on the other node."""
    cast = Cast(street.city, street)
    people = cast.identities("QK-001", "PQ-001", "PQ-002")
    nodes = (1 - node, node, 1 - node)
    officer, gone, stays = [await street.connect(each, node=at) for each, at in zip(people, nodes, strict=True)]
    await officer.request(Sos(id="s", alert="at the desk", pressed_ms=1))
    await gone.request(AlertClaim(id="c", alert="at the desk"))
    await gone.request(AlertAcknowledge(id="k", alert="at the desk"))
    return gone, stays


async def a_leaders_call(node: int, street: Handsets) -> Callable[[], Awaitable[None]]:
    """A leader's call and broadcast with the desk on this node; that he ends both, for when that is dead."""
    cast = Cast(street.city, street)
    leader, one = [await street.connect(each, node=1 - node) for each in cast.identities("LD-001", "QK-003")]
    to = Recipients(users=[one.user])
    call, _ = await leader.request(EmergencyCall(id="e", call="the air", to=to))
    await one.told(BroughtIn, call="the air")
    broadcast = BroadcastStart(id="b", broadcast="to all", to=to)
    started, _ = await leader.request(broadcast)

    async def ends() -> None:
        again, _ = await leader.request(broadcast.model_copy(update={"id": "g"}))
        assert again.group.id == started.group.id, "begun once, though this desk could not know of it"
        leader.link.send(BroadcastEnd(id="h", broadcast="to all", withdraw=True))
        await leader.request(EmergencyCancel(id="f", group=call.group.id))
        await one.told(BroughtOut, call="the air")

    return ends


async def in_a_call(street: Handsets, node: int) -> tuple[Handset, Handset, Call]:
    """A call of a standing group that ends when nobody talked for a second; one of two on this node talks."""
    cast = Cast(street.city, street)
    group = standing(cast, "会商", "prearranged", "DH-001", "DH-002", hang_ms=1_000)
    talker, other = [await street.connect(each, node=node) for each in cast.identities("DH-001", "DH-002")]
    await talker.select(group)
    press = talker.press_key(group)
    async with asyncio.timeout(WAIT_S):
        await press.settled
    assert press.burst is not None, press.cause
    return talker, other, await other.told(Call, group=group, phase="running")


async def rings_again(gone: Handset, stays: Handset) -> str:
    """The alert is in the queue of the other dispatcher. Returns it."""
    async with asyncio.timeout(WAIT_S):
        while (alert := (await stays.told(Alert, queue=True)).alert).left_by is None:
            pass
    assert (alert.state, alert.left_by.id) == ("raised", gone.user)
    return alert.id


async def queued_on(node: int, street: Handsets) -> Callable[[], Awaitable[None]]:
    """One who waits on this node behind a talker of the other node; what is returned is for when his node is dead."""
    cast = Cast(street.city, street)
    people = cast.identities("XS-001", "XS-002")
    talks, waits = [await street.connect(each, node=node) for each, node in zip(people, (1 - node, node), strict=True)]
    group = cast.group(talks, "西山巡查组")
    for phone in (talks, waits):
        await phone.select(group)
    async with asyncio.timeout(WAIT_S):
        await talks.press_key(group).settled
    saying = asyncio.create_task(talks.utter(700))
    waits.press_key(group)
    await waits.told(FloorQueued, group=group)

    async def is_next() -> None:
        await come_back(waits, street.urls[1 - node])
        saying.cancel()
        talks.release_key()
        await waits.told(FloorGranted, group=group)

    return is_next


async def joined(node: int, street: Handsets) -> tuple[Callable[[], Awaitable[None]], Callable[[], Awaitable[None]]]:
    """Two groups that the desk joined, with one of each on this node: that one hears the other, and that they part."""
    cast = Cast(street.city, street)
    people = cast.identities("DH-003", "QK-002", "PQ-003")
    talks, hears, dispatcher = [await street.connect(each, node=node) for each in people]
    lake, bridge = cast.group(talks, "东湖巡查组"), cast.group(hears, "桥口巡查组")
    await talks.select(lake)
    await hears.select(bridge)
    patch, _ = await dispatcher.request(PatchStart(id="p", groups=[lake, bridge], name="联合"))
    await hears.told(Patched, open=True)

    async def one_hears_the_other() -> None:
        heard = hears.packets()
        await talks.say(lake)
        assert (await hears.told(FloorTaken, group=bridge)).by.id == talks.user
        await hears.until_packets(heard + 8)

    async def part() -> None:
        await dispatcher.request(PatchEnd(id="q", patch=patch.patch))
        assert [each.id for each in (await hears.told(Patched, open=False)).groups] == [lake, bridge]

    return one_hears_the_other, part


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


BREAKS: dict[str, tuple[Callable[[RedisServer], object], Callable[[RedisServer], object]]] = {
    "stopped, and empty when it is back": (RedisServer.stop, RedisServer.start),
    "frozen": (RedisServer.freeze, RedisServer.thaw),
    "full": (
        lambda redis: redis.command("CONFIG", "SET", "maxmemory", "1"),
        lambda redis: redis.command("CONFIG", "SET", "maxmemory", "0"),
    ),
}


async def disabled_without_sql(city: City, security: str, user: str, name: str) -> sqlite3.Connection:
    """The device of that name is disabled at the first node; SQL is kept busy by what is returned."""
    headers = {"Authorization": f"Bearer {security}"}
    devices = f"http://127.0.0.1:{city.own_ports[0]}/api/v1/devices"
    listed = await asyncio.to_thread(fetch, "GET", f"{devices}?user={user}", headers, None)
    device = next(each["id"] for each in json.loads(listed)["items"] if each["name"] == name)
    busy = sqlite3.connect(city.data / "poc.sqlite", isolation_level=None)
    busy.execute("BEGIN IMMEDIATE")
    await asyncio.to_thread(fetch, "POST", f"{devices}/{device}/disable", headers, "{}")
    return busy


@pytest.mark.parametrize("how", BREAKS)
async def test_without_redis_each_node_serves_its_own_and_says_so(
    city: City, street: Handsets, redis_server: RedisServer, how: str
) -> None:
    breaks, mends = BREAKS[how]
    group, a, b, c = await three(street)
    cast = Cast(city, street)
    lost = await street.connect(cast.enrolled("BJ-004", how), node=1)
    security = cast.token("AQ-001")
    await asyncio.to_thread(breaks, redis_server)
    try:
        for phone in (a, b, c):
            await phone.told(Isolated, isolated=True)
        # Nobody may restart a node, or send its phones away, because Redis is away.
        for number in (0, 1):
            for path in ("/healthz", "/readyz"):
                assert await asyncio.to_thread(city.node_status, number, path) == 200
        before = a.packets()
        await b.say(group)
        await c.until_packets(8)
        assert a.packets() == before
        busy = await disabled_without_sql(city, security, lost.user, how)
    finally:
        await asyncio.to_thread(mends, redis_server)
    with closing(busy):
        assert (await lost.told(Bye)).reconnect is False, "its node heard of it when it was with the other again"
    for phone in (a, b, c):
        await phone.told(Isolated, isolated=False)
    heard = a.packets()
    await b.say(group)  # at once: who is told that all hear him is heard by all
    await a.until_packets(heard + 8)
    for phone in (a, c):
        await phone.until_online(group, 3)
