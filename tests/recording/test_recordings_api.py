"""Recordings over HTTP: plays, refusals, ranges, forms for other players, retention."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

import av
import httpx
import numpy as np
import pytest

from groups.vocabulary import AgencyId, BurstEnd, Role, Tier
from poc_server.recording import recordings as joined
from poc_server.recording.recordings import Recordings
from poc_server.recording.spooling.writer import DiskState
from poc_server.store import SYSTEM, BurstRecord, audit, audit_pages
from poc_server.store import tables as t
from poc_server.store.audit_pages import AuditFilter
from poc_server.store.ids import now_ms
from poc_server.store.settings import JournalSettings
from tests.recording.town_with_voices import INCIDENT, PLACE, Voices, dispatcher, ids, key_of, store_settings, voices
from tests.recording.voices import SAMPLES, hear, likeness, speech, spoken

pytestmark = pytest.mark.wire
__all__ = ["store_settings", "voices"]


async def audited(voices: Voices, action: str) -> list[tuple[str, str]]:
    await voices.store.journal.drain()
    async with voices.store.reading() as connection:
        rows = (await audit_pages.page(connection, AuditFilter(voices.town.agency, action=action))).rows
    return [(row.actor_id, row.target_id) for row in rows]


async def test_a_member_hears_what_was_said_and_each_play_is_audited(voices: Voices) -> None:
    key = await voices.say(place=PLACE, incident=INCIDENT, tier=Tier.EMERGENCY)
    headers = await voices.as_user(voices.colleague)
    (row,) = (await voices.client.get("/recordings", headers=headers)).json()["recordings"]
    assert row == (await voices.client.get(f"/recordings/{key}", headers=headers)).json()
    assert (row["id"], row["group_name"], row["talker"]["name"], row["tier"]) == (key, "市容一组", "王建国", 2)
    assert (row["duration_ms"], row["packets"], row["end"], row["incident"]) == (1_000, 25, "released", INCIDENT)
    assert (row["place"]["source"], row["place"]["age_ms"]) == ("device", 700)
    audio = await voices.client.get(f"/recordings/{key}/audio", headers=headers)
    assert (audio.headers["content-type"], audio.headers["cache-control"]) == ("audio/ogg", "no-store")
    assert hashlib.sha256(audio.content).hexdigest() == row["sha256"]
    assert await audited(voices, "recording.play") == [(voices.colleague, key)]


async def test_an_outsider_is_told_that_there_is_nothing_and_the_attempt_is_audited(voices: Voices) -> None:
    key = await voices.say()
    outsider = await voices.town.person(name="外人")
    headers = await voices.as_user(outsider)
    assert await ids(voices, headers) == []
    for path in (f"/recordings/{key}", f"/recordings/{key}/audio", "/recordings/b-none"):
        answer = await voices.client.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert await audited(voices, "recording.refused") == [(outsider, key)] * 2


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": "0"},
        {"limit": "201"},
        {"tier": "9"},
        {"area": "1,2,3"},
        {"area": "9,0,1,0"},
        {"area": "nan,0,1,1"},
        {"after": "x"},
        {"after": "9" * 40 + ".b"},
        {"from_ms": "-1"},
        {"unknown": "1"},
        {"order": "loudest"},
    ],
)
async def test_a_question_that_makes_no_sense_is_refused(voices: Voices, asked: dict[str, str]) -> None:
    answer = await voices.client.get("/recordings", headers=await dispatcher(voices), params=asked)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_message")


async def test_however_a_recording_is_fetched_each_play_is_one_row_of_the_audit(voices: Voices) -> None:
    key = await voices.say()
    path = f"/recordings/{key}/audio"
    officer, colleague = [await voices.as_user(user) for user in (voices.officer, voices.colleague)]

    async def part(span: str, headers: dict[str, str], form: str = "ogg") -> httpx.Response:
        return await voices.client.get(path, headers={**headers, "range": span}, params={"as": form})

    # A player begins anywhere, and what it fetches after belongs to the same play.
    for span, status in (
        ("bytes=1-", 206),
        ("bytes=-7", 206),
        ("bytes=0-9", 206),
        ("bytes = 0-", 206),
        ("bytes=2-1", 400),
    ):
        assert (await part(span, officer)).status_code == status
    assert (await part("bytes=999999-", officer)).status_code == 416
    assert await audited(voices, "recording.play") == [(voices.officer, key)]
    # The whole is a play each time; so is another listener's first piece, and that of another form.
    whole = [(await voices.client.get(path, headers=officer)).content for _ in range(2)]
    assert len(await audited(voices, "recording.play")) == 3
    assert (await part("bytes=-7", colleague)).content == whole[0][-7:]
    assert (await part("bytes=1-", colleague, "mp4")).status_code == 206
    assert await audited(voices, "recording.play") == [(voices.colleague, key)] * 2 + [(voices.officer, key)] * 3


async def test_say_again_is_the_last_burst_also_when_it_ended_this_moment(voices: Voices, tmp_path: Path) -> None:
    headers = await voices.as_user(voices.colleague)
    path = f"/groups/{voices.group}/last-said"

    async def last(**asked: object) -> str:
        answer = await voices.client.get(path, headers=headers, params=asked)  # type: ignore[arg-type]
        return str(answer.json()["id"] if answer.status_code == 200 else answer.json()["code"])

    assert await last() == "not_found"
    first = await voices.say()
    assert await last() == first
    tap = voices.speak()
    assert await last() == first, "what is on air is heard live, and not waited for"
    tap.end(BurstEnd.RELEASED)
    assert await last() == key_of(tap)
    silent = voices.speak(frames=0)
    silent.end(BurstEnd.RELEASED)
    assert await last(ended=int(silent.meta.burst)) == key_of(tap), "nothing was said in it"
    elsewhere = await Recordings.open(voices.recordings.settings, tmp_path / "data", voices.store, "n2", now_ms)
    there = voices.speak(on=elsewhere)
    there.end(BurstEnd.RELEASED)
    assert await last(ended=int(there.meta.burst)) == key_of(there), "another node records it"
    await elsewhere.aclose()
    outsider = await voices.as_user(await voices.town.person(name="外人"))
    assert (await voices.client.get(path, headers=outsider)).status_code == 404


async def test_a_record_waits_with_its_spool_for_a_journal_that_is_full(
    voices: Voices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joined, "JOURNAL_RETRY_S", 0.02)
    journal, folder, aside = voices.store.journal, tmp_path / "data" / "journal", tmp_path / "aside"
    await journal.drain()
    monkeypatch.setattr(journal._writer, "_settings", JournalSettings(waiting_limit=1, segment_bytes=4_096))
    monkeypatch.setattr(journal._writer, "_size", 4_096)
    folder.rename(aside)
    folder.write_text("a file stands where the folder should be")
    audited_first = audit.entry(SYSTEM, now_ms(), "x", "x", "x", {}, voices.town.agency)
    journal.audit(audited_first)  # the thread has it, and cannot write it
    while not journal._writer.failing:  # noqa: ASYNC110 - only the thread knows
        await asyncio.sleep(0.01)
    journal.audit(audited_first)
    tap = voices.speak()
    tap.end(BurstEnd.RELEASED)
    while not list((tmp_path / "data" / "recordings").rglob("*.ogg")):
        voices.recordings.recorder.flush()
        await asyncio.sleep(0.01)
    assert (journal.full, tap.file.path.exists(), voices.recordings.finisher.finished) == (True, True, 0)
    folder.unlink()
    aside.rename(folder)
    await voices.recordings.finisher.drained()
    await journal.drain()
    assert (journal.state().lost, tap.file.path.exists()) == (0, False)
    assert await ids(voices, await voices.as_user(voices.colleague)) == [key_of(tap)]


async def test_what_a_node_left_that_held_its_lock_for_a_while_is_finished_all_the_same(
    voices: Voices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was called dead once; its machine let go of the lock only after."""
    monkeypatch.setattr(joined, "LOOK_EVERY_S", 0.05)
    dead = await Recordings.open(voices.recordings.settings, tmp_path / "data", voices.store, "n2", now_ms)
    tap = voices.speak(on=dead)
    assert await dead.recorder.written(10)
    there = await Recordings.open(voices.recordings.settings, tmp_path / "data", voices.store, "n3", now_ms)
    await there.adopt()
    assert there.finisher.waiting == there.finisher.finished == 0
    dead._folders.close()  # what the end of its process does
    while there.finisher.finished == 0:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await there.aclose()
    await voices.store.journal.drain()
    (row,) = (await voices.client.get("/recordings", headers=await voices.as_user(voices.colleague))).json()[
        "recordings"
    ]
    assert (row["id"], row["end"]) == (key_of(tap), "cut")


async def test_who_came_when_it_had_begun_does_not_hear_a_burst_on_air_from_its_start(voices: Voices) -> None:
    """It would be voice of before his time; who was a member then, and who may replay the group by office, hears it."""
    path = f"/groups/{voices.group}/on-air/audio"
    tap = voices.speak(at_ms=now_ms() + 1)
    newcomer, desk = await voices.town.person(name="新人"), await voices.town.person(Role.DISPATCHER, name="赵敏")
    await voices.join(voices.group, newcomer, desk)
    async with voices.store.writing() as connection:
        later = t.membership_period.c.user_id.in_([newcomer, desk])
        await connection.execute(t.membership_period.update().where(later).values(from_ms=tap.meta.from_ms + 1))
    for headers, status in (
        (await voices.as_user(voices.colleague), 200),
        (await voices.as_user(desk), 200),
        (await voices.as_user(newcomer), 403),
    ):
        answer = await voices.client.get(path, headers=headers)
        assert answer.status_code == status, answer.text
        if status == 200:
            assert hear(answer.content).plays == 25 * SAMPLES
    tap.end(BurstEnd.RELEASED)
    assert len(await audited(voices, "recording.so_far")) == 2
    assert await audited(voices, "recording.refused") == [(newcomer, voices.group)]


async def test_the_last_with_sound_is_found_though_nothing_was_recorded_of_a_later_one(voices: Voices) -> None:
    key = await voices.say()
    at_ms = now_ms() + 1_000
    agency = AgencyId(voices.town.agency)
    silent = BurstRecord(
        id=at_ms,
        group=voices.group,
        agency=agency,
        user=voices.officer,
        user_name="王建国",
        node="n1",
        started_ms=at_ms,
        ended_ms=at_ms,
        end=BurstEnd.CUT,
        unrecorded=5,
    )
    voices.store.journal.append(silent)
    await voices.store.journal.drain()
    headers = await voices.as_user(voices.officer)
    assert await ids(voices, headers, limit=1) == [silent.key]
    assert await ids(voices, headers, limit=1, audio="true") == [key]
    answer = await voices.client.get(f"/groups/{voices.group}/last-said", headers=headers)
    assert answer.json()["id"] == key


async def test_a_disk_that_fails_and_the_voice_it_costs_stand_in_the_audit(voices: Voices, tmp_path: Path) -> None:
    settings = voices.recordings.settings.model_copy(
        update={"pending_packets": 10, "flush_ms": 10, "retry_ms": 10, "space_check_s": 0.02}
    )
    (tmp_path / "failing").mkdir()
    (tmp_path / "failing" / "recordings").symlink_to(tmp_path / "data" / "recordings")  # which nodes share
    failing = await Recordings.open(settings, tmp_path / "failing", voices.store, "n2", now_ms)
    (folder,) = (tmp_path / "failing" / "spool").iterdir()
    (folder / "lock").unlink()
    folder.rmdir()
    folder.write_text("a file stands where the folder should be")
    tap = voices.speak(frames=25, on=failing)  # at once more than may wait
    while failing.recorder.counters.dropped < 25:  # noqa: ASYNC110 - the recorder's own timer hands it over
        await asyncio.sleep(0.01)
    for packet in spoken(5):
        tap.voice(packet)
    while failing.recorder.state is DiskState.OK:  # noqa: ASYNC110 - only the writer thread knows
        await asyncio.sleep(0.01)
    folder.unlink()
    tap.end(BurstEnd.RELEASED)
    while failing.finisher.finished == 0:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    await failing.aclose()
    await voices.store.journal.drain()
    async with voices.store.reading() as connection:
        (gap,) = (await audit_pages.page(connection, AuditFilter(voices.town.agency, action="recording.gap"))).rows
        disk = (await audit_pages.page(connection, AuditFilter(voices.town.agency, action="recording.disk"))).rows
    said = json.loads(gap.detail)
    assert (gap.actor_id, gap.target_kind, gap.target_id) == (None, "group", voices.group)
    assert (said["burst"], said["packets"]) == (int(tap.meta.burst), 25)
    assert said["from_ms"] <= said["to_ms"]
    assert [(row.target_id, json.loads(row.detail)["state"]) for row in disk] == [("n2", "ok"), ("n2", "failing")]
    headers = await voices.as_user(voices.officer)
    row = (await voices.client.get(f"/recordings/{key_of(tap)}", headers=headers)).json()
    assert (row["packets"], row["unrecorded"]) == (5, 25)


async def test_players_that_know_no_ogg_get_mp4_or_mp3(voices: Voices, tmp_path: Path) -> None:
    key = await voices.say(frames=100)
    headers = await voices.as_user(voices.officer)
    path = f"/recordings/{key}/audio"
    mp4 = await voices.client.get(path, headers=headers, params={"as": "mp4"})
    assert mp4.headers["content-type"] == "audio/mp4"
    (tmp_path / "a.mp4").write_bytes(mp4.content)
    ogg = hear((await voices.client.get(path, headers=headers)).content)
    with av.open(str(tmp_path / "a.mp4")) as file:
        packets = [bytes(packet) for packet in file.demux() if packet.size]
        assert abs(file.duration / 1e6 - 4.0) < 0.05
    assert packets == ogg.packets
    mp3 = await voices.client.get(path, headers=headers, params={"as": "mp3"})
    assert mp3.headers["content-type"] == "audio/mpeg"
    (tmp_path / "a.mp3").write_bytes(mp3.content)
    with av.open(str(tmp_path / "a.mp3")) as file:
        resampler = av.AudioResampler("s16", "mono", 48_000)
        parts = [p.to_ndarray()[0] for frame in file.decode(audio=0) for p in resampler.resample(frame)]
    sound = np.concatenate(parts)
    assert abs(len(sound) - 100 * SAMPLES) < 5_000
    shifts = [likeness(sound[shift:], speech()[: 90 * SAMPLES]) for shift in range(0, 4_000, 16)]
    assert max(float(np.median(found)) for found in shifts if found) > 0.8
    assert (await voices.client.get(path, headers=headers, params={"as": "wav"})).status_code == 422


async def test_a_file_that_is_gone_is_said_to_be_but_not_one_whose_disk_is_not_mounted(
    voices: Voices, tmp_path: Path
) -> None:
    path, headers = f"/recordings/{await voices.say()}/audio", await voices.as_user(voices.officer)
    folder, disk = tmp_path / "data" / "recordings", tmp_path / "the disk"
    folder.rename(disk)
    said = {
        "zh-CN": "录音磁盘暂时不可用，请稍后再试",
        "en": "The disk of the recordings is away for the moment: try again later",
    }
    for language, words in said.items():
        answer = await voices.client.get(path, headers=headers | {"accept-language": language})
        told = answer.json()
        assert (answer.status_code, told["code"], told["title"]) == (503, "recordings_away", words)
        assert answer.headers["retry-after"] == "10"
        folder.mkdir(exist_ok=True)  # the mount point
    folder.rmdir()
    disk.rename(folder)
    assert (await voices.client.get(path, headers=headers)).status_code == 200
    (file,) = folder.rglob("*.ogg")
    file.unlink()
    answer = await voices.client.get(path, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_only_who_rules_over_retention_may_hold_and_delete(voices: Voices) -> None:
    key = await voices.say()
    nobody = await dispatcher(voices)
    ruler = await voices.as_user(await voices.town.person(Role.SECURITY_ADMIN, name="安全"))
    hold = {"kind": "recording", "target": key, "reason": "court"}
    post, get = voices.client.post, voices.client.get
    assert (await post("/retention/holds", headers=nobody, json=hold)).status_code == 403
    assert (await post(f"/recordings/{key}/deletion", headers=nobody, json={"reason": "x"})).status_code == 403
    made = await post("/retention/holds", headers=ruler, json=hold)
    assert made.status_code == 201
    assert (await get("/retention/holds", headers=ruler)).json() == [made.json()]
    assert (made.json()["target_name"], made.json()["begun_by_name"]) == ("", "安全")
    assert (await get("/retention/terms", headers=nobody)).status_code == 403
    terms = (await get("/retention/terms", headers=ruler)).json()
    assert terms == {"days": 365, "incident_days": None, "least_days": 180}
    for kind, target, name in (("group", voices.group, "市容一组"), ("user", voices.officer, "王建国")):
        named = {"kind": kind, "target": target, "reason": "court", "from_ms": 1, "until_ms": 2}
        assert (await post("/retention/holds", headers=ruler, json=named)).json()["target_name"] == name
    held = await post(f"/recordings/{key}/deletion", headers=ruler, json={"reason": "privacy"})
    assert (held.status_code, held.json()["code"]) == (409, "conflict")
    release = f"/retention/holds/{made.json()['id']}/release"
    assert (await post(release, headers=ruler, json={"reason": "done"})).status_code == 204
    assert (await post(release, headers=ruler, json={"reason": "again"})).status_code == 404
    assert (await post(f"/recordings/{key}/deletion", headers=ruler, json={"reason": "privacy"})).status_code == 204
    assert await ids(voices, nobody) == []


async def test_rules_of_retention_are_kept_within_the_law(voices: Voices) -> None:
    ruler = await voices.as_user(await voices.town.person(Role.SECURITY_ADMIN, name="安全"))
    path = f"/retention/rules/group/{voices.group}"
    tag = None
    for days, status in ((179, 422), (180, 204), (36_500, 204), (36_501, 422), (None, 204)):
        seen = ruler if tag is None else {**ruler, "if-match": tag}
        answer = await voices.client.put(path, headers=seen, json={"days": days})
        assert answer.status_code == status, days
        tag = answer.headers.get("etag", tag)
    (rule,) = (await voices.client.get("/retention/rules", headers=ruler)).json()
    assert tag == f'"{rule["version"]}"'
    # Two who rule over one: neither writes over the other, nor drops what he has not seen.
    for header, status in ((None, 409), ('"0"', 412), ("nonsense", 412)):
        seen = ruler if header is None else {**ruler, "if-match": header}
        assert (await voices.client.put(path, headers=seen, json={"days": 200})).status_code == status
    for header, status in ((None, 428), ('"0"', 412)):
        seen = ruler if header is None else {**ruler, "if-match": header}
        assert (await voices.client.delete(path, headers=seen)).status_code == status
    assert (rule["kind"], rule["target"], rule["days"]) == ("group", voices.group, None)
    assert (rule["target_name"], rule["set_by_name"]) == ("市容一组", "安全")
    assert (await voices.client.put("/retention/rules/user/u", headers=ruler, json={"days": 200})).status_code == 422
    assert (await voices.client.delete(path, headers={**ruler, "if-match": tag})).status_code == 204
    assert (await voices.client.delete(path, headers={**ruler, "if-match": tag})).status_code == 404
