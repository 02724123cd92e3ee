"""One group on one node: its phones here, its floor, and what each effect of the floor machine means for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from pydantic import BaseModel

from groups.floor import effects as out
from groups.floor import inputs as into
from groups.floor.merge import merge
from groups.floor.state import FloorState
from groups.model import Group, User
from groups.policy import Act, may
from groups.precedence import Voice, voice_of
from groups.vocabulary import BurstEnd, BurstId, GroupId, GroupKind, RevokeCause, Tier, UserId
from poc_server.fabric.interface import LOADED
from poc_server.talk import reload
from poc_server.talk.ears import OnAir
from poc_server.talk.floor_effects import EFFECTS
from poc_server.talk.floor_machine import FloorMachine
from poc_server.talk.phone import Phone, person
from poc_server.talk.runner import Runner
from poc_server.talk.slices import Slices
from signaling.endpoint import frame
from signaling.messages import FloorIdle, FloorRevoke, FloorSnapshot

if TYPE_CHECKING:
    from poc_server.media.relay import Route
    from poc_server.node import Node

PLACED_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class BurstMeta:
    """What is known of a talk burst when it begins. Times in ms on the fabric's clock.

    ``hearers``: the members of a group that ends with its call.
    """

    burst: BurstId
    group: Group
    talker: User
    device: str
    tier: Tier
    began_ms: int
    hearers: tuple[UserId, ...] = ()


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
    far: bool
    taps: tuple[BurstTap, ...]


class Talkgroup:
    """A group that has phones on this node."""

    def __init__(self, node: Node, group: Group) -> None:
        self._node = node
        self.group = group
        self.phones: dict[str, Phone] = {}
        self.routes: dict[BurstId, _Burst] = {}
        self._ending: Route | None = None
        """The route of the burst that ended last: its last packets may still be on their way."""
        self._pressed_in: dict[str, GroupId] = {}
        self._slices = Slices()
        self.floorless: set[BurstId] = set()
        """Bursts on air without a floor: those of full duplex calls (`poc_server.talk.duplex`)."""
        self.followed = False
        """The desk follows this floor, whether it has phones here or not."""
        self._runner: Runner[FloorState] = Runner(
            node.fabric,
            f"floor:{group.id}",
            FloorState(options=group.floor),
            FloorMachine(),
            into.Tick(),
            self._on_effects,
            lambda mine, theirs: merge(mine, theirs, self.phones.__contains__),
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
        if self.followed or self.phones or self.routes:
            return False
        return self._node.elsewhere is not None or not (state.bursts or state.queue)

    @property
    def queued(self) -> int:
        """How many wait for the floor."""
        return len(self._runner.state.queue)

    def join(self, phone: Phone) -> None:
        """A phone affiliates."""
        self.phones[phone.key] = phone

    def leave(self, phone: Phone) -> None:
        """A phone is no longer affiliated: its floor and its place in the queue are given up."""
        self._pressed_in.pop(phone.key, None)
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

    @property
    def busy(self) -> bool:
        """Whether what phones did here is not written yet."""
        return self._runner.busy

    async def settled(self) -> None:
        """Returns when it is."""
        await self._runner.settled()

    def close(self) -> None:
        """End everything here, at once."""
        for burst in tuple(self.routes):
            self.end_burst(burst, BurstEnd.CUT)
        self._runner.close()

    # --- what a phone asks -----------------------------------------------------------------------------------------

    def participants(self) -> int:
        """Users in the call now."""
        here = {p.user.id for p in self.phones.values() if p.connection is not None and p.is_in(self.id)}
        elsewhere = self._node.elsewhere
        if elsewhere is None:
            return len(here)
        for group in self._node.patches.spread(self.id):
            here |= elsewhere.users_in(group)[0]
        count = len(here)
        if count < 2 and self._node.roster.is_transient(self.id):
            # In a call are those the desk says, though the word that their phones are there be still under way.
            count = len(self._node.roster.members(self.id))
        return count

    @property
    def newest_burst(self) -> BurstId:
        """The greatest burst id this floor has given."""
        return self._runner.state.last_burst

    def holders(self) -> list[tuple[BurstId, str]]:
        """The bursts that have the floor, each with the key of its talker's phone."""
        return [(each.burst, each.key) for each in self._runner.state.bursts]

    def far_route(self, burst: BurstId) -> Route | None:
        """The route of a burst whose talker is on another node."""
        found = self.routes.get(burst)
        return None if found is None or not found.far else found.on_air.route

    def pressed(self, phone: Phone, group: GroupId) -> None:
        """A phone presses; ``group`` is where, one of those a patch joins when this is one."""
        if group != self.id:
            self._pressed_in[phone.key] = group

    def named(self, key: str) -> GroupId:
        """The group in which a connection pressed last."""
        return self._pressed_in.get(key, self.id)

    def told_as(self, make: Callable[[GroupId], BaseModel]) -> Callable[[Phone], bytes]:
        """The frames of a message for each phone, under every name by which it knows this group."""
        framed: dict[tuple[GroupId, ...], bytes] = {}

        def of(phone: Phone) -> bytes:
            names = phone.names_of(self.id)
            if names not in framed:
                framed[names] = b"".join(frame(make(name)) for name in names)
            return framed[names]

        return of

    def close_told(self) -> None:
        """End everything here and say so: who talks loses the floor, all learn that it is idle."""
        bursts = self._runner.state.bursts
        for burst in bursts:
            phone = self.phones.get(burst.key)
            if phone is not None:
                name = self.named(burst.key)
                phone.send(FloorRevoke(group=name, burst=burst.burst, cause=RevokeCause.OTHER, grace_ms=0))
        if bursts or self._runner.state.queue:
            last = bursts[-1].burst if bursts else None
            self.tell_each(self.told_as(lambda g: FloorIdle(group=g, burst=last, end=BurstEnd.CUT if last else None)))
        self.close()

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
        user = self._node.roster.user(burst.user)
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

    def tell(self, message: BaseModel) -> None:
        """One message to all phones here, in slices."""
        framed = frame(message)
        self.tell_each(lambda _: framed)

    def tell_each(self, framed: Callable[[Phone], bytes], but: str | None = None) -> None:
        """To each phone here the message that ``framed`` gives for it, in slices, in order with those before."""
        self._slices.add(self._told(framed, but))

    def user(self, user: UserId) -> User | None:
        """The person behind an id."""
        return self._node.roster.user(user)

    def may_talk(self, phone: Phone) -> bool:
        """Whether a press of this phone here would not be refused for want of a right."""
        roster, only = self._node.roster, self._node.conditions.only_talker(self.id)
        if only is not None:
            return phone.user.id == only
        groups = [self.group] if self._node.patches.get(self.id) is None else map(roster.group, phone.names_of(self.id))
        return any(may(act, phone.user, g, roster) is None for g in groups if g for act in (Act.TALK, Act.DISPATCH))

    def answered(self, phone: Phone, outcome: Literal["immediate", "queued", "denied"]) -> None:
        """A floor request has its answer: the access time as the server sees it (KPI 1, TS 22.179 §6.15)."""
        if phone.pressed_at is not None:
            seconds, phone.pressed_at = self._node.loop_time() - phone.pressed_at, None
            self._node.metrics.access.labels(outcome).observe(seconds)

    # --- bursts ----------------------------------------------------------------------------------------------------

    def talker_key(self, burst: BurstId) -> str | None:
        """The connection a burst comes from."""
        found = self.routes.get(burst)
        return found.talker_key if found else None

    def begin_burst(self, began: out.BurstBegan, speaker: Phone | None = None) -> None:
        """Open the route of a burst that has the floor, and let everybody here who should hear it.

        ``speaker``: whose microphone it is, when he is not one of the phones here.
        """
        user = self.user(began.user)
        if user is None:
            return
        if self._ending is not None:
            self._ending.leave_air()
            self._ending = None
        phone = speaker or self.phones.get(began.key)
        roster = self._node.roster
        spoken_in = self.named(began.key)
        hearers = self._node.patches.hearers(self.id) if roster.is_transient(self.id) else ()
        said_in = roster.group(spoken_in) or self.group
        meta = BurstMeta(began.burst, said_in, user, began.key, began.tier, began.at, hearers)
        taps = tuple(tap for tap in (each.begin(meta) for each in self._listeners(phone)) if tap is not None)
        route = self._route(began, phone, taps)
        voice = self._voice(user.id, began.tier)
        on_air = OnAir(began.burst, self.id, user, began.tier, voice, began.priority, route, began.at, spoken_in)
        self.routes[began.burst] = _Burst(on_air, began.key, phone is None, taps)
        self._node.ears.began(on_air)
        self._slices.add(self._placed(on_air.burst))
        for each in self._node.patches.spread(self.id):
            self._node.conditions.talks(each, user.id)
        if phone is None and self._node.elsewhere is not None:
            self._node.elsewhere.between.begun(self.id, began.burst)

    def move_burst(self, burst: BurstId, key: str) -> None:
        """The talker speaks from another connection now: the burst goes on, on a route of its own."""
        found = self.routes.get(burst)
        if found is None:
            return
        on_air = found.on_air
        began = out.BurstBegan(
            burst, on_air.talker.id, key, on_air.tier, on_air.number, on_air.began_ms, overriding=False
        )
        self.end_burst(burst, BurstEnd.CUT)
        self.begin_burst(began)

    def raise_burst(self, burst: BurstId, tier: Tier) -> None:
        """The talker's emergency state changed in mid-burst: it may take slots now, or lose them."""
        found = self.routes.get(burst)
        if found is None or found.on_air.tier == tier:
            return
        on_air = found.on_air
        on_air.tier, on_air.voice = tier, self._voice(on_air.talker.id, tier)
        on_air.frames.clear()
        self._node.ears.began(on_air)
        self._slices.add(self._placed(burst))

    def revoice(self) -> None:
        """The condition of the group or of a talker is another now: what is said may take slots, or lose them."""
        for burst, each in self.routes.items():
            on_air = each.on_air
            voice = self._voice(on_air.talker.id, on_air.tier)
            if voice is not on_air.voice:
                on_air.voice = voice
                self._node.ears.began(on_air)
                self._slices.add(self._placed(burst))

    def speakers(self) -> list[UserId]:
        """Who is on air now."""
        return [each.on_air.talker.id for each in self.routes.values()]

    def end_burst(self, burst: BurstId, end: BurstEnd) -> None:
        """Close the route of a burst; slots are free for what else is on air."""
        found = self.routes.pop(burst, None)
        if found is None:
            return
        taps = found.taps
        self._ending = found.on_air.route
        self._ending.end(lambda: _end_all(taps, end))
        self._node.ears.ended(found.on_air)
        if self._node.elsewhere is not None:
            self._node.elsewhere.between.ended(burst)
        for each in self._node.patches.spread(self.id):
            self._node.conditions.quiet(each, found.on_air.talker.id)
        self._slices.add(self._placed(None))

    # --- private ---------------------------------------------------------------------------------------------------

    def _listeners(self, phone: Phone | None) -> tuple[BurstListener, ...]:
        """Who hears a burst beside the phones: on its talker's node whoever keeps it, at the desk who judges it."""
        node = self._node
        at_desk = node.desk_listeners if node.at_desk else ()
        return (*at_desk, *node.burst_listeners) if phone is not None else at_desk

    def _route(self, began: out.BurstBegan, phone: Phone | None, taps: tuple[BurstTap, ...]) -> Route:
        relay, elsewhere = self._node.media.relay, self._node.elsewhere
        if phone is not None:
            if elsewhere is not None:
                taps = (*taps, elsewhere.between.outward(self.id, began.burst))
            return relay.begin(began.burst, phone.peer, _Observer(self, began.user, began.burst), taps)
        route = relay.begin(began.burst, None, _Deaf(), taps)
        if elsewhere is not None:
            route.paced_by(elsewhere.between.inward(began.burst))
        return route

    def _on_effects(self, state: FloorState, effects: Sequence[Any]) -> None:
        for effect in effects:
            if effect is LOADED:
                reload.follow(self, state)
                continue
            EFFECTS[type(effect)](self, effect)

    def _voice(self, user: UserId, tier: Tier) -> Voice:
        conditions = self._node.conditions
        return voice_of(
            tier,
            sos=conditions.in_sos(user) and tier is Tier.EMERGENCY,
            group_tier=max(conditions.of_group(each) for each in self._node.patches.spread(self.id)),
            broadcast=self.group.kind is GroupKind.BROADCAST,
        )

    def _told(self, framed: Callable[[Phone], bytes], but: str | None) -> Iterator[None]:
        for phone in tuple(self.phones.values()):
            if phone.key != but:
                phone.write(framed(phone))
                yield

    def _placed(self, burst: BurstId | None) -> Iterator[None]:
        phones = tuple(self._node.ears.listeners(self.id))
        for start in range(0, len(phones), PLACED_AT_ONCE):
            if burst is not None and burst not in self.routes:
                return
            self._node.ears.place(phones[start : start + PLACED_AT_ONCE])
            yield


def _end_all(taps: tuple[BurstTap, ...], end: BurstEnd) -> None:
    for tap in taps:
        tap.end(end)


class _Deaf:
    """Observes a burst of another node: the talker's own node tells the floor of its packets."""

    def media_started(self, at_ms: int) -> None:
        """Known there."""

    def media_stopped(self, last_packet_ms: int) -> None:
        """Known there."""


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
