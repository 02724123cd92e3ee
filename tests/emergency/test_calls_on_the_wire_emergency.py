"""A leader's one hold: a two-way emergency call over whatever goes on, in a group or with people picked on the spot."""

from __future__ import annotations

import time

import pytest

from groups.vocabulary import Refusal, Tier
from loadtest.phone import PhoneFailed
from signaling.messages import (
    BroughtIn,
    BroughtOut,
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

pytestmark = pytest.mark.wire
GROUP = "城东区联勤"


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
