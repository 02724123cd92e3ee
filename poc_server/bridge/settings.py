"""What an operator may set about the bridge; senders, receivers and rules stand in a file of their own."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class BridgeSettings(BaseModel):
    """The bridge to other people's systems; docs/bridge.md."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Path | None = None
    """TOML file of senders, receivers, polling and rules; None: incidents only by the API of signed-in dispatchers."""
    public_url: str = Field(default="", pattern=r"^(https?://[^/]+)?$")
    """How others reach this server, such as https://poc.example.gov.cn: links to recordings begin with it."""
    link_life_s: int = Field(default=3_600, ge=60, le=604_800)
    """How long a link to a recording or to an incident's log opens."""
    batch: int = Field(default=32, ge=1, le=500)
    """Most pieces of news taken in one SQL transaction."""
    waiting_limit: int = Field(default=10_000, ge=1)
    """Most pieces of news that may wait; a further one is refused and comes again."""
    tell_late_s: float = Field(default=10.0, ge=0.1, le=600)
    """What a node that ended did not come to tell phones of a case, another tells after this time."""
    delivered_days: float = Field(default=30.0, ge=1)
    """How long deliveries stay listed after they were made; the events themselves stay."""
