"""A notifier that any vendor's HTTP interface fits: SMS, voice call, a push service of one's own country.

URL, headers and body are templates. ``{name}`` and its like are filled in, escaped as their place demands; every other
brace stays as it is, so that JSON may be written plainly.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from gateway.waking.notice import NoticeKind

FIELDS = ("user", "name", "badge", "phone", "kind", "id", "by", "title", "text", "tier", "attempt", "url")
"""What templates may name."""
_FIELD = re.compile(r"\{(%s)\}" % "|".join(FIELDS))  # noqa: UP031 - braces are what is looked for


class HttpNotifier(BaseModel):
    """One interface of a vendor."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,32}$")]
    """For logs and metrics."""
    url: Annotated[str, StringConstraints(pattern=r"^https?://")]
    """Template; what is filled in is percent-encoded."""
    method: Literal["POST", "PUT", "GET"] = "POST"
    """How."""
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    """Templates; a secret belongs here and is never logged."""
    body: str = ""
    """Template; in JSON what is filled in is escaped as inside a string, in a form percent-encoded."""
    content_type: Literal["application/json", "application/x-www-form-urlencoded", "text/plain"] = "application/json"
    """Of the body."""
    kinds: tuple[NoticeKind, ...] = tuple(NoticeKind)
    """What it is for."""
    from_attempt: int = Field(default=0, ge=0)
    """0: at once; n: from the n-th reminder on, for what costs money."""
    urgent_only: bool = False
    """Only for what may alarm."""


def filled_url(template: str, values: Mapping[str, str]) -> str:
    """The address, with what is filled in percent-encoded."""
    return _filled(template, {name: quote(text, safe="") for name, text in values.items()})


def filled_header(template: str, values: Mapping[str, str]) -> str:
    """A header: nothing that is filled in can begin another one."""
    return _filled(template, {name: quote(text, safe=" ") for name, text in values.items()})


def filled_body(notifier: HttpNotifier, values: Mapping[str, str]) -> bytes:
    """The body, with what is filled in escaped as its content type demands."""
    if notifier.content_type == "application/json":
        values = {name: json.dumps(text, ensure_ascii=False)[1:-1] for name, text in values.items()}
    elif notifier.content_type == "application/x-www-form-urlencoded":
        values = {name: quote(text, safe="") for name, text in values.items()}
    return _filled(notifier.body, values).encode()


def _filled(template: str, values: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda found: values.get(found[1], ""), template)
