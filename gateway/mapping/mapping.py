"""The mapping file: how one vendor's documents become ours and our events become calls of theirs. TOML.

``[in]`` holds a JMESPath expression per field, ``[values.FIELD]`` what their values mean, ``[out]`` one call per event.
The reference with examples is docs/bridge.md.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from typing_extensions import TypeAliasType

from gateway.incidents.effects import EventType
from gateway.incidents.incident import Datum, FileKind, PartyKind, Stage
from gateway.mapping.expressions import Expression, Surroundings
from gateway.webhooks import SIGNED_PATTERN

MAX_FILE_BYTES = 262_144
ARRIVAL = "@arrival"
"""As ``version``: the sender counts nothing, so the order of arrival decides."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class LimitFields(_Part):
    """Where the limit of one stage stands: a moment, or an amount of ``unit``."""

    stage: Stage
    due: Expression | None = None
    allowed: Expression | None = None
    unit: Literal["minutes", "hours", "days"] = "hours"
    wall_clock: bool = False


class Inbound(_Part):
    """Where each of our fields stands in their document. ``code``, ``version`` must be found; the others may."""

    code: Expression
    version: Literal["@arrival"] | Expression
    id: Expression | None = None
    at: Expression | None = None
    state: Expression | None = None
    step: Expression | None = None
    who: Expression | None = None
    role: Expression | None = None
    opinion: Expression | None = None
    title: Expression | None = None
    kind: Expression | None = None
    major: Expression | None = None
    minor: Expression | None = None
    level: Expression | None = None
    description: Expression | None = None
    address: Expression | None = None
    lon: Expression | None = None
    lat: Expression | None = None
    cell: Expression | None = None
    source: Expression | None = None
    reporter: Expression | None = None
    urgent: Expression | None = None
    sudden: Expression | None = None
    supervised: Expression | None = None
    parties: dict[PartyKind, Expression] = Field(default_factory=dict)
    place_radius_m: Annotated[int, Field(ge=1, le=50_000)] = 500
    limits: tuple[LimitFields, ...] = ()
    files: dict[FileKind, Expression] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _a_place_has_both(self) -> Inbound:
        if (self.lon is None) is not (self.lat is None):
            raise ValueError("lon and lat stand together")
        return self


PLAIN_FIELDS = tuple(
    name for name in Inbound.model_fields if name not in {"parties", "place_radius_m", "limits", "files", "lon", "lat"}
)


class NoAuth(_Part):
    """The receiver asks for nothing."""

    kind: Literal["none"] = "none"


class HeaderAuth(_Part):
    """A fixed header, such as ``Authorization: Bearer …``."""

    kind: Literal["header"] = "header"
    header: str = "Authorization"
    value: SecretStr


class BasicAuth(_Part):
    """User name and password (RFC 7617)."""

    kind: Literal["basic"] = "basic"
    name: str
    password: SecretStr


class HmacAuth(_Part):
    """A keyed digest over timestamp and body in headers."""

    kind: Literal["hmac"] = "hmac"
    key: SecretStr
    digest: Literal["sha256", "sha512", "sm3"] = "sha256"
    signed: Annotated[str, Field(pattern=SIGNED_PATTERN)] = "{timestamp}.{body}"
    signature_header: str = "X-Signature"
    timestamp_header: str = "X-Timestamp"


Template = TypeAliasType("Template", Expression | list["Template"] | dict[str, "Template"])  # type: ignore[misc] # recursive
"""A body: texts are expressions; lists and tables nest."""


class Call(_Part):
    """What one event becomes. In ``path`` each {expression} is replaced, quoted for a URL."""

    method: Literal["POST", "PUT", "PATCH"] = "POST"
    path: Annotated[str, Field(pattern=r"^/")]
    format: Literal["json", "form", "multipart"] = "json"
    body: dict[str, Template] = Field(default_factory=dict)
    headers: dict[str, Expression] = Field(default_factory=dict)
    audio: str | None = None
    """Name of the part that carries the recording's file, with ``multipart``."""
    when: Expression | None = None
    success: Expression | None = None
    """For receivers that answer 200 whatever happens: must be true of their JSON answer."""

    @model_validator(mode="after")
    def _audio_needs_parts(self) -> Call:
        if self.audio and self.format != "multipart":
            raise ValueError("audio needs format = 'multipart'")
        for expression in PLACEHOLDER.findall(self.path):
            Surely.model_validate({"expression": expression})
        if set("{}") & set(PLACEHOLDER.sub("", self.path)):
            raise ValueError("path: a brace without its other")
        return self


PLACEHOLDER = re.compile(r"\{([^{}]+)\}")


class Surely(_Part):
    """One expression that must compile."""

    expression: Expression


class Outbound(_Part):
    """Their API. An event without a call is not sent; events are named as in the document of `EventType`."""

    auth: Annotated[NoAuth | HeaderAuth | BasicAuth | HmacAuth, Field(discriminator="kind")] = NoAuth()
    calls: dict[EventType, Call] = Field(default_factory=dict)


class MappingFile(_Part):
    """One vendor's mapping. ``items`` finds the list in a document that holds several cases."""

    name: Annotated[str, Field(min_length=1, max_length=64)]
    datum: Datum = Datum.WGS84
    utc_offset_minutes: Annotated[int, Field(ge=-720, le=840)] = 480
    time_formats: tuple[str, ...] = ()
    items: Expression | None = None
    values: dict[str, dict[str, str]] = Field(default_factory=dict)
    inbound: Inbound = Field(alias="in")
    outbound: Outbound | None = Field(default=None, alias="out")

    @property
    def surroundings(self) -> Surroundings:
        """What expressions of this mapping may use."""
        return Surroundings(self.values, self.utc_offset_minutes)


class BadMapping(Exception):
    """The file is no mapping; the message says where and why."""


def load_mapping(path: Path) -> MappingFile:
    """Reads a mapping file. Raises `BadMapping` whatever stands in it, OSError when it cannot be read."""
    if path.stat().st_size > MAX_FILE_BYTES:
        raise BadMapping(f"larger than {MAX_FILE_BYTES} bytes")
    try:
        return parse_mapping(path.read_text("utf-8"))
    except UnicodeDecodeError:
        raise BadMapping("not UTF-8") from None


def parse_mapping(text: str) -> MappingFile:
    """The text of a mapping file. Raises `BadMapping`."""
    try:
        return MappingFile.model_validate(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, RecursionError) as problem:
        raise BadMapping(f"not TOML: {problem}") from None
    except ValidationError as problem:
        faults = problem.errors(include_url=False, include_context=False, include_input=False)
        lines = (f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
        raise BadMapping("\n".join(lines)) from None
