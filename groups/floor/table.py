"""The floor machine as one table: in which state, on what, if what holds, what is done, and which state follows.

For one state and trigger the rows are tried from top to bottom and the first whose guard holds is taken; where no row
stands the input is discarded (TS 24.380 §6.3.4.1). ``then`` is the state of the burst that was granted, else of the
one the trigger is about, else (when there is none any more) of the floor. Clauses are those of TS 24.380; “ours” marks
what the standard leaves open.
docs/floor-control.md is made from this table by ``python -m tools.docs.floor``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from groups.floor.state import Phase


class Trigger(StrEnum):
    """What happened, sorted by whether it concerns one who is on air (“talker's”) or another."""

    REQUEST = "Floor Request"
    TALKER_REQUEST = "talker's Floor Request"
    RELEASE = "Floor Release"
    TALKER_RELEASE = "talker's Floor Release"
    POSITION_REQUEST = "Queue Position Request"
    REVOKE_REQUEST = "Floor Revoke Request"
    MEDIA_STARTED = "media started"
    MEDIA_STOPPED = "media stopped"
    STRAY_MEDIA = "media without the floor"
    LEFT = "participant left"
    TALKER_LEFT = "talker left"
    REJOINED = "participant rejoined"
    TALKER_REJOINED = "talker rejoined"
    TALKER_TIER = "talker's tier changed"
    WITHDRAWN = "request withdrawn by the server"
    TALKER_WITHDRAWN = "floor withdrawn by the server"
    OPTIONS = "options changed"
    T1 = "T1 end of media"
    T2 = "T2 transmit limit"
    T3 = "T3 grace"
    T4 = "T4 inactivity"
    T132 = "T132 queued grant unanswered"


class Guard(StrEnum):
    """What must hold for a row to be taken; each is a predicate in ``guards.py``."""

    ALWAYS = "—"
    HINDERED = "the node cannot carry it"
    RECEIVE_ONLY = "may only listen"
    RETRY_AFTER = "T9 runs, not emergency"
    ALONE = "nobody else there"
    CUTS_IN = "audio cut-in, tier not lower"
    OVERRIDES = "comes on air beside (precedence), or dual floor: pre-empts the only one"
    PREEMPTS_AT_ONCE = "pre-empts, emergency or no grace"
    PREEMPTS = "pre-empts"
    WAITS = "waits in the queue"
    QUEUE_FULL = "queue full"
    MAY_QUEUE = "queueing"
    OTHER_DEVICE = "from another connection"
    TIMED_OUT = "revoked as too long"
    NAMES_BURST = "names a burst"
    TARGET_TALKS = "one it names talks"
    TARGET_ON_AIR = "one it names is on air"
    NO_GRACE_CAUSE = "cause gives no grace"
    SUCCESSOR = "one waits and may go on air"
    OTHER_TALKS = "dual floor: the other goes on"
    OTHER_LEAVES = "dual floor: the other is being revoked"


class Move(StrEnum):
    """What a row does; each is a function in ``moves.py``."""

    DENY_HINDERED = "Deny 2, 6 or 255"
    DENY_RECEIVE_ONLY = "Deny 5"
    DENY_RETRY_AFTER = "Deny 4"
    DENY_ALONE = "Deny 3"
    DENY_TAKEN = "Deny 1"
    DENY_QUEUE_FULL = "Deny 7"
    GRANT = "Granted, Taken, T1"
    GRANT_NEXT = "Granted to the first in the queue, Taken, T1, T132"
    GRANT_AGAIN = "Granted with the time left"
    CUT = "Revoke 4 without grace, all bursts end"
    DISPLACE = "Revoke 4 without grace, the displaced burst ends"
    REVOKE_PREEMPTED = "Revoke 4, T3"
    REVOKE_TOO_LONG = "Revoke 2, T3"
    REVOKE_ON_REQUEST = "Revoke 7, T3"
    REVOKE_WITHDRAWN = "Revoke 1, 3, 6 or 255, T3"
    HASTEN = "T3 at once"
    REVOKE_UNANSWERED = "Revoke 255"
    REVOKE_STRAY = "Revoke 3 to the sender"
    QUEUE = "into the queue, Queue Position"
    QUEUE_FRONT = "to the front of the queue, Queue Position"
    TELL_POSITION = "Queue Position"
    UNQUEUE = "out of the queue"
    THROW_OUT = "out of the queue, Deny 3, 5, 6 or 255"
    ACKNOWLEDGE = "Ack"
    REFUSE = "refused"
    FIRST_MEDIA = "T2 on if it was not, T1 and T132 off"
    MEDIA_AGAIN = "T1 off"
    NO_MEDIA = "T1 on"
    END_RELEASED = "burst ends: released"
    END_MEDIA_LOST = "burst ends: media lost"
    END_LEFT = "burst ends: left"
    END_REVOKED = "burst ends: as revoked, T9 after cause 2"
    TELL_TAKEN = "Taken"
    TELL_IDLE = "Idle, T4"
    TELL_INACTIVE = "inactive"
    MOVE_TALKER = "media from the new connection, T1"
    REVOKE_AGAIN = "Revoke with the grace left"
    MOVE_WAITING = "place kept, Queue Position"
    RAISE_TIER = "tier of the burst, Taken"
    SET_OPTIONS = "options"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    phase: Phase
    trigger: Trigger
    guard: Guard
    moves: tuple[Move, ...]
    then: Phase
    clause: str


IDLE, TAKEN, REVOKING = Phase.IDLE, Phase.TAKEN, Phase.PENDING_REVOKE
G, M, T = Guard, Move, Trigger


def _ends(phase: Phase, trigger: Trigger, clause: str, *moves: Move) -> tuple[Row, ...]:
    """A burst ends: the queue's head is granted at once, with no Idle between; else Idle (§6.3.4.3.2 item 3)."""
    return (
        Row(phase, trigger, G.SUCCESSOR, (*moves, M.GRANT_NEXT), TAKEN, f"{clause}, 6.3.4.3.2"),
        Row(phase, trigger, G.OTHER_TALKS, (*moves, M.TELL_TAKEN), TAKEN, f"{clause}, 6.3.6"),
        Row(phase, trigger, G.OTHER_LEAVES, moves, REVOKING, f"{clause}, 6.3.6"),
        Row(phase, trigger, G.ALWAYS, (*moves, M.TELL_IDLE), IDLE, f"{clause}, 6.3.4.3.2"),
    )


TABLE: tuple[Row, ...] = (
    # --- Floor Idle: nobody on air, and nobody waits but where nodes just met again (`merge.py`) -----------------
    Row(IDLE, T.REQUEST, G.HINDERED, (M.DENY_HINDERED,), IDLE, "6.3.5.3.4"),
    Row(IDLE, T.REQUEST, G.RECEIVE_ONLY, (M.DENY_RECEIVE_ONLY,), IDLE, "6.3.4.3.3"),
    Row(IDLE, T.REQUEST, G.RETRY_AFTER, (M.DENY_RETRY_AFTER,), IDLE, "6.3.5.3.4"),
    Row(IDLE, T.REQUEST, G.ALONE, (M.DENY_ALONE,), IDLE, "6.3.4.3.3"),
    Row(IDLE, T.REQUEST, G.ALWAYS, (M.GRANT,), TAKEN, "6.3.4.3.3, 6.3.4.4.2"),
    Row(IDLE, T.RELEASE, G.ALWAYS, (M.ACKNOWLEDGE,), IDLE, "6.3.4.1"),
    Row(IDLE, T.POSITION_REQUEST, G.ALWAYS, (M.REFUSE,), IDLE, "6.3.4.1"),
    Row(IDLE, T.REVOKE_REQUEST, G.ALWAYS, (M.REFUSE,), IDLE, "6.3.4.1"),
    Row(IDLE, T.STRAY_MEDIA, G.ALWAYS, (M.REVOKE_STRAY,), IDLE, "6.3.5.3.8"),
    Row(IDLE, T.OPTIONS, G.ALWAYS, (M.SET_OPTIONS,), IDLE, "ours"),
    Row(IDLE, T.T4, G.SUCCESSOR, (M.GRANT_NEXT,), TAKEN, "ours: nodes met again"),
    Row(IDLE, T.T4, G.ALWAYS, (M.TELL_INACTIVE,), IDLE, "6.3.4.3"),
    # --- Floor Taken: another asks -------------------------------------------------------------------------------
    Row(TAKEN, T.REQUEST, G.HINDERED, (M.DENY_HINDERED,), TAKEN, "6.3.5.4.4"),
    Row(TAKEN, T.REQUEST, G.RECEIVE_ONLY, (M.DENY_RECEIVE_ONLY,), TAKEN, "6.3.5.4.4"),
    Row(TAKEN, T.REQUEST, G.RETRY_AFTER, (M.DENY_RETRY_AFTER,), TAKEN, "6.3.5.4.4"),
    Row(TAKEN, T.REQUEST, G.CUTS_IN, (M.CUT, M.GRANT), TAKEN, "6.3.2.2, 6.3.4.4.7"),
    Row(TAKEN, T.REQUEST, G.OVERRIDES, (M.GRANT,), TAKEN, "6.3.6"),
    Row(TAKEN, T.REQUEST, G.PREEMPTS_AT_ONCE, (M.DISPLACE, M.GRANT), TAKEN, "6.3.4.4.7, ours: T3 = 0"),
    Row(TAKEN, T.REQUEST, G.PREEMPTS, (M.REVOKE_PREEMPTED, M.QUEUE_FRONT), REVOKING, "6.3.4.4.7, 6.3.4.5.2"),
    Row(TAKEN, T.REQUEST, G.WAITS, (M.TELL_POSITION,), TAKEN, "6.3.5.4.4"),
    Row(TAKEN, T.REQUEST, G.QUEUE_FULL, (M.DENY_QUEUE_FULL,), TAKEN, "6.3.5.4.4"),
    Row(TAKEN, T.REQUEST, G.MAY_QUEUE, (M.QUEUE,), TAKEN, "6.3.5.4.4"),
    Row(TAKEN, T.REQUEST, G.ALWAYS, (M.DENY_TAKEN,), TAKEN, "6.3.5.4.4"),
    Row(TAKEN, T.RELEASE, G.NAMES_BURST, (M.ACKNOWLEDGE,), TAKEN, "6.3.4.1"),
    Row(TAKEN, T.RELEASE, G.ALWAYS, (M.UNQUEUE, M.ACKNOWLEDGE), TAKEN, "6.3.5.4.5"),
    Row(TAKEN, T.POSITION_REQUEST, G.WAITS, (M.TELL_POSITION,), TAKEN, "6.3.5.4.7"),
    Row(TAKEN, T.POSITION_REQUEST, G.ALWAYS, (M.REFUSE,), TAKEN, "6.3.5.4.7"),
    Row(TAKEN, T.STRAY_MEDIA, G.WAITS, (), TAKEN, "6.3.4.1"),
    Row(TAKEN, T.STRAY_MEDIA, G.ALWAYS, (M.REVOKE_STRAY,), TAKEN, "6.3.5.4.6"),
    Row(TAKEN, T.LEFT, G.WAITS, (M.UNQUEUE,), TAKEN, "6.3.5.8"),
    Row(TAKEN, T.REJOINED, G.WAITS, (M.MOVE_WAITING,), TAKEN, "ours"),
    Row(TAKEN, T.WITHDRAWN, G.WAITS, (M.THROW_OUT,), TAKEN, "6.3.5.4.4"),
    # --- Floor Taken: about the talker ---------------------------------------------------------------------------
    Row(TAKEN, T.TALKER_REQUEST, G.OTHER_DEVICE, (M.DENY_TAKEN,), TAKEN, "6.3.5.4.4"),
    Row(TAKEN, T.TALKER_REQUEST, G.ALWAYS, (M.GRANT_AGAIN,), TAKEN, "6.3.4.4.8"),
    *_ends(TAKEN, T.TALKER_RELEASE, "6.3.4.4.6", M.ACKNOWLEDGE, M.END_RELEASED),
    *_ends(TAKEN, T.TALKER_LEFT, "6.3.5.8", M.END_LEFT),
    Row(TAKEN, T.TALKER_REJOINED, G.ALWAYS, (M.MOVE_TALKER, M.GRANT_AGAIN), TAKEN, "ours"),
    Row(TAKEN, T.TALKER_TIER, G.ALWAYS, (M.RAISE_TIER,), TAKEN, "4.1.1.4"),
    Row(TAKEN, T.MEDIA_STARTED, G.ALWAYS, (M.FIRST_MEDIA,), TAKEN, "6.3.4.4.5"),
    Row(TAKEN, T.MEDIA_STOPPED, G.ALWAYS, (M.NO_MEDIA,), TAKEN, "6.3.4.4.5"),
    Row(TAKEN, T.REVOKE_REQUEST, G.TARGET_TALKS, (M.ACKNOWLEDGE, M.REVOKE_ON_REQUEST), REVOKING, "6.3.5.4.15"),
    Row(TAKEN, T.REVOKE_REQUEST, G.ALWAYS, (M.REFUSE,), TAKEN, "6.3.4.1"),
    Row(TAKEN, T.TALKER_WITHDRAWN, G.ALWAYS, (M.REVOKE_WITHDRAWN,), REVOKING, "6.3.4.5.2"),
    Row(TAKEN, T.OPTIONS, G.ALWAYS, (M.SET_OPTIONS,), TAKEN, "ours"),
    *_ends(TAKEN, T.T1, "6.3.4.4.3", M.END_MEDIA_LOST),
    Row(TAKEN, T.T2, G.ALWAYS, (M.REVOKE_TOO_LONG,), REVOKING, "6.3.4.4.4, 6.3.4.5.2"),
    *_ends(TAKEN, T.T132, "6.2.4.9 (kept by the server)", M.REVOKE_UNANSWERED, M.END_MEDIA_LOST),
    # --- pending Floor Revoke: another asks; the talker is still heard -------------------------------------------
    Row(REVOKING, T.REQUEST, G.HINDERED, (M.DENY_HINDERED,), REVOKING, "6.3.5.4.4"),
    Row(REVOKING, T.REQUEST, G.RECEIVE_ONLY, (M.DENY_RECEIVE_ONLY,), REVOKING, "6.3.5.4.4"),
    Row(REVOKING, T.REQUEST, G.RETRY_AFTER, (M.DENY_RETRY_AFTER,), REVOKING, "6.3.5.4.4"),
    Row(REVOKING, T.REQUEST, G.CUTS_IN, (M.CUT, M.GRANT), TAKEN, "6.3.2.2"),
    Row(REVOKING, T.REQUEST, G.OVERRIDES, (M.GRANT,), TAKEN, "6.3.6"),
    Row(REVOKING, T.REQUEST, G.PREEMPTS_AT_ONCE, (M.DISPLACE, M.GRANT), TAKEN, "ours: T3 = 0"),
    Row(REVOKING, T.REQUEST, G.PREEMPTS, (M.QUEUE_FRONT,), REVOKING, "6.3.4.4.7"),
    Row(REVOKING, T.REQUEST, G.WAITS, (M.TELL_POSITION,), REVOKING, "6.3.5.4.4"),
    Row(REVOKING, T.REQUEST, G.QUEUE_FULL, (M.DENY_QUEUE_FULL,), REVOKING, "6.3.5.4.4"),
    Row(REVOKING, T.REQUEST, G.MAY_QUEUE, (M.QUEUE,), REVOKING, "6.3.5.4.4"),
    Row(REVOKING, T.REQUEST, G.ALWAYS, (M.DENY_TAKEN,), REVOKING, "6.3.5.4.4"),
    Row(REVOKING, T.RELEASE, G.NAMES_BURST, (M.ACKNOWLEDGE,), REVOKING, "6.3.4.1"),
    Row(REVOKING, T.RELEASE, G.ALWAYS, (M.UNQUEUE, M.ACKNOWLEDGE), REVOKING, "6.3.5.4.5"),
    Row(REVOKING, T.POSITION_REQUEST, G.WAITS, (M.TELL_POSITION,), REVOKING, "6.3.5.4.7"),
    Row(REVOKING, T.POSITION_REQUEST, G.ALWAYS, (M.REFUSE,), REVOKING, "6.3.5.4.7"),
    Row(REVOKING, T.STRAY_MEDIA, G.WAITS, (), REVOKING, "6.3.4.1"),
    Row(REVOKING, T.STRAY_MEDIA, G.ALWAYS, (M.REVOKE_STRAY,), REVOKING, "6.3.5.4.6"),
    Row(REVOKING, T.LEFT, G.WAITS, (M.UNQUEUE,), REVOKING, "6.3.5.8"),
    Row(REVOKING, T.REJOINED, G.WAITS, (M.MOVE_WAITING,), REVOKING, "ours"),
    Row(REVOKING, T.WITHDRAWN, G.WAITS, (M.THROW_OUT,), REVOKING, "6.3.5.4.4"),
    # --- pending Floor Revoke: about the talker ------------------------------------------------------------------
    Row(REVOKING, T.TALKER_REQUEST, G.TIMED_OUT, (M.DENY_RETRY_AFTER,), REVOKING, "6.3.5.6"),
    Row(REVOKING, T.TALKER_REQUEST, G.ALWAYS, (M.DENY_TAKEN,), REVOKING, "6.3.5.6"),
    *_ends(REVOKING, T.TALKER_RELEASE, "6.3.4.5.4", M.ACKNOWLEDGE, M.END_REVOKED),
    *_ends(REVOKING, T.TALKER_LEFT, "6.3.5.8", M.END_LEFT),
    Row(REVOKING, T.TALKER_REJOINED, G.ALWAYS, (M.MOVE_TALKER, M.REVOKE_AGAIN), REVOKING, "ours"),
    Row(REVOKING, T.TALKER_TIER, G.ALWAYS, (M.RAISE_TIER,), REVOKING, "4.1.1.4"),
    Row(REVOKING, T.MEDIA_STARTED, G.ALWAYS, (M.MEDIA_AGAIN,), REVOKING, "6.3.4.5.3"),
    Row(REVOKING, T.MEDIA_STOPPED, G.ALWAYS, (M.NO_MEDIA,), REVOKING, "6.3.4.5.3"),
    Row(REVOKING, T.REVOKE_REQUEST, G.TARGET_TALKS, (M.ACKNOWLEDGE, M.REVOKE_ON_REQUEST), REVOKING, "6.3.6"),
    Row(REVOKING, T.REVOKE_REQUEST, G.TARGET_ON_AIR, (M.ACKNOWLEDGE,), REVOKING, "6.3.4.1"),
    Row(REVOKING, T.REVOKE_REQUEST, G.ALWAYS, (M.REFUSE,), REVOKING, "6.3.4.1"),
    Row(REVOKING, T.TALKER_WITHDRAWN, G.NO_GRACE_CAUSE, (M.HASTEN,), REVOKING, "ours"),
    Row(REVOKING, T.OPTIONS, G.ALWAYS, (M.SET_OPTIONS,), REVOKING, "ours"),
    *_ends(REVOKING, T.T1, "6.3.4.5.6", M.END_REVOKED),
    *_ends(REVOKING, T.T3, "6.3.4.5.5", M.END_REVOKED),
)
