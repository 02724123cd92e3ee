"""A leader's one hold: a two-way emergency call over whatever goes on, in a group or with people picked on the spot."""

from __future__ import annotations

import time

import pytest

from groups.vocabulary import Refusal, Tier
from loadtest.phone import PhoneFailed
from signaling.messages import (
    BroughtIn,
    BroughtOut,
    Call,
    CallEnd,
    CallEnded,
    CallStart,
    EmergencyCall,
    EmergencyCancel,
    EmergencyState,
    FloorIdle,
    FloorRevoke,
    Recipients,
    Slot,
    Sos,
    SosCancel,
)
from tests.emergency.cast import Cast
from tests.talk.test_ways_on_the_wire import standing

pytestmark = pytest.mark.wire
GROUP = "城东区联勤"
PATROL = "滨江巡查组"


async def test_one_hold_reaches_a_group_over_a_talker_and_is_answered(cast: Cast) -> None:
    leader, talker, elsewhere = await cast.phones("LD-001", "BJ-001", "DH-001")
    group = cast.group(talker, GROUP)
    await talker.select(group)
    await elsewhere.select(cast.group(elsewhere, "东湖巡查组"))
    other = await cast.phone("BJ-002")
    await other.select(group)
    press = talker.press_key(group)
    await press.settled
    started, _ = await leader.request(EmergencyCall(id="c", call="c1", to=Recipients(groups=[group])))
    assert started.group.id == group
    await leader.say(group, 5)
    assert (await talker.told(FloorRevoke)).grace_ms == 0
    assert (await elsewhere.told(BroughtIn, call="c1")).may_talk is True
    assert (await elsewhere.told(EmergencyState, group=group)).tier == 2
    await elsewhere.until_packets(5)
    before = leader.packets()
    await elsewhere.say(group, 5)
    await leader.until_packets(before + 5)
    with pytest.raises(PhoneFailed) as refused:
        await talker.request(EmergencyCancel(id="x", group=group))
    assert refused.value.code is Refusal.NOT_ALLOWED
    await leader.request(EmergencyCancel(id="e", group=group))
    await elsewhere.told(BroughtOut, call="c1")
    assert (await elsewhere.told(EmergencyState, group=group)).tier == 0


async def test_people_picked_on_the_spot_talk_both_ways_and_who_comes_late_is_in(cast: Cast) -> None:
    leader, one = await cast.phones("LD-001", "BJ-001")
    to = Recipients(users=[one.user, cast.id("XS-001")])
    started, _ = await leader.request(EmergencyCall(id="c", call="c2", to=to, name="东湖涉水"))
    group = started.group.id
    assert (started.people, started.online, started.group.name) == (2, 1, "东湖涉水")
    await one.told(BroughtIn, call="c2")
    await one.say(group, 5)
    await leader.until_packets(5)
    late = await cast.phone("XS-001")
    assert (await late.told(BroughtIn, call="c2")).tier is Tier.EMERGENCY
    await leader.say(group, 5)
    await late.until_packets(5)
    down, _ = await leader.request(EmergencyCall(id="d", call="c2", to=to, tier=Tier.IMMINENT_PERIL, name="东湖涉水"))
    assert down.tier is Tier.IMMINENT_PERIL
    assert (await late.told(EmergencyState, group=group, tier=1)).by is not None
    await leader.request(EmergencyCancel(id="e", group=group))
    for phone in (leader, one, late):
        await phone.told(BroughtOut, call="c2")
    press = one.press_key(group)
    await press.settled
    assert press.cause in (Refusal.UNKNOWN_GROUP, Refusal.NOT_SELECTED)


async def test_leader_and_officer_at_once_are_both_heard(cast: Cast) -> None:
    leader, officer, listener = await cast.phones("LD-001", "BJ-001", "BJ-002")
    group = cast.group(officer, GROUP)
    await officer.select(group)
    await listener.select(group)
    await leader.request(EmergencyCall(id="c", call="c3", to=Recipients(groups=[group])))
    press = leader.press_key(group)
    await press.settled
    officer.link.send(Sos(id="s", alert="s3", pressed_ms=time.time_ns() // 1_000_000, group=group))
    mine = officer.press_key(group)
    await mine.settled
    assert mine.burst is not None
    assert {(await listener.told(Slot, group=group)).by.id for _ in range(2)} == {leader.user, officer.user}
    assert not [m for m in leader.inbox if isinstance(m, FloorRevoke)]
    leader.release_key()
    officer.release_key()
    await listener.told(FloorIdle, group=group)
    await officer.request(SosCancel(id="x", alert="s3"))
    await leader.request(EmergencyCancel(id="e", group=group))


async def test_a_private_call_becomes_an_emergency_and_is_an_ordinary_one_again(cast: Cast) -> None:
    leader, other = await cast.phones("LD-001", "BJ-001")
    call, _ = await leader.request(CallStart(id="c", users=[other.user]))
    await other.told(Call, call=call.call, phase="running")
    started, _ = await leader.request(EmergencyCall(id="u", call="c8", to=Recipients(groups=[call.group])))
    assert (started.group.id, started.people) == (call.group, 1)
    for phone in (leader, other):
        assert (await phone.told(BroughtIn, call="c8")).group.id == call.group, "though he was in it"
    assert (await other.told(EmergencyState, group=call.group)).tier == 2
    await other.say(call.group, 5)
    await leader.until_packets(5)
    await leader.request(EmergencyCancel(id="d", group=call.group))
    await other.told(BroughtOut, call="c8")
    assert (await other.told(EmergencyState, group=call.group)).tier == 0
    before = leader.packets()
    await other.say(call.group, 5)
    await leader.until_packets(before + 5)
    await leader.request(CallEnd(id="e", call=call.call))
    await other.told(CallEnded, call=call.call)


async def test_the_people_of_a_running_call_stay_in_it_when_an_sos_in_its_group_is_over(cast: Cast) -> None:
    group = standing(cast, "会战", "prearranged", "BJ-001", "BJ-002", hang_ms=60_000)
    officer, other = await cast.phones("BJ-001", "BJ-002")
    await officer.select(group)
    await officer.say(group, 5)
    call = await other.told(Call, group=group, phase="running")
    await other.until_packets(5)
    await officer.request(Sos(id="s", alert="s9", pressed_ms=1, group=group))
    await officer.request(SosCancel(id="x", alert="s9"))
    await other.told(BroughtOut, call="s9")
    before = other.packets()
    await officer.say(group, 5)
    await other.until_packets(before + 5)
    assert not [m for m in other.inbox if isinstance(m, CallEnded)]
    await officer.request(CallEnd(id="e", call=call.call))
    await other.told(CallEnded, call=call.call)


async def test_an_sos_is_heard_out_of_a_private_call_and_leaves_it_standing(cast: Cast) -> None:
    officer, other, dispatcher = await cast.phones("BJ-001", "DH-001", "PQ-001")
    call, _ = await officer.request(CallStart(id="c", users=[other.user]))
    await other.told(Call, call=call.call, phase="running")
    patrol = cast.group(officer, PATROL)
    talking = officer.press_key(call.group)
    await talking.settled
    await officer.utter(3)
    await other.until_packets(1)
    officer.release_key()  # as a page does before it asks for another floor
    confirmed, _ = await officer.request(Sos(id="s", alert="s6", pressed_ms=1, group=patrol))
    assert confirmed.group == patrol
    await officer.say(confirmed.group, 5)
    await dispatcher.until_packets(5)
    await officer.request(SosCancel(id="x", alert="s6"))
    before = other.packets()
    await officer.say(call.group, 5)
    await other.until_packets(before + 5)
    assert not [m for m in other.inbox if isinstance(m, BroughtIn)], "of another unit: he learns nothing of the alert"
    await officer.request(CallEnd(id="e", call=call.call))


async def test_an_sos_ends_a_full_duplex_call_which_needs_the_same_microphone(cast: Cast) -> None:
    officer, other, dispatcher = await cast.phones("BJ-001", "DH-001", "PQ-001")
    call, _ = await officer.request(CallStart(id="c", users=[other.user], duplex=True))
    await other.told(Call, call=call.call, phase="running")
    await officer.utter(3)
    await other.until_packets(1)
    confirmed, _ = await officer.request(Sos(id="s", alert="s7", pressed_ms=1, group=cast.group(officer, PATROL)))
    assert not [m for m in other.inbox if isinstance(m, CallEnded)], "until he speaks where he is in danger"
    await officer.say(confirmed.group, 5)
    await dispatcher.until_packets(5)
    assert (await other.told(CallEnded, call=call.call)).end == "hung_up"
    await officer.request(SosCancel(id="x", alert="s7"))


async def test_one_who_may_only_call_is_offered_an_ordinary_call(cast: Cast) -> None:
    officer = await cast.phone("BJ-001")
    group = cast.group(officer, GROUP)
    with pytest.raises(PhoneFailed) as refused:
        await officer.request(EmergencyCall(id="c", call="c4", to=Recipients(groups=[group])))
    assert refused.value.code is Refusal.ORDINARY_ONLY
    with pytest.raises(PhoneFailed) as private:
        await officer.request(EmergencyCall(id="c2", call="c6", to=Recipients(users=[cast.id("BJ-002")])))
    assert private.value.code is Refusal.ORDINARY_ONLY
    peril, _ = await officer.request(
        EmergencyCall(id="p", call="c5", to=Recipients(groups=[group]), tier=Tier.IMMINENT_PERIL)
    )
    assert peril.tier is Tier.IMMINENT_PERIL
    await officer.request(EmergencyCancel(id="e", group=group))
