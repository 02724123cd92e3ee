"""The folder of the recordings is known by its mark: to SQL, and to the data folder while SQL is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from poc_server.recording.keeping.folder import RecordingsFolder
from poc_server.recording.layout import FOLDER_MARK
from poc_server.recording.recordings import Recordings
from poc_server.recording.settings import RecordingSettings
from poc_server.store import Store, StoreSettings
from poc_server.store import tables as t
from poc_server.store.ids import now_ms
from poc_server.store.records import folder_marks
from poc_server.work.client import JobFailed
from tests.recording.test_evidence_store import burst

pytestmark = pytest.mark.wire
NOWHERE = "postgresql+asyncpg://poc:poc@127.0.0.1:9/poc?ssl=disable"


@pytest.fixture
async def sql_away(tmp_path: Path) -> AsyncIterator[Store]:
    """A store whose database refuses every connection."""
    made = Store(StoreSettings(url=NOWHERE, connect_timeout_s=1), tmp_path / "its own")
    yield made
    await made.aclose()


async def keep(store: Store, folder: Path) -> None:
    """A recording with a file."""
    (folder / "files" / "1.ogg").write_bytes(b"voice")
    store.journal.append(burst(1).model_copy(update={"file": "1.ogg", "size": 5, "sha256": "ab" * 32}))
    await store.journal.drain()


async def test_the_folder_is_marked_at_the_first_start_and_known_by_its_mark_from_then_on(
    store: Store, tmp_path: Path
) -> None:
    """Of one that was in use before folders had marks, the files say whether it is the one."""
    files, empty = tmp_path / "files", tmp_path / "not mounted"
    files.mkdir()
    empty.mkdir()
    await keep(store, tmp_path)
    assert not await RecordingsFolder(empty).look(store)
    assert not list(empty.iterdir())
    assert await RecordingsFolder(files).look(store)
    (files / "1.ogg").unlink()
    again = RecordingsFolder(files)
    assert await again.look(store)
    assert not await RecordingsFolder(empty).look(store)
    files.rename(tmp_path / "the disk")
    assert not await again.look(store)
    (tmp_path / "the disk").rename(files)
    assert await again.look(store)


async def test_a_database_that_knows_no_mark_takes_over_the_one_that_stands_there(store: Store, tmp_path: Path) -> None:
    """As a new one after the old was lost, or the wrong one: the right one must know its folder again."""
    before, again = RecordingsFolder(tmp_path / "files"), RecordingsFolder(tmp_path / "files")
    assert await before.look(store)
    async with store.writing() as connection:
        await connection.execute(delete(t.folder_mark))
    assert (await again.look(store), again.mark) == (True, before.mark)
    assert await before.look(store)


async def test_an_operators_word_marks_a_folder_that_holds_none_of_the_oldest_files(
    store: Store, tmp_path: Path
) -> None:
    files = tmp_path / "files"
    files.mkdir()
    await keep(store, tmp_path)
    (files / "1.ogg").unlink()
    folder = RecordingsFolder(files)
    assert (await folder.look(store), folder.problem) == (False, "it is empty: is its disk mounted?")
    (files / FOLDER_MARK).write_text("this is it\n")
    assert await folder.look(store)
    assert (files / FOLDER_MARK).read_text() == folder.mark != "this is it"


async def test_nodes_that_begin_at_once_have_one_folder(store: Store, tmp_path: Path) -> None:
    nodes = [RecordingsFolder(tmp_path / "files") for _ in range(3)]
    assert await asyncio.gather(*(each.look(store) for each in nodes)) == [True] * 3
    assert {each.mark for each in nodes} == {(tmp_path / "files" / FOLDER_MARK).read_text()}


async def test_of_nodes_that_begin_at_once_in_two_folders_one_is_told_that_its_own_is_not_the_one(
    store: Store, tmp_path: Path
) -> None:
    nodes = [RecordingsFolder(tmp_path / name) for name in ("mounted", "not mounted")]
    assert sorted(await asyncio.gather(*(each.look(store) for each in nodes))) == [False, True]
    assert sorted(each.is_there() for each in nodes) == [False, True]


async def test_a_folder_that_cannot_be_written_at_the_first_start_is_not_there_and_sql_knows_none(
    store: Store, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.write_text("in its place")
    folder = RecordingsFolder(disk / "recordings")
    assert not await folder.look(store)
    assert "Not a directory" in folder.problem
    async with store.reading() as connection:
        assert await folder_marks.mark_of(connection, "recordings") is None
    disk.unlink()
    assert await folder.look(store)


async def test_while_sql_is_away_a_server_that_starts_anew_believes_its_own_folder_alone(
    store: Store, sql_away: Store, tmp_path: Path
) -> None:
    ours, anothers, unmounted = (tmp_path / name / "recordings" for name in ("ours", "anothers", "unmounted"))
    assert await RecordingsFolder(ours).look(store)
    for folder in (anothers, unmounted):
        folder.mkdir(parents=True)
        (folder.parent / "recordings.mark").write_bytes((ours.parent / "recordings.mark").read_bytes())
    (anothers / FOLDER_MARK).write_text("rf-of-another-city")
    found = {folder: RecordingsFolder(folder) for folder in (ours, anothers, unmounted)}
    assert [await folder.look(sql_away) for folder in found.values()] == [True, False, False]
    assert [folder.is_there() for folder in found.values()] == [True, False, False]
    assert found[anothers].problem == "another folder stands there: its mark says rf-of-another-city"
    assert found[unmounted].problem == "it is empty: is its disk mounted?"
    async with store.writing() as connection:
        await connection.execute(t.folder_mark.update().values(mark="rf-of-another-city"))
    assert [await folder.look(store) for folder in found.values()] == [False, True, False], "what SQL says goes before"
    assert (anothers.parent / "recordings.mark").read_text() == "rf-of-another-city"


async def test_a_server_that_knows_its_folder_by_nothing_keeps_no_voice_in_any_and_tells_consoles(
    sql_away: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "data" / "recordings"
    folder.mkdir(parents=True)
    (folder / FOLDER_MARK).write_text("rf-of-another-city")
    recordings = await Recordings.open(RecordingSettings(), tmp_path / "data", sql_away, "n1", now_ms)
    try:
        assert recordings.disk.state == "gone"
        assert "SQL is away" in recordings.folder.problem
        with pytest.raises(JobFailed, match="mounted"):
            await recordings.worker.run("mux", spools=[["any", None]], zone_minutes=0, **recordings.folder.said())
    finally:
        await recordings.aclose()


async def test_a_folder_that_was_restored_without_its_mark_is_said_to_be(store: Store, tmp_path: Path) -> None:
    folder = RecordingsFolder(tmp_path / "files")
    assert await folder.look(store)
    (tmp_path / "files" / "2026").mkdir()
    (tmp_path / "files" / FOLDER_MARK).unlink()
    assert not await folder.look(store)
    assert folder.problem == (
        "it holds files, but mark is missing: whoever moved or restored it takes mark along, "
        f"or writes {folder.mark} into it"
    )


async def test_an_empty_database_does_not_take_an_unmounted_folder_for_a_new_one(store: Store, tmp_path: Path) -> None:
    assert await RecordingsFolder(tmp_path / "files").look(store)
    (tmp_path / "files" / FOLDER_MARK).unlink()
    async with store.writing() as connection:
        await connection.execute(delete(t.folder_mark))
    assert not await RecordingsFolder(tmp_path / "files").look(store)
    assert not list((tmp_path / "files").iterdir())
