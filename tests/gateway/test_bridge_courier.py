"""The courier on both real databases before a real receiver that is slow, busy, or asks for a pause."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import httpx
import pytest

from gateway.delivery.courier import Courier
from gateway.delivery.outbox import DELAYS_MS, PROBE_CAP_MS, Policy
from gateway.delivery.receiver import Receiver
from gateway.incidents.document import read_document
from groups.vocabulary import IncidentCode
from poc_server.bridge.bridge import Bridge
from poc_server.bridge.links import Links
from poc_server.bridge.materials import Gatherer
from poc_server.bridge.setup import Setup
from poc_server.store.bridge import outbox
from poc_server.store.bridge.outbox import SqlOutbox
from poc_server.store.ids import now_ms
from tests.fixtures.people import Town
from tests.gateway.told import Told

pytestmark = pytest.mark.wire
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]
TIMEOUT_S = 0.5
SECRET = "whsec_Y2hvb3NlLXlvdXItb3duLXNlY3JldA=="


class Replies:
    """A receiver on the loopback; each message is answered by the next of ``answers``, the last one again and again."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.ids: list[str] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        await reader.readexactly(int(fields["content-length"]))
        self.ids.append(fields["webhook-id"])
        await (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(writer)
        writer.close()


def says(status: int, **headers: str) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
        writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 0\r\n{''.join(lines)}\r\n".encode())
        await writer.drain()

    return answer


def after(seconds: float) -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(seconds)
        await says(204)(writer)

    return answer


async def hangs_up(writer: asyncio.StreamWriter) -> None:
    """Says nothing; who carries to it may as well have found nobody."""


async def never(writer: asyncio.StreamWriter) -> None:
    """Takes it, and says nothing for longer than anybody waits."""
    await asyncio.sleep(2 * TIMEOUT_S)


@asynccontextmanager
async def receiving(*answers: Answer) -> AsyncIterator[Replies]:
    replies = Replies(*answers)
    server = await asyncio.start_server(replies.serve, "127.0.0.1", 0)
    replies.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    async with server:
        yield replies


class Desk:
    """Incidents with two events each, a courier to carry them, and a clock that is set by hand."""

    def __init__(self, town: Town, folder: Path, url: str, client: httpx.AsyncClient) -> None:
        receiver = Receiver.model_validate({"id": "cases", "url": url, "timeout_s": TIMEOUT_S, "secrets": [SECRET]})
        self.now = town.clock.now
        self.box = SqlOutbox(town.store.database, "cases", town.agency, receiver.wants, 60_000)
        gatherer = Gatherer(town.store, Links(b"k", "", 60_000), folder)
        self.courier = Courier(receiver, None, self.box, gatherer, client, "/poc", lambda: self.now)

    async def carry(self) -> int:
        return await self.courier.carry()

    async def until_due(self) -> int:
        """Sets the clock to when the next attempt may be; returns how many ms later that is."""
        due, health = await self.box.next_due(), await self.box.health()
        assert due is not None
        pause = max(due, health.probe_at or 0) - self.now
        self.now += pause
        return pause


@asynccontextmanager
async def desk(town: Town, folder: Path, url: str, codes: tuple[str, ...] = ("C1",)) -> AsyncIterator[Desk]:
    async with town.store.writing() as connection:
        await outbox.enter(connection, ["cases"])
    bridge = Bridge(Setup(), town.store, Told(), batch=32, waiting_limit=10)
    bridge.start()
    bridge.open.set()
    parties = [{"kind": "user", "id": await town.person()}]
    for code in codes:
        await bridge.news(town.agency, IncidentCode(code), read_document({"parties": parties}))
    # Patience as short as this is the client's own matter: what was set for the receiver counts.
    async with httpx.AsyncClient(timeout=TIMEOUT_S / 10, trust_env=False) as client:
        made = Desk(town, folder, url, client)
        made.now += 1_000  # everything waits already
        yield made
    await bridge.aclose()


async def test_a_receiver_may_take_its_time_up_to_what_was_set_and_no_longer(town: Town, tmp_path: Path) -> None:
    async with receiving(after(TIMEOUT_S / 2), never, says(204)) as replies, desk(town, tmp_path, replies.url) as found:
        assert await found.carry() == 1
        assert (await found.box.health()).failures == 0, "slow is not away"
        assert await found.carry() == 1
        health = await found.box.health()
        assert (health.failures, health.failing_since) == (1, found.now)
        assert await found.carry() == 0, "not before its time"
        assert DELAYS_MS[0] <= await found.until_due() <= DELAYS_MS[0] * 1.2
        assert await found.carry() == 1
        assert (await found.box.health()).failing_since is None
        assert await found.box.next_due() is None
        first, second, again = replies.ids
        assert second == again != first, "the same event, under the same id"


async def test_a_pause_that_a_receiver_asks_for_is_kept_in_seconds_and_as_a_date(town: Town, tmp_path: Path) -> None:
    then = town.clock.now // 1000 + 300
    date = format_datetime(datetime.fromtimestamp(then, UTC), usegmt=True)
    answers = says(429, retry_after="90"), says(503, retry_after=date), says(503, retry_after="soon"), says(200)
    async with receiving(*answers) as replies, desk(town, tmp_path, replies.url) as found:
        await found.carry()
        assert await found.until_due() == 90_000
        await found.carry()
        await found.until_due()
        assert found.now == then * 1000
        await found.carry()
        assert DELAYS_MS[2] <= await found.until_due() <= DELAYS_MS[2] * 1.2, "what cannot be read asks for nothing"
        await found.carry()
        assert len(set(replies.ids)) == 1
        await found.carry()
        assert len(set(replies.ids)) == 2


THREE = ("C1", "C2", "C3")
ASKS_FOR_AN_HOUR = says(503, retry_after="3600")


async def test_a_receiver_started_again_is_told_at_once_of_all_that_waits(town: Town, tmp_path: Path) -> None:
    answers = [ASKS_FOR_AN_HOUR] * 3
    async with receiving(*answers, says(204)) as replies, desk(town, tmp_path, replies.url, THREE) as found:
        assert await found.carry() == 3
        assert await found.carry() == 0
        async with town.store.writing() as connection:
            await outbox.start_again(connection, "cases")
        assert await found.carry() == 3
        assert sorted(replies.ids[:3]) == sorted(replies.ids[3:])


async def test_a_server_started_again_tries_a_receiver_that_was_away_at_once(town: Town, tmp_path: Path) -> None:
    async with receiving(says(204)) as replies, desk(town, tmp_path, "http://127.0.0.1:9/wrong", THREE) as found:
        assert await found.carry() == 3
        assert await found.carry() == 0
        async with town.store.writing() as connection:
            await outbox.enter(connection, ["cases"])
        right = Receiver.model_validate({"id": "cases", "url": replies.url, "secrets": [SECRET]})
        gatherer = Gatherer(town.store, Links(b"k", "", 60_000), tmp_path)
        async with httpx.AsyncClient(trust_env=False) as client:
            courier = Courier(right, None, found.box, gatherer, client, "/poc", lambda: found.now)
            assert await courier.carry() == 1, "one probes"
            assert await courier.carry() == 3


async def test_the_first_delivery_after_a_time_away_makes_the_others_due(town: Town, tmp_path: Path) -> None:
    answers = [ASKS_FOR_AN_HOUR, says(503), says(503)]
    async with receiving(*answers, says(204)) as replies, desk(town, tmp_path, replies.url, THREE) as found:
        assert await found.carry() == 3
        await found.until_due()
        assert await found.carry() == 1, "one probes"
        assert await found.carry() == 3, "and whatever pause the others had is over"


HOUR_MS, QUICKER = 3_600_000, 10_000


async def test_after_as_many_tries_as_an_hour_away_has_all_comes_once_and_in_order(town: Town, tmp_path: Path) -> None:
    """The courier as it runs, by the true clock; only that its pauses are ten thousand times shorter."""
    tries, away_ms = 0, 0
    while away_ms < HOUR_MS:
        away_ms += min(DELAYS_MS[min(tries, len(DELAYS_MS) - 1)], PROBE_CAP_MS)
        tries += 1
    assert tries == 16
    policy = Policy(tuple(max(1, delay // QUICKER) for delay in DELAYS_MS), probe_cap=PROBE_CAP_MS // QUICKER)
    answers = [hangs_up] * (len(THREE) + tries - 1)
    async with receiving(*answers, says(204)) as replies, desk(town, tmp_path, replies.url, THREE) as found:
        receiver = Receiver.model_validate({"id": "cases", "url": replies.url, "secrets": [SECRET]})
        gatherer = Gatherer(town.store, Links(b"k", "", 60_000), tmp_path)
        async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(60):
            courier = Courier(receiver, None, found.box, gatherer, client, "/poc", now_ms, policy)
            running = asyncio.create_task(courier.run())
            while await found.box.next_due() is not None:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            running.cancel()
        away, back = replies.ids[: len(answers)], replies.ids[len(answers) :]
        codes = [code.lower() for code in THREE]  # as `Replies` reads headers
        assert set(away) == {f"{code}/1/group.opened" for code in codes}, "nothing overtakes the first of its case"
        assert len(back) == 2 * len(THREE), "each once"
        for code in codes:
            own = [each for each in back if each.startswith(f"{code}/")]
            assert own == [f"{code}/1/group.opened", f"{code}/2/members.changed"]


async def test_gone_stays_said_though_another_of_the_same_moment_was_taken(town: Town, tmp_path: Path) -> None:
    async with receiving(says(410), says(204)) as replies, desk(town, tmp_path, replies.url, THREE) as found:
        assert await found.carry() == 3
        assert (await found.box.health()).stopped
        assert await found.carry() == 0
