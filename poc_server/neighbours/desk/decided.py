"""What the desk decided about one group, as JSON, and taken over from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import structlog
from pydantic import TypeAdapter

from groups.emergency.condition import Condition
from groups.model import Group, Membership
from groups.vocabulary import BurstId, GroupId, UserId
from poc_server.talk.calls import duplex
from poc_server.talk.calls.call_facts import CallFacts
from poc_server.talk.patch import Patch
from poc_server.talk.roster import Transient

if TYPE_CHECKING:
    from poc_server.neighbours.known.this_node import ThisNode

log = structlog.get_logger(__name__)

NOTHING: Mapping[str, Any] = {}
GROUP = TypeAdapter(Group)
FACTS = TypeAdapter(CallFacts)


def groups(node: ThisNode, called: Iterable[GroupId]) -> set[GroupId]:
    """All groups about which something is decided; ``called``: those in which calls are talked."""
    conditions = node.conditions
    return {*node.roster.transients(), *(each.group for each in conditions.all()), *conditions.reserved(), *called}


def of(node: ThisNode, group: GroupId) -> dict[str, Any]:
    """What is decided about a group."""
    out: dict[str, Any] = {}
    transient = node.roster.transient(group)
    if transient is not None:
        out["transient"] = _to_json(transient)
    condition = node.conditions.get(group)
    if condition.holders:
        out["condition"] = condition.to_json()
    call = node.calls.of_group(group)
    if call is not None:
        out["call"] = FACTS.dump_python(call.facts, mode="json")
        out["duplex"] = call.duplex.on_air()
    patch = node.joined.get(group)
    if patch is not None:
        out["patch"] = [patch.name, patch.by.id, [each.id for each in patch.groups], patch.since_ms]
    only = node.conditions.only_talker(group)
    if only is not None:
        out["only"] = only
    return out


def take(node: ThisNode, calls: dict[GroupId, CallFacts], group: GroupId, what: Mapping[str, Any]) -> None:
    """Take it over; ``calls``: those that the desk leads."""
    patch = node.joined.get(group)
    if patch is not None and "patch" not in what:
        node.patches.forget(patch)
    if "transient" in what:
        node.roster.put(_from_json(what["transient"]))
    elif node.roster.is_transient(group):
        node.roster.drop(group)
    if "patch" in what:
        _take_patch(node, group, *what["patch"][:4])
    node.conditions.reserve(group, UserId(what["only"]) if "only" in what else None)
    _take_call(node, calls, group, what)
    node.conditions.take(Condition.from_json(what["condition"]) if "condition" in what else Condition(group))


def take_all(node: ThisNode, calls: dict[GroupId, CallFacts], said: Mapping[str, Any]) -> None:
    """Take over what the desk told: of some groups, or of all, and then nothing is decided about others."""
    if "all" in said:
        for group in groups(node, calls) - set(said["all"]):
            take(node, calls, group, NOTHING)
    for group, what in said["groups"].items():
        try:
            take(node, calls, GroupId(group), what)
        except Exception:
            log.exception("decision_unreadable", group=group)  # of a later version; the other groups go on


def _take_patch(node: ThisNode, patch: GroupId, name: str, by: str, joined: list[str], since_ms: int) -> None:
    user = node.roster.user(UserId(by))
    models = [node.roster.group(GroupId(each)) for each in joined]
    if user is not None:
        node.patches.take(Patch(patch, name, user, tuple(each for each in models if each is not None), since_ms))


def _take_call(node: ThisNode, calls: dict[GroupId, CallFacts], group: GroupId, what: Mapping[str, Any]) -> None:
    if "call" in what:
        calls[group] = FACTS.validate_python(what["call"])
    else:
        calls.pop(group, None)
    talkgroup, said = node.talkgroups.get(group), what.get("duplex", ())
    if said and talkgroup is None and node.roster.group(group) is not None:
        talkgroup = node.talkgroups.open(group)
    if talkgroup is not None:
        on_air = {BurstId(burst): (UserId(user), key) for burst, user, key, *_ in said}
        duplex.follow(node.phones, talkgroup, node.fabric.now(), on_air)


def _to_json(transient: Transient) -> dict[str, Any]:
    """Members by what they may: a broadcast has thousands that may the same."""
    alike: dict[tuple[bool, bool, int], list[UserId]] = {}
    for user, place in transient.members.items():
        alike.setdefault((place.may_talk, place.may_preempt, place.priority), []).append(user)
    return {
        "group": GROUP.dump_python(transient.group, mode="json"),
        "members": [[*place, users] for place, users in alike.items()],
    }


def _from_json(plain: dict[str, Any]) -> Transient:
    group = GROUP.validate_python(plain["group"])
    members = {
        UserId(user): Membership(group.id, UserId(user), may_talk, may_preempt, priority)
        for may_talk, may_preempt, priority, users, *_ in plain["members"]
        for user in users
    }
    return Transient(group, members)
