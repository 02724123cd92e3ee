"""Web Push subscriptions in SQL: one row for each browser, gone with its sign-in."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import UserId
from poc_server.store import tables as t
from poc_server.store.sql.statements import in_parts, upsert

AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class KeptSubscription:
    """Where one browser of a user is reached, and in which language."""

    id: str
    user: UserId
    session: str
    endpoint: str
    p256dh: str
    auth: str
    language: str


def subscription_id(endpoint: str) -> str:
    """The row's name: the endpoint itself is a secret and long."""
    return hashlib.sha256(endpoint.encode()).hexdigest()


async def keep(connection: AsyncConnection, kept: KeptSubscription, now_ms: int, most: int) -> None:
    """Keep a subscription; of more than ``most`` of one user the oldest go."""
    p = t.push_subscription.c
    row = {
        "id": kept.id,
        "user_id": kept.user,
        "session_id": kept.session,
        "endpoint": kept.endpoint,
        "p256dh": kept.p256dh,
        "auth": kept.auth,
        "language": kept.language,
        "created_ms": now_ms,
    }
    columns = ["user_id", "session_id", "endpoint", "p256dh", "auth", "language", "created_ms"]
    await upsert(connection, t.push_subscription, ["id"], [row], columns)
    older = select(p.id).where(p.user_id == kept.user).order_by(p.created_ms.desc(), p.id).offset(most)
    extra = (await connection.execute(older)).scalars().all()
    if extra:
        await forget(connection, extra)


async def forget(connection: AsyncConnection, ids: Sequence[str]) -> None:
    """Remove subscriptions: taken back by the person, or gone at the push service."""
    await connection.execute(delete(t.push_subscription).where(t.push_subscription.c.id.in_(list(ids))))


async def forget_own(connection: AsyncConnection, user: UserId, endpoint: str) -> None:
    """Remove one of one's own."""
    p = t.push_subscription.c
    mine = (p.id == subscription_id(endpoint)) & (p.user_id == user)
    await connection.execute(delete(t.push_subscription).where(mine))


async def of_users(connection: AsyncConnection, users: Iterable[UserId]) -> list[KeptSubscription]:
    """The subscriptions of these people, but for those whose sign-in has ended."""
    p, s = t.push_subscription.c, t.session.c
    found: list[KeptSubscription] = []
    for part in in_parts(sorted(users), AT_ONCE):
        query = (
            select(t.push_subscription)
            .join(t.session, s.id == p.session_id, isouter=True)
            .where(p.user_id.in_(part), or_(s.id.is_(None), s.ended_ms.is_(None)))
            .order_by(p.created_ms)
        )
        found += [_kept(row) for row in (await connection.execute(query)).all()]
    return found


async def phone_numbers(connection: AsyncConnection, users: Iterable[UserId]) -> dict[UserId, str]:
    """The telephone number of each of these people who has one."""
    u = t.user.c
    found: dict[UserId, str] = {}
    for part in in_parts(sorted(users), AT_ONCE):
        query = select(u.id, u.phone).where(u.id.in_(part), u.phone != "")
        found |= {UserId(row.id): row.phone for row in (await connection.execute(query)).all()}
    return found


def _kept(row: Row[Any]) -> KeptSubscription:
    return KeptSubscription(
        row.id, UserId(row.user_id), row.session_id, row.endpoint, row.p256dh, row.auth, row.language
    )
