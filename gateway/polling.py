"""Polling a list endpoint of a system that sends nothing by itself.

Each round reads pages from the cursor on, a little before it (their clock may be off, and rows may be committed late):
what was seen already is known by its version and does nothing. The cursor moves only after the round was taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Literal, Protocol

import httpx
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, SecretStr

from gateway.incidents.document import MAX_BODY_BYTES, read_json
from gateway.mapping.inbound import Item, read_items
from gateway.mapping.mapping import MappingFile
from gateway.mapping.times import local_text
from signaling.messages import Refused

INTERVAL_S = 15.0
OVERLAP_S = 120
MAX_PAGES = 50
"""Pages one round reads; what is left comes with the next round."""
PAUSE_CAP_S = 60.0
"""Longest pause after failures: when their system is back, nobody waits longer to be dispatched."""


class PollPlan(BaseModel):
    """Which endpoint, how often, and how it is asked. Parameters may hold {since}, {page} and {size}.

    ``since``: how the cursor is written: a strftime format, ``ms`` or ``s`` of the newest ``at``, or ``number``, the
    highest ``version``, for a counter that runs over all cases.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: HttpUrl
    method: Literal["GET", "POST"] = "GET"
    parameters: dict[str, str] = Field(default_factory=dict)
    headers: dict[str, SecretStr] = Field(default_factory=dict)
    since: str = "ms"
    first_page: Annotated[int, Field(ge=0, le=1)] = 1
    page_size: Annotated[int, Field(ge=1, le=1_000)] = 100
    interval_s: Annotated[float, Field(ge=1, le=3_600)] = INTERVAL_S
    overlap_s: Annotated[int, Field(ge=0, le=86_400)] = OVERLAP_S
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 15.0


@dataclass(frozen=True, slots=True)
class PollState:
    """Where polling stands: the latest moment (ms) or highest number taken, and how often in a row it failed."""

    cursor: int = 0
    failures: int = 0
    last_error: str = ""


class NotInOrder(Exception):
    """A list too long for one round cannot be continued by its cursor unless it begins with the oldest."""


class PollPort(Protocol):
    """Where rounds go and the state is kept."""

    async def load(self) -> PollState | None:
        """The state as it was saved last; None: another node polls this endpoint just now."""
        ...

    async def take(self, items: tuple[Item, ...], after: PollState) -> None:
        """Takes the news and saves the state; either both or none."""
        ...

    async def save(self, state: PollState) -> None:
        """Saves the state alone, after a failure."""
        ...


def parameters(plan: PollPlan, mapping: MappingFile, state: PollState, page: int) -> dict[str, str]:
    """The parameters of one request."""
    overlap = 0 if plan.since == "number" else plan.overlap_s * 1000
    since = _written(max(0, state.cursor - overlap), plan.since, mapping.utc_offset_minutes)
    words = {"{since}": since, "{page}": str(page), "{size}": str(plan.page_size)}
    filled = dict(plan.parameters)
    for placeholder, word in words.items():
        filled = {name: value.replace(placeholder, word) for name, value in filled.items()}
    return filled


def taken(plan: PollPlan, state: PollState, items: tuple[Item, ...], now: int) -> PollState:
    """The state after a round whose items were taken.

    A time of theirs that lies ahead of our clock moves the cursor no further than to now: one wrong row must not hide
    all that follow.
    """
    ahead = max([state.cursor, *_marks(plan, items)])
    return PollState(cursor=ahead if plan.since == "number" else min(ahead, max(now, state.cursor)))


def _marks(plan: PollPlan, items: Iterable[Item]) -> list[int]:
    """What the cursor is compared with: their counter, or their moments."""
    documents = [item.document for item in items if item.document]
    marks = [document.version if plan.since == "number" else document.at for document in documents]
    return [mark for mark in marks if mark is not None]


def failed(state: PollState, error: str) -> PollState:
    """The state after a round that failed."""
    return replace(state, failures=state.failures + 1, last_error=error[:300])


def pause_s(plan: PollPlan, state: PollState) -> float:
    """How long until the next round: longer with each failure, to the cap."""
    return min(max(PAUSE_CAP_S, plan.interval_s), plan.interval_s * float(1 << min(state.failures, 16)))


class Poller:
    """Reads one endpoint round by round until it is cancelled."""

    def __init__(
        self,
        plan: PollPlan,
        mapping: MappingFile,
        port: PollPort,
        client: httpx.AsyncClient,
        clock: Callable[[], int],
    ) -> None:
        self._plan, self._mapping, self._port, self._client = plan, mapping, port, client
        self._clock = clock

    async def run(self) -> None:
        """Rounds for ever; a failing one never ends it."""
        while True:
            state = await self.round()
            await asyncio.sleep(pause_s(self._plan, state))

    async def round(self) -> PollState:
        """One round; returns the state it left."""
        state = await self._port.load()
        if state is None:
            return PollState()
        try:
            items = await self._read(state)
        except (httpx.HTTPError, Refused, TimeoutError, NotInOrder) as problem:
            after = failed(state, f"{type(problem).__name__}: {problem}")
            await self._port.save(after)
            return after
        after = taken(self._plan, state, items, self._clock())
        await self._port.take(items, after)
        return after

    async def _read(self, state: PollState) -> tuple[Item, ...]:
        items: list[Item] = []
        paged = any("{page}" in value for value in self._plan.parameters.values())
        for page in range(self._plan.first_page, self._plan.first_page + (MAX_PAGES if paged else 1)):
            found = tuple(read_items(self._mapping, read_json(await self._fetch(state, page))))
            items += found
            if not paged or len(found) < self._plan.page_size:
                return tuple(items)
        if (marks := _marks(self._plan, items)) != sorted(marks):
            raise NotInOrder(f"more than {MAX_PAGES} pages, and not the oldest first: some would be lost")
        return tuple(items)

    async def _fetch(self, state: PollState, page: int) -> bytes:
        words = parameters(self._plan, self._mapping, state, page)
        given = {"params": words} if self._plan.method == "GET" else {"json": words}
        headers = {name: value.get_secret_value() for name, value in self._plan.headers.items()}
        async with asyncio.timeout(self._plan.timeout_s):
            request = self._client.build_request(
                self._plan.method,
                str(self._plan.url),
                headers=headers,
                timeout=self._plan.timeout_s,
                **given,  # type: ignore[arg-type]
            )
            response = await self._client.send(request, stream=True)
            try:
                response.raise_for_status()
                body = b""
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > MAX_BODY_BYTES:
                        break
                return body
            finally:
                await response.aclose()


def _written(cursor: int, form: str, offset_minutes: int) -> str:
    if form in {"ms", "number"}:
        return str(cursor)
    return str(cursor // 1000) if form == "s" else local_text(cursor, offset_minutes, form)
