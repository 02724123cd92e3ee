"""The clock is set, forward and back: duty follows it, places go on, and nothing is deleted because of it.

It is one clock, that of all nodes, handed in from where a process is put together.
"""

from __future__ import annotations

import ast
import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

import poc_server
from groups.model import User
from groups.policy import Act
from groups.vocabulary import AgencyId, GroupId, Role, UnitId, UserId
from poc_server.store import Store, StoreSettings, audit, retention
from poc_server.store.city import duty, groups, people, units
from poc_server.store.clock import JUMP_MS, SoundClock
from poc_server.store.places import Place
from poc_server.talk.audit import Audit
from tests.fixtures.people import Clock

HOUR_S = 3_600
WALL = {"time.time", "time.time_ns", "datetime.now", "dt.datetime.now", "import now_ms"}
READERS = {
    "store/ids.py": "the clock of a process that stands alone",
    "store/store.py": "of a command, unless it is given another",
    "store/journal/__init__.py": "of a command, unless it is given another",
    "auth/service.py": "of a command, unless it is given another",
    "fabric/local.py": "the clock of a single node",
    "fabric/redis/clock.py": "what Redis's clock is told from",
    "commands/verifying.py": "puts the command together",
    "media/shared.py": "of a media edge that stands alone",
    "media/wire/dtls.py": "the end of a certificate that this process made",
    "lan/certificates.py": "the certificates of one machine",
    "store/journal/replay.py": "the age of files of this node",
    "worker/convert.py": "the age of files of this node",
    "worker/mux.py": "the age of files of this node",
}


def test_nobody_reads_the_wall_clock_but_the_clocks_themselves() -> None:
    root = Path(poc_server.__path__[0])
    assert {path.relative_to(root).as_posix() for path in root.rglob("*.py") if reads_the_wall(path)} == READERS.keys()


def test_what_people_do_is_kept_as_of_the_time_of_all_nodes() -> None:
    clock, kept = Clock(), list[int]()
    done = Audit(lambda record: kept.append(getattr(record, "at_ms", -1)), clock)
    clock.forward(-HOUR_S)
    done(User(UserId("us"), AgencyId("ag"), UnitId("un"), "王", frozenset()), Act.REPLAY, "group", "gr", {})
    assert kept == [clock()]


def test_a_clock_that_jumped_is_not_believed() -> None:
    wall, steady = Clock(), [0.0]
    clock = SoundClock(wall, lambda: steady[0])
    for seconds, sound in ((JUMP_MS // 1000, True), (1, False), (-1, True), (-2 * JUMP_MS // 1000 - 1, False)):
        wall.forward(seconds)
        assert clock.sound() is sound
    steady[0] -= JUMP_MS / 1000 + 1
    assert clock.sound(), "time that passes is no jump"


@pytest.mark.wire
async def test_duty_follows_the_clock_places_go_on_and_logs_stay(tmp_path: Path) -> None:
    clock = Clock()
    store = await Store.open(StoreSettings(poll_ms=50), tmp_path, clock)
    now = clock()
    async with store.change(at_ms=now) as change:
        agency = await units.create_agency(change, "江城")
        unit = await units.create_unit(change, agency, None, "市")
        user = await people.create_user(change, people.UserDraft(agency, unit, "王", frozenset({Role.OFFICER})))
        group = await groups.create_group(change, groups.GroupDraft(agency, unit, "当班", duty_unit=unit))
        shift = duty.ShiftDraft(agency, unit, "早班", now - 1_000, now + HOUR_S * 1000, frozenset({user}))
        await duty.create_shift(change, shift)
    await until(lambda: user in store.directory.members(group))
    clock.forward(-24 * HOUR_S)
    await until(lambda: user not in store.directory.members(group))
    report(store, agency, user, clock())
    clock.forward(24 * HOUR_S)
    await until(lambda: user in store.directory.members(group))
    report(store, agency, user, clock())
    clock.forward(-HOUR_S)
    report(store, agency, user, clock())
    newest = store.places.of(user)
    assert newest is not None
    assert newest.at_ms == clock(), "told after the clock was set back, and not held to be old"

    before = await entries(store)
    clock.forward(400 * 24 * HOUR_S)
    await until(lambda: user not in store.directory.members(GroupId(group)))
    await store._prune()
    assert await entries(store) >= before
    await store.aclose()


@pytest.mark.wire
async def test_what_another_node_changed_is_known_while_old_rows_are_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleting, let = asyncio.Event(), asyncio.Event()

    async def many_rows(*_: object) -> retention.Pruned:
        deleting.set()
        await let.wait()
        return retention.Pruned()

    monkeypatch.setattr(retention, "prune", many_rows)
    one, two = [await Store.open(StoreSettings(poll_ms=50), tmp_path, own=tmp_path / name) for name in ("1", "2")]
    await deleting.wait()
    async with one.change() as change:
        agency = await units.create_agency(change, "江城")
    await until(lambda: agency in two.directory.snapshot.agencies)
    assert not let.is_set()
    for store in (one, two):
        await store.aclose()


def reads_the_wall(path: Path) -> bool:
    """Whether a module names a wall clock, to read it or to hand it on."""
    text = path.read_text("utf-8")
    if not any(name.split()[-1] in text for name in WALL):  # parsing all of them would take a second
        return False
    named: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute):
            named.add(ast.unparse(node))
        elif isinstance(node, ast.ImportFrom):
            named |= {f"import {alias.name}" for alias in node.names}
    return not named.isdisjoint(WALL)


def report(store: Store, agency: AgencyId, user: UserId, at_ms: int) -> None:
    store.places.put(Place(user=user, agency=agency, at_ms=at_ms, received_ms=at_ms))


async def entries(store: Store) -> int:
    async with store.reading() as connection:
        return (await audit.verify(connection)).entries


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - the store's own poll is what is waited for
            await asyncio.sleep(0.02)
