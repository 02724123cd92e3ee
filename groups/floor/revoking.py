"""Moves that take the floor away, and those that end a burst."""

from __future__ import annotations

from collections.abc import Callable

from groups.floor.effects import BurstEnded, Idle, Inactive, Revoked
from groups.floor.granting import announce
from groups.floor.guards import NO_GRACE, withdrawal
from groups.floor.inputs import MediaWithoutFloor, Request, RevokeRequest
from groups.floor.state import NO_BURST, Burst, Phase, RetryAfter
from groups.floor.work import Work, rivals, weakest
from groups.vocabulary import BurstEnd, RevokeCause

END_FOR = {RevokeCause.BURST_TOO_LONG: BurstEnd.TIME_LIMIT, RevokeCause.PRE_EMPTED: BurstEnd.PRE_EMPTED}
"""How a burst ended that was revoked for a cause; all others: revoked."""


def _revoke(work: Work, burst: Burst, cause: RevokeCause, grace_ms: int) -> None:
    """Enter pending Floor Revoke (§6.3.4.5.2): T3 on, T2 and T132 off; T1 goes on as it stands."""
    work.change(burst, revoked=cause, grace_at=work.now + grace_ms, limit_at=None, answer_at=None)
    work.effects.append(Revoked(burst.user, burst.key, burst.burst, cause, grace_ms))


def revoke_preempted(work: Work) -> None:
    """The weakest who is in the way makes room."""
    _revoke(work, weakest(rivals(work, work.asked(Request))), RevokeCause.PRE_EMPTED, work.options.revoke_grace_ms)


def revoke_too_long(work: Work) -> None:
    """The talker's time is up."""
    _revoke(work, work.talker, RevokeCause.BURST_TOO_LONG, work.options.revoke_grace_ms)


def revoke_on_request(work: Work) -> None:
    """A dispatcher takes the floor of whom he named."""
    asked = work.asked(RevokeRequest)
    for burst in list(work.bursts):
        if burst.phase is Phase.TAKEN and asked.of in (None, burst.user):
            _revoke(work, burst, RevokeCause.ON_REQUEST, work.options.revoke_grace_ms)


def revoke_withdrawn(work: Work) -> None:
    """The server takes the floor, with grace where the cause allows it."""
    cause = withdrawal(work)
    _revoke(work, work.talker, cause, 0 if cause in NO_GRACE else work.options.revoke_grace_ms)


def hasten(work: Work) -> None:
    """The grace of a burst that is being revoked ends now."""
    work.change(work.talker, grace_at=work.now, revoked=withdrawal(work))


def revoke_unanswered(work: Work) -> None:
    """He was granted out of the queue and did not come: tell him that it is over."""
    burst = work.talker
    work.effects.append(Revoked(burst.user, burst.key, burst.burst, RevokeCause.OTHER, 0))


def revoke_again(work: Work) -> None:
    """Tell one who came back that his floor is being taken, and how long he still has."""
    burst = work.talker
    if burst.revoked is not None and burst.grace_at is not None:
        left = burst.grace_at - work.now
        work.effects.append(Revoked(burst.user, burst.key, burst.burst, burst.revoked, left))


def revoke_stray(work: Work) -> None:
    """Revoke 3 to one who sends without the floor (§6.3.5.4.6)."""
    stray = work.asked(MediaWithoutFloor)
    work.effects.append(Revoked(stray.user, stray.key, NO_BURST, RevokeCause.NO_PERMISSION, 0))


def _end(work: Work, burst: Burst, end: BurstEnd) -> None:
    work.bursts.remove(burst)
    work.last_end = end
    if end is BurstEnd.TIME_LIMIT and work.options.retry_after_ms > 0:
        others = tuple(entry for entry in work.retry if entry.user != burst.user)
        work.retry = (*others, RetryAfter(burst.user, work.now + work.options.retry_after_ms))
    work.effects.append(BurstEnded(burst.burst, burst.user, burst.key, end, work.now))


def end(how: BurstEnd) -> Callable[[Work], None]:
    """A move that ends the burst at hand."""

    def move(work: Work) -> None:
        _end(work, work.talker, how)

    return move


def end_revoked(work: Work) -> None:
    """The burst at hand ends for the cause it was revoked for."""
    cause = work.talker.revoked
    _end(work, work.talker, BurstEnd.REVOKED if cause is None else END_FOR.get(cause, BurstEnd.REVOKED))


def cut(work: Work) -> None:
    """Audio cut-in: everyone on air is off at once."""
    for burst in list(work.bursts):
        _throw_off(work, burst, BurstEnd.CUT)


def displace(work: Work) -> None:
    """Pre-emption without grace: who is being revoked anyway goes, else the weakest."""
    in_the_way = rivals(work, work.asked(Request))
    leaving = [burst for burst in in_the_way if burst.phase is Phase.PENDING_REVOKE]
    for burst in leaving or [weakest(in_the_way)]:
        _throw_off(work, burst, BurstEnd.PRE_EMPTED)


def _throw_off(work: Work, burst: Burst, how: BurstEnd) -> None:
    work.effects.append(Revoked(burst.user, burst.key, burst.burst, RevokeCause.PRE_EMPTED, 0))
    _end(work, burst, how)


def tell_taken(work: Work) -> None:
    """Dual floor: say again who is still on air."""
    for burst in work.bursts:
        announce(work, burst)


def tell_idle(work: Work) -> None:
    """Enter Floor Idle (§6.3.4.3.2): tell all, T4 on."""
    work.effects.append(Idle(work.last_burst, work.last_end))
    work.inactive_at = work.now + work.options.inactivity_ms if work.options.inactivity_ms > 0 else None


def tell_inactive(work: Work) -> None:
    """T4 is over."""
    work.inactive_at = None
    work.effects.append(Inactive())
