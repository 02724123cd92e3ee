"""The words every part of the house uses. Imports nothing of the house.

Numbers of causes are those of TS 24.380 §8.2.3 (deny: 8.2.6.2, revoke: 8.2.10.2).
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NewType

AgencyId = NewType("AgencyId", str)
UnitId = NewType("UnitId", str)
UserId = NewType("UserId", str)
DeviceId = NewType("DeviceId", str)
GroupId = NewType("GroupId", str)
CallId = NewType("CallId", str)
IncidentCode = NewType("IncidentCode", str)
BurstId = NewType("BurstId", int)
"""Fencing token of one talk burst: ``max(previous + 1, now in ms)``, so it grows even when shared state was lost."""


class Tier(IntEnum):
    """Pre-emption tier; a higher one pre-empts whatever the priority numbers (TS 24.380 §4.1.1.4)."""

    NORMAL = 0
    IMMINENT_PERIL = 1
    EMERGENCY = 2


class DenyCause(IntEnum):
    """Why a floor request is refused (TS 24.380 §8.2.6.2)."""

    ANOTHER_HAS_FLOOR = 1
    INTERNAL_ERROR = 2
    ONLY_ONE_PARTICIPANT = 3
    RETRY_AFTER = 4
    RECEIVE_ONLY = 5
    NO_RESOURCES = 6
    QUEUE_FULL = 7
    OTHER = 255


class RevokeCause(IntEnum):
    """Why a floor is taken away (TS 24.380 §8.2.10.2)."""

    ONLY_ONE_PARTICIPANT = 1
    BURST_TOO_LONG = 2
    NO_PERMISSION = 3
    PRE_EMPTED = 4
    NO_RESOURCES = 6
    ON_REQUEST = 7
    OTHER = 255


class BurstEnd(StrEnum):
    """How a talk burst came to its end, as recorded and told."""

    RELEASED = "released"
    TIME_LIMIT = "time_limit"
    PRE_EMPTED = "pre_empted"
    REVOKED = "revoked"
    MEDIA_LOST = "media_lost"
    LEFT = "left"
    CUT = "cut"


class GroupKind(StrEnum):
    """Ways a group calls (TS 24.379)."""

    CHAT = "chat"
    PREARRANGED = "prearranged"
    BROADCAST = "broadcast"
    TEMPORARY = "temporary"
    INCIDENT = "incident"
    PRIVATE = "private"


class UserKind(StrEnum):
    """What a signed-in identity stands for."""

    PERSON = "person"
    VEHICLE = "vehicle"
    POST = "post"


class Role(StrEnum):
    """Roles that come ready; the Chinese name of each stands in ``signaling.words``."""

    OFFICER = "officer"  # 监督员/巡查员
    HANDLER = "handler"  # 部门处置员
    INTAKE = "intake"  # 受理员
    SHIFT_LEADER = "shift_leader"  # 值班长
    DISPATCHER = "dispatcher"  # 派遣员
    LEADER = "leader"  # 领导
    SUPERVISOR = "supervisor"  # 监督中心: listens and replays, does not dispatch
    SYSTEM_ADMIN = "system_admin"  # 系统管理员
    SECURITY_ADMIN = "security_admin"  # 安全管理员
    AUDIT_ADMIN = "audit_admin"  # 审计管理员


class NotListening(StrEnum):
    """Why a connected phone would not hear a burst just now."""

    LOCKED = "locked"
    HIDDEN = "hidden"
    MICROPHONE_LOST = "microphone_lost"
    FROZEN = "frozen"
    NO_MEDIA = "no_media"


class AlertState(StrEnum):
    """The life of an alert: raised, claimed by exactly one, acknowledged, and one of three ends."""

    RAISED = "raised"
    CLAIMED = "claimed"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"
    FALSE_ALARM = "false_alarm"
    CANCELLED = "cancelled"


class ReceiptState(StrEnum):
    """How far a broadcast came with one person; it only moves forward. ``missed``: over before it was delivered."""

    SENT = "sent"
    DELIVERED = "delivered"
    HEARD = "heard"
    ACKNOWLEDGED = "acknowledged"
    MISSED = "missed"


class BroadcastKind(StrEnum):
    """What a broadcast carries. ``roll_call`` (点名): who acknowledges has answered."""

    LIVE = "live"
    RECORDED = "recorded"
    TEXT = "text"
    ROLL_CALL = "roll_call"


class TextKind(StrEnum):
    """What a written message is. ``callback``: please call me back (请回电)."""

    TEXT = "text"
    STATUS = "status"
    CALLBACK = "callback"


class StatusWord(StrEnum):
    """Status messages (状态): one tap says where one stands. The words stand in ``signaling.words``."""

    ON_DUTY = "on_duty"
    ON_THE_WAY = "on_the_way"
    ON_SCENE = "on_scene"
    HANDLING = "handling"
    DONE = "done"
    STANDBY = "standby"
    NEED_SUPPORT = "need_support"
    UNABLE = "unable"
    OFF_DUTY = "off_duty"


class MonitorScope(StrEnum):
    """Which groups a monitor hears (监听)."""

    NONE = "none"
    OWN = "own"
    LISTED = "listed"
    ALL = "all"


class HandoverState(StrEnum):
    """How far a shift handover (交接班) came."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Refusal(StrEnum):
    """Every code with which the system says no. Words for each, in both languages, stand in ``signaling.words``."""

    BAD_MESSAGE = "bad_message"
    UNKNOWN_TYPE = "unknown_type"
    TOO_LARGE = "too_large"
    TOO_FAST = "too_fast"
    NOT_SIGNED_IN = "not_signed_in"
    BAD_TOKEN = "bad_token"
    TOKEN_EXPIRED = "token_expired"
    BAD_SIGNATURE = "bad_signature"
    CLOCK_SKEW = "clock_skew"
    WRONG_CREDENTIALS = "wrong_credentials"
    SIGN_IN_LIMIT = "sign_in_limit"
    ENROLMENT_SPENT = "enrolment_spent"
    DISABLED = "disabled"
    REPLACED = "replaced"
    ALREADY_GREETED = "already_greeted"
    NOT_ALLOWED = "not_allowed"
    NOT_A_MEMBER = "not_a_member"
    UNKNOWN_GROUP = "unknown_group"
    GROUP_CLOSED = "group_closed"
    UNKNOWN_USER = "unknown_user"
    NOT_FOUND = "not_found"
    NOT_SELECTED = "not_selected"
    RECEIVE_ONLY = "receive_only"
    TALK_BANNED = "talk_banned"
    FLOOR_TAKEN = "floor_taken"
    ALONE = "alone"
    RETRY_LATER = "retry_later"
    QUEUE_FULL = "queue_full"
    NO_RESOURCES = "no_resources"
    NO_MEDIA_PATH = "no_media_path"
    BAD_SDP = "bad_sdp"
    NOBODY_CALLED = "nobody_called"
    CALL_OVER = "call_over"
    ANSWERED_ELSEWHERE = "answered_elsewhere"
    IN_DUPLEX_CALL = "in_duplex_call"
    CALL_RUNNING = "call_running"
    ORDINARY_ONLY = "ordinary_only"
    EMERGENCY_TALKING = "emergency_talking"
    ALERT_OVER = "alert_over"
    NOT_CLAIMED = "not_claimed"
    BAD_AREA = "bad_area"
    TOO_MANY = "too_many"
    EXPIRED = "expired"
    NOT_HEARD = "not_heard"
    STALE = "stale"
    CONFLICT = "conflict"
    DRAINING = "draining"
    MOVED = "moved"
    RECORDINGS_AWAY = "recordings_away"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"
