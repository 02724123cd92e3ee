"""A phone speaks into a real server; what it said comes back as a file that libopus judges."""

from __future__ import annotations

import asyncio
import hashlib
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from codec.coding import decode_all
from loadtest.identity import Identity
from loadtest.phone import Phone
from loadtest.wire.dtls import Credentials
from loadtest.wire.reactor import Reactor
from signaling.messages import Missed, RecordingDisk
from tests.recording.voices import SAMPLES, encoded, hear, intelligibility, likeness, speech
from tests.support.city import City, running_city

pytestmark = pytest.mark.wire
FRAMES = 75
SECOND = 25
"""Frames of 40 ms."""
WITHIN_S = 60
"""A loaded machine is no reason to fail: nothing here is about how quick it is."""


async def inhabitants(city: City) -> list[dict[str, Any]]:
    """The demo's people, once they have moved in."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            if found := await asyncio.to_thread(city.get, "/api/v1/demo/people"):
                return list(found)
            await asyncio.sleep(0.05)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not await asyncio.to_thread(true):  # noqa: ASYNC110 - counted elsewhere, where nobody is told
            await asyncio.sleep(0.02)


async def until_recorded(city: City, packets: int) -> None:
    await until(lambda: city.metric("poc_recorder_packets_total") >= packets)


async def speak(city: City, *, frames: int = FRAMES, release: bool = True) -> dict[str, Any]:
    """Three phones in one group in which all may talk; the first says ``frames`` frames. Returns who and where.

    Without ``release`` the server has relayed all but the last five of them by then, and ends nothing.
    """
    people = await inhabitants(city)
    reactor, credentials = Reactor(), Credentials()
    by_group: dict[str, list[Phone]] = {}
    phones: list[Phone] = []
    for number, person in enumerate(people):
        token = city.post(f"/api/v1/demo/people/{person['id']}/step-in")["access_token"]
        phone = Phone(reactor, credentials, Identity(user=person["id"], token=token), number)
        await phone.connect(f"ws://127.0.0.1:{city.port}/ws")
        phones.append(phone)
        assert phone.welcome is not None
        for group in phone.welcome.groups:
            if group.may_talk:
                by_group.setdefault(group.id, []).append(phone)
    group, trio = next((group, here[:3]) for group, here in by_group.items() if len(here) > 2)
    for phone in trio:
        await phone.select(group)
    press = trio[0].press_key(group)
    assert await asyncio.wait_for(asyncio.shield(press.settled), WITHIN_S), press.cause
    begin = time.monotonic()
    for n, packet in enumerate(encoded("zh-report")[:frames]):
        await asyncio.sleep(max(0.0, begin + n * 0.04 - time.monotonic()))
        if n and n % SECOND == 0:
            # A server that stood still takes two seconds at once, as after an outage; more would be a flood.
            await until_recorded(city, n)
        trio[0].speak(packet, n * SAMPLES)
    if release:
        await until_recorded(city, frames)
        trio[0].release_key()
    else:
        await until(lambda: heard(trio[1]) >= frames - 5)
    return {"group": group, "talker": trio[0].identity, "trio": trio, "phones": phones, "reactor": reactor}


def heard(phone: Phone) -> int:
    """Voice packets that arrived at a phone."""
    return sum(slot.packets for slot in phone.media.slots) if phone.media else 0


def leave(said: dict[str, Any]) -> None:
    for phone in said["phones"]:
        phone.vanish()
    said["reactor"].close()


async def recorded(city: City, token: str, count: int = 1) -> list[dict[str, Any]]:
    """The recordings, once there are as many."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            found = (await asyncio.to_thread(city.get, "/api/v1/recordings", token))["recordings"]
            if len(found) >= count:
                return list(found)
            await asyncio.sleep(0.05)


def fetch(city: City, path: str, token: str, span: str = "") -> tuple[int, bytes, str]:
    request = urllib.request.Request(city.url + path, headers={"Authorization": f"Bearer {token}"})
    if span:
        request.add_header("Range", span)
    with urllib.request.urlopen(request, timeout=WITHIN_S) as answer:
        return answer.status, answer.read(), answer.headers["content-type"]


async def told_of_the_disk(city: City, person: str) -> list[str]:
    """What somebody who comes is told of it."""
    token = city.post(f"/api/v1/demo/people/{person}/step-in")["access_token"]
    reactor, told = Reactor(), []
    phone = Phone(reactor, Credentials(), Identity(user=person, token=token), 99)
    phone.on_message = lambda message, _: told.append(message.state) if isinstance(message, RecordingDisk) else None
    await phone.connect(f"ws://127.0.0.1:{city.port}/ws")
    assert phone.welcome is not None
    await phone.select(phone.welcome.groups[0].id)  # answered after what is told at the welcome
    phone.vanish()
    reactor.close()
    return told


async def test_what_a_phone_says_is_a_file_and_a_row_a_moment_later(tmp_path: Path) -> None:
    more_than_any_disk_has = {"POC_RECORDING__WARN_FREE_BYTES": str(10**18)}
    with running_city(tmp_path / "data", "--people", "8", env=more_than_any_disk_has) as city:
        said = await speak(city)
        people = await inhabitants(city)
        dispatcher = next(each["id"] for each in people if "dispatcher" in each["roles"])
        officer = next(each["id"] for each in people if each["roles"] == ["officer"])
        assert await told_of_the_disk(city, dispatcher) == ["low_space"]
        assert await told_of_the_disk(city, officer) == []
        talker = said["talker"]
        (row,) = await recorded(city, talker.token)
        path = f"/api/v1/recordings/{row['id']}/audio"
        status, data, kind = await asyncio.to_thread(fetch, city, path, talker.token)
        assert (status, kind) == (200, "audio/ogg")
        assert (row["group"], row["talker"]["id"], row["end"]) == (said["group"], talker.user, "released")
        assert (row["packets"], row["lost"], row["unrecorded"]) == (FRAMES, 0, 0)
        assert row["duration_ms"] == FRAMES * 40
        assert row["sha256"] == hashlib.sha256(data).hexdigest()
        found = likeness(hear(data).samples, decode_all(encoded("zh-report")[:FRAMES])[312:])
        assert np.median(found) > 0.95
        assert intelligibility(hear(data).samples, speech()[: FRAMES * SAMPLES]) > 0.95
        part = await asyncio.to_thread(fetch, city, path, talker.token, "bytes=10-19")
        assert part[:2] == (206, data[10:20])
        assert (await asyncio.to_thread(fetch, city, path + "?as=mp3", talker.token))[2] == "audio/mpeg"
        assert city.metric("poc_recorder_dropped_total") == 0
        leave(said)


async def test_who_was_away_is_told_what_he_missed_and_who_comes_late_hears_from_the_start(tmp_path: Path) -> None:
    with running_city(tmp_path / "data", "--people", "8") as city:
        said = await speak(city, frames=25)
        talker, listener, _ = said["trio"]
        await recorded(city, talker.identity.token)
        listener.close()
        await asyncio.sleep(1.5)
        press = talker.press_key(said["group"])
        assert await asyncio.wait_for(asyncio.shield(press.settled), WITHIN_S), press.cause
        for n, packet in enumerate(encoded("zh-report")[:50]):
            talker.speak(packet, (1_000 + n) * SAMPLES)
            await asyncio.sleep(0.04)
        await until_recorded(city, 25 + 30)
        path = f"/api/v1/groups/{said['group']}/on-air/audio"
        _, so_far, _ = await asyncio.to_thread(fetch, city, path, listener.identity.token)
        assert hear(so_far).plays >= 30 * SAMPLES
        packed = await asyncio.to_thread(fetch, city, path + "?as=mp4", listener.identity.token)
        assert (packed[1][4:8], packed[2]) == (b"ftyp", "audio/mp4")
        talker.release_key()
        told: asyncio.Future[Missed] = asyncio.get_running_loop().create_future()
        back = Phone(said["reactor"], Credentials(), listener.identity, 99)
        back.on_message = lambda message, _: told.set_result(message) if isinstance(message, Missed) else None
        await back.connect(f"ws://127.0.0.1:{city.port}/ws")
        missed = await asyncio.wait_for(told, WITHIN_S)
        assert [(each.group, each.talker, each.bursts) for each in missed.by] == [
            (said["group"], talker.identity.user, 1)
        ]
        listed = await asyncio.to_thread(city.get, "/api/v1/missed", listener.identity.token)
        assert [row["duration_ms"] for row in listed["recordings"]] == [missed.duration_ms]
        back.vanish()
        leave(said)


async def test_a_killed_server_keeps_all_but_the_last_second(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with running_city(data, "--people", "8") as city:
        said = await speak(city, release=False)
        city.process.kill()
        city.process.wait()
        leave(said)
    with running_city(data, "--people", "8") as city:
        await inhabitants(city)
        token = city.post(f"/api/v1/demo/people/{said['talker'].user}/step-in")["access_token"]
        (row,) = await recorded(city, token)
        assert row["end"] == "cut"
        assert row["duration_ms"] >= FRAMES * 40 - 1_000
        _, audio, _ = await asyncio.to_thread(fetch, city, f"/api/v1/recordings/{row['id']}/audio", token)
        assert hear(audio).plays // 48 == row["duration_ms"], "in whole milliseconds, which a filled gap need not be"
