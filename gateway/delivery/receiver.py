"""A receiver of our events: where it is, what it wants, and how it has been doing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, SecretStr

from gateway.incidents.effects import EventType
from gateway.webhooks import MAX_KEYS, usable_secret

TIMEOUT_S = 10.0
"""How long one attempt may take; an answer that takes longer is none."""


class Receiver(BaseModel):
    """One system that is told of events: by Standard Webhooks, or as its mapping file says.

    ``secrets``: ``whsec_`` and base64, the newest first; each signs every message, so that they can be changed.
    ``events``: empty means all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    url: HttpUrl
    secrets: Annotated[tuple[Annotated[SecretStr, AfterValidator(usable_secret)], ...], Field(max_length=MAX_KEYS)] = ()
    mapping: str | None = None
    events: tuple[EventType, ...] = ()
    timeout_s: Annotated[float, Field(gt=0, le=60)] = TIMEOUT_S

    def wants(self, event: str) -> bool:
        """Whether it is to be told of events of this type."""
        return not self.events or event in self.events


@dataclass(frozen=True, slots=True)
class Health:
    """How a receiver has been doing. While it fails, one delivery at a time probes it from ``probe_at`` on."""

    receiver: str
    failures: int = 0
    failing_since: int | None = None
    probe_at: int | None = None
    stopped: bool = False
    """It answered 410 Gone: nothing more is sent until an operator starts it again."""
