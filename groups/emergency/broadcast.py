"""A broadcast's life, and how far it came with each person.

A receipt only moves forward: sent → delivered → heard → acknowledged; one who was not reached until the end is missed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from groups.vocabulary import BroadcastKind, ReceiptState, Refusal, UserId

HEARD_PART = 0.8
"""Of the samples of a burst, so many must have been played for it to count as heard."""

_ORDER = {
    None: 0,
    ReceiptState.SENT: 1,
    ReceiptState.DELIVERED: 2,
    ReceiptState.HEARD: 3,
    ReceiptState.ACKNOWLEDGED: 4,
}


class BroadcastState(StrEnum):
    """Where a broadcast stands. ``over``: no more is said, but the offline still get it; the last two are final."""

    RUNNING = "running"
    OVER = "over"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


FINAL = frozenset({BroadcastState.WITHDRAWN, BroadcastState.EXPIRED})


@dataclass(frozen=True, slots=True)
class PersonReceipt:
    """How far a broadcast came with one person. ``state`` None: it could not be sent yet. Times in ms."""

    user: UserId
    state: ReceiptState | None = None
    sent_at: int | None = None
    delivered_at: int | None = None
    heard_at: int | None = None
    acknowledged_at: int | None = None

    @property
    def at(self) -> int:
        """When it came to where it is."""
        times = (self.sent_at, self.delivered_at, self.heard_at, self.acknowledged_at)
        return max((at for at in times if at is not None), default=0)

    @property
    def reached(self) -> bool:
        """Whether it is on his phone."""
        return _ORDER.get(self.state, 0) >= _ORDER[ReceiptState.DELIVERED]


def advance(receipt: PersonReceipt, to: ReceiptState, now: int) -> PersonReceipt:
    """The receipt after ``to`` was said at ``now``; the same object when that is nothing new."""
    if receipt.state is ReceiptState.MISSED:
        return receipt
    if to is ReceiptState.MISSED:
        return receipt if receipt.reached else replace(receipt, state=to)
    if to is ReceiptState.HEARD and receipt.state is ReceiptState.ACKNOWLEDGED and receipt.heard_at is None:
        return replace(receipt, heard_at=now)
    if _ORDER[to] <= _ORDER[receipt.state]:
        return receipt
    receipt = replace(receipt, state=to, sent_at=receipt.sent_at if receipt.sent_at is not None else now)
    if to is not ReceiptState.SENT and receipt.delivered_at is None:
        receipt = replace(receipt, delivered_at=now)
    if to is ReceiptState.HEARD:
        receipt = replace(receipt, heard_at=now)
    if to is ReceiptState.ACKNOWLEDGED:
        receipt = replace(receipt, acknowledged_at=now)
    return receipt


def further(one: PersonReceipt, other: PersonReceipt) -> bool:
    """Whether it came further with him by ``one``; who was given up was reached no further than that."""
    return _ORDER.get(one.state, 0) > _ORDER.get(other.state, 0)


@dataclass(frozen=True, slots=True)
class Hearing:
    """What speaks for or against a burst having been heard.

    Attributes:
        expected: samples the client says it should have played.
        played: samples it says it played, concealed ones not among them.
        said: samples of the burst that the server relayed.
        listening: the page's own word that it plays (audio running, not muted, not frozen).
        lost: part of the burst's packets that this phone's RTCP says never came, 0 to 1; None: no report covers it.
    """

    expected: int | None
    played: int | None
    said: int
    listening: bool
    lost: float | None = None


def judge(hearing: Hearing) -> Refusal | None:
    """Whether ``heard`` may be believed: `HEARD_PART` of what was *said* was played, and nothing contradicts."""
    if not hearing.listening or not hearing.said or not hearing.expected or hearing.played is None:
        return Refusal.NOT_HEARD
    if hearing.played > hearing.expected or hearing.played < HEARD_PART * max(hearing.said, hearing.expected):
        return Refusal.NOT_HEARD
    return Refusal.NOT_HEARD if hearing.lost is not None and 1 - hearing.lost < HEARD_PART else None


@dataclass(frozen=True, slots=True)
class Life:
    """The life of one broadcast; times in ms.

    Attributes:
        quiet_at: a live one that is not (or no longer) spoken into is over then.
        talking: its initiator is on air.
        burst: what was said last.
        withdrawn_at: when its initiator took it back.
    """

    kind: BroadcastKind
    expires_at: int
    state: BroadcastState = BroadcastState.RUNNING
    quiet_at: int | None = None
    talking: bool = False
    burst: int | None = None
    withdrawn_at: int | None = None


def begun(kind: BroadcastKind, now: int, expires_at: int, quiet_ms: int) -> Life:
    """A new one. What is not live has nothing to be said: it is over at once and delivered until it expires."""
    if kind is BroadcastKind.LIVE:
        return Life(kind, expires_at, quiet_at=now + quiet_ms)
    return Life(kind, expires_at, BroadcastState.OVER)


def spoke(life: Life, burst: int) -> Life:
    """Its initiator has the floor."""
    return replace(life, talking=True, burst=burst, quiet_at=None) if life.state is BroadcastState.RUNNING else life


def released(life: Life, lost: bool, now: int, quiet_ms: int) -> Life:
    """His burst ended. His release ends the broadcast (TS 24.379 §6.3.3.1.17); when media was ``lost`` he may go on."""
    if life.state is not BroadcastState.RUNNING or not life.talking:
        return life
    if lost:
        return replace(life, talking=False, quiet_at=now + quiet_ms)
    return replace(life, talking=False, state=BroadcastState.OVER)


def ended(life: Life, withdraw: bool, now: int) -> Life:
    """Its initiator ends it, or takes it back from all."""
    if life.state in FINAL:
        return life
    life = replace(life, talking=False, quiet_at=None, state=BroadcastState.OVER)
    return replace(life, state=BroadcastState.WITHDRAWN, withdrawn_at=now) if withdraw else life


def timed(life: Life, now: int) -> Life:
    """What is due by the time."""
    if life.state in FINAL:
        return life
    if life.expires_at <= now:
        return replace(life, talking=False, quiet_at=None, state=BroadcastState.EXPIRED)
    if life.state is BroadcastState.RUNNING and life.quiet_at is not None and life.quiet_at <= now:
        return replace(life, quiet_at=None, state=BroadcastState.OVER)
    return life


def deadline(life: Life) -> int | None:
    """When to look again, ms."""
    if life.state in FINAL:
        return None
    return life.expires_at if life.quiet_at is None else min(life.quiet_at, life.expires_at)
