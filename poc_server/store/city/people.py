"""Users and their roles: reading and changing them."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, Refusal, Role, UnitId, UserId, UserKind
from poc_server.ground.refused import Refused
from poc_server.store import tables as t
from poc_server.store.change import Change
from poc_server.store.city.pinyin import initials, sorted_as, spelled
from poc_server.store.ids import clean, new_id
from poc_server.store.sql.lookup import one, person_holds, unit_of_agency
from poc_server.store.sql.statements import in_parts, update_each

INSERT_SLICE = 100


def account_key(account: str) -> str:
    """One form for sign-in names that look the same."""
    return unicodedata.normalize("NFKC", clean(account)).strip().casefold()


@dataclass(frozen=True, slots=True)
class UserDraft:
    """What a new user, or one to be changed, shall be.

    ``account`` is the sign-in name; None: cannot use a password. ``roles`` are those of somebody new.
    """

    agency: AgencyId
    unit: UnitId
    name: str
    roles: frozenset[Role] = frozenset()
    kind: UserKind = UserKind.PERSON
    badge: str = ""
    account: str | None = None
    phone: str = ""
    enabled: bool = True
    talk_banned: bool | None = None
    """None: as it is; somebody new is not."""


async def create_user(change: Change, draft: UserDraft, password_hash: str | None = None) -> UserId:
    """A new user. Refuses a unit of another agency (not_found) and an account that is taken (conflict)."""
    (made,) = await create_users(change, [draft], password_hash)
    return made


async def create_users(change: Change, drafts: Sequence[UserDraft], password_hash: str | None = None) -> list[UserId]:
    """Many new users, in slices between which the loop may do something else. Refuses as `create_user`."""
    made: list[UserId] = []
    for agency, unit in {(draft.agency, draft.unit) for draft in drafts}:
        await unit_of_agency(change.connection, agency, unit)
    for some in in_parts(drafts, INSERT_SLICE):
        part = [(UserId(new_id("us")), draft) for draft in some]
        await change.connection.execute(
            insert(t.user), [_new_row(change, user, draft, password_hash) for user, draft in part]
        )
        roles = [{"user_id": user, "role": role.value} for user, draft in part for role in sorted(draft.roles)]
        if roles:
            await change.connection.execute(insert(t.role), roles)
        for user, draft in part:
            change.note("user", user)
            change.record("user.create", "user", user, _told(draft), draft.agency)
        made += [user for user, _ in part]
        await asyncio.sleep(0)
    return made


async def update_user(change: Change, user: UserId, draft: UserDraft, expected: int | None = None) -> None:
    """Change a user to ``draft``; agency and roles stay. Refuses an older ``expected`` version (stale)."""
    await one(change.connection, t.user, user, expected)
    await update_users(change, [(user, draft)])


async def update_users(change: Change, wanted: Sequence[tuple[UserId, UserDraft]]) -> None:
    """Change many users, each once, as `update_user` does. Refuses strangers, and units of others (not_found)."""
    if not wanted:
        return
    agencies = await _agencies(change.connection, [user for user, _ in wanted])
    if any(agencies[user] != draft.agency for user, draft in wanted):
        raise Refused(Refusal.NOT_FOUND, "user")
    for agency, unit in {(draft.agency, draft.unit) for _, draft in wanted}:
        await unit_of_agency(change.connection, agency, unit)
    rows = {user: {**_columns(draft), "version": change.version} for user, draft in wanted}
    await update_each(change.connection, t.user, rows)
    for user, draft in wanted:
        told = _told(draft)
        del told["roles"]
        change.note("user", user)
        change.record("user.update", "user", user, told, draft.agency)


async def set_roles(change: Change, user: UserId, roles: frozenset[Role], expected: int | None = None) -> None:
    """Give a user exactly these roles. Refuses an older ``expected`` version (stale)."""
    await one(change.connection, t.user, user, expected)
    await set_roles_of_many(change, {user: roles})


async def set_roles_of_many(change: Change, wanted: Mapping[UserId, frozenset[Role]]) -> None:
    """Give each user exactly these roles. Refuses somebody who is not there (not_found)."""
    if not wanted:
        return
    agencies = await _agencies(change.connection, wanted)
    await _replace_roles(change.connection, wanted)
    stamp = update(t.user).where(t.user.c.id.in_(sorted(wanted))).values(version=change.version)
    await change.connection.execute(stamp)
    for user, roles in wanted.items():
        change.note("user", user)
        change.record("user.roles", "user", user, {"roles": sorted(roles)}, agencies[user])


async def set_flags(
    change: Change, user: UserId, *, enabled: bool | None = None, talk_banned: bool | None = None
) -> None:
    """Enable, disable, ban from talking (禁呼) or lift it."""
    row = await one(change.connection, t.user, user)
    values: dict[str, Any] = {"version": change.version}
    if enabled is not None:
        values["enabled"] = enabled
    if talk_banned is not None:
        values["talk_banned"] = talk_banned
    await change.connection.execute(update(t.user).where(t.user.c.id == user).values(values))
    change.note("user", user)
    told = {key: value for key, value in values.items() if key != "version"}
    change.record("user.flags", "user", user, told, row.agency_id)


async def set_password(change: Change, user: UserId, password_hash: str | None, expected: int | None = None) -> None:
    """Keep the hash of a new password, or none. Refuses an older ``expected`` version (stale)."""
    row = await one(change.connection, t.user, user, expected)
    values = {"password_hash": password_hash, "version": change.version}
    await change.connection.execute(update(t.user).where(t.user.c.id == user).values(values))
    change.record("user.password", "user", user, {"set": password_hash is not None}, row.agency_id)


async def renew_hash(connection: AsyncConnection, user: UserId, before: str, after: str) -> None:
    """Keep another hash of the same password, unless it was changed meanwhile."""
    same = (t.user.c.id == user) & (t.user.c.password_hash == before)
    await connection.execute(update(t.user).where(same).values(password_hash=after))


async def delete_user(change: Change, user: UserId, expected: int | None = None) -> None:
    """Delete a user with roles, memberships and sessions. What he said stays, under his name of then."""
    row = await one(change.connection, t.user, user, expected)
    await change.connection.execute(delete(t.user).where(t.user.c.id == user))
    change.note("user", user)
    change.record("user.delete", "user", user, {"name": row.name, "badge": row.badge}, row.agency_id)


async def credentials(connection: AsyncConnection, account: str) -> Row[Any] | None:
    """The row of the user with that sign-in name."""
    return (await connection.execute(select(t.user).where(t.user.c.account == account_key(account)))).one_or_none()


async def user_row(connection: AsyncConnection, user: UserId) -> Row[Any] | None:
    """All of a user that is not in the directory: account, phone, version."""
    return (await connection.execute(select(t.user).where(t.user.c.id == user))).one_or_none()


async def held(connection: AsyncConnection, user: UserId) -> Row[Any] | None:
    """The same, and nobody changes or deletes him before this transaction is over."""
    query = select(t.user).where(t.user.c.id == user).with_for_update(read=True)
    return (await connection.execute(query)).one_or_none()


@dataclass(frozen=True, slots=True)
class UserFilter:
    """Which users to list. ``text`` looks in name, badge, account and pinyin."""

    agency: AgencyId
    units: Collection[UnitId] | None = None
    text: str = ""
    role: Role | None = None
    kind: UserKind | None = None
    enabled: bool | None = None


async def users_page(
    connection: AsyncConnection, wanted: UserFilter, limit: int, after: tuple[str, str] | None = None
) -> tuple[list[Row[Any]], int]:
    """Users by (pinyin, id) after the given pair, and how many there are in all."""
    conditions = _conditions(wanted)
    total = await connection.scalar(select(func.count()).select_from(t.user).where(*conditions))
    u = t.user.c
    query = select(t.user).where(*conditions).order_by(u.sorted_as, u.id).limit(limit)
    if after is not None:
        key, last = after
        query = query.where(or_(u.sorted_as > key, (u.sorted_as == key) & (u.id > last)))
    return list((await connection.execute(query)).all()), int(total or 0)


def _conditions(wanted: UserFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [t.user.c.agency_id == wanted.agency]
    if wanted.units is not None:
        conditions.append(t.user.c.unit_id.in_(sorted(wanted.units)))
    if wanted.kind is not None:
        conditions.append(t.user.c.kind == wanted.kind.value)
    if wanted.enabled is not None:
        conditions.append(t.user.c.enabled.is_(wanted.enabled))
    if wanted.role is not None:
        conditions.append(t.user.c.id.in_(select(t.role.c.user_id).where(t.role.c.role == wanted.role.value)))
    if wanted.text:
        conditions.append(person_holds(wanted.text))
    return conditions


def _columns(draft: UserDraft) -> dict[str, Any]:
    return {
        "unit_id": draft.unit,
        "kind": draft.kind.value,
        "name": clean(draft.name),
        "initials": initials(draft.name),
        "spelled": spelled(draft.name),
        "sorted_as": sorted_as(clean(draft.name)),
        "badge": clean(draft.badge),
        "account": None if draft.account is None else account_key(draft.account),
        "phone": clean(draft.phone),
        "enabled": draft.enabled,
        **({} if draft.talk_banned is None else {"talk_banned": draft.talk_banned}),
    }


def _new_row(change: Change, user: UserId, draft: UserDraft, password_hash: str | None) -> dict[str, Any]:
    return {
        "talk_banned": False,
        **_columns(draft),
        "id": user,
        "agency_id": draft.agency,
        "password_hash": password_hash,
        "created_ms": change.at_ms,
        "version": change.version,
    }


def _told(draft: UserDraft) -> dict[str, Any]:
    shown = {**_columns(draft), "roles": sorted(draft.roles)}
    del shown["initials"], shown["spelled"], shown["sorted_as"]
    return shown


async def _agencies(connection: AsyncConnection, users: Collection[UserId]) -> dict[UserId, AgencyId]:
    """Whose each is. Refuses somebody who is not there (not_found)."""
    query = select(t.user.c.id, t.user.c.agency_id).where(t.user.c.id.in_(sorted(users)))
    found = {UserId(row.id): AgencyId(row.agency_id) for row in (await connection.execute(query)).all()}
    if len(found) != len(set(users)):
        raise Refused(Refusal.NOT_FOUND, "user")
    return found


async def _replace_roles(connection: AsyncConnection, wanted: Mapping[UserId, frozenset[Role]]) -> None:
    await connection.execute(delete(t.role).where(t.role.c.user_id.in_(sorted(wanted))))
    rows = [{"user_id": user, "role": role.value} for user, roles in wanted.items() for role in sorted(roles)]
    if rows:
        await connection.execute(insert(t.role), rows)
