"""``poc-server demo --lan`` as a process: HTTPS that its own authority vouches for, and help for phones."""

from __future__ import annotations

import ssl
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from poc_server.demo.run import console
from tests.support.city import City, running_city
from tests.support.ports import free_port

pytestmark = pytest.mark.wire
HELP = '<a class="button" id="go"'


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[City, int]]:
    https = free_port()
    with running_city(tmp_path_factory.mktemp("lan") / "data", "--lan", "--https-port", str(https)) as running:
        wait_until_said(running, "SHA-256")
        yield running, https


def wait_until_said(city: City, words: str) -> None:
    """The invitation to phones is printed last: from then on all is served."""
    end = time.monotonic() + 20
    while words not in city.log.read_text():
        assert time.monotonic() < end, city.log.read_text()
        time.sleep(0.05)


def fetch(url: str, host: str | None = None, trust: Path | None = None) -> str:
    request = urllib.request.Request(url, headers={"Host": host} if host else {})
    context = ssl.create_default_context(cafile=str(trust)) if trust else None
    with urllib.request.urlopen(request, timeout=10, context=context) as answer:
        return answer.read().decode()


def test_https_is_vouched_for_by_the_authority_the_page_hands_out(city: tuple[City, int]) -> None:
    running, https = city
    authority = running.data / "lan" / "ca.pem"
    for host in ("127.0.0.1", "localhost"):
        assert "alive" in fetch(f"https://{host}:{https}/healthz", trust=authority)
    with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
        fetch(f"https://127.0.0.1:{https}/healthz", trust=None)


def test_this_machine_gets_the_server_and_a_phone_gets_help(city: tuple[City, int]) -> None:
    running, _ = city
    assert "alive" in fetch(running.url + "/healthz")
    assert HELP in fetch(running.url + "/", host="192.168.7.5:8080")
    assert HELP in fetch(running.url + "/", host="evil.example")


def test_the_terminal_shows_where_a_phone_goes_and_what_it_trusts(city: tuple[City, int]) -> None:
    running, _ = city
    said = running.log.read_text()
    assert "█" in said
    page = fetch(running.url + "/", host="192.168.7.5:8080")
    fingerprint = next(line for line in said.splitlines() if "SHA-256" in line).split()[-1]
    assert fingerprint in page


def test_a_fingerprint_is_printed_as_it_is() -> None:
    """rich takes ``:AB:`` for the name of a picture; some certificates have such a pair."""
    with console.capture() as said:
        console.print("07:AB:13:A:B:VS:CL", highlight=False)
    assert said.get() == "07:AB:13:A:B:VS:CL\n"
