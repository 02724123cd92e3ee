"""One connected phone: who it is, its socket, its media path, what it selected and whether it would hear."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pydantic import BaseModel

from groups.model import User
from groups.vocabulary import DeviceId, GroupId, IncidentCode, MonitorScope, NotListening, Refusal
from signaling.messages import FloorRequest, Person
from signaling.words import Language, refusal

if TYPE_CHECKING:
    from poc_server.media.peer import Peer
    from signaling.connection import Connection

FORWARD_KEPT = 64
"""How often a phone remembers that an incident came forward; what is longest ago is forgotten first."""


def person(user: User) -> Person:
    """A user as others see him."""
    return Person(id=user.id, name=user.name, badge=user.badge)


class Away(Protocol):
    """A phone of another node (`poc_server.neighbours.known.far_phone`): its own node is asked to do these with it.

    Attributes:
        lost: packets of the broadcast it speaks of that its RTCP says it lost; None without such a report.
        talking: the group it is on air in, as its node said last; this node need not hear that group.
    """

    lost: int | None
    talking: GroupId | None

    def affiliate(self, selected: GroupId | None, listens: Iterable[GroupId]) -> None:
        """Set what it talks in and listens to."""

    def monitor(self, groups: Iterable[GroupId]) -> None:
        """Set what it hears without being there, of the scope that it has here."""

    def bring(self, group: GroupId) -> None:
        """Let it hear a group before all others."""

    def let_go(self, group: GroupId) -> None:
        """End what `bring` began."""

    def switch(self, group: GroupId, code: IncidentCode, title: str, version: int) -> None:
        """Bring an incident's group forward on it, unless that disturbs its user, or was done for this version."""

    def end(self, code: Refusal, close_code: int) -> None:
        """Disconnect it for a reason it is told, and forget its place."""

    def press(self, message: FloorRequest) -> None:
        """Take a key that went down before its call was up."""


@dataclass(eq=False, slots=True)
class Phone:
    """One device of one user on this node. It outlives its socket for a while, so that media goes on (resume).

    Attributes:
        key: the device's key; a second socket with the same key takes the first one's place.
        session: the sign-in session its token belongs to; ended sessions are disconnected by it.
        slots: bursts it can hear at a time.
        connection: its socket, None while it is lost; ``peer``: its media path, None before the first one.
        device: the enrolled device that session was made on, if it was.
        selected: the group it talks in when nothing else is said.
        listens: groups heard beside the selected one, most important first.
        brought: groups the system itself brought it into (calls, emergencies), newest first; heard before all others.
        monitors: groups it hears without being there, after all others; ``scope`` says why, ``hidden`` if unseen.
        beyond: what belongs to that scope, too, and is not monitored, for that would be more than `MAX_MONITORED`.
        patched: group → the patch it is joined by, of all groups of the node.
        listening_until: loop time until which "yes, I would hear" holds, 0 when the phone said no; ``not_listening``
            says why not.
        pressed_at: loop time of the floor request that has no answer yet.
        presses: group → the floor request that waits there for its call to be up, while the key is down.
        dropped_at: loop time at which the socket was lost, None while there is one.
        since: when it came to its node, ms on the fabric's clock: of two nodes that have it, the later one is right.
        resumed: it kept its place when it came last, on this node or from another one.
        groups_told: what its page was told of its user's groups.
        forward: incidents that came forward on it, by group, and the change of the directory by which each did.
        paths: media paths it has had on its node: another number, and it is to be spoken from anew.
        moves: it was sent to its group's home, another node: nobody keeps it here.
        resume: the secret by which it takes its place again.
    """

    key: str
    user: User
    session: str
    slots: int
    connection: Connection | None = None
    peer: Peer | None = None
    selected: GroupId | None = None
    listens: tuple[GroupId, ...] = ()
    brought: tuple[GroupId, ...] = ()
    monitors: tuple[GroupId, ...] = ()
    beyond: tuple[GroupId, ...] = ()
    scope: MonitorScope = MonitorScope.NONE
    hidden: bool = False
    patched: Mapping[GroupId, GroupId] = field(default_factory=dict)
    listening_until: float = 0.0
    not_listening: NotListening | None = NotListening.NO_MEDIA
    pressed_at: float | None = None
    presses: dict[GroupId, str] = field(default_factory=dict)
    dropped_at: float | None = None
    since: int = 0
    resumed: bool = False
    paths: int = 0
    groups_told: frozenset[tuple[object, ...]] = frozenset()
    forward: dict[tuple[GroupId, int], None] = field(default_factory=dict)
    device: DeviceId | None = None
    moves: bool = False
    resume: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    @property
    def away(self) -> Away | None:
        """How to reach it on another node; None while it is on this one."""
        return None

    @property
    def language(self) -> Language:
        """The language of the words it is shown."""
        return self.connection.language if self.connection else "zh-CN"

    @property
    def groups(self) -> tuple[GroupId, ...]:
        """All groups it hears, most important first."""
        every = (*self.present, *self.monitors)
        if self.patched:
            # In the place of a group that is patched its patch comes first: that is where it is talked.
            every = tuple(each for group in every for each in (self.patched.get(group, group), group))
        return tuple(dict.fromkeys(every))

    @property
    def present(self) -> tuple[GroupId, ...]:
        """The groups it is in, not those it only monitors."""
        selected = () if self.selected is None else (self.selected,)
        return (*self.brought, *selected, *self.listens)

    def is_in(self, group: GroupId) -> bool:
        """Whether it is in a group (or in one that a patch joins), and does not only monitor it."""
        here = group in self.brought or group == self.selected or group in self.listens
        return here or (bool(self.patched) and any(self.patched.get(each) == group for each in self.present))

    def has_group(self, group: GroupId) -> bool:
        """Whether a group is one of `groups`, without making the list: for who asks it of every phone."""
        return group in self.monitors or self.is_in(group) or (bool(self.patched) and group in self.groups)

    def names_of(self, group: GroupId) -> tuple[GroupId, ...]:
        """What this phone calls a group: for a patch those of its groups that it hears, for any other the group."""
        if not self.patched:
            return (group,)
        every = dict.fromkeys((*self.present, *self.monitors))
        return tuple(each for each in every if self.patched.get(each) == group) or (group,)

    def learns(self, group: GroupId, version: int) -> bool:
        """Whether it is new to it that an incident came forward by this change (0: not known by which)."""
        new = (group, version) not in self.forward
        self.forward[group, version] = None
        if len(self.forward) > FORWARD_KEPT:
            del self.forward[next(iter(self.forward))]
        return new or not version

    def send(self, message: BaseModel) -> None:
        """Write a message to its socket, if it has one."""
        if self.connection is not None:
            self.connection.send(message)

    def answer(self, message: BaseModel) -> None:
        """Write a message that a person with a key in his hand waits for."""
        if self.connection is not None:
            self.connection.send(message)
            self.connection.urge()

    def write(self, framed: bytes) -> None:
        """Write a message that was framed once for many."""
        if self.connection is not None:
            self.connection.write(framed)

    def refuse(self, code: Refusal, request: str | None = None) -> None:
        """Answer a request with an error."""
        if self.connection is not None:
            self.connection.refuse(code, request)

    def words(self, code: Refusal) -> str:
        """The sentence for ``code`` in its language."""
        return refusal(code, self.language)

    def would_hear(self, now: float) -> bool:
        """Whether a burst that began now would be heard: a talker is told how many of his group would."""
        return self.listening_until > now and self.peer is not None and self.peer.connected
