"""A file is written between what others write: it holds nobody up, and is judged again when they come between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, Engine, event, func, select
from sqlalchemy.util import await_only

from groups.vocabulary import Role
from poc_server.store import SYSTEM, Change, DirectoryChange
from poc_server.store import tables as t
from poc_server.store.change import changing
from poc_server.store.city import people
from poc_server.store.sheets.importing import LINES_AT_ONCE
from tests.api.test_api_sheets import HEADING, login, post
from tests.fixtures.people import Town

pytestmark = pytest.mark.wire


async def test_an_import_of_thousands_does_not_hold_up_the_loop(client: httpx.AsyncClient, town: Town) -> None:
    admin = await login(town, Role.SYSTEM_ADMIN)
    text = HEADING + "\n".join(f"u{n},B-{n},王建国{n},person,市,,1" for n in range(2_000))
    longest = 0.0
    kept_between = 0
    done = False

    async def watch() -> None:
        """The loop's own work between two turns, in seconds of this thread: other processes do not count."""
        nonlocal longest
        last = time.thread_time()
        while not done:
            await asyncio.sleep(0)
            now = time.thread_time()
            longest, last = max(longest, now - last), now

    async def keep() -> None:
        """What else must be written meanwhile: an SOS, records of calls."""
        nonlocal kept_between
        while not done:
            async with town.store.writing() as connection:
                begun = await connection.scalar(select(func.count()).select_from(t.user))
            kept_between += begun not in (1, 2_001)

    others = [asyncio.create_task(watch()), asyncio.create_task(keep())]
    said = (await post(client, "people", text, admin)).json()
    done = True
    await asyncio.gather(*others)
    assert (said["applied"], said["create"]) == (True, 2_000)
    assert len(town.store.directory.snapshot.users) == 2_001
    assert longest < 0.5, "in one piece it is seconds"
    assert kept_between >= 2_000 // LINES_AT_ONCE // 2, "of as many transactions as there are slices"


async def test_a_file_is_judged_again_when_somebody_else_comes_between(client: httpx.AsyncClient, town: Town) -> None:
    admin = await login(town, Role.SYSTEM_ADMIN)
    lines = [f"u{n},B-{n},王,person,市,,1" for n in range(3 * LINES_AT_ONCE)]
    last = await town.person(name="李", account=f"u{len(lines) - 1}")
    other = await town.person(name="张")
    file = HEADING + "\n".join(lines)

    async def between(edit: Callable[[Change], Awaitable[None]]) -> Any:
        return (await interrupted(town, post(client, "people", file, admin), edit)).json()

    said = await between(lambda change: people.set_flags(change, other, enabled=False))
    assert (said["applied"], said["stopped"], said["written"]) == (True, None, len(lines))
    assert (said["create"], said["update"]) == (len(lines) - 1, 1)

    file = file.replace(",王,", ",赵,")
    said = await between(lambda change: people.set_roles(change, last, frozenset({Role.SECURITY_ADMIN})))
    assert (said["applied"], said["stopped"], said["wrong"]) == (False, "conflict", 1), "he is none of theirs any more"
    assert 0 < said["written"] < len(lines)
    rest = (await post(client, "people", file, admin, dry_run=True)).json()
    assert (rest["unchanged"], rest["wrong"]) == (said["written"], 1)
    named = {user.name for user in town.store.directory.snapshot.users.values()}
    assert named >= {"王", "赵"}


async def test_who_loses_his_right_while_his_file_is_read_in_writes_no_more(
    client: httpx.AsyncClient, town: Town
) -> None:
    account = await town.person(Role.SYSTEM_ADMIN, name="管理员")
    signed = await town.auth.start_session(account, "demo")
    admin = {"authorization": f"Bearer {signed.access_token}"}
    text = HEADING + "\n".join(f"u{n},B-{n},王,person,市,,1" for n in range(3 * LINES_AT_ONCE))
    importing = post(client, "people", text, admin)
    said = (
        await interrupted(town, importing, lambda change: people.set_roles(change, account, frozenset({Role.OFFICER})))
    ).json()
    assert (said["applied"], said["stopped"]) == (False, "not_allowed")
    assert 0 < said["written"] < 3 * LINES_AT_ONCE
    assert len(town.store.directory.snapshot.users) == 1 + said["written"]
    await town.store.journal.drain()
    auditor = await login(town, Role.AUDIT_ADMIN)
    [kept] = (await client.get("/audit", params={"action": "sheet.import"}, headers=auditor)).json()["items"]
    assert kept["detail"] == {"written": said["written"], "of": 3 * LINES_AT_ONCE}


async def interrupted(
    town: Town, importing: Coroutine[Any, Any, httpx.Response], edit: Callable[[Change], Awaitable[None]]
) -> httpx.Response:
    """Import while a colleague does ``edit``: behind the first lines that stand, and before the next."""
    editing: list[asyncio.Task[None]] = []
    reading_in = asyncio.create_task(importing)

    async def colleague() -> None:
        async with changing(town.store.database, SYSTEM, town.clock()) as change:
            await edit(change)

    def told(_change: DirectoryChange) -> None:
        if not editing:
            editing.append(asyncio.create_task(colleague()))

    def begins(connection: Connection) -> None:
        # PostgreSQL gives the lock that puts changes in order to whoever asks first. SQLite has one connection that
        # writes: the colleague waits for it, and would wait for ever on one who has it and waits for him.
        ordered = connection.dialect.name == "postgresql"
        if ordered and editing and asyncio.current_task() is reading_in:
            await_only(asyncio.wait(editing))

    stop = town.store.directory.subscribe(told)
    event.listen(Engine, "begin", begins)
    try:
        said = await reading_in
    finally:
        event.remove(Engine, "begin", begins)
        stop()
    await editing[0]
    return said
