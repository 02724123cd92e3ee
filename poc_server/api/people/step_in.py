"""Becoming one of the people of a demo: only where somebody says who is offered, so never in production."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

from groups.vocabulary import Refusal, UserId
from poc_server.api.problems import documented
from poc_server.api.routes import routes_of
from poc_server.api.services import Address, Use
from poc_server.api.shapes import PersonOut, TokensOut
from poc_server.ground.refused import Refused

router = routes_of("demo", "/demo")


@router.get("/people", responses=documented(404))
async def demo_people(services: Use) -> list[PersonOut]:
    """The demo's people: those a visitor should meet first, then all others."""
    if services.offered is None:
        raise Refused(Refusal.NOT_FOUND, "demo")
    return [PersonOut.of(user) for user in services.offered(services.directory.snapshot)]


@router.post("/people/{user}/step-in", responses=documented(403, 404, 422, 503))
async def step_in(user: Annotated[str, Path(max_length=64)], services: Use, address: Address) -> TokensOut:
    """Become one of the demo's people."""
    return TokensOut.of(await services.auth.start_session(UserId(user), "demo", address))
