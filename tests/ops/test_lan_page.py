"""The page that helps to install the authority: both languages, links that lead back to where the phone came from."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from poc_server.lan import Front, LanPage, best_address, ensure_certificates, terminal_code
from poc_server.lan.words import WORDS

HOSTS = ("127.0.0.1", "172.17.0.1", "192.168.7.5", "fe80::1", "duty-desk")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> LanPage:
    return LanPage(ensure_certificates(tmp_path_factory.mktemp("data"), HOSTS).ca, 8443, 8080, HOSTS)


async def get(page: LanPage, path: str = "/", host: str = "192.168.7.5:8080", **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(page), base_url="http://unused") as client:
        return await client.get(path, headers={"host": host, **headers})


async def test_it_leads_to_the_secure_side_of_the_host_the_phone_came_by(page: LanPage) -> None:
    assert 'href="https://192.168.7.5:8443/"' in (await get(page)).text
    assert 'href="https://[fd00::7]:8443/"' in (await get(page, host="[fd00::7]:8080")).text


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:8080", 'x"><script>', "", "a" * 300])
async def test_from_the_machine_itself_or_with_a_senseless_host_it_names_the_best_address(
    page: LanPage, host: str
) -> None:
    text = (await get(page, host=host)).text
    assert 'href="https://192.168.7.5:8443/"' in text
    assert "<script>" not in text


@pytest.mark.parametrize(
    ("path", "accepted", "language"),
    [
        ("/", "zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("/", "en-GB,en;q=0.9", "en"),
        ("/", "de-DE,de;q=0.9,en;q=0.8", "en"),
        ("/", "de-DE", "zh-CN"),
        ("/", "", "zh-CN"),
        ("/?lang=en", "zh-CN", "en"),
        ("/?lang=zh-CN", "en", "zh-CN"),
        ("/?lang=xx", "en", "en"),
    ],
)
async def test_it_speaks_the_language_of_the_phone(page: LanPage, path: str, accepted: str, language: str) -> None:
    text = (await get(page, path, **{"accept-language": accepted})).text
    assert f'<html lang="{language}">' in text


def test_both_languages_say_the_same_things() -> None:
    assert WORDS["zh-CN"].keys() == WORDS["en"].keys()


async def test_the_certificate_is_the_authority_whose_fingerprint_is_shown(page: LanPage) -> None:
    answer = await get(page, "/ca.crt")
    assert answer.headers["content-type"] == "application/x-x509-ca-cert"
    certificate = x509.load_der_x509_certificate(answer.content)
    assert certificate.fingerprint(hashes.SHA256()).hex(":").upper() == page.fingerprint
    assert page.fingerprint in (await get(page)).text


async def test_other_paths_and_methods_are_refused(page: LanPage) -> None:
    assert (await get(page, "/talk")).status_code == 404
    async with httpx.AsyncClient(transport=httpx.ASGITransport(page), base_url="http://unused") as client:
        assert (await client.post("/")).status_code == 405
        assert (await client.head("/")).content == b""


@pytest.mark.parametrize(
    ("hosts", "best"),
    [
        (HOSTS, "192.168.7.5"),
        (("172.17.0.1", "10.1.1.1"), "10.1.1.1"),
        (("127.0.0.1", "172.17.0.1"), "172.17.0.1"),
        (("::1", "fd00::7"), "fd00::7"),
        (("127.0.0.1", "duty-desk"), "duty-desk"),
        ((), "127.0.0.1"),
    ],
)
def test_the_best_address_is_the_one_a_phone_most_likely_reaches(hosts: tuple[str, ...], best: str) -> None:
    assert best_address(hosts) == best


def test_the_terminal_shows_a_code_with_a_quiet_zone(page: LanPage) -> None:
    lines = terminal_code(page.url).splitlines()
    assert page.url == "http://192.168.7.5:8080/"
    assert len({len(line) for line in lines}) == 1
    assert len(lines) > 10


@pytest.mark.parametrize(
    ("client", "host", "pages"),
    [
        ("127.0.0.1", "localhost:8080", True),
        ("::1", "[::1]:8080", True),
        ("::ffff:127.0.0.1", "127.0.0.1:8080", True),
        ("192.168.7.9", "192.168.7.5:8080", False),
        ("192.168.7.9", "localhost:8080", False),
        ("127.0.0.1", "rebound.example:8080", False),
        ("127.0.0.1", "", False),
    ],
)
async def test_only_this_machine_comes_in_by_the_plain_door(page: LanPage, client: str, host: str, pages: bool) -> None:
    async def served(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    transport = httpx.ASGITransport(Front(served, page), client=(client, 5000))
    async with httpx.AsyncClient(transport=transport, base_url="http://unused") as asking:
        answer = await asking.get("/", headers={"host": host})
    assert (answer.status_code == 299) is pages
