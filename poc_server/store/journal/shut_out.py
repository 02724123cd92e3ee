"""That a device or a person was disabled while SQL is away: it is in wrong hands now, and not when SQL is back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, DeviceId, Refusal, UserId
from poc_server.ground.refused import Refused
from poc_server.store import audit
from poc_server.store.audit import Actor
from poc_server.store.change import Change, changing_on
from poc_server.store.city import people, sessions
from poc_server.store.ids import clean
from poc_server.store.journal.base import Ms, Record, Text

What = Literal["device", "user"]
ACTION: dict[What, str] = {"device": "device.disable", "user": "user.flags"}


class ShutOut(Record):
    """A device or a person was disabled, by whom and from where; ``id`` is that of its entry in the audit.

    It is in the journals of all nodes that heard of it. The first that reaches SQL does it, and so it is done once,
    though the device was enabled again before the next one comes.
    """

    kind: Literal["shut_out"] = "shut_out"
    v: Literal[1] = 1
    id: Text
    at_ms: Ms
    what: What
    target: Text
    agency: AgencyId | None = None
    actor: UserId | None = None
    address: Annotated[str, Field(max_length=64), AfterValidator(clean)] = ""

    @classmethod
    def of(cls, actor: Actor, at_ms: int, what: What, target: str) -> ShutOut:
        """The record of what ``actor`` does just now."""
        done = audit.entry(actor, at_ms, "", what, target)
        return cls(
            id=done.id,
            at_ms=at_ms,
            what=what,
            target=target,
            agency=done.agency,
            actor=done.actor,
            address=done.address,
        )


async def disable(change: Change, one: ShutOut) -> None:
    """Disable a device, whose sessions end, or a person. Refuses who is not there (not_found)."""
    if one.what == "device":
        await sessions.set_device(change, DeviceId(one.target), enabled=False)
    else:
        await people.set_flags(change, UserId(one.target), enabled=False)
    _enter(change, one)


async def apply(connection: AsyncConnection, found: Sequence[ShutOut]) -> None:
    """Disable whom no journal has disabled yet."""
    for each in found:
        if not await audit.holds(connection, each.id):
            await _apply(connection, each)


async def _apply(connection: AsyncConnection, one: ShutOut) -> None:
    actor = Actor(one.actor, one.agency, one.address)
    async with changing_on(connection, actor, one.at_ms) as change:
        try:
            await disable(change, one)
        except Refused as refused:
            if refused.code is not Refusal.NOT_FOUND:
                raise
            _enter(change, one)


def _enter(change: Change, one: ShutOut) -> None:
    """It stands in the audit under its id, by which whoever comes later finds it done."""
    done = [each for each in change.entries if each.target_kind == one.what]
    followed = [each for each in change.entries if each.target_kind != one.what]
    # Who was disabled already, or deleted, was meant all the same.
    said = done[0] if done else audit.entry(change.actor, one.at_ms, ACTION[one.what], one.what, one.target)
    change.entries = [replace(said, id=one.id), *followed]
