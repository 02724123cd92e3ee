"""The floor options of a group, as an administrator sets them, over real sockets and media."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from groups.vocabulary import BurstEnd, DenyCause, Refusal, RevokeCause
from loadtest.press import Outcome
from signaling.messages import FloorDeny, FloorIdle, FloorQueued, FloorRevoke, FloorTaken
from tests.emergency.cast import Cast
from tests.support.handsets import WAIT_S, Handset
from tests.talk.ways_report import Ears

pytestmark = pytest.mark.wire
BADGES = ("BJ-001", "BJ-002", "BJ-003", "BJ-004")


async def group_with(cast: Cast, name: str, **floor: Any) -> tuple[str, list[Handset]]:
    """A group with these options and four of its members in it; the second may pre-empt."""
    token = cast.city.post(f"/api/v1/demo/people/{cast.id('XT-001')}/step-in")["access_token"]
    unit = cast.city.get("/api/v1/me", token)["units"][0]["id"]
    made = cast.city.post("/api/v1/groups", {"name": name, "unit": unit, "floor": floor}, token)
    assert made["floor"].items() >= floor.items(), "what was set is what is shown"
    for number, badge in enumerate(BADGES):
        place = {"may_preempt": number == 1, "priority": 200 if number == 1 else 100}
        cast.city.post(f"/api/v1/groups/{made['id']}/members", {"users": [cast.id(badge)], "place": place}, token)
    phones = await cast.phones(*BADGES)
    for phone in phones:
        await phone.select(made["id"])
    return str(made["id"]), phones


async def pressed(phone: Handset, group: str) -> Any:
    """A press that was answered: granted, queued or denied."""
    press = phone.press_key(group)
    async with asyncio.timeout(WAIT_S):
        while press.outcome is None:  # noqa: ASYNC110 - a queued press has no future of its own
            await asyncio.sleep(0.005)
    return press


async def test_with_audio_cut_in_each_press_takes_the_floor_at_once(cast: Cast) -> None:
    group, (first, _, second, listener) = await group_with(cast, "抢话", audio_cut_in=True, queueing=False)
    ears = Ears(listener)
    talking = await pressed(first, group)
    await first.utter(5)
    await ears.until(first, 4)
    cutting = await pressed(second, group)
    assert cutting.outcome is Outcome.IMMEDIATE
    revoked = await first.told(FloorRevoke, burst=talking.burst)
    assert (revoked.cause, revoked.grace_ms) == (RevokeCause.PRE_EMPTED, 0)
    taken = await listener.told(FloorTaken, burst=cutting.burst)
    assert taken.may_request, "the next one may cut in as well"
    before = ears.heard[first.number]
    await asyncio.gather(first.utter(10), second.utter(10))
    await ears.until(second, 9)
    assert ears.heard[first.number] == before, "who was cut off is not heard any more, though he talks on"
    second.release_key()


async def test_with_dual_floor_both_talkers_are_on_air(cast: Cast) -> None:
    group, (first, leader, _, listener) = await group_with(cast, "双讲", dual_floor=True)
    ears = Ears(listener)
    talking = await pressed(first, group)
    overriding = await pressed(leader, group)
    assert overriding.outcome is Outcome.IMMEDIATE
    await asyncio.gather(first.utter(10), leader.utter(10))
    await ears.until(first, 9)
    await ears.until(leader, 9)
    assert not talking.revoked.done()
    for burst in (talking.burst, overriding.burst):
        await listener.told(FloorTaken, burst=burst)
    leader.release_key()
    await listener.told(FloorTaken, burst=talking.burst)
    first.release_key()
    assert (await listener.told(FloorIdle)).burst == overriding.burst, "the newest, whichever was over last"


async def test_without_queueing_a_press_into_a_burst_is_denied(cast: Cast) -> None:
    group, (first, _, second, _) = await group_with(cast, "不排队", queueing=False)
    await pressed(first, group)
    assert not (await second.told(FloorTaken, group=group)).may_request, "his page says so before he presses"
    await pressed(second, group)
    denied = await second.told(FloorDeny, group=group)
    assert (denied.cause, denied.code) == (DenyCause.ANOTHER_HAS_FLOOR, Refusal.FLOOR_TAKEN)
    first.release_key()


async def test_a_queue_is_as_long_as_it_was_set_and_one_more_is_denied(cast: Cast) -> None:
    group, (first, _, second, third) = await group_with(cast, "短队", queue_limit=1)
    await pressed(first, group)
    waiting = await pressed(second, group)
    assert waiting.outcome is Outcome.QUEUED
    queued = await second.told(FloorQueued, group=group)
    assert (queued.position, queued.size) == (1, 1)
    await pressed(third, group)
    assert (await third.told(FloorDeny, group=group)).cause is DenyCause.QUEUE_FULL
    first.release_key()
    async with asyncio.timeout(WAIT_S):
        assert await waiting.settled, "the floor goes to who waited"
    second.release_key()


async def test_a_burst_is_as_long_as_it_was_set_and_who_was_too_long_waits(cast: Cast) -> None:
    group, (first, *_, listener) = await group_with(
        cast, "短讲", transmit_limit_ms=1_000, revoke_grace_ms=0, retry_after_ms=60_000
    )
    talking = await pressed(first, group)
    speaking = asyncio.create_task(first.utter(40))
    revoked = await first.told(FloorRevoke, burst=talking.burst)
    assert revoked.cause is RevokeCause.BURST_TOO_LONG
    assert (await listener.told(FloorIdle, burst=talking.burst)).end is BurstEnd.TIME_LIMIT
    speaking.cancel()
    first.release_key()
    await pressed(first, group)
    denied = await first.told(FloorDeny, group=group)
    assert denied.cause is DenyCause.RETRY_AFTER
    assert 0 < (denied.retry_after_ms or 0) <= 60_000


async def test_who_has_the_floor_and_sends_nothing_loses_it_to_who_waits(cast: Cast) -> None:
    """T1 from the grant on, without a single packet (TS 24.380 §6.3.4.4.4): a phone that died with its key down."""
    group, (dead, _, waiting, listener) = await group_with(cast, "无声")
    silent = await pressed(dead, group)
    queued = await pressed(waiting, group)
    assert queued.outcome is Outcome.QUEUED
    async with asyncio.timeout(WAIT_S):
        assert await queued.settled
    assert (await listener.told(FloorTaken, burst=silent.burst)).by.id == dead.user
    assert (await listener.told(FloorTaken, burst=queued.burst)).by.id == waiting.user
    for phone in (dead, waiting):
        phone.release_key()
