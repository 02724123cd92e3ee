"""What an operator may set about written messages."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class TextSettings(BaseModel):
    """Text and status messages."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    per_minute: int = Field(default=60, ge=1)
    """Messages one user may send in a minute; more are refused with too_fast."""
    settle_s: float = Field(default=0.3, ge=0)
    """Who comes within this time is looked up together: a city that returns after an outage asks SQL once for many."""
