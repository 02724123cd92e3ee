"""A city on two nodes: one floor, one picture of who is there, voice from any phone to any phone."""

from __future__ import annotations

import asyncio

import pytest

from signaling.messages import FloorIdle, FloorTaken
from tests.support.handsets import Handsets

pytestmark = pytest.mark.wire


async def test_who_talks_on_one_node_is_heard_on_both_and_has_the_only_floor(street: Handsets) -> None:
    group = next(g for i in street.identities for g in i.groups if len(street.someone(3, g)) == 3)
    talker, near, far = [
        await street.connect(identity, node=node)
        for identity, node in zip(street.someone(3, group), (0, 0, 1), strict=True)
    ]
    for phone in (talker, near, far):
        await phone.select(group)
    await far.until_online(group, 3)
    said = asyncio.create_task(talker.say(group, frames=30))
    taken = await far.told(FloorTaken, group=group)
    assert taken.by.id == talker.user
    press = far.press_key(group)  # queued behind one who talks on another node
    await far.until_packets(20)
    await near.until_packets(20)
    await said
    async with asyncio.timeout(10):
        await press.settled
    assert press.burst is not None
    await near.told(FloorTaken, group=group, burst=press.burst)
    far.release_key()
    await talker.told(FloorIdle, group=group)
    assert abs(near.packets() - far.packets()) <= 2  # the far one talks at once: its slot may close a frame earlier
