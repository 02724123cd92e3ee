"""The clock is set, forward and back: duty follows it, places go on, and nothing is deleted because of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from groups.vocabulary import AgencyId, GroupId, Role, UserId
from poc_server.store import Store, StoreSettings, audit, retention
from poc_server.store.city import duty, groups, people, units
from poc_server.store.clock import JUMP_MS, SoundClock
from poc_server.store.places import Place
from tests.fixtures.people import Clock

HOUR_S = 3_600


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


def report(store: Store, agency: AgencyId, user: UserId, at_ms: int) -> None:
    store.places.put(Place(user=user, agency=agency, at_ms=at_ms, received_ms=at_ms))


async def entries(store: Store) -> int:
    async with store.reading() as connection:
        return (await audit.verify(connection)).entries


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - the store's own poll is what is waited for
            await asyncio.sleep(0.02)
