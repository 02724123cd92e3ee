"""Broadcasts as they stand: the list, and the report of one with a receipt per person."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from fastapi import Query

from groups.vocabulary import ReceiptState, Refusal
from poc_server.api.emergency.alerts import FAR_FUTURE_MS, desk_of
from poc_server.api.problems import documented
from poc_server.api.routes import routes_of
from poc_server.api.services import Caller, Services, SignedInCaller, Use
from poc_server.api.shapes import Body, PathId
from poc_server.emergency import live_broadcast
from poc_server.emergency.live_broadcast import LiveBroadcast
from poc_server.ground.refused import Refused, StoreUnavailable
from poc_server.store import emergency as kept
from signaling.messages import BroadcastInfo, Person

router = routes_of("emergencies")


class ReceiptOut(Body):
    """How far it came with one person; ``state`` None: it could not be sent yet. Times in ms, None: not so far."""

    person: Person
    state: ReceiptState | None
    sent_ms: int | None
    delivered_ms: int | None
    heard_ms: int | None
    acknowledged_ms: int | None


class ReportOut(Body):
    """A broadcast, how many it reached how far, and each person."""

    broadcast: BroadcastInfo
    counts: dict[str, int]
    receipts: list[ReceiptOut]


class BroadcastsOut(Body):
    """Broadcasts one may see, the newest first."""

    broadcasts: list[BroadcastInfo]


@router.get("/broadcasts", responses=documented(401, 403, 422, 503))
async def broadcasts(
    caller: SignedInCaller,
    services: Use,
    before_ms: Annotated[int, Query(ge=0, le=FAR_FUTURE_MS)] = FAR_FUTURE_MS,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> BroadcastsOut:
    """One's own broadcasts, and those one may cancel; while SQL is away those that are under way."""
    desk = desk_of(services).broadcasts
    led = {each.id: each for each in desk if each.at < before_ms and desk.may_see(caller.user, each.by)}
    rows = [each for each in await _kept(services, caller, before_ms, limit, led) if desk.may_see(caller.user, each.by)]
    newest = sorted(({each.id: each for each in rows} | led).values(), key=lambda each: (-each.at, each.id))
    return BroadcastsOut(broadcasts=[each.info() for each in newest[:limit]])


async def _kept(
    services: Services, caller: Caller, before_ms: int, limit: int, led: Collection[str]
) -> list[LiveBroadcast]:
    """Those in SQL; while it is away, those that are ``led`` here are told without them."""
    try:
        async with services.store.reading() as connection:
            rows = await kept.broadcasts_page(connection, caller.user.agency, before_ms, limit)
    except StoreUnavailable:
        if not led:
            raise
        return []
    found = [(row, services.directory.user(row.user)) for row in rows]
    return [live_broadcast.from_kept(row, by, ()) for row, by in found if by is not None]


@router.get("/broadcasts/{broadcast}", responses=documented(401, 403, 404, 503))
async def report(broadcast: PathId, caller: SignedInCaller, services: Use) -> ReportOut:
    """The report: live while it is under way, final after."""
    live = await seen(broadcast, caller, services)
    receipts = []
    for each in live.receipts.values():
        user = services.directory.user(each.user)
        shown = Person(id=each.user, name=user.name if user else "", badge=user.badge if user else "")
        receipts.append(
            ReceiptOut(
                person=shown,
                state=each.state,
                sent_ms=each.sent_at,
                delivered_ms=each.delivered_at,
                heard_ms=each.heard_at,
                acknowledged_ms=each.acknowledged_at,
            )
        )
    return ReportOut(broadcast=live.info(), counts=live.counts(), receipts=receipts)


async def seen(broadcast: str, caller: Caller, services: Services) -> LiveBroadcast:
    """One whose report the caller may read, under way or final. Raises `Refused` (not_found)."""
    live = await broadcast_of(broadcast, services)
    if live is None or not desk_of(services).broadcasts.may_see(caller.user, live.by):
        raise Refused(Refusal.NOT_FOUND)
    return live


async def broadcast_of(broadcast: str, services: Services) -> LiveBroadcast | None:
    """A broadcast, under way or final, whoever asks."""
    return desk_of(services).broadcasts.get(broadcast) or await _closed(broadcast, services)


async def _closed(broadcast: str, services: Services) -> LiveBroadcast | None:
    async with services.store.reading() as connection:
        row = await kept.find_broadcast(connection, broadcast)
        by = None if row is None else services.directory.user(row.user)
        if row is None or by is None:
            return None
        return live_broadcast.from_kept(row, by, await kept.receipts(connection, broadcast))
