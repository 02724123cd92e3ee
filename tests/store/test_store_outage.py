"""SQL goes away under load and comes back: rows equal what was said, none twice, access as quick as ever.

``python -m tools.bench.journal_outage`` does it for a minute with a whole server and phones that talk.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import func, select

from groups.vocabulary import AgencyId, BurstEnd, GroupId, UserId
from poc_server.auth import Auth
from poc_server.auth.keys import load_or_make
from poc_server.demo.city import build_city
from poc_server.ground import durable
from poc_server.ground.refused import StoreUnavailable
from poc_server.store import SYSTEM, BurstRecord, Store, StoreSettings
from poc_server.store import tables as t
from poc_server.store.directory.directory_copy import CopyKeeper, read, save
from poc_server.store.directory.snapshot import Snapshot
from poc_server.store.journal import lines
from poc_server.store.settings import JournalSettings
from poc_server.store.shutting_out import AT_ONCE_S
from poc_server.store.store import REMEMBER_ENDED_MS
from tests.fixtures.databases import create_database
from tests.fixtures.people import QUICK, Clock, found_town
from tests.fixtures.postgres import Postgres

pytestmark = pytest.mark.wire
STOPPED_S = 3.0
BURSTS_PER_S = 100


def burst(number: int) -> BurstRecord:
    at = 1_700_000_000_000 + number
    return BurstRecord(
        id=at,
        group=GroupId(f"gr-{number % 12}"),
        agency=AgencyId("ag"),
        user=UserId("us"),
        user_name="王建国",
        node="n1",
        started_ms=at,
        ended_ms=at + 4_000,
        end=BurstEnd.RELEASED,
    )


class Load:
    """Bursts at a steady rate, and for each what a press needs of the store: token, user, membership."""

    def __init__(self, store: Store, auth: Auth, token: str) -> None:
        self._store, self._auth, self._token = store, auth, token
        self.said = 0
        self.phase = "before"
        self.access_us: dict[str, list[float]] = {"before": [], "during": [], "after": []}
        self.append_us: dict[str, list[float]] = {"before": [], "during": [], "after": []}

    async def run(self) -> None:
        directory = self._store.directory
        while True:
            began = time.perf_counter()
            claims = self._auth.verify_access(self._token)
            assert all(directory.membership(group, claims.user) for group in directory.groups_of(claims.user))
            checked = time.perf_counter()
            self._store.journal.append(burst(self.said))
            done = time.perf_counter()
            self.said += 1
            self.access_us[self.phase].append((checked - began) * 1e6)
            self.append_us[self.phase].append((done - checked) * 1e6)
            await asyncio.sleep(1 / BURSTS_PER_S)


def spread(samples: list[float]) -> dict[str, float]:
    ordered = sorted(samples)
    return {
        "p50": round(ordered[len(ordered) // 2], 1),
        "p99": round(ordered[int(len(ordered) * 0.99)], 1),
        "max": round(ordered[-1], 1),
        "count": len(ordered),
    }


async def until(true: Callable[[], bool]) -> None:
    """Look again and again; no longer than a minute."""
    began = time.monotonic()
    while not true():
        await asyncio.sleep(0.02)
        assert time.monotonic() - began < 60


async def applied(store: Store, count: int) -> float:
    """Seconds until so many records stand in SQL."""
    began = time.monotonic()
    await until(lambda: store.journal.state().applied >= count)
    return time.monotonic() - began


async def test_postgresql_stopped_under_load(own_postgres: Postgres, tmp_path: Path) -> None:
    url = await create_database(own_postgres, "city")
    store = await Store.open(StoreSettings(url=url, journal=JournalSettings(retry_ms=100)), tmp_path / "data")
    auth = Auth(QUICK, store, load_or_make(tmp_path / "keys"))
    users = await build_city(store)
    signed = await auth.start_session(users[0], "demo")
    load = Load(store, auth, signed.access_token)
    await applied(store, 1)
    others = store.journal.state().appended
    running = asyncio.create_task(load.run())
    await asyncio.sleep(2)

    load.phase = "during"
    stopped = time.monotonic()
    await asyncio.to_thread(own_postgres.stop, "immediate")
    renewed = await auth.refresh(signed.refresh_token)  # a known phone comes back without SQL
    assert auth.verify_access(renewed.access_token).user == users[0]
    with pytest.raises(StoreUnavailable):
        async with store.change():
            pass
    await asyncio.sleep(max(0.0, STOPPED_S - (time.monotonic() - stopped)))
    waiting = load.said - store.journal.state().applied
    assert store.journal.state().sql_away
    await asyncio.to_thread(own_postgres.start)
    away_s = time.monotonic() - stopped

    load.phase = "after"
    caught_up_s = await applied(store, load.said)
    await asyncio.sleep(1)
    running.cancel()
    await store.journal.flush()
    await applied(store, load.said + others)
    async with store.reading() as connection:
        rows = int(await connection.scalar(select(func.count()).select_from(t.burst)) or 0)
        distinct = len(set((await connection.execute(select(t.burst.c.id))).scalars()))
    state = store.journal.state()
    print(f"away {away_s:.1f} s, {waiting} records waited, applied {caught_up_s:.2f} s after the return")
    access = {phase: spread(samples) for phase, samples in load.access_us.items()}
    assert (rows, distinct, state.dead, state.lost) == (load.said, load.said, 0, 0)
    assert load.access_us["during"]
    # Ratios of one run: times alone say more about the machine's other work.
    assert access["during"]["p50"] < 3 * access["before"]["p50"]
    assert (await auth.refresh(renewed.refresh_token)).session == signed.session
    await store.aclose()


async def test_a_node_starts_from_its_copy_while_sql_is_away(own_postgres: Postgres, tmp_path: Path) -> None:
    url = await create_database(own_postgres, "city")
    settings = StoreSettings(url=url, poll_ms=50, connect_timeout_s=1)
    own = tmp_path / "data/nodes/n1"  # as where several nodes share the data folder
    store = await Store.open(settings, tmp_path / "data", own=own)
    auth = Auth(QUICK, store, load_or_make(tmp_path / "keys"))
    users = await build_city(store)
    signed = await auth.start_session(users[0], "demo")
    ended = await auth.start_session(users[1], "demo")
    await auth.sign_out(auth.verify_access(ended.access_token))
    before = store.directory.snapshot
    await store.aclose()
    await asyncio.to_thread(own_postgres.stop)

    again = await Store.open(settings, tmp_path / "data", own=own)
    assert (again.ready, again.directory.snapshot) == (False, before)
    assert not await again.shutting_out.disable(SYSTEM, "user", users[2])
    await again.aclose()
    again = await Store.open(settings, tmp_path / "data", own=own)
    assert not again.directory.snapshot.users[users[2]].enabled, "nor is he let in after a restart"
    known = Auth(QUICK, again, load_or_make(tmp_path / "keys"))
    assert known.verify_access(signed.access_token).user == users[0]
    assert (await known.refresh(signed.refresh_token)).user.id == users[0]
    with pytest.raises(Exception, match="bad_token"):
        known.verify_access(ended.access_token)
    await known.sign_out(known.verify_access(signed.access_token))
    with pytest.raises(Exception, match="bad_token"):
        known.verify_access(signed.access_token)
    again.journal.append(burst(1))
    await asyncio.to_thread(own_postgres.start)
    await until(lambda: again.ready)
    await again.journal.drain()
    await until(lambda: not again.directory.snapshot.shut_out)
    assert not again.directory.snapshot.users[users[2]].enabled, "as SQL says itself"
    async with again.reading() as connection:
        ends = await connection.execute(select(t.session.c.end_reason).where(t.session.c.ended_ms.is_not(None)))
        assert set(ends.scalars()) == {"signed_out"}
    await again.aclose()

    await asyncio.to_thread(own_postgres.stop)
    with pytest.raises(StoreUnavailable):
        await Store.open(settings, tmp_path / "elsewhere")


async def test_the_copy_stands_also_after_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is shut out stands in it alone while SQL is away: its name must be on the disk as well as its text."""
    put, synced = durable.sync, list[Path]()

    def sync(path: Path) -> None:
        put(path)
        synced.append(path)

    monkeypatch.setattr(durable, "sync", sync)
    await save(tmp_path / "copy", Snapshot())
    assert synced == [tmp_path]


async def test_who_is_shut_out_is_in_the_copy_without_a_pause(tmp_path: Path) -> None:
    path = tmp_path / "directory.copy"
    keeper = CopyKeeper(path, pause_s=3_600)
    keeper.keep(Snapshot(version=1))
    await until(path.exists)
    keeper.keep(Snapshot(version=2, shut_out={"us-1": 1}), at_once=True)
    await until(lambda: read(path) == Snapshot(version=2, shut_out={"us-1": 1}))
    await keeper.aclose()


async def test_while_sql_is_away_what_ended_stays_over_and_nobody_is_locked_out(
    own_postgres: Postgres, tmp_path: Path
) -> None:
    url, clock = await create_database(own_postgres, "city"), Clock()
    store = await Store.open(StoreSettings(url=url), tmp_path / "data", clock)
    town = await found_town(store, Auth(QUICK, store, load_or_make(tmp_path / "keys"), clock), clock)
    ended = await town.auth.start_session(await town.person(), "demo")
    await town.auth.sign_out(town.auth.verify_access(ended.access_token))
    clock.forward(0.001)
    kept = await town.auth.start_session(await town.person(), "demo")
    clock.forward(REMEMBER_ENDED_MS / 1000)
    await town.person()
    assert ended.session not in store.directory.snapshot.ended_sessions
    # Frozen it takes each question and answers none, not even that one is given up.
    await asyncio.to_thread(own_postgres.freeze)
    began = time.monotonic()
    assert (await town.auth.refresh(kept.refresh_token)).session == kept.session
    assert time.monotonic() - began < AT_ONCE_S + 1.5, "parting from it takes no time"
    await asyncio.to_thread(own_postgres.thaw)
    await asyncio.to_thread(own_postgres.stop)
    for _ in range(QUICK.per_account.free + 1):  # what an outage refuses was no guess
        with pytest.raises(StoreUnavailable):
            await town.auth.sign_in("wang", "whatever", "192.0.2.1")
    for _ in range(QUICK.per_address.free + 1):
        with pytest.raises(StoreUnavailable):
            await town.auth.enrol("a code", "", "192.0.2.1")
    with pytest.raises(StoreUnavailable):  # not a word that would sign out a phone whose session goes on
        await town.auth.refresh(ended.refresh_token)
    assert (await town.auth.refresh(kept.refresh_token)).session == kept.session
    await store.aclose()


WRITER = """
import asyncio, sys
from pathlib import Path
from poc_server.store.sql.engine import Database
from poc_server.store.journal import Journal
from poc_server.store.settings import JournalSettings, StoreSettings
from tests.store.test_store_outage import burst

async def main() -> None:
    folder = Path(sys.argv[1])
    database = Database.open(StoreSettings(), folder)
    journal = Journal(folder / "journal", database, JournalSettings(segment_bytes=20_000))
    for number in range(1_000_000):
        journal.append(burst(number))
        if number % 10 == 9:
            await journal.flush()
            print(number + 1, flush=True)

asyncio.run(main())
"""


async def test_what_was_said_to_be_on_disk_outlives_kill_9(tmp_path: Path) -> None:
    store = await Store.open(StoreSettings(), tmp_path)
    await store.aclose()
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(tmp_path), stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": "."}
    )
    assert writer.stdout is not None
    said = [await writer.stdout.readline() for _ in range(40)]
    writer.send_signal(signal.SIGKILL)
    confirmed = int(b"".join([*said, (await writer.communicate())[0]]).split()[-1])
    assert len(lines.segments(tmp_path / "journal")) > 2
    store = await Store.open(StoreSettings(), tmp_path)
    await store.journal.drain()
    async with store.reading() as connection:
        rows = int(await connection.scalar(select(func.count()).select_from(t.burst)) or 0)
    assert confirmed <= rows <= confirmed + 20
    assert store.journal.state().dead <= 1  # the line that was being written
    await store.aclose()
