"""The conditions of the table's rows: pure predicates over the floor at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from groups.floor.inputs import Participants, Release, Request, RevokeRequest, Withdraw
from groups.floor.precedence import comes_beside, outranks
from groups.floor.state import Phase
from groups.floor.table import Guard
from groups.floor.work import Work, next_in_line, rivals, strongest
from groups.vocabulary import RevokeCause, Tier

NO_GRACE = frozenset({RevokeCause.NO_PERMISSION, RevokeCause.OTHER})
"""Causes after which not one more word may go out."""


def hindered(work: Work) -> bool:
    """The node named a cause of its own."""
    return isinstance(work.input, Request) and work.input.hindrance is not None


def receive_only(work: Work) -> bool:
    """The requester may not talk here."""
    return isinstance(work.input, Request) and not work.input.may_talk


def retry_after(work: Work) -> bool:
    """The requester talked too long a moment ago; an emergency is not made to wait for that."""
    asked = work.input
    return isinstance(asked, Request) and asked.tier < Tier.EMERGENCY and work.retry_after(asked.user) > 0


def alone(work: Work) -> bool:
    """There is nobody to hear it."""
    return isinstance(work.input, Request) and work.input.participants <= 1


def cuts_in(work: Work) -> bool:
    """Audio cut-in: any request takes the floor, but none of a lower tier one of a higher, and none that of an SOS."""
    asked = work.input
    if not isinstance(asked, Request) or not work.options.audio_cut_in or any(burst.sos for burst in work.bursts):
        return False
    return rivals(work, asked) == work.bursts and asked.tier >= strongest(work.bursts).tier


def overrides(work: Work) -> bool:
    """Room for one more: by dual floor for one who outranks the first, in emergency by the table of precedence."""
    asked = work.input
    if not isinstance(asked, Request):
        return False
    if comes_beside(asked, work.bursts):
        return True
    return work.options.dual_floor and len(work.bursts) == 1 and preempts(work)


def preempts_at_once(work: Work) -> bool:
    """The requester outranks the talker, who gets no grace."""
    asked = work.input
    if not isinstance(asked, Request) or not preempts(work):
        return False
    return asked.tier == Tier.EMERGENCY or work.options.revoke_grace_ms == 0


def preempts(work: Work) -> bool:
    """The requester outranks everyone who is in his way."""
    asked = work.input
    if not isinstance(asked, Request):
        return False
    in_his_way = rivals(work, asked)
    return bool(in_his_way) and outranks(asked, strongest(in_his_way))


def waits(work: Work) -> bool:
    """The user has a request in the queue."""
    return work.waiting is not None


def queue_full(work: Work) -> bool:
    """One more would be too many."""
    return work.options.queueing and len(work.queue) >= work.options.queue_limit


def may_queue(work: Work) -> bool:
    """Requests that cannot be granted wait in this group."""
    return work.options.queueing


def other_device(work: Work) -> bool:
    """The talker's user presses on a second connection."""
    return isinstance(work.input, Request) and work.burst is not None and work.burst.key != work.input.key


def timed_out(work: Work) -> bool:
    """The talker is being revoked because his burst was too long."""
    return work.burst is not None and work.burst.revoked == RevokeCause.BURST_TOO_LONG


def names_burst(work: Work) -> bool:
    """A release of a burst that is over: it must not touch what came after."""
    return isinstance(work.input, Release) and work.input.burst is not None


def target_talks(work: Work) -> bool:
    """Someone the dispatcher means is on air and not yet revoked."""
    return isinstance(work.input, RevokeRequest) and any(
        burst.phase is Phase.TAKEN and work.input.of in (None, burst.user) for burst in work.bursts
    )


def target_on_air(work: Work) -> bool:
    """Someone the dispatcher means is on air."""
    return isinstance(work.input, RevokeRequest) and any(work.input.of in (None, burst.user) for burst in work.bursts)


def no_grace_cause(work: Work) -> bool:
    """The server withdraws for a cause that leaves no time."""
    return withdrawal(work) in NO_GRACE


def withdrawal(work: Work) -> RevokeCause:
    """The cause for which the server takes the floor away."""
    if isinstance(work.input, Withdraw):
        return work.input.cause
    return RevokeCause.ONLY_ONE_PARTICIPANT if isinstance(work.input, Participants) else RevokeCause.OTHER


def successor(work: Work) -> bool:
    """When the burst at hand is gone, one of those who wait goes on air."""
    return next_in_line(work) is not None


def other_talks(work: Work) -> bool:
    """Dual floor: another burst goes on."""
    return any(burst.phase is Phase.TAKEN for burst in work.others)


def other_leaves(work: Work) -> bool:
    """Dual floor: the other burst is being revoked too."""
    return bool(work.others) and not other_talks(work)


GUARDS: Mapping[Guard, Callable[[Work], bool]] = {
    Guard.ALWAYS: lambda _: True,
    Guard.HINDERED: hindered,
    Guard.RECEIVE_ONLY: receive_only,
    Guard.RETRY_AFTER: retry_after,
    Guard.ALONE: alone,
    Guard.CUTS_IN: cuts_in,
    Guard.OVERRIDES: overrides,
    Guard.PREEMPTS_AT_ONCE: preempts_at_once,
    Guard.PREEMPTS: preempts,
    Guard.WAITS: waits,
    Guard.QUEUE_FULL: queue_full,
    Guard.MAY_QUEUE: may_queue,
    Guard.OTHER_DEVICE: other_device,
    Guard.TIMED_OUT: timed_out,
    Guard.NAMES_BURST: names_burst,
    Guard.TARGET_TALKS: target_talks,
    Guard.TARGET_ON_AIR: target_on_air,
    Guard.NO_GRACE_CAUSE: no_grace_cause,
    Guard.SUCCESSOR: successor,
    Guard.OTHER_TALKS: other_talks,
    Guard.OTHER_LEAVES: other_leaves,
}
