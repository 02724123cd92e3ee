"""CAP 1.2 in, which becomes a broadcast by rule, and out: a broadcast or an SOS as others read it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from fastapi import Request, Response

from gateway.cap import cap, cap_rules
from gateway.cap.cap import CapAlert, CapArea, CapInfo, Severity, Urgency
from gateway.cap.cap_rules import Order
from groups.emergency import area
from groups.emergency.broadcast import BroadcastState
from groups.model import Unit, User
from groups.policy import Act, may
from groups.vocabulary import AlertState, BroadcastKind, Refusal, Tier, UserId
from poc_server.api.emergency.alerts import desk_of
from poc_server.api.emergency.broadcasts import seen
from poc_server.api.problems import documented
from poc_server.api.routes import routes_of
from poc_server.api.services import Services, SignedInCaller, Use
from poc_server.api.shapes import Body, PathId
from poc_server.emergency import Emergency, recipients
from poc_server.ground.refused import Refused
from poc_server.store import emergency as kept
from signaling.limits import MAX_AREA_POINTS
from signaling.messages import Area, BroadcastStart, Recipients
from signaling.messages import Refused as RefusedByGateway

router = routes_of("emergencies")
MEDIA_TYPE = "application/cap+xml"
URGENT: dict[Tier, tuple[Urgency, Severity]] = {
    Tier.NORMAL: ("Expected", "Moderate"),
    Tier.IMMINENT_PERIL: ("Immediate", "Severe"),
    Tier.EMERGENCY: ("Immediate", "Extreme"),
}


class TakenOut(Body):
    """What a CAP message did.

    ``broadcast`` is None when it says nothing new (Cancel, Ack, Error, a rule that tells nobody, an Update that has run
    out or whose areas are empty or unusable); ``duplicate``: it came before, and nobody is told twice; ``withdrawn``
    are the broadcasts it took back; ``areas_left_out``: areas that cannot be used (crossed, open, larger than a city, a
    circle without radius) beside others that can.
    """

    broadcast: str | None
    duplicate: bool
    withdrawn: list[str]
    people: int
    areas_left_out: int = 0


@router.post("/cap", responses=documented(401, 403, 409, 413, 422, 503))
async def take(request: Request, caller: SignedInCaller, services: Use) -> TakenOut:
    """Take a CAP 1.2 message (XML) of one who may broadcast. Coming twice it is one; Update and Cancel take back."""
    desk = desk_of(services)
    try:
        message = cap.read(await request.body())
        now = desk.field.fabric.now()
        order = cap_rules.order_of(message, caller.user.agency, now, desk.settings.cap_rules)
    except RefusedByGateway as refused:
        raise Refused(refused.code, "cap") from None
    recipients.judge(desk, Act.BROADCAST, caller.user, _own_unit(services, caller.user))
    # Neither half alone: who may not take back the old one does not put a new one beside it.
    for each in order.replaces:
        desk.broadcasts.may_end(caller.user, each)
    said = None if order.text is None else order.broadcast
    usable = [ring for ring in order.rings if area.usable(ring, MAX_AREA_POINTS)]
    try:
        if order.rings and not usable:
            raise Refused(Refusal.BAD_AREA)
        people, duplicate = await _say(desk, caller.user, replace(order, rings=tuple(usable)))
    except Refused as refused:
        if refused.code not in (Refusal.NOBODY_CALLED, Refusal.BAD_AREA) or not order.replaces:
            raise
        # What it replaces no longer holds, whoever the new one reaches.
        people, duplicate, said = 0, False, None
    withdrawn = [each for each in order.replaces if await _take_back(services, desk, caller.user, each)]
    detail = {"broadcast": said, "duplicate": duplicate, "withdrawn": withdrawn, "exercise": order.exercise}
    services.audit(caller.actor, "cap.take", "cap", order.broadcast, detail)
    left_out = len(order.rings) - len(usable)
    return TakenOut(broadcast=said, duplicate=duplicate, withdrawn=withdrawn, people=people, areas_left_out=left_out)


def _own_unit(services: Services, user: User) -> Unit:
    unit = services.directory.unit(user.unit)
    if unit is None:
        raise Refused(Refusal.NOT_ALLOWED)
    return unit


async def _say(desk: Emergency, by: User, order: Order) -> tuple[int, bool]:
    """How many people it reaches, and whether it came before."""
    if order.text is None:
        return 0, False
    known = desk.broadcasts.get(order.broadcast)
    if known is not None:
        return len(known.receipts), True
    asked = BroadcastStart(
        id="cap",
        broadcast=order.broadcast,
        to=Recipients(everyone=True),
        kind=BroadcastKind.TEXT,
        tier=order.tier,
        text=order.text,
        acknowledge=order.acknowledge,
        expires_s=order.expires_s,
        exercise=order.exercise,
    )
    try:
        return len((await desk.broadcasts.start(by, asked, _inside(desk, by, order))).receipts), False
    except Refused as refused:
        if refused.code is Refusal.CONFLICT:
            return 0, True  # over and closed, or taken back before it came
        raise


def _inside(desk: Emergency, by: User, order: Order) -> frozenset[UserId] | None:
    """Those last known to be in one of its areas; None: it names none, and is for everyone within reach."""
    if not order.rings:
        return None
    users: set[UserId] = set()
    for ring in order.rings:
        to = Recipients(area=Area(ring=ring))
        users |= recipients.resolve(desk, Act.BROADCAST, by, to, empty=True)
    if not users:
        raise Refused(Refusal.NOBODY_CALLED)
    return frozenset(users)


async def _take_back(services: Services, desk: Emergency, by: User, broadcast: str) -> bool:
    """Withdraws it; one that has not come yet will say nothing when it does."""
    if desk.broadcasts.get(broadcast) is not None:
        await desk.broadcasts.end(by, broadcast, withdraw=True)
        return True
    state = BroadcastState.WITHDRAWN.value
    async with services.store.writing() as connection:
        if await kept.find_broadcast(connection, broadcast) is None:
            now = services.store.clock()
            row = kept.Kept(broadcast, by.agency, by.id, False, now, desk.broadcasts.nothing_said(), state)
            await kept.put_broadcast(connection, row, [])
    return False


@router.get("/broadcasts/{broadcast}/cap", responses=documented(401, 403, 404, 503), response_class=Response)
async def broadcast_out(broadcast: PathId, caller: SignedInCaller, services: Use) -> Response:
    """A broadcast as CAP 1.2; one that was withdrawn is a Cancel of itself."""
    live = await seen(broadcast, caller, services)
    sender = desk_of(services).settings.cap_sender
    urgency, severity = URGENT[live.tier]
    over = live.life.state is BroadcastState.WITHDRAWN
    sent = _moment(live.at)
    info = CapInfo(
        language="zh-CN",
        category=("Safety",),
        event="broadcast",
        urgency=urgency,
        severity=severity,
        certainty="Observed",
        expires=_moment(live.life.expires_at),
        senderName=live.by.name,
        headline=live.text[:160] or None,
        description=live.text or None,
    )
    return _xml(
        CapAlert(
            identifier=f"{live.id}-cancel" if over else live.id,
            sender=sender,
            # The Cancel is one message, whenever it is read: `sent` is when it came about (CAP 1.2 §3.2.1).
            sent=_moment(live.life.withdrawn_at or live.at) if over else sent,
            status="Exercise" if live.exercise else "Actual",
            msgType="Cancel" if over else "Alert",
            scope="Restricted",
            restriction="city field force",
            references=f"{sender},{live.id},{sent}" if over else None,
            info=(info,),
        )
    )


@router.get("/alerts/{alert}/cap", responses=documented(401, 403, 404, 503), response_class=Response)
async def alert_out(alert: PathId, caller: SignedInCaller, services: Use) -> Response:
    """An SOS as CAP 1.2, with the place as a circle where it is known in WGS-84; one that is over refers to itself."""
    async with services.store.reading() as connection:
        found = await kept.find_alert(connection, alert)
    officer = None if found is None else services.directory.user(found.user)
    if found is None or officer is None or may(Act.CLAIM_ALERT, caller.user, officer, services.directory) is not None:
        raise Refused(Refusal.NOT_FOUND)
    place = found.content["place"] or {}
    areas: tuple[CapArea, ...] = ()
    if place.get("datum") == "WGS-84":
        radius = (place.get("accuracy_m") or 0) / 1_000
        areas = (CapArea(areaDesc="SOS", circle=(f"{place['latitude']},{place['longitude']} {radius:.3f}",)),)
    sender, raised = desk_of(services).settings.cap_sender, _moment(found.at_ms)
    ended = None if found.open else found.content["record"]["ended_at"]
    info = CapInfo(
        language="zh-CN",
        category=("Security",),
        event="SOS",
        urgency="Immediate" if found.open else "Past",
        severity="Severe",
        certainty="Observed",
        headline=f"一键报警 {officer.name} {officer.badge}",
        area=areas,
    )
    return _xml(
        CapAlert(
            # Another message than the one that told of it: the same name, sender and time are the same message.
            identifier=found.id if ended is None else f"{found.id}-{found.state}",
            sender=sender,
            sent=raised if ended is None else _moment(ended),
            status="Actual",
            msgType="Alert" if ended is None else "Update" if found.state == AlertState.RESOLVED else "Cancel",
            scope="Private",
            addresses="dispatch",
            note=None if ended is None else found.state,
            references=None if ended is None else f"{sender},{found.id},{raised}",
            info=(info,),
        )
    )


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1_000, UTC).isoformat(timespec="seconds")


def _xml(alert: CapAlert) -> Response:
    return Response(cap.write(alert), media_type=MEDIA_TYPE)
