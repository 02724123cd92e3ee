"""What is known of one call, as frozen data that survives a JSON round trip. Times in ms."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from json.encoder import encode_basestring_ascii
from typing import Any

from groups.plain import known
from groups.vocabulary import BurstId, CallId, Tier, UserId


class CallKind(StrEnum):
    """How the parties of a call relate (TS 24.379 §6)."""

    PRIVATE = "private"
    FIRST_TO_ANSWER = "first_to_answer"
    GROUP = "group"
    PREARRANGED = "prearranged"
    BROADCAST = "broadcast"
    AMBIENT = "ambient"


class Answering(StrEnum):
    """How one who is called comes in."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class Phase(StrEnum):
    """Where a call stands."""

    SETTING_UP = "setting up"
    RUNNING = "running"
    ENDED = "ended"


class Part(StrEnum):
    """What one of those called has done."""

    CALLED = "called"
    RINGING = "ringing"
    JOINED = "joined"
    REFUSED = "refused"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    NOT_LISTENING = "not_listening"
    LEFT = "left"
    NOT_NEEDED = "not_needed"


_PARTS = {part.value: part for part in Part}
PRESENT = frozenset({Part.JOINED})
PENDING = frozenset({Part.CALLED, Part.RINGING})


class CallEnd(StrEnum):
    """Why a call ended."""

    HUNG_UP = "hung_up"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    NOT_LISTENING = "not_listening"
    INACTIVITY = "inactivity"
    MAXIMUM_LENGTH = "maximum_length"
    TOO_FEW = "too_few"
    BROADCAST_OVER = "broadcast_over"
    FORCED = "forced"


@dataclass(frozen=True, slots=True)
class CallOptions:
    """Options of one call.

    Attributes:
        answering: whether those called are joined at once or ring.
        ring_ms: how long they ring.
        hang_ms: T4, without a burst for so long the call ends; None: never for that reason.
        maximum_ms: TNG3; stands still while the tier is above normal.
        least: with fewer present the call ends.
        duplex: both parties speak at once, without a floor (private calls only).
    """

    answering: Answering = Answering.AUTOMATIC
    ring_ms: int = 30_000
    hang_ms: int | None = 30_000
    maximum_ms: int = 3_600_000
    least: int = 2
    duplex: bool = False


@dataclass(frozen=True, slots=True)
class Party:
    """One of those called."""

    user: UserId
    part: Part = Part.CALLED
    key: str | None = None
    """The connection it answered from: the first answer counts, a second device is told so."""


@dataclass(frozen=True, slots=True)
class Talking:
    """A burst on air, and the key of the connection it comes from: the same burst may go on from another."""

    burst: BurstId
    key: str


@dataclass(frozen=True, slots=True)
class CallState:
    """One call.

    Attributes:
        on_air: the bursts on air now; while there is one, inactivity does not count.
        quiet_at: when it becomes inactive (T4); None while somebody talks or it has no such limit.
        ring_at: when those who still ring have not answered.
        maximum_left_ms: what is left of the maximum length while it stands still.
        maximum_at: when the maximum length is over; None while it stands still.
        clock: the latest time it was looked at.
    """

    id: CallId
    kind: CallKind = CallKind.PRIVATE
    initiator: UserId = UserId("")
    tier: Tier = Tier.NORMAL
    options: CallOptions = field(default_factory=CallOptions)
    phase: Phase = Phase.SETTING_UP
    parties: tuple[Party, ...] = ()
    began_at: int = 0
    on_air: tuple[Talking, ...] = ()
    quiet_at: int | None = None
    ring_at: int | None = None
    maximum_left_ms: int = 0
    maximum_at: int | None = None
    end: CallEnd | None = None
    clock: int = 0

    def party(self, user: UserId) -> Party | None:
        """The part a user has in the call."""
        return next((party for party in self.parties if party.user == user), None)

    def present(self) -> tuple[Party, ...]:
        """Those who are in the call now."""
        return tuple(party for party in self.parties if party.part in PRESENT)

    def pending(self) -> tuple[Party, ...]:
        """Those who may still come in by answering."""
        return tuple(party for party in self.parties if party.part in PENDING)

    def with_party(self, changed: Party) -> CallState:
        """The state with one party's new form."""
        return replace(self, parties=tuple(changed if p.user == changed.user else p for p in self.parties))

    def with_parties(self, changed: Iterable[Party]) -> CallState:
        """The state with the new forms of many; who is new stands last."""
        new = {party.user: party for party in changed}
        if not new:
            return self
        kept = tuple(new.pop(party.user, party) for party in self.parties)
        return replace(self, parties=(*kept, *new.values()))

    def to_json(self) -> str:
        """One line of JSON, quickly: parties may be thousands. ``talking`` is what version 0.1.0 knows of `on_air`."""
        plain = asdict(replace(self, parties=()))
        del plain["parties"]
        plain["talking"] = len(self.on_air)
        return f'{json.dumps(plain, separators=(",", ":"))[:-1]},"parties":{_written(self.parties)}}}'

    @classmethod
    def from_json(cls, text: str | bytes) -> CallState:
        """What `to_json` wrote. Raises ValueError, KeyError or TypeError on anything else."""
        plain: dict[str, Any] = json.loads(text)
        options, end = plain["options"], plain.get("end")
        options["answering"] = Answering(options["answering"])
        plain["kind"], plain["tier"], plain["phase"] = (
            CallKind(plain["kind"]),
            Tier(plain["tier"]),
            Phase(plain["phase"]),
        )
        plain["options"] = CallOptions(**known(CallOptions, options))
        plain["parties"] = tuple(Party(p["user"], _PARTS[p["part"]], p["key"]) for p in plain["parties"])
        plain["on_air"] = tuple(Talking(**known(Talking, each)) for each in plain.get("on_air", ()))
        plain["end"] = None if end is None else CallEnd(end)
        return cls(**known(cls, plain))


_MANY = 200
_last_written: tuple[tuple[Party, ...], list[str], str] = ((), [], "[]")


def _written(parties: tuple[Party, ...]) -> str:
    """The parties as JSON. Of a great call most are the same from step to step, and each of those is written once."""
    global _last_written  # noqa: PLW0603 - what was written of the same party is the same text
    before, texts, text = _last_written
    if parties is before:
        return text
    if len(parties) <= _MANY:
        return f"[{','.join(map(_party, parties))}]"
    found = [known if a is b else _party(a) for a, b, known in zip(parties, before, texts, strict=False)]
    found += map(_party, parties[len(found) :])
    text = f"[{','.join(found)}]"
    _last_written = parties, found, text
    return text


def _party(party: Party) -> str:
    key = "null" if party.key is None else encode_basestring_ascii(party.key)
    return f'{{"user":{encode_basestring_ascii(party.user)},"part":"{party.part.value}","key":{key}}}'
