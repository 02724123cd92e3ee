"""SOS by HTTPS, beside the WebSocket: the same alert whichever way arrives first; and the alerts there were."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import Field

from groups.policy import Act, may
from groups.rights import Right, has
from groups.vocabulary import AlertState, Refusal
from poc_server.api.problems import documented
from poc_server.api.routes import routes_of
from poc_server.api.services import CallerInNeed, SignedInCaller, Use
from poc_server.api.shapes import Body
from poc_server.emergency import Emergency
from poc_server.ground.refused import Refused
from poc_server.store import emergency as kept
from signaling.messages import Sos, Whereabouts
from signaling.messages.base import Id, Name
from signaling.messages.emergency import Ms

router = routes_of("emergencies")
FAR_FUTURE_MS = 2**62


class SosBody(Body):
    """The fields of the message ``sos``."""

    alert: Id
    pressed_ms: Ms
    group: Id | None = None
    place: Whereabouts | None = None
    battery: Annotated[int, Field(ge=0, le=100)] | None = None
    incident: Name | None = None
    covert: bool = False


class SosOut(Body):
    """It is kept. ``alert`` is the id of the open alert it belongs to."""

    alert: str
    group: str | None
    state: AlertState
    raised_ms: int
    microphone_ms: int
    told: int


class AlertsOut(Body):
    """Alerts as they are kept, the newest first."""

    alerts: list[dict[str, Any]]


def desk_of(services: Use) -> Emergency:
    """The emergencies of this server. Raises `Refused` (unavailable) where there is none."""
    if services.emergency is None:
        raise Refused(Refusal.UNAVAILABLE)
    return services.emergency


@router.post("/alerts", responses=documented(401, 403, 409, 422, 503))
async def sos(body: SosBody, caller: CallerInNeed, services: Use) -> SosOut:
    """Raise an SOS; doing so again with the same ``alert`` changes nothing."""
    desk = desk_of(services)
    message = Sos(id="https", **{name: getattr(body, name) for name in SosBody.model_fields})
    selected = next((p.selected for p in desk.field.phones.of(caller.user.id) if p.selected is not None), None)
    live = await desk.alerts.keep(desk.alerts.press(caller.user, message, selected))
    record = live.record
    return SosOut(
        alert=record.id,
        group=record.group,
        state=record.state,
        raised_ms=record.raised_at,
        microphone_ms=desk.settings.microphone_ms,
        told=live.told,
    )


@router.get("/alerts", responses=documented(401, 403, 503))
async def alerts(
    caller: SignedInCaller,
    services: Use,
    before_ms: Annotated[int, Query(ge=0, le=FAR_FUTURE_MS)] = FAR_FUTURE_MS,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> AlertsOut:
    """The alerts of the people one may claim alerts of."""
    user, store = caller.user, services.store
    if not has(user, Right.ALERTS):
        raise Refused(Refusal.NOT_ALLOWED)
    async with store.reading() as connection:
        found = await kept.alerts_page(connection, user.agency, before_ms, limit)
    shown = []
    for each in found:
        officer = services.directory.user(each.user)
        if officer is not None and may(Act.CLAIM_ALERT, user, officer, services.directory) is None:
            shown.append({**each.content, "name": officer.name, "badge": officer.badge})
    return AlertsOut(alerts=shown)
