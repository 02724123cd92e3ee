"""Signing in with a token of the city's own identity provider (OpenID Connect), checked by its published keys.

Claims become account, name and roles by configuration. Nothing of the token is believed before its signature,
issuer, audience and times are; algorithms are those configured, and only asymmetric ones can be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import jwt
import structlog

from groups.model import Agency, Unit
from groups.rights import may_hold_together
from groups.vocabulary import AgencyId, Refusal, Role, UserId
from poc_server.auth.settings import ProviderSettings
from poc_server.auth.tokens import MAX_TOKEN_CHARS, AuthRefused
from poc_server.ground.refused import StoreUnavailable
from poc_server.store import Actor, Store
from poc_server.store.city import people
from poc_server.store.city.people import UserDraft

K = TypeVar("K")
log = structlog.get_logger(__name__)
FETCH_TIMEOUT_S = 5.0
KEYS_LIVE_MS = 3_600_000
RETRY_MS = 30_000
"""A key that is not known makes the keys be fetched again, but not more often than this."""
MAX_KEYS_BYTES = 200_000
MAX_WORDS = 500


@dataclass(frozen=True, slots=True)
class ExternalIdentity:
    """Who a provider says one is. ``roles`` None: the provider does not say, and those held stay."""

    account: str
    name: str
    roles: frozenset[Role] | None


class Provider:
    """One identity provider and its keys."""

    def __init__(self, settings: ProviderSettings, clock: Callable[[], int]) -> None:
        self.settings = settings
        self._clock = clock
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched_ms = -KEYS_LIVE_MS
        self._tried_ms = -RETRY_MS
        self._fetching = asyncio.Lock()

    async def identity(self, token: str) -> ExternalIdentity:
        """Whose token this is. Raises `AuthRefused` (bad_token, token_expired), `StoreUnavailable` without keys."""
        if len(token) > 2 * MAX_TOKEN_CHARS:
            raise AuthRefused(Refusal.BAD_TOKEN)
        try:
            name = jwt.get_unverified_header(token).get("kid")
        except jwt.PyJWTError:
            raise AuthRefused(Refusal.BAD_TOKEN) from None
        key = await self._key(name if isinstance(name, str) else "")
        return _identity(self.settings, self._claims(token, key))

    def _claims(self, token: str, key: jwt.PyJWK) -> Mapping[str, Any]:
        now = self._clock()
        try:
            said = jwt.decode(
                token,
                key.key,
                algorithms=list(self.settings.algorithms),
                audience=self.settings.audience,
                issuer=self.settings.issuer,
                options={
                    "require": ["iss", "aud", "exp"],
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
            expires, begins = float(said["exp"]), float(said.get("nbf", said.get("iat", 0)))
        except (jwt.PyJWTError, TypeError, ValueError):
            raise AuthRefused(Refusal.BAD_TOKEN) from None
        skew = self.settings.clock_skew_s
        if not now / 1000 - skew < expires < float("inf"):
            raise AuthRefused(Refusal.TOKEN_EXPIRED)
        if not begins <= now / 1000 + skew:
            raise AuthRefused(Refusal.BAD_TOKEN)
        return said

    async def _key(self, name: str) -> jwt.PyJWK:
        now = self._clock()
        known = self._keys.get(name)
        stale = now - self._fetched_ms >= KEYS_LIVE_MS
        due = now - self._tried_ms >= RETRY_MS
        # While they are fetched, who knows none waits for them.
        if (known is None and self._fetching.locked()) or ((known is None or stale) and due):
            async with self._fetching:
                if now - self._tried_ms >= RETRY_MS:
                    await self._fetch(now)
            known = self._keys.get(name)
        if known is None:
            if not self._keys:
                raise StoreUnavailable("the identity provider's keys")
            raise AuthRefused(Refusal.BAD_TOKEN, "unknown key")
        return known

    async def _fetch(self, now: int) -> None:
        self._tried_ms = now
        try:
            async with httpx.AsyncClient(timeout=FETCH_TIMEOUT_S, follow_redirects=False) as client:
                answer = await client.get(str(self.settings.jwks_url))
            answer.raise_for_status()
            if len(answer.content) > MAX_KEYS_BYTES:
                raise ValueError("too large")
            found = jwt.PyJWKSet.from_dict(answer.json())
        except (httpx.HTTPError, jwt.PyJWTError, ValueError, TypeError, AttributeError) as problem:
            # Keys that were fetched before go on being used: a provider that is down locks nobody out.
            log.warning("jwks_not_fetched", issuer=self.settings.issuer, problem=type(problem).__name__)
            return
        self._keys = {key.key_id: key for key in found.keys if key.key_id}
        self._fetched_ms = now


def issuer_of(token: str) -> str:
    """Who claims to have made a token; not believed, only used to find whose keys to check it with."""
    try:
        said = jwt.decode(token[: 2 * MAX_TOKEN_CHARS], options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError):
        return ""
    issuer = said.get("iss")
    return issuer if isinstance(issuer, str) else ""


def agency_of(store: Store, settings: ProviderSettings) -> AgencyId | None:
    """The agency whose people a provider vouches for; None where its settings name none that is there."""
    return _named(store.directory.snapshot.agencies, settings.agency)


async def settle(store: Store, settings: ProviderSettings, identity: ExternalIdentity, actor: Actor) -> UserId:
    """The user an identity stands for, made and given roles as the settings say. Raises `AuthRefused`."""
    snapshot = store.directory.snapshot
    agency = agency_of(store, settings)
    async with store.reading() as connection:
        row = await people.credentials(connection, identity.account)
    if agency is None or (row is not None and row.agency_id != agency):
        raise AuthRefused(Refusal.WRONG_CREDENTIALS)
    if row is None:
        own = {key: unit for key, unit in snapshot.units.items() if unit.agency == agency}
        unit = _named(own, settings.create_in) if settings.create_in else None
        if unit is None:
            raise AuthRefused(Refusal.WRONG_CREDENTIALS)
        draft = UserDraft(agency, unit, identity.name, identity.roles or frozenset(), account=identity.account)
        async with store.change(actor) as change:
            # Two phones of one who is new here may come to two nodes at once: the second finds whom the first made.
            made = await people.credentials(change.connection, identity.account)
            if made is None:
                return await people.create_user(change, draft)
            if made.agency_id != agency:
                raise AuthRefused(Refusal.WRONG_CREDENTIALS)
            return UserId(made.id)
    user = UserId(row.id)
    person = snapshot.users.get(user)
    if person is not None and identity.roles is not None and identity.roles != person.roles:
        async with store.change(actor) as change:
            await people.set_roles(change, user, identity.roles)
    return user


def _named(found: Mapping[K, Agency | Unit], name: str | None) -> K | None:
    """The one with that id or name; without a name the only one there is."""
    wanted = [key for key, item in found.items() if name in (None, item.id, item.name)]
    return wanted[0] if len(wanted) == 1 else None


def _identity(settings: ProviderSettings, said: Mapping[str, Any]) -> ExternalIdentity:
    account = _at(said, settings.account_claim)
    if not isinstance(account, str) or not 0 < len(account) <= 128 or not account.isprintable():
        raise AuthRefused(Refusal.BAD_TOKEN, settings.account_claim)
    name = _at(said, settings.name_claim)
    shown = name if isinstance(name, str) and 0 < len(name) <= 128 and name.isprintable() else account
    return ExternalIdentity(account, shown, _roles(settings, said))


def _roles(settings: ProviderSettings, said: Mapping[str, Any]) -> frozenset[Role] | None:
    if not settings.roles:
        return None
    words = _at(said, settings.roles_claim)
    listed = words.split() if isinstance(words, str) else words if isinstance(words, list) else []
    roles = frozenset(
        role for word in listed[:MAX_WORDS] if isinstance(word, str) for role in settings.roles.get(word, ())
    )
    if not may_hold_together(roles):
        raise AuthRefused(Refusal.NOT_ALLOWED, "one administrator's role each")
    return roles


def _at(said: Mapping[str, Any], path: str) -> Any:
    """The claim at a dotted path, as ``realm_access.roles``; a claim with dots in its name comes first."""
    if path in said:
        return said[path]
    found: Any = said
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
