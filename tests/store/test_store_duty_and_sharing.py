"""Who is on duty, groups that follow duty, and groups shared between agencies; on both databases."""

from __future__ import annotations

import pytest

from groups.model import Membership
from groups.policy import Act, may
from groups.vocabulary import Refusal, Role, UserId
from poc_server.ground.refused import Refused
from poc_server.store import Store
from poc_server.store.city import duty, groups, sharing, units
from poc_server.store.city.duty import ShiftDraft
from poc_server.store.directory import directory_copy, rows
from poc_server.store.directory.snapshot import PLAN_LAPSES_MS, by_user
from poc_server.store.ids import now_ms
from tests.fixtures.people import Town, found_town

pytestmark = pytest.mark.wire
HOUR = 3_600_000


async def shift(town: Town, starts_ms: int, *users: UserId) -> str:
    async with town.store.change() as change:
        draft = ShiftDraft(town.agency, town.unit, "早班", starts_ms, starts_ms + 8 * HOUR, frozenset(users))
        return await duty.create_shift(change, draft)


async def settle(store: Store, at_ms: int) -> None:
    async with store.change(at_ms=at_ms) as change:
        await duty.settle(change, store.directory.snapshot)


async def test_on_duty_is_who_the_shift_names_and_everybody_where_none_is_planned(town: Town) -> None:
    one, two = await town.person(), await town.person()
    now = now_ms()
    assert town.store.directory.on_duty(one, now)
    made = await shift(town, now, one)
    for at, first, second in ((now - 1, False, False), (now, True, False), (now + 8 * HOUR, False, False)):
        assert (town.store.directory.on_duty(one, at), town.store.directory.on_duty(two, at)) == (first, second)
    async with town.store.change() as change:
        await duty.delete_shift(change, made)
    assert town.store.directory.on_duty(two, now)


async def test_on_duty_is_the_same_after_a_restart_and_a_plan_that_comes_late_puts_nobody_on_duty(town: Town) -> None:
    user = await town.person()
    start = now_ms() - 20 * 24 * HOUR
    over = start + 8 * HOUR
    await shift(town, start, user)
    async with town.store.reading() as connection:
        loaded = await rows.load(connection, now_ms())
    copy_path = town.store.data / "copy"
    await directory_copy.save(copy_path, loaded)
    restored = directory_copy.read(copy_path)
    assert restored is not None
    lapsed = over + PLAN_LAPSES_MS
    for at, on_duty in ((over, False), (now_ms(), False), (lapsed - 1, False), (lapsed, True)):
        held = [town.store.directory.snapshot, loaded, restored]
        assert [each.on_duty(user, at) for each in held] == [on_duty] * 3, at - over
    # One that is over does not stay in memory for as long as the process runs.
    await town.person()
    assert town.store.directory.snapshot.shifts == loaded.shifts == {}
    assert town.store.directory.snapshot.shifts_of == {}


async def test_whose_a_shift_is_follows_each_change_of_it(town: Town) -> None:
    one, two = await town.person(), await town.person()
    now = now_ms()
    first, second = await shift(town, now, one), await shift(town, now - 8 * HOUR, one, two)

    async def told() -> dict[UserId, set[str]]:
        snapshot = town.store.directory.snapshot
        async with town.store.reading() as connection:
            loaded = await rows.load(connection, now_ms() - 24 * HOUR)
        kinds = (snapshot.shifts_of, by_user(snapshot.shifts.values()), loaded.shifts_of)
        found = [{user: {each.id for each in mine} for user, mine in kind.items()} for kind in kinds]
        assert found[0] == found[1] == found[2]
        return found[0]

    assert await told() == {one: {first, second}, two: {second}}
    async with town.store.change() as change:
        draft = ShiftDraft(town.agency, town.unit, "早班", now, now + HOUR, frozenset({two}))
        await duty.update_shift(change, first, draft)
    assert await told() == {one: {second}, two: {first, second}}
    async with town.store.change() as change:
        await duty.delete_shift(change, second)
    assert await told() == {two: {first}}


async def test_a_group_that_follows_duty_changes_hands_with_the_shift(town: Town) -> None:
    early, late, chief = [await town.person() for _ in range(3)]
    async with town.store.change() as change:
        draft = groups.GroupDraft(town.agency, town.unit, "值班组", duty_unit=town.unit)
        group = await groups.create_group(change, draft)
        await groups.set_members(change, group, [Membership(group, chief, priority=200)])
    start = now_ms() + 100 * HOUR
    await shift(town, start, early, chief)
    await shift(town, start + 8 * HOUR, late)
    for at, expected in (
        (start - 1, {chief}),
        (start, {chief, early}),
        (start + 8 * HOUR - 1, {chief, early}),
        (start + 8 * HOUR, {chief, late}),
        (start + 16 * HOUR, {chief}),
    ):
        await settle(town.store, at)
        assert town.store.directory.members(group).keys() == expected
        assert town.store.directory.membership(group, chief) == Membership(group, chief, priority=200)


async def test_who_is_given_another_place_in_a_group_still_leaves_it_with_his_shift(town: Town) -> None:
    user = await town.person()
    async with town.store.change() as change:
        draft = groups.GroupDraft(town.agency, town.unit, "值班组", duty_unit=town.unit)
        group = await groups.create_group(change, draft)
    start = now_ms() + 100 * HOUR
    await shift(town, start, user)
    await settle(town.store, start)
    place = Membership(group, user, priority=200)
    async with town.store.change() as change:
        await groups.set_members(change, group, [place])
    assert town.store.directory.membership(group, user) == place
    await settle(town.store, start + 8 * HOUR)
    assert town.store.directory.membership(group, user) is None


@pytest.mark.parametrize("length", [0, -1, duty.MAX_SHIFT_MS + 1])
async def test_a_shift_that_ends_before_it_starts_or_never_is_refused(town: Town, length: int) -> None:
    with pytest.raises(Refused) as refused:
        async with town.store.change() as change:
            await duty.create_shift(change, ShiftDraft(town.agency, town.unit, "x", 1_000, 1_000 + length, frozenset()))
    assert refused.value.code is Refusal.BAD_MESSAGE


async def test_a_shared_group_takes_both_sides_and_ends_for_its_guests_at_once(town: Town) -> None:
    store = town.store
    other = await found_town(store, town.auth, town.clock, "邻市")
    mine, guest = await town.person(Role.OFFICER), await other.person(Role.OFFICER)
    async with store.change() as change:
        group = await groups.create_group(change, groups.GroupDraft(town.agency, town.unit, "联勤"))
        await groups.set_members(change, group, [Membership(group, mine)])
        await sharing.offer(change, group, other.agency)

    async def invite() -> Refusal | None:
        try:
            async with store.change() as change:
                await groups.set_members(change, group, [Membership(group, guest)])
        except Refused as refused:
            return refused.code
        return None

    def sees() -> Refusal | None:
        subject, target = store.directory.user(mine), store.directory.user(guest)
        assert subject is not None
        assert target is not None
        return may(Act.CALL, subject, target, store.directory)

    assert (await invite(), sees()) == (Refusal.NOT_FOUND, Refusal.UNKNOWN_USER)
    async with store.change() as change:
        await sharing.grant(change, group, other.agency)
    assert (await invite(), sees()) == (None, None)
    async with store.reading() as connection:
        assert [row.agency_name for row in await sharing.shares(connection, town.agency)] == ["邻市"]
    async with store.change() as change:
        await sharing.end(change, group, other.agency)
    assert store.directory.members(group).keys() == {mine}
    assert sees() is Refusal.UNKNOWN_USER
    async with store.change() as change:
        await units.create_agency(change, "第三市")
