"""The chain as both databases keep it: positions given at the insert, lateness, replay, signatures, tampering."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from groups.vocabulary import AgencyId, BurstEnd, GroupId, UserId
from poc_server.ground.chain import Kind, SignedHead, head_from_json
from poc_server.recording.proving.check import Trust, check, read_daily
from poc_server.recording.proving.judge import Wrong, judge, signatures_by
from poc_server.recording.proving.keys import BadKey, EvidenceKey
from poc_server.recording.proving.notary import Notary
from poc_server.recording.settings import RecordingSettings
from poc_server.store import BurstRecord, Store
from poc_server.store import tables as t
from poc_server.store.ids import now_ms
from poc_server.store.records import evidence
from poc_server.store.records.evidence import Item

pytestmark = pytest.mark.wire
NOON = 1_760_000_000_000
DAY = 86_400_000


def burst(number: int, group: str = "gr-1") -> BurstRecord:
    return BurstRecord(
        id=NOON + number,
        group=GroupId(group),
        agency=AgencyId("ag"),
        user=UserId("us-1"),
        user_name="王建国",
        node="n1",
        started_ms=NOON + number,
        ended_ms=NOON + number + 4_000,
        end=BurstEnd.RELEASED,
    )


def item(subject: str, group: str = "g") -> Item:
    return Item(group, Kind.BURST, subject, json.dumps({"subject": subject}), 480)


async def put(store: Store, items: list[Item], at_ms: int = NOON) -> set[str]:
    async with store.writing() as connection:
        return await evidence.append(connection, items, at_ms)


async def places(store: Store, group: str = "g") -> list[tuple[str, int, str]]:
    async with store.reading() as connection:
        return [
            (stored.entry.day, stored.entry.position, stored.entry.subject)
            async for stored in evidence.entries(connection, group=group)
        ]


async def wrongs(store: Store, key: EvidenceKey, daily: Iterable[SignedHead] = ()) -> set[Wrong]:
    async with store.reading() as connection:
        entries = [stored async for stored in evidence.entries(connection)]
        heads = [*await evidence.heads(connection), *daily]
    trusted = signatures_by({key.name: key.public_pem()})
    return {finding.wrong for finding in judge(entries, heads, trusted, lambda _: None, now_ms() + 120_000)}


async def may_do_anything(store: Store) -> None:
    """As one who owns the database: nothing in it guards the chain any more."""
    async with store.writing() as connection:
        sqlite = connection.dialect.name == "sqlite"
        names = ("evidence_no_delete", "evidence_no_update") if sqlite else ("evidence_guard", "evidence_guard_all")
        for name in names:
            await connection.execute(text(f"DROP TRIGGER {name}{'' if sqlite else ' ON evidence'}"))


@pytest.fixture
def notary(store: Store, tmp_path: Path) -> Notary:
    key = EvidenceKey.of(Ed25519PrivateKey.generate())
    return Notary(key, store, RecordingSettings(), tmp_path / "evidence")


async def test_a_journaled_burst_has_a_row_and_a_place_in_the_chain_once(store: Store) -> None:
    for record in (burst(1), burst(2), burst(1), burst(3, "gr-2")):
        store.journal.append(record)
    await store.journal.drain()
    store.journal.append(burst(2))
    await store.journal.drain()
    assert [position for _, position, _ in await places(store, "gr-1")] == [1, 2]
    async with store.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(t.burst)) == 3
        first = await evidence.entry_of(connection, burst(1).key)
    assert first is not None
    assert json.loads(first.content or "")["user_name"] == "王建国"


async def test_a_burst_that_was_deleted_does_not_come_back_by_a_replay(store: Store) -> None:
    store.journal.append(burst(1))
    await store.journal.drain()
    async with store.writing() as connection:
        await connection.execute(t.burst.delete())
    store.journal.append(burst(1))
    await store.journal.drain()
    async with store.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(t.burst)) == 0


async def test_the_day_is_that_of_the_insert_and_never_goes_back(store: Store) -> None:
    await put(store, [item("a"), item("b")], NOON)
    await put(store, [item("late")], NOON + DAY)
    await put(store, [item("after the clock was set back")], NOON - 5 * DAY)
    assert [(day, position) for day, position, _ in await places(store)] == [
        ("2025-10-09", 1),
        ("2025-10-09", 2),
        ("2025-10-10", 1),
        ("2025-10-10", 2),
    ]


async def test_two_nodes_that_seal_at_once_share_one_chain(store: Store) -> None:
    batches = [[item(f"{node}-{i}", f"g{i % 3}") for i in range(12)] for node in range(4)]
    await asyncio.gather(*(put(store, batch) for batch in batches), put(store, batches[0]))
    for group in range(3):
        assert [position for _, position, _ in await places(store, f"g{group}")] == list(range(1, 17))


async def test_what_is_sealed_is_signed_and_handed_out(store: Store, notary: Notary, tmp_path: Path) -> None:
    await put(store, [item("a"), item("b", "h")])
    assert len(await notary.sign_now()) == 2
    assert await notary.sign_now() == []
    await put(store, [item("c")])
    (signed,) = await notary.sign_now()
    assert (signed.head.group, signed.head.count) == ("g", 2)
    assert await wrongs(store, notary.key) == set()
    lines = (tmp_path / "evidence" / "2025-10-09.heads.jsonl").read_text().splitlines()
    assert [head_from_json(json.loads(line)).head.count for line in lines] == [2, 1]
    assert (tmp_path / "evidence" / "keys" / f"{notary.key.name}.pem").read_text() == notary.key.public_pem()


async def test_what_is_signed_for_several_at_once_is_signed_once(store: Store, notary: Notary, tmp_path: Path) -> None:
    await put(store, [item("a"), item("b", "h")])
    made = await asyncio.gather(*(notary.sign_now() for _ in range(8)))
    assert sum(map(len, made)) == 2
    assert {each.name for each in (tmp_path / "evidence").glob(".*")} == set()
    assert len((tmp_path / "evidence" / "2025-10-09.heads.jsonl").read_text().splitlines()) == 2


async def test_two_nodes_sign_one_chain_and_write_one_file(store: Store, notary: Notary, tmp_path: Path) -> None:
    """They share the key, SQL and the folder, and neither knows what the other is at."""
    other = Notary(notary.key, store, RecordingSettings(), tmp_path / "evidence")
    for subject in ("a", "b", "c"):
        await put(store, [item(subject), item(f"{subject} of h", "h")])
        await asyncio.gather(*(each.sign_now() for each in (notary, other, notary, other)))
    daily, unreadable = read_daily(tmp_path / "evidence")
    assert {signed.head.group for signed in daily if signed.head.count == 3} == {"g", "h"}
    assert (unreadable, await wrongs(store, notary.key, daily)) == ([], set())


async def test_heads_are_also_kept_elsewhere_and_a_share_that_was_away_gets_them_later(
    store: Store, notary: Notary, tmp_path: Path
) -> None:
    share = tmp_path / "share"
    share.write_text("not there")
    notary._settings = RecordingSettings(heads_folder=share / "heads")
    await put(store, [item("a")])
    assert len(await notary.sign_now()) == 1
    share.unlink()
    assert await notary.sign_now() == []
    (copy,) = (share / "heads").glob("*.heads.jsonl")
    assert copy.read_text() == (tmp_path / "evidence" / copy.name).read_text()


async def test_thousands_that_wait_are_signed_at_once_and_all_handed_out(
    store: Store, notary: Notary, tmp_path: Path
) -> None:
    """As after an hour in which SQL was away; an export signs all that it holds."""
    end = {"day": "2025-10-09", "entries": 1, "hash": bytes(32), "signed_entries": 0}
    groups = [f"g{number:04}" for number in range(1_001)]
    async with store.writing() as connection:
        await connection.execute(t.evidence_day.insert(), [{"group_id": group, **end} for group in groups])
    assert sorted(signed.head.group for signed in await notary.sign_now()) == groups
    daily, unreadable = read_daily(tmp_path / "evidence")
    assert ([signed.head.group for signed in daily], unreadable) == (groups, [])


async def test_heads_that_the_disk_did_not_take_are_written_when_it_does(
    store: Store, notary: Notary, tmp_path: Path
) -> None:
    """Also when nothing more is said that day."""
    (tmp_path / "evidence").write_text("in the way")
    await put(store, [item("a")])
    with pytest.raises(OSError, match="evidence"):
        await notary.sign_now()
    (tmp_path / "evidence").unlink()
    assert await notary.sign_now() == []
    daily, _ = read_daily(tmp_path / "evidence")
    assert [(signed.head.group, signed.head.count) for signed in daily] == [("g", 1)]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE evidence SET at_ms = at_ms + 1, content = content WHERE position = 1",
        "UPDATE evidence SET content = '{}' WHERE position = 1",
        "UPDATE evidence SET content = NULL, hash = previous WHERE position = 2",
        "DELETE FROM evidence WHERE position = 2",
    ],
)
async def test_the_database_itself_refuses_to_alter_the_chain(store: Store, statement: str) -> None:
    await put(store, [item("a"), item("b")])
    with pytest.raises(DBAPIError, match="append-only"):
        async with store.writing() as connection:
            await connection.execute(text(statement))


async def test_one_who_may_do_anything_to_the_database_is_found_out(store: Store, notary: Notary) -> None:
    await put(store, [item("a"), item("b"), item("c")])
    await notary.sign_now()
    assert await wrongs(store, notary.key) == set()
    await may_do_anything(store)
    async with store.writing() as connection:
        await connection.execute(text("UPDATE evidence SET content = '{}' WHERE subject = 'b'"))
    assert await wrongs(store, notary.key) == {Wrong.ALTERED}
    async with store.writing() as connection:
        await connection.execute(text("DELETE FROM evidence WHERE subject IN ('b', 'c')"))
    assert await wrongs(store, notary.key) == {Wrong.CUT_SHORT}
    async with store.writing() as connection:
        await connection.execute(text("UPDATE evidence_day SET signed_entries = 1, entries = 1"))
    assert await wrongs(store, notary.key) == {Wrong.BAD_SIGNATURE, Wrong.UNSIGNED}


ROWS = {
    "UPDATE burst SET user_name = '李四' WHERE id = {2}": "altered #2 its row: user_name",
    "UPDATE burst SET started_ms = started_ms - 60000 WHERE id = {1}": "altered #1 its row: started_ms",
    "UPDATE burst SET kept_ms = kept_ms - 1 WHERE id = {1}": "altered #1 its row: kept_ms",
    "UPDATE burst SET peaks = (SELECT content_hash FROM evidence WHERE position = 1) WHERE id = {2}": (
        "altered #2 its row: peaks_sha256"
    ),
    "UPDATE burst SET group_id = 'gr-2' WHERE id = {3}": "altered #3 its row: group",
    "UPDATE burst SET longitude = 100 WHERE id = {3}": "altered #3 its row: place",
    "DELETE FROM burst WHERE id = {2}": "missing #2 its row: nothing",
    "UPDATE burst SET key = 'b-new' WHERE id = {2}": "missing #2 its row: nothing|inserted #None its row: no entry",
    # Two that changed places, as far as rows have any: each tells the other's time.
    "UPDATE burst SET started_ms = {1} + {2} - started_ms WHERE id IN ({1}, {2})": (
        "altered #1 its row: started_ms|altered #2 its row: started_ms"
    ),
}


async def test_a_row_that_tells_otherwise_than_was_sealed_is_found(
    store: Store, notary: Notary, tmp_path: Path
) -> None:
    """What pages and exports show of a burst stands in a row of its own, which no trigger guards."""
    for number in (1, 2, 3):
        store.journal.append(burst(number))
    await store.journal.drain()
    await notary.sign_now()
    trust = Trust({notary.key.name: notary.key.public_pem()})
    assert (await check(store.database, tmp_path, trust, now_ms())).findings == ()
    async with store.reading() as connection:
        whole = [dict(row._mapping) for row in await connection.execute(select(t.burst))]
    ids = {number: NOON + number for number in (0, 1, 2, 3)}
    for statement, expected in ROWS.items():
        async with store.writing() as connection:
            await connection.execute(text(statement.format(*ids.values())))
        found = (await check(store.database, tmp_path, trust, now_ms())).findings
        said = [f"{finding.wrong} #{finding.position} {finding.detail}" for finding in found]
        assert all(line.startswith(start) for line, start in zip(said, expected.split("|"), strict=True)), said
        async with store.writing() as connection:
            await connection.execute(t.burst.delete())
            await connection.execute(t.burst.insert(), whole)
    assert (await check(store.database, tmp_path, trust, now_ms(), "gr-1")).findings == ()


async def test_a_chain_that_was_rebuilt_and_is_signed_anew_is_named_for_good(
    store: Store, notary: Notary, tmp_path: Path
) -> None:
    """Whoever has SQL can have his own chain signed by the notary that runs; what it signed before stays beside it."""
    share = tmp_path / "share"
    notary._settings = RecordingSettings(heads_folder=share)
    await put(store, [item("a"), item("b"), item("x", "h")])
    await notary.sign_now()
    await may_do_anything(store)
    async with store.writing() as connection:
        await connection.execute(text("DELETE FROM evidence WHERE group_id = 'g'"))
        for table in ("evidence_day", "evidence_chain"):
            await connection.execute(text(f"DELETE FROM {table} WHERE group_id = 'g'"))
    for subject, signed_then, wrong in [("b2", [1, 1, 2], Wrong.CUT_SHORT), ("c", [2, 1, 2], Wrong.REBUILT)]:
        await put(store, [item(subject)])
        assert len(await notary.sign_now()) == 1
        for folder in (tmp_path / "evidence", share):
            daily, unreadable = read_daily(folder)
            assert ([signed.head.count for signed in daily], unreadable) == (signed_then, [])
            assert await wrongs(store, notary.key, daily) == {wrong}
    # What is signed from now on takes no line away either, and no honest line stays.
    await put(store, [item("d"), item("y", "h")])
    await notary.sign_now()
    daily, _ = read_daily(share)
    assert [signed.head.count for signed in daily] == [3, 2, 2]
    assert await wrongs(store, notary.key, daily) == {Wrong.REBUILT}


def test_the_key_is_made_once_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "evidence.pem"
    made = EvidenceKey.open(path)
    assert path.stat().st_mode & 0o077 == 0
    assert EvidenceKey.open(path).name == made.name
    path.write_text("junk")
    with pytest.raises(BadKey):
        EvidenceKey.open(path)
