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
from poc_server.bridge.settings import BridgeSettings
from poc_server.city_map.settings import MapSettings
from poc_server.emergency.settings import EmergencySettings
from poc_server.fabric.settings import FabricSettings
from poc_server.media.settings import MediaSettings
from poc_server.notify.settings import NotifySettings
from poc_server.recording.settings import RecordingSettings
from poc_server.store.settings import StoreSettings
from poc_server.talk.settings import TalkSettings
from poc_server.texts.settings import TextSettings

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
    """Address to listen on; 0.0.0.0 is every address, IPv6 included."""
    port: int = Field(default=8080, ge=0, le=65_535)
    """TCP port; 0 lets the system choose."""
    shared_port: bool = False
    """Other nodes of this machine listen on the same port, and the system shares out who comes (SO_REUSEPORT)."""
    own_port: int = Field(default=0, ge=0, le=65_535)
    """A second TCP port, of this node alone: for its metrics, and for the other nodes; 0: none."""
    data: Path = Path("data")
    """Folder of all that is kept: database, journal, keys, recordings."""
    pages: Path | None = None
    """Folder of the built pages; None: those that lie beside the program."""
    tls_certificate: Path | None = None
    """Certificate chain in PEM, to end TLS here instead of in a proxy: costs 277 KB a phone."""
    tls_key: Path | None = None
    """Its private key in PEM."""
    requests_per_person: int = Field(default=32, ge=6)
    """HTTP requests of one person that are answered at once; one more is told to come later (429, ``too_fast``). An SOS
    is counted by itself, and voice is no HTTP. A browser opens six connections, or one for all."""
    drain_s: float = Field(default=10.0, ge=0)
    """On SIGTERM bursts on air have so long to come to their end."""


class LogSettings(Section):
    """Structured logs on standard output."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least that is logged."""
    format: Literal["json", "console"] = "json"
    """For a collector, or for a person."""


class TurnSettings(Section):
    """A coturn that shares ``secret`` with us; credentials are handed out per phone (TURN REST API)."""

    urls: tuple[str, ...] = ()
    """What phones are told, as ["turn:203.0.113.10:3478?transport=udp"]; empty: no coturn."""
    secret: str = ""
    """coturn's ``static-auth-secret``."""
    lifetime_s: int = Field(default=86_400, ge=60)
    """How long credentials hold; each welcome brings fresh ones, and a phone may stay connected for a shift."""


class Config(Section):
    """The whole configuration."""

    demo: bool = False
    """Let anyone step into any of the demo's people. Never in production."""
    server: ServerSettings = ServerSettings()
    media: MediaSettings = MediaSettings()
    store: StoreSettings = StoreSettings()
    auth: AuthSettings = AuthSettings()
    recording: RecordingSettings = RecordingSettings()
    bridge: BridgeSettings = BridgeSettings()
    emergency: EmergencySettings = EmergencySettings()
    notify: NotifySettings = NotifySettings()
    talk: TalkSettings = TalkSettings()
    texts: TextSettings = TextSettings()
    map: MapSettings = MapSettings()
    turn: TurnSettings = TurnSettings()
    fabric: FabricSettings = FabricSettings()
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
