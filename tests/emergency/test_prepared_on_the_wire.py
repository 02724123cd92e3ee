"""What is prepared: a recorded message, heard by each in his time; a plan, started by one tap. And a late joiner."""

from __future__ import annotations

import asyncio
import io
import urllib.error
import urllib.request
import wave

import pytest

from codec.opus import CLOCK_HZ
from groups.vocabulary import ReceiptState, Refusal
from loadtest.phone import PhoneFailed
from loadtest.speech import recording
from poc_server.work.limits import MAX_S
from signaling.messages import (
    Broadcast,
    BroadcastStart,
    BroadcastTally,
    BroughtIn,
    EmergencyCancel,
    PlanRun,
    Receipt,
    Recipients,
)
from tests.emergency.cast import Cast
from tests.support.handsets import FRAME_S, Handset

pytestmark = pytest.mark.wire


def wav(frames: int, rate: int = 24_000, width: int = 2, claimed: int | None = None) -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(bytes(frames * width))
    content = out.getvalue()
    return content if claimed is None else content[:40] + (claimed * width).to_bytes(4, "little") + content[44:]


def fetch(cast: Cast, phone: Handset, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {phone.identity.token}"}
    request = urllib.request.Request(cast.city.url + path, body, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as problem:
        return problem.code, problem.read()


async def test_a_recorded_message_is_heard_by_each_in_his_time(cast: Cast) -> None:
    leader, officer = await cast.phones("LD-001", "BJ-001")
    assert fetch(cast, officer, "POST", "/api/v1/messages", wav(24_000))[0] == 403
    for bad in (b"", b"RIFF", wav(0), wav(100, width=1), wav(24_000, 44_100), wav(100, claimed=2**30)):
        assert fetch(cast, leader, "POST", "/api/v1/messages", bad)[0] in (413, 422), bad[:44]
    assert fetch(cast, leader, "POST", "/api/v1/messages", wav(8_000 * MAX_S + 1, 8_000))[0] == 422
    status, answer = fetch(cast, leader, "POST", "/api/v1/messages", wav(24_000 * 2))
    assert status == 201
    message = answer.decode().split('"message":"')[1].split('"')[0]

    to = Recipients(users=[officer.user, cast.id("XS-001")])
    start = BroadcastStart(id="b", broadcast="r1", to=to, kind="recorded", message=message, text="撤离通知")
    with pytest.raises(PhoneFailed) as unknown:
        await leader.request(start.model_copy(update={"id": "x", "message": "m-nothing"}))
    assert unknown.value.code is Refusal.NOT_FOUND
    await leader.request(start)
    told = (await officer.told(Broadcast)).broadcast
    assert (told.kind, told.samples) == ("recorded", 2 * CLOCK_HZ)
    assert fetch(cast, officer, "GET", "/api/v1/broadcasts/r1/audio")[1].startswith(b"OggS")
    other = await cast.phone("QK-001")
    assert fetch(cast, other, "GET", "/api/v1/broadcasts/r1/audio")[0] == 404
    half = Receipt(
        id="h", broadcast="r1", state=ReceiptState.HEARD, samples_expected=2 * CLOCK_HZ, samples_played=CLOCK_HZ
    )
    with pytest.raises(PhoneFailed) as refused:
        await officer.request(half)
    assert refused.value.code is Refusal.NOT_HEARD
    await officer.request(half.model_copy(update={"id": "w", "samples_played": 2 * CLOCK_HZ, "again": True}))
    while (await leader.told(BroadcastTally, broadcast="r1")).heard != 1:
        pass


async def test_who_joins_in_the_middle_hears_it_live_and_can_hear_the_start(cast: Cast) -> None:
    leader, there = await cast.phones("LD-001", "BJ-001")
    to = Recipients(users=[there.user, cast.id("XS-001")])
    started, _ = await leader.request(BroadcastStart(id="b", broadcast="r2", to=to))
    press = leader.press_key(started.group.id)
    await press.settled
    speech = recording("zh-report")
    for number, frame in enumerate(speech.frames[:40]):
        leader.speak(frame.marked(leader.number, 1, number, number), number * speech.step)
        await asyncio.sleep(FRAME_S)
    late = await cast.phone("XS-001")
    await late.told(BroughtIn, call="r2")
    while (await late.told(Broadcast)).broadcast.id != "r2":
        pass  # the message of before waited for him too
    so_far = await asyncio.to_thread(fetch, cast, late, "GET", "/api/v1/broadcasts/r2/audio")
    assert (so_far[0], so_far[1][:4]) == (200, b"OggS")
    leader.speak(speech.frames[40].marked(leader.number, 1, 40, 40), 40 * speech.step)
    await late.until_packets(1)
    leader.release_key()
    while (over := (await late.told(Broadcast)).broadcast).state != "over":
        pass
    assert over.samples == 41 * CLOCK_HZ // 25
    async with asyncio.timeout(30):
        audio = "/api/v1/broadcasts/r2/audio"
        while (whole := await asyncio.to_thread(fetch, cast, late, "GET", audio))[0] != 200:  # noqa: ASYNC110 - made in another process
            await asyncio.sleep(0.1)
    assert len(whole[1]) >= len(so_far[1])
    heard = Receipt(
        id="h", broadcast="r2", state="heard", samples_expected=over.samples, samples_played=over.samples, again=True
    )
    await late.request(heard)


async def test_one_tap_starts_what_a_plan_says(cast: Cast) -> None:
    leader, officer = await cast.phones("LD-001", "BJ-001")
    token = leader.identity.token
    flood = {
        "name": "防汛",
        "starts": {"what": "broadcast", "kind": "text", "to": {"users": [officer.user]}, "text": "按防汛方案就位"},
    }
    talk = {"name": "会商", "starts": {"what": "call", "to": {"users": [officer.user]}, "name": "会商"}}
    one, two = (cast.city.post("/api/v1/plans", plan, token)["id"] for plan in (flood, talk))
    assert [plan["name"] for plan in cast.city.get("/api/v1/plans", token)] == ["会商", "防汛"]
    started, _ = await leader.request(PlanRun(id="p1", plan=one, call="plan-1"))
    assert started.people == 1
    while (await officer.told(Broadcast)).broadcast.text != "按防汛方案就位":
        pass  # what waited for him before is told first
    called, _ = await leader.request(PlanRun(id="p2", plan=two, call="plan-2"))
    assert (await officer.told(BroughtIn, call="plan-2")).group.name == "会商"
    await leader.request(EmergencyCancel(id="p3", group=called.group.id))

    with pytest.raises(PhoneFailed) as refused:
        await officer.request(PlanRun(id="p4", plan=one, call="plan-4"))
    assert refused.value.code is Refusal.NOT_FOUND
    with pytest.raises(urllib.error.HTTPError) as forbidden:
        cast.city.post("/api/v1/plans", flood, officer.identity.token)
    assert forbidden.value.code == 403
    with pytest.raises(urllib.error.HTTPError) as wrong:
        cast.city.post("/api/v1/plans", {**flood, "starts": {"what": "dance"}}, token)
    assert wrong.value.code == 422
