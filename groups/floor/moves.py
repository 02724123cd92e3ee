"""Which function each of the table's moves is."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from groups.floor import granting, media, revoking, waiting
from groups.floor.table import Move
from groups.floor.work import Work
from groups.vocabulary import BurstEnd, DenyCause

MOVES: Mapping[Move, Callable[[Work], None]] = {
    Move.DENY_HINDERED: granting.deny_hindered,
    Move.DENY_RECEIVE_ONLY: granting.deny(DenyCause.RECEIVE_ONLY),
    Move.DENY_RETRY_AFTER: granting.deny_retry_after,
    Move.DENY_ALONE: granting.deny(DenyCause.ONLY_ONE_PARTICIPANT),
    Move.DENY_TAKEN: granting.deny(DenyCause.ANOTHER_HAS_FLOOR),
    Move.DENY_QUEUE_FULL: granting.deny(DenyCause.QUEUE_FULL),
    Move.GRANT: granting.grant,
    Move.GRANT_NEXT: granting.grant_next,
    Move.GRANT_AGAIN: granting.grant_again,
    Move.CUT: revoking.cut,
    Move.DISPLACE: revoking.displace,
    Move.REVOKE_PREEMPTED: revoking.revoke_preempted,
    Move.REVOKE_TOO_LONG: revoking.revoke_too_long,
    Move.REVOKE_ON_REQUEST: revoking.revoke_on_request,
    Move.REVOKE_WITHDRAWN: revoking.revoke_withdrawn,
    Move.HASTEN: revoking.hasten,
    Move.REVOKE_UNANSWERED: revoking.revoke_unanswered,
    Move.REVOKE_AGAIN: revoking.revoke_again,
    Move.REVOKE_STRAY: revoking.revoke_stray,
    Move.QUEUE: waiting.queue,
    Move.QUEUE_FRONT: waiting.queue_front,
    Move.TELL_POSITION: waiting.tell_position,
    Move.UNQUEUE: waiting.unqueue,
    Move.THROW_OUT: waiting.throw_out,
    Move.ACKNOWLEDGE: granting.acknowledge,
    Move.REFUSE: granting.refuse,
    Move.FIRST_MEDIA: media.first_media,
    Move.MEDIA_AGAIN: media.media_again,
    Move.NO_MEDIA: media.no_media,
    Move.END_RELEASED: revoking.end(BurstEnd.RELEASED),
    Move.END_MEDIA_LOST: revoking.end(BurstEnd.MEDIA_LOST),
    Move.END_LEFT: revoking.end(BurstEnd.LEFT),
    Move.END_REVOKED: revoking.end_revoked,
    Move.TELL_TAKEN: revoking.tell_taken,
    Move.TELL_IDLE: revoking.tell_idle,
    Move.TELL_INACTIVE: revoking.tell_inactive,
    Move.MOVE_TALKER: media.move_talker,
    Move.MOVE_WAITING: waiting.move_waiting,
    Move.RAISE_TIER: media.raise_tier,
    Move.SET_OPTIONS: media.set_options,
}
