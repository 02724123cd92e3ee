"""The HTTP interface: /api/v1, pages, health and metrics."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Response

from poc_server.api import city_map, places, presence, problems, push
from poc_server.api.at_once import UnderWay
from poc_server.api.body import BodyLimit
from poc_server.api.bridge import cap, incident_news, incident_texts, incidents, operating, shared_links
from poc_server.api.bridge.turns import OneATurn
from poc_server.api.description import Description
from poc_server.api.emergency import alerts, broadcasts, plans, spoken
from poc_server.api.people import (
    cells,
    devices,
    duty,
    groups,
    me,
    members,
    people,
    shares,
    sheets,
    sign_in,
    step_in,
    units,
)
from poc_server.api.private import Private
from poc_server.api.records import audit, evidence, exports, materials, recordings, replay, retention
from poc_server.api.routes import PREFIX
from poc_server.api.services import Services
from poc_server.api.written import written

MAX_BODY_BYTES = 256_000
"""Largest request body, but for the routes that `BodyLimit` lists."""

# A request asks one router after the other whether it is meant: what comes by the thousand asks first, for half a
# millisecond less.
ROUTERS = (
    incidents.router,
    sign_in.router,
    me.router,
    push.router,
    people.router,
    units.router,
    cells.router,
    groups.router,
    members.router,
    shares.router,
    devices.router,
    devices.live,
    duty.router,
    places.router,
    city_map.router,
    presence.router,
    sheets.router,
    audit.router,
    alerts.router,
    broadcasts.router,
    spoken.router,
    cap.router,
    plans.router,
    recordings.router,
    exports.router,
    evidence.router,
    materials.router,
    replay.router,
    retention.router,
    incident_news.router,
    incident_texts.router,
    shared_links.router,
    operating.router,
)


class _Api(FastAPI):
    """FastAPI, whose description tells what a refusal is."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI description."""
        told = super().openapi()
        told["components"]["schemas"].update(problems.schemas() | incidents.schemas())
        return told


def routed(*, demo: bool) -> FastAPI:
    """An application with every route of ``/api/v1``, and nothing yet that they work with."""
    # Its description has a route of its own: FastAPI's would make it on the loop.
    app = _Api(title="poc-server", version="1", summary="Push-to-talk-over-cellular voice server", openapi_url=None)
    # Not `include_router`, which makes every route once more, when the first request comes.
    for router in (*ROUTERS, *((step_in.router,) if demo else ())):
        app.router.routes.extend(router.routes)
    return app


def build_api(services: Services) -> FastAPI:
    """The application of ``/api/v1``; pages, health and signaling are added to it."""
    demo = services.offered is not None
    app = routed(demo=demo)
    app.state.services = services
    app.add_middleware(BodyLimit, limit=MAX_BODY_BYTES)
    app.add_middleware(OneATurn, paths=(f"{PREFIX}/incidents", f"{PREFIX}/senders"))
    app.add_middleware(UnderWay)
    app.add_middleware(Private, prefix=PREFIX)
    problems.install(app)
    description = Description(demo=demo)

    @app.get(f"{PREFIX}/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        return written(await description.text())

    return app


__all__ = ["PREFIX", "Services", "build_api"]
