"""One open alert: what is known of it, what is kept of it, and where its officer is."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from groups.emergency.alert import AlertRecord
from groups.model import User
from groups.vocabulary import GroupId
from poc_server.store.emergency import Kept
from poc_server.store.places import Battery, Datum, Place, Places, Position
from poc_server.talk.phone import person
from poc_server.talk.roster import Roster
from signaling.messages import AlertInfo, Sos, Whereabouts

FUTURE_MS = 60_000
"""A phone's clock may be so far ahead; a place from a later time is not believed."""


@dataclass(eq=False, slots=True)
class LiveAlert:
    """An open alert.

    Attributes:
        origin: the group the officer had in mind; of a covert alert another than the one it is said in.
        noted: it is kept, in SQL or on disk until SQL is back.
        saved: it stands in SQL as it is now.
        kept_now: SQL or the disk has taken its last step.
        gone_at: since when no page of its officer has been connected, if so; ms.
        announced: those it concerns were told at least once.
        rang: the keys of the dispatchers' phones it went to when it was last announced, and of those that came since.
        keep_again: runs while it does not stand in SQL yet.
    """

    record: AlertRecord
    user: User
    place: Whereabouts | None
    battery: int | None
    incident: str | None
    covert: bool
    origin: GroupId | None = None
    noted: bool = False
    saved: bool = False
    kept_now: bool = False
    gone_at: int | None = None
    announced: bool = False
    rang: set[str] = field(default_factory=set)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    timer: asyncio.TimerHandle | None = None
    keep_again: asyncio.TimerHandle | None = None

    @property
    def told(self) -> int:
        """At how many phones of dispatchers it rings."""
        return len(self.rang)

    def kept(self) -> Kept:
        """The row that is kept."""
        record = self.record
        content: dict[str, Any] = {
            "record": json.loads(record.to_json()),
            "place": None if self.place is None else self.place.model_dump(exclude_none=True),
            "battery": self.battery,
            "incident": self.incident,
            "covert": self.covert,
            "origin": self.origin,
        }
        state = record.state.value
        return Kept(record.id, self.user.agency, record.user, record.open, record.raised_at, content, state)

    def info(self, roster: Roster) -> AlertInfo:
        """The alert as pages see it."""
        record = self.record
        group = None if record.group is None else roster.group(record.group)
        claimed = None if record.claimed_by is None else roster.user(record.claimed_by)
        left = None if record.left_by is None else roster.user(record.left_by)
        ended = None if record.ended_by is None else roster.user(record.ended_by)
        return AlertInfo(
            id=record.id,
            by=person(self.user),
            state=record.state,
            group=record.group,
            group_name="" if group is None else group.name,
            pressed_ms=record.pressed_at,
            raised_ms=record.raised_at,
            place=self.place,
            battery=self.battery,
            incident=self.incident,
            covert=self.covert,
            claimed_by=None if claimed is None else person(claimed),
            claimed_ms=record.claimed_at,
            left_by=None if left is None else person(left),
            acknowledged_ms=record.acknowledged_at,
            ended_by=None if ended is None else person(ended),
            ended_ms=record.ended_at,
            note=record.note,
            escalated=record.escalated,
            told=self.told,
            version=record.version,
            kept=self.kept_now,
            gone_ms=self.gone_at,
        )

    def stands_in_sql(self) -> None:
        """As it is now."""
        self.noted = self.saved = self.kept_now = True


def from_content(user: User, content: dict[str, Any]) -> LiveAlert:
    """One that was kept."""
    place, origin = content["place"], content.get("origin")
    return LiveAlert(
        AlertRecord.from_json(json.dumps(content["record"])),
        user,
        None if place is None else Whereabouts.model_validate(place),
        content["battery"],
        content["incident"],
        content["covert"],
        origin=None if origin is None else GroupId(origin),
    )


def whereabouts(places: Places, user: User, sos: Sos, now: int) -> Whereabouts | None:
    """The newest of what the phone says and what was known; what it says is known from now on."""
    known = places.of(user.id)
    last = None if known is None else known.position
    said = sos.place
    if said is not None and said.at_ms <= now + FUTURE_MS:
        places.put(_place(user, said, sos, now))
        if last is None or last.at_ms <= said.at_ms:
            return said
    if last is None:
        return said
    return Whereabouts(
        longitude=last.longitude,
        latitude=last.latitude,
        accuracy_m=last.accuracy_m,
        datum=last.datum.value,
        at_ms=last.at_ms,
    )


def knows_more(live: LiveAlert, places: Places, sos: Sos, now: int) -> bool:
    """Take what the phone knew only after the key was pressed, and says with the same SOS; whether it was anything."""
    said, before = sos.place, (live.place, live.battery)
    if sos.battery is not None:
        live.battery = sos.battery
    newer = said is not None and (live.place is None or said.at_ms > live.place.at_ms)
    if said is not None and newer and said.at_ms <= now + FUTURE_MS:
        live.place = whereabouts(places, live.user, sos, now)
    return (live.place, live.battery) != before


def battery(places: Places, user: User, sos: Sos) -> int | None:
    """Percent: what the phone says, else what was known last."""
    known = places.of(user.id)
    last = None if known is None or known.battery is None else known.battery.percent
    return sos.battery if sos.battery is not None else last


def _place(user: User, said: Whereabouts, sos: Sos, now: int) -> Place:
    position = Position(
        at_ms=said.at_ms,
        longitude=said.longitude,
        latitude=said.latitude,
        accuracy_m=said.accuracy_m,
        datum=Datum(said.datum),
    )
    charge = None if sos.battery is None else Battery(at_ms=sos.pressed_ms, percent=sos.battery)
    return Place(user=user.id, agency=user.agency, at_ms=said.at_ms, received_ms=now, position=position, battery=charge)
