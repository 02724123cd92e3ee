"""The table of rights: group capability AND user right AND target rule; absent is no.

An act is allowed when any of its rows holds in all three columns. Nothing is visible between agencies but through a
group that both granted (its ``shared_with``); what is not visible is refused as if it did not exist.
docs/rights.md is made from this table by ``python -m tools.docs.rights``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from groups.model import Agency, Group, Unit, User
from groups.reach import REACHES, Facts, Reach, Target, unseen, visible
from groups.rights import Right, has, rights_of
from groups.vocabulary import GroupKind, Refusal

__all__ = ["TABLE", "Act", "Capability", "Rule", "Switches", "audited", "may", "rights_of"]


class Act(StrEnum):
    """What somebody wants to do to a target."""

    # --- talking and listening
    TALK = "talk"
    LISTEN = "listen"
    SELECT = "select"
    TEXT = "text"
    CALL = "call"
    SEE_PERSON = "see_person"
    REPLAY = "replay"
    EXPORT = "export"
    REPORT = "report"
    # --- emergencies
    RAISE_SOS = "raise_sos"
    DECLARE_PERIL = "declare_peril"
    STEP_INTO_EMERGENCY = "step_into_emergency"
    CANCEL_EMERGENCY = "cancel_emergency"
    BROADCAST = "broadcast"
    CLAIM_ALERT = "claim_alert"
    KEEP_PLANS = "keep_plans"
    # --- dispatching
    DISPATCH = "dispatch"
    MONITOR = "monitor"
    MONITOR_HIDDEN = "monitor_hidden"
    REVOKE_FLOOR = "revoke_floor"
    PULL_IN = "pull_in"
    FORCE_END = "force_end"
    BAN = "ban"
    PATCH = "patch"
    HAND_OVER = "hand_over"
    MAKE_GROUP = "make_group"
    LOCATE = "locate"
    HANDLE_INCIDENT = "handle_incident"
    LISTEN_REMOTELY = "listen_remotely"
    # --- administration
    DISABLE_DEVICE = "disable_device"
    END_SESSION = "end_session"
    ADMINISTER_PEOPLE = "administer_people"
    ADMINISTER_UNITS = "administer_units"
    ADMINISTER_GROUPS = "administer_groups"
    ADMINISTER_DEVICES = "administer_devices"
    SEE_DEVICES = "see_devices"
    ADMINISTER_SETTINGS = "administer_settings"
    PLAN_DUTY = "plan_duty"
    ASSIGN_ROLES = "assign_roles"
    SHARE_GROUP = "share_group"
    RULE_RETENTION = "rule_retention"
    READ_AUDIT = "read_audit"
    ALTER_AUDIT = "alter_audit"


class Capability(StrEnum):
    """What the target must be able to take."""

    ANY = "—"
    IN_USE = "in use"
    CALLS = "in use, not a private call"
    EMERGENCIES = "in use, emergencies allowed"
    MONITORING = "in use, monitoring allowed"
    REMOTE_LISTENING = "in use, switched on by the operator"


@dataclass(frozen=True, slots=True)
class Switches:
    """What the operator of the whole system switched on. Remote listening (远程激活) is off unless he did."""

    remote_listening: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table. ``voice``: a talk ban (禁呼) forbids it. ``audited``: each time is kept in the audit."""

    act: Act
    target: type[Target]
    capability: Capability
    right: Right
    reach: Reach
    voice: bool = False
    audited: bool = False


A, C, R, W = Act, Capability, Right, Reach

TABLE: tuple[Rule, ...] = (
    # --- talking and listening -----------------------------------------------------------------------------------
    Rule(A.TALK, Group, C.IN_USE, R.TALK, W.TALKING_MEMBER, voice=True),
    Rule(A.LISTEN, Group, C.IN_USE, R.LISTEN, W.MEMBER),
    Rule(A.SELECT, Group, C.IN_USE, R.LISTEN, W.MEMBER),
    Rule(A.TEXT, Group, C.IN_USE, R.TEXT, W.MEMBER),
    Rule(A.TEXT, Group, C.CALLS, R.DISPATCH, W.SUBTREE),
    Rule(A.TEXT, User, C.IN_USE, R.TEXT, W.VISIBLE_OTHERS),
    Rule(A.CALL, User, C.IN_USE, R.PRIVATE_CALL, W.VISIBLE_OTHERS, voice=True),
    Rule(A.SEE_PERSON, User, C.ANY, R.LISTEN, W.VISIBLE_OTHERS),
    Rule(A.SEE_PERSON, User, C.ANY, R.LISTEN, W.SELF),
    Rule(A.SEE_PERSON, User, C.ANY, R.PEOPLE, W.AGENCY),
    Rule(A.SEE_PERSON, User, C.ANY, R.ROLES, W.AGENCY),
    Rule(A.REPLAY, Group, C.ANY, R.REPLAY, W.MEMBER, audited=True),
    Rule(A.REPLAY, Group, C.ANY, R.REPLAY_ALL, W.SUBTREE, audited=True),
    Rule(A.EXPORT, Group, C.ANY, R.EXPORT, W.SUBTREE, audited=True),
    Rule(A.REPORT, Group, C.ANY, R.REPORT, W.MEMBER),
    # --- emergencies: a talk ban never stands in the way of one who is in danger -----------------------------------
    Rule(A.RAISE_SOS, Group, C.EMERGENCIES, R.SOS, W.MEMBER, audited=True),
    Rule(A.DECLARE_PERIL, Group, C.EMERGENCIES, R.PERIL, W.TALKING_MEMBER, audited=True),
    Rule(A.STEP_INTO_EMERGENCY, Group, C.EMERGENCIES, R.EMERGENCY_CALL, W.TALKING_MEMBER, audited=True),
    Rule(A.STEP_INTO_EMERGENCY, Group, C.EMERGENCIES, R.EMERGENCY_CALL, W.SUBTREE, audited=True),
    Rule(A.STEP_INTO_EMERGENCY, User, C.IN_USE, R.EMERGENCY_CALL, W.SUBTREE_OTHERS, audited=True),
    Rule(A.STEP_INTO_EMERGENCY, Unit, C.ANY, R.EMERGENCY_CALL, W.SUBTREE, audited=True),
    Rule(A.CANCEL_EMERGENCY, Group, C.ANY, R.ALERTS, W.SUBTREE, audited=True),
    Rule(A.CANCEL_EMERGENCY, User, C.ANY, R.ALERTS, W.SUBTREE, audited=True),
    Rule(A.CANCEL_EMERGENCY, User, C.ANY, R.SOS, W.SELF, audited=True),
    Rule(A.BROADCAST, Group, C.IN_USE, R.BROADCAST, W.SUBTREE, voice=True, audited=True),
    Rule(A.BROADCAST, User, C.IN_USE, R.BROADCAST, W.SUBTREE_OTHERS, voice=True, audited=True),
    Rule(A.BROADCAST, Unit, C.ANY, R.BROADCAST, W.SUBTREE, voice=True, audited=True),
    Rule(A.CLAIM_ALERT, User, C.ANY, R.ALERTS, W.SUBTREE, audited=True),
    Rule(A.KEEP_PLANS, Unit, C.ANY, R.PLANS, W.SUBTREE, audited=True),
    # --- dispatching: reaches the dispatcher's own unit and those below --------------------------------------------
    Rule(A.DISPATCH, Group, C.CALLS, R.DISPATCH, W.SUBTREE, voice=True, audited=True),
    Rule(A.MONITOR, Group, C.MONITORING, R.MONITOR, W.SUBTREE, audited=True),
    Rule(A.MONITOR_HIDDEN, Group, C.MONITORING, R.MONITOR_HIDDEN, W.SUBTREE, audited=True),
    Rule(A.REVOKE_FLOOR, Group, C.ANY, R.REVOKE_FLOOR, W.SUBTREE, audited=True),
    Rule(A.PULL_IN, User, C.IN_USE, R.PULL_IN, W.SUBTREE_OTHERS, audited=True),
    Rule(A.FORCE_END, Group, C.ANY, R.FORCE_END, W.SUBTREE, audited=True),
    Rule(A.BAN, User, C.ANY, R.BAN, W.SUBTREE_OTHERS, audited=True),
    Rule(A.PATCH, Group, C.CALLS, R.PATCH, W.SUBTREE, audited=True),
    Rule(A.HAND_OVER, User, C.IN_USE, R.DISPATCH, W.VISIBLE_OTHERS, audited=True),
    Rule(A.MAKE_GROUP, Unit, C.ANY, R.GROUP_MAKING, W.SUBTREE, audited=True),
    Rule(A.LOCATE, User, C.ANY, R.LOCATE, W.SUBTREE),
    Rule(A.LOCATE, User, C.ANY, R.LISTEN, W.SELF),
    Rule(A.HANDLE_INCIDENT, Unit, C.ANY, R.INCIDENTS, W.SUBTREE, audited=True),
    Rule(A.LISTEN_REMOTELY, User, C.REMOTE_LISTENING, R.REMOTE_LISTENING, W.SUBTREE_OTHERS, audited=True),
    # --- administration: reaches the own agency --------------------------------------------------------------------
    Rule(A.DISABLE_DEVICE, User, C.ANY, R.DISABLE, W.SUBTREE_OTHERS, audited=True),
    Rule(A.DISABLE_DEVICE, User, C.ANY, R.SESSIONS, W.AGENCY_OTHERS, audited=True),
    Rule(A.END_SESSION, User, C.ANY, R.SESSIONS, W.AGENCY, audited=True),
    Rule(A.ADMINISTER_PEOPLE, User, C.ANY, R.PEOPLE, W.AGENCY, audited=True),
    Rule(A.ADMINISTER_PEOPLE, Agency, C.ANY, R.PEOPLE, W.AGENCY, audited=True),
    Rule(A.ADMINISTER_UNITS, Unit, C.ANY, R.UNITS, W.AGENCY, audited=True),
    Rule(A.ADMINISTER_UNITS, Agency, C.ANY, R.UNITS, W.AGENCY, audited=True),
    Rule(A.ADMINISTER_GROUPS, Group, C.ANY, R.GROUPS, W.AGENCY, audited=True),
    Rule(A.ADMINISTER_GROUPS, Agency, C.ANY, R.GROUPS, W.AGENCY, audited=True),
    Rule(A.ADMINISTER_DEVICES, Agency, C.ANY, R.DEVICES, W.AGENCY, audited=True),
    Rule(A.SEE_DEVICES, Agency, C.ANY, R.DEVICES, W.AGENCY, audited=True),
    Rule(A.SEE_DEVICES, Agency, C.ANY, R.DISABLE, W.AGENCY, audited=True),
    Rule(A.ADMINISTER_SETTINGS, Agency, C.ANY, R.SETTINGS, W.AGENCY, audited=True),
    Rule(A.PLAN_DUTY, Unit, C.ANY, R.DUTY, W.SUBTREE, audited=True),
    Rule(A.PLAN_DUTY, Unit, C.ANY, R.PEOPLE, W.AGENCY, audited=True),
    Rule(A.ASSIGN_ROLES, User, C.ANY, R.ROLES, W.AGENCY_OTHERS, audited=True),
    Rule(A.SHARE_GROUP, Group, C.ANY, R.SHARING, W.AGENCY, audited=True),
    Rule(A.SHARE_GROUP, Agency, C.ANY, R.SHARING, W.AGENCY, audited=True),
    Rule(A.RULE_RETENTION, Agency, C.ANY, R.RETENTION, W.AGENCY, audited=True),
    Rule(A.READ_AUDIT, Agency, C.ANY, R.READ_AUDIT, W.AGENCY, audited=True),
    # A.ALTER_AUDIT has no row: nobody may, whatever his role.
)


def _by_place(rules: tuple[Rule, ...]) -> Mapping[tuple[Act, type[Target]], tuple[Rule, ...]]:
    found: dict[tuple[Act, type[Target]], tuple[Rule, ...]] = {}
    for rule in rules:
        found[rule.act, rule.target] = (*found.get((rule.act, rule.target), ()), rule)
    return found


_RULES = _by_place(TABLE)
_AUDITED = frozenset(rule.act for rule in TABLE if rule.audited) | {Act.ALTER_AUDIT}


def may(act: Act, subject: User, target: Target, facts: Facts, switches: Switches = Switches()) -> Refusal | None:
    """Whether ``subject`` may do ``act`` to ``target``: None is yes, else the code of the refusal.

    Of several rows that refuse, the one that came furthest gives the code: a listener who presses hears that he may
    only listen, not that he is not allowed.
    """
    if not subject.enabled:
        return Refusal.DISABLED
    if not visible(subject, target, facts):
        return unseen(target)
    refusal, furthest = Refusal.NOT_ALLOWED, 0
    for rule in _RULES.get((act, type(target)), ()):
        said, steps = _judge(rule, subject, target, facts, switches)
        if said is None:
            return None
        if steps > furthest:
            refusal, furthest = said, steps
    return refusal


def audited(act: Act) -> bool:
    """Whether each attempt at ``act``, allowed or refused, belongs into the audit."""
    return act in _AUDITED


def _judge(rule: Rule, subject: User, target: Target, facts: Facts, switches: Switches) -> tuple[Refusal | None, int]:
    """The answer of one row, and how many of its columns held."""
    if not has(subject, rule.right):
        return Refusal.NOT_ALLOWED, 0
    incapable = CAPABILITIES[rule.capability](target, switches)
    if incapable is not None:
        return incapable, 1
    beyond = REACHES[rule.reach](subject, target, facts)
    if beyond is not None:
        return beyond, 2
    if rule.voice and subject.talk_banned:
        return Refusal.TALK_BANNED, 3
    return None, 4


def _in_use(target: Target, _: Switches) -> Refusal | None:
    if isinstance(target, Group):
        return None if target.enabled else Refusal.GROUP_CLOSED
    return Refusal.DISABLED if isinstance(target, User) and not target.enabled else None


def _calls(target: Target, switches: Switches) -> Refusal | None:
    private = isinstance(target, Group) and target.kind is GroupKind.PRIVATE
    return Refusal.NOT_ALLOWED if private else _in_use(target, switches)


def _emergencies(target: Target, switches: Switches) -> Refusal | None:
    allowed = isinstance(target, Group) and target.emergency_allowed
    return _in_use(target, switches) or (None if allowed else Refusal.NOT_ALLOWED)


def _monitoring(target: Target, switches: Switches) -> Refusal | None:
    allowed = isinstance(target, Group) and target.monitoring_allowed
    return _in_use(target, switches) or (None if allowed else Refusal.NOT_ALLOWED)


def _remote_listening(target: Target, switches: Switches) -> Refusal | None:
    return _in_use(target, switches) or (None if switches.remote_listening else Refusal.NOT_ALLOWED)


CAPABILITIES: Mapping[Capability, Callable[[Target, Switches], Refusal | None]] = {
    Capability.ANY: lambda _target, _switches: None,
    Capability.IN_USE: _in_use,
    Capability.CALLS: _calls,
    Capability.EMERGENCIES: _emergencies,
    Capability.MONITORING: _monitoring,
    Capability.REMOTE_LISTENING: _remote_listening,
}
