"""A body that comes too slowly is refused, so that nobody is waited for for ever."""

from __future__ import annotations

import asyncio
import json
from typing import cast

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from poc_server.api import MAX_BODY_BYTES, Services
from poc_server.api.body import BodyLimit
from poc_server.auth import Auth
from poc_server.bridge.opened import OpenBridge
from poc_server.store import Store
from tests.fixtures.api import api_of

POST: Scope = {
    "type": "http",
    "method": "POST",
    "path": "/api/v1/senders/cases/news",
    "headers": [(b"accept-language", b"en")],
    "query_string": b"",
}


def piece(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


async def test_a_stranger_who_sends_a_part_of_a_body_and_no_more_is_refused_and_hung_up_on() -> None:
    app = api_of(Services(cast(Store, None), cast(Auth, None), bridge=cast(OpenBridge, object())))
    coming = [piece(b'{"code": ')]
    sent: list[Message] = []

    async def receive() -> Message:
        if not coming:
            await asyncio.Event().wait()
        return coming.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    await BodyLimit(app, MAX_BODY_BYTES, grace_s=0.01)(POST, receive, send)
    begun, body = sent
    assert begun["status"] == 408
    assert (b"connection", b"close") in begun["headers"]
    said = json.loads(body["body"])
    assert (said["code"], said["detail"]) == ("bad_message", "the body came too slowly")


@pytest.mark.parametrize(("bytes_s", "whole"), [(0.001, True), (1e9, False)], ids=["pays", "does-not-pay"])
async def test_what_has_come_pays_for_the_time_of_what_follows_and_what_comes_after_it_is_not_timed(
    bytes_s: float, whole: bool
) -> None:
    coming: list[Message] = [piece(b"begin"), piece(b" end", more=False), {"type": "http.disconnect"}]
    read: list[object] = []

    async def receive() -> Message:
        for _ in range(0 if len(coming) == 3 else 5):
            await asyncio.sleep(0)
        return coming.pop(0)

    async def inner(scope: Scope, receive: Receive, _send: Send) -> None:
        read.append(await Request(scope, receive).body())
        read.append((await receive())["type"])

    async def send(_: Message) -> None:
        """Nothing is answered."""

    app = BodyLimit(inner, MAX_BODY_BYTES, grace_s=0, bytes_s=bytes_s)
    if whole:
        await app(POST, receive, send)
        assert read == [b"begin end", "http.disconnect"]
    else:
        with pytest.raises(HTTPException, match="too slowly"):
            await app(POST, receive, send)
        assert read == []
