"""Every answer that says no: ``application/problem+json`` (RFC 9457) with a code and words in the caller's language."""

from __future__ import annotations

from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from groups.vocabulary import Refusal
from poc_server.ground.refused import Refused
from signaling.words import Language, refusal

log = structlog.get_logger(__name__)
MEDIA_TYPE = "application/problem+json"
MAX_FIELDS_TOLD = 20

STATUS: dict[Refusal, int] = {
    Refusal.BAD_MESSAGE: 422,
    Refusal.TOO_LARGE: 413,
    Refusal.TOO_FAST: 429,
    Refusal.NOT_SIGNED_IN: 401,
    Refusal.BAD_TOKEN: 401,
    Refusal.TOKEN_EXPIRED: 401,
    Refusal.WRONG_CREDENTIALS: 401,
    Refusal.BAD_SIGNATURE: 401,
    Refusal.CLOCK_SKEW: 401,
    Refusal.SIGN_IN_LIMIT: 429,
    Refusal.ENROLMENT_SPENT: 410,
    Refusal.DISABLED: 403,
    Refusal.NOT_ALLOWED: 403,
    Refusal.NOT_A_MEMBER: 403,
    Refusal.GROUP_CLOSED: 403,
    Refusal.UNKNOWN_GROUP: 404,
    Refusal.UNKNOWN_USER: 404,
    Refusal.NOT_FOUND: 404,
    Refusal.STALE: 412,
    Refusal.CONFLICT: 409,
    Refusal.DRAINING: 503,
    Refusal.RECORDINGS_AWAY: 503,
    Refusal.UNAVAILABLE: 503,
    Refusal.INTERNAL: 500,
}
_BY_STATUS = {401: Refusal.NOT_SIGNED_IN, 403: Refusal.NOT_ALLOWED, 404: Refusal.NOT_FOUND, 413: Refusal.TOO_LARGE}


class FieldProblem(BaseModel):
    """What is wrong with one field of the request. Never repeats the value: it may be a secret."""

    field: str
    message: str


class Problem(BaseModel):
    """The body of every refusal. Programs read ``code``; ``title`` is for people."""

    type: str
    title: str
    status: int
    code: Refusal
    detail: str = ""
    errors: list[FieldProblem] = []


def language(request: Request) -> Language:
    """English when the caller asks for it first, else Chinese."""
    return "en" if request.headers.get("accept-language", "").strip().lower().startswith("en") else "zh-CN"


def answer(
    request: Request, refused: Refused, errors: list[FieldProblem] | None = None, status: int | None = None
) -> JSONResponse:
    """The response for a refusal; ``status`` where the code alone does not say it."""
    status = status or STATUS.get(refused.code, 409)
    problem = Problem(
        type=f"urn:poc-server:{refused.code.value}",
        title=refusal(refused.code, language(request)),
        status=status,
        code=refused.code,
        detail=refused.detail,
        errors=errors or [],
    )
    headers: dict[str, str] = {}
    if refused.retry_after_ms is not None:
        headers["retry-after"] = str(-(-refused.retry_after_ms // 1000))
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(problem.model_dump(mode="json"), status, headers, MEDIA_TYPE)


async def unavailable(scope: Scope, receive: Receive, send: Send) -> None:
    """ASGI: whatever is asked for cannot be done now."""
    await answer(Request(scope), Refused(Refusal.UNAVAILABLE))(scope, receive, send)


def documented(*codes: int) -> dict[int | str, dict[str, Any]]:
    """The refusals of a route for its OpenAPI description, which `schemas` completes."""
    # Not by "model": FastAPI would make a validator of each refusal of each route, half of what a start costs it, and
    # tell of a second media type, which is never sent.
    content = {MEDIA_TYPE: {"schema": {"$ref": _SCHEMAS.format(model="Problem")}}}
    return {code: {"content": content, "description": _MEANING[code]} for code in codes}


def schemas() -> dict[str, Any]:
    """What a `Problem` is made of, by name, for the components of an OpenAPI description."""
    told = Problem.model_json_schema(mode="serialization", ref_template=_SCHEMAS)
    return {**told.pop("$defs"), "Problem": told}


_SCHEMAS = "#/components/schemas/{model}"


_MEANING = {
    400: "The request cannot be read",
    401: "Not signed in, or the token is not valid",
    403: "Not allowed",
    404: "Not found",
    408: "Sent too slowly",
    409: "Conflicts with what exists",
    410: "Spent or expired",
    412: "Changed by someone else meanwhile",
    413: "Too large",
    415: "Not JSON",
    422: "A field is missing or wrong",
    428: "If-Match is missing",
    429: "Too many attempts, or requests at once",
    503: "The database is away",
}


def install(app: FastAPI) -> None:
    """Make every error of ``app`` a problem."""

    @app.exception_handler(Refused)
    async def refused(request: Request, problem: Refused) -> JSONResponse:
        return answer(request, problem)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, problem: RequestValidationError) -> JSONResponse:
        found = [
            FieldProblem(field=".".join(str(part) for part in error["loc"][1:])[:200], message=error["msg"][:200])
            for error in problem.errors()[:MAX_FIELDS_TOLD]
        ]
        return answer(request, Refused(Refusal.BAD_MESSAGE), found)

    @app.exception_handler(HTTPException)
    async def plain(request: Request, problem: HTTPException) -> JSONResponse:
        code = _BY_STATUS.get(problem.status_code, Refusal.BAD_MESSAGE)
        made = answer(request, Refused(code, str(problem.detail)[:200]), status=problem.status_code)
        made.headers.update(problem.headers or {})
        return made

    @app.exception_handler(ClientDisconnect)
    async def hung_up(_request: Request, _problem: ClientDisconnect) -> Response:
        """Who hangs up in the middle of what he sends hears nothing of it, and no log may grow by that."""
        return Response(status_code=400)

    @app.exception_handler(Exception)
    async def failed(request: Request, problem: Exception) -> JSONResponse:
        log.error("request_failed", path=request.url.path, exc_info=problem)
        return answer(request, Refused(Refusal.INTERNAL))
