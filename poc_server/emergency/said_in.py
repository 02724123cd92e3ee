"""In which group an SOS is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groups.model import Group, Membership, User
from groups.policy import Act, may
from groups.vocabulary import GroupId, GroupKind, Refusal
from poc_server.ground.refused import Refused
from poc_server.talk.roster import Transient

if TYPE_CHECKING:
    from poc_server.emergency.desk import Desk


def dedicated(desk: Desk, user: User) -> GroupId | None:
    """The group kept for SOS, where there is one and this person's may be said in it."""
    group = desk.field.roster.group(GroupId(desk.settings.sos_group))
    if group is None or may(Act.RAISE_SOS, user, group, desk.field.roster) is not None:
        return None
    return group.id


def group(desk: Desk, user: User, asked: str | None, selected: GroupId | None) -> GroupId | None:
    """The dedicated group, the one asked for or selected, else the first that allows it; None where none does.

    Raises `Refused` when this person may raise no SOS at all.
    """
    roster = desk.field.roster
    mine = [GroupId(each.id) for each in desk.field.overview.groups_of(user)]
    refused = Refusal.NOT_ALLOWED
    for each in (GroupId(desk.settings.sos_group), GroupId(asked or ""), selected, *mine):
        found = None if not each else roster.group(each)
        if found is None:
            continue
        refused_here = may(Act.RAISE_SOS, user, found, roster)
        if refused_here is None:
            return found.id
        refused = refused_here if refused_here is Refusal.DISABLED else refused
    if may(Act.CANCEL_EMERGENCY, user, user, roster) is not None:
        raise Refused(refused)
    return None


def hidden(desk: Desk, user: User, key: GroupId) -> Transient:
    """Of a covert alert: he talks, dispatchers hear, and nobody's voice comes out of his phone."""
    model = Group(key, user.agency, user.unit, user.name, GroupKind.TEMPORARY, monitoring_allowed=False)
    members = {claimer: Membership(key, claimer, may_talk=False) for claimer in desk.claimers(user)}
    members[user.id] = Membership(key, user.id)
    return Transient(model, members)
