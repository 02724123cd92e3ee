"""Moves of the floor queue."""

from __future__ import annotations

from dataclasses import replace

from groups.floor import queue as queues
from groups.floor.effects import Denied, Queued
from groups.floor.guards import withdrawal
from groups.floor.inputs import QueuePositionRequest, Rejoined, Request
from groups.floor.queue import Waiting
from groups.floor.work import Work
from groups.vocabulary import DenyCause, RevokeCause

DENY_FOR = {
    RevokeCause.ONLY_ONE_PARTICIPANT: DenyCause.ONLY_ONE_PARTICIPANT,
    RevokeCause.NO_PERMISSION: DenyCause.RECEIVE_ONLY,
    RevokeCause.NO_RESOURCES: DenyCause.NO_RESOURCES,
}
"""What one who waits is told when the server withdraws the floor for a cause; all others: 255."""


def queue(work: Work) -> None:
    """The request waits its turn."""
    _queue(work, front=False)


def queue_front(work: Work) -> None:
    """A pre-emptor waits before all others (§6.3.4.4.7 item 2)."""
    _queue(work, front=True)


def _queue(work: Work, *, front: bool) -> None:
    asked = work.asked(Request)
    work.arrivals += 1
    entry = queues.waiting(asked, work.arrivals, front=front)
    work.requeue(queues.put(work.queue, entry), told=asked.user)
    _tell(work, entry, asked.request)


def tell_position(work: Work) -> None:
    """Who waits asks again: his place, which may be better by a higher tier or number, never by a later arrival."""
    asked, entry = work.asked(Request, QueuePositionRequest), _entry(work)
    if isinstance(asked, Request):
        entry = queues.waiting(asked, entry.arrived, front=entry.front)
        work.requeue(queues.put(work.queue, entry), told=entry.user)
    _tell(work, replace(entry, key=asked.key), asked.request)


def move_waiting(work: Work) -> None:
    """Who waits came back on another connection and keeps his place."""
    entry = replace(_entry(work), key=work.asked(Rejoined).key)
    work.queue = queues.put(work.queue, entry)
    _tell(work, entry, None)


def unqueue(work: Work) -> None:
    """The request is taken back, or its owner is gone."""
    if work.subject is not None:
        work.requeue(queues.without(work.queue, work.subject))


def throw_out(work: Work) -> None:
    """The server takes a waiting request away and says why."""
    entry = _entry(work)
    work.effects.append(Denied(entry.user, entry.key, None, DENY_FOR.get(withdrawal(work), DenyCause.OTHER)))
    unqueue(work)


def _entry(work: Work) -> Waiting:
    if work.waiting is None:
        raise TypeError("this move needs one who waits")
    return work.waiting


def _tell(work: Work, entry: Waiting, request: str | None) -> None:
    place = queues.position(work.queue, entry.user)
    work.effects.append(Queued(entry.user, entry.key, request, place, len(work.queue)))
