"""Patches that are asked for (派接): judged, kept in SQL, then announced; read again when a node comes back."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING

import structlog

from groups.model import Group, User
from groups.policy import Act
from groups.vocabulary import GroupId, Refusal
from poc_server.ground.refused import Refused
from poc_server.store import Actor, Store, audit, patches
from poc_server.store.audit import SYSTEM, AuditEntry
from poc_server.store.patches import KeptPatch
from poc_server.talk.patch import Patch

if TYPE_CHECKING:
    from poc_server.dispatch.field import Field
    from poc_server.talk.later import Later

log = structlog.get_logger(__name__)

MAX_NAME = 128


class Patching:
    """One at a time: what is joined while another is being kept would be joined twice."""

    def __init__(self, store: Store, field: Field, later: Later) -> None:
        self._store = store
        self._field = field
        self._patches = field.patches
        self._joined = field.joined
        self._one = asyncio.Lock()
        self._patches.on_gone = lambda patch: later.spawn(self._forget(patch))

    async def load(self) -> None:
        """Join what is kept, part what is not. What can be joined no more is forgotten. Raises `Refused`.

        Another node may have joined and parted groups while none saw the other, or ended before it could tell.
        """
        async with self._one:
            async with self._store.reading() as connection:
                found = await patches.kept_ones(connection)
            kept_ids = {kept.id for kept in found}
            for patch in tuple(self._joined.live.values()):
                if patch.id not in kept_ids:
                    self._patches.end(patch)
            for kept in found:
                if self._joined.get(kept.id) is None:
                    await self._restore(kept)

    async def start(self, user: User, wanted: Iterable[str], name: str) -> Patch:
        """Join groups; asked again by the same it is the same patch.

        Raises `Refused`: the rights' codes, bad_message (fewer than two), conflict (joined already).
        """
        groups = [GroupId(group) for group in dict.fromkeys(wanted)]
        async with self._one:
            self._patches.judge(user, groups)
            standing = self._asked_before(user, groups, name)
            if standing is not None:
                return standing
            found = self._patches.joinable(groups)
            made = Patch(
                GroupId(f"pa-{secrets.token_hex(8)}"),
                name or _name(found),
                user,
                tuple(found),
                self._field.fabric.now(),
            )
            kept = KeptPatch(made.id, user.agency, user.id, made.name, tuple(groups), made.since_ms)
            async with self._store.writing() as connection:
                await patches.put(connection, kept, self._entry(Actor(user.id, user.agency), made, begins=True))
            self._patches.begin(made)
        # A group may have been taken out of use while this was written.
        self._patches.directory_changed()
        return made

    async def end(self, user: User, patch: GroupId) -> None:
        """Take it apart. Raises `Refused`: the rights' codes, not_found."""
        async with self._one:
            found = self._joined.get(patch)
            if found is None:
                raise Refused(Refusal.NOT_FOUND)
            try:
                self._patches.judge(user, (group.id for group in found.groups))
            except Refused as refused:
                # Of groups beyond one's reach nothing is told, not even that they are joined.
                unseen = refused.code is Refusal.UNKNOWN_GROUP
                raise Refused(Refusal.NOT_FOUND if unseen else refused.code) from None
            await self._remove(found, Actor(user.id, user.agency))
            self._patches.end(found)

    def _asked_before(self, user: User, groups: list[GroupId], name: str) -> Patch | None:
        """What he has joined so already: the desk that did it may have died before it could answer."""
        patch = self._joined.get(self._joined.of(groups[0]) or GroupId(""))
        if patch is None or patch.by.id != user.id or {group.id for group in patch.groups} != set(groups):
            return None
        return patch if patch.name == (name or _name(patch.groups)) else None

    async def _restore(self, kept: KeptPatch) -> None:
        by = self._field.roster.user(kept.by)
        try:
            groups = self._patches.joinable(kept.groups)
        except Refused as refused:
            log.info("patch_not_restored", patch=kept.id, code=refused.code)
            groups = []
        if by is not None and groups:
            self._patches.begin(Patch(kept.id, kept.name, by, tuple(groups), kept.since_ms))
            return
        now = self._store.clock()
        entry = audit.entry(SYSTEM, now, Act.PATCH.value, "patch", kept.id, {"begins": False}, kept.agency)
        async with self._store.writing() as connection:
            await patches.remove(connection, kept.id, entry)

    async def _remove(self, patch: Patch, actor: Actor) -> None:
        async with self._store.writing() as connection:
            await patches.remove(connection, patch.id, self._entry(actor, patch, begins=False))

    async def _forget(self, patch: Patch) -> None:
        """One of its groups is no more. While SQL is away its row stays, and is dropped at the next start."""
        try:
            await self._remove(patch, SYSTEM)
        except Refused as refused:
            log.warning("patch_not_removed", patch=patch.id, code=refused.code)

    def _entry(self, actor: Actor, patch: Patch, *, begins: bool) -> AuditEntry:
        detail = {"groups": [group.id for group in patch.groups], "name": patch.name, "begins": begins}
        now = self._store.clock()
        return audit.entry(actor, now, Act.PATCH.value, "patch", patch.id, detail, patch.by.agency)


def _name(groups: Iterable[Group]) -> str:
    """Of a patch that was given none."""
    return " + ".join(group.name for group in groups)[:MAX_NAME]
