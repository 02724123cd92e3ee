"""What an operator may set about signing in."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class LimitSettings(BaseModel):
    """Failed sign-ins: ``free`` of them cost nothing, each further one doubles the wait, up to ``longest_s``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    free: int = Field(default=5, ge=1)
    first_wait_s: float = Field(default=1.0, gt=0)
    longest_s: float = Field(default=900.0, gt=0)
    forget_s: float = Field(default=1_800.0, gt=0)
    """After so long without another failure the count begins anew."""
    remembered: int = Field(default=20_000, ge=1)
    """Most accounts or addresses kept in memory; the one longest quiet is forgotten first."""


class AuthSettings(BaseModel):
    """Tokens, passwords and limits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(default="poc-server", min_length=1)
    keys: Path | None = None
    """Folder of the signing keys; None: ``keys`` in the data folder. Nodes of one city share it."""
    access_s: int = Field(default=600, ge=30, le=3_600)
    refresh_days: float = Field(default=30.0, gt=0)
    refresh_grace_s: float = Field(default=30.0, ge=0)
    """For so long the token before the newest still refreshes: the answer to the last one may have been lost."""
    clock_skew_s: float = Field(default=5.0, ge=0, le=60)
    """How far a token may come from the future: clocks of nodes differ a little."""
    enrolment_hours: float = Field(default=72.0, gt=0)
    password_least: int = Field(default=8, ge=4)
    password_most: int = Field(default=256, le=1_024)
    argon2_memory_kib: int = Field(default=65_536, ge=8_192)
    argon2_passes: int = Field(default=3, ge=1)
    hashes_at_once: int = Field(default=1, ge=1)
    """Each holds ``argon2_memory_kib`` and a core for about 0.1 s; more would take them from voice."""
    hashes_waiting: int = Field(default=50, ge=1)
    per_account: LimitSettings = LimitSettings()
    per_address: LimitSettings = LimitSettings(free=50)
    """A whole station may sit behind one address, so this one is patient."""
