"""What a stranger sends is counted, never logged at a rate he can drive."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.support.city import running_city

pytestmark = pytest.mark.wire
GARBAGE = (
    b"\x16\x03\x01 no http at all\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h9\r\n\r\n",
)


def test_requests_that_are_none_leave_the_log_as_it_is(tmp_path: Path) -> None:
    with running_city(tmp_path / "data", nodes=1) as city:
        before = city.log.read_text().splitlines()
        for garbage in GARBAGE * 20:
            with socket.create_connection(("127.0.0.1", city.port), timeout=10) as stranger:
                stranger.sendall(garbage)
                stranger.recv(1_000)  # it was read, and refused
        assert city.log.read_text().splitlines() == before
