"""Who hangs up in the middle of a request writes nothing into the log: he could do so all day."""

from __future__ import annotations

from typing import cast

from starlette.types import Message, Scope
from structlog.testing import capture_logs

from poc_server.api import Services
from poc_server.auth import Auth
from poc_server.bridge.opened import OpenBridge
from poc_server.store import Store
from tests.fixtures.api import api_of


async def test_a_stranger_who_hangs_up_before_his_body_is_whole_is_not_logged() -> None:
    app = api_of(Services(cast(Store, None), cast(Auth, None), bridge=cast(OpenBridge, object())))
    coming: list[Message] = [
        {"type": "http.request", "body": b'{"code": ', "more_body": True},
        {"type": "http.disconnect"},
    ]
    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/senders/cases/news",
        "headers": [],
        "query_string": b"",
    }

    async def receive() -> Message:
        return coming.pop(0)

    async def send(_: Message) -> None:
        """Nobody hears it."""

    with capture_logs() as logged:
        await app(scope, receive, send)
    assert logged == []
    assert coming == []
