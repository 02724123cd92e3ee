"""Written messages, handovers and patches on both databases: numbered, kept once, counted until read."""

from __future__ import annotations

import pytest

from groups.model import Group
from groups.vocabulary import AgencyId, GroupId, GroupKind, TextKind, UnitId, UserId
from poc_server.store import Store, handovers, passing, patches, texts
from poc_server.store.audit import SYSTEM, entry
from poc_server.store.handovers import KeptHandover
from poc_server.store.patches import KeptPatch
from poc_server.store.texts import TextDraft, thread_of

pytestmark = pytest.mark.wire
A, B = UserId("us-a"), UserId("us-b")


def draft(key: str, by: UserId, **place: str) -> TextDraft:
    return TextDraft(key, by, AgencyId("ag"), 5, TextKind.TEXT, "收到", **place)  # type: ignore[arg-type]


async def test_messages_are_numbered_kept_once_and_counted_until_read(store: Store) -> None:
    async with store.writing() as connection:
        first, new = await texts.keep(connection, draft("k1", A, to=B))
        again, repeated = await texts.keep(connection, draft("k1", A, to=B))
        second, _ = await texts.keep(connection, draft("k2", A, to=B))
        await texts.keep(connection, draft("k3", A, group=GroupId("gr-1")))
        assert (new, repeated, again.id) == (True, False, first.id)
        assert (first.number, second.number) == (1, 2)
        thread = thread_of(B, None, A)
        (waits,) = await texts.unread(connection, (B,))
        assert (waits.thread, waits.unread, waits.last) == (thread, 2, 2)
        assert (await texts.messages(connection, {(thread, 2)}))[thread, 2].id == second.id
        await texts.read(connection, B, thread, 99)
        assert await texts.unread(connection, (B,)) == []
        rows, more = await texts.page(connection, thread, 1)
        assert ([row.id for row in rows], more) == ([second.id], True)
        assert await texts.places_of_texts(connection) == ({GroupId("gr-1")}, {B})


async def test_what_was_written_in_a_group_that_is_gone_waits_for_who_was_in_it(store: Store) -> None:
    group = Group(GroupId("ca-1"), AgencyId("ag"), UnitId("un"), "路口", GroupKind.TEMPORARY)
    late = UserId("us-c")
    async with store.writing() as connection:
        first, _ = await texts.keep(connection, draft("p1", A, group=group.id))
        await passing.keep(connection, group, {A, B}, first.number)
        second, _ = await texts.keep(connection, draft("p2", A, group=group.id))
        await passing.keep(connection, group, {A, late}, second.number)
        assert await passing.group(connection, group.id) == group
        assert await passing.names(connection, {group.id, GroupId("gr-9")}) == {group.id: "路口"}
        until = {user: await passing.reads_until(connection, group.id, user) for user in (A, B, late, UserId("us-z"))}
        assert until == {A: passing.WITHOUT_END, B: 1, late: passing.WITHOUT_END, "us-z": None}
        waiting = {each.user: each.unread for each in await texts.unread(connection, (A, B, late))}
        assert waiting == {B: 1, late: 2}, "who left does not read what was written after"
        third, _ = await texts.keep(connection, draft("p3", A, group=group.id))
        await passing.keep(connection, group, {A, B, late}, third.number)
        assert await passing.reads_until(connection, group.id, B) == passing.WITHOUT_END, "he came again"
        assert await passing.readers(connection) == {A, B, late}


async def test_a_handover_waits_until_it_is_decided(store: Store) -> None:
    kept = KeptHandover("ho-1", AgencyId("ag"), A, B, 5, {"note": "夜市"})
    async with store.writing() as connection:
        await handovers.put(connection, kept, entry(SYSTEM, 5, "hand_over", "handover", kept.id))
        assert await handovers.open_ones(connection) == [kept]


async def test_a_patch_is_kept_until_it_is_taken_apart_once(store: Store) -> None:
    made = [
        KeptPatch(GroupId(f"pa-{n}"), AgencyId("ag"), A, "联合", (GroupId("gr-1"), GroupId("gr-2")), since_ms=n)
        for n in (2, 1)
    ]
    async with store.writing() as connection:
        for kept in made:
            await patches.put(connection, kept, entry(SYSTEM, 5, "patch", "patch", kept.id))
        assert await patches.kept_ones(connection) == made[::-1], "the oldest first"
        await patches.give(connection, [made[0].id], B)
        assert [kept.by for kept in await patches.kept_ones(connection)] == [A, B]
        for _ in range(2):
            await patches.remove(connection, made[0].id, entry(SYSTEM, 6, "patch", "patch", made[0].id))
        assert [kept.id for kept in await patches.kept_ones(connection)] == [made[1].id]
