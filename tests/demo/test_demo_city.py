"""The demo city: its people, its groups, and identities for a fleet."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path

import pytest

from groups.vocabulary import Role
from poc_server.auth import Auth, AuthSettings
from poc_server.demo.city import build_city, landing, lively, make_links, offered
from poc_server.demo.names import name_of
from poc_server.demo.streets import COLUMNS, HIGH, ROWS, SOUTH, WEST, WIDE
from poc_server.demo.walks import Walks, walkers
from poc_server.store import Store, StoreSettings
from poc_server.store.ids import now_ms

pytestmark = pytest.mark.wire


async def test_the_city_is_complete_and_made_once(tmp_path: Path) -> None:
    store = await Store.open(StoreSettings(), tmp_path)
    users = await build_city(store)
    snapshot = store.directory.snapshot
    assert (len(users), len(snapshot.groups), len(snapshot.users)) == (37, 12, 40)
    departments = {user.unit for user in snapshot.users.values() if Role.HANDLER in user.roles}
    assert {snapshot.units[unit].name for unit in departments} == {"城管执法局", "市政园林局", "环境卫生中心"}
    assert all(sum(user.unit == unit for user in snapshot.users.values()) == 3 for unit in departments)
    assert all(any(group.unit == unit for group in snapshot.groups.values()) for unit in departments)
    roles = Counter(role for user in snapshot.users.values() for role in user.roles)
    assert set(roles) == set(Role)
    assert len({user.name for user in snapshot.users.values()}) == 40
    first = landing(snapshot)[:5]
    assert [next(iter(user.roles)) for user in first] == [
        Role.OFFICER,
        Role.OFFICER,
        Role.LEADER,
        Role.DISPATCHER,
        Role.SYSTEM_ADMIN,
    ]
    for group in lively(store.directory):
        members = store.directory.members(group)
        assert set(offered(store.directory)[:2]) <= members.keys()
        assert (
            sum(1 for user, member in members.items() if member.may_talk and user not in offered(store.directory)) > 2
        )
    assert await build_city(store) == users
    await store.aclose()
    again = await Store.open(StoreSettings(), tmp_path)
    assert await build_city(again) == users
    await again.aclose()


async def test_a_fleet_gets_an_identity_each(tmp_path: Path) -> None:
    store = await Store.open(StoreSettings(), tmp_path)
    auth = Auth.open(AuthSettings(), store, tmp_path)
    users = await build_city(store, 200)
    assert len(users) == 200
    await make_links(store, auth, users, tmp_path / "links")
    lines = [json.loads(line) for line in (tmp_path / "links").read_text("utf-8").splitlines()]
    assert [line["user"] for line in lines] == users
    assert all(auth.verify_access(line["token"]).user == line["user"] for line in lines)
    assert all(len(line["groups"]) >= 2 for line in lines)
    assert max(len(store.directory.members(group)) for group in store.directory.snapshot.groups) == 200
    await store.aclose()


def test_names_differ() -> None:
    assert len({name_of(n) for n in range(2_440)}) == 2_440


async def test_its_officers_walk_their_streets_and_some_were_seen_long_ago(tmp_path: Path) -> None:
    store = await Store.open(StoreSettings(), tmp_path)
    await build_city(store)
    async with Walks(store):
        await asyncio.sleep(0)  # the first round is made at once
    walking = {user.id for _, user, _ in walkers(store)}
    ages = {place.user: now_ms() - place.at_ms for place in store.places.all()}
    assert 0 < len(walking) < len(ages)
    assert all(ages[user] < 60_000 for user in walking)
    assert any(age > 20 * 60_000 for age in ages.values())
    for place in store.places.all():
        assert place.position is not None
        assert WEST <= place.position.longitude <= WEST + 2 * COLUMNS * WIDE
        assert SOUTH <= place.position.latitude <= SOUTH + 2 * ROWS * HIGH
    await store.aclose()
