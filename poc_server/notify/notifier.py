"""The notifier: wakes people whose phones are not connected, again and again where an attempt failed for the moment.

What is told is sorted by urgency into lanes that know nothing of each other (`poc_server.notify.lane`).
Nothing here is waited for by those who call: what is to be told is in SQL already and is told on return in any case.
Endpoints, headers and numbers are secrets and stand in no log.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from urllib.parse import urlsplit

import httpx
import structlog

from gateway.waking import web_push
from gateway.waking.notice import Notice, Outcome, Urgency, outcome_of
from gateway.waking.templated import HttpNotifier, filled_body, filled_header, filled_url
from gateway.waking.web_push import Subscription, Vapid
from groups.vocabulary import UserId
from poc_server.ground.metrics import Reading
from poc_server.ground.refused import Refused
from poc_server.notify import words
from poc_server.notify.lane import Lane
from poc_server.notify.settings import NotifySettings
from poc_server.store import Store, push
from poc_server.store.push import KeptSubscription

log = structlog.get_logger(__name__)
MAX_TEXT_CHARS = 400
"""Of a message, in a notification; the whole of it is on the page."""
Attempt = Callable[[], Awaitable[Outcome]]


class Notifier:
    """Wakes people. ``public_url`` begins the links that vendors are given."""

    def __init__(self, settings: NotifySettings, store: Store, vapid: Vapid | None, public_url: str = "") -> None:
        self.settings = settings
        self.vapid = vapid
        self._store = store
        self._public = public_url
        self._lanes = {each: Lane(self._tell, settings.waiting_limit, settings.at_once) for each in Urgency}
        self._counts: Counter[str] = Counter()
        # Environment proxies are for browsing; redirects could lead anywhere. The lanes bound what is under way.
        self._client = httpx.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            timeout=settings.timeout_s,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=settings.at_once),
        )

    def start(self) -> None:
        """Begin; needs a running loop."""
        for lane in self._lanes.values():
            lane.start()

    async def aclose(self) -> None:
        """Stop; what waits is told on return."""
        for lane in self._lanes.values():
            await lane.aclose()
        await self._client.aclose()

    def wake(self, users: Iterable[UserId], notice: Notice) -> None:
        """Wake these people, soon. Never waits, never fails; beyond the bound of its urgency counted as dropped."""
        wanted = tuple(users)
        if not wanted or (self.vapid is None and not self.settings.http):
            return
        if not self._lanes[notice.urgency].put(notice, wanted):
            self._counts["dropped"] += len(wanted)

    def readings(self) -> Iterator[Reading]:
        """For metrics."""
        yield "poc_notify_waiting", "People who wait to be woken", sum(lane.people for lane in self._lanes.values())
        for name in ("sent", "gone", "failed", "dropped"):
            yield f"poc_notify_{name}_total", f"Notifications {name}", self._counts[name]

    # --- private ---

    async def _tell(self, lane: Lane, notice: Notice, users: tuple[UserId, ...]) -> None:
        try:
            await self._begin(lane, notice, users)
        except Refused as refused:
            self._counts["failed"] += len(users)
            log.warning("notify_without_sql", kind=notice.kind.value, code=refused.code)
        except Exception:
            log.exception("notify_failed", kind=notice.kind.value)

    async def _begin(self, lane: Lane, notice: Notice, users: tuple[UserId, ...]) -> None:
        targets = [each for each in self.settings.http if _wanted(each, notice)]
        subscriptions, numbers = await self._addresses(users, notice, numbered=bool(targets))
        for kept in subscriptions:
            await lane.begin(self._pushed(kept, notice))
        for target in targets:
            for user in users:
                await lane.begin(self._sent(target, notice, user, numbers.get(user, "")))

    async def _addresses(
        self, users: tuple[UserId, ...], notice: Notice, *, numbered: bool
    ) -> tuple[list[KeptSubscription], dict[UserId, str]]:
        """Where these are reached; while SQL is away it is asked as often as an attempt is made. Raises `Refused`."""
        pause = self.settings.retry_s
        for left in range(self.settings.retries, -1, -1):
            try:
                async with self._store.reading() as connection:
                    subscriptions = await push.of_users(connection, users) if self.vapid is not None else []
                    numbers = await push.phone_numbers(connection, users) if numbered else {}
            except Refused as refused:
                if not left:
                    raise
                log.info("notify_waits_for_sql", kind=notice.kind.value, code=refused.code)
                await asyncio.sleep(pause)
                pause *= 2
            else:
                return subscriptions, numbers
        raise AssertionError("the last try returns or raises")

    async def _attempts(self, attempt: Attempt, to: str, notice: Notice) -> Outcome:
        pause, outcome = self.settings.retry_s, Outcome.AGAIN
        for left in range(self.settings.retries, -1, -1):
            try:
                outcome = await attempt()
            except (httpx.HTTPError, OSError) as problem:
                # The text of these may hold the address: only their kind is told.
                log.info("notify_attempt", to=to, kind=notice.kind.value, problem=type(problem).__name__)
                outcome = Outcome.AGAIN
            if outcome is not Outcome.AGAIN or not left:
                break
            await asyncio.sleep(pause)
            pause *= 2
        name = {Outcome.SENT: "sent", Outcome.GONE: "gone"}.get(outcome, "failed")
        self._counts[name] += 1
        if name == "failed":
            log.warning("notify_failed", to=to, kind=notice.kind.value, outcome=outcome.value)
        return outcome

    async def _pushed(self, kept: KeptSubscription, notice: Notice) -> None:
        vapid = self.vapid
        if vapid is None:
            return
        to = Subscription(kept.endpoint, kept.p256dh, kept.auth)
        sealed = web_push.seal(to, _payload(notice, kept.language))
        headers = {
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(self.settings.ttl_s),
            "Urgency": "high" if notice.urgent else "normal",
        }

        async def attempt() -> Outcome:
            signed = headers | vapid.headers(to, self._store.clock() // 1_000)
            return outcome_of((await self._client.post(to.endpoint, content=sealed, headers=signed)).status_code)

        if await self._attempts(attempt, to.host, notice) is Outcome.GONE:
            async with self._store.writing() as connection:
                await push.forget(connection, [kept.id])

    async def _sent(self, target: HttpNotifier, notice: Notice, user: UserId, phone: str) -> None:
        values = self._values(notice, user, phone)
        url = filled_url(target.url, values)
        headers = {name: filled_header(value.get_secret_value(), values) for name, value in target.headers.items()}
        body = None if target.method == "GET" else filled_body(target, values)
        if body is not None:
            headers.setdefault("Content-Type", f"{target.content_type}; charset=utf-8")

        async def attempt() -> Outcome:
            answer = await self._client.request(target.method, url, content=body, headers=headers)
            outcome = outcome_of(answer.status_code)
            return Outcome.NEVER if outcome is Outcome.GONE else outcome

        await self._attempts(attempt, f"{target.name}@{urlsplit(target.url).hostname}", notice)

    def _values(self, notice: Notice, user: UserId, phone: str) -> dict[str, str]:
        known = self._store.directory.user(user)
        return {
            "user": user,
            "name": known.name if known else "",
            "badge": known.badge if known else "",
            "phone": phone,
            "kind": notice.kind.value,
            "id": notice.id,
            "by": notice.by,
            "title": words.title(notice, self.settings.language),
            "text": notice.text[:MAX_TEXT_CHARS],
            "tier": str(int(notice.tier)),
            "attempt": str(notice.attempt),
            "url": f"{self._public}{words.page(notice)}",
        }


def _wanted(target: HttpNotifier, notice: Notice) -> bool:
    return (
        notice.kind in target.kinds
        and notice.attempt >= target.from_attempt
        and (notice.urgent or not target.urgent_only)
    )


def _payload(notice: Notice, language: str) -> bytes:
    told = {
        "kind": notice.kind.value,
        "id": notice.id,
        "title": words.title(notice, language),
        "body": notice.text[:MAX_TEXT_CHARS],
        "urgent": notice.urgent,
        "url": words.page(notice),
    }
    return json.dumps(told, ensure_ascii=False).encode()
