"""What an operator may set about recording. Times in ms or s as the name says, sizes in bytes."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class RecordingSettings(BaseModel):
    """How talk bursts are recorded and kept as evidence."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = True
    """Record talk bursts at all."""
    flush_ms: int = Field(default=200, ge=10, le=1_000)
    """Packets are gathered so long before they go to the disk; with what the disk takes, this is what a kill loses."""
    sync_ms: int = Field(default=1_000, ge=0, le=60_000)
    """What was written goes to the disk itself so often: with ``flush_ms``, this is what a power cut takes. 0: when the
    operating system sees fit."""
    pending_packets: int = Field(default=100_000, ge=1)
    """Packets that may wait for a slow disk; what would be beyond is dropped, counted and audited."""
    slow_after_ms: int = Field(default=1_000, ge=100)
    """The disk is called slow when the oldest waiting packet is older than this."""
    retry_ms: int = Field(default=200, ge=10)
    """Pause before a failed write is tried again."""
    space_check_s: float = Field(default=10.0, gt=0)
    """Free space is looked at so often."""
    warn_free_bytes: int = Field(default=10 * 1024**3, ge=0)
    """Less free space than this raises the warning; below a tenth of it photos wait on their phones, for what is left
    is for voice. A channel that is always on air takes 9 MB an hour."""
    mux_attempts: int = Field(default=3, ge=1)
    """A spool whose muxing failed so often is put aside in ``failed/`` and told."""
    zone_minutes: int = Field(default=480, ge=-720, le=840)
    """The city's offset from UTC; decides in which folder and evidence day a burst falls."""
    evidence_key: Path | None = None
    """File of the Ed25519 key that signs evidence, made when missing; None: ``DATA-keys/evidence.pem`` beside the data
    folder. Keep it on another disk, and a copy in a safe."""
    heads_folder: Path | None = None
    """Each day's signed heads are also written here: a share of another machine, or a disk that is written once."""
    incident_days: int | None = Field(default=None, ge=180)
    """An incident's voice is kept so long where no rule is; None: for ever. Other voice: store.retention.burst_days."""
    delete_every_s: float = Field(default=3_600.0, gt=0)
    """What is over its time is looked for so often."""
    export_recordings: int = Field(default=10_000, ge=1)
    """Most recordings in one export."""
    export_bytes: int = Field(default=4 * 1024**3, ge=1)
    """Most bytes of voice in one export."""
    play_s: int = Field(default=600, ge=0)
    """Pieces of a recording that one listener fetches within so long are one play in the audit; 0: each is."""
    sign_every_s: float = Field(default=2.0, gt=0, le=30)
    """New evidence waits at most so long for its signature."""
