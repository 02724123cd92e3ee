"""A leader's broadcast: all hear it, only he talks, each receipt is what it says, the offline get it on return."""

from __future__ import annotations

import asyncio

import pytest

from codec.opus import CLOCK_HZ
from groups.vocabulary import DenyCause, ReceiptState, Refusal
from loadtest.phone import PhoneFailed
from signaling.messages import (
    Broadcast,
    BroadcastEnd,
    BroadcastStart,
    BroadcastTally,
    BroughtIn,
    BroughtOut,
    FloorDeny,
    FloorRevoke,
    Listening,
    Receipt,
    Recipients,
    Slot,
    Sos,
    SosCancel,
)
from tests.emergency.cast import Cast
from tests.support.handsets import Handset

pytestmark = pytest.mark.wire
FRAMES = 25
SAID = FRAMES * CLOCK_HZ // 25


async def tally(leader: Handset, **wanted: object) -> BroadcastTally:
    while True:
        told = await leader.told(BroadcastTally)
        if all(getattr(told, name) == value for name, value in wanted.items()):
            return told


def heard(name: str, broadcast: str, played: int, expected: int = SAID) -> Receipt:
    return Receipt(
        id=name, broadcast=broadcast, state=ReceiptState.HEARD, samples_expected=expected, samples_played=played
    )


async def test_all_hear_a_leader_and_each_receipt_is_true(cast: Cast) -> None:
    leader, one, two = await cast.phones("LD-001", "BJ-001", "XS-001")
    away = cast.id("QK-001")
    to = Recipients(users=[one.user, two.user, away, "us-nobody", one.user])
    started, _ = await leader.request(BroadcastStart(id="b", broadcast="b1", to=to, text="台风红色预警"))
    assert (started.people, started.online) == (3, 2)
    group = started.group.id
    assert (await one.told(BroughtIn, call="b1")).may_talk is False
    for phone in (one, two):
        assert (await phone.told(Broadcast)).broadcast.text == "台风红色预警"
        await phone.request(Receipt(id="r1", broadcast="b1", state=ReceiptState.DELIVERED))
    one.press_key(group)
    assert (await one.told(FloorDeny)).cause is DenyCause.RECEIVE_ONLY
    one.press = None

    await leader.say(group, FRAMES)
    for phone in (one, two):
        await phone.until_packets(FRAMES)
        await phone.told(BroughtOut, call="b1")
    over = await one.told(Broadcast)
    assert over.broadcast.state == "over"
    assert over.broadcast.burst is not None

    await one.request(heard("r2", "b1", SAID * 9 // 10))
    for lie in (heard("x1", "b1", SAID // 2), heard("x2", "b1", 900, 960), heard("x3", "b1", SAID * 2, SAID)):
        with pytest.raises(PhoneFailed) as refused:
            await two.request(lie)
        assert refused.value.code is Refusal.NOT_HEARD
    two.link.send(Listening(state="no", reason="frozen"))
    with pytest.raises(PhoneFailed) as frozen:
        await two.request(heard("x4", "b1", SAID))
    assert frozen.value.code is Refusal.NOT_HEARD
    await two.request(Receipt(id="r3", broadcast="b1", state=ReceiptState.ACKNOWLEDGED))
    told = await tally(leader, heard=1, acknowledged=1)
    assert (told.people, told.waiting, told.delivered, told.missed) == (3, 1, 0, 0)

    late = await cast.phone("QK-001")
    assert (await late.told(Broadcast)).broadcast.id == "b1"
    await late.request(Receipt(id="r4", broadcast="b1", state=ReceiptState.DELIVERED))
    await tally(leader, delivered=1, waiting=0)
    report = cast.city._call("GET", "/api/v1/broadcasts/b1", None, leader.identity.token)
    states = {each["person"]["id"]: each["state"] for each in report["receipts"]}
    assert states == {one.user: "heard", two.user: "acknowledged", away: "delivered"}


async def test_an_sos_is_heard_beside_a_broadcast_that_is_on_the_air(cast: Cast) -> None:
    leader, officer, colleague, dispatcher = await cast.phones("LD-001", "BJ-001", "BJ-002", "PQ-001")
    group = cast.group(officer, "滨江巡查组")
    for phone in (officer, colleague):
        await phone.select(group)
    others = (colleague, dispatcher)
    to = Recipients(users=[officer.user, *(phone.user for phone in others)])
    started, _ = await leader.request(BroadcastStart(id="b", broadcast="b10", to=to))
    speaking = leader.press_key(started.group.id)
    await speaking.settled
    orders = asyncio.create_task(leader.utter(750))
    for phone in (officer, *others):
        await phone.until_packets(1)
    await officer.request(Sos(id="s", alert="s10", pressed_ms=1, group=group))
    await officer.say(group, FRAMES)
    for phone in others:
        while (slot := await phone.told(Slot, group=group)).by is None or slot.by.id != officer.user:
            pass
        assert slot.tier == 2
        async with asyncio.timeout(30):
            while not all(each.packets for each in phone.voice.slots):  # noqa: ASYNC110 - counted, nobody tells
                await asyncio.sleep(0.01)
    assert not [m for m in leader.inbox if isinstance(m, FloorRevoke)], "the orders go on"
    orders.cancel()
    await leader.request(BroadcastEnd(id="w", broadcast="b10", withdraw=True))
    await officer.told(BroughtOut, call="b10")
    await officer.request(SosCancel(id="x", alert="s10"))


async def test_a_phone_whose_own_rtcp_says_that_it_lost_has_not_heard(cast: Cast) -> None:
    leader, one = await cast.phones("LD-001", "BJ-001")
    started, _ = await leader.request(BroadcastStart(id="b", broadcast="b9", to=Recipients(users=[one.user])))
    await one.told(BroughtIn, call="b9")
    await leader.say(started.group.id, FRAMES)
    await one.told(BroughtOut, call="b9")
    before = cast.city.metric("poc_media_rtcp_in_total")
    one.voice.report_loss(FRAMES * 2 // 5)
    async with asyncio.timeout(30):
        while cast.city.metric("poc_media_rtcp_in_total") < before + 2:  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.02)
    with pytest.raises(PhoneFailed) as refused:
        await one.request(heard("r1", "b9", SAID))
    assert refused.value.code is Refusal.NOT_HEARD
    await one.request(heard("r2", "b9", SAID).model_copy(update={"again": True}))
    await tally(leader, heard=1)


async def test_a_roll_call_knows_who_answered_and_who_was_missed(cast: Cast) -> None:
    leader, here, silent = await cast.phones("LD-001", "BJ-001", "BJ-002")
    away = cast.id("BJ-003")
    to = Recipients(users=[here.user, silent.user, away])
    call = BroadcastStart(id="b", broadcast="b2", to=to, kind="roll_call", text="点名")
    await leader.request(call)
    again, _ = await leader.request(call.model_copy(update={"id": "b-again"}))
    assert again.people == 3
    assert (await here.told(Broadcast)).broadcast.acknowledge is True
    await here.request(Receipt(id="r1", broadcast="b2", state=ReceiptState.ACKNOWLEDGED))
    await silent.request(Receipt(id="r2", broadcast="b2", state=ReceiptState.DELIVERED))
    await leader.request(BroadcastEnd(id="e", broadcast="b2", withdraw=True))
    told = await tally(leader, state="withdrawn")
    assert (told.acknowledged, told.delivered, told.missed) == (1, 1, 1)
    late = await cast.phone("BJ-003")
    await late.select(late.identity.groups[0])
    assert not [m for m in late.inbox if isinstance(m, Broadcast)]
    with pytest.raises(PhoneFailed) as over:
        await silent.request(Receipt(id="r3", broadcast="b2", state=ReceiptState.ACKNOWLEDGED))
    assert over.value.code is Refusal.EXPIRED


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ({"users": ["us-nobody"]}, Refusal.NOBODY_CALLED),
        ({}, Refusal.NOBODY_CALLED),
        ({"area": {"ring": []}}, Refusal.BAD_AREA),
        ({"area": {"ring": [(114, 30), (114.1, 30), (114.1, 30.1)]}}, Refusal.BAD_AREA),
        ({"area": {"ring": [(114, 30), (114.1, 30.1), (114.1, 30), (114, 30.1), (114, 30)]}}, Refusal.BAD_AREA),
        ({"area": {"ring": [(0, 0), (90, 0), (90, 80), (0, 0)]}}, Refusal.BAD_AREA),
        ({"area": {"ring": [(1, 1), (1.1, 1), (1.1, 1.1), (1, 1)]}}, Refusal.NOBODY_CALLED),
    ],
)
async def test_recipients_that_cannot_be(cast: Cast, to: dict[str, object], code: Refusal) -> None:
    leader = await cast.phone("LD-001")
    asked = BroadcastStart(id="b", broadcast="b3", to=Recipients.model_validate(to), kind="text", text="x")
    with pytest.raises(PhoneFailed) as refused:
        await leader.request(asked)
    assert refused.value.code is code


async def test_who_may_not_does_not_broadcast(cast: Cast) -> None:
    officer = await cast.phone("BJ-001")
    asked = BroadcastStart(id="b", broadcast="b4", to=Recipients(everyone=True), kind="text", text="x")
    with pytest.raises(PhoneFailed) as refused:
        await officer.request(asked)
    assert refused.value.code is Refusal.NOT_ALLOWED
