"""What is over its time goes, with a tombstone; what is held stays; nothing goes in silence."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from groups.vocabulary import AgencyId, GroupId, UserId
from poc_server.ground.chain import Kind, Stored
from poc_server.ground.refused import Refused
from poc_server.recording.keeping import deletion as deletion_module
from poc_server.recording.keeping.deletion import DAY_MS, Deletion
from poc_server.recording.layout import FOLDER_MARK
from poc_server.recording.proving.judge import check_files_in, judge
from poc_server.recording.settings import RecordingSettings
from poc_server.store import Actor, Store, audit_pages
from poc_server.store import tables as t
from poc_server.store.audit_pages import AuditFilter
from poc_server.store.records import evidence, keeping, materials
from poc_server.store.records import recordings as query
from poc_server.store.records.keeping import Hold, HoldKind, Rule
from poc_server.store.records.materials import Material, Origin
from poc_server.work.client import Worker
from tests.recording.marked import marked
from tests.recording.test_evidence_store import NOON, burst

pytestmark = pytest.mark.wire
AGENCY = AgencyId("ag")
LATER = NOON + 365 * DAY_MS + 5_000


@pytest.fixture
async def deletion(store: Store, tmp_path: Path) -> AsyncIterator[Deletion]:
    worker = await Worker.start()
    yield Deletion(store, worker, RecordingSettings(), marked(tmp_path / "files"), tmp_path / "made")
    await worker.aclose()


async def keep(store: Store, folder: Path, number: int, **more: object) -> str:
    """A recording with a file; returns its key."""
    file = folder / "files" / f"{number}.ogg"
    file.write_bytes(b"voice")
    record = burst(number).model_copy(update={"file": file.name, "size": 5, "sha256": SHA, **more})
    store.journal.append(record)
    await store.journal.drain()
    return record.key


SHA = "b6ccbb39c39a1e9c8d84fd33d3ac0c5dd05b5ac2a5b4b4ce6ca1c6ff0b4d5b4e"


def kept(folder: Path) -> list[str]:
    """The names of the files that are there."""
    return sorted(path.name for path in (folder / "files").iterdir() if path.name != FOLDER_MARK)


async def left(store: Store) -> int:
    async with store.reading() as connection:
        return int(await connection.scalar(select(func.count()).select_from(t.burst)) or 0)


async def chain(store: Store) -> list[Stored]:
    async with store.reading() as connection:
        return [stored async for stored in evidence.entries(connection)]


async def test_what_is_over_its_time_goes_with_a_tombstone_and_its_file(
    store: Store, deletion: Deletion, tmp_path: Path
) -> None:
    key = await keep(store, tmp_path, 1)
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / f"{key}.mp3").write_bytes(b"made")
    assert await deletion.run_once(NOON + 365 * DAY_MS) == 0
    assert await deletion.run_once(LATER) == 1
    assert await deletion.run_once(LATER) == 0
    assert (await left(store), kept(tmp_path), list((tmp_path / "made").iterdir())) == (0, [], [])
    first, stone = await chain(store)
    assert first.content is None
    assert (stone.entry.kind, stone.entry.subject) == ("tombstone", f"x{key}")
    findings = judge(await chain(store), [], lambda _: True, check_files_in(tmp_path / "files"), NOON)
    assert findings == []


async def test_a_row_that_was_altered_to_name_a_file_outside_removes_none_and_keeps_no_other(
    store: Store, deletion: Deletion, tmp_path: Path
) -> None:
    (tmp_path / "outside").write_bytes(b"not ours")
    for number in (1, 2):
        await keep(store, tmp_path, number)
    async with store.writing() as connection:
        await connection.execute(t.burst.update().where(t.burst.c.file == "1.ogg").values(file="../outside"))
    assert await deletion.run_once(LATER) == 2
    assert kept(tmp_path) == ["1.ogg"]
    assert (tmp_path / "outside").exists()


async def test_a_file_that_cannot_be_removed_keeps_no_other_and_is_told_of_until_it_can(
    store: Store, deletion: Deletion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a recording's own, the first of all, nor a copy for players, without which it is not buried."""
    monkeypatch.setattr(deletion_module, "SLICE", 3)
    keys = [await keep(store, tmp_path, number) for number in range(1, 6)]
    own, copy = tmp_path / "files" / "1.ogg", tmp_path / "made" / f"{keys[2]}.mp3"
    own.unlink()
    for stands_in_the_way in (own, copy):
        stands_in_the_way.mkdir(parents=True)
    async with store.reading() as connection:
        row = await query.any_one(connection, keys[2])
    assert row is not None
    with pytest.raises(Refused):
        await deletion.delete(row, Actor(UserId("us-9"), AGENCY, "192.0.2.1"), "privacy request")
    assert (await deletion.run_once(LATER), await left(store), deletion.stuck) == (4, 1, 2)
    assert kept(tmp_path) == ["1.ogg", "3.ogg"]
    for stands_in_the_way in (own, copy):
        stands_in_the_way.rmdir()
    assert (await deletion.run_once(LATER), await left(store), deletion.stuck) == (1, 0, 0)
    assert kept(tmp_path) == []


async def test_while_its_disk_is_not_mounted_no_file_is_taken_for_removed(
    store: Store, deletion: Deletion, tmp_path: Path
) -> None:
    """The mount point stands there still, and is empty; or another disk was mounted in its place."""
    await keep(store, tmp_path, 1)
    folder, disk = tmp_path / "files", tmp_path / "the disk"
    async with store.reading() as connection:
        (row,) = await keeping.older_than(connection, LATER, None, 10)
    async with store.writing() as connection:
        await keeping.bury(connection, [keeping.Burial(row, "privacy request")], NOON, 480)
    await keep(store, tmp_path, 2)
    folder.rename(disk)
    assert (await deletion.run_once(LATER), deletion.stuck) == (0, 2)
    folder.mkdir()
    assert (await deletion.run_once(LATER), deletion.stuck) == (0, 2)
    (folder / FOLDER_MARK).write_text("rf-of-another-city")
    assert (await deletion.run_once(LATER), deletion.stuck) == (0, 2)
    (folder / FOLDER_MARK).unlink()
    folder.rmdir()
    disk.rename(folder)
    assert (await deletion.run_once(LATER), deletion.stuck, kept(tmp_path)) == (1, 0, [])


async def test_a_rule_for_a_group_or_incident_goes_before_the_default_and_the_longer_counts(
    store: Store, deletion: Deletion, tmp_path: Path
) -> None:
    for number, more in enumerate(({}, {"incident": "E1"}, {"group": "gr-2"}, {"group": "gr-2", "incident": "E2"})):
        await keep(store, tmp_path, number, **more)
    async with store.change() as change:
        await keeping.set_rule(change, AGENCY, Rule(HoldKind.GROUP, "gr-2", 200))
        await keeping.set_rule(change, AGENCY, Rule(HoldKind.INCIDENT, "E2", 500))
        await keeping.set_rule(change, AgencyId("another"), Rule(HoldKind.GROUP, "gr-1", 180))
    at = NOON + 10_000
    assert await deletion.run_once(at + 199 * DAY_MS) == 0
    assert await deletion.run_once(at + 200 * DAY_MS) == 1
    assert await deletion.run_once(at + 365 * DAY_MS) == 1
    assert await deletion.run_once(at + 499 * DAY_MS) == 0
    assert await deletion.run_once(at + 500 * DAY_MS) == 1
    assert await deletion.run_once(at + 9_999 * DAY_MS) == 0
    async with store.change() as change:
        await keeping.set_rule(change, AGENCY, Rule(HoldKind.INCIDENT, "E1", 600))
    assert await deletion.run_once(at + 600 * DAY_MS) == 1


@pytest.mark.parametrize(
    "hold",
    [
        Hold(HoldKind.GROUP, "gr-1", "court"),
        Hold(HoldKind.USER, "us-1", "court"),
        Hold(HoldKind.INCIDENT, "E1", "court"),
        Hold(HoldKind.GROUP, "gr-1", "court", from_ms=NOON - 1, until_ms=NOON + 10),
    ],
)
async def test_what_a_legal_hold_keeps_stays_until_it_is_released(
    store: Store, deletion: Deletion, tmp_path: Path, hold: Hold
) -> None:
    await keep(store, tmp_path, 1, incident="E1")
    async with store.change() as change:
        await keeping.set_rule(change, AGENCY, Rule(HoldKind.INCIDENT, "E1", 180))
        held = await keeping.begin_hold(change, AGENCY, hold)
    assert await deletion.run_once(LATER) == 0
    async with store.change() as change:
        await keeping.end_hold(change, AGENCY, held, "done")
    assert await deletion.run_once(LATER) == 1


@pytest.mark.parametrize(
    "hold", [Hold(HoldKind.GROUP, "gr-2", "x"), Hold(HoldKind.GROUP, "gr-1", "x", until_ms=NOON - DAY_MS)]
)
async def test_a_hold_keeps_nothing_else(store: Store, deletion: Deletion, tmp_path: Path, hold: Hold) -> None:
    await keep(store, tmp_path, 1)
    async with store.change() as change:
        await keeping.begin_hold(change, AGENCY, hold)
    assert await deletion.run_once(LATER) == 1


async def test_a_hold_that_begins_while_it_is_looked_for_what_is_over_keeps_it(
    store: Store, deletion: Deletion, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await keep(store, tmp_path, 1)
    find = keeping.older_than

    async def find_and_hold(*asked: Any) -> list[Any]:
        rows = await find(*asked)
        async with store.change() as change:
            await keeping.begin_hold(change, AGENCY, Hold(HoldKind.GROUP, "gr-1", "court"))
        return rows

    monkeypatch.setattr(keeping, "older_than", find_and_hold)
    assert await deletion.run_once(LATER) == 0
    assert await left(store) == 1


async def test_deletion_on_request_is_audited_and_refused_while_held(
    store: Store, deletion: Deletion, tmp_path: Path
) -> None:
    key = await keep(store, tmp_path, 1)
    async with store.reading() as connection:
        row = await query.any_one(connection, key)
    assert row is not None
    async with store.change() as change:
        held = await keeping.begin_hold(change, AGENCY, Hold(HoldKind.RECORDING, key, "court"))
    actor = Actor(UserId("us-9"), AGENCY, "192.0.2.1")
    assert not await deletion.delete(row, actor, "privacy request")
    async with store.change() as change:
        await keeping.end_hold(change, AGENCY, held, "done")
    assert await deletion.delete(row, actor, "privacy request")
    assert await left(store) == 0
    await store.journal.drain()
    async with store.reading() as connection:
        (entry,) = (await audit_pages.page(connection, AuditFilter(AGENCY, action="recording.delete"))).rows
    assert (entry.actor_id, entry.target_id) == ("us-9", key)


async def test_a_photo_goes_by_the_same_rules(store: Store, deletion: Deletion, tmp_path: Path) -> None:
    picture = tmp_path / "files" / "photo.png"
    picture.write_bytes(b"picture")
    said = Material(
        id="photo-1234567890123", agency=AGENCY, kind=Kind.PHOTO, group=GroupId("gr-1"), unit=None, user=UserId("us-1"),
        user_name="王建国", device=None, incident=None, note="", origin=Origin.CAMERA, taken_ms=NOON, clock_offset_ms=0,
        begun_ms=NOON, place=None, cell=None, media_type="image/png", size=7, sha256=SHA,
    )  # fmt: skip
    async with store.writing() as connection:
        await materials.announce(connection, said)
        row = await materials.find(connection, said.id)
        await materials.keep(connection, row, picture.name, NOON, 480)
    assert await deletion.run_once(NOON + 365 * DAY_MS) == 0
    assert await deletion.run_once(LATER) == 1
    assert not picture.exists()
    assert [stored.entry.kind for stored in await chain(store)] == ["photo", "tombstone"]


async def test_two_nodes_that_delete_at_once_bury_once(store: Store, deletion: Deletion, tmp_path: Path) -> None:
    await keep(store, tmp_path, 1)
    async with store.reading() as connection:
        (row,) = await keeping.older_than(connection, LATER, None, 10)
    for _ in range(2):
        async with store.writing() as connection:
            await keeping.bury(connection, [keeping.Burial(row, "kept 365 days")], LATER, 480)
    assert len(await chain(store)) == 2
