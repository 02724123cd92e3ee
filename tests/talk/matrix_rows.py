"""What judges each message of a phone: how it is asked at a place, and what the table of rights says of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from groups.policy import Act
from groups.rights import Right, has
from groups.vocabulary import Refusal
from signaling import messages as m
from tests.talk.matrix_world import Scene, number

R = Refusal
Expected = Refusal | None
EVERYBODY = {
    m.Hello: "the token says who it is",
    m.Answer: "his own media path",
    m.IceRestart: "his own media path",
    m.Ping: "anybody",
    m.Listening: "of himself",
    m.IncidentList: "what he is a member of",
}
"""Messages that name no target, and why nobody is refused."""
ELSEWHERE: dict[type, str] = dict.fromkeys(
    (m.PatchEnd, m.HandoverAnswer, m.HandoverWithdraw), "tests/talk/test_dispatching_on_the_wire.py"
)
"""Messages whose rights a test of their own asks for: which."""


@dataclass(frozen=True)
class Row:
    """One way of asking. ``past``: refusals that come only after rights were judged; ``undo``: what it began ends."""

    message: Callable[[Scene], Awaitable[Any]]
    rule: Callable[[Scene], Expected]
    past: frozenset[Refusal] = frozenset()
    undo: Callable[[Scene, Any], Awaitable[Any]] | None = None


ROWS: dict[type, list[Row]] = {}


def row(
    kind: type,
    rule: Callable[[Scene], Expected],
    *past: Refusal,
    undo: Callable[[Scene, Any], Awaitable[Any]] | None = None,
) -> Callable[[Callable[[Scene], Awaitable[Any]]], Callable[[Scene], Awaitable[Any]]]:
    def add(message: Callable[[Scene], Awaitable[Any]]) -> Callable[[Scene], Awaitable[Any]]:
        ROWS.setdefault(kind, []).append(Row(message, rule, frozenset(past), undo))
        return message

    return add


def on_user(act: Act, absent: Refusal = R.UNKNOWN_USER) -> Callable[[Scene], Expected]:
    return lambda s: s.may(act, s.user, absent)


def on_group(act: Act, absent: Refusal = R.UNKNOWN_GROUP) -> Callable[[Scene], Expected]:
    return lambda s: s.may(act, s.group(), absent)


def on_unit(act: Act, absent: Refusal) -> Callable[[Scene], Expected]:
    return lambda s: s.may(act, s.unit, absent)


# --- groups and floor -------------------------------------------------------------------------------------------------


@row(m.Select, Scene.hears)
async def select(s: Scene) -> m.Select:
    return m.Select(id=number(), group=s.place.group)


@row(m.Listen, Scene.hears)
async def listen(s: Scene) -> m.Listen:
    return m.Listen(id=number(), groups=[s.place.group])


def talks(s: Scene) -> Expected:
    hears = s.hears()
    if hears is not None:
        return hears
    acts = (Act.TALK, Act.DISPATCH)
    return None if any(s.may(act, s.group(), R.UNKNOWN_GROUP) is None for act in acts) else R.RECEIVE_ONLY


async def release(s: Scene, asked: m.FloorRequest) -> None:
    await s.ask(m.FloorRelease(id=number(), group=asked.group))


@row(m.FloorRequest, talks, undo=release)
async def floor_request(s: Scene) -> m.FloorRequest:
    await s.select()
    return m.FloorRequest(id=number(), group=s.place.group)


@row(m.FloorRelease, Scene.hears)
async def floor_release(s: Scene) -> m.FloorRelease:
    await s.select()
    return m.FloorRelease(id=number(), group=s.place.group)


@row(m.FloorQueuePositionRequest, Scene.hears, R.NOT_FOUND)
async def queue_position(s: Scene) -> m.FloorQueuePositionRequest:
    await s.select()
    return m.FloorQueuePositionRequest(id=number(), group=s.place.group)


@row(m.FloorRevokeRequest, on_group(Act.REVOKE_FLOOR), R.NOT_FOUND)
async def floor_revoke(s: Scene) -> m.FloorRevokeRequest:
    return m.FloorRevokeRequest(id=number(), group=s.place.group)


# --- emergencies ------------------------------------------------------------------------------------------------------


async def safe(s: Scene, asked: m.Sos) -> None:
    await s.ask(m.SosCancel(id=number(), alert=asked.alert))


@row(m.Sos, lambda s: s.may(Act.CANCEL_EMERGENCY, s.caller, R.NOT_ALLOWED), undo=safe)
async def sos(s: Scene) -> m.Sos:
    return m.Sos(id=number(), alert=number(), pressed_ms=1, group=s.place.group)


@row(m.AlertClaim, on_user(Act.CLAIM_ALERT, R.NOT_FOUND), R.ALERT_OVER)
async def alert_claim(s: Scene) -> m.AlertClaim:
    return m.AlertClaim(id=number(), alert=await s.world.open_alert(s.place))


@row(m.AlertAcknowledge, on_user(Act.CLAIM_ALERT, R.NOT_FOUND), R.NOT_CLAIMED)
async def alert_acknowledge(s: Scene) -> m.AlertAcknowledge:
    return m.AlertAcknowledge(id=number(), alert=await s.world.open_alert(s.place))


@row(m.AlertResolve, on_user(Act.CLAIM_ALERT, R.NOT_FOUND), R.NOT_CLAIMED)
async def alert_resolve(s: Scene) -> m.AlertResolve:
    return m.AlertResolve(id=number(), alert=await s.world.open_alert(s.place), outcome="resolved")


@row(m.SosCancel, on_user(Act.CANCEL_EMERGENCY, R.NOT_FOUND))
async def sos_cancel(s: Scene) -> m.SosCancel:
    return m.SosCancel(id=number(), alert=await s.world.open_alert(s.place))


def steps_into(s: Scene) -> Expected:
    said = s.may(Act.STEP_INTO_EMERGENCY, s.group(), R.NOBODY_CALLED)
    ordinary = any(s.may(act, s.group(), R.UNKNOWN_GROUP) is None for act in (Act.TALK, Act.DISPATCH))
    return R.ORDINARY_ONLY if said is not None and ordinary else said


def steps_to(s: Scene) -> Expected:
    said = s.may(Act.STEP_INTO_EMERGENCY, s.user, R.NOBODY_CALLED)
    ordinary = s.may(Act.CALL, s.user, R.UNKNOWN_USER) is None
    return R.ORDINARY_ONLY if said is not None and ordinary else said


async def over(s: Scene, asked: m.EmergencyCall) -> None:
    live = s.world.app.emergency.calls.get(asked.call)
    if live is not None:
        await s.ask(m.EmergencyCancel(id=number(), group=live.group))
        s.place.emergency = s.place.emergency and live.group != s.place.group


def calls(**to: Callable[[Scene], Any]) -> Callable[[Scene], Awaitable[m.EmergencyCall]]:
    async def message(s: Scene) -> m.EmergencyCall:
        wanted = m.Recipients(**{field: value(s) for field, value in to.items()})
        return m.EmergencyCall(id=number(), call=number(), to=wanted)

    return message


row(m.EmergencyCall, steps_into, undo=over)(calls(groups=lambda s: [s.place.group]))
row(m.EmergencyCall, steps_to, undo=over)(calls(users=lambda s: [s.place.user]))
row(m.EmergencyCall, on_unit(Act.STEP_INTO_EMERGENCY, R.NOBODY_CALLED), undo=over)(
    calls(units=lambda s: [s.place.unit])
)


@row(m.EmergencyCancel, on_group(Act.CANCEL_EMERGENCY, R.NOT_FOUND), R.EMERGENCY_TALKING)
async def emergency_cancel(s: Scene) -> m.EmergencyCancel:
    group = await s.world.open_emergency(s.place)
    s.place.emergency = s.may(Act.CANCEL_EMERGENCY, s.group(), R.NOT_FOUND) is not None
    return m.EmergencyCancel(id=number(), group=group)


async def withdrawn(s: Scene, asked: Any) -> None:
    begun = asked.broadcast if isinstance(asked, m.BroadcastStart) else asked.call
    await s.ask(m.BroadcastEnd(id=number(), broadcast=begun, withdraw=True))


def broadcasts(**to: Callable[[Scene], Any]) -> Callable[[Scene], Awaitable[m.BroadcastStart]]:
    async def message(s: Scene) -> m.BroadcastStart:
        wanted = m.Recipients(**{field: value(s) for field, value in to.items()})
        return m.BroadcastStart(id=number(), broadcast=number(), to=wanted, kind="text", text="集合")

    return message


row(m.BroadcastStart, on_group(Act.BROADCAST, R.NOBODY_CALLED), undo=withdrawn)(
    broadcasts(groups=lambda s: [s.place.group])
)
row(m.BroadcastStart, on_user(Act.BROADCAST, R.NOBODY_CALLED), undo=withdrawn)(
    broadcasts(users=lambda s: [s.place.user])
)
row(m.BroadcastStart, on_unit(Act.BROADCAST, R.NOBODY_CALLED), undo=withdrawn)(
    broadcasts(units=lambda s: [s.place.unit])
)
row(m.BroadcastStart, lambda s: s.may(Act.BROADCAST, s.own_unit, R.NOT_FOUND), undo=withdrawn)(
    broadcasts(everyone=lambda s: True)
)


@row(m.BroadcastEnd, lambda s: s.may(Act.CANCEL_EMERGENCY, s.lead, R.NOT_FOUND))
async def broadcast_end(s: Scene) -> m.BroadcastEnd:
    return m.BroadcastEnd(id=number(), broadcast=await s.world.open_broadcast(s.place))


@row(m.Receipt, lambda _: R.EXPIRED)
async def receipt(s: Scene) -> m.Receipt:
    """Only who is meant by a broadcast confirms it."""
    return m.Receipt(id=number(), broadcast=await s.world.open_broadcast(s.place), state="delivered")


def runs(s: Scene) -> Expected:
    hidden = s.may(Act.KEEP_PLANS, s.unit, R.NOT_FOUND) is not None
    return R.NOT_FOUND if hidden else s.may(Act.BROADCAST, s.user, R.NOBODY_CALLED)


@row(m.PlanRun, runs, undo=withdrawn)
async def plan_run(s: Scene) -> m.PlanRun:
    return m.PlanRun(id=number(), plan=s.place.plan, call=number())


# --- calls ------------------------------------------------------------------------------------------------------------


async def hung_up(s: Scene, _: Any) -> None:
    for live in tuple(s.world.app.node.calls._live.values()):
        if live.initiator.id == s.caller.id:
            await s.ask(m.CallEnd(id=number(), call=live.id))


def makes_group(s: Scene) -> Expected:
    refused = s.may(Act.CALL, s.user, R.UNKNOWN_USER)
    return refused if refused is not None else s.may(Act.MAKE_GROUP, s.own_unit, R.NOT_ALLOWED)


@row(m.CallStart, on_user(Act.CALL), undo=hung_up)
async def call_one(s: Scene) -> m.CallStart:
    return m.CallStart(id=number(), users=[s.place.user], answering="manual")


@row(m.CallStart, makes_group, undo=hung_up)
async def call_group(s: Scene) -> m.CallStart:
    return m.CallStart(id=number(), kind="group", users=[s.place.user], name="临时")


def merges(s: Scene) -> Expected:
    """One's own group, or one that one dispatches; and the right to make groups."""
    said = [s.may(act, s.group(), R.UNKNOWN_GROUP) for act in (Act.LISTEN, Act.DISPATCH)]
    return s.may(Act.MAKE_GROUP, s.own_unit, R.NOT_ALLOWED) if None in said else said[0]


@row(m.CallStart, merges, R.NOBODY_CALLED, undo=hung_up)
async def call_merged(s: Scene) -> m.CallStart:
    return m.CallStart(id=number(), kind="group", groups=[s.place.group])


def calls_group(s: Scene) -> Expected:
    said = [s.may(act, s.group(), R.UNKNOWN_GROUP) for act in (Act.TALK, Act.DISPATCH)]
    return None if None in said else said[0]


@row(m.CallStart, calls_group, R.CONFLICT)
async def call_standing(s: Scene) -> m.CallStart:
    """None of these groups has calls: whoever may is told so."""
    return m.CallStart(id=number(), kind="prearranged", groups=[s.place.group])


@row(m.CallStart, on_user(Act.LISTEN_REMOTELY))
async def listen_remotely(s: Scene) -> m.CallStart:
    return m.CallStart(id=number(), kind="ambient", users=[s.place.user])


def stranger(_: Scene) -> Expected:
    return R.CALL_OVER


def strangers(kind: Any) -> None:
    async def message(s: Scene) -> Any:
        return kind(id=number(), call=await s.world.open_call(s.place))

    row(kind, stranger)(message)


for _kind in (m.CallAccept, m.CallRefuse, m.CallLeave):
    strangers(_kind)


@row(m.CallEnd, lambda s: s.may(Act.FORCE_END, s.group(s.place.call), R.CALL_OVER))
async def call_end(s: Scene) -> m.CallEnd:
    return m.CallEnd(id=number(), call=await s.world.open_call(s.place))


def pulls_in(s: Scene) -> Expected:
    if s.may(Act.LISTEN, s.group(s.place.call), R.CALL_OVER) is R.CALL_OVER:
        return R.CALL_OVER
    return s.may(Act.PULL_IN, s.user, R.UNKNOWN_USER)


@row(m.CallList, lambda s: None if has(s.caller, Right.FORCE_END) else R.NOT_ALLOWED)
async def call_list(_: Scene) -> m.CallList:
    return m.CallList(id=number())


@row(m.CallAdd, pulls_in)
async def call_add(s: Scene) -> m.CallAdd:
    return m.CallAdd(id=number(), call=await s.world.open_call(s.place), users=[s.place.user])


# --- incidents --------------------------------------------------------------------------------------------------------


@row(m.IncidentReport, lambda s: R.NOT_FOUND)
async def incident_report(s: Scene) -> m.IncidentReport:
    """Only a member of an incident reports on it; tests/gateway has the members."""
    return m.IncidentReport(id=number(), code=s.place.incident, tap="accepted")


# --- texts ------------------------------------------------------------------------------------------------------------


@row(m.TextSend, on_group(Act.TEXT))
async def write_in_group(s: Scene) -> m.TextSend:
    return m.TextSend(id=number(), message=number(), group=s.place.group, text="收到")


@row(m.TextSend, on_user(Act.TEXT))
async def write_to_one(s: Scene) -> m.TextSend:
    return m.TextSend(id=number(), message=number(), user=s.place.user, text="收到")


@row(m.TextList, on_group(Act.REPLAY))
async def read_group(s: Scene) -> m.TextList:
    return m.TextList(id=number(), group=s.place.group)


@row(m.TextRead, on_group(Act.REPLAY))
async def has_read(s: Scene) -> m.TextRead:
    return m.TextRead(id=number(), group=s.place.group, number=1)


@row(m.ThreadList, lambda _: None)
async def threads(_: Scene) -> m.ThreadList:
    """Everybody's own."""
    return m.ThreadList(id=number())


# --- dispatching ------------------------------------------------------------------------------------------------------


async def monitors_no_more(s: Scene, _: Any) -> None:
    await s.ask(m.Monitor(id=number(), scope="none"))


@row(m.Monitor, on_group(Act.MONITOR), undo=monitors_no_more)
async def monitor(s: Scene) -> m.Monitor:
    return m.Monitor(id=number(), scope="listed", groups=[s.place.group])


@row(m.Monitor, on_group(Act.MONITOR_HIDDEN), undo=monitors_no_more)
async def monitor_hidden(s: Scene) -> m.Monitor:
    return m.Monitor(id=number(), scope="listed", groups=[s.place.group], hidden=True)


@row(m.PatchStart, on_group(Act.PATCH), R.BAD_MESSAGE)
async def patch(s: Scene) -> m.PatchStart:
    """A group is not joined with itself: whoever may join it is told so."""
    return m.PatchStart(id=number(), groups=[s.place.group, s.place.group])


async def ban_lifted(s: Scene, asked: m.TalkBan) -> None:
    await s.ask(m.TalkBan(id=number(), user=asked.user, banned=False))


@row(m.TalkBan, on_user(Act.BAN), undo=ban_lifted)
async def talk_ban(s: Scene) -> m.TalkBan:
    return m.TalkBan(id=number(), user=s.place.user, banned=True)


@row(m.HandoverOffer, on_user(Act.HAND_OVER), R.NOT_ALLOWED)
async def hand_over(s: Scene) -> m.HandoverOffer:
    """To one who is no dispatcher it is refused, whoever offers it."""
    return m.HandoverOffer(id=number(), to=s.place.user)
