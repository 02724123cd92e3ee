"""Looking after the bridge: how receivers do, dead letters, news that could not be taken."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from pydantic import JsonValue

from gateway.delivery.outbox import Status
from gateway.polling import PollState
from groups.policy import Act
from poc_server.api import rights
from poc_server.api.problems import documented
from poc_server.api.routes import routes_of
from poc_server.api.services import Caller, Services, SignedInCaller, Use, UseBridge
from poc_server.api.shapes import Body
from poc_server.bridge.opened import OpenBridge
from poc_server.ground.refused import Refused
from poc_server.store import Actor
from poc_server.store.bridge import outbox, polls, refused_news
from signaling.limits import MAX_DEAD_LETTERS_LISTED, MAX_REFUSED_NEWS

router = routes_of("bridge", "/bridge")
Name = Annotated[str, Path(max_length=32)]
Letters = Annotated[int, Query(ge=1, le=MAX_DEAD_LETTERS_LISTED)]
After = Annotated[str, Query(max_length=256, description="``id`` of the last one of the page before")]


class ReceiverOut(Body):
    """A receiver and how it has been doing. ``stopped``: it answered 410 Gone and waits for an operator."""

    id: str
    url: str
    failures: int
    failing_since_ms: int | None
    probe_ms: int | None
    stopped: bool
    waiting: int
    dead: int


class DeadLetterOut(Body):
    """An event a receiver never took."""

    incident: str
    sequence: int
    id: str
    type: str
    at_ms: int
    attempts: int
    last_error: str
    data: dict[str, JsonValue]


class PollOut(Body):
    """A list that is polled. ``failures``: how often in a row it could not be read, and why the last time."""

    id: str
    url: str
    failures: int
    last_error: str


class ReplayedOut(Body):
    """How many dead letters were put back."""

    replayed: int


class RefusedNewsOut(Body):
    """News that could not be taken, and why."""

    id: str
    sender: str
    at_ms: int
    incident: str
    faults: list[str]
    body: str


@router.get("/receivers", responses=documented(401, 403, 503))
async def list_receivers(caller: SignedInCaller, services: Use, bridge: UseBridge) -> list[ReceiverOut]:
    """Every receiver."""
    _allow(services, caller, bridge)
    async with services.store.reading() as connection:
        counts = await outbox.counts(connection)
    found = []
    for receiver in bridge.couriers.receivers:
        health = await bridge.couriers.outbox_of(receiver).health()
        found.append(
            ReceiverOut(
                id=receiver.id,
                url=str(receiver.url),
                failures=health.failures,
                failing_since_ms=health.failing_since,
                probe_ms=health.probe_at,
                stopped=health.stopped,
                waiting=counts.get((receiver.id, Status.WAITING.value), 0),
                dead=counts.get((receiver.id, Status.DEAD.value), 0),
            )
        )
    return found


@router.post("/receivers/{receiver}/start", responses=documented(401, 403, 404, 503))
async def start_receiver(receiver: Name, caller: SignedInCaller, services: Use, bridge: UseBridge) -> None:
    """A receiver that stopped or is down is tried at once."""
    _allow(services, caller, bridge)
    await bridge.couriers.start_again(receiver)
    await _audit(services, caller.actor, "bridge.start", receiver, 0)


@router.get("/receivers/{receiver}/dead-letters", responses=documented(401, 403, 404, 422, 503))
async def list_dead_letters(
    receiver: Name, caller: SignedInCaller, services: Use, bridge: UseBridge, limit: Letters = 100, after: After = ""
) -> list[DeadLetterOut]:
    """What a receiver never took, the oldest first."""
    _allow(services, caller, bridge)
    return [
        DeadLetterOut(
            incident=each.event.incident,
            sequence=each.event.sequence,
            id=each.event.id,
            type=each.event.type,
            at_ms=each.event.at,
            attempts=each.attempts,
            last_error=each.last_error,
            data=each.event.data,
        )
        for each in await bridge.couriers.dead_letters(receiver, limit, after.replace("\x00", ""))
    ]


@router.post("/receivers/{receiver}/replay", responses=documented(401, 403, 404, 422, 503))
async def replay_dead_letters(
    receiver: Name, caller: SignedInCaller, services: Use, bridge: UseBridge, limit: Letters = MAX_DEAD_LETTERS_LISTED
) -> ReplayedOut:
    """Put dead letters back, the oldest first: they are tried for days again, under their old ids."""
    _allow(services, caller, bridge)
    replayed = await bridge.couriers.replay(receiver, limit)
    await _audit(services, caller.actor, "bridge.replay", receiver, replayed)
    return ReplayedOut(replayed=replayed)


@router.get("/polls", responses=documented(401, 403, 503))
async def list_polls(caller: SignedInCaller, services: Use, bridge: UseBridge) -> list[PollOut]:
    """Every list that is polled, and whether it can be read."""
    _allow(services, caller, bridge)
    plans = bridge.bridge.setup.file.polls
    async with services.store.reading() as connection:
        states = await polls.states(connection, [plan.id for plan in plans])
    found = [(plan, states.get(plan.id, PollState())) for plan in plans]
    return [
        PollOut(id=plan.id, url=str(plan.url), failures=state.failures, last_error=state.last_error)
        for plan, state in found
    ]


@router.get("/refused", responses=documented(401, 403, 422, 503))
async def list_refused(
    caller: SignedInCaller,
    services: Use,
    bridge: UseBridge,
    limit: Annotated[int, Query(ge=1, le=MAX_REFUSED_NEWS)] = 100,
) -> list[RefusedNewsOut]:
    """News that could not be taken, the newest first: for whoever maintains the mapping."""
    _allow(services, caller, bridge)
    async with services.store.reading() as connection:
        rows = await refused_news.newest(connection, limit)
    return [
        RefusedNewsOut(
            id=row.id, sender=row.sender_id, at_ms=row.at_ms, incident=row.code, faults=row.faults, body=row.body
        )
        for row in rows
    ]


def _allow(services: Services, caller: Caller, bridge: OpenBridge) -> None:
    """What lies here tells of the cases of one agency: it is for who administers that one, and for nobody of another.

    While none is named (several are here, and the bridge's file says none) nothing comes in, nor goes out.
    """
    try:
        agency = services.directory.agency(bridge.bridge.agency())
    except Refused:
        agency = None
    rights.allow(services, caller, Act.ADMINISTER_SETTINGS, agency or rights.own_agency(services, caller))


async def _audit(services: Services, actor: Actor, action: str, receiver: str, number: int) -> None:
    async with services.store.change(actor) as change:
        change.record(action, "receiver", receiver, {"number": number})
