"""Whose word counts of where a request comes from, on the socket for both families that a server listens on."""

from __future__ import annotations

from typing import Any, cast

import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from poc_server.serving import trusted_proxies

CLAIMED = "203.0.113.9"


async def sender(peer: str, claimed: str = CLAIMED) -> str:
    """From where a request comes that this peer brings, as the application sees it."""
    seen: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        seen.append(scope["client"][0])

    scope = {"type": "http", "client": (peer, 1), "headers": [(b"x-forwarded-for", claimed.encode())]}
    nothing = cast("Any", None)
    await ProxyHeadersMiddleware(cast("Any", app), trusted_proxies())(cast("Any", scope), nothing, nothing)
    return seen[0]


@pytest.mark.parametrize(
    ("named", "peer", "believed"),
    [
        (None, "127.0.0.1", True),
        (None, "::ffff:127.0.0.1", True),
        (None, "::1", True),
        (None, "::ffff:192.0.2.1", False),
        ("172.30.71.2", "::ffff:172.30.71.2", True),
        ("172.30.71.2", "172.30.71.2", True),
        ("172.30.71.2", "::ffff:172.30.71.3", False),
        ("172.30.71.2", "::ffff:127.0.0.1", False),
        ("fd00::5, 10.1.0.0/16", "::ffff:10.1.255.1", True),
        ("fd00::5, 10.1.0.0/16", "::ffff:10.2.0.1", False),
        ("fd00::5, 10.1.0.0/16", "fd00::5", True),
        ("proxy.example, 10.1.0.1/16", "::ffff:10.1.0.1", False),
        ("*", "::ffff:192.0.2.1", True),
    ],
)
async def test_a_proxy_is_believed_however_the_socket_writes_its_address(
    named: str | None, peer: str, believed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    if named is not None:
        monkeypatch.setenv("FORWARDED_ALLOW_IPS", named)
    assert await sender(peer) == (CLAIMED if believed else peer)


async def test_what_a_client_wrote_before_the_proxy_did_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "172.30.71.2")
    assert await sender("::ffff:172.30.71.2", f"127.0.0.1, {CLAIMED}") == CLAIMED
