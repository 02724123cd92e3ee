"""The page, over plain HTTP on a port of its own, that helps to install the authority's certificate on a phone."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path
from string import Template
from urllib.parse import parse_qs

import segno
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.types import Receive, Scope, Send

from poc_server.lan.words import WORDS
from signaling.words import Language

_TEMPLATE = Template((Path(__file__).parent / "help.html").read_text(encoding="utf-8"))
_CHECK = (Path(__file__).parent / "check.js").read_bytes()
_HOST = re.compile(r"^(\[[0-9a-fA-F:]{2,45}\]|[A-Za-z0-9.-]{1,253})(:\d{1,5})?$")
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src https:",
    ),
)


class LanPage:
    """An ASGI application: ``/`` the page, ``/ca.crt`` the certificate, ``/check.js`` whether the phone trusts it.

    Args:
        ca: the authority's certificate, PEM (`Certificates.ca`).
        https_port: where this machine serves HTTPS.
        page_port: where this page itself is served.
        hosts: addresses and names of this machine; the best of them stands in the QR code when the page is opened on
            the machine itself.
    """

    def __init__(self, ca: Path, https_port: int, page_port: int, hosts: Sequence[str]) -> None:
        certificate = x509.load_pem_x509_certificate(ca.read_bytes())
        self.fingerprint = certificate.fingerprint(hashes.SHA256()).hex(":").upper()
        self._der = certificate.public_bytes(Encoding.DER)
        self._https_port = https_port
        self._page_port = page_port
        self._best = best_address(hosts)

    @property
    def url(self) -> str:
        """What a phone on this network opens first."""
        return f"http://{_bracketed(self._best)}:{self._page_port}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        path, method = scope["path"], scope["method"]
        if method not in ("GET", "HEAD"):
            await _answer(send, 405, b"text/plain", b"", method)
        elif path == "/":
            await _answer(send, 200, b"text/html; charset=utf-8", self._page(scope).encode(), method)
        elif path == "/ca.crt":
            name = (b"content-disposition", b'attachment; filename="poc-server-ca.crt"')
            await _answer(send, 200, b"application/x-x509-ca-cert", self._der, method, name)
        elif path == "/check.js":
            await _answer(send, 200, b"text/javascript", _CHECK, method)
        else:
            await _answer(send, 404, b"text/plain", b"", method)

    def _page(self, scope: Scope) -> str:
        headers = dict(scope["headers"])
        language = _language(scope["query_string"], headers.get(b"accept-language", b""))
        host = host_of(headers.get(b"host", b""))
        if host is None or host in ("localhost", "127.0.0.1", "[::1]"):
            host = _bracketed(self._best)
        other = "en" if language == "zh-CN" else "zh-CN"
        return _TEMPLATE.substitute(
            WORDS[language],
            other_language=other,
            secure=html.escape(f"https://{host}:{self._https_port}/"),
            code=_svg(f"http://{host}:{self._page_port}/"),
            sha256=self.fingerprint,
        )


def best_address(hosts: Sequence[str]) -> str:
    """The address a phone on the same Wi-Fi most likely reaches: 192.168, then 10, then the rest, loopback last."""
    return min(hosts, key=_unlikeliness, default="127.0.0.1")


def terminal_code(url: str) -> str:
    """``url`` as a QR code of block characters, for a dark or light terminal."""
    out = io.StringIO()
    segno.make(url, error="l", micro=False).terminal(out, border=2, compact=True)
    return out.getvalue()


def _unlikeliness(host: str) -> int:
    try:
        address = ip_address(host)
    except ValueError:
        return 5
    if address.is_loopback:
        return 9
    if address.is_link_local:
        return 8
    if address.version == 6:
        return 6
    order = ("192.168.", "10.", "172.")
    return next((rank for rank, prefix in enumerate(order) if host.startswith(prefix)), 3)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def host_of(header: bytes) -> str | None:
    """The host a phone asked for, without its port; None when it is none (it ends up in a link)."""
    found = _HOST.match(header.decode("latin-1"))
    return found[1] if found else None


def _language(query: bytes, accepted: bytes) -> Language:
    """As asked for in the query, else by the first language the browser names; Chinese where it names neither."""
    wanted = parse_qs(query.decode("latin-1")).get("lang", [""])[0]
    if wanted in ("zh-CN", "en"):
        return "en" if wanted == "en" else "zh-CN"
    for part in accepted.decode("latin-1").lower().split(","):
        if part.strip().startswith(("zh", "en")):
            return "en" if part.strip().startswith("en") else "zh-CN"
    return "zh-CN"


def _svg(url: str) -> str:
    out = io.BytesIO()
    segno.make(url, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, svgns=True, scale=6, border=4, light="#fff"
    )
    return out.getvalue().decode()


async def _answer(send: Send, status: int, kind: bytes, body: bytes, method: str, *more: tuple[bytes, bytes]) -> None:
    length = (b"content-length", str(len(body)).encode())
    headers = [(b"content-type", kind), length, *_HEADERS, *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})
