"""Where the phones of a group belong, of several nodes: pure, and the same on every node that sees the same.

A packet of a talker is work on every node that hears him, and only the copies for the listeners are shared between
them. Of a few listeners the copies are the smaller part: so the phones of a small group come to one node. A large group
stays where it is: there the copies are the work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

GATHERED = 64
"""Phones a group may have on all nodes to be gathered on one (docs/performance.md, "What a second node brings")."""
FULL = 1.02
"""With so many times the phones of an average node, and `SPARE` beyond, a node is the home of no group that is new."""
OVERFULL = 1.2
"""With so many times them, and `SPARE` beyond, its own groups go to another one: that one was away, or is new."""
SPARE = 4


@dataclass(frozen=True, slots=True)
class Occupied:
    """A node that takes phones in.

    Attributes:
        node: its name.
        phones: those that have a place there, connected or lost a moment ago.
        talkers: of them those that have selected the group.
    """

    node: str
    phones: int
    talkers: int


def home(group: str, nodes: Sequence[Occupied]) -> str | None:
    """The node on which the phones of a group belong; None where they may be on any.

    It is the one that has most of them. Before there are any, and where two have as many, it is one by its name and the
    group's (rendezvous hashing): every node says the same then without a word between them, groups spread evenly, and
    where a node comes or goes only its own groups have another home. A group leaves a node that has too many phones
    only for one that has fewer even with it: no two nodes give it to each other for ever.
    """
    phones = sum(each.talkers for each in nodes)
    if len(nodes) < 2 or phones > GATHERED:
        return None
    average = sum(each.phones for each in nodes) / len(nodes)
    own = max(nodes, key=lambda each: (each.talkers, _weight(group, each.node)))
    if own.talkers and own.phones <= OVERFULL * average + SPARE:
        return own.node
    free = (each for each in nodes if each.phones <= FULL * average + SPARE)
    roomy = max(free, key=lambda each: _weight(group, each.node))
    return own.node if own.talkers and roomy.phones + phones >= own.phones else roomy.node


def _weight(group: str, node: str) -> bytes:
    return blake2b(f"{len(group)} {group} {node}".encode(), digest_size=8).digest()
