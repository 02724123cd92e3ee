"""Incidents on this node's phones: told, switched, listed. Who may be disturbed, `gateway`'s `rules.stays` says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

import structlog

from gateway.incidents import rules
from gateway.incidents.effects import Address, EventType
from gateway.incidents.incident import Datum
from gateway.incidents.incident_state import IncidentState
from gateway.incidents.rules import Attention
from gateway.mapping.datum import convert
from gateway.waking.notice import Notice, NoticeKind
from groups.rights import Right, has
from groups.vocabulary import GroupId, IncidentCode, Tier, UserId
from poc_server.bridge.address import GONE
from poc_server.talk.slices import Slices
from signaling.connection import frame
from signaling.messages import GroupSummary, IncidentChanged, IncidentsStirred, IncidentSummary, Switched
from signaling.messages.incident import IncidentPlace, Tap

if TYPE_CHECKING:
    from poc_server.talk.affiliation import Affiliation
    from poc_server.talk.conditions import Conditions
    from poc_server.talk.overview import Overview
    from poc_server.talk.phone import Phone
    from poc_server.talk.phones import Phones
    from poc_server.talk.roster import Roster
    from poc_server.talk.talkgroups import Talkgroups

log = structlog.get_logger(__name__)

TAPS: dict[Tap, EventType] = {
    "accepted": EventType.ACCEPTED,
    "on_the_way": EventType.ON_THE_WAY,
    "on_scene": EventType.ON_SCENE,
    "done": EventType.DONE,
}
_TAP_OF: dict[EventType, Tap] = {event: tap for tap, event in TAPS.items()}
NAME_CHARS = 128
STIR_S = 1.0
DIRECTORY_PAUSE_S, DIRECTORY_TRIES = 0.1, 300
"""How often and how many times a node looks whether its directory has what another node wrote."""


class Field(Protocol):
    """Who can be told of incidents, and switched to their groups (`poc_server.node`)."""

    roster: Roster
    phones: Phones
    talkgroups: Talkgroups
    affiliation: Affiliation
    conditions: Conditions
    overview: Overview

    def wake(self, users: Iterable[UserId], notice: Notice) -> None:
        """Wake people who have no phone connected."""


class IncidentPhones:
    """What the bridge does to the phones of one node."""

    def __init__(self, node: Field) -> None:
        self._node = node
        self._slices = Slices()
        self._stirring: asyncio.TimerHandle | None = None

    def changed(self, state: IncidentState, group: GroupId, gone: Iterable[UserId] = ()) -> None:
        """Members see the incident as it is now; those it concerns no longer see it go."""
        self._slices.add(self._tell(state, group, frozenset(gone)))
        if self._stirring is None:
            self._stirring = asyncio.get_running_loop().call_later(STIR_S, self._stir)

    def _stir(self) -> None:
        """Consoles are told that there is something new, not what: they read the list again, those who look at it."""
        self._stirring = None
        self._slices.add(self._stir_all(frame(IncidentsStirred())))

    def _stir_all(self, framed: bytes) -> Iterator[None]:
        for phone in tuple(self._node.phones.values()):
            if phone.connection is not None and has(phone.user, Right.INCIDENTS):
                phone.write(framed)
            yield

    def _tell(self, state: IncidentState, group: GroupId, gone: frozenset[UserId]) -> Iterator[None]:
        """One step a phone: a city dispatches hundreds of cases at once, to ten people each."""
        framed: dict[object, bytes] = {}
        for users, mine in ((state.members, state.address not in _OVER), (gone, False)):
            for user in users:
                for phone in self._node.phones.of(user):
                    if phone.connection is not None:
                        self._write(phone, state, group, mine, framed)
                    yield

    def _write(
        self, phone: Phone, state: IncidentState, group: GroupId, mine: bool, framed: dict[object, bytes]
    ) -> None:
        """The message, framed once for all who see the same."""
        user = phone.user.id
        place = self._node.roster.membership(group, user)
        seen = (mine, dict(state.taps).get(user), place and (place.may_talk, place.priority))
        if seen not in framed:
            framed[seen] = frame(IncidentChanged(incident=self.summary(state, group, user), mine=mine))
        phone.write(framed[seen])

    def bring_forward(
        self, state: IncidentState, group: GroupId, users: Iterable[UserId], to: Attention, version: int
    ) -> None:
        """Wakes those of ``users`` who have no phone connected, and switches phones where that disturbs nobody."""
        wanted = frozenset(users)
        away = [user for user in wanted if not any(phone.connection for phone in self._node.phones.of(user))]
        if away and to is not Attention.QUIET:
            incident = state.incident
            text = " ".join(word for word in (incident.address, incident.description) if word)
            self._node.wake(away, Notice(NoticeKind.INCIDENT, state.code, incident.name, text))
        if to is Attention.SWITCHED:
            self._slices.add(self._forward(state, group, wanted, version))

    def switch(
        self,
        phone: Phone,
        group: GroupId,
        code: IncidentCode,
        title: str,
        version: int,
        tries: int = DIRECTORY_TRIES,
    ) -> None:
        """Switches one phone of this node, unless that would disturb its user.

        The news may have been taken by another node, whose change of the directory is not known here yet. Who went back
        is not switched again when two nodes tell of one change, or one tells it twice.
        """
        if self._node.roster.membership(group, phone.user.id) is None:
            if tries:
                later = asyncio.get_running_loop().call_later
                later(DIRECTORY_PAUSE_S, self.switch, phone, group, code, title, version, tries - 1)
            else:
                log.warning("incident_group_unknown", incident=code, group=group)
            return
        if not phone.learns(group, version):
            return
        why = rules.stays(self._seen(phone), group)
        if why is None and self._node.affiliation.may_hear(phone, group) is None:
            self._switch(phone, group, code, title)

    def _forward(self, state: IncidentState, group: GroupId, users: frozenset[UserId], version: int) -> Iterator[None]:
        title = state.incident.name[:NAME_CHARS]
        for user in users:
            for phone in self._node.phones.of(user):
                if phone.away is not None:
                    # Only its own node knows whether he talks, waits or is in danger just now.
                    phone.away.switch(group, state.code, title, version)
                else:
                    self.switch(phone, group, state.code, title, version)
                yield
        log.info("incident_forward", incident=state.code, group=group, users=len(users))

    def summary(self, state: IncidentState, group: GroupId, user: UserId) -> IncidentSummary:
        """An incident as ``user`` sees it."""
        incident = state.incident
        place = None
        if incident.point is not None:
            point = convert(incident.point, Datum.WGS84)
            place = IncidentPlace(longitude=point.lon, latitude=point.lat)
        tapped = dict(state.taps).get(user)
        return IncidentSummary(
            code=state.code,
            title=incident.name,
            group=self._group(group, user),
            state=incident.state.value,
            open=state.address in (Address.OPEN, Address.CLOSING),
            urgent=incident.urgent,
            supervised=incident.supervised,
            attention=int(state.attention),
            lamp=state.lamp.value,
            address=incident.address,
            description=incident.description,
            place=place,
            tap=None if tapped is None else _TAP_OF[tapped],
            since_ms=incident.since,
        )

    def _switch(self, phone: Phone, group: GroupId, code: IncidentCode, title: str) -> None:
        back = phone.selected
        listens = tuple(dict.fromkeys((*phone.listens, *((back,) if back else ()))))
        # What was selected goes on being heard: nobody is taken out of a talk without noticing.
        self._node.affiliation.affiliate(phone, selected=group, listens=[g for g in listens if g != group])
        snapshot = self._node.overview.snapshot(phone, group)
        phone.send(Switched(group=snapshot, back=back, incident=code, title=title))

    def _seen(self, phone: Phone) -> rules.Phone:
        """What a rule must know. Who talks or waits on one of his phones is not disturbed on another either."""
        conditions = self._node.conditions
        places = {place for each in self._node.phones.of(phone.user.id) for place in self._places(each)}
        here = {*phone.brought, *((phone.selected,) if phone.selected else ())}
        return rules.Phone(
            connected=phone.connection is not None,
            selected=phone.selected,
            has_floor=not places.isdisjoint(("granted", "revoked")),
            queued="queued" in places,
            tier=conditions.of_user(phone.user.id),
            group_tier=max((conditions.of_group(group) for group in here), default=Tier.NORMAL),
            in_private_call=bool(phone.brought),
        )

    def _places(self, phone: Phone) -> Iterator[str]:
        if phone.pressed_at is not None:
            yield "queued"  # asked, and not answered yet
        for group in phone.groups:
            talkgroup = self._node.talkgroups.get(group)
            if talkgroup is not None:
                yield talkgroup.place_of(phone)[0]

    def _group(self, group: GroupId, user: UserId) -> GroupSummary | None:
        model, membership = self._node.roster.group(group), self._node.roster.membership(group, user)
        if model is None or membership is None:
            return None
        return GroupSummary(
            id=group,
            name=model.name,
            kind=model.kind,
            may_talk=membership.may_talk,
            priority=membership.priority,
            members=len(self._node.roster.members(group)),
        )


_OVER = GONE | {Address.FROZEN}
