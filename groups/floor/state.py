"""All that is known of one group's floor, as frozen data that survives a JSON round trip."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from groups.floor.options import FloorOptions
from groups.floor.queue import FloorQueue, Waiting
from groups.plain import known
from groups.vocabulary import BurstEnd, BurstId, RevokeCause, Tier, UserId

SCHEMA = 1
NO_BURST = BurstId(0)


class Phase(StrEnum):
    """The floor states of the general floor control operation (TS 24.380 §6.3.4)."""

    IDLE = "Floor Idle"
    TAKEN = "Floor Taken"
    PENDING_REVOKE = "pending Floor Revoke"


@dataclass(frozen=True, slots=True)
class Burst:
    """A talk burst that has the floor, with its running timers (None: not running), all in ms.

    Attributes:
        end_of_media_at: T1; runs while no packet comes.
        limit_at: T2; runs from the first packet.
        grace_at: T3; runs from the Revoke.
        answer_at: T132; runs from a grant out of the queue until the first packet.
        revoked: why the floor is being taken away.
        sos: its talker is in danger himself.
        dispatcher: its talker answers alerts here.
    """

    burst: BurstId
    user: UserId
    key: str
    tier: Tier
    priority: int
    granted_at: int
    end_of_media_at: int | None = None
    limit_at: int | None = None
    grace_at: int | None = None
    answer_at: int | None = None
    revoked: RevokeCause | None = None
    sos: bool = False
    dispatcher: bool = False

    @property
    def phase(self) -> Phase:
        """Whether this burst is on air or about to be taken off."""
        return Phase.TAKEN if self.revoked is None else Phase.PENDING_REVOKE


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """One whose burst was too long, and until when (T9) he is denied."""

    user: UserId
    until: int


@dataclass(frozen=True, slots=True)
class FloorState:
    """The floor of one group.

    Attributes:
        bursts: who has the floor, the first who had it first; more than one only with dual floor, where the overridden
            goes on, and beside each other in emergency (`groups.floor.precedence`).
        queue: who waits, next first.
        last_burst: greatest burst id ever given (the fencing token).
        last_end: how the latest burst ended.
        arrivals: requests queued so far; orders those of one priority.
        inactive_at: T4, runs in Floor Idle after a burst.
        clock: latest ``now`` the machine has seen.
    """

    options: FloorOptions = field(default_factory=FloorOptions)
    bursts: tuple[Burst, ...] = ()
    queue: FloorQueue = ()
    retry: tuple[RetryAfter, ...] = ()
    last_burst: BurstId = NO_BURST
    last_end: BurstEnd = BurstEnd.RELEASED
    arrivals: int = 0
    inactive_at: int | None = None
    clock: int = 0

    @property
    def phase(self) -> Phase:
        """The state of the floor as a whole."""
        if not self.bursts:
            return Phase.IDLE
        leaving = any(burst.revoked is not None for burst in self.bursts)
        return Phase.PENDING_REVOKE if leaving else Phase.TAKEN

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> FloorState:
        """What `to_json` wrote. Raises ValueError, KeyError or TypeError on anything else."""
        plain: dict[str, Any] = json.loads(text)
        if plain["schema"] != SCHEMA:
            raise ValueError("a floor state of another schema")
        plain["options"] = FloorOptions(**known(FloorOptions, plain["options"]))
        plain["bursts"] = tuple(_burst(burst) for burst in plain["bursts"])
        plain["queue"] = tuple(_waiting(entry) for entry in plain["queue"])
        plain["retry"] = tuple(RetryAfter(**known(RetryAfter, entry)) for entry in plain["retry"])
        plain["last_end"] = BurstEnd(plain["last_end"])
        return cls(**known(cls, plain))


def _burst(plain: dict[str, Any]) -> Burst:
    revoked = plain.get("revoked")
    plain["tier"], plain["revoked"] = Tier(plain["tier"]), None if revoked is None else RevokeCause(revoked)
    return Burst(**known(Burst, plain))


def _waiting(plain: dict[str, Any]) -> Waiting:
    plain["tier"] = Tier(plain["tier"])
    return Waiting(**known(Waiting, plain))
