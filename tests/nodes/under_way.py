"""What goes on as a node dies: each is begun on it, or led by its desk, and returns what has to come of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from signaling.messages import (
    Alert,
    AlertAcknowledge,
    AlertClaim,
    BroadcastEnd,
    BroadcastStart,
    BroughtIn,
    BroughtOut,
    Call,
    EmergencyCall,
    EmergencyCancel,
    FloorGranted,
    FloorQueued,
    FloorTaken,
    Patched,
    PatchEnd,
    PatchStart,
    Recipients,
    Sos,
)
from tests.emergency.cast import Cast
from tests.nodes.broken import WAIT_S, come_back
from tests.support.handsets import Handset, Handsets
from tests.talk.test_ways_on_the_wire import standing


async def at_a_desk_of(node: int, street: Handsets) -> tuple[Handset, Handset]:
    """An alert that is taken on this node and told to the officer; its dispatcher, and one on the other node."""
    cast = Cast(street.city, street)
    people = cast.identities("QK-001", "PQ-001", "PQ-002")
    nodes = (1 - node, node, 1 - node)
    officer, gone, stays = [await street.connect(each, node=at) for each, at in zip(people, nodes, strict=True)]
    await officer.request(Sos(id="s", alert="at the desk", pressed_ms=1))
    await gone.request(AlertClaim(id="c", alert="at the desk"))
    await gone.request(AlertAcknowledge(id="k", alert="at the desk"))
    return gone, stays


async def a_leaders_call(node: int, street: Handsets) -> Callable[[], Awaitable[None]]:
    """A leader's call and broadcast with the desk on this node; that he ends both, for when that is dead."""
    cast = Cast(street.city, street)
    leader, one = [await street.connect(each, node=1 - node) for each in cast.identities("LD-001", "QK-003")]
    to = Recipients(users=[one.user])
    call, _ = await leader.request(EmergencyCall(id="e", call="the air", to=to))
    await one.told(BroughtIn, call="the air")
    broadcast = BroadcastStart(id="b", broadcast="to all", to=to)
    started, _ = await leader.request(broadcast)

    async def ends() -> None:
        again, _ = await leader.request(broadcast.model_copy(update={"id": "g"}))
        assert again.group.id == started.group.id, "begun once, though this desk could not know of it"
        leader.link.send(BroadcastEnd(id="h", broadcast="to all", withdraw=True))
        await leader.request(EmergencyCancel(id="f", group=call.group.id))
        await one.told(BroughtOut, call="the air")

    return ends


async def in_a_call(street: Handsets, node: int) -> tuple[Handset, Handset, Call]:
    """A call of a standing group that ends when nobody talked for a second; one of two on this node talks."""
    cast = Cast(street.city, street)
    group = standing(cast, "会商", "prearranged", "DH-001", "DH-002", hang_ms=1_000)
    talker, other = [await street.connect(each, node=node) for each in cast.identities("DH-001", "DH-002")]
    await talker.select(group)
    press = talker.press_key(group)
    async with asyncio.timeout(WAIT_S):
        await press.settled
    assert press.burst is not None, press.cause
    return talker, other, await other.told(Call, group=group, phase="running")


async def rings_again(gone: Handset, stays: Handset) -> str:
    """The alert is in the queue of the other dispatcher. Returns it."""
    async with asyncio.timeout(WAIT_S):
        while (alert := (await stays.told(Alert, queue=True)).alert).left_by is None:
            pass
    assert (alert.state, alert.left_by.id) == ("raised", gone.user)
    return alert.id


async def queued_on(node: int, street: Handsets) -> Callable[[], Awaitable[None]]:
    """One who waits on this node behind a talker of the other node; what is returned is for when his node is dead."""
    cast = Cast(street.city, street)
    people = cast.identities("XS-001", "XS-002")
    talks, waits = [await street.connect(each, node=node) for each, node in zip(people, (1 - node, node), strict=True)]
    group = cast.group(talks, "西山巡查组")
    for phone in (talks, waits):
        await phone.select(group)
    async with asyncio.timeout(WAIT_S):
        await talks.press_key(group).settled
    saying = asyncio.create_task(talks.utter(700))
    waits.press_key(group)
    await waits.told(FloorQueued, group=group)

    async def is_next() -> None:
        await come_back(waits, street.urls[1 - node])
        saying.cancel()
        talks.release_key()
        await waits.told(FloorGranted, group=group)

    return is_next


async def joined(node: int, street: Handsets) -> tuple[Callable[[], Awaitable[None]], Callable[[], Awaitable[None]]]:
    """Two groups that the desk joined, with one of each on this node: that one hears the other, and that they part."""
    cast = Cast(street.city, street)
    people = cast.identities("DH-003", "QK-002", "PQ-003")
    talks, hears, dispatcher = [await street.connect(each, node=node) for each in people]
    lake, bridge = cast.group(talks, "东湖巡查组"), cast.group(hears, "桥口巡查组")
    await talks.select(lake)
    await hears.select(bridge)
    patch, _ = await dispatcher.request(PatchStart(id="p", groups=[lake, bridge], name="联合"))
    await hears.told(Patched, open=True)

    async def one_hears_the_other() -> None:
        heard = hears.packets()
        await talks.say(lake)
        assert (await hears.told(FloorTaken, group=bridge)).by.id == talks.user
        await hears.until_packets(heard + 8)

    async def part() -> None:
        await dispatcher.request(PatchEnd(id="q", patch=patch.patch))
        assert [each.id for each in (await hears.told(Patched, open=False)).groups] == [lake, bridge]

    return one_hears_the_other, part
