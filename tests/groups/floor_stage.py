"""A floor to play scenarios on: keeps state and time, checks after every step what must always hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from groups.floor import effects, inputs, precedence
from groups.floor.machine import RULES, Rules, deadline, run
from groups.floor.options import FloorOptions
from groups.floor.state import FloorState, Phase
from groups.floor.table import Row
from groups.floor.work import Work
from groups.vocabulary import RevokeCause, Tier, UserId

START = 1_700_000_000_000


class Wrong(AssertionError):
    """The machine did what it must never do."""


def told(effect: effects.FloorEffect) -> str:
    """One effect as a few words, so that a scenario reads like a log."""
    return _told_to_one(effect) or _told_to_all(effect)


def _told_to_one(effect: effects.FloorEffect) -> str:
    match effect:
        case effects.Granted(user=user, duration_ms=ms, from_queue=queued):
            return f"{user} granted {ms}" + (" from queue" if queued else "")
        case effects.Denied(user=user, cause=cause, retry_after_ms=ms):
            return f"{user} denied {cause.value}" + (f" for {ms}" if ms is not None else "")
        case effects.Queued(user=user, position=position, size=size):
            return f"{user} queued {position}/{size}"
        case effects.Revoked(user=user, cause=cause, grace_ms=ms):
            return f"{user} revoked {cause.value} grace {ms}"
        case effects.Acknowledged(user=user):
            return f"{user} ok"
        case effects.Refused(user=user, code=code):
            return f"{user} refused {code}"
    return ""


def _told_to_all(effect: effects.FloorEffect) -> str:
    match effect:
        case effects.Taken(user=user, tier=tier, may_request=may):
            return f"taken by {user}" + (f" {tier.name.lower()}" if tier else "") + ("" if may else " closed")
        case effects.Idle(end=end):
            return f"idle after {end}"
        case effects.BurstBegan(user=user, overriding=over):
            return f"began {user}" + (" overriding" if over else "")
        case effects.BurstMoved(user=user, key=key):
            return f"moved {user} to {key}"
        case effects.BurstEnded(user=user, end=end):
            return f"ended {user} {end}"
        case effects.Inactive():
            return "inactive"
    raise Wrong(f"an effect nobody knows: {effect}")


class Stage:
    """One group's floor with a clock that only the scenario moves."""

    def __init__(self, rules: Rules = RULES, seen: set[Row] | None = None, **options: Any) -> None:
        self.rules = rules
        self.seen = seen
        self.now = START
        self.state = FloorState(options=FloorOptions(**options))
        self.last: tuple[effects.FloorEffect, ...] = ()
        self.had_turn: set[str] = set()

    # --- what a scenario does

    def feed(self, asked: inputs.FloorInput) -> list[str]:
        before = self.state
        self.state, self.last = run(self.rules, before, asked, self.now, self._row_done)
        self.had_turn.update(effect.user for effect in self.last if isinstance(effect, effects.Granted))
        check(before, self.state, self.last, self.now)
        check_nobody_lost(before, self.state, self.last, asked)
        return [told(effect) for effect in self.last]

    def press(self, user: str, participants: int = 5, **more: Any) -> list[str]:
        more.setdefault("key", f"{user}-phone")
        more.setdefault("request", f"{user}-press")
        return self.feed(inputs.Request(UserId(user), participants=participants, **more))

    def sos(self, user: str, **more: Any) -> list[str]:
        return self.press(user, tier=Tier.EMERGENCY, **more)

    def release(self, user: str, **more: Any) -> list[str]:
        more.setdefault("key", f"{user}-phone")
        return self.feed(inputs.Release(UserId(user), **more))

    def media(self, user: str) -> list[str]:
        return self.feed(inputs.MediaStarted(UserId(user), self.burst(user), self.now))

    def silence(self, user: str, since: int = 0) -> list[str]:
        return self.feed(inputs.MediaStopped(UserId(user), self.burst(user), self.now - since))

    def talk(self, user: str, **more: Any) -> list[str]:
        """Press and be heard at once."""
        log = self.press(user, **more)
        self.media(user)
        return log

    def left(self, user: str, key: str | None = None) -> list[str]:
        return self.feed(inputs.Left(UserId(user), key))

    def withdraw(self, user: str | None, cause: RevokeCause) -> list[str]:
        return self.feed(inputs.Withdraw(None if user is None else UserId(user), cause))

    def revoke(self, of: str | None = None) -> list[str]:
        return self.feed(inputs.RevokeRequest(UserId("desk"), "desk-1", "r", None if of is None else UserId(of)))

    def position(self, user: str) -> list[str]:
        return self.feed(inputs.QueuePositionRequest(UserId(user), f"{user}-phone", "p"))

    def after(self, ms: int) -> list[str]:
        """Time goes by; whatever is due on the way happens when it is due."""
        end, log = self.now + ms, list[str]()
        while (due := deadline(self.state)) is not None and due <= end:
            self.now = due
            log += self.feed(inputs.Tick())
        self.now = end
        return log

    # --- what a scenario looks at

    def burst(self, user: str) -> Any:
        return next(burst.burst for burst in self.state.bursts if burst.user == user)

    @property
    def on_air(self) -> list[str]:
        return [burst.user for burst in self.state.bursts]

    @property
    def queue(self) -> list[str]:
        return [entry.user for entry in self.state.queue]

    def _row_done(self, row: Row, work: Work) -> None:
        if self.seen is not None:
            self.seen.add(row)
        if work.phase is not row.then:
            raise Wrong(f"{row.phase} on {row.trigger} must lead to {row.then}, not to {work.phase}")


NewStage = Callable[..., Stage]


def check(before: FloorState, after: FloorState, done: tuple[effects.FloorEffect, ...], now: int) -> None:
    """What holds after every step, whatever the input."""
    check_on_air(after)
    due = deadline(after)
    if due is not None and due <= now:
        raise Wrong("a deadline in the past")
    for burst in after.bursts:
        running = (burst.end_of_media_at, burst.limit_at, burst.grace_at, burst.answer_at)
        if all(timer is None for timer in running):
            raise Wrong("a burst that never ends")
        if (burst.revoked is None) != (burst.grace_at is None):
            raise Wrong("T3 runs exactly while a burst is revoked")
        if burst.revoked is not None and (burst.limit_at, burst.answer_at) != (None, None):
            raise Wrong("T2 or T132 of a revoked burst")
    if after.queue and not after.bursts:
        raise Wrong("someone waits for a floor that nobody has")
    users = [entry.user for entry in after.queue] + [burst.user for burst in after.bursts]
    if len(users) != len(set(users)):
        raise Wrong("one user in two places")
    if after.bursts and after.inactive_at is not None:
        raise Wrong("T4 runs while someone talks")
    _check_bursts(before, after, done)
    _check_queue(before, after, done)
    if FloorState.from_json(after.to_json()) != after:
        raise Wrong("lost in JSON")
    if after.phase is Phase.IDLE and (after.bursts or after.queue):
        raise Wrong("not idle")


def check_on_air(state: FloorState) -> None:
    """Only those are on air together who may be."""
    if sum(not burst.dispatcher for burst in state.bursts) > precedence.TALKERS:
        raise Wrong("too many talkers")
    if not state.options.dual_floor and not precedence.may_stay(state.bursts):
        raise Wrong("two on air who may not be")


def check_nobody_lost(
    before: FloorState, after: FloorState, done: tuple[effects.FloorEffect, ...], asked: inputs.FloorInput
) -> None:
    """Who no longer waits was granted or denied, or took his request back, or is gone."""
    answered = {effect.user for effect in done if isinstance(effect, effects.Granted | effects.Denied)}
    if isinstance(asked, inputs.Release | inputs.Left):
        answered.add(asked.user)
    lost = {entry.user for entry in before.queue} - {entry.user for entry in after.queue} - answered
    if lost:
        raise Wrong(f"the requests of {lost} were lost")


def _check_bursts(before: FloorState, after: FloorState, done: tuple[effects.FloorEffect, ...]) -> None:
    """Every burst is opened and closed exactly once, under a number that only grows."""
    open_now = {burst.burst for burst in before.bursts}
    newest = before.last_burst
    for effect in done:
        if isinstance(effect, effects.BurstBegan):
            if effect.burst <= newest:
                raise Wrong("a burst id that does not grow")
            newest = effect.burst
            open_now.add(effect.burst)
        elif isinstance(effect, effects.BurstEnded):
            if effect.burst not in open_now:
                raise Wrong("a burst ends that was not on air")
            open_now.remove(effect.burst)
    if open_now != {burst.burst for burst in after.bursts} or newest != after.last_burst:
        raise Wrong("bursts in effects and in state differ")
    granted = {effect.burst for effect in done if isinstance(effect, effects.BurstBegan)}
    if granted - {effect.burst for effect in done if isinstance(effect, effects.Granted)}:
        raise Wrong("a burst without its Granted")
    if granted - {effect.burst for effect in done if isinstance(effect, effects.Taken)}:
        raise Wrong("a burst without its Taken")
    if before.bursts and not after.bursts and not any(isinstance(effect, effects.Idle) for effect in done):
        raise Wrong("nobody was told that the floor is idle")


def _check_queue(before: FloorState, after: FloorState, done: tuple[effects.FloorEffect, ...]) -> None:
    """Who waits knows his place."""
    known = {entry.user: place for place, entry in enumerate(before.queue, 1)}
    for effect in done:
        if isinstance(effect, effects.Queued):
            known[effect.user] = effect.position
    for place, entry in enumerate(after.queue, 1):
        if known.get(entry.user) != place:
            raise Wrong(f"{entry.user} was not told his place")
