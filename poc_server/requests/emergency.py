"""SOS and its alert, emergency calls, broadcasts and their receipts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from groups.emergency import alert as machine
from groups.vocabulary import GroupId, Refusal
from poc_server.emergency import plans
from poc_server.emergency.calls import LiveEmergency
from poc_server.ground.refused import Refused
from poc_server.requests.waiting import waiting
from poc_server.talk.phone import person
from signaling.messages import (
    AlertAcknowledge,
    AlertClaim,
    AlertClaimed,
    AlertResolve,
    BroadcastEnd,
    BroadcastStart,
    BroadcastStarted,
    EmergencyCall,
    EmergencyCallStarted,
    EmergencyCancel,
    Ok,
    PlanRun,
    Receipt,
    Sos,
    SosCancel,
    SosConfirmed,
)

if TYPE_CHECKING:
    from poc_server.emergency import Emergency
    from poc_server.emergency.live_alert import LiveAlert
    from poc_server.emergency.live_broadcast import LiveBroadcast
    from poc_server.talk.phone import Phone


class Emergencies(Protocol):
    """Where emergencies are decided."""

    emergency: Emergency | None


def _desk(node: Emergencies) -> Emergency | None:
    return node.emergency


async def sos_cancel(desk: Emergency, phone: Phone, message: SosCancel) -> None:
    """Takes it back."""
    await desk.alerts.cancel(message.alert, phone.user)
    phone.send(Ok(id=message.id))


async def alert_claim(desk: Emergency, phone: Phone, message: AlertClaim) -> None:
    """Takes it on: exactly one."""
    effects = await desk.alerts.step(message.alert, phone.user, machine.Claim(phone.user.id))
    held = next(each for each in effects if isinstance(each, machine.Held))
    by = desk.field.roster.user(held.by) or phone.user
    kept = desk.alerts.is_kept(message.alert)
    phone.send(AlertClaimed(id=message.id, alert=message.alert, by=person(by), yours=held.yours, kept=kept))


async def alert_acknowledge(desk: Emergency, phone: Phone, message: AlertAcknowledge) -> None:
    """The officer sees that he is heard."""
    await desk.alerts.step(message.alert, phone.user, machine.Acknowledge(phone.user.id))
    phone.send(Ok(id=message.id))


async def alert_resolve(desk: Emergency, phone: Phone, message: AlertResolve) -> None:
    """Closes it."""
    given = machine.Resolve(phone.user.id, message.outcome, message.note)
    await desk.alerts.step(message.alert, phone.user, given)
    phone.send(Ok(id=message.id))


async def emergency_call(desk: Emergency, phone: Phone, message: EmergencyCall) -> None:
    """A two-way call over whatever goes on."""
    _call_started(desk, phone, message.id, await desk.calls.start(phone.user, message))


def _call_started(desk: Emergency, phone: Phone, request_id: str, live: LiveEmergency) -> None:
    phone.send(
        EmergencyCallStarted(
            id=request_id,
            call=live.id,
            group=desk.field.overview.snapshot(phone, live.group),
            tier=live.tier,
            people=len(live.users),
            online=desk.online(live.users),
            kept=live.kept_now,
        )
    )


async def emergency_cancel(desk: Emergency, phone: Phone, message: EmergencyCancel) -> None:
    """Ends it."""
    await desk.calls.cancel(phone.user, GroupId(message.group))
    phone.send(Ok(id=message.id))


async def broadcast_start(desk: Emergency, phone: Phone, message: BroadcastStart) -> None:
    """A leader's broadcast begins."""
    _broadcast_started(desk, phone, message.id, await desk.broadcasts.start(phone.user, message))


def _broadcast_started(desk: Emergency, phone: Phone, request_id: str, live: LiveBroadcast) -> None:
    phone.send(
        BroadcastStarted(
            id=request_id,
            broadcast=live.id,
            group=None if live.group is None or not live.running else desk.field.overview.snapshot(phone, live.group),
            people=len(live.receipts),
            online=desk.online(frozenset(live.receipts)),
            kept=live.kept_now,
        )
    )


async def plan_run(desk: Emergency, phone: Phone, message: PlanRun) -> None:
    """One tap: what the plan says begins."""
    live = await plans.run(desk, phone.user, message)
    if isinstance(live, LiveEmergency):
        _call_started(desk, phone, message.id, live)
    else:
        _broadcast_started(desk, phone, message.id, live)


async def broadcast_end(desk: Emergency, phone: Phone, message: BroadcastEnd) -> None:
    """Ends it, or takes it back from all."""
    await desk.broadcasts.end(phone.user, message.broadcast, withdraw=message.withdraw)
    phone.send(Ok(id=message.id))


async def receipt(desk: Emergency, phone: Phone, message: Receipt) -> None:
    """How far a broadcast came; answered when it is kept."""
    desk.broadcasts.receipts.said(desk.broadcasts.get(message.broadcast), phone, message)


def sos(node: Emergencies, phone: Phone, message: Sos) -> None:
    """Raises the officer's tier before anything waits: his request for the floor is the next message."""
    desk = node.emergency
    if desk is None:
        phone.refuse(Refusal.UNAVAILABLE, message.id)
        return
    try:
        live = desk.alerts.press(phone.user, message, phone.selected)
    except Refused as refused:
        phone.refuse(refused.code, message.id)
        return
    desk.later.answer(phone, message.id, _confirm(desk, phone, message, live))


async def _confirm(desk: Emergency, phone: Phone, message: Sos, live: LiveAlert) -> None:
    live = await desk.alerts.keep(live)
    phone.send(
        SosConfirmed(
            id=message.id,
            alert=live.record.id,
            group=live.record.group,
            state=live.record.state,
            raised_ms=live.record.raised_at,
            microphone_ms=desk.settings.microphone_ms,
            told=live.told,
        )
    )


REQUESTS: dict[type, Callable[[Any, Any, Any], None]] = {
    Sos: sos,
    SosCancel: waiting(_desk, sos_cancel),
    AlertClaim: waiting(_desk, alert_claim),
    AlertAcknowledge: waiting(_desk, alert_acknowledge),
    AlertResolve: waiting(_desk, alert_resolve),
    EmergencyCall: waiting(_desk, emergency_call),
    EmergencyCancel: waiting(_desk, emergency_cancel),
    BroadcastStart: waiting(_desk, broadcast_start),
    BroadcastEnd: waiting(_desk, broadcast_end),
    Receipt: waiting(_desk, receipt),
    PlanRun: waiting(_desk, plan_run),
}
