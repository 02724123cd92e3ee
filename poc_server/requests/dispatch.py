"""monitor, patch_start, patch_end, talk_ban, handover_offer, handover_answer, handover_withdraw."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from groups.vocabulary import GroupId
from poc_server.ground.refused import Refused
from poc_server.requests.waiting import waiting
from signaling.messages import (
    Handover,
    HandoverAnswer,
    HandoverOffer,
    HandoverWithdraw,
    Monitor,
    Ok,
    PatchEnd,
    PatchStart,
    TalkBan,
)

if TYPE_CHECKING:
    from poc_server.dispatch import DispatchDesk
    from poc_server.talk.monitoring import Monitoring
    from poc_server.talk.phone import Phone


class Dispatching(Protocol):
    """What a dispatcher works with."""

    monitoring: Monitoring
    dispatch: DispatchDesk | None


def monitor(node: Dispatching, phone: Phone, message: Monitor) -> None:
    """Hear groups without being there."""
    try:
        node.monitoring.monitor(phone, message.scope, message.groups, hidden=message.hidden)
    except Refused as refused:
        phone.refuse(refused.code, message.id)
        return
    phone.send(node.monitoring.told(phone, message.id))


def _desk(node: Dispatching) -> DispatchDesk | None:
    return node.dispatch


async def patch_start(desk: DispatchDesk, phone: Phone, message: PatchStart) -> None:
    """Join groups."""
    patch = await desk.patching.start(phone.user, message.groups, message.name)
    phone.send(patch.message(message.id))


async def patch_end(desk: DispatchDesk, phone: Phone, message: PatchEnd) -> None:
    """Take them apart: he who may join these groups."""
    await desk.patching.end(phone.user, GroupId(message.patch))
    phone.send(Ok(id=message.id))


async def talk_ban(desk: DispatchDesk, phone: Phone, message: TalkBan) -> None:
    """Ban, or lift the ban."""
    await desk.ban(phone, message)
    phone.send(Ok(id=message.id))


async def handover_offer(desk: DispatchDesk, phone: Phone, message: HandoverOffer) -> None:
    """Hand the shift over."""
    made = await desk.handovers.offer(phone, message)
    phone.send(Handover(id=message.id, handover=desk.handovers.info(made)))


async def handover_answer(desk: DispatchDesk, phone: Phone, message: HandoverAnswer) -> None:
    """Take it over, or not."""
    made = await desk.handovers.answer(phone, message)
    phone.send(Handover(id=message.id, handover=desk.handovers.info(made)))


async def handover_withdraw(desk: DispatchDesk, phone: Phone, message: HandoverWithdraw) -> None:
    """Take it back."""
    made = await desk.handovers.withdraw(phone, message)
    phone.send(Handover(id=message.id, handover=desk.handovers.info(made)))


REQUESTS: dict[type, Callable[[Any, Any, Any], None]] = {
    Monitor: monitor,
    PatchStart: waiting(_desk, patch_start),
    PatchEnd: waiting(_desk, patch_end),
    TalkBan: waiting(_desk, talk_ban),
    HandoverOffer: waiting(_desk, handover_offer),
    HandoverAnswer: waiting(_desk, handover_answer),
    HandoverWithdraw: waiting(_desk, handover_withdraw),
}
