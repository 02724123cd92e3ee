"""A city that is loaded whole tells what is different, and nothing else; the loop goes on meanwhile."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import UserDict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest

from groups.model import Group, Membership, Unit, User
from groups.vocabulary import AgencyId, DeviceId, GroupId, Role, UnitId, UserId
from poc_server.store import Directory, DirectoryChange, Store
from poc_server.store.city import groups, people
from poc_server.store.city.people import UserDraft
from poc_server.store.directory import rows
from poc_server.store.directory.difference import SLICE, difference
from poc_server.store.directory.snapshot import Delta, Device, Snapshot, patched
from tests.fixtures.people import Town

AGENCY, UNIT, GROUP = AgencyId("ag-1"), UnitId("un-1"), GroupId("gr-1")


def user(name: str, *, enabled: bool = True) -> User:
    return User(UserId(name), AGENCY, UNIT, name, frozenset({Role.OFFICER}), enabled=enabled)


def snapshot(*users: User, members: tuple[str, ...] = (), devices: tuple[Device, ...] = ()) -> Snapshot:
    return Snapshot(
        version=1,
        units={UNIT: Unit(UNIT, AGENCY, None, "市")},
        users={each.id: each for each in users},
        groups={GROUP: Group(GROUP, AGENCY, UNIT, "组")},
        devices={each.id: each for each in devices},
        members={GROUP: {UserId(name): Membership(GROUP, UserId(name)) for name in members}} if members else {},
    )


async def test_what_is_new_gone_or_other_is_named_and_nothing_else() -> None:
    phone = Device(DeviceId("de-1"), AGENCY, None, "手机")
    before = snapshot(user("same"), user("gone"), user("other"), user("left"), members=("same", "left"))
    after = snapshot(
        user("same"), user("new"), user("other", enabled=False), user("left"), members=("same",), devices=(phone,)
    )
    found = await difference(before, after)
    assert found.users == {"gone", "new", "other", "left"}
    assert (found.groups, found.units, found.devices, found.shifts) == ({GROUP}, set(), {"de-1"}, set())
    alike = await difference(after, snapshot(*after.users.values(), members=("same",), devices=(phone,)))
    assert not any((alike.users, alike.groups, alike.units, alike.devices, alike.shifts))
    emptied = await difference(after, snapshot(*after.users.values(), devices=(phone,)))
    assert (emptied.users, emptied.groups) == ({"same"}, {GROUP})


async def test_the_loop_has_its_turn_after_each_slice() -> None:
    turns = 0

    @asynccontextmanager
    async def counting() -> AsyncIterator[None]:
        async def count() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(count())
        yield
        task.cancel()

    many = [user(f"u{n}") for n in range(20 * SLICE)]
    async with counting():
        await difference(snapshot(*many), snapshot(*many))
    assert turns >= 40  # both ways through


@pytest.mark.wire
async def test_a_store_that_missed_too_much_still_ends_and_tells_exactly(
    town: Town, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    stays, goes = await town.person(name="留"), await town.person(name="走")
    told: list[DirectoryChange] = []
    store.directory.subscribe(told.append)
    monkeypatch.setattr(rows, "RELOAD_BEYOND", 0)  # every change is more than is patched
    async with store.change() as change:
        await people.set_flags(change, goes, enabled=False)
        made = await people.create_user(change, UserDraft(town.agency, town.unit, "新"))
        group = await groups.create_group(change, groups.GroupDraft(town.agency, town.unit, "组"))
        await groups.set_members(change, group, [Membership(group, made)])
    (change_,) = told
    assert (change_.everything, change_.users, change_.groups) == (False, {goes, made}, {group})
    assert (change_.after.users[goes].enabled, change_.after.users[stays].enabled) == (False, True)


class Looked(UserDict[UserId, Membership]):
    """Members, and how often all of them were looked at."""

    times = 0

    def __iter__(self) -> Iterator[UserId]:
        self.times += 1
        return super().__iter__()


def test_of_a_change_of_many_members_their_group_is_copied_once() -> None:
    names = [UserId(f"us-{number}") for number in range(50)]
    there = Looked({name: Membership(GROUP, name) for name in names})
    before = dataclasses.replace(snapshot(*map(user, names)), members={GROUP: there})
    leave = {(GROUP, name): None for name in names[:40]}
    after = patched(before, Delta(2, members=leave))
    assert set(after.members[GROUP]) == set(names[40:])
    assert there.times == 1
    gone = patched(before, Delta(2, groups={GROUP: None}, members={(GROUP, name): None for name in names}))
    assert (gone.members, there.times) == ({}, 3), "who is in it, and the copy"


def test_the_first_load_is_everything() -> None:
    told: list[bool] = []
    directory = Directory()
    directory.subscribe(lambda change: told.append(change.everything))
    directory.replace(snapshot(user("a")))
    assert told == [True]
