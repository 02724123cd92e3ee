"""The same suite on SQLite and on PostgreSQL: what is written is there, in SQL and in the directory."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from groups.floor.options import FloorOptions
from groups.model import Membership
from groups.vocabulary import AgencyId, GroupKind, Refusal, Role, UnitId, UserId
from poc_server.ground.refused import Refused
from poc_server.store import Actor, Change, DirectoryChange, Store, audit, audit_pages
from poc_server.store import tables as t
from poc_server.store.audit_pages import AuditFilter
from poc_server.store.city import groups, people, sessions, units, without_sql
from poc_server.store.city.people import UserDraft, UserFilter

pytestmark = pytest.mark.wire


class City:
    """An agency with a root unit and a unit below."""

    def __init__(self, agency: AgencyId, root: UnitId, below: UnitId) -> None:
        self.agency, self.root, self.below = agency, root, below


@pytest.fixture
async def city(store: Store) -> City:
    async with store.change() as change:
        agency = await units.create_agency(change, "江城市")
        root = await units.create_unit(change, agency, None, "市")
        below = await units.create_unit(change, agency, root, "城东区")
    return City(agency, root, below)


async def test_what_is_created_is_in_the_directory_at_once(store: Store, city: City) -> None:
    told: list[DirectoryChange] = []
    store.directory.subscribe(told.append)
    floor = FloorOptions(queue_limit=3, transmit_limit_ms=12_000)
    async with store.change() as change:
        draft = UserDraft(city.agency, city.below, "王建国", frozenset({Role.OFFICER, Role.HANDLER}), badge="D-101")
        user = await people.create_user(change, draft)
        group = await groups.create_group(change, groups.GroupDraft(city.agency, city.below, "东区一组", floor=floor))
        await groups.set_members(change, group, [Membership(group, user, may_preempt=True, priority=200)])
    found = store.directory.user(user)
    assert found is not None
    assert (found.name, found.roles, found.badge) == ("王建国", {Role.OFFICER, Role.HANDLER}, "D-101")
    assert store.directory.membership(group, user) == Membership(group, user, True, True, 200)
    assert store.directory.groups_of(user) == {group}
    kept = store.directory.group(group)
    assert kept is not None
    assert kept.floor == floor
    assert store.directory.unit_subtree(city.root) == {city.root, city.below}
    assert [(change.users, change.groups) for change in told] == [({user}, {group})]


async def test_a_patched_directory_equals_one_loaded_whole(store: Store, city: City) -> None:
    async with store.change() as change:
        made = [await people.create_user(change, UserDraft(city.agency, city.root, f"人{n}")) for n in range(5)]
        one = await groups.create_group(change, groups.GroupDraft(city.agency, city.root, "一组"))
        two = await groups.create_group(change, groups.GroupDraft(city.agency, city.root, "二组"))
        await groups.set_members(change, one, [Membership(one, user) for user in made])
        await groups.set_members(change, two, [Membership(two, user) for user in made[:2]])
        device = await sessions.create_device(change, city.agency, made[0], "手机")
    async with store.change() as change:
        await people.delete_user(change, made[0])
        await groups.remove_members(change, one, [made[1], UserId("nobody")])
        await groups.delete_group(change, two)
        await sessions.set_device(change, device, enabled=False)
        await people.set_flags(change, made[2], talk_banned=True)
        await units.update_unit(change, city.below, name="改名", parent=None)
    again = await Store.open(store.settings, store.data.parent / "other") if store.settings.url else None
    patched = store.directory.snapshot
    from poc_server.store.directory import rows

    async with store.reading() as connection:
        loaded = await rows.load(connection, 0)
    assert patched == loaded
    assert store.directory.members(one).keys() == set(made[2:])
    if again is not None:
        assert again.directory.snapshot == loaded
        await again.aclose()


async def test_who_is_renamed_keeps_the_roles_he_has_by_then(store: Store, city: City) -> None:
    draft = UserDraft(city.agency, city.root, "王", frozenset({Role.OFFICER}))
    async with store.change() as change:
        user = await people.create_user(change, draft)
        await people.set_roles(change, user, frozenset({Role.HANDLER}))
    async with store.change() as change:
        await people.update_user(change, user, replace(draft, name="王建国"))
    found = store.directory.user(user)
    assert found is not None
    assert (found.name, found.roles) == ("王建国", {Role.HANDLER})


async def test_a_device_that_is_renamed_stays_disabled(store: Store, city: City) -> None:
    async with store.change() as change:
        user = await people.create_user(change, UserDraft(city.agency, city.root, "人"))
        device = await sessions.create_device(change, city.agency, user, "手机")
        await sessions.set_device(change, device, enabled=False)
    async with store.change() as change:
        await sessions.set_device(change, device, name="平板")
    renamed = store.directory.device(device)
    assert renamed is not None
    assert (renamed.name, renamed.enabled) == ("平板", False)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("wjg", ["王建国"]),
        ("wangjianguo", ["王建国"]),
        ("Jian Guo", ["王建国"]),
        ("lim", ["李梅"]),
        ("an", []),
        ("建", ["王建国"]),
        ("d-1", ["李梅", "王建国"]),
        ("%", []),
        ("_", []),
        ("'; drop", []),
    ],
)
async def test_people_are_found_by_name_badge_and_pinyin_with_sql_and_without(
    store: Store, city: City, name: str, found: list[str]
) -> None:
    async with store.change() as change:
        await people.create_user(change, UserDraft(city.agency, city.root, "王建国", badge="D-1"))
        await people.create_user(change, UserDraft(city.agency, city.below, "李梅", badge="D-12"))
    async with store.reading() as connection:
        rows, total = await people.users_page(connection, UserFilter(city.agency, text=name), 10)
    assert sorted(row.name for row in rows) == sorted(found)
    assert total == len(found)
    known, total = await without_sql.users_page(store.directory.snapshot, UserFilter(city.agency, text=name), 10, None)
    assert (sorted(user.name for user in known), total) == (sorted(found), len(found))


async def test_pages_follow_each_other_without_gap_or_repeat(store: Store, city: City) -> None:
    async with store.change() as change:
        for n in range(25):
            await people.create_user(change, UserDraft(city.agency, city.root, ("王建国", "汪明", "Li Wei")[n % 3]))
    seen: list[str] = []
    names: list[str] = []
    after: tuple[str, str] | None = None
    async with store.reading() as connection:
        while True:
            rows, total = await people.users_page(connection, UserFilter(city.agency), 10, after)
            assert total == 25
            known = await without_sql.users_page(store.directory.snapshot, UserFilter(city.agency), 10, after)
            assert ([user.id for user in known[0]], known[1]) == ([row.id for row in rows], total)
            if not rows:
                break
            seen.extend(row.id for row in rows)
            names.extend(row.name for row in rows)
            after = (rows[-1].sorted_as, rows[-1].id)
    assert len(seen) == len(set(seen)) == 25
    assert names == ["Li Wei"] * 8 + ["汪明"] * 8 + ["王建国"] * 9, "by pinyin, on both databases and in memory"


async def test_devices_are_listed_by_whose_they_are_and_last_those_of_nobody(store: Store, city: City) -> None:
    async with store.change() as change:
        for name in ("王建国", None, "李梅", "汪明"):
            user = None if name is None else await people.create_user(change, UserDraft(city.agency, city.root, name))
            for phone in ("二号机", "一号机"):
                await sessions.create_device(change, city.agency, user, phone)
    owners: list[str | None] = []
    after: tuple[str, str] | None = None
    async with store.reading() as connection:
        for _ in range(3):
            rows, total = await sessions.devices_page(connection, city.agency, 3, after=after)
            known = await without_sql.devices_page(
                store.directory.snapshot, city.agency, 3, user=None, text="", after=after
            )
            assert ([device.id for device in known[0]], known[1]) == ([row.id for row in rows], total)
            owners.extend(row.user_name for row in rows)
            after = (rows[-1].owner, rows[-1].id)
            assert without_sql.by_owner(store.directory.snapshot)(known[0][-1]) == after
    assert owners == ["李梅", "李梅", "汪明", "汪明", "王建国", "王建国", None, None]


async def test_members_of_a_large_group_come_page_by_page_and_are_searched(store: Store, city: City) -> None:
    async with store.change() as change:
        group = await groups.create_group(change, groups.GroupDraft(city.agency, city.root, "全市"))
        drafts = [UserDraft(city.agency, city.root, ("王建国", "李梅")[n % 2], badge=f"D-{n}") for n in range(7)]
        made = await people.create_users(change, drafts)
        await groups.set_members(change, group, [Membership(group, user) for user in made])
        absent = await people.create_user(change, UserDraft(city.agency, city.root, "王不在"))
    names: list[str] = []
    after: tuple[str, str] | None = None
    async with store.reading() as connection:
        for _ in range(3):
            rows, total = await groups.members_page(connection, group, 3, after=after)
            assert total == 7
            names.extend(row.name for row in rows)
            after = (rows[-1].sorted_as, rows[-1].user_id)
        assert names == ["李梅"] * 3 + ["王建国"] * 4
        for text, found in (("wjg", 4), ("D-3", 1), ("王", 4), ("wbz", 0)):
            rows, total = await groups.members_page(connection, group, 3, text=text)
            assert (len(rows), total) == (min(3, found), found), text
        inside = await groups.members_among(connection, group, [made[0], absent, UserId("nobody")])
        assert list(inside) == [made[0]]


async def test_the_second_of_two_editors_is_told_that_it_is_stale(store: Store, city: City) -> None:
    async with store.change() as change:
        group = await groups.create_group(change, groups.GroupDraft(city.agency, city.root, "一组"))
    async with store.reading() as connection:
        row = await groups.group_row(connection, group)
    assert row is not None
    draft = groups.GroupDraft(city.agency, city.root, "改名", GroupKind.BROADCAST)
    async with store.change() as change:
        await groups.update_group(change, group, draft, expected=row.version)
    stale = await refused(store, lambda change: groups.update_group(change, group, draft, expected=row.version))
    assert stale is Refusal.STALE


async def refused(store: Store, *acts: Callable[[Change], Awaitable[object]]) -> Refusal | None:
    """The code with which one change of these acts is refused; None when it is not."""
    try:
        async with store.change() as change:
            for act in acts:
                await act(change)
    except Refused as no:
        return no.code
    return None


async def test_what_does_not_fit_is_refused_and_leaves_nothing(store: Store, city: City) -> None:
    before = store.directory.version
    one, two = (UserDraft(city.agency, city.root, name, account="same") for name in "甲乙")
    twice = [lambda change: people.create_user(change, one), lambda change: people.create_user(change, two)]
    assert await refused(store, *twice) is Refusal.CONFLICT
    assert await refused(store, lambda change: units.delete_unit(change, city.root)) is Refusal.CONFLICT
    loop = await refused(store, lambda change: units.update_unit(change, city.root, name="环", parent=city.below))
    assert loop is Refusal.CONFLICT
    assert store.directory.version == before
    async with store.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(t.user)) == 0


async def test_a_tree_of_units_has_so_many_levels_and_not_one_more(store: Store, city: City) -> None:
    async with store.change() as change:
        deepest = city.below
        for level in range(3, units.MAX_UNIT_DEPTH + 1):
            deepest = await units.create_unit(change, city.agency, deepest, f"{level}")
        pair = await units.create_unit(change, city.agency, None, "上")
        await units.create_unit(change, city.agency, pair, "下")
    above = store.directory.snapshot.unit_path(deepest)[1]
    assert len(store.directory.snapshot.unit_path(deepest)) == units.MAX_UNIT_DEPTH
    too_deep: list[Callable[[Change], Awaitable[object]]] = [
        lambda change: units.create_unit(change, city.agency, deepest, "太深"),
        lambda change: units.update_unit(change, pair, name="上", parent=above),
    ]
    assert [await refused(store, attempt) for attempt in too_deep] == [Refusal.CONFLICT] * 2
    over = store.directory.snapshot.unit_path(above)[1]
    async with store.change() as change:
        await units.update_unit(change, pair, name="上", parent=over)


async def test_nothing_of_another_agency_can_be_used(store: Store, city: City) -> None:
    async with store.change() as change:
        other = await units.create_agency(change, "别市")
        theirs = await units.create_unit(change, other, None, "市")
        stranger = await people.create_user(change, UserDraft(other, theirs, "外人"))
        group = await groups.create_group(change, groups.GroupDraft(city.agency, city.root, "一组"))
    draft = UserDraft(city.agency, theirs, "甲")
    attempts: list[Callable[[Change], Awaitable[object]]] = [
        lambda change: people.create_user(change, draft),
        lambda change: groups.set_members(change, group, [Membership(group, stranger)]),
        lambda change: units.create_unit(change, city.agency, theirs, "下级"),
    ]
    assert [await refused(store, attempt) for attempt in attempts] == [Refusal.NOT_FOUND] * 3


async def test_every_change_is_in_the_audit_and_the_audit_cannot_be_altered(store: Store, city: City) -> None:
    actor = Actor(UserId("us-admin"), city.agency, "192.0.2.7")
    async with store.change(actor) as change:
        user = await people.create_user(change, UserDraft(city.agency, city.root, "王建国\x00", account="wjg"))
        await people.set_password(change, user, "hash")
    async with store.reading() as connection:
        newest = (await audit_pages.page(connection, AuditFilter(city.agency), limit=2)).rows
        assert (await audit.verify(connection)) == audit.AuditCheck(5)
    assert [row.action for row in newest] == ["user.password", "user.create"]
    assert {row.actor_id for row in newest} == {"us-admin"}
    for statement in ("UPDATE audit SET actor_id = 'x'", "DELETE FROM audit"):
        with pytest.raises(DBAPIError):
            async with store.writing() as connection:
                await connection.execute(text(statement))


async def test_a_broken_seal_is_found(store: Store, city: City) -> None:
    async with store.writing() as connection:
        await connection.execute(text("DROP TRIGGER audit_no_update") if store.database.sqlite else text("SELECT 1"))
        if not store.database.sqlite:
            await connection.execute(text("ALTER TABLE audit DISABLE TRIGGER USER"))
        await connection.execute(text("UPDATE audit SET action = 'nothing' WHERE seq = 2"))
    async with store.reading() as connection:
        assert (await audit.verify(connection)).broken_at == 2


async def test_the_old_end_of_the_audit_is_pruned_after_its_time_only(store: Store, city: City) -> None:
    half_year_ago = 1_000
    old = [audit.entry(Actor(), half_year_ago + n, "old", "none", str(n)) for n in range(3)]
    async with store.writing() as connection:
        await audit.append(connection, old)
        await audit.append(connection, old)
    async with store.writing() as connection:
        assert await audit.prune(connection, half_year_ago + 1, 100) == 0  # younger ones stand before it
    async with store.reading() as connection:
        assert (await audit.verify(connection)) == audit.AuditCheck(6)
