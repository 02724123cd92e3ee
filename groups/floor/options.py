"""What a group may set about its floor. Times in ms."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FloorOptions:
    """Floor options of one group (timers: TS 24.380 §11.1.2).

    Attributes:
        queueing: refused requests wait in the queue instead of being denied.
        queue_limit: requests that may wait; one more is denied with cause 7 (a pre-emptor always gets in).
        audio_cut_in: each new request takes the floor at once, unless its tier is lower than the talker's.
        dual_floor: an overriding talker and the overridden one are both on air.
        end_of_media_ms: T1, no packet from the holder → floor idle.
        transmit_limit_ms: T2, longest burst, from its first packet.
        revoke_grace_ms: T3 for ordinary pre-emption and time limit (emergency tier and cut-in: 0).
        inactivity_ms: T4, floor idle for so long → the group is told to be inactive; 0 is never.
        retry_after_ms: T9, how long one whose burst was too long waits.
        queue_answer_ms: T132, how long one granted from the queue has until media starts.
    """

    queueing: bool = True
    queue_limit: int = 10
    audio_cut_in: bool = False
    dual_floor: bool = False
    end_of_media_ms: int = 4_000
    transmit_limit_ms: int = 30_000
    revoke_grace_ms: int = 1_000
    inactivity_ms: int = 30_000
    retry_after_ms: int = 3_000
    queue_answer_ms: int = 2_000
