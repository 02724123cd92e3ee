"""No token, cookie, password or enrolment link is ever in a log line, whoever writes the line and wherever in it."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Callable, Iterator

import pytest
import structlog
from pydantic import BaseModel, ValidationError

from poc_server import logs
from poc_server.config import LogSettings

TOKEN = "eyJhbGciOiJFZERTQSIsImtpZCI6ImEifQ.eyJzdWIiOiJ1cy0xIiwic2lkIjoicyJ9.c2lnbmF0dXJlLW9mLXRoaXM"
CODE = "abcdefghijklmnopqrstuv2345"
WORD = "correct-horse-battery"
SECRET = (TOKEN, CODE, WORD)

SAID_BY_OTHERS = (
    f"GET /enrol/{CODE} HTTP/1.1",
    f"Authorization: Bearer {TOKEN}",
    f"Authorization: bearer {WORD}",
    f"Cookie: session={WORD}; Path=/",
    f"set-cookie: {WORD}",
    f"could not connect to postgresql+asyncpg://poc:{WORD}@db:5432/poc",
    f"could not connect to redis://:{WORD}@redis:6379",
    f"{{'type': 'hello', 'token': '{TOKEN}', 'resume': '{WORD}'}}",
    f'{{"account": "wang", "password": "{WORD}"}}',
    f"POST https://receiver/hook?token={WORD}&x=1",
    f"key whsec_{WORD} is not base64",
    f"cannot spend {CODE}",
    f"X-API-Key: {WORD}",
)


@pytest.fixture(params=["json", "console"])
def lines(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Logging as the server sets it up; what it has written."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    output = io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    logs.configure(LogSettings(format=request.param, level="debug"))
    yield output.getvalue
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def blank(written: str, count: int) -> None:
    assert written.count(logs.BLANK) >= count, written
    for secret in SECRET:
        assert secret not in written


def test_by_its_name_at_any_depth(lines: Callable[[], str]) -> None:
    log = structlog.get_logger("a")
    for name in logs.SECRETS:
        log.warning("by_name", **{name: WORD})
    log.warning("below", detail={"Set-Cookie": WORD, "more": [{"password": 4711}]}, kept=("a", {"token": WORD}))
    blank(lines(), len(logs.SECRETS) + 3)


@pytest.mark.parametrize("said", SAID_BY_OTHERS)
def test_by_its_shape_in_words_of_ours_and_of_libraries(lines: Callable[[], str], said: str) -> None:
    structlog.get_logger("a").error("failed", problem=said, path=said)
    logging.getLogger("uvicorn.error").error("%s", said)
    blank(lines(), 3)


def test_in_the_traceback_of_whoever_logs_it(lines: Callable[[], str]) -> None:
    for logger in ("uvicorn.error", "asyncio", "sqlalchemy", "poc"):
        try:
            raise RuntimeError(f"refused: {SAID_BY_OTHERS[1]}") from ValueError(SAID_BY_OTHERS[0])
        except RuntimeError as problem:
            logging.getLogger(logger).exception("Exception in ASGI application")
            structlog.get_logger(logger).error("request_failed", exc_info=problem)
    written = lines()
    blank(written, 16)
    assert "RuntimeError: refused" in written, "what is no secret is told"


def test_in_what_a_validation_quotes(lines: Callable[[], str]) -> None:
    class Asked(BaseModel):
        old: int
        new: int

    try:
        Asked.model_validate({"old": WORD, "new": [WORD]})
    except ValidationError as problem:
        structlog.get_logger("a").error("request_failed", exc_info=problem)
    written = lines()
    blank(written, 2)
    assert "old" in written


def test_what_is_no_secret_stays_as_it_is(lines: Callable[[], str]) -> None:
    told = {"port": 8080, "group": "gr-abcdefghijklmnop", "folders": ["/srv/a"], "code": "bad_token", "ok": True}
    structlog.get_logger("a").info("serving", **told)
    written = lines()
    assert logs.BLANK not in written
    if written.startswith("{"):
        line = json.loads(written)
        assert {key: line[key] for key in told} == told


def test_what_strangers_drive_is_not_written_at_all(lines: Callable[[], str]) -> None:
    for logger in ("uvicorn.access", "websockets.server", "httpx", "aiosqlite"):
        logging.getLogger(logger).info("GET /enrol/%s", CODE)
    for logger in ("uvicorn.error", "asyncio"):
        logging.getLogger(logger).warning("Invalid HTTP request received: %s", CODE)
    assert not lines()
