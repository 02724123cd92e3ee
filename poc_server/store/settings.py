"""What an operator may set about the store."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class JournalSettings(BaseModel):
    """The write-behind journal. Times in ms unless the name says otherwise."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sync_ms: int = Field(default=20, ge=1, le=50)
    """Records that come within this time share one fdatasync."""
    segment_bytes: int = Field(default=8_000_000, ge=4_096)
    """A file that has grown past this is closed and the next begun."""
    keep_days: float = Field(default=7.0, ge=0)
    """How long files stay whose records all stand in SQL; a restored backup is brought up to date from them."""
    batch: int = Field(default=200, ge=1, le=5_000)
    """Most records applied in one SQL transaction."""
    retry_ms: int = Field(default=500, ge=10)
    """Pause before SQL is tried again after it was away."""
    waiting_limit: int = Field(default=200_000, ge=1)
    """Most records held in memory while the disk refuses them; beyond it the newest are counted as lost."""


class RetentionSettings(BaseModel):
    """How long records stay, in days."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    audit_days: int = Field(default=365, ge=180)
    """Not below 180: 网络安全法 §21 asks for six months of network logs."""
    burst_days: int = Field(default=365, ge=180)
    """Who talked in which group, when, for how long; what belongs to an incident stays with it."""
    text_days: int = Field(default=365, ge=1)
    """What was written."""
    place_days: int = Field(default=30, ge=1)
    """Where phones were."""


class PlaceSettings(BaseModel):
    """Reporting of places by phones."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    interval_s: float = Field(default=15.0, ge=1)
    """How often a phone shall report; it is told so in every answer. What comes twice as often is not
    taken; each node judges what comes to it."""
    only_on_duty: bool = True
    """What a phone measured while its person was off duty is not taken."""
    told_hours: float = Field(default=12.0, gt=0, le=24)
    """So long the last place of somebody is told, each part with its age; then only his track holds it."""


class StoreSettings(BaseModel):
    """Where records live."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = None
    """``postgresql://user:password@host/name`` or ``sqlite:///path``; None: ``poc.sqlite`` in the data folder."""
    pool: int = Field(default=8, ge=1, le=100)
    """Connections kept to PostgreSQL."""
    connect_timeout_s: float = Field(default=3.0, gt=0)
    """PostgreSQL is away when no connection, new or kept, answers in this time."""
    command_timeout_s: float = Field(default=15.0, gt=0)
    """Longest one SQL statement may take."""
    busy_timeout_ms: int = Field(default=5_000, ge=0)
    """How long SQLite waits for another process that writes."""
    poll_ms: int = Field(default=1_000, ge=50)
    """How often a node looks whether another has changed people, groups or sessions, unless it is told before."""
    journal: JournalSettings = JournalSettings()
    retention: RetentionSettings = RetentionSettings()
    places: PlaceSettings = PlaceSettings()

    def resolved_url(self, data: Path) -> str:
        """The URL with the async driver's name in it."""
        url = self.url or f"sqlite:///{data / 'poc.sqlite'}"
        for plain, driver in (
            ("sqlite://", "sqlite+aiosqlite://"),
            ("postgresql://", "postgresql+asyncpg://"),
            ("postgres://", "postgresql+asyncpg://"),
        ):
            if url.startswith(plain):
                return driver + url[len(plain) :]
        return url
