"""The demo city: its people, its groups, and identities for a fleet."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from groups.vocabulary import Role
from poc_server.auth import Auth, AuthSettings
from poc_server.demo.city import build_city, landing, lively, make_links, offered
from poc_server.demo.names import name_of
from poc_server.store import Store, StoreSettings

pytestmark = pytest.mark.wire


async def test_the_city_is_complete_and_made_once(tmp_path: Path) -> None:
    store = await Store.open(StoreSettings(), tmp_path)
    users = await build_city(store)
    snapshot = store.directory.snapshot
    assert (len(users), len(snapshot.groups), len(snapshot.users)) == (37, 12, 40)
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
