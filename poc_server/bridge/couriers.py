"""Couriers to every receiver and pollers of every endpoint, as tasks of this process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import httpx
import structlog

from gateway.delivery.courier import Courier
from gateway.delivery.outbox import Delivery, Status, replayed
from gateway.delivery.receiver import Receiver
from gateway.polling import Poller
from groups.vocabulary import Refusal
from poc_server.bridge.bridge import Bridge
from poc_server.bridge.materials import Gatherer
from poc_server.bridge.senders import Inbox, PollInbox
from poc_server.ground.metrics import Reading
from poc_server.ground.refused import Refused, StoreUnavailable
from poc_server.store import Store
from poc_server.store.bridge import heard, outbox, polls
from poc_server.store.bridge.outbox import SqlOutbox

log = structlog.get_logger(__name__)

CLAIM_MARGIN_MS = 5_000
RESTART_S = 1.0
LOOK_EVERY_S = 0.5
COUNT_EVERY_S = 5.0
PRUNE_EVERY_S = 3_600.0
DAY_MS = 86_400_000
CONNECTIONS = 64


class Couriers:
    """Carries events out and polls; every task is started anew when it fails."""

    def __init__(self, bridge: Bridge, inbox: Inbox, store: Store, gatherer: Gatherer, delivered_days: float) -> None:
        self._bridge, self._inbox, self._store, self._gatherer = bridge, inbox, store, gatherer
        self._delivered_ms = round(delivered_days * DAY_MS)
        self._receivers = {receiver.id: receiver for receiver in bridge.setup.file.receivers}
        self._couriers: list[Courier] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._polls: list[PollInbox] = []
        self._failing = {"receivers": 0, "polls": 0}
        self._counts: dict[tuple[str, str], int] = {}
        # Environment proxies are for browsing; a receiver is reached directly.
        self._client = httpx.AsyncClient(limits=httpx.Limits(max_connections=CONNECTIONS), trust_env=False)

    def start(self) -> None:
        """Begin to carry and to poll."""
        for receiver in self._receivers.values():
            self._tasks.append(asyncio.create_task(self._carry(receiver), name=f"courier-{receiver.id}"))
        for plan in self._bridge.setup.file.polls:
            port = PollInbox(plan, self._inbox, self._store)
            self._polls.append(port)
            poller = Poller(plan, self._bridge.setup.mappings[plan.mapping], port, self._client, self._store.clock)
            self._tasks.append(asyncio.create_task(_kept_alive(poller.run, plan.id), name=f"poll-{plan.id}"))
        self._tasks.append(asyncio.create_task(self._enter(), name="receivers"))
        self._tasks.append(asyncio.create_task(_kept_alive(self._look_after, "outbox"), name="outbox"))
        self._bridge.telling.on_committed.append(self.wake)

    async def aclose(self) -> None:
        """Stop; what was under way is tried again by the next one."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # Without it the others wait until the time is over for which these were held.
        await asyncio.gather(*(each.release() for each in self._polls), return_exceptions=True)
        await self._client.aclose()

    def wake(self) -> None:
        """There is something new to carry."""
        for courier in self._couriers:
            courier.wake()

    def readings(self) -> Iterator[Reading]:
        """For metrics."""
        yield "poc_bridge_news_total", "Pieces of news taken", self._bridge.telling.taken
        yield "poc_bridge_news_discarded_total", "Of them repeated or too old", self._bridge.telling.discarded
        yield "poc_bridge_news_waiting", "Pieces of news on their way into SQL", self._bridge.waiting
        yield "poc_bridge_unproved_total", "Messages that no sender proved to be his", self._inbox.unproved
        yield "poc_bridge_news_refused_total", "Pieces that could not be taken, each once", self._inbox.refused
        for kind, count in self._failing.items():
            yield f"poc_bridge_{kind}_failing", f"Of the bridge's {kind}, those that fail or were stopped", count
        for status, text in ((Status.WAITING, "Deliveries that wait"), (Status.DEAD, "Dead letters")):
            number = sum(count for (_, found), count in self._counts.items() if found == status.value)
            yield f"poc_bridge_deliveries_{status.value}", text, number

    def receiver(self, name: str) -> Receiver:
        """A receiver by its id. Refuses not_found."""
        found = self._receivers.get(name)
        if found is None:
            raise Refused(Refusal.NOT_FOUND, "receiver")
        return found

    @property
    def receivers(self) -> tuple[Receiver, ...]:
        """All receivers."""
        return tuple(self._receivers.values())

    def outbox_of(self, receiver: Receiver) -> SqlOutbox:
        """The outbox as this receiver's courier sees it."""
        claim_ms = round(receiver.timeout_s * 1000) + CLAIM_MARGIN_MS
        return SqlOutbox(self._store.database, receiver.id, self._bridge.agency(), receiver.wants, claim_ms)

    async def dead_letters(self, receiver: str, limit: int, after: str = "") -> list[Delivery]:
        """What a receiver never took, the oldest first; ``after``: the event of the last one before."""
        async with self._store.reading() as connection:
            return await outbox.dead_letters(connection, self.receiver(receiver).id, limit, after)

    async def replay(self, receiver: str, limit: int) -> int:
        """Puts dead letters back, the oldest first; returns how many."""
        found = await self.dead_letters(receiver, limit)
        async with self._store.writing() as connection:
            for each in found:
                await outbox.write(connection, replayed(each, self._store.clock()))
        self.wake()
        return len(found)

    async def start_again(self, receiver: str) -> None:
        """A receiver that was stopped or is down is tried at once."""
        async with self._store.writing() as connection:
            await outbox.start_again(connection, self.receiver(receiver).id)
        self.wake()

    async def _carry(self, receiver: Receiver) -> None:
        async def run() -> None:
            mapping = self._bridge.setup.mapping(receiver.mapping)
            agency = self._bridge.agency()
            courier = Courier(
                receiver,
                mapping,
                self.outbox_of(receiver),
                self._gatherer,
                self._client,
                f"/poc/{agency}",
                self._store.clock,
                self._bridge.setup.file.retry.policy(),
            )
            self._couriers.append(courier)
            try:
                await courier.run()
            finally:
                self._couriers.remove(courier)

        await _kept_alive(run, receiver.id)

    async def _enter(self) -> None:
        """Nothing happens before every receiver is known, else it would not be told of it."""
        while not self._bridge.open.is_set():
            try:
                async with self._store.writing() as connection:
                    await outbox.enter(connection, self._receivers)
                self._bridge.open.set()
                # One that was away is to be tried now; its courier may have looked before, and lies down for long.
                self.wake()
            except StoreUnavailable:
                await asyncio.sleep(RESTART_S)

    async def _look_after(self) -> None:
        """Wakes couriers for events that others wrote (the journal, another node), counts, forgets old deliveries."""
        pruned, counted, head = -PRUNE_EVERY_S, -COUNT_EVERY_S, -1
        loop = asyncio.get_running_loop()
        # Where nobody is told of events, nobody waits for one: a node with nothing to do is not to be woken for that.
        pause_s = LOOK_EVERY_S if self._receivers else COUNT_EVERY_S
        while True:
            async with self._store.reading() as connection:
                before, head = head, await outbox.head(connection)
                if loop.time() - counted >= COUNT_EVERY_S:
                    counted = loop.time()
                    self._counts = await outbox.counts(connection)
                    self._failing = {
                        "receivers": await outbox.failing(connection, self._receivers),
                        "polls": await polls.failing(connection, [each.id for each in self._bridge.setup.file.polls]),
                    }
            if head != before:
                self.wake()
            if loop.time() - pruned >= PRUNE_EVERY_S:
                pruned = loop.time()
                async with self._store.writing() as connection:
                    await outbox.prune(connection, self._store.clock() - self._delivered_ms)
                    await heard.forget(connection, self._store.clock())
            await asyncio.sleep(pause_s)


async def _kept_alive(run: Callable[[], Awaitable[None]], name: str) -> None:
    """Runs a task for ever: SQL may be away, an agency may not be there yet."""
    while True:
        try:
            await run()
        except StoreUnavailable:
            pass
        except Refused as problem:
            log.warning("bridge_waits", name=name, problem=str(problem))
        except Exception:
            log.exception("bridge_task_failed", name=name)
        await asyncio.sleep(RESTART_S)
