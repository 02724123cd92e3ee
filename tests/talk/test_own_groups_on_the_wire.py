"""Which groups a phone has, and which of them it listens to, over real sockets."""

from __future__ import annotations

import time

import pytest

from signaling.messages import Call, CallEnd, CallEnded, CallLeave, Groups, GroupSummary, Ping
from tests.emergency.cast import Cast
from tests.support.handsets import Handset
from tests.talk.test_ways_on_the_wire import standing

pytestmark = pytest.mark.wire


def place(told: Groups, group: str) -> GroupSummary | None:
    return next((each for each in told.groups if each.id == group), None)


async def test_whose_groups_are_others_is_told_all_of_them_and_nobody_else_is(cast: Cast) -> None:
    stays, moves = await cast.phones("BJ-001", "BJ-002")
    own, token = cast.group(moves, "滨江巡查组"), cast.token("XT-001")
    await moves.select(own)
    unit = cast.city.get("/api/v1/me", token)["units"][0]["id"]
    group = cast.city.post("/api/v1/groups", {"name": "夜班", "unit": unit}, token)["id"]
    members = f"/api/v1/groups/{group}/members"

    async def told(phone: Handset) -> tuple[GroupSummary | None, str | None]:
        said = await phone.told(Groups)
        return place(said, group), said.selected

    for phone, may_talk, selected in ((stays, True, None), (moves, False, own)):
        cast.city.post(members, {"users": [phone.user], "place": {"may_talk": may_talk}}, token)
        found, where = await told(phone)
        assert found is not None
        assert (found.name, found.may_talk, where) == ("夜班", may_talk, selected)
    await moves.select(group)
    cast.city.delete(f"{members}/{moves.user}", token)
    assert await told(moves) == (None, None), "he is out of the group he had selected"
    cast.city.delete(f"{members}/{stays.user}", token)
    assert await told(stays) == (None, None), "and of what concerned the other alone he was told nothing"


async def test_a_dispatcher_is_out_of_the_group_he_talked_in_as_anybody_else_and_may_come_back(cast: Cast) -> None:
    dispatcher, token = await cast.phone("PQ-001"), cast.token("XT-001")
    unit = cast.city.get("/api/v1/me", cast.token("PQ-001"))["units"][0]["id"]
    group = cast.city.post("/api/v1/groups", {"name": "席位", "unit": unit}, token)["id"]
    members = f"/api/v1/groups/{group}/members"
    cast.city.post(members, {"users": [dispatcher.user], "place": {"may_talk": True}}, token)
    while place(await dispatcher.told(Groups), group) is None:
        pass
    await dispatcher.select(group)
    cast.city.delete(f"{members}/{dispatcher.user}", token)
    while place(out := await dispatcher.told(Groups), group) is not None:
        pass
    assert out.selected is None
    await dispatcher.select(group)  # his right reaches it all the same


async def test_who_comes_on_duty_is_in_the_group_of_his_shift_as_it_begins_and_out_of_it_as_it_ends(cast: Cast) -> None:
    officer, token = await cast.phone("BJ-003"), cast.token("XT-001")
    root = cast.city.get("/api/v1/me", token)["units"][0]["id"]
    unit = cast.city.post("/api/v1/units", {"name": "夜巡", "parent": root}, token)["id"]
    group = cast.city.post("/api/v1/groups", {"name": "夜巡当班", "unit": unit, "duty_unit": unit}, token)["id"]
    for lead_ms in (500, 2_000, 8_000):
        now = int(time.time() * 1000)
        times = {"starts_ms": now + lead_ms, "ends_ms": now + 3 * lead_ms}
        shift = cast.city.post(
            "/api/v1/shifts", {"unit": unit, "name": "夜班", "users": [officer.user], **times}, token
        )
        if time.time() * 1000 < times["starts_ms"]:
            break
        cast.city.delete(f"/api/v1/shifts/{shift['id']}", token)  # the machine is slower than that
    while (joined := place(await officer.told(Groups), group)) is None:
        pass
    assert (joined.name, joined.may_talk) == ("夜巡当班", True)
    assert time.time() * 1000 >= times["starts_ms"]
    while place(await officer.told(Groups), group) is not None:
        pass
    assert time.time() * 1000 >= times["ends_ms"]
    for each in (f"shifts/{shift['id']}", f"groups/{group}", f"units/{unit}"):
        cast.city.delete(f"/api/v1/{each}", token)


async def test_who_left_the_call_of_a_group_stays_out_of_it_when_he_listens_to_another_too(cast: Cast) -> None:
    group = standing(cast, "会商二", "prearranged", "BJ-001", "BJ-002", "BJ-003", "BJ-004")
    leads, leaves, stays = await cast.phones("BJ-001", "BJ-002", "BJ-003")
    await leads.select(group)
    await leaves.listen([group])
    await leads.press_key(group).settled
    leads.release_key()
    call = await leaves.told(Call, group=group, phase="running")
    await stays.told(Call, group=group, phase="running")
    await leaves.request(CallLeave(id="g1", call=call.call))
    await leaves.told(CallEnded, call=call.call)
    leaves.inbox.clear()
    await leaves.listen([group, cast.group(leaves, "城东区联勤")])
    late = await cast.phone("BJ-004")
    await late.told(Call, group=group)  # so whoever was to be brought in before him is
    await leaves.request(Ping(id="g2"))
    assert not [message for message in leaves.inbox if isinstance(message, Call)]
    await leaves.listen([])
    await leaves.listen([group])
    await leaves.told(Call, group=group)
    await leads.request(CallEnd(id="g3", call=call.call))
