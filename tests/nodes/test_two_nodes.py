"""A city on two nodes: one floor, one picture of who is there, voice from any phone to any phone."""

from __future__ import annotations

import asyncio
import json
import re
import time
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.error import HTTPError

import pytest

from groups.floor.state import FloorState
from groups.vocabulary import BurstEnd, BurstId
from loadtest.phone import PhoneFailed
from poc_server.auth import AuthSettings
from signaling.messages import (
    BroughtIn,
    BroughtOut,
    Bye,
    Call,
    CallEnded,
    CallLeave,
    CallStart,
    EmergencyCall,
    EmergencyCancel,
    FloorIdle,
    FloorTaken,
    Recipients,
)
from tests.emergency.cast import Cast
from tests.nodes.journalled import journalled
from tests.nodes.patrol import patrol
from tests.ops.test_watching import ASKED_FOR
from tests.support.city import City, fetch
from tests.support.handsets import WAIT_S, Handset, Handsets
from tests.support.proxy import Proxy
from tests.support.redis import RedisServer
from tests.talk.test_ways_on_the_wire import standing
from tests.talk.ways_report import Ears

pytestmark = pytest.mark.wire
FRAMES = 10
AHEAD_MS = 3_600_000
"""No floor gives numbers of an hour ahead by itself."""


async def test_who_talks_on_one_node_is_heard_on_both_and_has_the_only_floor(street: Handsets) -> None:
    group, (talker, near, far) = await patrol(street, 0, 0, 1)
    await far.until_online(group, 3)
    said = asyncio.create_task(talker.say(group, frames=30))
    taken = await far.told(FloorTaken, group=group)
    assert taken.by.id == talker.user
    press = far.press_key(group)  # queued behind one who talks on another node
    await far.until_packets(20)
    await near.until_packets(20)
    await said
    async with asyncio.timeout(10):
        await press.settled
    assert press.burst is not None
    await near.told(FloorTaken, group=group, burst=press.burst)
    far.release_key()
    await talker.told(FloorIdle, group=group)
    assert abs(near.packets() - far.packets()) <= 2  # the far one talks at once: its slot may close a frame earlier


async def test_who_comes_back_on_the_other_node_while_he_talks_is_heard_on_both(street: Handsets) -> None:
    group, (talker, near, far) = await patrol(street, 0, 0, 1)
    await talker.until_online(group, 3)
    press = talker.press_key(group)
    async with asyncio.timeout(WAIT_S):
        await press.settled
    await talker.utter(2 * FRAMES)
    for phone in (near, far):
        await phone.until_packets(FRAMES)
    await talker.come_back(street.urls[1])
    heard = [phone.packets() for phone in (near, far)]
    await talker.utter(2 * FRAMES)
    for phone, before in zip((near, far), heard, strict=True):
        await phone.until_packets(before + FRAMES)
    talker.release_key()
    idle = await near.told(FloorIdle, group=group)
    assert (idle.burst, idle.end) == (press.burst, BurstEnd.RELEASED)


async def test_two_groups_whose_bursts_have_one_number_are_heard_each_where_it_is_spoken_in(
    cast: Cast, street: Handsets, redis_server: RedisServer
) -> None:
    """Bursts that begin in the same millisecond; here because both floors have given the same number before."""
    talking, hearing = ("XS-001", "QK-001"), ("XS-002", "QK-002")
    groups = [
        standing(cast, name, "chat", *both) for name, *both in zip(("同时甲", "同时乙"), talking, hearing, strict=True)
    ]
    given = BurstId(time.time_ns() // 1_000_000 + AHEAD_MS)
    for group in groups:
        state = json.dumps(FloorState(last_burst=given).to_json())
        await asyncio.to_thread(
            redis_server.command, "HSET", f"poc:floor:{group}", "v", "1", "s", f"'{state}'", "w", "-"
        )
    talkers, listeners = [
        [await street.connect(each, node=node) for each in cast.identities(*badges)]
        for node, badges in ((0, talking), (1, hearing))
    ]
    for group, *phones in zip(groups, talkers, listeners, strict=True):
        for phone in phones:
            await phone.select(group)
        await phones[0].until_online(group, 2)
    ears = [Ears(phone) for phone in listeners]
    presses = [talker.press_key(group) for talker, group in zip(talkers, groups, strict=True)]
    async with asyncio.timeout(WAIT_S):
        assert [await press.settled for press in presses] == [True, True]
    assert [press.burst for press in presses] == [given + 1, given + 1]
    speaking = [asyncio.create_task(talker.utter(700)) for talker in talkers]
    for ear, talker in zip(ears, talkers, strict=True):
        await ear.until(talker, FRAMES)
    for said, talker in zip(speaking, talkers, strict=True):
        said.cancel()
        talker.release_key()
    assert [set(ear.heard) for ear in ears] == [{talker.number} for talker in talkers]


async def test_what_ended_at_the_desk_is_on_the_disk_of_each_node_that_may_have_it_next(
    cast: Cast, links: Path
) -> None:
    leader, called = await cast.phones("LD-001", "BJ-001")
    to = Recipients(users=[called.user])
    started, _ = await leader.request(EmergencyCall(id="c", call="ends here", to=to, name="x"))
    await called.told(BroughtIn, call="ends here")
    await leader.request(EmergencyCancel(id="e", group=started.group.id))
    await called.told(BroughtOut, call="ends here")
    end = {"kind": "emergency_call_over", "v": 1, "id": "ends here"}
    folders = list(links.parent.glob("data/nodes/*/journal"))
    assert len(folders) == 2
    async with asyncio.timeout(WAIT_S):
        while not all(end in journalled(each) for each in folders):  # noqa: ASYNC110 - written by other processes
            await asyncio.sleep(0.05)


async def test_a_full_duplex_voice_comes_over_a_new_media_path_where_no_desk_is(city: City, street: Handsets) -> None:
    cast = Cast(city, street)
    (desk,) = [node for node in (0, 1) if city.node_metric(node, "poc_desk_here") == 1]
    away = 1 - desk
    a, b = [
        await street.connect(street.identity(cast.id(badge)), node=node)
        for badge, node in (("BJ-001", desk), ("BJ-002", away))
    ]
    call, _ = await a.request(CallStart(id="d1", users=[b.user], duplex=True))
    await b.told(Call, phase="running", call=call.call)
    await until_busy(city, (a.user, b.user), (a.user, b.user))
    await until_heard(b, a)

    b.voice.close()
    async with asyncio.timeout(WAIT_S):
        while await asyncio.to_thread(city.node_metric, away, "poc_media_connected"):  # noqa: ASYNC110 - tells nobody
            await asyncio.sleep(0.05)
    await b.come_back(street.urls[away])
    await until_heard(b, a)
    await until_heard(a, b)
    await b.request(CallLeave(id="d2", call=call.call))
    await a.told(CallEnded, call=call.call)
    await until_busy(city, (a.user, b.user), ())


async def test_who_talks_is_busy_also_where_nobody_hears_his_group(city: City, street: Handsets) -> None:
    group, (talker, _) = await patrol(street, 0, 0)
    press = talker.press_key(group)
    await press.settled
    assert press.burst is not None
    speaking = asyncio.create_task(talker.utter(700))
    await until_busy(city, (talker.user,), (talker.user,))
    speaking.cancel()
    talker.release_key()
    await until_busy(city, (talker.user,), ())


@pytest.mark.parametrize("way", ["device disabled", "session ended"])
async def test_who_is_thrown_out_on_one_node_is_shut_out_on_the_other(city: City, street: Handsets, way: str) -> None:
    cast = Cast(city, street)
    officer = await street.connect(cast.enrolled("BJ-004", way), node=0)
    security = {"Authorization": f"Bearer {cast.token('AQ-001')}", "If-Match": "*"}
    other = f"http://127.0.0.1:{city.own_ports[1]}/api/v1"
    what = "devices" if way == "device disabled" else "sessions"
    found = json.loads(await asyncio.to_thread(fetch, "GET", f"{other}/{what}?user={officer.user}", security, None))
    one = next(each["id"] for each in found["items"] if way in each.values())
    if way == "device disabled":
        await asyncio.to_thread(fetch, "POST", f"{other}/devices/{one}/disable", security, "{}")
    else:
        await asyncio.to_thread(fetch, "DELETE", f"{other}/sessions/{one}", security, None)
    # Whoever did it is answered when the node of that phone has done it, too, and not because a second is over.
    his = {"Authorization": f"Bearer {officer.identity.token}"}
    with pytest.raises(HTTPError) as shut_out:
        await asyncio.to_thread(fetch, "GET", f"http://127.0.0.1:{city.own_ports[0]}/api/v1/me", his, None)
    assert shut_out.value.code in (401, 403)
    assert (await officer.told(Bye)).reconnect is False
    with pytest.raises(PhoneFailed):
        await street.connect(officer.identity, node=0)


async def test_failed_sign_ins_are_counted_by_all_nodes_together(city: City) -> None:
    async def answer(node: int) -> int:
        body = json.dumps({"name": "of-nobody", "password": "wrong"})
        url = f"http://127.0.0.1:{city.own_ports[node]}/api/v1/auth/sign-in"
        with pytest.raises(HTTPError) as problem:
            await asyncio.to_thread(fetch, "POST", url, {"Content-Type": "application/json"}, body)
        return problem.value.code

    free = AuthSettings().per_account.free
    assert [await answer(0) for _ in range(free)] == [401] * free
    # Each attempt that the other one lets through, should its word be late, doubles the wait.
    for _ in range(free - 1):
        if await answer(1) == 429:
            return
    pytest.fail("the other node counts by itself")


async def test_phones_come_by_way_of_the_proxy_to_the_node_with_the_fewest(
    city: City, street: Handsets, proxy: Proxy
) -> None:
    people = Cast(city, street).identities("BJ-001", "BJ-002")
    async with AsyncExitStack() as held:
        for each in people:
            assert await proxy.sign_on(each, held)
        async with asyncio.timeout(WAIT_S):
            while [city.node_metric(node, "poc_phones_connected") for node in (0, 1)] != [1, 1]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)  # phones of before may just be leaving
    assert await asyncio.to_thread(proxy.status, "/metrics") == 404, "that is for the operator's eyes"


def test_what_is_watched_is_told(city: City) -> None:
    text = fetch("GET", f"{city.url}/metrics", {}, None)
    told = re.findall(r"^# TYPE (\w+) (\w+)$", text, re.MULTILINE)
    known = {name for name, _ in told}
    known |= {f"{name}_{part}" for name, kind in told if kind == "histogram" for part in ("bucket", "count", "sum")}
    assert ASKED_FOR - known == set()


async def until_heard(talker: Handset, listener: Handset) -> None:
    """Until somebody speaks and is heard: where a voice comes from now, the desk learns a moment after its phone."""
    heard = listener.packets()
    async with asyncio.timeout(WAIT_S):
        while listener.packets() < heard + 8:
            await talker.utter(2)


async def until_busy(city: City, of: tuple[str, ...], expected: tuple[str, ...]) -> None:
    """Until each node alone tells a dispatcher the same of these two."""
    token = city.post(f"/api/v1/demo/people/{dispatcher(city)}/step-in")["access_token"]
    for node in (0, 1):
        async with asyncio.timeout(WAIT_S):
            while busy(city, node, token).intersection(of) != set(expected):  # noqa: ASYNC110 - tells nobody
                await asyncio.sleep(0.05)


def dispatcher(city: City) -> str:
    """The one whose badge it is."""
    return next(p["id"] for p in city.get("/api/v1/demo/people") if p["badge"] == "PQ-002")


def busy(city: City, node: int, token: str) -> set[str]:
    """Who is in a call, as this node says."""
    url = f"http://127.0.0.1:{city.own_ports[node]}/api/v1/presence"
    return {
        one["user"] for one in json.loads(fetch("GET", url, {"Authorization": f"Bearer {token}"}, None)) if one["busy"]
    }
