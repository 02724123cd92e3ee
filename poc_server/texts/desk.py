"""The one door to written messages of this node."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from groups.policy import Act, may
from groups.rights import Right, has
from groups.vocabulary import GroupId, Refusal, StatusWord, TextKind, UserId
from poc_server.ground.refused import Refused, StoreUnavailable
from poc_server.store import Store, passing_groups, texts
from poc_server.store.journal import TextsRead
from poc_server.store.texts import TextDraft, thread_of
from poc_server.talk.clock import loop_time
from poc_server.talk.later import Later
from poc_server.talk.phone import Phone, person
from poc_server.talk.slices import Slices
from poc_server.texts.settings import TextSettings
from signaling.connection import frame
from signaling.limits import MAX_LAST_CHARS, MAX_THREADS_TOLD
from signaling.messages import (
    Person,
    Texted,
    TextInfo,
    TextList,
    TextRead,
    Texts,
    TextSend,
    TextUnread,
    Thread,
    ThreadList,
    Threads,
)

if TYPE_CHECKING:
    from poc_server.talk.audit import Audit
    from poc_server.talk.phones import Phones
    from poc_server.talk.roster import Roster

MINUTE_S = 60.0
SLICE = 100
"""Users whose unread messages are looked up in one question."""
AGAIN_S = 1.0
"""Where SQL is away when somebody comes, it is asked again so often, until he is told what waits."""


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What of a thread one may read: what was written since he is a ``member``, and ``before`` this number."""

    member: bool = True
    before: int = passing_groups.WITHOUT_END


class TextDesk:
    """Keeps, tells, lists and counts."""

    def __init__(self, settings: TextSettings, store: Store, roster: Roster, phones: Phones, audit: Audit) -> None:
        self.later = Later()
        self._settings = settings
        self._store = store
        self._roster = roster
        self._phones = phones
        self._audit = audit
        self._slices = Slices()
        self._sent: Counter[UserId] = Counter()
        self._minute = 0.0
        self._groups: set[GroupId] = set()
        self._users: set[UserId] = set()
        self._loaded = False
        self._came: list[Phone] = []
        self._tells = False

    async def start(self) -> bool:
        """Learn where anything was written; may be called again. False while SQL is away: it is done later."""
        return await self.later.load(self._store, self._load, "texts")

    async def _load(self) -> None:
        async with self._store.reading() as connection:
            groups, users = await texts.places_of_texts(connection)
            readers = await passing_groups.readers(connection)
        self._groups |= groups
        self._users |= users | readers
        self._loaded = True

    async def aclose(self) -> None:
        """End what is under way."""
        await self.later.aclose()

    # --- what a phone asks -------------------------------------------------------------------------------------------

    async def send(self, phone: Phone, asked: TextSend) -> TextInfo:
        """Keep a message and tell it. Raises `Refused`: the rights' codes, bad_message, too_fast, unavailable."""
        group, to = self._place(asked.group, asked.user)
        _check(asked)
        self._judge_send(phone, group, to)
        self._count(phone.user.id)
        draft = TextDraft(
            key=asked.message,
            by=phone.user.id,
            agency=phone.user.agency,
            at_ms=self._store.clock(),
            kind=asked.kind,
            text=asked.text.strip(),
            status=asked.status,
            group=group,
            to=to,
        )
        transient = None if group is None else self._roster.transient(group)
        async with self._store.writing() as connection:
            row, new = await texts.keep(connection, draft)
            if new and transient is not None:
                await passing_groups.keep(connection, transient.group, transient.members.keys(), row.number)
        info = self._info(row)
        if new:
            self._note(group, to, () if transient is None else transient.members)
            self._slices.add(self._tell(phone, info, frame(Texted(message=info))))
        return info

    async def list(self, phone: Phone, asked: TextList) -> Texts:
        """A page. Raises `Refused`."""
        group, to = self._place(asked.group, asked.user)
        bounds = _Bounds() if group is None else await self._judge_read(phone, group)
        thread = thread_of(phone.user.id, group, to)
        async with self._store.reading() as connection:
            since = await texts.member_since(connection, group, phone.user.id) if group and bounds.member else 0
            before = bounds.before if asked.before is None else min(asked.before, bounds.before)
            rows, more = await texts.page(connection, thread, asked.limit, before, since)
            waiting = await texts.unread(connection, (phone.user.id,), thread)
        unread = sum(each.unread for each in waiting)
        return Texts(id=asked.id, messages=[self._info(row) for row in rows], unread=unread, more=more)

    async def read(self, phone: Phone, asked: TextRead) -> None:
        """How far was read; the user's other phones are told. Raises `Refused`."""
        group, to = self._place(asked.group, asked.user)
        if group is not None:
            await self._judge_read(phone, group)
        thread = thread_of(phone.user.id, group, to)
        try:
            async with self._store.writing() as connection:
                await texts.read(connection, phone.user.id, thread, asked.number)
                waiting = await texts.unread(connection, (phone.user.id,), thread)
        except StoreUnavailable:
            # What he has seen must not wait for him again when SQL is back.
            self._store.journal.append(TextsRead(user=phone.user.id, thread=thread, number=asked.number))
            return
        others = [each for each in self._phones.of(phone.user.id) if each is not phone]
        if others:
            message = TextUnread(threads=[self._thread(group, to, sum(each.unread for each in waiting))])
            for each in others:
                each.send(message)

    async def threads(self, phone: Phone, asked: ThreadList) -> Threads:
        """All that is his to read. Raises `Refused` (unavailable)."""
        user = phone.user.id
        async with self._store.reading() as connection:
            every = await texts.latest(connection, user)
            rows = every[:MAX_THREADS_TOLD]
            unread = {each.thread: each.unread for each in await texts.unread(connection, (user,))}
            names = await passing_groups.names(connection, self._gone(rows))
        threads = [self._listed(user, row, unread.get(row.thread, 0), names) for row in rows]
        return Threads(id=asked.id, threads=threads, more=len(every) > len(rows))

    def came(self, phone: Phone) -> None:
        """A phone connected: it is told what waits, together with others that come now."""
        user = phone.user.id
        known = user in self._users or not self._groups.isdisjoint(self._roster.groups_of(user))
        if self._loaded and not known:
            return
        self._came.append(phone)
        if not self._tells:
            self._tells = True
            self.later.spawn(self._tell_came())

    # --- rights and limits -------------------------------------------------------------------------------------------

    def _place(self, group: str | None, user: str | None) -> tuple[GroupId | None, UserId | None]:
        if (group is None) == (user is None):
            raise Refused(Refusal.BAD_MESSAGE, "one of group and user")
        if group is not None:
            return GroupId(group), None
        found = self._roster.user(UserId(user or ""))
        if found is None:
            raise Refused(Refusal.UNKNOWN_USER)
        return None, found.id

    def _judge_send(self, phone: Phone, group: GroupId | None, to: UserId | None) -> None:
        roster = self._roster
        if group is not None and roster.group(group) is None:
            raise Refused(Refusal.UNKNOWN_GROUP)
        target = roster.group(group) if group is not None else roster.user(to or UserId(""))
        refused = Refusal.NOT_FOUND if target is None else may(Act.TEXT, phone.user, target, roster)
        if refused is not None:
            raise Refused(refused)

    async def _judge_read(self, phone: Phone, group: GroupId) -> _Bounds:
        """What he may read, and whether as a member; one who does by his office is audited. Raises `Refused`."""
        roster, found = self._roster, self._roster.group(group)
        if found is None:
            async with self._store.reading() as connection:
                found = await passing_groups.group(connection, group)
                until = await passing_groups.reads_until(connection, group, phone.user.id)
            if found is None:
                raise Refused(Refusal.UNKNOWN_GROUP)
            if until is not None and has(phone.user, Right.REPLAY):
                return _Bounds(member=False, before=until + 1)
        refused = may(Act.REPLAY, phone.user, found, roster)
        member = roster.membership(group, phone.user.id) is not None
        if refused is not None or not member:
            self._audit(phone.user, Act.REPLAY, "group", group, {"texts": True}, refused)
        if refused is not None:
            raise Refused(refused)
        return _Bounds(member)

    def _count(self, user: UserId) -> None:
        now = loop_time()
        if now - self._minute >= MINUTE_S:
            self._minute = now
            self._sent.clear()
        if self._sent[user] >= self._settings.per_minute:
            raise Refused(Refusal.TOO_FAST, retry_after_ms=round((self._minute + MINUTE_S - now) * 1000))
        self._sent[user] += 1

    # --- telling -----------------------------------------------------------------------------------------------------

    def _note(self, group: GroupId | None, to: UserId | None, readers: Iterable[UserId]) -> None:
        self._users.update(readers)
        if group is not None:
            self._groups.add(group)
        elif to is not None:
            self._users.add(to)

    def _tell(self, sender: Phone, info: TextInfo, framed: bytes) -> Iterator[None]:
        for phone in self._reached(info):
            if phone is not sender:
                phone.write(framed)
                yield

    def _reached(self, info: TextInfo) -> Iterable[Phone]:
        if info.group is None:
            people = {info.by.id, info.to.id} if info.to else {info.by.id}
            return list(self._phones.among(UserId(user) for user in people))
        group = GroupId(info.group)
        members = self._roster.members(group)
        return [p for p in self._phones.values() if p.user.id in members or p.has_group(group)]

    async def _tell_came(self) -> None:
        try:
            await asyncio.sleep(self._settings.settle_s)
            while self._came:
                here = dict.fromkeys(phone for phone in self._came if phone.connection is not None)
                part, self._came = list(here)[:SLICE], list(here)[SLICE:]
                try:
                    if not self._loaded:
                        raise StoreUnavailable
                    await self._tell_waiting(part)
                except StoreUnavailable:
                    self._came = [*part, *self._came]
                    await asyncio.sleep(AGAIN_S)
        finally:
            self._tells = False

    async def _tell_waiting(self, part: Sequence[Phone]) -> None:
        async with self._store.reading() as connection:
            waiting = await texts.unread(connection, {phone.user.id for phone in part})
            latest = await texts.messages(connection, {(each.thread, each.last) for each in waiting})
            names = await passing_groups.names(connection, self._gone(latest.values()))
        for phone in part:
            user = phone.user.id
            mine = [each for each in waiting if each.user == user]
            threads = [self._listed(user, latest[each.thread, each.last], each.unread, names) for each in mine]
            threads.sort(key=lambda each: -(each.last.at_ms if each.last else 0))
            if threads:
                phone.send(TextUnread(threads=threads[:MAX_THREADS_TOLD], all=True))

    def _gone(self, rows: Iterable[Any]) -> set[GroupId]:
        """The groups of these messages that are no more."""
        return {key for row in rows if (key := row.group_id) and self._roster.group(key) is None}

    def _listed(self, user: UserId, row: Any, unread: int, names: Mapping[GroupId, str]) -> Thread:
        """A thread by its last message, as this user sees it."""
        last = self._info(row)
        last = last.model_copy(update={"text": last.text[:MAX_LAST_CHARS]})
        group = None if last.group is None else GroupId(last.group)
        partner = row.to_id if row.by_id == user else row.by_id
        thread = self._thread(group, UserId(partner) if group is None else None, unread, last)
        name = None if group is None else names.get(group)
        return thread if name is None else thread.model_copy(update={"group_name": name})

    def _thread(self, group: GroupId | None, other: UserId | None, unread: int, last: TextInfo | None = None) -> Thread:
        found = None if group is None else self._roster.group(group)
        return Thread(
            group=group,
            group_name="" if found is None else found.name,
            person=None if other is None else self._person(other),
            unread=unread,
            last=last,
        )

    def _info(self, row: Any) -> TextInfo:
        return TextInfo(
            id=row.id,
            group=row.group_id,
            to=None if row.to_id is None else self._person(row.to_id),
            by=self._person(row.by_id),
            kind=TextKind(row.kind),
            text=row.text,
            status=None if row.status is None else StatusWord(row.status),
            number=row.number,
            at_ms=row.at_ms,
        )

    def _person(self, user: str) -> Person:
        """Also one who is deleted since."""
        found = self._roster.user(UserId(user))
        return Person(id=user, name="") if found is None else person(found)


def _check(asked: TextSend) -> None:
    fits = {
        TextKind.TEXT: bool(asked.text.strip()) and asked.status is None,
        TextKind.STATUS: asked.status is not None,
        TextKind.CALLBACK: asked.status is None,
    }
    if not fits[asked.kind]:
        raise Refused(Refusal.BAD_MESSAGE, asked.kind.value)
