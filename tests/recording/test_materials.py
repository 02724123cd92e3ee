"""Photos and notes from the field: judged by their bytes, kept as evidence, seen by whose they are."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from gateway.incidents.incident_state import new_incident
from groups.model import Membership
from groups.vocabulary import Role
from poc_server.api.records import materials as api_materials
from poc_server.bridge.links import Links
from poc_server.bridge.materials import Gatherer
from poc_server.ground.chain import head_from_json
from poc_server.recording.keeping.watermark import size_of
from poc_server.recording.proving.check import Trust, check
from poc_server.recording.proving.judge import Wrong, signatures_by
from poc_server.recording.settings import RecordingSettings
from poc_server.store import audit_pages
from poc_server.store import tables as t
from poc_server.store.audit_pages import AuditFilter
from poc_server.store.bridge import incident_events, incidents
from poc_server.store.bridge.incident_bursts import recording
from poc_server.store.city import groups, sharing
from poc_server.store.city.groups import GroupDraft
from poc_server.store.ids import now_ms
from poc_server.store.places import Place, Position
from poc_server.store.records import evidence, materials
from poc_server.worker.listing import local_time
from tests.fixtures.people import found_town
from tests.recording.field_phone import CHUNK, PICTURE, Phone, phone
from tests.recording.pictures import announcement, jpeg, png
from tests.recording.town_with_voices import INCIDENT, Voices, dispatcher, store_settings, voices

pytestmark = pytest.mark.wire
__all__ = ["phone", "store_settings", "voices"]


async def test_a_photo_is_kept_as_evidence_with_all_that_is_known_of_it(
    voices: Voices, phone: Phone, tmp_path: Path
) -> None:
    place = {"longitude": 121.47, "latitude": 31.23, "accuracy_m": 8, "source": "device", "at_ms": now_ms()}
    await voices.case(INCIDENT)
    cell = {"id": "460-00-4601-13", "source": "operator", "at_ms": now_ms()}
    said = announcement(PICTURE, voices.group, place=place, cell=cell, origin="gallery")
    state = await phone.send(PICTURE, **said)
    assert (state["state"], state["offset"], state["sha256"]) == ("kept", len(PICTURE), said["sha256"])
    assert state["incident"] == INCIDENT
    assert 59_000 < state["clock_offset_ms"] < 70_000
    colleague = await voices.as_user(voices.colleague)
    listed = (await voices.client.get("/materials", headers=colleague)).json()["materials"]
    assert [each["id"] for each in listed] == [said["id"]]
    assert listed[0]["place"]["source"] == "device"
    assert (listed[0]["cell"], listed[0]["origin"]) == (cell, "gallery")
    file = await voices.client.get(f"/materials/{said['id']}/file", headers=colleague)
    assert (file.headers["content-type"], file.content) == ("image/png", PICTURE)
    assert file.headers["cache-control"] == "no-store", "the next look is judged and audited, too"
    async with voices.store.reading() as connection:
        entries = [stored async for stored in evidence.entries(connection)]
    assert (entries[0].entry.kind, entries[0].entry.subject) == ("photo", said["id"])
    content = json.loads(entries[0].content or "")
    assert (content["note"], content["clock_offset_ms"]) == (said["note"], state["clock_offset_ms"])
    assert (content["cell"], content["origin"]) == (cell, "gallery"), "sealed with the rest"
    async with voices.store.reading() as connection:
        (event,) = await incident_events.events_of(connection, voices.town.agency, INCIDENT)
    assert (event.type, event.data["photo"], event.data["sha256"]) == ("photo", said["id"], said["sha256"])
    await voices.recordings.notary.sign_now()
    key = voices.recordings.notary.key
    evidence_of = partial(check, voices.store.database, tmp_path / "data" / "recordings")
    assert (await evidence_of(Trust({key.name: key.public_pem()}), now_ms())).findings == ()
    async with voices.store.writing() as connection:
        await connection.execute(t.material.update().values(note="另一处", cell=None))
    (finding,) = (await evidence_of(Trust({key.name: key.public_pem()}), now_ms())).findings
    assert (finding.wrong, finding.detail) == (Wrong.ALTERED, f"its row: note, cell of {said['id']}")
    await voices.store.journal.drain()
    async with voices.store.reading() as connection:
        assert (
            len((await audit_pages.page(connection, AuditFilter(voices.town.agency, action="material.open"))).rows) == 1
        )


async def test_a_guest_puts_nothing_into_a_case_of_the_groups_agency_by_calling_a_case_of_his_own_so(
    voices: Voices,
) -> None:
    """Both agencies have a case of that code; the group they share is tied to neither."""
    town = voices.town
    other = await found_town(town.store, town.auth, town.clock, "邻市")
    guest, own = await other.person(), incidents.group_of(other.agency, INCIDENT)
    async with voices.store.change() as change:
        await sharing.offer(change, voices.group, other.agency)
        await sharing.grant(change, voices.group, other.agency)
        await groups.create_group(change, GroupDraft(other.agency, other.unit, "案"), own)
        for group in (own, voices.group):
            await groups.set_members(change, group, [Membership(group, guest)])
    async with voices.store.writing() as connection:
        await incidents.save_many(connection, town.agency, [new_incident(INCIDENT)], [], now_ms(), None)
    at = {"taken_ms": now_ms(), "sent_ms": now_ms()}
    note = {"id": "note-0000000000001", "kind": "note", "note": "?", "group": voices.group, "incident": INCIDENT}
    said = await Phone(voices, await voices.as_user(guest)).announce(**note, **at)
    assert (said.status_code, said.json().get("incident")) == (201, None)
    async with voices.store.reading() as connection:
        assert not await incident_events.events_of(connection, town.agency, INCIDENT)


async def test_photos_wait_for_a_disk_of_which_the_rest_is_left_to_voice(voices: Voices, phone: Phone) -> None:
    uploads, said = voices.recordings.uploads, announcement(PICTURE, voices.group)
    await phone.announce(**said)
    settings, uploads._settings = uploads._settings, RecordingSettings(warn_free_bytes=2**62)
    answer = await phone.put(said["id"], 0, PICTURE[:CHUNK])
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    uploads._settings = settings
    assert (await phone.put(said["id"], 0, PICTURE[:CHUNK])).json()["offset"] == CHUNK


async def test_events_of_the_bridge_carry_signed_heads_that_cover_what_they_tell(
    voices: Voices, phone: Phone, tmp_path: Path
) -> None:
    await voices.case(INCIDENT)
    await phone.send(PICTURE, **announcement(PICTURE, voices.group))
    notary = voices.recordings.notary
    while not (await voices.head_of(voices.group)):
        await notary.sign_now()
    async with voices.store.reading() as connection:
        (event,) = await incident_events.events_of(connection, voices.town.agency, INCIDENT)
    links = Links.open(tmp_path / "keys", "https://poc.example", 60)
    told = await Gatherer(voices.store, links, voices.recordings.folder.path).gather(event, audio=False)
    assert told is not None
    (head,) = [head_from_json(each) for each in told.evidence]  # type: ignore[arg-type]
    assert (head.head.group, head.head.count) == (voices.group, 1)
    assert signatures_by(notary.trusted())(head)
    auditor = await voices.as_user(await voices.town.person(Role.AUDIT_ADMIN))
    daily = await voices.client.get(f"/evidence/heads/{head.head.day}", headers=auditor)
    assert [head_from_json(json.loads(line)) for line in daily.text.splitlines()] == [head]
    keys = await voices.client.get("/evidence/keys", headers=auditor)
    assert keys.json() == notary.trusted()
    assert (await voices.client.get("/evidence/keys", headers=phone.headers)).status_code == 403


async def test_an_event_does_not_go_without_the_voice_it_is_to_carry(voices: Voices, tmp_path: Path) -> None:
    await voices.case(INCIDENT)
    await voices.say()
    async with voices.store.reading() as connection:
        (event,) = await incident_events.events_of(connection, voices.town.agency, INCIDENT)
        found = await recording(connection, event.recording or "")
    assert found is not None
    folder, links = voices.recordings.folder, Links.open(tmp_path / "keys", "https://poc.example", 60)
    gatherer = Gatherer(voices.store, links, folder.path, folder.is_there)
    told = await gatherer.gather(event, audio=True)
    assert told is not None
    assert hashlib.sha256(told.audio or b"").hexdigest() == found.sha256
    disk, file = tmp_path / "the disk", folder.path / found.file
    folder.path.rename(disk)
    assert await gatherer.gather(event, audio=True) is None, "its disk is not mounted: it waits"
    disk.rename(folder.path)
    file.unlink()
    with pytest.raises(FileNotFoundError):
        await gatherer.gather(event, audio=True)
    file.mkdir()  # there, and not to be read
    assert await gatherer.gather(event, audio=True) is None
    assert await gatherer.gather(event, audio=False) is not None


SENSELESS: list[dict[str, Any]] = [
    {"id": "short"},
    {"id": "../../../../etc/passwd"},
    {"id": "x" * 65},
    {"media_type": "text/html"},
    {"media_type": "image/svg+xml"},
    {"media_type": ""},
    {"size": 0},
    {"size": 25_000_001},
    {"sha256": "00"},
    {"kind": "film"},
    {"note": "x" * 2_001},
    {"place": {"longitude": 200, "latitude": 0, "at_ms": 1}},
    {"taken_ms": api_materials.LATEST_MS + 1},
    {"sent_ms": api_materials.LATEST_MS + 1},
    {"unknown": 1},
]


async def test_what_makes_no_sense_is_refused(voices: Voices, phone: Phone) -> None:
    for wrong in SENSELESS:
        answer = await phone.announce(**{**announcement(PICTURE, voices.group), **wrong})
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_message"), wrong


async def test_what_a_phone_says_of_its_clock_and_cell_spoils_no_watermark_and_no_list(
    voices: Voices, phone: Phone
) -> None:
    for number, (taken_ms, sent_ms) in enumerate(((api_materials.LATEST_MS, 0), (0, api_materials.LATEST_MS))):
        cell = {"id": "<\x01\uffff", "source": "shell", "at_ms": 0}
        said = announcement(PICTURE, voices.group, number, taken_ms=taken_ms, sent_ms=sent_ms, cell=cell)
        await phone.send(PICTURE, **said)
        shown = await voices.client.get(f"/materials/{said['id']}/watermarked", headers=phone.headers)
        assert "cell < (shell)" in "".join(ET.fromstring(shown.content).itertext())
    assert local_time(2**53, 480) == "9999-12-31T00:00:00.000+08:00", "what an earlier version took"


async def test_a_note_is_kept_at_once(voices: Voices, phone: Phone) -> None:
    now = now_ms()
    note = {"id": "note-0000000000001", "kind": "note", "group": voices.group, "taken_ms": now, "sent_ms": now}
    assert (await phone.announce(**note)).status_code == 422
    state = (await phone.announce(**note, note="井盖缺失 <b>")).json()
    assert (state["state"], state["note"]) == ("kept", "井盖缺失 <b>")


async def test_a_photo_belongs_to_no_incident_its_sender_has_no_part_in(voices: Voices, phone: Phone) -> None:
    strange = await phone.announce(**announcement(PICTURE, voices.group, incident=INCIDENT))
    assert (strange.status_code, strange.json()["code"]) == (404, "not_found")


async def test_what_was_taken_while_one_was_a_member_is_taken_when_one_is_no_more(voices: Voices, phone: Phone) -> None:
    """A case that is closed, or a group one has left, before the phone had a network again."""
    await voices.case(INCIDENT)
    early = announcement(PICTURE, voices.group)
    async with voices.store.writing() as connection:
        await connection.execute(t.membership_period.update().values(from_ms=now_ms() - 600_000))
    then = now_ms() - 300_000
    await voices.leave(voices.group, voices.officer)
    for number, more, code in (
        (1, {"taken_ms": then - 3_600_000}, "not_a_member"),  # before he was one
        (2, {"taken_ms": now_ms() + 60_000}, "not_a_member"),  # since
        (3, {"taken_ms": then, "sent_ms": then - 3_600_000}, "not_a_member"),  # no clock makes it later than now
    ):
        answer = await phone.announce(**early | {"id": f"photo-{number:012d}", "sent_ms": now_ms()} | more)
        assert (answer.status_code, answer.json()["code"]) == (403, code), (number, answer.text)
    on_another_clock = {"taken_ms": then + 86_400_000, "sent_ms": now_ms() + 86_400_000}
    left = announcement(PICTURE, voices.group, 4, incident=INCIDENT) | on_another_clock
    assert (await phone.send(PICTURE, **left))["state"] == "kept"
    async with voices.store.change() as change:
        await groups.delete_group(change, voices.group)
    gone = announcement(PICTURE, voices.group, 5, incident=INCIDENT, taken_ms=then, sent_ms=now_ms())
    assert (await phone.send(PICTURE, **gone))["state"] == "kept"
    late = announcement(PICTURE, voices.group, 6, taken_ms=now_ms() + 60_000, sent_ms=now_ms())
    assert (await phone.announce(**late)).json()["code"] == "unknown_group"
    # Seen by who was in it to the end, and by whose office it is.
    for headers in (await voices.as_user(voices.colleague), await dispatcher(voices)):
        listed = (await voices.client.get("/materials", headers=headers)).json()["materials"]
        assert [one["id"] for one in listed] == [gone["id"], left["id"]]
    async with voices.store.reading() as connection:
        row = await materials.find(connection, str(gone["id"]))
    assert row is not None
    assert (row.agency_id, row.unit_id, row.incident) == (voices.town.agency, voices.town.unit, INCIDENT)


async def test_what_was_taken_too_long_ago_is_refused_for_good(
    voices: Voices, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with voices.store.writing() as connection:
        await connection.execute(t.membership_period.update().values(from_ms=now_ms() - 600_000))
    then = now_ms() - 300_000
    await voices.leave(voices.group, voices.officer)
    said = announcement(PICTURE, voices.group, taken_ms=then)
    monkeypatch.setattr(api_materials, "LATE_MS", 299_999)
    assert (await phone.announce(**said | {"sent_ms": now_ms()})).status_code == 403
    monkeypatch.setattr(api_materials, "LATE_MS", 600_000)
    assert (await phone.announce(**said | {"sent_ms": now_ms()})).status_code == 201


async def test_where_the_device_was_last_is_told_of_a_photo_that_names_no_place(voices: Voices, phone: Phone) -> None:
    at = now_ms() - 5_000
    position = Position(longitude=121.5, latitude=31.2, at_ms=at)
    voices.store.places.put(
        Place(user=voices.officer, agency=voices.town.agency, at_ms=at, received_ms=at, position=position)
    )
    state = (await phone.announce(**announcement(PICTURE, voices.group))).json()
    assert (state["place"]["source"], state["place"]["at_ms"]) == ("device", at)


async def test_nobody_reaches_into_what_another_sends_or_uses_his_id(voices: Voices, phone: Phone) -> None:
    said = announcement(PICTURE, voices.group)
    await phone.announce(**said)
    other = Phone(voices, await voices.as_user(voices.colleague))
    assert (await other.put(said["id"], 0, PICTURE[:10])).status_code == 404
    assert (await other.announce(**said)).status_code == 409
    outsider = Phone(voices, await voices.as_user(await voices.town.person(name="外人")))
    refused = await outsider.announce(**announcement(PICTURE, voices.group, 9))
    assert refused.json()["code"] == "not_a_member"
    await phone.send(PICTURE, **said)
    for path in (f"/materials/{said['id']}", f"/materials/{said['id']}/file", f"/materials/{said['id']}/watermarked"):
        assert (await voices.client.get(path, headers=outsider.headers)).status_code == 404
    administrator = await voices.as_user(await voices.town.person(Role.SYSTEM_ADMIN))
    assert (await voices.client.get("/materials", headers=administrator)).json()["materials"] == []


async def test_deletion_leaves_a_tombstone_and_a_hold_keeps_a_photo(
    voices: Voices, phone: Phone, tmp_path: Path
) -> None:
    said = announcement(PICTURE, voices.group)
    await phone.send(PICTURE, **said)
    ruler = await voices.as_user(await voices.town.person(Role.SECURITY_ADMIN))
    path, why = f"/materials/{said['id']}/deletion", {"reason": "court order 7"}
    assert (await voices.client.post(path, headers=phone.headers, json=why)).status_code == 403
    hold = {"kind": "recording", "target": said["id"], "reason": "case 9"}
    held = await voices.client.post("/retention/holds", headers=ruler, json=hold)
    assert held.status_code == 201, held.text
    assert (await voices.client.post(path, headers=ruler, json=why)).status_code == 409
    await voices.client.post(f"/retention/holds/{held.json()['id']}/release", headers=ruler, json=why)
    assert (await voices.client.post(path, headers=ruler, json=why)).status_code == 204
    assert (await voices.client.get(f"/materials/{said['id']}/file", headers=phone.headers)).status_code == 404
    assert list((tmp_path / "data" / "recordings").rglob("photo-*")) == []
    async with voices.store.reading() as connection:
        assert [stored.entry.kind async for stored in evidence.entries(connection)] == ["photo", "tombstone"]


async def test_a_watermark_is_written_over_the_untouched_picture(voices: Voices, phone: Phone) -> None:
    said = announcement(PICTURE, voices.group)
    await phone.send(PICTURE, **said)
    answer = await voices.client.get(f"/materials/{said['id']}/watermarked", headers=phone.headers)
    assert answer.headers["content-type"] == "image/svg+xml"
    image = ET.fromstring(answer.content)
    assert image.attrib["viewBox"] == "0 0 1600 1200"
    words = " ".join(text.text or "" for text in image.iter("{http://www.w3.org/2000/svg}text"))
    assert "王建国" in words
    assert said["sha256"][:16] in words
    assert "无定位" in words
    assert "设备时钟 device clock -60 s" in words


@pytest.mark.parametrize(
    ("data", "size"),
    [
        (png(33, 17), (33, 17)),
        (jpeg(320, 240), (320, 240)),
        (b"", None),
        (b"\xff\xd8", None),
        (b"\xff\xd8" + b"\xff\xe0\x00\x00" * 3, None),
        (b"RIFF0000WEBPVP8X", None),
        (b"\x89PNG\r\n\x1a\n", None),
    ],
)
def test_the_size_of_a_picture(data: bytes, size: tuple[int, int] | None) -> None:
    assert size_of(data) == size
