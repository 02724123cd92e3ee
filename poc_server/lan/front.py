"""The plain door of a LAN server: who comes to it from this machine gets the pages, a phone gets help with HTTPS."""

from __future__ import annotations

from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from poc_server.lan.page import LanPage, host_of


class Front:
    """ASGI application of the plain port. Browsers give the microphone to pages of this very machine without HTTPS.

    Args:
        pages: the server itself.
        help_page: what everybody else sees.
    """

    def __init__(self, pages: ASGIApp, help_page: LanPage) -> None:
        self._pages = pages
        self._help = help_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        chosen: ASGIApp = self._pages if _from_here(scope) else self._help
        await chosen(scope, receive, send)


def _from_here(scope: Scope) -> bool:
    """Both ends on the loopback: a name that a stranger's page lets point to 127.0.0.1 is not taken for ours."""
    client, host = scope.get("client"), host_of(dict(scope["headers"]).get(b"host", b""))
    if client is None or host not in ("localhost", "127.0.0.1", "[::1]"):
        return False
    address = ip_address(client[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback
