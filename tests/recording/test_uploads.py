"""Photos sent in pieces over a bad network: what repeats, lies, is too much, or finds no room."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
from pathlib import Path

import pytest

from poc_server.recording.keeping import uploads
from poc_server.store.clock import SoundClock
from poc_server.store.ids import now_ms
from poc_server.store.records import materials
from tests.recording.field_phone import CHUNK, PICTURE, Phone, phone
from tests.recording.pictures import announcement
from tests.recording.town_with_voices import Voices, store_settings, voices

pytestmark = pytest.mark.wire
__all__ = ["phone", "store_settings", "voices"]


async def test_an_upload_that_stops_goes_on_where_it_stopped(voices: Voices, phone: Phone) -> None:
    said = announcement(PICTURE, voices.group)
    await phone.announce(**said)
    assert (await phone.put(said["id"], 0, PICTURE[:1_000])).json()["offset"] == 1_000
    again = await phone.announce(**said)
    assert (again.status_code, again.json()["offset"]) == (201, 1_000)
    where = await voices.client.get(f"/materials/{said['id']}/upload", headers=phone.headers)
    assert where.json()["offset"] == 1_000
    assert (await phone.send(PICTURE, **said))["state"] == "kept"
    assert (await phone.announce(**said)).json()["state"] == "kept"


async def test_a_clock_that_jumped_forgets_no_photo_that_is_on_its_way(
    voices: Voices, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = announcement(PICTURE, voices.group)
    await phone.announce(**said)
    await phone.put(said["id"], 0, PICTURE[:1_000])

    def weeks_ahead() -> int:
        return now_ms() + 2 * uploads.FORGET_MS

    monkeypatch.setattr(voices.store, "clock", weeks_ahead)
    monkeypatch.setattr(voices.store.sound_clock, "_wall", weeks_ahead)
    await voices.recordings.uploads.sweep()
    where = await voices.client.get(f"/materials/{said['id']}/upload", headers=phone.headers)
    assert where.json()["offset"] == 1_000
    monkeypatch.setattr(voices.store, "sound_clock", SoundClock(weeks_ahead))  # it was right: so much time has gone
    await voices.recordings.uploads.sweep()
    assert (await voices.client.get(f"/materials/{said['id']}/upload", headers=phone.headers)).status_code == 404


async def test_chunks_that_repeat_overlap_or_leave_a_gap(voices: Voices, phone: Phone) -> None:
    said = announcement(PICTURE, voices.group)
    await phone.announce(**said)
    assert (await phone.put(said["id"], 0, PICTURE[:5_000])).json()["offset"] == 5_000
    assert (await phone.put(said["id"], 0, PICTURE[:5_000])).json()["offset"] == 5_000
    assert (await phone.put(said["id"], 2_000, PICTURE[2_000:7_000])).json()["offset"] == 7_000
    gap = await phone.put(said["id"], 7_001, PICTURE[7_001:8_000])
    assert (gap.status_code, gap.json()["detail"]) == (409, "there are 7000 bytes")
    both = await asyncio.gather(*(phone.put(said["id"], 7_000, PICTURE[7_000 : 7_000 + CHUNK]) for _ in range(4)))
    assert {answer.json()["offset"] for answer in both} == {7_000 + CHUNK}
    assert (await phone.send(PICTURE, **said))["state"] == "kept"
    last = await phone.put(said["id"], len(PICTURE) - 10, PICTURE[-10:])
    assert (last.status_code, last.json()["state"]) == (200, "kept")


async def test_two_nodes_that_take_one_chunk_at_once_write_it_once(
    voices: Voices, phone: Phone, tmp_path: Path
) -> None:
    """A phone that was not answered asks another node, which shares the folder."""
    said = announcement(PICTURE, voices.group)
    await phone.announce(**said)
    part = tmp_path / "data" / "uploads" / f"{said['id']}.part"
    part.parent.mkdir(exist_ok=True)
    with part.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        asked = asyncio.create_task(phone.put(said["id"], 0, PICTURE[:CHUNK]))
        done, _ = await asyncio.wait([asked], timeout=0.3)
        assert done == set(), "the other writes still"
        other.write(PICTURE[:CHUNK])
    assert (await asked).json()["offset"] == CHUNK
    assert (await phone.send(PICTURE, **said))["state"] == "kept"


async def test_lies_about_size_digest_or_type_are_found_by_the_bytes(
    voices: Voices, phone: Phone, tmp_path: Path
) -> None:
    other = bytes(reversed(PICTURE))
    lies = {
        "digest": announcement(PICTURE, voices.group, 1, sha256=hashlib.sha256(b"x").hexdigest()),
        "type": announcement(PICTURE, voices.group, 2, media_type="image/jpeg"),
        "script": announcement(other, voices.group, 3),
    }
    for name, said in lies.items():
        state = await phone.send(other if name == "script" else PICTURE, **said)
        assert state["state"] == "refused"
        assert state["detail"].startswith("not as announced")
        late = await phone.put(said["id"], 0, PICTURE[:10])
        assert late.status_code == 409
    beyond = announcement(PICTURE, voices.group, 4, size=5_000)
    await phone.announce(**beyond)
    assert (await phone.put(beyond["id"], 0, PICTURE[:5_001])).status_code == 413
    whole = PICTURE + b"0" * CHUNK
    large = announcement(whole, voices.group, 5)
    await phone.announce(**large)
    assert (await phone.put(large["id"], 0, whole[:CHUNK])).status_code == 200
    assert (await phone.put(large["id"], CHUNK, whole[CHUNK : 2 * CHUNK + 1])).status_code == 413
    assert list((tmp_path / "data" / "recordings").rglob("photo-*")) == []


async def test_one_may_have_so_many_under_way_and_no_more(voices: Voices, phone: Phone) -> None:
    for number in range(uploads.MAX_RECEIVING):
        assert (await phone.announce(**announcement(PICTURE, voices.group, number))).status_code == 201
    over = await phone.announce(**announcement(PICTURE, voices.group, 999))
    assert over.json()["code"] == "no_resources"


async def test_what_never_came_is_forgotten(voices: Voices, phone: Phone, tmp_path: Path) -> None:
    said = announcement(PICTURE, voices.group)
    await phone.announce(**said)
    await phone.put(said["id"], 0, PICTURE[:10])
    async with voices.store.writing() as connection:
        assert await materials.forget(connection, now_ms() - uploads.FORGET_MS) == []
        assert await materials.forget(connection, now_ms() + 1) == [said["id"]]
    assert (await phone.put(said["id"], 10, PICTURE[10:20])).status_code == 404


async def test_a_disk_that_takes_nothing_is_told_and_the_upload_goes_on_after(
    voices: Voices, phone: Phone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = announcement(PICTURE, voices.group)
    await phone.announce(**said)
    parts = tmp_path / "data" / "uploads"
    parts.write_text("in the way")
    answer = await phone.put(said["id"], 0, PICTURE[:10])
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    parts.unlink()
    assert (await phone.send(PICTURE, **said))["state"] == "kept"
    assert os.listdir(parts) == []
