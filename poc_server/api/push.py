"""Web Push: how a browser subscribes to be woken, and takes that back."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Response
from pydantic import Field

from gateway.waking.web_push import MAX_ENDPOINT_CHARS, BadSubscription, Subscription, check
from groups.vocabulary import Refusal
from poc_server.api.problems import documented
from poc_server.api.routes import routes_of
from poc_server.api.services import Services, SignedInCaller, Use
from poc_server.api.shapes import Body
from poc_server.ground.refused import Refused
from poc_server.notify import Notifier
from poc_server.store import push
from poc_server.store.push import KeptSubscription, subscription_id

router = routes_of("me", "/me/push")
Endpoint = Annotated[str, Field(min_length=1, max_length=MAX_ENDPOINT_CHARS)]
Key = Annotated[str, Field(min_length=1, max_length=128)]


class KeyOut(Body):
    """The ``applicationServerKey`` to subscribe with."""

    key: str


class KeysIn(Body):
    """As ``PushSubscription.toJSON()`` has them."""

    p256dh: Key
    auth: Key


class SubscriptionIn(Body):
    """A browser's subscription. ``language`` is that of what it will show."""

    endpoint: Endpoint
    keys: KeysIn
    language: Literal["zh-CN", "en"] = "zh-CN"


class EndpointIn(Body):
    """Which subscription to take back."""

    endpoint: Endpoint


def notifier_of(services: Services) -> Notifier:
    """The notifier. Refuses (unavailable) where Web Push is off."""
    if services.notifier is None or services.notifier.vapid is None:
        raise Refused(Refusal.UNAVAILABLE, "web push is off")
    return services.notifier


@router.get("", responses=documented(401, 503))
async def key(caller: SignedInCaller, services: Use) -> KeyOut:
    """The server's key, for a browser to subscribe with."""
    vapid = notifier_of(services).vapid
    return KeyOut(key="" if vapid is None else vapid.public)


@router.post("", status_code=204, responses=documented(401, 422, 503))
async def subscribe(body: SubscriptionIn, caller: SignedInCaller, services: Use) -> Response:
    """Wake this browser while it is not connected, until the sign-in ends."""
    settings = notifier_of(services).settings
    given = Subscription(body.endpoint, body.keys.p256dh, body.keys.auth)
    try:
        check(given, settings.push_hosts)
    except BadSubscription as problem:
        raise Refused(Refusal.BAD_MESSAGE, str(problem)) from None
    kept = KeptSubscription(
        subscription_id(given.endpoint),
        caller.user.id,
        caller.claims.session,
        given.endpoint,
        given.p256dh,
        given.auth,
        body.language,
    )
    async with services.store.writing() as connection:
        await push.keep(connection, kept, services.store.clock(), settings.subscriptions)
    return Response(status_code=204)


@router.delete("", status_code=204, responses=documented(401, 422, 503))
async def unsubscribe(body: EndpointIn, caller: SignedInCaller, services: Use) -> Response:
    """Wake it no longer."""
    async with services.store.writing() as connection:
        await push.forget_own(connection, caller.user.id, body.endpoint)
    return Response(status_code=204)
