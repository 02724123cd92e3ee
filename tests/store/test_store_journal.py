"""The journal: never waits, each record once, in order, whatever happens to SQL, the disk or the process."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from structlog.testing import capture_logs

from groups.emergency.broadcast import PersonReceipt
from groups.vocabulary import AgencyId, BurstEnd, CallId, GroupId, GroupKind, ReceiptState, Tier, UserId
from poc_server.ground.refused import StoreUnavailable
from poc_server.store import Actor, BurstRecord, CallEnded, CallStarted, Journal, Store, audit, emergency
from poc_server.store import tables as t
from poc_server.store.journal import BroadcastOver, EmergencyCallOver, OthersJournals, lines
from poc_server.store.journal.identity import MARK, NAME
from poc_server.store.journal.replay import DEAD_LETTERS, SLICE
from poc_server.store.records import evidence
from poc_server.store.settings import JournalSettings
from poc_server.store.sql.engine import Database

pytestmark = pytest.mark.wire
START = 1_700_000_000_000


def burst(number: int, group: str = "gr-1") -> BurstRecord:
    return BurstRecord(
        id=START + number,
        group=GroupId(group),
        agency=AgencyId("ag"),
        user=UserId("us-1"),
        user_name="王建国",
        node="n1",
        started_ms=START + number,
        ended_ms=START + number + 4_000,
        end=BurstEnd.RELEASED,
        packets=100,
    )


async def count(database: Database) -> int:
    async with database.reading() as connection:
        return int(await connection.scalar(select(func.count()).select_from(t.burst)) or 0)


async def test_records_of_every_kind_become_rows_once(database: Database, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", database, JournalSettings())
    entry = audit.entry(
        Actor(UserId("us-1"), AgencyId("ag")), START, "monitor.start", "group", "gr-1", {"hidden": True}
    )
    records = [
        CallStarted(
            id=CallId("ca-1"),
            group=GroupId("gr-1"),
            agency=AgencyId("ag"),
            call_kind=GroupKind.CHAT,
            node="n1",
            at_ms=1,
        ),
        burst(1),
        burst(2),
        burst(2),
        CallEnded(id=CallId("ca-1"), at_ms=9, reason="idle"),
        CallEnded(id=CallId("ca-1"), at_ms=10, reason="again"),
    ]
    for record in records:
        journal.append(record)
    journal.audit(entry)
    journal.audit(entry)
    assert await journal.drain() == 8
    async with database.reading() as connection:
        assert (await connection.execute(select(t.call.c.ended_ms, t.call.c.end_reason))).one() == (9, "idle")
        assert (await audit.verify(connection)) == audit.AuditCheck(1)
    assert await count(database) == 2
    await journal.aclose()


async def test_an_end_that_waited_on_disk_closes_its_row_when_the_journal_has_caught_up(
    database: Database, tmp_path: Path
) -> None:
    us, agency = [UserId(f"us-{number}") for number in range(3)], AgencyId("ag")
    call = emergency.Kept("call", agency, us[0], True, START, {}, group=GroupId("em-1"), tier=Tier.EMERGENCY)
    async with database.writing() as connection:
        await emergency.put_call(connection, call, [])
        for name in ("over", "going-on"):
            kept = emergency.Kept(name, agency, us[0], True, START, {"said": 1}, "running")
            await emergency.put_broadcast(connection, kept, [])
            await emergency.begin_receipts(connection, name, us)
    journal = Journal(tmp_path / "j", database, JournalSettings())
    journal.append(EmergencyCallOver(id="call"))
    async with database.writing() as connection:  # another node had reached him
        await emergency.put_receipts(connection, "over", [PersonReceipt(us[2], ReceiptState.HEARD, sent_at=1)])
    for missed in (us[:1], us[1:]):
        journal.append(BroadcastOver(id="over", state="withdrawn", content={"said": 2}, missed=tuple(missed)))
    await journal.flush()
    await asyncio.gather(journal.catch_up(), journal.catch_up())
    assert journal.state().applied == 3, "each once, whoever asks"
    async with database.reading() as connection:
        assert await emergency.open_calls(connection) == []
        assert [each.id for each in await emergency.open_broadcasts(connection)] == ["going-on"]
        over = await emergency.find_broadcast(connection, "over")
        assert over is not None
        assert (over.state, over.content) == ("withdrawn", {"said": 2})
        found = [each.state for each in await emergency.receipts(connection, "over")]
        assert found == [ReceiptState.MISSED, ReceiptState.MISSED, ReceiptState.HEARD]
    await journal.aclose()


async def test_who_waits_for_a_journal_far_behind_is_not_held_up(database: Database, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", database, JournalSettings())
    journal.append(burst(1))
    await journal.flush()
    with pytest.raises(StoreUnavailable):
        await journal.catch_up(within_s=0)
    await journal.catch_up(within_s=30)
    assert await count(database) == 1
    await journal.aclose()


async def test_a_journal_far_behind_is_read_and_applied_in_slices_between_which_the_loop_has_its_turn(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "j", database, JournalSettings())
    for number in range(4 * SLICE):
        journal.append(burst(number, f"gr-{number % 3}"))
    await journal.flush()
    since_turn, most = 0, 0

    def counted(line: bytes) -> dict[str, Any]:
        nonlocal since_turn, most
        since_turn += 1
        most = max(most, since_turn)
        return decode(line)

    async def turns() -> None:
        nonlocal since_turn
        while True:
            since_turn = 0
            await asyncio.sleep(0)

    async def applied(connection: AsyncConnection, found: Sequence[Any]) -> None:
        sizes.append(len(found))
        await apply(connection, found)

    appliers = journal.replayer.appliers
    decode, apply, sizes = lines.decode, appliers["burst"], list[int]()
    monkeypatch.setattr(lines, "decode", counted)
    monkeypatch.setitem(appliers, "burst", applied)
    others = asyncio.create_task(turns())
    assert await journal.drain() == 4 * SLICE
    others.cancel()
    assert (most, sizes) == (SLICE, [SLICE] * 4)
    assert await count(database) == 4 * SLICE
    async with database.reading() as connection:
        chain = [stored async for stored in evidence.entries(connection, group="gr-0")]
    assert len(chain) > SLICE, "one chain goes on through several slices"
    for before, after in itertools.pairwise(chain):
        assert (after.entry.position, after.entry.previous) == (before.entry.position + 1, before.hash)
    await journal.aclose()


async def test_a_journal_replayed_from_its_beginning_changes_nothing(database: Database, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", database, JournalSettings(segment_bytes=4_096))
    for number in range(300):
        journal.append(burst(number))
        if number % 50 == 0:
            await journal.flush()
    await journal.drain()
    assert len(lines.segments(tmp_path / "j")) > 3
    async with database.writing() as connection:
        await connection.execute(text("DELETE FROM journal_position"))
    await journal.aclose()
    again = Journal(tmp_path / "j", database, JournalSettings())
    assert await again.drain() == 300
    assert await count(database) == 300
    await again.aclose()


async def test_a_copied_folder_goes_on_under_a_name_of_its_own_and_nothing_of_either_is_passed_over(
    database: Database, tmp_path: Path
) -> None:
    """A machine that was cloned, while its node ran or while it stood still."""
    first = Journal(tmp_path / "first", database, JournalSettings())
    first.append(burst(0))
    await first.drain()
    shutil.copytree(tmp_path / "first", tmp_path / "copy")
    copy = Journal(tmp_path / "copy", database, JournalSettings())
    for number in (1, 3, 5):
        copy.append(burst(number))
        await copy.drain()
        first.append(burst(number + 1))
        await first.drain()
    assert await count(database) == 7
    await copy.aclose()
    await first.aclose()
    shutil.copytree(tmp_path / "first", tmp_path / "again")
    both = [Journal(tmp_path / name, database, JournalSettings()) for name in ("again", "first")]
    for number, journal in enumerate(both, 7):
        journal.append(burst(number))
        await journal.drain()
    assert await count(database) == 9
    for journal in both:
        await journal.aclose()
    assert len({(tmp_path / name / NAME).read_text() for name in ("first", "copy", "again")}) == 3


@pytest.mark.parametrize("store_settings", ["sqlite"], indirect=True)
async def test_a_journal_that_cannot_be_marked_says_so_and_goes_on_when_it_can(
    database: Database, tmp_path: Path
) -> None:
    """Its disk is read-only, say; in the log that was a database that is away."""
    in_the_way = tmp_path / "j" / MARK
    in_the_way.mkdir(parents=True)
    journal = Journal(tmp_path / "j", database, JournalSettings(retry_ms=10))
    journal.append(burst(1))
    with capture_logs() as logs:
        journal.start()
        await until(lambda: journal.replayer.away)
    assert [each["event"] for each in logs] == ["journal_sql_away"]
    assert "Is a directory" in logs[0]["problem"]
    in_the_way.rmdir()
    async with asyncio.timeout(30):
        while await count(database) == 0:  # noqa: ASYNC110 - the replayer has no event for that
            await asyncio.sleep(0.01)
    assert not journal.replayer.away
    await journal.aclose()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - the replayer has no event for that
            await asyncio.sleep(0.01)


async def test_two_processes_with_one_journal_share_its_name(database: Database, tmp_path: Path) -> None:
    """A command beside the server opens its journal, too."""
    journal = Journal(tmp_path / "j", database, JournalSettings())
    name = (tmp_path / "j" / NAME).read_text()
    for number in range(2):
        journal.append(burst(number))
        await journal.flush()
        command = Journal(tmp_path / "j", database, JournalSettings())
        assert await command.drain() == 1
        await command.aclose()
        await journal.drain()
    assert (await count(database), (tmp_path / "j" / NAME).read_text()) == (2, name)
    await journal.aclose()


async def test_a_journal_whose_node_is_gone_is_brought_into_sql_by_another(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one of a city that had one node. One that goes on is its own node's, and so is what only that can read."""
    names = ("nodes/gone/journal", "nodes/lives/journal", "nodes/newer/journal", "journal")
    gone, lives, newer, alone = (Journal(tmp_path / name, database, JournalSettings()) for name in names)
    for number, journal in enumerate((gone, lives, newer, alone)):
        journal.append(burst(number))
        await journal.flush()
    for journal in (gone, newer, alone):
        await journal.aclose()
    with lines.segment_path(tmp_path / "nodes/newer/journal", 1).open("ab") as file:
        file.write(lines.encode({"kind": "from_the_future", "v": 1}))
    (tmp_path / "nodes" / "begins" / "journal").mkdir(parents=True)
    (tmp_path / "nodes" / "a broken disk" / "journal").mkdir(parents=True)
    (tmp_path / "nodes" / "a broken disk" / "journal" / NAME).write_bytes(b"\xff")
    own = tmp_path / "nodes" / "own" / "journal"
    others = OthersJournals(tmp_path, own, database, JournalSettings(), lambda: START)
    assert (await others.look(), await count(database)) == (0, 0)
    await lives.drain()
    lives.append(burst(9))
    await lives.flush()
    assert (await others.look(), await count(database)) == (2, 3)
    assert await others.look() == 1, "a node that is heard of no more, or has no SQL"
    assert (await others.look(), await count(database)) == (0, 4)
    apply, applied = lives.replayer.appliers["burst"], list[int]()

    async def counted(connection: AsyncConnection, found: Sequence[BurstRecord]) -> None:
        applied.extend(each.id - START for each in found)
        await apply(connection, found)

    monkeypatch.setitem(lives.replayer.appliers, "burst", counted)
    assert (await lives.drain(), applied) == (1, []), "it slept, and finds it there"
    assert await others.look() == 0
    lives.append(burst(10))
    assert (await lives.drain(), applied, await count(database)) == (1, [10], 5)
    assert not (tmp_path / "nodes" / "newer" / "journal" / DEAD_LETTERS).exists()
    newest = Journal(tmp_path / "nodes/newer/journal", database, JournalSettings())
    assert (await newest.drain(), await count(database)) == (1, 6)
    await newest.aclose()
    await lives.aclose()


async def test_what_is_torn_flipped_or_impossible_goes_to_the_dead_letters(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "j"
    journal = Journal(folder, database, JournalSettings())
    for number in range(3):
        journal.append(burst(number))
    await journal.aclose()
    path = lines.segment_path(folder, 1)
    whole = path.read_bytes().splitlines(keepends=True)
    flipped = whole[1].replace(b"gr-1", b"gr-2")
    alien = lines.encode({"kind": "burst", "v": 99})
    unknown = lines.encode({"kind": "from_the_future", "v": 1})
    path.write_bytes(whole[0] + flipped + b"\x00\xff\n" + alien + unknown + whole[2] + whole[0][:20])
    journal = Journal(folder, database, JournalSettings())
    journal.append(burst(7))
    assert await journal.drain() == 3
    assert journal.state().dead == 5
    assert len((folder / DEAD_LETTERS).read_bytes().splitlines()) == 5
    assert await count(database) == 3
    await journal.aclose()


async def test_a_record_that_sql_refuses_for_ever_does_not_hold_up_the_rest(database: Database, tmp_path: Path) -> None:
    guard = (
        "CREATE TRIGGER refuse BEFORE INSERT ON burst WHEN NEW.group_id = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END"
        if database.sqlite
        else "ALTER TABLE burst ADD CONSTRAINT refuse CHECK (group_id <> 'bad')"
    )
    async with database.writing() as connection:
        await connection.execute(text(guard))
    journal = Journal(tmp_path / "j", database, JournalSettings())
    for number in range(10):
        journal.append(burst(number, "bad" if number == 4 else "gr-1"))
    assert await journal.drain() == 9
    assert (journal.state().dead, await count(database)) == (1, 9)
    assert await journal.drain() == 0
    await journal.aclose()


async def test_old_segments_are_forgotten_only_when_they_stand_in_sql(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "j"
    for number in range(3):
        journal = Journal(folder, database, JournalSettings(keep_days=0))
        journal.append(burst(number))
        await journal.aclose()
    journal = Journal(folder, database, JournalSettings(keep_days=0))
    journal.replayer.forget_old()
    assert lines.segments(folder) == [1, 2, 3]
    await journal.drain()
    journal.replayer.forget_old()
    assert lines.segments(folder) == [3]
    await journal.aclose()


async def test_memory_holds_no_more_than_its_limit_while_the_disk_refuses(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "j"
    journal = Journal(folder, database, JournalSettings(waiting_limit=10, sync_ms=1))
    (folder / "000000000001.journal").mkdir()  # the next segment cannot be created: the disk says no
    for number in range(40):
        journal.append(burst(number))
        await asyncio.sleep(0)
    state = journal.state()
    assert state.lost >= 40 - 10 - 30
    (folder / "000000000001.journal").rmdir()
    await journal.flush()
    assert journal.state().written == journal.appended
    assert await journal.drain() == journal.appended
    await journal.aclose()


async def test_append_returns_at_once(store: Store) -> None:
    loop = asyncio.get_running_loop()
    slowest = 0.0
    for number in range(500):
        before = loop.time()
        store.journal.append(burst(number))
        slowest = max(slowest, loop.time() - before)
    assert slowest < 0.2
    await store.journal.drain()
    assert await count(store.database) == 500
