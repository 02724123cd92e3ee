"""Polling: the cursor moves only with what was taken, overlaps, and is not led astray."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from gateway import samples
from gateway.mapping.inbound import Item
from gateway.mapping.mapping import MappingFile, load_mapping, parse_mapping
from gateway.polling import MAX_PAGES, PAUSE_CAP_S, Poller, PollPlan, PollState, failed, parameters, pause_s

NOW = 1_784_079_200_000
NESTED = load_mapping(Path(next(iter(samples.__path__))) / "nested.toml")
ROWS = parse_mapping(
    """
    name = "rows"
    items = "rows"
    in = { code = "no", version = "n", at = "t", state = "s" }
    values = { state = { 5 = "dispatched" } }
    """
)


def plan(**more: object) -> PollPlan:
    return PollPlan.model_validate({"url": "https://case.example/list", **more})


class Memory:
    """A port that keeps everything, and can fail to take."""

    def __init__(self) -> None:
        self.state, self.items, self.broken = PollState(), [], False

    async def load(self) -> PollState:
        return self.state

    async def take(self, items: tuple[Item, ...], after: PollState) -> None:
        if self.broken:
            raise RuntimeError("the disk is full")
        self.items += items
        self.state = after

    async def save(self, state: PollState) -> None:
        self.state = state


def poller(port: Memory, handler: object, of: PollPlan | None = None, mapping: MappingFile = ROWS) -> Poller:
    client = httpx.AsyncClient(transport=httpx.MockTransport(handler))  # type: ignore[arg-type]
    return Poller(of or plan(), mapping, port, client, lambda: NOW)


def page_of(rows: list[dict]) -> httpx.Response:
    return httpx.Response(200, json={"rows": rows})


def test_the_cursor_is_written_as_they_want_it() -> None:
    state = PollState(cursor=NOW)
    words = {"from": "{since}", "p": "{page}", "n": "{size}", "fixed": "x"}
    for form, text in (
        ("ms", str(NOW - 120_000)),
        ("s", str(NOW // 1000 - 120)),
        ("%Y-%m-%d %H:%M:%S", "2026-07-15 09:31:20"),
    ):
        assert parameters(plan(parameters=words, since=form), ROWS, state, 2)["from"] == text
    found = parameters(plan(parameters=words, since="number", page_size=50), ROWS, PollState(cursor=77), 2)
    assert found == {"from": "77", "p": "2", "n": "50", "fixed": "x"}


async def test_a_round_takes_every_page_and_moves_the_cursor() -> None:
    asked = []

    def serve(request: httpx.Request) -> httpx.Response:
        number = int(request.url.params["p"])
        asked.append(number)
        first = (number - 1) * 2
        return page_of([{"no": f"A{n}", "n": n, "t": NOW - 1000 + n, "s": 5} for n in range(first, min(first + 2, 5))])

    port = Memory()
    await poller(port, serve, plan(parameters={"p": "{page}"}, page_size=2)).round()
    assert asked == [1, 2, 3]
    assert [item.code for item in port.items] == ["A0", "A1", "A2", "A3", "A4"]
    assert port.state == PollState(cursor=NOW - 996)


async def test_what_was_not_taken_is_asked_for_again() -> None:
    port = Memory()
    port.broken = True
    reader = poller(port, lambda _: page_of([{"no": "A", "n": 1, "t": NOW}]))
    with pytest.raises(RuntimeError):
        await reader.round()
    assert port.state == PollState()
    port.broken = False
    await reader.round()
    assert [item.code for item in port.items] == ["A"]


async def test_one_row_from_the_future_does_not_hide_what_follows() -> None:
    port = Memory()
    await poller(port, lambda _: page_of([{"no": "A", "n": 1, "t": NOW + 10**10}])).round()
    assert port.state.cursor == NOW


async def test_a_failing_round_keeps_the_cursor_and_pauses_longer() -> None:
    port = Memory()
    port.state = PollState(cursor=5)
    answers = iter(
        [httpx.Response(500), httpx.Response(200, content=b"<html>"), httpx.Response(200, content=b"x" * 2_000_000)]
    )
    reader = poller(port, lambda _: next(answers))
    for failures in (1, 2, 3):
        state = await reader.round()
        assert (state.cursor, state.failures) == (5, failures)
        assert state.last_error
    assert pause_s(plan(interval_s=5), state) == 40
    for _ in range(100):
        state = failed(state, "x" * 1000)
    assert pause_s(plan(interval_s=15), state) == PAUSE_CAP_S
    assert len(state.last_error) == 300


async def test_more_pages_than_a_round_reads_need_the_oldest_first() -> None:
    def serve(request: httpx.Request, step: int) -> httpx.Response:
        return page_of([{"no": "A", "n": 1, "t": NOW - 10_000 + step * int(request.url.params["p"])}])

    of = plan(parameters={"p": "{page}"}, page_size=1)
    port = Memory()
    await poller(port, lambda request: serve(request, 1), of).round()
    assert (len(port.items), port.state.cursor) == (MAX_PAGES, NOW - 10_000 + MAX_PAGES)
    state = await poller(Memory(), lambda request: serve(request, -1), of).round()
    assert "oldest first" in state.last_error


async def test_a_post_endpoint_and_the_nested_sample() -> None:
    sample = json.loads((Path(next(iter(samples.__path__))) / "nested.json").read_bytes())

    def serve(request: httpx.Request) -> httpx.Response:
        assert json.loads(request.content) == {"since": "0"}
        assert request.headers["token"] == "t"
        return httpx.Response(200, json=sample)

    port = Memory()
    of = plan(method="POST", parameters={"since": "{since}"}, headers={"token": "t"})
    await poller(port, serve, of, NESTED).round()
    assert [item.code for item in port.items] == ["E0102202607150021", "C0203202607150022"]
    assert port.state.cursor == NOW
