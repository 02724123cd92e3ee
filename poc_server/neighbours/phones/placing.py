"""Which node a phone that comes is to be on: the one that has its place and its media path, or its group's home."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from groups.vocabulary import GroupId, GroupKind
from poc_server.neighbours.known.far_phone import FarPhone
from poc_server.neighbours.known.neighbour import name_of
from poc_server.neighbours.phones.homes import GATHERED, Occupied, home
from poc_server.talk.clock import loop_time
from signaling.passing import Address

if TYPE_CHECKING:
    from groups.model import User
    from poc_server.neighbours.known.neighbour import Neighbour
    from poc_server.neighbours.known.this_node import ThisNode
    from poc_server.neighbours.phones.abroad import Abroad
    from signaling.messages import Hello

SELECTED_S = 1.0
"""By then a phone has selected the group that it came for, and other nodes know."""


class Placing:
    """Places phones among the nodes that this one sees. ``me``: its own id."""

    def __init__(
        self, node: ThisNode, me: str, nodes: Mapping[str, Neighbour], abroad: Abroad, alone: Callable[[], bool]
    ) -> None:
        self._node = node
        self._me = me
        self._nodes = nodes
        self._abroad = abroad
        self._alone = alone
        self._lately: dict[GroupId, tuple[str, float]] = {}
        """The home of each group that was asked for, and until when it is the same; loop time."""

    def of(self, user: User, hello: Hello, group: str) -> Address | None:
        """Where a phone that says hello is served; None: here. ``group``: what its user will talk in, "" if unsaid."""
        if self._alone():
            return None
        known = self._node.phones.get(f"{user.id}/{hello.device or ''}")
        if known is not None and known.resume == hello.resume:
            if not known.moves and not isinstance(known, FarPhone):
                return None
            its_node = self._nodes.get(known.neighbour.id) if isinstance(known, FarPhone) and known.neighbour else None
            if its_node is not None and _takes(its_node) and not known.moves:
                return _address(its_node)  # where its media path goes on
            group = known.selected or group
        there = self.place(GroupId(group or self._first_of(user)))
        return None if there is None else _address(there)

    def _first_of(self, user: User) -> str:
        """Where a person talks who has not said where."""
        groups = self._node.overview.groups_of(user)
        return next((each.id for each in groups if each.kind is not GroupKind.INCIDENT), "")

    def place(self, group: GroupId) -> Neighbour | None:
        """As `home`, and the same for a moment: who came just before has not selected the group yet."""
        if self._node.roster.group(group) is None:
            return None
        now = loop_time()
        name, until = self._lately.get(group, ("", 0.0))
        there = next((each for each in self._nodes.values() if each.name == name and _takes(each)), None)
        if now < until and (there is not None or name == name_of(self._me)):
            return there
        there = self.home(group)
        self._lately = {each: lately for each, lately in self._lately.items() if lately[1] > now}
        self._lately[group] = (name_of(self._me) if there is None else there.name, now + SELECTED_S)
        return there

    def home(self, group: GroupId) -> Neighbour | None:
        """The other node that is a group's home; None where this one is, or any may be."""
        talkers = Counter(self._nodes_of(group))
        if talkers.total() > GATHERED:
            return None
        others = {each.name: each for each in self._nodes.values() if _takes(each)}
        own = len(self._node.phones) - sum(len(each.phones) for each in self._nodes.values()) - self._abroad.awaited
        occupied = [Occupied(name, len(each.phones), talkers[each.id]) for name, each in others.items()]
        if not self._node.draining:
            occupied.append(Occupied(name_of(self._me), own, talkers[self._me]))
        return others.get(home(group, occupied) or "")

    def _nodes_of(self, group: GroupId) -> Iterator[str]:
        """For each phone that talks in a group, and not only hears it, the node it is on."""
        here = self._node.talkgroups.get(group)
        for phone in () if here is None else here.phones.values():
            if phone.selected == group and not phone.moves:
                yield self._me
        for phone in self._abroad.phones_in(group):
            if phone.selected == group and not phone.moves and phone.neighbour is not None:
                yield phone.neighbour.id


def _takes(node: Neighbour) -> bool:
    """Whether a node takes phones in, as far as it is known here."""
    return node.known and bool(node.url) and not node.draining


def _address(node: Neighbour) -> Address:
    url = urlsplit(node.url)
    return Address(url.hostname or "", url.port or (443 if url.scheme == "https" else 80), tls=url.scheme == "https")
