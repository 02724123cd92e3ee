"""The bad street itself, before anything is measured on it: as late, as uneven and as lossy as it was asked to be."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.netns import Street, city_and_street
from tests.support.priority import first

pytestmark = pytest.mark.wire

ECHO = """
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("0.0.0.0", 9))
print("up", flush=True)
while True:
    data, peer = s.recvfrom(2000)
    s.sendto(data, peer)
"""
ASK = """
import json, socket, struct, sys, time
host, count, gap = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setblocking(False)
sent, got, numbers = 0, [], []
start = time.monotonic()
while time.monotonic() < start + count * gap + 0.5:
    if sent < count and time.monotonic() >= start + sent * gap:
        s.sendto(struct.pack("!Id", sent, time.monotonic()), (host, 9))
        sent += 1
    try:
        number, at = struct.unpack("!Id", s.recv(100))
        got.append((time.monotonic() - at) * 1000)
        numbers.append(number)
    except BlockingIOError:
        time.sleep(0.0005)
json.dump({"rtt": got, "numbers": numbers}, sys.stdout)
"""


@pytest.mark.parametrize(
    ("shape", "count", "gap"),
    [
        (Street(), 100, 0.005),
        (Street(rtt_ms=80, jitter_ms=30, loss=0.02), 1_000, 0.004),
    ],
    ids=["clean", "bad"],
)
def test_a_street_is_as_it_was_asked_for(shape: Street, count: int, gap: float, tmp_path: Path) -> None:
    with city_and_street(shape) as (city, street, carried):
        echo = subprocess.Popen([*first(), *city.prefix, sys.executable, "-c", ECHO], stdout=subprocess.PIPE)
        try:
            assert echo.stdout is not None
            assert echo.stdout.readline() == b"up\n"
            got = json.loads(street.run(*first(), sys.executable, "-c", ASK, city.address, str(count), str(gap)))
        finally:
            echo.kill()
            echo.communicate()
    answered = len(got["rtt"])
    late = sorted(got["rtt"])
    assert got["numbers"] == sorted(got["numbers"])
    assert carried.to_city["carried"] + carried.to_city["lost"] == count
    assert answered == carried.to_street["carried"]
    assert late[0] >= shape.rtt_ms - shape.jitter_ms
    assert late[answered // 2] == pytest.approx(shape.rtt_ms, abs=shape.jitter_ms / 2 + 5)
    assert 1 - answered / count == pytest.approx(2 * shape.loss, abs=0.02)


def test_there_is_no_other_way_out(tmp_path: Path) -> None:
    with city_and_street(Street()) as (city, street, _):
        for namespace in (city, street):
            routes = json.loads(namespace.run("ip", "-json", "route"))
            assert {route["dst"] for route in routes} == {"10.77.0.0/24"}
