"""Signing in and out: password, enrolment, refresh, a token of the city's provider."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Response
from pydantic import Field

from groups.vocabulary import Refusal
from poc_server.api.problems import documented
from poc_server.api.routes import routes_of
from poc_server.api.services import Address, Use
from poc_server.api.shapes import Body, Line, TokensOut
from poc_server.auth.service import MAX_CODE_CHARS
from poc_server.auth.tokens import MAX_TOKEN_CHARS
from poc_server.ground.refused import Refused

router = routes_of("sign-in", "/auth")
Secret = Annotated[str, Field(min_length=1, max_length=1_024)]
TokenText = Annotated[str, Field(min_length=1, max_length=MAX_TOKEN_CHARS)]


class SignInBody(Body):
    """Name and password."""

    name: Annotated[str, Field(min_length=1, max_length=128)]
    password: Secret


class ExternalBody(Body):
    """An ID or access token (JWT) of a configured provider."""

    token: Annotated[str, Field(min_length=1, max_length=2 * MAX_TOKEN_CHARS)]


class EnrolBody(Body):
    """The code of an enrolment link, and what the device calls itself."""

    code: Annotated[str, Field(min_length=1, max_length=MAX_CODE_CHARS)]
    device: Line = ""


class RefreshBody(Body):
    """The newest refresh token."""

    refresh_token: TokenText


class SignOutBody(Body):
    """The refresh token, for when the access token is over already."""

    refresh_token: TokenText | None = None


@router.post("/sign-in", responses=documented(401, 403, 422, 429, 503))
async def sign_in(body: SignInBody, services: Use, address: Address) -> TokensOut:
    """Sign in by name and password."""
    return TokensOut.of(await services.auth.sign_in(body.name, body.password, address))


@router.post("/external", responses=documented(401, 403, 409, 422, 429, 503))
async def external(body: ExternalBody, services: Use, address: Address) -> TokensOut:
    """Sign in with a token of the city's identity provider (OpenID Connect)."""
    return TokensOut.of(await services.auth.sign_in_external(body.token, address))


@router.post("/enrol", responses=documented(403, 404, 410, 422, 429, 503))
async def enrol(body: EnrolBody, services: Use, address: Address) -> TokensOut:
    """Spend an enrolment code, once. Looking at the link (GET) spends nothing."""
    return TokensOut.of(await services.auth.enrol(body.code, body.device, address))


@router.post("/refresh", responses=documented(401, 403, 404, 422, 503))
async def refresh(body: RefreshBody, services: Use, address: Address) -> TokensOut:
    """A new pair of tokens. Works for phones of the last day while the database is away, too."""
    return TokensOut.of(await services.auth.refresh(body.refresh_token, address))


@router.post("/sign-out", status_code=204, responses=documented(401, 422, 503))
async def sign_out(
    body: SignOutBody, services: Use, address: Address, authorization: Annotated[str | None, Header()] = None
) -> Response:
    """End the session of the access token, or of the refresh token when that one is over."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() == "bearer" and body.refresh_token is None:
        await services.auth.sign_out(services.auth.verify_access(token.strip()), address)
    elif body.refresh_token is not None:
        await services.auth.sign_out_by_refresh(body.refresh_token, address)
    else:
        raise Refused(Refusal.NOT_SIGNED_IN)
    return Response(status_code=204)
