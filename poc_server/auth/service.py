"""Signing in, staying signed in, and being thrown out at once."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from groups.model import User
from groups.vocabulary import DeviceId, Refusal, UserId
from poc_server.auth import keys
from poc_server.auth.attempts import Attempts
from poc_server.auth.external import Provider, agency_of, issuer_of, settle
from poc_server.auth.failures import PURPOSE, Failures, Of
from poc_server.auth.known import PURPOSE as KNOWN_PURPOSE
from poc_server.auth.known import KnownDevices
from poc_server.auth.limits import address_key
from poc_server.auth.passwords import Passwords
from poc_server.auth.refusals import Attempt, RefusedSignIns
from poc_server.auth.settings import AuthSettings
from poc_server.auth.tokens import AuthRefused, Claims, Tokens
from poc_server.ground.refused import Refused, StoreUnavailable
from poc_server.store import Actor, Connection, Row, Store, audit
from poc_server.store.city import people, sessions
from poc_server.store.city.people import account_key
from poc_server.store.city.sessions import SessionDraft
from poc_server.store.ids import now_ms
from poc_server.store.shutting_out import AT_ONCE_S
from poc_server.store.store import REMEMBER_ENDED_MS

log = structlog.get_logger(__name__)
CODE_BYTES = 16
MAX_CODE_CHARS = 64


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What a client gets: an access token for minutes and a refresh token for days. ``expires_in`` in seconds."""

    user: User
    session: str
    access_token: str
    expires_in: int
    refresh_token: str


class Auth:
    """Who one is. `verify_access` looks only at memory; the rest may wait for SQL.

    Attributes:
        signing: the keys of this city.
        failures: who failed how often, which the other nodes count too.
        known: devices on which people have signed in.
    """

    def __init__(
        self, settings: AuthSettings, store: Store, signing: keys.SigningKeys, clock: Callable[[], int] = now_ms
    ) -> None:
        self.settings = settings
        self.passwords = Passwords(settings)
        self._store = store
        self._directory = store.directory
        self._clock = clock
        self.signing = signing
        self._tokens = Tokens(signing, settings.issuer, round(settings.clock_skew_s * 1000))
        self.failures = Failures(settings, signing.secret(PURPOSE), clock)
        self.known = KnownDevices(signing.secret(KNOWN_PURPOSE))
        self._attempts = Attempts(self.failures, self.known)
        self._providers = {each.issuer: Provider(each, clock) for each in settings.providers}
        self._refusals = RefusedSignIns(settings, store, clock)

    @classmethod
    def open(cls, settings: AuthSettings, store: Store, data: Path, clock: Callable[[], int] = now_ms) -> Auth:
        """With the keys of the data folder, made there at the first start; ``clock``: the one all nodes share, ms."""
        return cls(settings, store, keys.load_or_make(settings.keys or data / "keys"), clock)

    # --- memory only -----------------------------------------------------------------------------------------------

    def verify_access(self, token: str) -> Claims:
        """Whose token this is, looking only at memory.

        Raises `AuthRefused`: bad_token, token_expired, disabled.
        """
        claims = self._tokens.read("access", token, self._clock())
        self._check_alive(claims)
        return claims

    # --- signing in ------------------------------------------------------------------------------------------------

    async def sign_in(self, account: str, password: str, address: str = "", mark: str = "") -> SignedIn:
        """By name and password; ``mark``: of the device, if it has one (`KnownDevices`).

        Raises `AuthRefused`: wrong_credentials (also for names that are not there), sign_in_limit, disabled;
        `StoreUnavailable`.
        """
        name = account_key(account)
        device = self.known.read(mark)
        attempt = Attempt("password", Actor(address=address), find=partial(_by_account, name))
        async with self._refusals.kept(attempt):
            async with self._attempts.begin() as attempted:
                if device is None:
                    await attempted.count(Of.ADDRESS, address_key(address))
                async with self._store.reading() as connection:
                    row = await people.credentials(connection, name)
                    user = attempt.user = None if row is None else UserId(row.id)
                    counted_by = await self._attempts.counted_by(connection, name, user, device, address)
                for of, text in counted_by:
                    await attempted.count(of, text)
                matches = await self.passwords.matches(row.password_hash if row is not None else None, password)
            if row is None or user is None or not matches:
                raise AuthRefused(Refusal.WRONG_CREDENTIALS)
            signed_in = await self.start_session(user, "password", address, proved_by=row)
            attempted.right()
            if self.passwords.is_outdated(row.password_hash):
                await self._renew_hash(user, row.password_hash, password)
            return signed_in

    async def sign_in_external(self, token: str, address: str = "", mark: str = "") -> SignedIn:
        """By a token of a configured identity provider; makes or changes the user as the provider says.

        Raises `AuthRefused`: bad_token, token_expired, disabled, wrong_credentials (nobody here by that account),
        sign_in_limit; `StoreUnavailable`.
        """
        attempt = Attempt("external", Actor(address=address))
        async with self._refusals.kept(attempt):
            async with self._attempts.begin(address, mark) as attempted:
                provider = self._providers.get(issuer_of(token))
                if provider is None:
                    raise AuthRefused(Refusal.BAD_TOKEN)
                attempt.agency = agency_of(self._store, provider.settings)
                identity = await provider.identity(token)
                user = attempt.user = await settle(self._store, provider.settings, identity, attempt.actor)
            attempted.undo()
            return await self.start_session(user, "external", address)

    async def start_session(
        self,
        user: UserId,
        way: str,
        address: str = "",
        device: DeviceId | None = None,
        proved_by: Row[Any] | None = None,
    ) -> SignedIn:
        """A session for a user who has proved himself by ``way``.

        ``proved_by``: where the hash stood that his password was compared with. Another node may have given him another
        password since, and ended all that had been signed in with the old one: this would be one more.
        Raises `AuthRefused`: disabled, unknown_user (also who was deleted meanwhile), wrong_credentials.
        """
        if self._directory.user(user) is None:
            await self._store.refresh()  # made a moment ago, at another node or by another phone of his
        person = self._enabled(user)
        now = self._clock()
        draft = SessionDraft(user, way, address, now + self._refresh_ms, device)
        async with self._store.writing() as connection:
            row = await people.held(connection, user)
            if row is None:
                raise AuthRefused(Refusal.UNKNOWN_USER)
            if proved_by is not None and _has_another_password(row, proved_by):
                raise AuthRefused(Refusal.WRONG_CREDENTIALS)
            session = await sessions.begin(connection, draft, now)
        actor = Actor(user, person.agency, address)
        self._audit(actor, "sign_in", session, {"way": way, "device": device})
        return self._signed_in(person, session, device, rotation=0)

    async def start_sessions(self, users: Sequence[UserId], way: str, access_s: int | None = None) -> list[SignedIn]:
        """One session for each of many users, in one transaction; ``access_s``: how long the access tokens live."""
        now = self._clock()
        drafts = [SessionDraft(user, way, "", now + self._refresh_ms) for user in users]
        async with self._store.writing() as connection:
            made = await sessions.begin_many(connection, drafts, now)
        return [
            self._signed_in(self._enabled(user), name, None, 0, access_s)
            for user, name in zip(users, made, strict=True)
        ]

    async def invite(self, actor: Actor, user: UserId, device_name: str = "") -> tuple[str, int]:
        """An enrolment code for ``user``, to be shown once, and when it expires (ms)."""
        person = self._enabled(user)
        code = base64.b32encode(secrets.token_bytes(CODE_BYTES)).decode().rstrip("=").lower()
        async with self._store.change(actor, self._clock()) as change:
            expires = change.at_ms + round(self.settings.enrolment_hours * 3_600_000)
            await sessions.create_enrolment(change, person.agency, user, _code_hash(code), expires, device_name)
        return code, expires

    async def enrol(self, code: str, device_name: str = "", address: str = "", mark: str = "") -> SignedIn:
        """Spend a code: a new device and its session. Raises `AuthRefused`: enrolment_spent, sign_in_limit."""
        kept = _code_hash(code.strip().lower())
        attempt = Attempt("enrolment", Actor(address=address), find=partial(sessions.enrolled_by, code_hash=kept))
        async with self._refusals.kept(attempt):
            async with self._attempts.begin(address, mark) as attempted:
                if len(code) > MAX_CODE_CHARS:
                    raise AuthRefused(Refusal.ENROLMENT_SPENT)
                async with self._store.change(attempt.actor, self._clock()) as change:
                    row = await sessions.spend_enrolment(change, kept)
                    attempt.user = UserId(row.user_id)
                    person = self._enabled(attempt.user)
                    device = await sessions.create_device(
                        change, person.agency, person.id, device_name or row.device_name or person.name
                    )
            attempted.undo()
            return await self.start_session(person.id, "enrolment", address, device)

    # --- staying and leaving ---------------------------------------------------------------------------------------

    async def refresh(self, token: str, address: str = "") -> SignedIn:
        """A new pair of tokens for a refresh token; each can be used once.

        While SQL is away, or has not answered within a second, a phone that is known is renewed by what is in memory. A
        token that is older than memory of ended sessions has to wait for SQL: its session may be over.
        A token used again later than ``refresh_grace_s`` was stolen or copied: its session ends.
        Raises `AuthRefused`: bad_token, token_expired, disabled; `StoreUnavailable`.
        """
        claims = self._tokens.read("refresh", token, self._clock())
        attempt = Attempt("refresh", Actor(address=address), claims.user, claims.device)
        async with self._refusals.kept(attempt, only=(Refusal.DISABLED,)):
            self._check_alive(claims)
        needs_sql = self._clock() - claims.issued_ms > REMEMBER_ENDED_MS
        try:
            async with asyncio.timeout(None if needs_sql else AT_ONCE_S):
                rotation = await self._rotate(claims)
        except (StoreUnavailable, TimeoutError):
            if needs_sql:
                raise
            return self._renewed_by_memory(claims)
        if rotation is None:
            log.warning("refresh_token_reused", session=claims.session, user=claims.user)
            await self.end_session(Actor(claims.user, claims.agency, address), claims.session, "refresh_reused")
            raise AuthRefused(Refusal.BAD_TOKEN)
        return self._signed_in(self._enabled(claims.user), claims.session, claims.device, rotation)

    async def sign_out(self, claims: Claims, address: str = "") -> None:
        """End the session of ``claims``, at once and everywhere."""
        await self.end_session(Actor(claims.user, claims.agency, address), claims.session, "signed_out")

    async def sign_out_by_refresh(self, token: str, address: str = "") -> None:
        """End the session of a refresh token: the access token may be over already. Raises `AuthRefused`."""
        await self.sign_out(self._tokens.read("refresh", token, self._clock()), address)

    async def end_session(self, actor: Actor, session: str, reason: str) -> None:
        """End a session, at once and everywhere; one that has ended stays ended.

        Also while SQL is away or hangs, on the nodes that hear this one; on any other when SQL is back.
        """
        said = audit.entry(actor, self._clock(), "session.end", "session", session, {"reason": reason})
        try:
            async with asyncio.timeout(AT_ONCE_S), self._store.change(actor, said.at_ms) as change:
                await sessions.end(change, session, reason)
                change.entries = [replace(each, id=said.id) for each in change.entries]
        except (StoreUnavailable, TimeoutError):
            # It may be committed all the same: then the journal finds its entry in the audit.
            self._store.end_session(session, reason)
            self._store.journal.audit(said)

    async def set_password(self, actor: Actor, user: UserId, password: str, expected: int | None = None) -> None:
        """Give a user a new password and end what was signed in with the old one; enrolment codes that wait end, too.

        Refuses an older ``expected`` version of the user (stale).
        """
        kept = await self.passwords.hash(password)
        async with self._store.change(actor, self._clock()) as change:
            await people.set_password(change, user, kept, expected)
            await sessions.end_of_user(change, user, "password_changed")
            await sessions.end_enrolments(change, user)

    async def change_password(self, claims: Claims, old: str, new: str, address: str = "") -> None:
        """Change one's own password. Raises `AuthRefused`: wrong_credentials, sign_in_limit; `StoreUnavailable`."""
        actor = Actor(claims.user, claims.agency, address)
        async with self._refusals.kept(Attempt("password", actor, claims.user, action="user.password")):
            # Who has a session is no stranger: what others fail at his address does not keep him from this.
            async with self._attempts.begin() as attempted:
                await attempted.count(Of.KNOWN, f"{claims.session} {claims.user}")
                async with self._store.reading() as connection:
                    row = await people.user_row(connection, claims.user)
                matches = row is not None and await self.passwords.matches(row.password_hash, old)
            if not matches:
                raise AuthRefused(Refusal.WRONG_CREDENTIALS)
        attempted.right()
        await self.set_password(actor, claims.user, new)

    # --- inside ----------------------------------------------------------------------------------------------------

    @property
    def _refresh_ms(self) -> int:
        return round(self.settings.refresh_days * 86_400_000)

    def _check_alive(self, claims: Claims) -> None:
        snapshot = self._directory.snapshot
        user = snapshot.users.get(claims.user)
        if user is None or user.agency != claims.agency or claims.session in snapshot.ended_sessions:
            raise AuthRefused(Refusal.BAD_TOKEN)
        device = snapshot.devices.get(claims.device) if claims.device is not None else None
        if not user.enabled or (claims.device is not None and (device is None or not device.enabled)):
            raise AuthRefused(Refusal.DISABLED)

    def _enabled(self, user: UserId) -> User:
        person = self._directory.user(user)
        if person is None:
            raise AuthRefused(Refusal.UNKNOWN_USER)
        if not person.enabled:
            raise AuthRefused(Refusal.DISABLED)
        return person

    def _signed_in(
        self, person: User, session: str, device: DeviceId | None, rotation: int, access_s: int | None = None
    ) -> SignedIn:
        now = self._clock()
        seconds = access_s or self.settings.access_s
        access = Claims(person.id, person.agency, session, device, now, now + seconds * 1000)
        refresh = Claims(person.id, person.agency, session, device, now, now + self._refresh_ms, rotation)
        return SignedIn(
            person, session, self._tokens.sign("access", access), seconds, self._tokens.sign("refresh", refresh)
        )

    def _renewed_by_memory(self, claims: Claims) -> SignedIn:
        """Counts on from what the phone has: SQL may have counted it, and given up before it said so.

        The new refresh token is as old as the one it is for: it does not outlive memory of ended sessions.
        """
        self._check_alive(claims)
        held = self._signed_in(self._enabled(claims.user), claims.session, claims.device, 0)
        return replace(held, refresh_token=self._tokens.sign("refresh", replace(claims, rotation=claims.rotation + 1)))

    async def _rotate(self, claims: Claims) -> int | None:
        """The rotation of the new refresh token; None when the one shown was used before."""
        now = self._clock()
        async with self._store.writing() as connection:
            for _ in range(2):
                row = await sessions.session_row(connection, claims.session)
                if row is None or row.ended_ms is not None or row.user_id != claims.user:
                    raise AuthRefused(Refusal.BAD_TOKEN)
                # A newer token than SQL knows: it was renewed while SQL was away, or SQL came back from a backup.
                if claims.rotation >= row.rotation:
                    expires = now + self._refresh_ms
                    if await sessions.rotate(connection, row.id, row.rotation, claims.rotation + 1, now, expires):
                        return claims.rotation + 1
                    continue
                newest = claims.rotation == row.rotation - 1
                if newest and now - row.rotated_ms <= self.settings.refresh_grace_s * 1000:
                    return int(row.rotation)
                break
        return None

    async def _renew_hash(self, user: UserId, before: str, password: str) -> None:
        """Keep a hash by the settings of now. Where that cannot be done, it is at the next sign-in."""
        with suppress(Refused):
            after = await self.passwords.renewed(password)
            async with self._store.writing() as connection:
                await people.renew_hash(connection, user, before, after)

    def _audit(self, actor: Actor, action: str, session: str, detail: dict[str, object]) -> None:
        self._store.journal.audit(audit.entry(actor, self._clock(), action, "session", session, detail))


def _has_another_password(now: Row[Any], before: Row[Any]) -> bool:
    """A newer hash of the same password leaves the version as it is."""
    return bool(now.password_hash != before.password_hash and now.version != before.version)


async def _by_account(name: str, connection: Connection) -> UserId | None:
    row = await people.credentials(connection, name)
    return None if row is None else UserId(row.id)


def _code_hash(code: str) -> bytes:
    """Codes are looked up by hash: comparing takes the same time however much of a guess is right."""
    return hashlib.sha256(code.encode("utf-8", "replace")).digest()
