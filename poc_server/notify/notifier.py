"""The notifier: wakes people whose phones are not connected, again and again where an attempt failed for the moment.

Nothing here is waited for by those who call: what is to be told is in SQL already and is told on return in any case.
Endpoints, headers and numbers are secrets and stand in no log.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import structlog

from gateway import web_push
from gateway.notice import Notice, Outcome, outcome_of
from gateway.templated import HttpNotifier, filled_body, filled_header, filled_url
from gateway.web_push import Subscription, Vapid
from groups.vocabulary import UserId
from poc_server.metrics import Reading
from poc_server.notify import words
from poc_server.notify.settings import NotifySettings
from poc_server.refused import Refused
from poc_server.store import Store, push
from poc_server.store.ids import now_ms
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
        self._waiting: deque[tuple[Notice, tuple[UserId, ...]]] = deque()
        self._people = 0
        self._came = asyncio.Event()
        self._slots = asyncio.Semaphore(settings.at_once)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._counts: Counter[str] = Counter()
        # Environment proxies are for browsing; redirects could lead anywhere.
        self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=settings.timeout_s)

    def start(self) -> None:
        """Begin; needs a running loop."""
        self._spawn(self._run())

    async def aclose(self) -> None:
        """Stop; what waits is told on return."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    def wake(self, users: Iterable[UserId], notice: Notice) -> None:
        """Wake these people, soon. Never waits and never fails; beyond the bound it is counted as dropped."""
        wanted = tuple(users)
        if not wanted or (self.vapid is None and not self.settings.http):
            return
        if self._people + len(wanted) > self.settings.waiting_limit:
            self._counts["dropped"] += len(wanted)
            return
        self._people += len(wanted)
        self._waiting.append((notice, wanted))
        self._came.set()

    def readings(self) -> Iterator[Reading]:
        """For metrics."""
        yield "poc_notify_waiting", "People who wait to be woken", self._people
        for name in ("sent", "gone", "failed", "dropped"):
            yield f"poc_notify_{name}_total", f"Notifications {name}", self._counts[name]

    # --- private ---

    async def _run(self) -> None:
        while True:
            await self._came.wait()
            self._came.clear()
            while self._waiting:
                notice, users = self._waiting.popleft()
                try:
                    await self._tell(notice, users)
                except Refused as refused:
                    self._counts["failed"] += len(users)
                    log.warning("notify_without_sql", kind=notice.kind.value, code=refused.code)
                except Exception:
                    log.exception("notify_failed", kind=notice.kind.value)
                finally:
                    self._people -= len(users)

    async def _tell(self, notice: Notice, users: tuple[UserId, ...]) -> None:
        targets = [each for each in self.settings.http if _wanted(each, notice)]
        async with self._store.reading() as connection:
            subscriptions = await push.of_users(connection, users) if self.vapid is not None else []
            numbers = await push.phone_numbers(connection, users) if targets else {}
        for kept in subscriptions:
            await self._begin(self._pushed(kept, notice))
        for target in targets:
            for user in users:
                await self._begin(self._sent(target, notice, user, numbers.get(user, "")))

    async def _begin(self, attempts: Coroutine[Any, Any, None]) -> None:
        await self._slots.acquire()
        task = self._spawn(attempts)
        task.add_done_callback(lambda _: self._slots.release())

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

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
            signed = headers | vapid.headers(to, now_ms() // 1_000)
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
