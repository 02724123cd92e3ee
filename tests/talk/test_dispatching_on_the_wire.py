"""What dispatchers do, over real sockets and media: several groups at once, monitor, patch, each in the audit."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from groups.vocabulary import BurstEnd, MonitorScope, Refusal, RevokeCause
from loadtest.phone import Phone, PhoneFailed
from signaling.messages import (
    Alert,
    AlertClaim,
    Call,
    CallEnded,
    CallStart,
    FloorGranted,
    FloorIdle,
    FloorRelease,
    FloorRequest,
    FloorRevoke,
    FloorRevokeRequest,
    FloorTaken,
    GroupPresence,
    Groups,
    Handover,
    HandoverAnswer,
    HandoverOffer,
    HandoverWithdraw,
    Listen,
    Monitor,
    Monitoring,
    Patched,
    PatchEnd,
    PatchStart,
    Select,
    Slot,
    Sos,
    SosCancel,
    TalkBan,
    TalkBanned,
)
from tests.emergency.cast import Cast
from tests.support.handsets import Handset
from tests.talk.ways_report import WaysReport

pytestmark = pytest.mark.wire
FRAMES = 10
EAST, WEST, OFFICE = "滨江巡查组", "西山巡查组", "指挥调度"


async def refusal(phone: Phone, message: Any) -> Refusal | None:
    with pytest.raises(PhoneFailed) as found:
        await phone.request(message)
    return found.value.code


async def audited(cast: Cast, action: str, count: int = 1, **fields: object) -> list[dict[str, Any]]:
    """The entries of one action, as the audit administrator reads them, once there are ``count`` of them."""
    token = cast.city.post(f"/api/v1/demo/people/{cast.id('SJ-001')}/step-in")["access_token"]
    end = time.monotonic() + 30
    while time.monotonic() < end:
        rows = cast.city.get(f"/api/v1/audit?action={action}", token)["items"]
        wanted = {"refused": action.endswith(".refused"), **fields}
        found = [row for row in rows if all(row[key] == value for key, value in wanted.items())]
        if len(found) >= count:
            return found
        await asyncio.sleep(0.05)
    raise AssertionError(f"not {count} × {action} in the audit")


async def test_a_dispatcher_talks_into_several_groups_at_once(cast: Cast, ways_report: WaysReport) -> None:
    a, b, outside = await cast.phones("BJ-001", "XS-001", "QK-001")
    dispatcher = await cast.phone("PQ-001", slots=4)
    groups = [cast.group(dispatcher, EAST), cast.group(dispatcher, WEST)]
    for phone, group in ((a, groups[0]), (b, groups[1])):
        await phone.select(group)
    await outside.select(cast.group(outside, "桥口巡查组"))
    await dispatcher.request(Listen(id="s0", groups=groups))
    way = ways_report.way("dispatcher into several groups", (a, b), (outside,))
    bursts = []
    for number, group in enumerate(groups):
        answer, _ = await dispatcher.request(FloorRequest(id=f"p{number}", group=group))
        assert isinstance(answer, FloorGranted)
        assert answer.group == group
        bursts.append(answer.burst)
    await dispatcher.utter(8)
    await way.heard(dispatcher, 8)
    await dispatcher.request(FloorRelease(id="r0", group=groups[0], burst=bursts[0]))
    await a.told(FloorIdle, group=groups[0])
    before = a.packets()
    await dispatcher.utter(5)
    await way.right[1].until(dispatcher, 13)
    assert a.packets() <= before + 1, "but for the silence that closes its slot"
    await dispatcher.request(FloorRelease(id="r1", group=groups[1], burst=bursts[1]))
    (row,) = await audited(cast, "dispatch", target=groups[1])
    assert row["actor"] == dispatcher.user
    assert row["detail"]["also_in"] == [groups[0]]


async def test_a_monitor_hears_is_seen_or_not_and_keeps_nothing_alive(cast: Cast, ways_report: WaysReport) -> None:
    a, b = await cast.phones("BJ-001", "BJ-002")
    shift, supervisor = await cast.phones("ZB-001", "JD-001")
    group = cast.group(a, EAST)
    await a.select(group)
    answer, _ = await supervisor.request(Monitor(id="m1", scope=MonitorScope.LISTED, groups=[group]))
    assert isinstance(answer, Monitoring)
    assert [each.id for each in answer.groups] == [group]
    await shift.request(Monitor(id="m2", scope=MonitorScope.ALL, hidden=True))
    seen = await a.told(GroupPresence, group=group)
    while [each.id for each in seen.monitors] != [supervisor.user]:
        seen = await a.told(GroupPresence, group=group)
    assert (seen.online, seen.listening) == (1, 1)
    press = a.press_key(group)
    await press.settled
    assert press.cause is Refusal.ALONE, "two who monitor are nobody to talk to"
    await b.select(group)
    way = ways_report.way("monitored: visible and hidden", (b, shift, supervisor), ())
    await a.say(group, FRAMES)
    await way.heard(a, 8)
    for phone in (shift, supervisor):
        await phone.until_packets(FRAMES + 1)  # and the silent one that closes it: nothing of it is still to come

    await supervisor.request(Monitor(id="m3", scope=MonitorScope.NONE))
    await shift.request(Monitor(id="m4", scope=MonitorScope.NONE))
    ended = ways_report.way("monitored no more", (b,), (shift, supervisor))
    await a.say(group)
    await ended.heard(a, 8)
    own, _ = await supervisor.request(Monitor(id="m5", scope=MonitorScope.OWN))
    assert {each.name for each in own.groups} >= {"指挥调度"}
    assert await refusal(supervisor, Monitor(id="m6", scope="listed", groups=[group], hidden=True)) is R_NOT_ALLOWED
    assert await refusal(a, Monitor(id="m7", scope="listed", groups=[group])) is R_NOT_ALLOWED
    assert await refusal(shift, Monitor(id="m8", scope="listed", groups=["gr-0"])) is Refusal.UNKNOWN_GROUP
    begun, ended_ = (await audited(cast, "monitor", actor=supervisor.user, target=group))[::-1][:2]
    assert (begun["detail"]["begins"], ended_["detail"]["begins"]) == (True, False)
    assert await audited(cast, "monitor_hidden", actor=shift.user)
    assert (await audited(cast, "monitor_hidden.refused", actor=supervisor.user))[0]["target"] == group

    # His console goes without a word: that it hears no more is in the audit, too.
    await supervisor.request(Monitor(id="m9", scope=MonitorScope.LISTED, groups=[group]))
    stops = {"actor": supervisor.user, "target": group, "detail": ended_["detail"]}
    known = len(await audited(cast, "monitor", **stops))
    await cast.phone("JD-001")
    await audited(cast, "monitor", known + 1, **stops)


async def monitors(phone: Handset, group: str, *, still: bool = True) -> Monitoring:
    """What the phone is told of its scope, of itself, when ``group`` has come into it, or has left it."""
    while True:
        told = await phone.told(Monitoring)
        if still == (group in {each.id for each in told.groups}):
            return told


async def test_a_group_made_while_one_monitors_is_heard_too(cast: Cast, ways_report: WaysReport) -> None:
    a, b, shift, supervisor = await cast.phones("BJ-001", "BJ-002", "ZB-001", "JD-001")
    await shift.request(Monitor(id="m1", scope=MonitorScope.ALL))
    await supervisor.request(Monitor(id="m2", scope=MonitorScope.OWN))
    token = cast.city.post(f"/api/v1/demo/people/{cast.id('XT-001')}/step-in")["access_token"]
    unit = cast.city.get(f"/api/v1/groups/{cast.group(a, EAST)}", token)["unit"]
    made = cast.city.post("/api/v1/groups", {"name": "夜市保障", "unit": unit}, token)["id"]
    everything = await monitors(shift, made)
    assert len(everything.groups) > 1, "and the others still"

    cast.city.post(f"/api/v1/groups/{made}/members", {"users": [a.user, b.user, supervisor.user]}, token)
    own = await monitors(supervisor, made)
    assert {each.name for each in own.groups} >= {"指挥调度", "夜市保障"}
    await a.select(made)
    await b.select(made)
    way = ways_report.way("monitored: a group that is new", (b, shift, supervisor), ())
    await a.say(made, FRAMES)
    await way.heard(a, 8)

    cast.city.delete(f"/api/v1/groups/{made}/members/{supervisor.user}", token)
    assert {each.name for each in (await monitors(supervisor, made, still=False)).groups} >= {"指挥调度"}
    began = await audited(cast, "monitor", actor=shift.user, target=made)
    assert began[0]["detail"]["begins"] is True
    assert len(await audited(cast, "monitor", 2, actor=supervisor.user, target=made)) == 2, "began and ended"


R_NOT_ALLOWED = Refusal.NOT_ALLOWED


async def test_patched_groups_have_one_floor_and_each_keeps_its_name(cast: Cast, ways_report: WaysReport) -> None:
    a, a2, b, outside = await cast.phones("BJ-001", "BJ-002", "XS-001", "QK-001")
    dispatcher = await cast.phone("PQ-001", slots=4)
    east, west, own = (cast.group(dispatcher, name) for name in (EAST, WEST, "指挥调度"))
    for phone, group in ((a, east), (a2, east), (b, west)):
        await phone.select(group)
    talking = a.press_key(east)
    await talking.settled
    asked = PatchStart(id="j1", groups=[east, west], name="联合")
    assert await refusal(a, asked) is R_NOT_ALLOWED
    patch, _ = await dispatcher.request(asked)
    assert isinstance(patch, Patched)
    assert (await a.told(FloorRevoke, group=east)).grace_ms == 0
    a.release_key()
    assert [each.id for each in (await b.told(Patched, open=True)).groups] == [east, west]
    # Its desk may have died before it could answer: asked again by the same it is the same, and nothing else is.
    again, _ = await dispatcher.request(asked.model_copy(update={"id": "j2", "groups": [west, east]}))
    assert (again.id, again.patch, again.since_ms) == ("j2", patch.patch, patch.since_ms)
    assert await refusal(dispatcher, asked.model_copy(update={"id": "j2a", "name": "另外"})) is Refusal.CONFLICT
    assert await refusal(dispatcher, asked.model_copy(update={"id": "j2b", "groups": [east, own]})) is Refusal.CONFLICT
    assert await refusal(dispatcher, Select(id="j3", group=patch.patch)) is Refusal.UNKNOWN_GROUP

    way = ways_report.way("patched groups", (a, a2, b), (outside,))
    press = a.press_key(east)
    await press.settled
    assert (await b.told(FloorTaken, group=west)).by.id == a.user
    assert (await a2.told(FloorTaken, group=east)).by.id == a.user
    second = b.press_key(west)
    async with asyncio.timeout(10):
        while not second.waiting:  # noqa: ASYNC110 - queued, for there is one floor; a press tells nobody
            await asyncio.sleep(0.01)
    await a.utter(8)
    await way.heard(a, 8)
    assert (await b.told(Slot, group=west)).by is not None
    a.release_key()
    await second.settled
    assert second.burst is not None
    assert (await a.told(FloorTaken, group=east)).by.id == b.user
    await b.utter(8)
    await way.heard(b, 8)

    assert await refusal(a, PatchEnd(id="j4", patch=patch.patch)) is R_NOT_ALLOWED
    await dispatcher.request(PatchEnd(id="j5", patch=patch.patch))
    await b.told(FloorRevoke, group=west)
    b.release_key()
    await a2.told(Patched, open=False)
    apart = ways_report.way("groups that were patched", (a2,), (b, outside))
    await a.say(east)
    await apart.heard(a, 8)
    assert await refusal(dispatcher, PatchEnd(id="j6", patch=patch.patch)) is Refusal.NOT_FOUND
    assert len(await audited(cast, "patch", target=patch.patch)) == 2


async def test_a_dispatcher_takes_the_floor_away_and_the_next_one_has_it(cast: Cast) -> None:
    a, b, dispatcher = await cast.phones("BJ-001", "BJ-002", "PQ-001")
    group = cast.group(a, EAST)
    for phone in (a, b):
        await phone.select(group)
    talking = a.press_key(group)
    await talking.settled
    assert talking.burst is not None
    waiting = b.press_key(group)
    await b.told(FloorTaken, group=group)
    assert await refusal(b, FloorRevokeRequest(id="f1", group=group)) is R_NOT_ALLOWED
    assert await refusal(dispatcher, FloorRevokeRequest(id="f2", group="gr-0")) is Refusal.UNKNOWN_GROUP
    await dispatcher.request(FloorRevokeRequest(id="f3", group=group))
    told = await a.told(FloorRevoke, group=group, burst=talking.burst)
    assert told.cause is RevokeCause.ON_REQUEST
    a.release_key()
    await waiting.settled
    assert waiting.burst is not None
    b.release_key()
    await a.told(FloorIdle, group=group, burst=waiting.burst)
    # Of nobody it takes nothing, and says so to nobody: the dispatcher's second press came late.
    await dispatcher.request(FloorRevokeRequest(id="f4", group=group))
    late, taken = (await audited(cast, "revoke_floor", 2, target=group))[:2]
    assert (late["actor"], late["detail"]) == (dispatcher.user, {})
    assert (taken["actor"], taken["detail"]) == (dispatcher.user, {"talkers": [a.user]})
    (tried,) = await audited(cast, "revoke_floor.refused", target=group)
    assert tried["actor"] == b.user


async def test_who_is_banned_is_cut_off_and_talks_again_when_it_is_lifted(cast: Cast) -> None:
    a, b, dispatcher = await cast.phones("BJ-001", "BJ-002", "PQ-001")
    group = cast.group(a, EAST)
    await a.select(group)
    await b.select(group)
    press = a.press_key(group)
    await press.settled
    assert press.burst is not None
    assert await refusal(b, TalkBan(id="b0", user=a.user, banned=True)) is R_NOT_ALLOWED
    await dispatcher.request(TalkBan(id="b1", user=a.user, banned=True, reason="占用信道"))
    told = await a.told(TalkBanned, banned=True)
    assert (told.by and told.by.id, told.reason) == (dispatcher.user, "占用信道")
    assert (await a.told(FloorRevoke, burst=press.burst)).cause == 3
    a.release_key()
    again = a.press_key(group)
    await again.settled
    assert again.cause is Refusal.TALK_BANNED
    a.release_key()
    a.link.send(Sos(id="b2", alert="s-banned", pressed_ms=1, group=group))
    danger = a.press_key(group)
    await danger.settled
    assert danger.burst is not None, "a ban silences nobody who is in danger"
    a.release_key()
    await a.request(SosCancel(id="b3", alert="s-banned"))
    await dispatcher.request(TalkBan(id="b4", user=a.user, banned=False))
    await a.told(TalkBanned, banned=False)
    await a.say(group, 3)
    rows = await audited(cast, "ban", target=a.user)
    assert [row["detail"]["banned"] for row in rows] == [False, True]


async def test_a_ban_holds_in_a_full_duplex_call_too(cast: Cast, ways_report: WaysReport) -> None:
    a, b, dispatcher = await cast.phones("BJ-001", "BJ-002", "PQ-001")

    async def banned(is_so: bool, number: int) -> None:
        await dispatcher.request(TalkBan(id=f"d{number}", user=a.user, banned=is_so))
        await a.told(TalkBanned, banned=is_so)

    # He is called, and hears; what he says reaches nobody until he may talk again.
    await banned(True, 1)
    assert await refusal(a, CallStart(id="d2", users=[b.user], duplex=True)) is Refusal.TALK_BANNED
    call, _ = await b.request(CallStart(id="d3", users=[a.user], duplex=True))
    await a.told(Call, phase="running", call=call.call)
    silent = ways_report.way("full duplex with one who is banned", (a,), (b,))
    await asyncio.gather(a.utter(), b.utter())
    await silent.heard(b, 8)
    await banned(False, 4)
    both = ways_report.way("full duplex, the ban lifted", (a, b), ())
    await b.told(Slot, group=call.group)
    await asyncio.gather(a.utter(), b.utter())
    await both.heard(a, 8)
    # Banned in the middle of it, he is hung up.
    await banned(True, 5)
    assert (await b.told(CallEnded, call=call.call)).end == "hung_up"
    await banned(False, 6)


async def test_who_hands_over_finishes_what_he_says_where_he_only_monitors(cast: Cast) -> None:
    before, late, walker, other = await cast.phones("PQ-001", "PQ-002", "XS-001", "XS-002")
    west = cast.group(before, WEST)
    for phone in (walker, other):
        await phone.select(west)
    await walker.until_online(west, 2)
    await before.request(Monitor(id="w1", scope=MonitorScope.LISTED, groups=[west]))
    offered, _ = await before.request(HandoverOffer(id="w2", to=late.user, note="夜班"))
    press = before.press_key(west)
    await press.settled
    assert press.burst is not None, press.cause
    for phone in (walker, other):
        await phone.told(FloorTaken, group=west, burst=press.burst)
    await late.request(HandoverAnswer(id="w3", handover=offered.handover.id, accept=True))
    await monitors(late, west)
    heard = walker.packets()
    await before.utter(FRAMES)
    await walker.until_packets(heard + FRAMES // 2)
    assert not [m for m in before.inbox if isinstance(m, Monitoring) and m.scope is MonitorScope.NONE]
    before.release_key()
    assert (await walker.told(FloorIdle, group=west, burst=press.burst)).end is BurstEnd.RELEASED
    assert not (await before.told(Monitoring, scope=MonitorScope.NONE)).groups, "and then he monitors no more"


async def test_a_shift_is_handed_over_with_all_that_is_open(cast: Cast) -> None:
    officer, before = await cast.phones("BJ-001", "PQ-001")
    east, west = cast.group(before, EAST), cast.group(before, WEST)
    token = cast.city.post(f"/api/v1/demo/people/{cast.id('XT-001')}/step-in")["access_token"]
    unit = cast.city.get(f"/api/v1/groups/{east}", token)["unit"]
    only_his = cast.city.post("/api/v1/groups", {"name": "专线", "unit": unit}, token)["id"]
    cast.city.post(f"/api/v1/groups/{only_his}/members", {"users": [before.user]}, token)
    while only_his not in {group.id for group in (await before.told(Groups)).groups}:
        pass  # told without asking
    await before.request(Listen(id="h0", groups=[east, only_his]))
    await before.request(Monitor(id="h1", scope=MonitorScope.LISTED, groups=[west]))
    patch, _ = await before.request(PatchStart(id="h2", groups=[east, west], name="联合"))
    await officer.request(Sos(id="h3", alert="s-shift", pressed_ms=1, group=cast.group(officer, EAST)))
    await before.request(AlertClaim(id="h4", alert="s-shift"))
    following = cast.id("PQ-002")
    assert await refusal(before, HandoverOffer(id="h5", to=officer.user)) is R_NOT_ALLOWED
    await before.request(HandoverOffer(id="h6", to=following, note="先看东湖"))
    offered, _ = await before.request(HandoverOffer(id="h7", to=following, note="看东湖"))
    assert [alert.id for alert in offered.handover.alerts] == ["s-shift"]
    while (await before.told(Handover)).handover.state != "withdrawn":
        pass

    walker = await cast.phone("XS-001")  # of two nodes this one is on the first, and the next dispatcher on the other
    late = await cast.phone("PQ-002")
    own = cast.group(late, OFFICE)
    await late.request(Monitor(id="hi", scope=MonitorScope.LISTED, groups=[own]))
    waits = (await late.told(Handover)).handover
    assert (waits.state, waits.note) == ("offered", "看东湖")
    assert ([g.id for g in waits.monitored], [g.id for g in waits.listens]) == ([west], [east, only_his])
    accept = HandoverAnswer(id="h8", handover=waits.id, accept=True)
    assert await refusal(before, accept) is Refusal.NOT_FOUND
    taken, _ = await late.request(accept)
    assert taken.handover.state == "accepted"
    alert = await late.told(Alert, queue=True)
    while alert.alert.claimed_by is None or alert.alert.claimed_by.id != late.user:
        alert = await late.told(Alert, queue=True)
    heard = {group.id for group in (await monitors(late, west)).groups}
    assert heard == {west, own, only_his}, "and what was his own, and where he is no member"
    assert (await before.told(Monitoring, scope="none")).groups == []
    assert taken.handover.patches[0].patch == patch.patch
    assert await refusal(late, accept.model_copy(update={"id": "h9"})) is Refusal.NOT_FOUND
    assert await refusal(before, HandoverWithdraw(id="ha", handover=waits.id)) is Refusal.NOT_FOUND
    await late.request(PatchEnd(id="hb", patch=patch.patch))
    await before.select(west)
    await walker.select(west)
    await walker.say(west, FRAMES)
    await late.until_packets(FRAMES // 2)
    await officer.request(SosCancel(id="hc", alert="s-shift"))
    assert {row["detail"]["state"] for row in await audited(cast, "hand_over", target=waits.id)} == {
        "offered",
        "accepted",
    }
