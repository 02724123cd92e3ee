"""The bursts of one group that are on air on this node: their routes, and who hears them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from groups.floor import effects as out
from groups.floor import inputs as into
from groups.precedence import Voice, voice_of
from groups.rights import Right, has
from groups.vocabulary import BurstEnd, BurstId, GroupId, GroupKind, Tier, UserId
from poc_server.talk.burst import BurstListener, BurstMeta, BurstTap, FarVoice, Listeners
from poc_server.talk.ears import Ears, OnAir
from poc_server.talk.patch import Joined
from poc_server.talk.roster import Roster
from poc_server.talk.slices import Slices

if TYPE_CHECKING:
    from groups.model import Group, User
    from poc_server.media.relay import Relay, Route
    from poc_server.talk.phone import Phone

PLACED_AT_ONCE = 64
"""Phones whose slots are decided anew between two looks at the clock."""


class Danger(Protocol):
    """What bursts know of emergencies, and what emergencies hear of them (`poc_server.talk.conditions`)."""

    def in_sos(self, user: UserId) -> bool:
        """Whether this user is in danger himself."""

    def of_group(self, group: GroupId) -> Tier:
        """The condition of a group."""

    def only_talker(self, group: GroupId) -> UserId | None:
        """The one who alone may talk there, if so."""

    def talks(self, group: GroupId, user: UserId) -> None:
        """Somebody is on air."""

    def quiet(self, group: GroupId, user: UserId) -> None:
        """He is no more."""


@dataclass(slots=True)
class Air:
    """What the bursts of all groups of a node share.

    Attributes:
        listeners: who hears a burst beside the phones.
        far: voice between nodes; None while there is only this one.
        on_read: told of a group whose floor was read whole, after what it says was done.
    """

    relay: Relay
    ears: Ears
    roster: Roster
    joined: Joined
    danger: Danger
    listeners: Listeners
    far: FarVoice | None = None
    on_read: Callable[[GroupId], None] = lambda _: None


class GroupOnAir(Protocol):
    """The group whose bursts they are (`poc_server.talk.talkgroup`)."""

    group: Group
    phones: dict[str, Phone]

    def named(self, key: str) -> GroupId:
        """The group in which a connection pressed last."""

    def submit(self, given: into.MediaStarted | into.MediaStopped) -> bool:
        """Feed the floor machine."""


@dataclass(eq=False, slots=True)
class _Burst:
    """A burst whose route is open on this node."""

    on_air: OnAir
    talker_key: str
    taps: tuple[BurstTap, ...]
    meta: BurstMeta


class Bursts:
    """The bursts of one group whose routes are open here.

    Attributes:
        here: each by its id.
        floorless: those on air without a floor, of full duplex calls (`poc_server.talk.calls.duplex`).
        newest: the greatest id of one with a floor that began here.
    """

    def __init__(self, of: GroupOnAir, air: Air, slices: Slices) -> None:
        self._of = of
        self._air = air
        self._slices = slices
        self.here: dict[BurstId, _Burst] = {}
        self.floorless: set[BurstId] = set()
        self.newest = BurstId(0)
        self._ending: list[Route] = []
        """Routes of bursts that ended since one began last: their last packets may still be on their way."""

    def __len__(self) -> int:
        return len(self.here)

    def talker_key(self, burst: BurstId) -> str | None:
        """The connection a burst comes from."""
        found = self.here.get(burst)
        return found.talker_key if found else None

    def speakers(self) -> list[UserId]:
        """Who is on air now."""
        return [each.on_air.talker.id for each in self.here.values()]

    # --- what happens ------------------------------------------------------------------------------------------------

    def begin(self, began: out.BurstBegan, speaker: Phone | None = None) -> None:
        """Open the route of a burst that has the floor, and let everybody here who should hear it.

        ``speaker``: whose microphone it is, when he is not one of the phones of the group here.
        """
        air, group = self._air, self._of.group
        user = air.roster.user(began.user)
        if user is None:
            return
        if began.burst not in self.floorless:
            self.newest = max(self.newest, began.burst)
        for ended in self._ending:
            ended.leave_air()
        self._ending.clear()
        phone = speaker or self._of.phones.get(began.key)
        meta = self._meta(began, user, phone)
        heard_by = air.listeners(phone is not None)
        taps = tuple(tap for tap in (each.begin(meta) for each in heard_by) if tap is not None)
        outward = air.far.outward(group.id, began.burst) if air.far is not None and phone is not None else None
        on_air = OnAir(
            burst=began.burst,
            group=group.id,
            talker=user,
            tier=began.tier,
            number=began.priority,
            route=self._route(began, phone, taps, outward),
            voice=self._voice(user.id, began.tier),
            began_ms=began.at,
            spoken_in=self._of.named(began.key),
        )
        told_of_end = taps if outward is None else (*taps, outward)
        self.here[began.burst] = _Burst(on_air, began.key, told_of_end, meta)
        self._let_hear(on_air)
        for each in air.joined.spread(group.id):
            air.danger.talks(each, user.id)
        if phone is None and air.far is not None:
            air.far.begun(group.id, began.burst)

    def move(self, burst: BurstId, key: str) -> None:
        """The talker speaks from another connection now: the burst goes on, on a route of its own."""
        found = self.here.get(burst)
        if found is None:
            return
        on_air = found.on_air
        began = out.BurstBegan(
            burst, on_air.talker.id, key, on_air.tier, on_air.number, on_air.began_ms, overriding=False
        )
        self.end(burst, BurstEnd.CUT)
        self.begin(began)

    def left(self, key: str) -> None:
        """The phone of this connection is on another node now: what it says comes from there."""
        for burst, each in tuple(self.here.items()):
            if each.talker_key == key and burst not in self.floorless:
                self.move(burst, key)

    def end_told(self, listener: BurstListener) -> None:
        """One who did not hear all bursts on air begin hears how they end; of their voice no more than before."""
        for each in self.here.values():
            tap = listener.begin(each.meta)
            each.taps = each.taps if tap is None else (*each.taps, tap)

    def retier(self, burst: BurstId, tier: Tier) -> None:
        """The talker's emergency state changed in mid-burst: it may take slots now, or lose them."""
        found = self.here.get(burst)
        if found is None or found.on_air.tier == tier:
            return
        on_air = found.on_air
        on_air.tier = tier
        on_air.frames.clear()
        self._heard_as(on_air, self._voice(on_air.talker.id, tier))

    def revoice(self) -> None:
        """The condition of the group or of a talker is another now: what is said may take slots, or lose them."""
        for each in self.here.values():
            on_air = each.on_air
            voice = self._voice(on_air.talker.id, on_air.tier)
            if voice is not on_air.voice:
                self._heard_as(on_air, voice)

    def end(self, burst: BurstId, end: BurstEnd) -> None:
        """Close the route of a burst; slots are free for what else is on air."""
        found = self.here.pop(burst, None)
        if found is None:
            return
        air, taps = self._air, found.taps
        self._ending.append(found.on_air.route)
        found.on_air.route.end(lambda: _end_all(taps, end))
        air.ears.ended(found.on_air)
        for each in air.joined.spread(self._of.group.id):
            air.danger.quiet(each, found.on_air.talker.id)
        self._slices.add(self._placed(None))

    def end_all(self) -> None:
        """At once."""
        for burst in tuple(self.here):
            self.end(burst, BurstEnd.CUT)

    # --- private -----------------------------------------------------------------------------------------------------

    def _meta(self, began: out.BurstBegan, user: User, phone: Phone | None) -> BurstMeta:
        """What listeners beside the phones are told. In a patch it is said in the group that was pressed in."""
        return BurstMeta(
            burst=began.burst,
            group=self._air.roster.group(self._of.named(began.key)) or self._of.group,
            talker=user,
            device=began.key,
            tier=began.tier,
            began_ms=began.at,
            hearers=self._hearers(),
            enrolled=phone.device if phone else None,
        )

    def _hearers(self) -> tuple[UserId, ...]:
        """Of a group that ends with its call: its members, or those of the groups a patch joins, who may replay it."""
        roster, group = self._air.roster, self._of.group.id
        if not roster.is_transient(group):
            return ()
        members: set[UserId] = set()
        for each in self._air.joined.spread(group):
            members |= roster.members(each).keys()
        return tuple(sorted(members))

    def _route(
        self, began: out.BurstBegan, phone: Phone | None, taps: tuple[BurstTap, ...], outward: BurstTap | None
    ) -> Route:
        relay, far = self._air.relay, self._air.far
        if phone is not None:
            observer, answered = _Observer(self._of, began.user, began.burst), began.burst in self.floorless
            return relay.begin(began.burst, phone.peer, observer, taps, outward=outward, catches_up=answered)
        route = relay.begin(began.burst, None, _Deaf(), taps)
        if far is not None:
            route.fed_by(far.inward(self._of.group.id, began.burst, route))
        return route

    def _voice(self, user: UserId, tier: Tier) -> Voice:
        danger, group = self._air.danger, self._of.group
        return voice_of(
            tier,
            sos=danger.in_sos(user) and tier is Tier.EMERGENCY,
            group_tier=max(danger.of_group(each) for each in self._air.joined.spread(group.id)),
            broadcast=group.kind is GroupKind.BROADCAST,
        )

    def _heard_as(self, on_air: OnAir, voice: Voice) -> None:
        on_air.voice = voice
        self._let_hear(on_air)

    def _let_hear(self, on_air: OnAir) -> None:
        """Everybody here who should, be they thousands; of one in danger, whoever answers alerts before the others."""
        ears = self._air.ears
        ears.began(on_air)
        if on_air.voice is Voice.SOS:
            ears.place([each for each in ears.listeners(self._of.group.id) if has(each.user, Right.ALERTS)])
        self._slices.add(self._placed(on_air.burst))

    def _placed(self, burst: BurstId | None) -> Iterator[None]:
        ears = self._air.ears
        phones = tuple(ears.listeners(self._of.group.id))
        for start in range(0, len(phones), PLACED_AT_ONCE):
            if burst is not None and burst not in self.here:
                return
            ears.place(phones[start : start + PLACED_AT_ONCE])
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

    group: GroupOnAir
    user: UserId
    burst: BurstId

    def media_started(self, at_ms: int) -> None:
        """First packet, or the first after a silence."""
        self.group.submit(into.MediaStarted(self.user, self.burst, at_ms))

    def media_stopped(self, last_packet_ms: int) -> None:
        """Half a second without a packet."""
        self.group.submit(into.MediaStopped(self.user, self.burst, last_packet_ms))
