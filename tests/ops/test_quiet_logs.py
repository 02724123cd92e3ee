"""What a stranger sends is counted, never logged at a rate he can drive; no secret that is used is written."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest
from websockets.sync.client import connect

from signaling.limits import SUBPROTOCOL
from tests.support.city import fetch
from tests.support.founded import Founded, founded

pytestmark = pytest.mark.wire
GARBAGE = (
    b"\x16\x03\x01 no http at all\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h9\r\n\r\n",
)
PASSWORD = "correct-horse-battery"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Founded]:
    """As it is run for a city, but that it tells all it has to tell."""
    with founded(tmp_path_factory.mktemp("logs") / "data", env={"POC_LOG__LEVEL": "debug"}) as made:
        yield made


def asked(city: Founded, method: str, path: str, body: Any = None, **headers: str) -> Any:
    text = None if body is None else json.dumps(body)
    answer = fetch(method, city.url + path, {"Content-Type": "application/json", **headers}, text)
    return json.loads(answer) if answer[:1] == "{" else answer


def refused(city: Founded, *given: Any, **headers: str) -> None:
    with pytest.raises(HTTPError):
        asked(city, *given, **headers)


def test_requests_that_are_none_leave_the_log_as_it_is(city: Founded) -> None:
    before = city.log.read_text().splitlines()
    port = urlsplit(city.url).port
    for garbage in GARBAGE * 20:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as stranger:
            stranger.sendall(garbage)
            stranger.recv(1_000)  # it was read, and refused
    assert city.log.read_text().splitlines() == before


def test_no_secret_that_was_used_is_in_the_log(city: Founded) -> None:
    """Enrolment, sign-in, the header of a request, somebody else's cookie, the greeting of a socket."""
    link = urlsplit(city.links[0]).path
    code = link.rsplit("/", 1)[1]
    assert "<html" in asked(city, "GET", link)
    first = asked(city, "POST", "/api/v1/auth/enrol", {"code": code})
    refused(city, "POST", "/api/v1/auth/enrol", {"code": code})
    refused(city, "POST", "/api/v1/auth/enrol", {"code": [code]})
    refused(city, "POST", "/api/v1/auth/sign-in", {"name": PASSWORD, "password": PASSWORD})
    refused(city, "GET", f"/api/v1/me?token={first['access_token']}", Cookie=f"session={PASSWORD}")
    asked(city, "GET", "/api/v1/me", Authorization=f"Bearer {first['access_token']}")
    second = asked(city, "POST", "/api/v1/auth/refresh", {"refresh_token": first["refresh_token"]})
    third = asked(city, "POST", "/api/v1/auth/refresh", {"refresh_token": second["refresh_token"]})
    said = []
    for token in (third["access_token"], third["refresh_token"], f"{PASSWORD}.{PASSWORD}"):
        with connect(city.url.replace("http", "ws") + "/ws", subprotocols=[SUBPROTOCOL]) as phone:
            phone.send(json.dumps({"type": "hello", "id": "h", "token": token}))
            said.append(json.loads(phone.recv(30)))
    assert [each["type"] for each in said] == ["welcome", "error", "error"]
    refused(city, "POST", "/api/v1/auth/refresh", {"refresh_token": first["refresh_token"]})
    written = city.log.read_text()
    assert "refresh_token_reused" in written, "what there is to tell is told"
    secrets = {PASSWORD, code, said[0]["resume"]}
    secrets |= {each[name] for each in (first, second, third) for name in ("access_token", "refresh_token")}
    assert [secret for secret in secrets if secret in written] == []
