"""The end of a node, gently: it refuses who is new and lets its phones go between bursts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from groups.vocabulary import Refusal
from signaling.limits import CLOSE_GOING_AWAY
from signaling.messages import Bye

if TYPE_CHECKING:
    from poc_server.node import Node
    from poc_server.talk.phone import Phone

LOOK_S = 0.05
PHONES_AT_ONCE = 50
"""Phones that go at one look: another node has to take them in."""


async def drain(node: Node, within_s: float) -> None:
    """Returns when every phone was told to go; where other nodes live, each as soon as it hears nothing."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within_s
    while loop.time() < end and (_waits(node) or _may_move(node)):
        if _may_move(node):
            for phone in [phone for phone in node.phones.here() if _free(node, phone)][:PHONES_AT_ONCE]:
                _send_away(phone)
        await asyncio.sleep(LOOK_S)
    for phone in node.phones.here():
        _send_away(phone)
    node.endpoint.close_all(CLOSE_GOING_AWAY)


def _waits(node: Node) -> bool:
    """Whether there is somebody who hears a burst or talks."""
    return any(group.routes for group in node.talkgroups.values() if group.phones)


def _may_move(node: Node) -> bool:
    """Whether there are phones here, and another node they can go to."""
    there = node.elsewhere is not None and any(not each.draining for each in node.elsewhere.nodes.values())
    return there and any(phone.connection is not None for phone in node.phones.here())


def _free(node: Node, phone: Phone) -> bool:
    groups = (node.talkgroups.get(group) for group in phone.groups)
    return phone.connection is not None and not any(group.routes for group in groups if group is not None)


def _send_away(phone: Phone) -> None:
    connection = phone.connection
    if connection is not None:
        phone.send(Bye(code=Refusal.DRAINING, message=phone.words(Refusal.DRAINING), reconnect=True))
        connection.close(CLOSE_GOING_AWAY)
