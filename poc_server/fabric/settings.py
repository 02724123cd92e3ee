"""What an operator may set about how nodes share state."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class FabricSettings(BaseModel):
    """One node needs none of this; several share one Redis."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    redis: str = ""
    """Where nodes meet, as "redis://:password@host:6379/0" (rediss:// for TLS; Redis 7 or newer, or Valkey);
    empty: one node, which keeps everything in its own process."""
    node: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,64}$")
    """This node's name among them; it keeps it when it starts again; empty: the host's name."""
    url: str = ""
    """Where the other nodes reach this one, as "http://10.0.0.11:8080"; empty: they are all on this machine."""
    prefix: str = Field(default="poc", pattern=r"^[A-Za-z0-9._-]{1,32}$")
    """Before every key and channel: cities may share a Redis."""
    timeout_ms: int = Field(default=300, ge=50, le=5_000)
    """An answer of Redis that takes longer counts as none."""
    isolated_after_ms: int = Field(default=1_000, ge=100, le=60_000)
    """Without Redis for so long a node goes on alone, for its own phones."""
    heartbeat_ms: int = Field(default=500, ge=50, le=10_000)
    """So often a node says that it lives."""
    lease_ms: int = Field(default=2_000, ge=200, le=60_000)
    """A node that said nothing for so long is dead: its floors are free, its phones come elsewhere."""
    gather_after_s: float = Field(default=30.0, ge=0, le=86_400)
    """Phones of a small group that has been silent for so long come to the node that has most of them; 0: never."""
    keep_s: int = Field(default=86_400, ge=60)
    """State nobody wrote for so long is forgotten."""
    voice_queue: int = Field(default=2_000, ge=16)
    """Voice packets that may wait for the way to other nodes; beyond it the newest is dropped and counted."""
