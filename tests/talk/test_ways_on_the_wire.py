"""Every way to talk over real sockets and media: the right people hear, the wrong people get no packet at all."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from groups.vocabulary import MonitorScope, NotListening, Refusal
from loadtest.phone import PhoneFailed
from loadtest.press import Outcome
from signaling.messages import (
    AmbientOff,
    AmbientOn,
    Area,
    Call,
    CallAccept,
    CallEnd,
    CallEnded,
    CallLeave,
    CallRinging,
    CallStart,
    FloorIdle,
    Listening,
    Monitor,
    Monitoring,
    Ping,
    Slot,
)
from tests.emergency.cast import Cast
from tests.support.handsets import Handset
from tests.talk.ways_report import WaysReport

pytestmark = pytest.mark.wire
PATROL = "滨江巡查组"


async def refusal(phone: Handset, message: Any) -> Refusal | None:
    with pytest.raises(PhoneFailed) as found:
        await phone.request(message)
    return found.value.code


def standing(cast: Cast, name: str, kind: str, *badges: str, **call: int) -> str:
    """A group of calls, made as an administrator makes it."""
    token = cast.city.post(f"/api/v1/demo/people/{cast.id('XT-001')}/step-in")["access_token"]
    unit = cast.city.get("/api/v1/me", token)["units"][0]["id"]
    made = cast.city.post("/api/v1/groups", {"name": name, "unit": unit, "kind": kind, "call": call}, token)
    cast.city.post(f"/api/v1/groups/{made['id']}/members", {"users": [cast.id(b) for b in badges]}, token)
    return str(made["id"])


async def test_a_chat_group_and_late_entry(cast: Cast, ways_report: WaysReport) -> None:
    a, b, late, outside = await cast.phones("BJ-001", "BJ-002", "BJ-003", "XS-001")
    group = cast.group(a, PATROL)
    for phone in (a, b):
        await phone.select(group)
    await outside.select(cast.group(outside, "西山巡查组"))
    way = ways_report.way("chat group", (a, b), (outside, late))
    await a.say(group)
    await way.heard(a, 8)
    await b.say(group)
    await way.heard(b, 8)
    press = a.press_key(group)
    await press.settled
    speaking = asyncio.create_task(a.utter(1_000))  # till he is heard, however long the late one takes to come
    await way.right[1].until(a, 10)
    first: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    late.voice.on_next_packet = lambda _slot, stamp: first.set_result(stamp)
    asked = time.time_ns()
    await late.select(group)
    ways_report.figure("late entry: select → first packet", (await first - asked) / 1e6)
    speaking.cancel()
    a.release_key()


async def test_one_phone_hears_the_group_it_selected_and_one_it_listens_to_at_once(
    cast: Cast, ways_report: WaysReport
) -> None:
    both, here, there, outside = await cast.phones("BJ-001", "BJ-002", "DH-001", "XS-001")
    patrol, district = cast.group(both, PATROL), cast.group(both, "城东区联勤")
    await both.select(patrol)
    await both.listen([district])
    await here.select(patrol)
    await there.select(district)
    await outside.select(cast.group(outside, "西山巡查组"))
    way = ways_report.way("several groups on one phone: the selected one and one listened to", (both,), (outside,))
    presses = [here.press_key(patrol), there.press_key(district)]
    await asyncio.gather(*(press.settled for press in presses))
    await asyncio.gather(here.utter(), there.utter())
    await way.heard(here, 8)
    await way.heard(there, 8)
    assert (here.packets(), there.packets()) == (0, 0), "who listens to one of them hears one of them"
    assert {slot.packets > 0 for slot in both.voice.slots} == {True}, "each on a slot of its own"
    here.release_key()
    there.release_key()


async def test_full_duplex_is_heard_both_ways_at_once(cast: Cast, ways_report: WaysReport) -> None:
    a, b, c = await cast.phones("BJ-001", "BJ-002", "BJ-003")
    group = cast.group(a, PATROL)
    for phone in (a, b, c):
        await phone.select(group)
    call, _ = await a.request(CallStart(id="d1", users=[b.user], duplex=True))
    assert (call.duplex, call.phase) == (True, "running")
    await b.told(Call, phase="running", call=call.call)
    way = ways_report.way("private call, full duplex", (a, b), (c,))
    await asyncio.gather(a.utter(), b.utter())
    await way.heard(a, 8)
    await way.heard(b, 8)
    press = a.press_key(group)
    await press.settled
    assert press.cause is Refusal.IN_DUPLEX_CALL
    assert await refusal(a, CallStart(id="d2", users=[c.user])) is Refusal.IN_DUPLEX_CALL
    busy, _ = await c.request(CallStart(id="d3", users=[b.user]))
    ended = await c.told(CallEnded, call=busy.call)
    assert (ended.end, ended.message) == ("busy", "Busy: in another call")
    await b.request(CallLeave(id="d4", call=call.call))
    assert (await a.told(CallEnded, call=call.call)).end == "hung_up"
    await a.told(Slot, burst=None)
    before = b.packets()
    await a.utter(5)
    await b.request(Ping(id="d5"))
    assert b.packets() - before <= 1, "nothing after the call but the silence that closes its slot"


async def test_two_who_call_each_other_are_in_one_call(cast: Cast) -> None:
    a, b = await cast.phones("BJ-001", "BJ-002")
    (one, _), (two, _) = await asyncio.gather(
        a.request(CallStart(id="x1", users=[b.user])), b.request(CallStart(id="x2", users=[a.user]))
    )
    assert one.call == two.call
    await a.request(CallEnd(id="x3", call=one.call))
    await b.told(CallEnded, call=one.call)
    (one, _) = await a.request(CallStart(id="x4", users=[b.user], answering="manual"))
    await b.told(CallRinging)
    (two, _) = await b.request(CallStart(id="x5", users=[a.user]))
    assert two.call == one.call
    await a.told(Call, phase="running", call=two.call)
    await a.request(CallEnd(id="x6", call=one.call))
    # Of two kinds they are two calls: nobody's microphone is open because he was called, unless he asked for that.
    (one, _) = await a.request(CallStart(id="x7", users=[b.user], answering="manual", duplex=True))
    await b.told(CallRinging, call=one.call)
    (two, _) = await b.request(CallStart(id="x8", users=[a.user]))
    assert (await b.told(CallEnded, call=two.call)).end == "busy"
    (two, _) = await b.request(CallStart(id="x9", users=[a.user], duplex=True))
    assert two.call == one.call
    await a.told(Call, phase="running", call=one.call)
    await a.request(CallEnd(id="xa", call=one.call))


async def test_who_is_in_a_full_duplex_call_answers_no_second_one(cast: Cast) -> None:
    a, b, c = await cast.phones("BJ-001", "BJ-002", "BJ-003")
    asked = [CallStart(id=f"y{n}", users=[b.user], answering="manual", duplex=True) for n in (1, 2)]
    (one, _), (two, _) = await asyncio.gather(a.request(asked[0]), c.request(asked[1]))
    for call in (one, two):
        await b.told(CallRinging, call=call.call)
    await b.request(CallAccept(id="y3", call=one.call))
    await a.told(Call, phase="running", call=one.call)
    assert await refusal(b, CallAccept(id="y4", call=two.call)) is Refusal.IN_DUPLEX_CALL
    await b.request(CallLeave(id="y5", call=one.call))
    await b.request(CallAccept(id="y6", call=two.call))
    await c.told(Call, phase="running", call=two.call)
    await c.request(CallEnd(id="y7", call=two.call))


async def test_a_phone_that_says_it_would_not_hear_is_not_listening(cast: Cast) -> None:
    a, b = await cast.phones("BJ-001", "BJ-002")
    b.link.send(Listening(state="no", reason=NotListening.LOCKED))
    group = cast.group(b, PATROL)
    await b.select(group)
    await a.select(group)
    await a.until_online(group, 2)  # so a's node has heard what b said before it
    call, _ = await a.request(CallStart(id="n1", users=[b.user]))
    ended = await a.told(CallEnded, call=call.call)
    assert (ended.end, ended.message) == ("not_listening", "The phone is connected but would not hear just now")


async def test_a_prearranged_group_brings_its_members_in_also_late(cast: Cast, ways_report: WaysReport) -> None:
    group = standing(cast, "会商", "prearranged", "BJ-001", "BJ-002", "BJ-004", "BJ-005", hang_ms=1_000, least=2)
    a, b, outsider, outside = await cast.phones("BJ-001", "BJ-002", "BJ-003", "XS-001")
    await a.select(group)
    await b.select(cast.group(b, PATROL))
    way = ways_report.way("prearranged group", (a, b), (outsider, outside))
    began = time.time_ns()
    press = a.press_key(group)
    await press.settled
    ways_report.figure("prearranged: press → granted, call set up", (time.time_ns() - began) / 1e6)
    assert press.burst is not None
    call = await b.told(Call, group=group, phase="running")
    assert (call.kind, call.people, call.present) == ("prearranged", 4, 2)
    await a.utter()
    await way.heard(a, 8)
    late = await cast.phone("BJ-004")
    await late.told(Call, group=group)
    late_way = ways_report.way("prearranged group, late entry", (late,), (outsider, outside))
    await a.utter()
    await late_way.heard(a, 8)
    a.release_key()
    assert (await late.told(CallEnded, call=call.call)).end == "inactivity"
    assert (await b.told(CallEnded, call=call.call)).message == "Nobody talked: the call has ended"

    # Pressed and let go before the call is up: it is up, and nobody talks.
    a.press_key(group)
    a.release_key()
    while (await b.told(Call, group=group, phase="running")).call == call.call:
        pass
    for up, other in ((a, b), (b, a)):
        following = other.press_key(group)
        await following.settled
        assert following.outcome is Outcome.IMMEDIATE, f"{up.user} has the floor with his key up"
        other.release_key()
        await up.told(FloorIdle, group=group, burst=following.burst)
        other.press_key(group)
        other.release_key()

    # Taken from the group in mid-call he hears no more of it; who is put into it is called in.
    await a.press_key(group).settled
    speaking = asyncio.create_task(a.utter(1_000))
    token = cast.city.post(f"/api/v1/demo/people/{cast.id('XT-001')}/step-in")["access_token"]
    cast.city.delete(f"/api/v1/groups/{group}/members/{b.user}", token)
    await b.told(CallEnded, group=group, end=None)
    cast.city.post(f"/api/v1/groups/{group}/members", {"users": [outsider.user]}, token)
    await outsider.told(Call, group=group, phase="running")
    changed = ways_report.way("prearranged group, members changed", (late, outsider), (b, outside))
    await changed.heard(a, 8)
    speaking.cancel()
    a.release_key()


async def test_nobody_there_is_no_call(cast: Cast) -> None:
    group = standing(cast, "无人", "prearranged", "BJ-001", "BJ-005")
    a = await cast.phone("BJ-001")
    await a.select(group)
    press = a.press_key(group)
    await press.settled
    assert press.cause is Refusal.ALONE
    assert (await a.told(CallEnded)).end == "unreachable"


async def test_in_a_broadcast_group_only_the_initiator_talks_and_his_release_ends_it(
    cast: Cast, ways_report: WaysReport
) -> None:
    group = standing(cast, "通知", "broadcast", "LD-001", "BJ-001", "BJ-002")
    leader, a, b, outside = await cast.phones("LD-001", "BJ-001", "BJ-002", "BJ-003")
    await leader.select(group)
    await a.select(group)
    press = leader.press_key(group)
    await press.settled
    call = await b.told(Call, group=group, phase="running")
    assert call.kind == "broadcast"
    mine = a.press_key(group)
    await mine.settled
    assert mine.cause is Refusal.RECEIVE_ONLY
    way = ways_report.way("broadcast group", (leader, a, b), (outside,))
    await leader.utter()
    await way.heard(leader, 8)
    leader.release_key()
    assert (await b.told(CallEnded, call=call.call)).end == "broadcast_over"


async def test_groups_are_merged_into_a_temporary_one(cast: Cast, ways_report: WaysReport) -> None:
    dispatcher, a, b, outside, monitor = await cast.phones("PQ-001", "BJ-001", "XS-001", "QK-001", "ZB-001")
    groups = [cast.group(a, PATROL), cast.group(b, "西山巡查组")]
    await monitor.request(Monitor(id="m0", scope=MonitorScope.ALL))
    call, _ = await dispatcher.request(CallStart(id="m1", kind="group", groups=groups, name="合并", lasts_s=60))
    assert call.people >= 10
    await b.told(Call, call=call.call)
    await a.told(Call, call=call.call)
    while call.group not in {each.id for each in (await monitor.told(Monitoring)).groups}:
        pass
    way = ways_report.way("temporary group by merging", (dispatcher, a, b, monitor), (outside,))
    await a.say(call.group)
    await way.heard(a, 8)
    await dispatcher.request(CallEnd(id="m2", call=call.call))
    await a.told(CallEnded, call=call.call)
    while call.group in {each.id for each in (await monitor.told(Monitoring)).groups}:
        pass
    hidden = CallStart(id="m3", kind="group", groups=["gr-nowhere"])
    assert await refusal(dispatcher, hidden) is Refusal.UNKNOWN_GROUP
    assert await refusal(a, CallStart(id="m4", kind="group", groups=groups)) is Refusal.NOT_A_MEMBER


async def until_it_has(caller: Handset, asked: CallStart, wanted: set[str]) -> Call:
    """Of several nodes each tells the others where people are ten times a second."""
    async with asyncio.timeout(30):
        while True:
            try:
                call, _ = await caller.request(asked)
            except PhoneFailed as refused:
                if refused.code is not Refusal.NOBODY_CALLED:
                    raise
                await asyncio.sleep(0.05)
                continue
            if {each.person.id for each in call.parties} == wanted:
                return call
            await caller.request(CallEnd(id="again", call=call.call))


async def test_whoever_is_in_an_area_is_called_into_a_temporary_group_whatever_his_datum(
    cast: Cast, ways_report: WaysReport
) -> None:
    dispatcher, near, shifted, outside = await cast.phones("PQ-001", "BJ-001", "XS-001", "QK-001")
    # The second one's phone says the same street as the first one's in GCJ-02: half a kilometre beside it.
    places = ((near, 114.305, 30.593, "WGS-84"), (shifted, 114.310_444, 30.590_590, "GCJ-02"))
    for phone, longitude, latitude, datum in (*places, (outside, 114.310_444, 30.590_590, "WGS-84")):
        at = int(time.time() * 1000)
        position = {"at_ms": at, "longitude": longitude, "latitude": latitude, "accuracy_m": 9, "datum": datum}
        reported = {"reports": [{"at_ms": at, "position": position}]}
        assert cast.city.post("/api/v1/me/place", reported, phone.identity.token)["accepted"] == 1
    street = [(114.3048, 30.5928), (114.3052, 30.5928), (114.3052, 30.5932), (114.3048, 30.5932)]
    asked = CallStart(id="a1", kind="group", area=Area(ring=[*street, street[0]]), name="路口", lasts_s=60)
    call = await until_it_has(dispatcher, asked, {dispatcher.user, near.user, shifted.user})
    for phone in (near, shifted):
        await phone.told(Call, call=call.call)
    way = ways_report.way("temporary group by area", (dispatcher, near, shifted), (outside,))
    await near.say(call.group)
    await way.heard(near, 8)
    await dispatcher.request(CallEnd(id="a2", call=call.call))


async def test_remote_listening_hears_one_phone_and_tells_nobody_else(cast: Cast, ways_report: WaysReport) -> None:
    leader, a, b, dispatcher = await cast.phones("ZB-001", "BJ-001", "BJ-002", "PQ-001")
    assert leader.welcome is not None
    assert "remote_listening" in leader.welcome.rights
    group = cast.group(a, PATROL)
    for phone in (a, b):
        await phone.select(group)
    for phone in (dispatcher, b):
        asked = CallStart(id="r0", kind="ambient", users=[a.user])
        assert await refusal(phone, asked) is Refusal.NOT_ALLOWED
    call, _ = await leader.request(CallStart(id="r1", kind="ambient", users=[a.user]))
    assert (call.kind, call.phase) == ("ambient", "running")
    await a.told(AmbientOn, call=call.call)
    way = ways_report.way("remote listening", (leader, a), (b, dispatcher))
    await a.utter()
    await way.heard(a, 8)
    assert not [m for m in a.inbox if isinstance(m, Call | CallRinging | Slot)], "he is told that he is heard, no more"

    # He works on as ever: his key is his own, and his group hears him.
    both = ways_report.way("remote listening to one who talks in his group", (leader, a, b), (dispatcher,))
    await a.say(group)
    await both.heard(a, 8)
    press = leader.press_key(call.group)
    await press.settled
    assert press.burst is None, "who listens so has no voice there"
    leader.release_key()
    for message in (CallLeave(id="r2", call=call.call), CallEnd(id="r3", call=call.call)):
        assert await refusal(a, message) is Refusal.CALL_OVER, "nor does he learn of the call by asking"

    await leader.request(CallLeave(id="r4", call=call.call))
    await a.told(AmbientOff, call=call.call)
    await leader.told(Slot, burst=None)
    before = leader.packets()
    await a.utter(5)
    await leader.request(Ping(id="r5"))
    assert leader.packets() - before <= 1, "nothing after it but the silence that closes its slot"
    begun, ended = (await audited(cast, "listen_remotely", 2))[::-1]
    assert {row["actor"] for row in (begun, ended)} == {leader.user}
    assert {row["target"] for row in (begun, ended)} == {a.user}
    assert begun["detail"] == {"begins": True}
    assert ended["detail"] == {"begins": False, "call": call.call, "end": "hung_up"}
    tried = await audited(cast, "listen_remotely.refused", 2)
    assert {row["actor"] for row in tried} == {dispatcher.user, b.user}


async def test_whom_nobody_can_hear_is_unreachable(cast: Cast) -> None:
    leader = await cast.phone("ZB-001")
    call, _ = await leader.request(CallStart(id="u1", kind="ambient", users=[cast.id("BJ-005")]))
    assert (await leader.told(CallEnded, call=call.call)).end == "unreachable"


async def audited(cast: Cast, action: str, count: int) -> list[dict[str, Any]]:
    """The newest so many entries of one action, once they are there."""
    token = cast.city.post(f"/api/v1/demo/people/{cast.id('SJ-001')}/step-in")["access_token"]
    async with asyncio.timeout(30):
        while True:
            rows = cast.city.get(f"/api/v1/audit?action={action}", token)["items"]
            if len(rows) >= count:
                return list(rows[:count])
            await asyncio.sleep(0.05)


async def test_press_and_be_heard_in_a_private_call_in_time(cast: Cast, ways_report: WaysReport) -> None:
    a, b, outside = await cast.phones("BJ-001", "BJ-002", "BJ-003")
    way = ways_report.way("private call", (a, b), (outside,))
    for number in range(5):
        began = time.time_ns()
        call, _ = await a.request(CallStart(id=f"k{number}", users=[b.user]))
        press = a.press_key(call.group)
        await press.settled
        ways_report.figure("KPI 2: private call, asked → may speak", (time.time_ns() - began) / 1e6)
        await a.utter(3)
        a.release_key()
        await a.request(CallEnd(id=f"e{number}", call=call.call))
    await way.heard(a, 10)
