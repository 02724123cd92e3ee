"""Moves that answer a request: grants and refusals."""

from __future__ import annotations

from collections.abc import Callable

from groups.floor import queue as queues
from groups.floor.effects import Acknowledged, BurstBegan, Denied, Granted, Refused, Taken
from groups.floor.inputs import QueuePositionRequest, Release, Request, RevokeRequest
from groups.floor.queue import Waiting
from groups.floor.state import Burst
from groups.floor.work import Work, next_in_line
from groups.vocabulary import BurstId, DenyCause, Refusal


def grant(work: Work) -> None:
    """Floor Granted to the requester, at once (§6.3.4.4.2)."""
    asked = work.asked(Request)
    # A waiting user's emergency is granted without a press: he must be called like one out of the queue.
    unasked = asked.request is None and work.waiting is not None
    _put_on_air(work, queues.waiting(asked, arrived=0), asked.request, from_queue=unasked)
    work.requeue(queues.without(work.queue, asked.user))


def grant_next(work: Work) -> None:
    """Floor Granted to the next in line; he must answer with media before T132 is over."""
    following = next_in_line(work)
    if following is None:
        raise TypeError("this move needs one who waits")
    _put_on_air(work, following, None, from_queue=True)
    work.requeue(queues.without(work.queue, following.user))


def _put_on_air(work: Work, who: Waiting, request: str | None, *, from_queue: bool) -> None:
    number = BurstId(max(work.last_burst + 1, work.now))
    burst = Burst(
        burst=number,
        user=who.user,
        key=who.key,
        tier=who.tier,
        priority=who.priority,
        granted_at=work.now,
        end_of_media_at=work.now + work.options.end_of_media_ms,
        answer_at=work.now + work.options.queue_answer_ms if from_queue else None,
        sos=who.sos,
        dispatcher=who.dispatcher,
    )
    work.effects.append(Granted(who.user, who.key, request, number, work.options.transmit_limit_ms, from_queue))
    work.effects.append(
        BurstBegan(number, who.user, who.key, who.tier, who.priority, work.now, overriding=bool(work.bursts))
    )
    work.last_burst = work.about = number
    work.inactive_at = None
    work.bursts.append(burst)
    announce(work, burst)


def announce(work: Work, burst: Burst) -> None:
    """Floor Taken."""
    may_request = work.options.queueing or work.options.audio_cut_in
    work.effects.append(Taken(burst.burst, burst.user, burst.tier, may_request))


def grant_again(work: Work) -> None:
    """The talker asks again, or came back: Granted, with the time that is left of T2 (§6.3.4.4.8)."""
    burst = work.talker
    left = work.options.transmit_limit_ms if burst.limit_at is None else burst.limit_at - work.now
    request = work.input.request if isinstance(work.input, Request) else None
    work.effects.append(Granted(burst.user, burst.key, request, burst.burst, left, from_queue=False))


def deny(cause: DenyCause) -> Callable[[Work], None]:
    """A move that denies with ``cause``."""

    def move(work: Work) -> None:
        _deny(work, cause)

    return move


def deny_hindered(work: Work) -> None:
    """Deny for the cause that the node knows of."""
    _deny(work, work.asked(Request).hindrance or DenyCause.OTHER)


def deny_retry_after(work: Work) -> None:
    """Deny 4, with what is left of T9; all of it for one whose burst has yet to end."""
    left = work.retry_after(work.asked(Request).user) or work.options.retry_after_ms
    _deny(work, DenyCause.RETRY_AFTER, left)


def _deny(work: Work, cause: DenyCause, retry_after_ms: int | None = None) -> None:
    asked = work.asked(Request)
    work.requeue(queues.without(work.queue, asked.user))  # what is denied no longer waits
    work.effects.append(Denied(asked.user, asked.key, asked.request, cause, retry_after_ms))


def acknowledge(work: Work) -> None:
    """Say that it is done."""
    asked = work.asked(Release, RevokeRequest)
    work.effects.append(Acknowledged(asked.user, asked.key, asked.request))


def refuse(work: Work) -> None:
    """There is no such request, or nobody to revoke."""
    asked = work.asked(QueuePositionRequest, RevokeRequest)
    work.effects.append(Refused(asked.user, asked.key, asked.request, Refusal.NOT_FOUND))
