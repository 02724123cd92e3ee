"""What an operator may set about signing in."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, field_validator

from groups.vocabulary import Role


class LimitSettings(BaseModel):
    """Failed sign-ins: ``free`` of them cost nothing, each further one doubles the wait, up to ``longest_s``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    free: int = Field(default=5, ge=1)
    """Failures that cost no wait."""
    first_wait_s: float = Field(default=1.0, gt=0)
    """The wait after the first failure that costs one."""
    longest_s: float = Field(default=900.0, gt=0)
    """The wait does not grow beyond this."""
    forget_s: float = Field(default=1_800.0, gt=0)
    """After so long without another failure the count begins anew."""
    remembered: int = Field(default=20_000, ge=1)
    """Most accounts or addresses kept in memory; the one longest quiet is forgotten first."""


class AddressLimitSettings(LimitSettings):
    """The same for one address, behind which a whole station may sit: it is patient."""

    free: int = Field(default=50, ge=1)
    """Failures that cost no wait."""


class KnownPlaceLimitSettings(LimitSettings):
    """The same for one person on a device or at an address where he has signed in: no others' failures count there."""


class ProviderSettings(BaseModel):
    """One OpenID Connect provider whose tokens sign people in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(min_length=1)
    """``iss`` of its tokens, exactly."""
    audience: str = Field(min_length=1)
    """``aud`` that its tokens for this system carry."""
    jwks_url: HttpUrl
    """Where it publishes its keys (RFC 7517); https, but on this machine itself."""
    algorithms: tuple[Literal["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"], ...] = ("RS256", "ES256")
    """What its signatures may be made with."""
    clock_skew_s: float = Field(default=30.0, ge=0, le=300)
    """How far its clock may be off."""
    agency: str | None = None
    """Id or name of the agency its people belong to; not set: the only one there is."""
    account_claim: str = "preferred_username"
    """The claim, or dotted path to it, that is the sign-in name here."""
    name_claim: str = "name"
    """The claim that is the name others see."""
    roles_claim: str = "roles"
    """The claim that lists roles, as ``realm_access.roles``."""
    roles: dict[str, tuple[Role, ...]] = Field(default_factory=dict)
    """Word of the provider → roles here; empty: the provider says nothing of roles, and those held stay."""
    create_in: str | None = None
    """Id or name of the unit where people are made at their first sign-in; not set: nobody is made."""

    @field_validator("jwks_url")
    @classmethod
    def _safe(cls, url: HttpUrl) -> HttpUrl:
        if url.scheme != "https" and url.host not in ("127.0.0.1", "localhost", "[::1]"):
            raise ValueError("keys must be fetched over https")
        return url


class AuthSettings(BaseModel):
    """Tokens, passwords and limits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    issuer: str = Field(default="poc-server", min_length=1)
    """Stands in every token; tokens of another issuer are not taken."""
    keys: Path | None = None
    """Folder of the signing keys; None: ``keys`` in the data folder. Nodes of one city share it."""
    access_s: int = Field(default=600, ge=30, le=3_600)
    """How long an access token holds."""
    refresh_days: float = Field(default=30.0, gt=0)
    """How long a phone that never comes stays signed in."""
    refresh_grace_s: float = Field(default=30.0, ge=0)
    """For so long the token before the newest still refreshes: the answer to the last one may have been lost."""
    clock_skew_s: float = Field(default=5.0, ge=0, le=60)
    """How far a token may come from the future: clocks of nodes differ a little."""
    enrolment_hours: float = Field(default=72.0, gt=0)
    """How long an enrolment link may wait to be used."""
    password_least: int = Field(default=8, ge=4)
    """Fewest characters of a password."""
    password_most: int = Field(default=256, le=1_024)
    """Most characters of a password."""
    argon2_memory_kib: int = Field(default=65_536, ge=8_192)
    """Memory one password hash takes."""
    argon2_passes: int = Field(default=3, ge=1)
    """How often a hash goes over that memory."""
    hashes_at_once: int = Field(default=1, ge=1)
    """Each holds ``argon2_memory_kib`` and a core for about 0.1 s; more would take them from voice."""
    hashes_waiting: int = Field(default=50, ge=1)
    """Sign-ins that may wait for their turn; one more is told to come later."""
    known_device_days: int = Field(default=400, ge=1, le=400)
    """So long after somebody last signed in on it a device is known: failures there are counted apart from strangers'.
    Browsers keep a cookie no longer."""
    audited_at_once: int = Field(default=60, ge=1)
    """So many refused sign-ins are kept in the audit each by itself, of those that mean somebody here and of others."""
    audited_every_s: float = Field(default=30.0, gt=0)
    """Beyond them one in this time; it says how many were left out."""
    providers: tuple[ProviderSettings, ...] = ()
    """Identity providers of the city whose tokens sign people in; each a [[auth.providers]] of its own."""
    per_account: LimitSettings = LimitSettings()
    per_address: AddressLimitSettings = AddressLimitSettings()
    per_known_place: KnownPlaceLimitSettings = KnownPlaceLimitSettings()
