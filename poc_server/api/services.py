"""What routes work with, handed in once when the API is built, and who is calling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from groups.model import User
from groups.vocabulary import AgencyId, Refusal, UserId
from poc_server.api.at_once import AtOnce
from poc_server.api.plays import Plays
from poc_server.auth import Auth, Claims
from poc_server.bridge.opened import OpenBridge
from poc_server.city_map.settings import MapSettings
from poc_server.emergency import Emergency
from poc_server.ground.refused import Refused
from poc_server.notify import Notifier
from poc_server.recording.recordings import Recordings
from poc_server.recording.settings import RecordingSettings
from poc_server.store import Actor, Directory, Snapshot, Store, audit
from poc_server.talk.people_watch import PeopleWatch


@dataclass(frozen=True, slots=True)
class Services:
    """The parts the API needs. ``offered``: whom a visitor of a demo may step into, in order; never in production.

    ``recordings`` is None where nothing is recorded; ``bridge``, ``emergency`` and ``presence`` (who is there now)
    where there is none (tests of other parts). ``connected``: whose session that is, if a phone is connected by it.
    """

    store: Store
    auth: Auth
    offered: Callable[[Snapshot], Sequence[User]] | None = None
    recordings: Recordings | None = None
    bridge: OpenBridge | None = None
    emergency: Emergency | None = None
    presence: PeopleWatch | None = None
    connected: Callable[[str], UserId | None] = lambda _session: None
    notifier: Notifier | None = None
    city_map: MapSettings = field(default_factory=MapSettings)
    at_once: AtOnce = field(default_factory=AtOnce)
    plays: Plays = field(default_factory=lambda: Plays(RecordingSettings().play_s * 1_000))

    @property
    def directory(self) -> Directory:
        """The in-memory directory."""
        return self.store.directory

    def audit(
        self,
        actor: Actor,
        action: str,
        target_kind: str,
        target: str,
        detail: Mapping[str, Any] | None = None,
        agency: AgencyId | None = None,
    ) -> None:
        """Write into the audit what ``actor`` did just now, by the clock of all nodes; otherwise as `audit.entry`."""
        at_ms = self.store.clock()
        self.store.journal.audit(audit.entry(actor, at_ms, action, target_kind, target, detail, agency))


@dataclass(frozen=True, slots=True)
class Caller:
    """One who came with a valid access token."""

    user: User
    claims: Claims
    actor: Actor


# What a route depends on is a coroutine, though nothing in it waits: FastAPI would send anything else to a thread.


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Use = Annotated[Services, Depends(_services)]


async def bridge_of(services: Use) -> OpenBridge:
    """The bridge. Refuses not_signed_in where there is none."""
    if services.bridge is None:
        # Where there is no bridge no system can prove itself.
        raise Refused(Refusal.NOT_SIGNED_IN, "no bridge")
    return services.bridge


UseBridge = Annotated[OpenBridge, Depends(bridge_of)]
_bearer = HTTPBearer(auto_error=False, bearerFormat="JWT", description="Access token of a sign-in")


def address_of(request: Request) -> str:
    """Where the request comes from, as the server (or the trusted proxy before it) saw it."""
    # A socket for both families writes IPv4 as ::ffff:192.0.2.1; the limits and the audit know one form of each.
    return request.client.host.removeprefix("::ffff:") if request.client else ""


def bearer_of(request: Request) -> HTTPAuthorizationCredentials | None:
    """What stands behind ``Bearer`` in the request, whoever it belongs to."""
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credentials.strip():
        return None
    return HTTPAuthorizationCredentials(scheme=scheme, credentials=credentials.strip())


async def _proven(
    request: Request, services: Use, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """The one whose access token it is. Refuses not_signed_in, bad_token, token_expired."""
    if bearer is None:
        raise Refused(Refusal.NOT_SIGNED_IN)
    claims = services.auth.verify_access(bearer.credentials)
    user = services.directory.user(claims.user)
    if user is None:
        raise Refused(Refusal.BAD_TOKEN)
    return Caller(user, claims, Actor(user.id, user.agency, address_of(request)))


async def caller_of(
    request: Request, services: Use, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """The same; refuses too_fast, too, when he asks for more at once than one may."""
    caller = await _proven(request, services, bearer)
    services.at_once.enter(request, caller.user.id)
    return caller


async def _in_need(
    request: Request, services: Use, bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Caller:
    """The same for an SOS, which no other request of his stands in the way of."""
    caller = await _proven(request, services, bearer)
    services.at_once.enter(request, f"sos {caller.user.id}")
    return caller


CallerInNeed = Annotated[Caller, Depends(_in_need)]
SignedInCaller = Annotated[Caller, Depends(caller_of)]


async def _address(request: Request) -> str:
    return address_of(request)


Address = Annotated[str, Depends(_address)]
