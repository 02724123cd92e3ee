"""How many requests of one person are answered at once: at the limit, and one beyond."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.types import Message, Scope

from groups.vocabulary import Role
from poc_server.api import Services
from poc_server.api.at_once import AtOnce
from tests.fixtures.api import api_of
from tests.fixtures.people import Town

pytestmark = pytest.mark.wire


async def signed_in(town: Town, *roles: Role) -> str:
    signed = await town.auth.start_session(await town.person(*roles), "demo")
    return f"Bearer {signed.access_token}"


async def test_the_request_beyond_the_limit_of_a_person_is_told_to_come_later(town: Town) -> None:
    app = api_of(Services(town.store, town.auth, at_once=AtOnce(3)))
    wang, li = await signed_in(town), await signed_in(town)
    begun, read = asyncio.Semaphore(0), asyncio.Event()

    async def held() -> None:
        """One who asks and does not read the answer yet."""
        headers = [(b"authorization", wang.encode())]
        scope: Scope = {"type": "http", "method": "GET", "path": "/api/v1/me", "headers": headers, "query_string": b""}

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                assert message["status"] == 200
                begun.release()
                await read.wait()

        await app(scope, receive, send)

    transport = httpx.ASGITransport(app)
    async with (
        asyncio.TaskGroup() as tasks,
        httpx.AsyncClient(transport=transport, base_url="http://t/api/v1") as client,
    ):

        async def ask(whose: str) -> httpx.Response:
            return await client.get("/me", headers={"authorization": whose, "accept-language": "en"})

        holding = [tasks.create_task(held()) for _ in range(2)]
        for _ in holding:
            await begun.acquire()
        assert (await ask(wang)).status_code == 200
        holding.append(tasks.create_task(held()))
        await begun.acquire()
        refused = await ask(wang)
        said = refused.json()
        assert (refused.status_code, said["code"], refused.headers["retry-after"]) == (429, "too_fast", "1")
        assert (await ask(li)).status_code == 200
        sos = await client.post("/alerts", json={}, headers={"authorization": wang})
        assert sos.status_code == 422, "it was read: an SOS waits for nothing else"
        read.set()
        await asyncio.gather(*holding)
        assert (await ask(wang)).status_code == 200
