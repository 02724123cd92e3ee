"""Written messages, handovers and patches on both databases: numbered, kept once, counted until read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from groups.model import Group, User
from groups.vocabulary import AgencyId, GroupId, GroupKind, TextKind, UnitId, UserId
from poc_server.ground.refused import StoreUnavailable
from poc_server.store import Store, handovers, passing_groups, patches, texts
from poc_server.store import tables as t
from poc_server.store.audit import SYSTEM, entry
from poc_server.store.handovers import KeptHandover
from poc_server.store.journal import Journal
from poc_server.store.patches import KeptPatch
from poc_server.store.texts import TextDraft, thread_of
from poc_server.talk.phone import Phone
from poc_server.talk.phones import Phones
from poc_server.talk.roster import Roster
from poc_server.texts import TextDesk
from poc_server.texts.settings import TextSettings
from signaling.limits import MAX_THREADS_TOLD
from signaling.messages import TextRead, TextUnread, ThreadList

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
        for user in (A, B):  # who wrote it and who got it, read or not
            assert [row.id for row in await texts.latest(connection, user)] == [second.id]
        rows, more = await texts.page(connection, thread, 1)
        assert ([row.id for row in rows], more) == ([second.id], True)
        assert await texts.places_of_texts(connection) == ({GroupId("gr-1")}, {B})


async def test_what_was_written_in_a_group_that_is_gone_waits_for_who_was_in_it(store: Store) -> None:
    group = Group(GroupId("ca-1"), AgencyId("ag"), UnitId("un"), "路口", GroupKind.TEMPORARY)
    late = UserId("us-c")
    async with store.writing() as connection:
        first, _ = await texts.keep(connection, draft("p1", A, group=group.id))
        await passing_groups.keep(connection, group, {A, B}, first.number)
        second, _ = await texts.keep(connection, draft("p2", A, group=group.id))
        await passing_groups.keep(connection, group, {A, late}, second.number)
        assert await passing_groups.group(connection, group.id) == group
        assert await passing_groups.names(connection, {group.id, GroupId("gr-9")}) == {group.id: "路口"}
        until = {
            user: await passing_groups.reads_until(connection, group.id, user) for user in (A, B, late, UserId("us-z"))
        }
        assert until == {A: passing_groups.WITHOUT_END, B: 1, late: passing_groups.WITHOUT_END, "us-z": None}
        waiting = {each.user: each.unread for each in await texts.unread(connection, (A, B, late))}
        assert waiting == {B: 1, late: 2}, "who left does not read what was written after"
        read = {user: [row.id for row in await texts.latest(connection, user)] for user in (A, B, late)}
        assert read == {A: [second.id], B: [first.id], late: [second.id]}
        third, _ = await texts.keep(connection, draft("p3", A, group=group.id))
        await passing_groups.keep(connection, group, {A, B, late}, third.number)
        assert await passing_groups.reads_until(connection, group.id, B) == passing_groups.WITHOUT_END, "he came again"
        assert await passing_groups.readers(connection) == {A, B, late}


class Line:
    """The socket of a phone: what it was told."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[TextUnread] = asyncio.Queue()

    def send(self, message: TextUnread) -> None:
        self.told.put_nowait(message)


async def wrote(store: Store, numbers: Iterable[int]) -> None:
    """People by these numbers wrote to B, each once and after those before him."""
    rows = [
        {
            "id": f"tx-{number}",
            "thread": thread_of(UserId(f"us-{number:05}"), None, B),
            "number": 1,
            "agency_id": "ag",
            "by_id": f"us-{number:05}",
            "to_id": B,
            "key": f"k{number}",
            "kind": "text",
            "text": "收到",
            "at_ms": number,
        }
        for number in numbers
    ]
    async with store.writing() as connection:
        await connection.execute(t.text.insert(), rows)


class Sql:
    """SQL that answers while it is ``there``."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.there = True
        self.asked = asyncio.Event()

    @property
    def ready(self) -> bool:
        return self._store.ready

    @property
    def journal(self) -> Journal:
        return self._store.journal

    def reading(self) -> Any:
        self.asked.set()
        if not self.there:
            raise StoreUnavailable
        return self._store.reading()

    def writing(self) -> Any:
        if not self.there:
            raise StoreUnavailable
        return self._store.writing()


def reader(line: Line) -> Phone:
    """A phone of B."""
    user = User(B, AgencyId("ag"), UnitId("un"), "赵静", frozenset())
    return Phone(key="b", user=user, session="s", slots=2, connection=cast("Any", line))


async def test_who_comes_while_sql_is_away_is_told_what_waits_when_it_is_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("poc_server.texts.desk.AGAIN_S", 0.01)
    sql = Sql(store)
    desk = TextDesk(TextSettings(settle_s=0), cast("Store", sql), Roster(store.directory), Phones(), cast("Any", None))
    await wrote(store, range(2))
    early, late = Line(), Line()
    desk.came(reader(early))  # before it was read where anything was written
    await asyncio.sleep(0)
    assert await desk.start()
    assert [each.unread for each in (await asyncio.wait_for(early.told.get(), 30)).threads] == [1, 1]
    sql.there = False
    sql.asked.clear()
    desk.came(reader(late))
    await asyncio.wait_for(sql.asked.wait(), 30)
    sql.there = True
    assert len((await asyncio.wait_for(late.told.get(), 30)).threads) == 2
    assert early.told.empty(), "nor is anybody told twice"
    await desk.aclose()


async def test_what_is_read_while_sql_is_away_does_not_wait_when_it_is_back(store: Store) -> None:
    sql, writer = Sql(store), User(UserId("us-00000"), AgencyId("ag"), UnitId("un"), "王强", frozenset())
    people = SimpleNamespace(user={writer.id: writer}.get)
    desk = TextDesk(TextSettings(), cast("Store", sql), cast("Any", people), Phones(), cast("Any", None))
    async with store.writing() as connection:
        for key in ("k1", "k2"):
            await texts.keep(connection, draft(key, writer.id, to=B))
    phone, thread = reader(Line()), thread_of(B, None, writer.id)
    sql.there = False
    await desk.read(phone, TextRead(id="r1", user=writer.id, number=2))
    # On another device he is not that far.
    sql.there = True
    await desk.read(phone, TextRead(id="r2", user=writer.id, number=1))
    await store.journal.drain()
    async with store.reading() as connection:
        assert await texts.unread(connection, (B,), thread) == []
    assert [each.unread for each in (await desk.threads(phone, ThreadList(id="r3"))).threads] == [0]


async def test_of_more_threads_than_are_told_the_latest_are_however_many_wait(store: Store) -> None:
    desk = TextDesk(TextSettings(settle_s=0), store, Roster(store.directory), Phones(), cast("Any", None))
    written = 0
    # The last: more than SQLite can take in one condition of alternatives.
    for count in (MAX_THREADS_TOLD, MAX_THREADS_TOLD + 1, 1_100):
        await wrote(store, range(written, count))
        written = count
        assert await desk.start()
        line = Line()
        desk.came(reader(line))
        told = await asyncio.wait_for(line.told.get(), 30)
        assert told.all
        named = [each.person.id for each in told.threads if each.person is not None]
        assert named == [f"us-{number:05}" for number in range(count)][: -MAX_THREADS_TOLD - 1 : -1]
        listed = await desk.threads(reader(line), ThreadList(id="r1"))
        assert listed.threads == told.threads
        assert listed.more is (count > MAX_THREADS_TOLD)
    await desk.aclose()


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
