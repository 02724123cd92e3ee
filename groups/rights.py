"""What a user may do at all, by role. A right says nothing of where: that is the target rule of ``policy.py``."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from groups.model import User
from groups.vocabulary import Role


class Right(StrEnum):
    """One right. ``welcome.rights`` carries these words."""

    # --- talking and listening
    TALK = "talk"
    LISTEN = "listen"
    TEXT = "text"
    PRIVATE_CALL = "private_call"
    REPLAY = "replay"
    REPORT = "report"
    # --- emergencies
    SOS = "sos"
    PERIL = "peril"
    EMERGENCY_CALL = "emergency_call"
    BROADCAST = "broadcast"
    PLANS = "plans"
    ALERTS = "alerts"
    # --- dispatching
    DISPATCH = "dispatch"
    MONITOR = "monitor"
    MONITOR_HIDDEN = "monitor_hidden"
    REVOKE_FLOOR = "revoke_floor"
    PULL_IN = "pull_in"
    FORCE_END = "force_end"
    BAN = "ban"
    PATCH = "patch"
    GROUP_MAKING = "group_making"
    LOCATE = "locate"
    INCIDENTS = "incidents"
    REMOTE_LISTENING = "remote_listening"
    DUTY = "duty"
    REPLAY_ALL = "replay_all"
    EXPORT = "export"
    # --- administration
    PEOPLE = "people"
    UNITS = "units"
    GROUPS = "groups"
    DEVICES = "devices"
    SETTINGS = "settings"
    ROLES = "roles"
    SESSIONS = "sessions"
    DISABLE = "disable"
    SHARING = "sharing"
    RETENTION = "retention"
    READ_AUDIT = "read_audit"


R = Right

_FIELD = frozenset({R.TALK, R.LISTEN, R.TEXT, R.PRIVATE_CALL, R.REPLAY, R.REPORT, R.SOS, R.PERIL})
_DISPATCHER = _FIELD | {
    R.EMERGENCY_CALL,
    R.BROADCAST,
    R.ALERTS,
    R.DISPATCH,
    R.MONITOR,
    R.REVOKE_FLOOR,
    R.PULL_IN,
    R.FORCE_END,
    R.BAN,
    R.PATCH,
    R.GROUP_MAKING,
    R.LOCATE,
    R.INCIDENTS,
    R.REPLAY_ALL,
}

RIGHTS: Mapping[Role, frozenset[Right]] = {
    Role.OFFICER: _FIELD,
    Role.HANDLER: _FIELD,
    Role.INTAKE: frozenset({R.TALK, R.LISTEN, R.TEXT, R.PRIVATE_CALL, R.REPLAY, R.INCIDENTS, R.LOCATE}),
    Role.DISPATCHER: _DISPATCHER,
    Role.SHIFT_LEADER: _DISPATCHER | {R.MONITOR_HIDDEN, R.REMOTE_LISTENING, R.EXPORT, R.PLANS, R.DISABLE, R.DUTY},
    Role.LEADER: _FIELD
    | {R.EMERGENCY_CALL, R.BROADCAST, R.PLANS, R.GROUP_MAKING, R.LOCATE, R.MONITOR, R.DISPATCH, R.REPLAY_ALL},
    Role.SUPERVISOR: frozenset({R.LISTEN, R.MONITOR, R.REPLAY, R.REPLAY_ALL, R.EXPORT, R.LOCATE}),
    # The three administrators hold each other in check: one runs the system, one says who may do what, one reads
    # what the other two did. None of them talks, listens or dispatches, and nobody at all alters the audit.
    Role.SYSTEM_ADMIN: frozenset({R.PEOPLE, R.UNITS, R.GROUPS, R.DEVICES, R.SETTINGS}),
    Role.SECURITY_ADMIN: frozenset({R.ROLES, R.SESSIONS, R.DISABLE, R.SHARING, R.RETENTION}),
    Role.AUDIT_ADMIN: frozenset({R.READ_AUDIT}),
}


ADMINISTRATORS = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})


def may_hold_together(roles: frozenset[Role]) -> bool:
    """Whether one person may have these roles: of the three administrators at most one, else they check nobody."""
    return len(roles & ADMINISTRATORS) <= 1


def has(user: User, right: Right) -> bool:
    """Whether any role of ``user`` carries ``right``; a disabled user has none."""
    return user.enabled and any(right in RIGHTS[role] for role in user.roles)


def rights_of(user: User) -> list[str]:
    """The names of all rights of ``user``, sorted; none when disabled."""
    return sorted({right.value for role in user.roles for right in RIGHTS[role]}) if user.enabled else []
