"""Signed-in sessions, devices and enrolments: reading and changing them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, Select, and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, DeviceId, Refusal, UserId
from poc_server.ground.refused import Refused
from poc_server.store import tables as t
from poc_server.store.change import Change
from poc_server.store.ids import clean, new_id
from poc_server.store.sql.lookup import holds, one, person_holds
from poc_server.store.sql.statements import update_each

MAX_ADDRESSES = 100
"""Of one person, that are looked through. A phone on the road has a new one each day."""


@dataclass(frozen=True, slots=True)
class SessionDraft:
    """A session about to begin. ``way``: password, enrolment, demo or external."""

    user: UserId
    way: str
    address: str
    expires_ms: int
    device: DeviceId | None = None


async def begin(connection: AsyncConnection, draft: SessionDraft, at_ms: int) -> str:
    """Keep a new session at rotation 0; returns its id."""
    return (await begin_many(connection, [draft], at_ms))[0]


async def begin_many(connection: AsyncConnection, drafts: list[SessionDraft], at_ms: int) -> list[str]:
    """Keep many sessions at once; returns their ids in order."""
    made = [new_id("se") for _ in drafts]
    rows = [
        {
            "id": name,
            "user_id": draft.user,
            "device_id": draft.device,
            "way": draft.way,
            "address": draft.address[:64],
            "created_ms": at_ms,
            "seen_ms": at_ms,
            "expires_ms": draft.expires_ms,
            "rotation": 0,
            "rotated_ms": at_ms,
        }
        for name, draft in zip(made, drafts, strict=True)
    ]
    await connection.execute(insert(t.session), rows)
    return made


async def session_row(connection: AsyncConnection, session: str) -> Row[Any] | None:
    """The session with that id."""
    return (await connection.execute(select(t.session).where(t.session.c.id == session))).one_or_none()


async def addresses_of(connection: AsyncConnection, user: UserId) -> list[str]:
    """From where somebody has signed in, the latest first, as far as sessions are kept; those of a demo prove nothing.

    At most `MAX_ADDRESSES` are told.
    """
    s = t.session.c
    latest = func.max(s.created_ms).desc()
    query = select(s.address).where(s.user_id == user, s.way != "demo", s.address != "").group_by(s.address)
    return list((await connection.scalars(query.order_by(latest).limit(MAX_ADDRESSES))).all())


async def rotate(
    connection: AsyncConnection, session: str, known: int, rotation: int, at_ms: int, expires_ms: int
) -> bool:
    """Move a live session from the ``known`` rotation to ``rotation``; False when it was not there any more."""
    live = (t.session.c.id == session) & (t.session.c.rotation == known) & t.session.c.ended_ms.is_(None)
    values = {"rotation": rotation, "rotated_ms": at_ms, "seen_ms": at_ms, "expires_ms": expires_ms}
    done = await connection.execute(update(t.session).where(live).values(values))
    return bool(done.rowcount)


async def end(change: Change, session: str, reason: str) -> bool:
    """End a live session and tell every node; False when there was none."""
    live = (t.session.c.id == session) & t.session.c.ended_ms.is_(None)
    values = {"ended_ms": change.at_ms, "end_reason": reason}
    done = await change.connection.execute(update(t.session).where(live).values(values))
    if not done.rowcount:
        return False
    change.note("session", session)
    row = (
        await change.connection.execute(
            select(t.session.c.user_id, t.user.c.agency_id)
            .join(t.user, t.user.c.id == t.session.c.user_id)
            .where(t.session.c.id == session)
        )
    ).one()
    change.record("session.end", "session", session, {"reason": reason, "user": row.user_id}, row.agency_id)
    return True


async def end_of_user(change: Change, user: UserId, reason: str) -> list[str]:
    """End every live session of a user; returns their ids."""
    return await _end_all(change, t.session.c.user_id == user, reason)


async def live_sessions(
    connection: AsyncConnection,
    agency: AgencyId,
    at_ms: int,
    limit: int,
    *,
    user: UserId | None = None,
    text: str = "",
    after: tuple[int, str] | None = None,
) -> tuple[list[Row[Any]], int]:
    """Sessions that may still refresh, the newest first, after the given (begun, id), and how many there are in all.

    ``text``: in the person's name, badge or account, or pinyin of it.
    """
    session = t.session.c
    conditions = [t.user.c.agency_id == agency, session.ended_ms.is_(None), session.expires_ms > at_ms]
    if user is not None:
        conditions.append(session.user_id == user)
    if text:
        conditions.append(person_holds(text))
    owned = t.session.join(t.user, t.user.c.id == session.user_id)
    total = await connection.scalar(select(func.count()).select_from(owned).where(*conditions))
    query = (
        select(t.session, t.user.c.name.label("user_name"), t.device.c.name.label("device_name"))
        .select_from(owned.outerjoin(t.device, t.device.c.id == session.device_id))
        .where(*conditions)
        .order_by(session.created_ms.desc(), session.id)
        .limit(limit)
    )
    if after is not None:
        begun, key = after
        query = query.where(or_(session.created_ms < begun, (session.created_ms == begun) & (session.id > key)))
    return list((await connection.execute(query)).all()), int(total or 0)


async def create_device(change: Change, agency: AgencyId, user: UserId | None, name: str) -> DeviceId:
    """A new device, as it enrols."""
    made = DeviceId(new_id("de"))
    values = {
        "id": made,
        "agency_id": agency,
        "user_id": user,
        "name": clean(name),
        "enabled": True,
        "created_ms": change.at_ms,
        "version": change.version,
    }
    await change.connection.execute(insert(t.device), [values])
    change.note("device", made)
    change.record("device.create", "device", made, {"name": name, "user": user}, agency)
    return made


async def devices_page(
    connection: AsyncConnection,
    agency: AgencyId,
    limit: int,
    *,
    user: UserId | None = None,
    text: str = "",
    after: tuple[str, str] | None = None,
) -> tuple[list[Row[Any]], int]:
    """Devices by (pinyin of whose they are, id) after the given pair, and how many there are in all.

    ``text``: in the name of the device, or of its owner as people are searched. ``last_ms``: when a session of it was
    last seen, None when there never was one.
    """
    conditions = [t.device.c.agency_id == agency]
    if user is not None:
        conditions.append(t.device.c.user_id == user)
    if text:
        conditions.append(or_(holds(t.device.c.name, text), person_holds(text)))
    total = await connection.scalar(select(func.count()).select_from(_OWNED).where(*conditions))
    query = _devices().where(*conditions).order_by(_owner, t.device.c.id).limit(limit)
    if after is not None:
        owner, key = after
        query = query.where(or_(_owner > owner, and_(_owner == owner, t.device.c.id > key)))
    return list((await connection.execute(query)).all()), int(total or 0)


async def device_row(connection: AsyncConnection, agency: AgencyId, device: DeviceId) -> Row[Any] | None:
    """One device of that agency, with what `devices_page` tells of each."""
    query = _devices().where(t.device.c.agency_id == agency, t.device.c.id == device)
    found: Row[Any] | None = (await connection.execute(query)).one_or_none()
    return found


NOBODY = "\U0010ffff"
"""Where the devices of nobody stand among those of people: last."""
_owner = func.coalesce(t.user.c.sorted_as, NOBODY)
_OWNED = t.device.outerjoin(t.user, t.user.c.id == t.device.c.user_id)


def _devices() -> Select[Any]:
    last = select(func.max(t.session.c.seen_ms)).where(t.session.c.device_id == t.device.c.id).scalar_subquery()
    beside = t.user.c.name.label("user_name"), last.label("last_ms"), _owner.label("owner")
    return select(t.device, *beside).select_from(_OWNED)


async def set_device(
    change: Change,
    device: DeviceId,
    *,
    enabled: bool | None = None,
    name: str | None = None,
    expected: int | None = None,
) -> None:
    """Enable, disable (遥毙) or rename a device; None leaves it as it is. The sessions of a disabled one end."""
    await one(change.connection, t.device, device, expected)
    await set_devices(change, {device: DeviceWish(enabled, name)})


@dataclass(frozen=True, slots=True)
class DeviceWish:
    """What a device shall be; None: as it is."""

    enabled: bool | None = None
    name: str | None = None


async def set_devices(change: Change, wanted: Mapping[DeviceId, DeviceWish]) -> None:
    """Many devices, as `set_device` does one. Refuses one that is not there (not_found)."""
    if not wanted:
        return
    found = await change.connection.execute(select(t.device).where(t.device.c.id.in_(sorted(wanted))))
    rows = {DeviceId(row.id): row for row in found.all()}
    if len(rows) != len(wanted):
        raise Refused(Refusal.NOT_FOUND, "device")
    values = {}
    for device, wish in wanted.items():
        row = rows[device]
        enabled = row.enabled if wish.enabled is None else wish.enabled
        name = row.name if wish.name is None else clean(wish.name)
        values[device] = {"enabled": enabled, "name": name, "version": change.version}
        change.note("device", device)
        if name != row.name:
            change.record("device.rename", "device", device, {"name": name, "before": row.name}, row.agency_id)
        if enabled != row.enabled:
            told = {"user": row.user_id}
            change.record("device.enable" if enabled else "device.disable", "device", device, told, row.agency_id)
    await update_each(change.connection, t.device, values)
    disabled = sorted(device for device, wish in wanted.items() if wish.enabled is False)
    if disabled:
        await _end_all(change, t.session.c.device_id.in_(disabled), "device_disabled")


async def create_enrolment(
    change: Change, agency: AgencyId, user: UserId, code_hash: bytes, expires_ms: int, device_name: str = ""
) -> str:
    """Keep the hash of an enrolment code; the code itself is shown once and never kept."""
    made = new_id("en")
    values = {
        "id": made,
        "code_hash": code_hash,
        "user_id": user,
        "device_name": clean(device_name),
        "created_by": change.actor.user,
        "created_ms": change.at_ms,
        "expires_ms": expires_ms,
    }
    await change.connection.execute(insert(t.enrolment), [values])
    change.record("enrolment.create", "enrolment", made, {"user": user}, agency)
    return made


async def spend_enrolment(change: Change, code_hash: bytes) -> Row[Any]:
    """Spend a code, once. Refuses (enrolment_spent) one that is unknown, spent or expired: all the same word.

    What the change does from then on is done by whom the code was made for.
    """
    live = (
        (t.enrolment.c.code_hash == code_hash)
        & t.enrolment.c.spent_ms.is_(None)
        & (t.enrolment.c.expires_ms > change.at_ms)
    )
    done = await change.connection.execute(update(t.enrolment).where(live).values(spent_ms=change.at_ms))
    if not done.rowcount:
        raise Refused(Refusal.ENROLMENT_SPENT)
    query = (
        select(t.enrolment, t.user.c.agency_id)
        .join(t.user, t.user.c.id == t.enrolment.c.user_id)
        .where(t.enrolment.c.code_hash == code_hash)
    )
    row = (await change.connection.execute(query)).one()
    change.actor = replace(change.actor, user=UserId(row.user_id), agency=row.agency_id)
    change.record("enrolment.spend", "enrolment", row.id, {"user": row.user_id}, row.agency_id)
    return row


async def end_enrolments(change: Change, user: UserId) -> None:
    """The codes that wait for a user are good no more: nobody knows in whose hands they are."""
    waiting = (t.enrolment.c.user_id == user) & t.enrolment.c.spent_ms.is_(None)
    ended = update(t.enrolment).where(waiting, t.enrolment.c.expires_ms > change.at_ms)
    await change.connection.execute(ended.values(expires_ms=change.at_ms))


async def enrolled_by(connection: AsyncConnection, code_hash: bytes) -> UserId | None:
    """Whom a code was made for, also when it is spent or its time is over."""
    found = await connection.scalar(select(t.enrolment.c.user_id).where(t.enrolment.c.code_hash == code_hash))
    return None if found is None else UserId(found)


async def _end_all(change: Change, which: Any, reason: str) -> list[str]:
    query = select(t.session.c.id).where(which, t.session.c.ended_ms.is_(None))
    found = list((await change.connection.execute(query)).scalars())
    for name in found:
        await end(change, name, reason)
    return found
