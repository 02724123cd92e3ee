"""The life of an alert: raised → claimed by exactly one → acknowledged → resolved, false alarm or cancelled.

An alert nobody acknowledges in time escalates: a claim without a word to the officer is given up, and all ring again.
One whose dispatcher is gone goes back into the queue whatever he said before, for nobody else could close it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from groups.plain import known
from groups.vocabulary import AlertState, GroupId, Refusal, UserId

OPEN = frozenset({AlertState.RAISED, AlertState.CLAIMED, AlertState.ACKNOWLEDGED})


@dataclass(frozen=True, slots=True)
class AlertOptions:
    """``escalate_ms``: unacknowledged for so long, it escalates; at most ``escalations`` times (0: never).

    ``unattended_ms``: its dispatcher gone for so long, it goes back into the queue.
    """

    escalate_ms: int = 30_000
    escalations: int = 10
    unattended_ms: int = 20_000


@dataclass(frozen=True, slots=True)
class AlertRecord:
    """One alert. Times in ms; ``pressed_at`` by the device's clock, all others by the server's.

    ``left_by``: who had taken it and was gone, until another takes it.
    """

    id: str
    user: UserId
    group: GroupId | None
    pressed_at: int
    raised_at: int
    options: AlertOptions = field(default_factory=AlertOptions)
    state: AlertState = AlertState.RAISED
    claimed_by: UserId | None = None
    claimed_at: int | None = None
    left_by: UserId | None = None
    acknowledged_at: int | None = None
    ended_by: UserId | None = None
    ended_at: int | None = None
    note: str = ""
    escalated: int = 0
    escalate_at: int | None = None
    version: int = 1

    @property
    def open(self) -> bool:
        """Whether somebody still has to do something about it."""
        return self.state in OPEN

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> AlertRecord:
        """What `to_json` wrote. Raises ValueError, KeyError or TypeError on anything else."""
        plain: dict[str, Any] = json.loads(text)
        plain["options"] = AlertOptions(**known(AlertOptions, plain["options"]))
        plain["state"] = AlertState(plain["state"])
        return cls(**known(cls, plain))


def raised(
    alert: str, user: UserId, group: GroupId | None, pressed_at: int, now: int, options: AlertOptions
) -> AlertRecord:
    """A new alert."""
    due = now + options.escalate_ms if options.escalations else None
    return AlertRecord(alert, user, group, pressed_at, now, options, escalate_at=due)


# --- inputs: rights were looked up before one is made ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Claim:
    """One who may takes it on."""

    user: UserId


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """Who claimed it tells the officer."""

    user: UserId


@dataclass(frozen=True, slots=True)
class Resolve:
    """Who claimed it closes it."""

    user: UserId
    outcome: AlertState
    note: str = ""


@dataclass(frozen=True, slots=True)
class Cancel:
    """The officer, or one who may, takes it back. ``another_talks``: another in emergency is on air."""

    user: UserId
    another_talks: bool = False


@dataclass(frozen=True, slots=True)
class HandOver:
    """The shift ends: what ``by`` claimed is ``user``'s from now on."""

    by: UserId
    user: UserId


@dataclass(frozen=True, slots=True)
class Unattended:
    """``user``, who claimed it, has had no page connected since ``since``, or may no longer answer it."""

    user: UserId
    since: int


@dataclass(frozen=True, slots=True)
class MoreKnown:
    """Where its user is, or his battery, was learnt after it was raised: it stands beside the record."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time went by."""


AlertInput = Claim | Acknowledge | Resolve | Cancel | HandOver | Unattended | MoreKnown | Tick


# --- effects ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Changed:
    """To be kept, audited under ``action``, and told to all it concerns; ``ring``: all who may claim ring (again)."""

    action: str
    ring: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """To the one who claimed: who has it."""

    by: UserId
    yours: bool


@dataclass(frozen=True, slots=True)
class Done:
    """To the one who asked: done."""


@dataclass(frozen=True, slots=True)
class Refused:
    """To the one who asked: it cannot be done."""

    code: Refusal


@dataclass(frozen=True, slots=True)
class Over:
    """The emergency of its user ends."""


AlertEffect = Changed | Held | Done | Refused | Over
Step = tuple[AlertRecord, tuple[AlertEffect, ...]]


def handle(alert: AlertRecord, given: AlertInput, now: int) -> Step:
    """One step. Whoever asks of a closed alert is refused with ``alert_over``, but asking the same twice is done."""
    return _HANDLERS[type(given)](alert, given, now)


def deadline(alert: AlertRecord) -> int | None:
    """When to feed `Tick`, ms."""
    return alert.escalate_at if alert.open else None


def _claim(alert: AlertRecord, given: Claim, now: int) -> Step:
    if not alert.open:
        return alert, (Refused(Refusal.ALERT_OVER),)
    if alert.claimed_by is not None:
        return alert, (Held(alert.claimed_by, alert.claimed_by == given.user),)
    due = None if alert.escalate_at is None else now + alert.options.escalate_ms
    alert = _next(alert, state=AlertState.CLAIMED, claimed_by=given.user, claimed_at=now, left_by=None, escalate_at=due)
    return alert, (Changed("alert.claim"), Held(given.user, yours=True))


def _acknowledge(alert: AlertRecord, given: Acknowledge, now: int) -> Step:
    if not alert.open:
        return alert, (Refused(Refusal.ALERT_OVER),)
    if alert.claimed_by != given.user:
        return alert, (Refused(Refusal.NOT_CLAIMED),)
    if alert.state is AlertState.ACKNOWLEDGED:
        return alert, (Done(),)
    alert = _next(alert, state=AlertState.ACKNOWLEDGED, acknowledged_at=now, escalate_at=None)
    return alert, (Changed("alert.acknowledge"), Done())


def _resolve(alert: AlertRecord, given: Resolve, now: int) -> Step:
    if not alert.open:
        same = alert.ended_by == given.user and alert.state is given.outcome
        return alert, (Done() if same else Refused(Refusal.ALERT_OVER),)
    if alert.claimed_by != given.user:
        return alert, (Refused(Refusal.NOT_CLAIMED),)
    alert = _next(alert, state=given.outcome, ended_by=given.user, ended_at=now, note=given.note, escalate_at=None)
    return alert, (Changed(f"alert.{given.outcome.value}"), Over(), Done())


def _cancel(alert: AlertRecord, given: Cancel, now: int) -> Step:
    if not alert.open:
        done = alert.state is AlertState.CANCELLED
        return alert, (Done() if done else Refused(Refusal.ALERT_OVER),)
    if given.another_talks:
        return alert, (Refused(Refusal.EMERGENCY_TALKING),)
    alert = _next(alert, state=AlertState.CANCELLED, ended_by=given.user, ended_at=now, escalate_at=None)
    return alert, (Changed("alert.cancel"), Over(), Done())


def _hand_over(alert: AlertRecord, given: HandOver, now: int) -> Step:
    if not alert.open or alert.claimed_by != given.by:
        return alert, (Done(),)
    alert = _next(alert, claimed_by=given.user, claimed_at=now)
    return alert, (Changed("alert.hand_over"), Done())


def _unattended(alert: AlertRecord, given: Unattended, now: int) -> Step:
    if not alert.open or alert.claimed_by != given.user or now - given.since < alert.options.unattended_ms:
        return alert, ()
    # Counted anew: that it had rung often before somebody took it must not keep it from ringing now.
    return _ringing_again(alert, now, escalated=1, left_by=given.user), (Changed("alert.unattended", ring=True),)


def _more_known(alert: AlertRecord, given: MoreKnown, now: int) -> Step:
    return (_next(alert), (Changed("alert.place"),)) if alert.open else (alert, ())


def _tick(alert: AlertRecord, given: Tick, now: int) -> Step:
    if not alert.open or alert.escalate_at is None or alert.escalate_at > now:
        return alert, ()
    return _ringing_again(alert, now, alert.escalated + 1, alert.left_by), (Changed("alert.escalate", ring=True),)


def _ringing_again(alert: AlertRecord, now: int, escalated: int, left_by: UserId | None) -> AlertRecord:
    return _next(
        alert,
        state=AlertState.RAISED,
        claimed_by=None,
        claimed_at=None,
        acknowledged_at=None,
        left_by=left_by,
        escalated=escalated,
        escalate_at=now + alert.options.escalate_ms if escalated < alert.options.escalations else None,
    )


def _next(alert: AlertRecord, **changes: Any) -> AlertRecord:
    return replace(alert, version=alert.version + 1, **changes)


_HANDLERS: dict[type, Callable[[AlertRecord, Any, int], Step]] = {
    Claim: _claim,
    Acknowledge: _acknowledge,
    Resolve: _resolve,
    Cancel: _cancel,
    HandOver: _hand_over,
    Unattended: _unattended,
    MoreKnown: _more_known,
    Tick: _tick,
}
