"""What one node's store learned is known beside it: two stores on one database, and what they say to each other."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select

from poc_server.auth import Auth, AuthRefused
from poc_server.auth.keys import load_or_make
from poc_server.ground.refused import StoreUnavailable
from poc_server.neighbours.news.news import News
from poc_server.store import SYSTEM, Actor, Change, DirectoryChange, Store
from poc_server.store import tables as t
from poc_server.store.city import people, sessions
from poc_server.store.journal.kinds import records
from poc_server.store.journal.shut_out import ACTION, What
from poc_server.store.shutting_out import ShuttingOut
from poc_server.store.sql import locks
from tests.fixtures.people import QUICK, Town
from tests.nodes.journalled import journalled

pytestmark = pytest.mark.wire


def joined(*stores: Store) -> list[Any]:
    """Each hears what the others say, as JSON, unless it is ``deaf``. Returns their ways to each other."""
    lines: list[Any] = [SimpleNamespace(topics={}, deaf=False, say_directory=lambda: None) for _ in stores]
    for line, store in zip(lines, stores, strict=True):
        News(line, store)

        def say(topic: str, value: Any, speaker: Any = line) -> None:
            for other in lines:
                if other is not speaker and not other.deaf:
                    other.topics[topic](speaker, json.loads(json.dumps(value)))

        line.say = say
    return lines


@pytest.fixture
async def beside(town: Town, tmp_path: Path) -> AsyncIterator[Store]:
    """The store of another node, on the same database."""
    own = tmp_path / "beside"
    own.mkdir()
    made = await Store.open(town.store.settings, town.store.data, own=own)
    yield made
    await made.aclose()


async def test_a_session_that_ends_while_sql_is_away_is_over_on_the_other_nodes_at_once(
    town: Town, beside: Store, tmp_path: Path
) -> None:
    joined(town.store, beside)
    signed = await town.auth.start_session(await town.person(), "demo")
    await beside.refresh()
    auth = Auth(QUICK, beside, load_or_make(tmp_path / "keys"), town.clock)
    auth.verify_access(signed.access_token)
    told: list[DirectoryChange] = []
    beside.directory.subscribe(told.append)
    town.store.end_session(signed.session, "signed_out")  # as where SQL does not answer
    assert [each.sessions for each in told] == [{signed.session}], "its phone is sent away, once"
    with pytest.raises(AuthRefused, match="bad_token"):
        auth.verify_access(signed.access_token)


async def test_a_device_disabled_while_sql_is_away_is_shut_out_on_every_node_and_disabled_once(
    town: Town, beside: Store, tmp_path: Path
) -> None:
    joined(town.store, beside)
    code, _ = await town.auth.invite(SYSTEM, await town.person())
    signed = await town.auth.enrol(code)
    await beside.refresh()
    auth = Auth(QUICK, beside, load_or_make(tmp_path / "keys"), town.clock)
    (device,) = beside.directory.snapshot.devices
    told: list[DirectoryChange] = []
    beside.directory.subscribe(told.append)
    async with town.store.writing() as held:  # SQL does not answer in time
        await locks.directory(held)
        assert not await town.store.shutting_out.disable(SYSTEM, "device", device)
        assert [each.devices for each in told] == [{device}], "its phone is sent away, once"
        for each in (town.auth, auth):
            with pytest.raises(AuthRefused, match="disabled"):
                each.verify_access(signed.access_token)
    await beside.journal.flush()
    late = journalled(tmp_path / "beside" / "journal")

    for store in (town.store, beside):
        await store.shutting_out.settle(within_s=None)
        assert (store.directory.snapshot.shut_out, store.directory.snapshot.devices[device].enabled) == ({}, False)
    async with town.store.change() as change:
        await sessions.set_device(change, device, enabled=True)
    beside.journal.append(records.validate_python(late[-1]))  # as where its journal had been behind
    await beside.journal.drain()
    await beside.refresh()
    assert beside.directory.snapshot.devices[device].enabled
    async with town.store.reading() as connection:
        done = select(func.count()).select_from(t.audit).where(t.audit.c.action == "device.disable")
        assert await connection.scalar(done) == 1


class TooLate:
    """A store that commits, and then is not heard of in time."""

    def __init__(self, store: Store) -> None:
        self.clock, self.directory, self.journal = store.clock, store.directory, store.journal
        self.refresh, self.believe = store.refresh, store.believe
        self._store = store

    @asynccontextmanager
    async def change(self, actor: Actor, at_ms: int) -> AsyncIterator[Change]:
        async with self._store.change(actor, at_ms) as change:
            yield change
        raise StoreUnavailable("too late")


@pytest.mark.parametrize("what", ["device", "user"])
async def test_what_sql_did_just_as_it_was_given_up_stands_in_the_audit_once(town: Town, what: What) -> None:
    user = await town.person()
    code, _ = await town.auth.invite(SYSTEM, user)
    await town.auth.enrol(code)
    (device,) = town.store.directory.snapshot.devices
    target = device if what == "device" else user
    assert not await ShuttingOut(TooLate(town.store)).disable(SYSTEM, what, target)
    await town.store.journal.drain()
    async with town.store.reading() as connection:
        entries = await connection.execute(select(t.audit.c.action).where(t.audit.c.target_id == target))
        assert list(entries.scalars()).count(ACTION[what]) == 1
    await town.store.shutting_out.settle(within_s=None)
    assert town.store.directory.snapshot.shut_out == {}


async def test_a_node_that_is_with_the_others_again_learns_who_was_shut_out_meanwhile_once(
    town: Town, beside: Store
) -> None:
    here, there = joined(town.store, beside)
    signed, lost = await town.auth.start_session(await town.person(), "demo"), await town.person(name="丢失")
    await beside.refresh()
    there.deaf = True
    async with town.store.writing() as held:  # SQL does not answer in time
        await locks.directory(held)
        town.store.end_session(signed.session, "signed_out")
        assert not await town.store.shutting_out.disable(SYSTEM, "user", lost)
        there.deaf = False
        here.on_told_all()
        assert signed.session in beside.directory.snapshot.ended_sessions
        assert not beside.directory.snapshot.users[lost].enabled
    kept = beside.journal.state().appended
    here.on_told_all()
    assert beside.journal.state().appended == kept
    for store in (town.store, beside):
        await store.shutting_out.settle(within_s=None)
    async with town.store.change() as change:
        await people.set_flags(change, lost, enabled=True)
    await beside.refresh()
    here.on_told_all()
    assert beside.directory.snapshot.users[lost].enabled, "what is over is not told again"
