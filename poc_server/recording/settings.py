"""Settings of the recorder. Times in ms or s as the name says, sizes in bytes."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class RecordingSettings(BaseModel):
    """How talk bursts are recorded.

    Attributes:
        enabled: record at all.
        flush_ms: packets are gathered so long before they are handed to the disk. With what the disk itself takes,
            this is what a killed process loses.
        pending_packets: packets that may wait for a slow disk; what would be beyond is dropped, counted and audited.
        slow_after_ms: the disk is called slow when the oldest waiting packet is older than this.
        retry_ms: pause before a failed write is tried again.
        space_check_s: free space is looked at so often.
        warn_free_bytes: less free space than this raises the warning.
        mux_attempts: a spool whose muxing failed so often is put aside in ``failed/`` and told.
        day_offset_minutes: the city's offset from UTC; decides in which folder and evidence day a burst falls.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True
    flush_ms: int = Field(default=200, ge=10, le=1_000)
    pending_packets: int = Field(default=100_000, ge=1)
    slow_after_ms: int = Field(default=1_000, ge=100)
    retry_ms: int = Field(default=200, ge=10)
    space_check_s: float = Field(default=10.0, gt=0)
    warn_free_bytes: int = Field(default=10 * 1024**3, ge=0)
    mux_attempts: int = Field(default=3, ge=1)
    day_offset_minutes: int = Field(default=480, ge=-720, le=840)
