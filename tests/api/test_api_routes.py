"""Every route has a rule of the table of rights, or a reason why it needs none."""

from __future__ import annotations

from typing import cast

from fastapi import FastAPI

from groups.policy import Act
from poc_server.api import Services, build_api
from poc_server.auth import Auth
from poc_server.store import Store
from tests.fixtures.routes import routes

# Routes without a rule of the table, and why.
OPEN = {
    "GET /sheets/{kind}": "the rule of what the file is about",
    "POST /sheets/{kind}": "the rule of what the file is about",
    "POST /auth/sign-in": "anybody",
    "POST /auth/external": "anybody with a token of a configured provider",
    "POST /auth/enrol": "anybody with a code",
    "POST /auth/refresh": "anybody with a refresh token",
    "POST /auth/sign-out": "anybody with a token",
    "GET /me": "oneself",
    "PUT /me/password": "oneself",
    "GET /me/sessions": "oneself",
    "DELETE /me/sessions/{session}": "oneself",
    "POST /me/place": "oneself",
    "GET /me/place/reporting": "oneself",
    "POST /alerts": "oneself",
    "GET /me/push": "oneself",
    "POST /me/push": "oneself",
    "DELETE /me/push": "oneself",
    "GET /broadcasts": "shows what one may see",
    "POST /cap": "broadcast on one's own unit",
    "GET /broadcasts/{broadcast}/cap": "shows what one may see",
    "GET /alerts/{alert}/cap": "shows what one may see",
    "GET /broadcasts/{broadcast}": "shows what one may see",
    "GET /broadcasts/{broadcast}/audio": "those it is for, and who may see its report",
    "POST /messages": "who may broadcast or keep plans",
    "GET /messages/{message}/audio": "who may broadcast or keep plans",
    "GET /plans": "shows what one may keep",
    "POST /plans": "keep_plans on the unit of the plan",
    "PUT /plans/{plan}": "keep_plans on the unit of the plan",
    "DELETE /plans/{plan}": "keep_plans on the unit of the plan",
    "GET /alerts": "shows what one may see",
    "GET /units": "own agency, any role",
    "GET /units/{unit}": "own agency, any role",
    "GET /cells": "own agency, any role",
    "GET /cells/{code}": "own agency, any role",
    "GET /groups": "shows what one may see",
    "GET /groups/{group}": "shows what one may see",
    "GET /groups/{group}/members": "shows what one may see",
    "GET /map": "anybody signed in",
    "GET /shifts": "own agency, any role",
    "GET /shifts/{shift}": "own agency, any role",
    "GET /shifts/now": "own agency, any role",
    **dict.fromkeys(
        (
            "GET /incidents",
            "GET /incidents/{code}",
            "PUT /incidents/{code}",
            "GET /incidents/{code}/events",
            "GET /incidents/{code}/texts",
            "GET /incidents/{code}/news",
            "DELETE /incidents/{code}/news/{version}",
            "POST /incidents/{code}/news",
            "POST /incidents/{code}/close",
            "PUT /incidents/{code}/links",
            "DELETE /incidents/{code}/links/{group}",
            "POST /incidents/{code}/bursts",
            "POST /incidents/{code}/log-link",
        ),
        "a system that proves itself, or one who may handle incidents",
    ),
    **dict.fromkeys(
        (
            "GET /bridge/polls",
            "GET /bridge/receivers",
            "POST /bridge/receivers/{receiver}/start",
            "GET /bridge/receivers/{receiver}/dead-letters",
            "POST /bridge/receivers/{receiver}/replay",
            "GET /bridge/refused",
        ),
        "administer_settings, where there is a bridge",
    ),
    "GET /shared/photos/{key}": "whoever has the signed link",
    "POST /senders/{sender}/news": "a system that proves itself",
    "GET /shared/incidents/{agency}/{code}": "whoever has the signed link",
    "GET /shared/recordings/{key}.ogg": "whoever has the signed link",
}


def whole() -> FastAPI:
    """The application of production; no route is called, so nothing stands behind it."""
    return build_api(Services(cast(Store, None), cast(Auth, None)))


def test_every_route_has_a_rule_or_a_reason() -> None:
    ruled = {(f"{method} {path}", said.get("x-act")) for method, path, said in routes(whole())}
    unruled = {route for route, act in ruled if act is None}
    assert unruled == OPEN.keys()
    assert {act for _, act in ruled if act} <= {act.value for act in Act}


def test_no_route_alters_the_audit() -> None:
    assert {method for method, path, _ in routes(whole()) if path.startswith("/audit")} == {"GET"}
