"""Structured logs (structlog): one JSON object a line, no secrets, never at a rate that a stranger can drive."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from poc_server.config import LogSettings

SECRETS = frozenset(
    {"token", "access_token", "refresh_token", "password", "secret", "credential", "authorization", "resume"}
)


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
    """Blank every value whose key names a secret."""
    for key in event.keys() & SECRETS:
        event[key] = "***"
    return event
