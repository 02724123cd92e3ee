"""Signing in and out: password, enrolment, refresh, a token of the city's provider."""

from __future__ import annotations

from typing import Annotated

from fastapi import Cookie, Header, Request, Response
from pydantic import Field

from groups.vocabulary import Refusal
from poc_server.api.problems import documented
from poc_server.api.routes import routes_of
from poc_server.api.services import Address, Services, Use
from poc_server.api.shapes import Body, Line, TokensOut
from poc_server.auth.service import MAX_CODE_CHARS, SignedIn
from poc_server.auth.tokens import MAX_TOKEN_CHARS
from poc_server.ground.refused import Refused

router = routes_of("sign-in", "/auth")
Secret = Annotated[str, Field(min_length=1, max_length=1_024)]
TokenText = Annotated[str, Field(min_length=1, max_length=MAX_TOKEN_CHARS)]


KNOWN = "poc_known"
"""The cookie by which a device is known on which somebody has signed in."""
Mark = Annotated[str, Cookie(alias=KNOWN, description="As it was set here; proves no right")]


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
async def sign_in(
    body: SignInBody, services: Use, address: Address, request: Request, response: Response, mark: Mark = ""
) -> TokensOut:
    """Sign in by name and password."""
    signed = await services.auth.sign_in(body.name, body.password, address, mark)
    return _entered(services, request, response, mark, signed)


@router.post("/external", responses=documented(401, 403, 409, 422, 429, 503))
async def external(
    body: ExternalBody, services: Use, address: Address, request: Request, response: Response, mark: Mark = ""
) -> TokensOut:
    """Sign in with a token of the city's identity provider (OpenID Connect)."""
    signed = await services.auth.sign_in_external(body.token, address, mark)
    return _entered(services, request, response, mark, signed)


@router.post("/enrol", responses=documented(403, 404, 410, 422, 429, 503))
async def enrol(
    body: EnrolBody, services: Use, address: Address, request: Request, response: Response, mark: Mark = ""
) -> TokensOut:
    """Spend an enrolment code, once. Looking at the link (GET) spends nothing."""
    signed = await services.auth.enrol(body.code, body.device, address, mark)
    return _entered(services, request, response, mark, signed)


@router.post("/refresh", responses=documented(401, 403, 404, 422, 503))
async def refresh(
    body: RefreshBody, services: Use, address: Address, request: Request, response: Response, mark: Mark = ""
) -> TokensOut:
    """A new pair of tokens. Works for phones of the last day while the database is away, too."""
    signed = await services.auth.refresh(body.refresh_token, address)
    return _entered(services, request, response, mark, signed)


def _entered(services: Services, request: Request, response: Response, mark: str, signed: SignedIn) -> TokensOut:
    """The tokens; and the device is one on which this person has signed in."""
    response.set_cookie(
        KNOWN,
        services.auth.known.with_person(mark, signed.user.id),
        max_age=services.auth.settings.known_device_days * 86_400,
        path=request.url.path.rpartition("/")[0],
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return TokensOut.of(signed)


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
