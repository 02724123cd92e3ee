"""Structured logs (structlog): one JSON object a line, no secrets, never at a rate that a stranger can drive."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import structlog

from poc_server.config import LogSettings

BLANK = "***"
SECRETS = frozenset(
    {
        "access_token",
        "api_key",
        "authorization",
        "cookie",
        "credential",
        "password",
        "refresh_token",
        "resume",
        "secret",
        "set_cookie",
        "token",
        "x_api_key",
    }
)
"""Names, in snake case, of what is blanked wherever it stands by its name."""
_SHAPES = (
    re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]+){1,2}"),  # a signed token (RFC 7519)
    re.compile(r"(?i)(?<=bearer )[\w.~+/=-]+"),
    re.compile(r"(?<=/enrol/)[\w%-]+|\b[a-z2-7]{26}\b"),  # an enrolment link, or its code
    re.compile(r"(?<=input_value=).*?(?=, input_type=|\]$)", re.MULTILINE | re.DOTALL),  # what pydantic quotes
    re.compile(r"\bwhsec_[\w+/=-]+"),  # a webhook's key (Standard Webhooks)
    re.compile(r"(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"),  # name and password of a database or a proxy
    re.compile(
        r"(?i)(?<![a-z])(?:" + "|".join(name.replace("_", "[_-]") for name in sorted(SECRETS)) + r")"
        r"(?P<says>[\"']?\s*[=:]\s*[\"']?)(?!bearer )[^\s\"',;&}\])]+"
    ),
)
"""What a secret looks like inside words: those of exceptions and of libraries, which quote what they like."""


def configure(settings: LogSettings) -> None:
    """Set up logging for the whole process."""
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stdout.isatty())
    )
    level = getattr(logging, settings.level.upper())
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        without_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("aiortc", "aioice", "websockets", "uvicorn.access", "sqlalchemy", "aiosqlite", "httpx"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # They warn of each request that is none, and of each write to a peer that is gone: a stranger's to drive.
    for driven in ("uvicorn.error", "asyncio"):
        logging.getLogger(driven).setLevel(logging.ERROR)


def without_secrets(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """Blank every secret: by its name at any depth, and by its shape in any words, tracebacks among them."""
    for key, value in event.items():
        if not key.startswith("_"):  # the formatter's own
            event[key] = BLANK if _names_a_secret(key) else _clean(value)
    return event


def _clean(value: Any) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return _without_shapes(value)
        case dict():
            return {key: BLANK if _names_a_secret(key) else _clean(each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean(each) for each in value]
        case _:
            return _without_shapes(repr(value))


def _names_a_secret(key: Any) -> bool:
    return str(key).lower().replace("-", "_") in SECRETS


def _without_shapes(text: str) -> str:
    for shape in _SHAPES:
        text = shape.sub(_blanked, text)
    return text


def _blanked(found: re.Match[str]) -> str:
    says = found.groupdict().get("says")
    return BLANK if says is None else found[0][: found.end("says") - found.start()] + BLANK
