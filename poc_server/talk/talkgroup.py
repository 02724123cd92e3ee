"""One group on one node: its phones here, its floor and its bursts, and how its phones are told of both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel

from groups.floor import inputs as into
from groups.floor.merge import merge
from groups.floor.state import FloorState
from groups.model import Group, User
from groups.policy import Act, may
from groups.vocabulary import BurstEnd, BurstId, GroupId, RevokeCause, UserId
from poc_server.talk.bursts import Air, Bursts
from poc_server.talk.clock import loop_time
from poc_server.talk.machines import FLOOR
from poc_server.talk.phone import Phone, person
from poc_server.talk.runner import Runner
from poc_server.talk.slices import Slices
from signaling.connection import frame
from signaling.messages import FloorIdle, FloorRevoke, FloorSnapshot

if TYPE_CHECKING:
    from poc_server.fabric.interface import Fabric


CarryOut = Callable[["Talkgroup", FloorState, Sequence[Any]], None]


class Talkgroup:
    """A group that has phones on this node.

    Args:
        group: as the directory has it, or its call.
        fabric: where its floor is.
        air: what it shares with the other groups of the node.
        carry_out: what the floor machine says is carried out by it (`poc_server.talk.floor_effects`).
        waited: told the outcome of a floor request, and how many seconds it waited for it.

    Attributes:
        bursts: those on air.
        followed: the desk follows this floor, whether it has phones here or not.
    """

    def __init__(
        self, group: Group, fabric: Fabric, air: Air, carry_out: CarryOut, waited: Callable[[str, float], None]
    ) -> None:
        self.group = group
        self._air = air
        self._waited = waited
        self.phones: dict[str, Phone] = {}
        self._pressed_in: dict[str, GroupId] = {}
        self._slices = Slices()
        self.bursts = Bursts(self, air, self._slices)
        self.followed = False
        self._runner: Runner[FloorState] = Runner(
            fabric,
            f"floor:{group.id}",
            FloorState(options=group.floor),
            FLOOR,
            into.Tick(),
            lambda state, effects: carry_out(self, state, effects),
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
        if self.followed or self.phones or self.bursts.here:
            return False
        return self._air.far is not None or not (state.bursts or state.queue)

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

    def read(self) -> None:
        """The floor was read whole, and routes and phones follow it."""
        self._air.on_read(self.id)

    def close(self) -> None:
        """End everything here, at once."""
        self.bursts.end_all()
        self._runner.close()

    # --- what a phone asks -----------------------------------------------------------------------------------------

    def holders(self) -> list[tuple[BurstId, str]]:
        """The bursts that have the floor, each with the key of its talker's phone."""
        return [(each.burst, each.key) for each in self._runner.state.bursts]

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
        user = self._air.roster.user(burst.user)
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
        return self._air.roster.user(user)

    def may_talk(self, phone: Phone) -> bool:
        """Whether a press of this phone here would not be refused for want of a right."""
        roster, only = self._air.roster, self._air.danger.only_talker(self.id)
        if only is not None:
            return phone.user.id == only
        groups = [self.group] if self._air.joined.get(self.id) is None else map(roster.group, phone.names_of(self.id))
        return any(may(act, phone.user, g, roster) is None for g in groups if g for act in (Act.TALK, Act.DISPATCH))

    def answered(self, phone: Phone, outcome: Literal["immediate", "queued", "denied"]) -> None:
        """A floor request has its answer: the access time as the server sees it (KPI 1, TS 22.179 §6.15)."""
        if phone.pressed_at is not None:
            seconds, phone.pressed_at = loop_time() - phone.pressed_at, None
            self._waited(outcome, seconds)

    # --- private ---------------------------------------------------------------------------------------------------

    def _told(self, framed: Callable[[Phone], bytes], but: str | None) -> Iterator[None]:
        for phone in tuple(self.phones.values()):
            if phone.key != but:
                phone.write(framed(phone))
                yield
