"""One group on one node: its phones here, its floor, and what each effect of the floor machine means for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import BaseModel

from groups.floor import effects as out
from groups.floor import inputs as into
from groups.floor.state import FloorState
from groups.model import Group, User
from groups.vocabulary import BurstEnd, BurstId, DenyCause, GroupId, Refusal, Tier
from poc_server.talk.ears import OnAir
from poc_server.talk.floor_machine import FloorMachine
from poc_server.talk.phone import Phone, person
from poc_server.talk.runner import Runner
from poc_server.talk.slices import Slices
from signaling.endpoint import frame
from signaling.messages import (
    FloorDeny,
    FloorGranted,
    FloorIdle,
    FloorQueued,
    FloorRevoke,
    FloorSnapshot,
    FloorTaken,
    Ok,
)

if TYPE_CHECKING:
    from poc_server.media.relay import Tap
    from poc_server.node import Node

DENIALS = {
    DenyCause.ANOTHER_HAS_FLOOR: Refusal.FLOOR_TAKEN,
    DenyCause.INTERNAL_ERROR: Refusal.INTERNAL,
    DenyCause.ONLY_ONE_PARTICIPANT: Refusal.ALONE,
    DenyCause.RETRY_AFTER: Refusal.RETRY_LATER,
    DenyCause.RECEIVE_ONLY: Refusal.RECEIVE_ONLY,
    DenyCause.NO_RESOURCES: Refusal.NO_RESOURCES,
    DenyCause.QUEUE_FULL: Refusal.QUEUE_FULL,
    DenyCause.OTHER: Refusal.NOT_ALLOWED,
}
"""The word for each deny cause."""


@dataclass(frozen=True, slots=True)
class BurstMeta:
    """What is known of a talk burst when it begins. Times in ms on the fabric's clock."""

    burst: BurstId
    group: Group
    talker: User
    device: str
    tier: Tier
    began_ms: int


class BurstTap(Protocol):
    """One burst's own listener beside the phones: sees each packet, and how it ended."""

    def voice(self, packet: Any) -> None:
        """One voice packet; may only append to memory."""

    def end(self, outcome: BurstEnd) -> None:
        """No packet comes any more."""


class BurstListener(Protocol):
    """One who wants to hear every burst of this node's talkers: recording, other nodes, levels."""

    def begin(self, meta: BurstMeta) -> BurstTap | None:
        """A burst begins; None when this one is of no interest."""


@dataclass(eq=False, slots=True)
class _Burst:
    """A burst whose route is open on this node."""

    on_air: OnAir
    talker_key: str
    taps: tuple[BurstTap, ...]


class Talkgroup:
    """A group that has phones on this node."""

    def __init__(self, node: Node, group: Group) -> None:
        self._node = node
        self.group = group
        self.phones: dict[str, Phone] = {}
        self.routes: dict[BurstId, _Burst] = {}
        self._slices = Slices()
        self._runner: Runner[FloorState] = Runner(
            node.fabric,
            f"floor:{group.id}",
            FloorState(options=group.floor),
            FloorMachine(),
            into.Tick(),
            self._on_effects,
        )

    # --- phones ----------------------------------------------------------------------------------------------------

    @property
    def id(self) -> GroupId:
        """The group's id."""
        return self.group.id

    @property
    def idle(self) -> bool:
        """Nobody is here and nothing goes on."""
        state = self._runner.state
        return not self.phones and not self.routes and not state.bursts and not state.queue

    def join(self, phone: Phone) -> None:
        """A phone affiliates."""
        self.phones[phone.key] = phone

    def leave(self, phone: Phone) -> None:
        """A phone is no longer affiliated: its floor and its place in the queue are given up."""
        if self.phones.pop(phone.key, None) is not None:
            self.submit(into.Left(phone.user.id, phone.key))

    def configured(self, group: Group) -> None:
        """An administrator changed the group."""
        if group.floor != self.group.floor:
            self.submit(into.OptionsChanged(group.floor))
        self.group = group

    def submit(self, given: Any) -> bool:
        """Feed the floor machine; False when it has too much to do."""
        return self._runner.submit(given)

    def close(self) -> None:
        """End everything here, at once."""
        for burst in tuple(self.routes):
            self._end_burst(burst, BurstEnd.CUT)
        self._runner.close()

    # --- what a phone asks -----------------------------------------------------------------------------------------

    def participants(self) -> int:
        """Users in the call now."""
        return len({p.user.id for p in self.phones.values() if p.connection is not None})

    def place_of(self, phone: Phone) -> tuple[Literal["none", "queued", "granted", "revoked"], int | None]:
        """What a phone has here, and its place in the queue."""
        state = self._runner.state
        for burst in state.bursts:
            if burst.user == phone.user.id and burst.key == phone.key:
                return ("granted" if burst.revoked is None else "revoked"), None
        for position, waiting in enumerate(state.queue, 1):
            if waiting.user == phone.user.id and waiting.key == phone.key:
                return "queued", position
        return "none", None

    def floor_snapshot(self) -> FloorSnapshot:
        """The floor now."""
        state = self._runner.state
        if not state.bursts:
            return FloorSnapshot(state="idle", queue=len(state.queue))
        burst = state.bursts[-1]
        user = self._node.directory.user(burst.user)
        return FloorSnapshot(
            state="taken",
            burst=burst.burst,
            by=person(user) if user else None,
            tier=burst.tier,
            since_ms=burst.granted_at,
            queue=len(state.queue),
        )

    def media_without_floor(self, phone: Phone) -> None:
        """Voice came from a phone that has no floor here."""
        self.submit(into.MediaWithoutFloor(phone.user.id, phone.key))

    def tell(self, message: BaseModel, but: str | None = None) -> None:
        """One message to all phones here, in slices."""
        self._slices.add(self._told(frame(message), but))

    def _told(self, framed: bytes, but: str | None) -> Iterator[None]:
        for phone in tuple(self.phones.values()):
            if phone.key != but:
                phone.write(framed)
                yield

    # --- what the floor says ---------------------------------------------------------------------------------------

    def _on_effects(self, state: FloorState, effects: Sequence[Any]) -> None:
        for effect in effects:
            _EFFECTS[type(effect)](self, effect)

    def _granted(self, effect: out.Granted) -> None:
        phone = self.phones.get(effect.key)
        if phone is not None:
            phone.send(
                FloorGranted(
                    id=effect.request,
                    group=self.id,
                    burst=effect.burst,
                    duration_ms=effect.duration_ms,
                    from_queue=effect.from_queue,
                )
            )

    def _burst_began(self, effect: out.BurstBegan) -> None:
        node = self._node
        user = node.directory.user(effect.user)
        if user is None:
            return
        phone = self.phones.get(effect.key)
        meta = BurstMeta(effect.burst, self.group, user, effect.key, effect.tier, effect.at)
        # Only the talker's node feeds those who listen beside the phones; every node has its own phones.
        listeners = node.burst_listeners if phone is not None else ()
        taps: tuple[BurstTap, ...] = tuple(t for t in (each.begin(meta) for each in listeners) if t is not None)
        tappers: tuple[Tap, ...] = taps
        route = node.media.relay.begin(
            effect.burst, phone.peer if phone else None, _Observer(self, effect.user, effect.burst), tappers
        )
        on_air = OnAir(effect.burst, self.id, user, effect.tier, route, effect.at)
        self.routes[effect.burst] = _Burst(on_air, effect.key, taps)
        node.ears.began(on_air)
        self._slices.add(self._placed(on_air))

    def _placed(self, on_air: OnAir) -> Iterator[None]:
        phones = tuple(self.phones.values())
        for start in range(0, len(phones), 64):
            if on_air.burst not in self.routes:
                return
            self._node.ears.place(phones[start : start + 64])
            yield

    def _taken(self, effect: out.Taken) -> None:
        user = self._node.directory.user(effect.user)
        if user is None:
            return
        by = person(user)
        burst = self.routes.get(effect.burst)
        talker = burst.talker_key if burst else None

        def message(may_request: bool) -> bytes:
            return frame(
                FloorTaken(group=self.id, burst=effect.burst, by=by, tier=effect.tier, may_request=may_request)
            )

        self._slices.add(self._told_taken(message(True), message(False), effect.may_request, talker))

    def _told_taken(self, may: bytes, may_not: bytes, allowed: bool, talker: str | None) -> Iterator[None]:
        directory = self._node.directory
        for phone in tuple(self.phones.values()):
            if phone.key != talker:
                membership = directory.membership(self.id, phone.user.id)
                phone.write(may if allowed and membership is not None and membership.may_talk else may_not)
                yield

    def _burst_ended(self, effect: out.BurstEnded) -> None:
        self._end_burst(effect.burst, effect.end)

    def _end_burst(self, burst_id: BurstId, end: BurstEnd) -> None:
        burst = self.routes.pop(burst_id, None)
        if burst is None:
            return
        hearing = tuple(burst.on_air.slots)
        burst.on_air.route.end()
        self._node.ears.ended(burst.on_air)
        for tap in burst.taps:
            tap.end(end)
        if hearing or self.phones:
            self._slices.add(self._freed())

    def _freed(self) -> Iterator[None]:
        phones = tuple(self.phones.values())
        for start in range(0, len(phones), 64):
            self._node.ears.place(phones[start : start + 64])
            yield

    def _burst_moved(self, effect: out.BurstMoved) -> None:
        """The talker came back on another connection: the burst goes on from its media path."""
        burst = self.routes.get(effect.burst)
        phone = self.phones.get(effect.key)
        if burst is not None:
            burst.talker_key = effect.key
            if phone is not None and phone.peer is not None:
                burst.on_air.route.move(phone.peer)

    def _idle(self, effect: out.Idle) -> None:
        self.tell(FloorIdle(group=self.id, burst=effect.burst or None, end=effect.end))

    def _denied(self, effect: out.Denied) -> None:
        phone = self.phones.get(effect.key)
        if phone is None:
            return
        self._forget_held(phone)
        code = DENIALS[effect.cause]
        phone.send(
            FloorDeny(
                id=effect.request,
                group=self.id,
                cause=effect.cause,
                code=code,
                message=phone.words(code),
                retry_after_ms=effect.retry_after_ms,
            )
        )

    def _queued(self, effect: out.Queued) -> None:
        phone = self.phones.get(effect.key)
        if phone is not None:
            self._forget_held(phone)
            phone.send(FloorQueued(id=effect.request, group=self.id, position=effect.position, size=effect.size))

    def _revoked(self, effect: out.Revoked) -> None:
        phone = self.phones.get(effect.key)
        if phone is not None:
            phone.send(
                FloorRevoke(group=self.id, burst=effect.burst, cause=effect.cause, grace_ms=effect.grace_ms)
            )

    def _acknowledged(self, effect: out.Acknowledged) -> None:
        phone = self.phones.get(effect.key)
        if phone is not None and effect.request is not None:
            phone.send(Ok(id=effect.request))

    def _refused(self, effect: out.Refused) -> None:
        phone = self.phones.get(effect.key)
        if phone is not None:
            phone.refuse(effect.code, effect.request)

    def _inactive(self, effect: out.Inactive) -> None:
        """T4: a chat group has no call to end; calls that can end follow it themselves."""

    @staticmethod
    def _forget_held(phone: Phone) -> None:
        """Queued or denied: nothing is held, the phone sends again at the grant."""
        if phone.peer is not None:
            phone.peer.discard_held()


_EFFECTS: dict[type, Callable[[Talkgroup, Any], None]] = {
    out.Granted: Talkgroup._granted,
    out.BurstBegan: Talkgroup._burst_began,
    out.BurstMoved: Talkgroup._burst_moved,
    out.BurstEnded: Talkgroup._burst_ended,
    out.Taken: Talkgroup._taken,
    out.Idle: Talkgroup._idle,
    out.Denied: Talkgroup._denied,
    out.Queued: Talkgroup._queued,
    out.Revoked: Talkgroup._revoked,
    out.Acknowledged: Talkgroup._acknowledged,
    out.Refused: Talkgroup._refused,
    out.Inactive: Talkgroup._inactive,
}


@dataclass(frozen=True, slots=True)
class _Observer:
    """What the relay says of a burst (`poc_server.media.relay.BurstObserver`), fed to the floor machine."""

    talkgroup: Talkgroup
    user: Any
    burst: BurstId

    def media_started(self, at_ms: int) -> None:
        """First packet, or the first after a silence."""
        self.talkgroup.submit(into.MediaStarted(self.user, self.burst, at_ms))

    def media_stopped(self, last_packet_ms: int) -> None:
        """Half a second without a packet."""
        self.talkgroup.submit(into.MediaStopped(self.user, self.burst, last_packet_ms))
