"""Configuration: a TOML file, overridden by the environment (``POC_SERVER__PORT=80``). An unknown key is an error.

Each part of the house owns the model of its own settings; here they are only put together.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from poc_server.auth.settings import AuthSettings
from poc_server.media.settings import MediaSettings
from poc_server.store.settings import StoreSettings

ENV_PREFIX = "POC_"
ENV_NESTING = "__"


class BadConfig(Exception):
    """The configuration cannot be used; the text says which key and why."""


class Section(BaseModel):
    """Base of every section: strict and frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerSettings(Section):
    """The TCP side: API, signaling and pages on one port."""

    host: str = "0.0.0.0"  # noqa: S104 - phones come from anywhere; deploy/ puts a TLS proxy before it
    port: int = Field(default=8080, ge=0, le=65_535)
    data: Path = Path("data")
    pages: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    drain_s: float = Field(default=10.0, ge=0)


class LogSettings(Section):
    """Structured logs on standard output."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["json", "console"] = "json"


class TurnSettings(Section):
    """A coturn that shares ``secret`` with us; credentials are handed out per phone (TURN REST API)."""

    urls: tuple[str, ...] = ()
    secret: str = ""
    lifetime_s: int = Field(default=3_600, ge=60)


class Config(Section):
    """The whole configuration."""

    demo: bool = False
    server: ServerSettings = ServerSettings()
    media: MediaSettings = MediaSettings()
    store: StoreSettings = StoreSettings()
    auth: AuthSettings = AuthSettings()
    turn: TurnSettings = TurnSettings()
    log: LogSettings = LogSettings()


def load(
    file: Path | None = None, overrides: dict[str, Any] | None = None, env: dict[str, str] | None = None
) -> Config:
    """Read the configuration: defaults < file < environment < overrides (of the command line).

    Raises:
        BadConfig: unreadable file, unknown key or wrong value.
    """
    values: dict[str, Any] = {}
    if file is not None:
        try:
            values = tomllib.loads(file.read_text())
        except (OSError, ValueError) as problem:
            raise BadConfig(f"{file}: {problem}") from None
    _merge(values, _from_env(dict(os.environ) if env is None else env))
    _merge(values, overrides or {})
    try:
        return Config.model_validate(values)
    except ValidationError as problem:
        lines = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in problem.errors(include_input=False)]
        raise BadConfig("; ".join(lines)) from None


def _from_env(env: dict[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, text in env.items():
        if name.startswith(ENV_PREFIX):
            *path, last = name.removeprefix(ENV_PREFIX).lower().split(ENV_NESTING)
            place = values
            for part in path:
                place = place.setdefault(part, {})
            place[last] = _parsed(text)
    return values


def _parsed(text: str) -> Any:
    """A list or table may be written as TOML; everything else is left to the model."""
    if text[:1] in "[{":
        try:
            return tomllib.loads(f"v = {text}")["v"]
        except ValueError:
            return text
    return text


def _merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value
