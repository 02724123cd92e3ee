"""The authority of a LAN server and the certificate it gives: what they cover, how long, when they are made anew."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from poc_server.lan import certificates
from poc_server.lan.certificates import LEAF_LIFETIME, RENEW_BEFORE, Certificates, ensure_certificates

HOSTS = ("192.168.7.5", "fd00::7", "203.0.113.9", "duty-desk", "duty-desk.local")
NOW = datetime(2031, 5, 1, 12, tzinfo=UTC)


@pytest.fixture
def files(tmp_path: Path) -> Certificates:
    return ensure_certificates(tmp_path, HOSTS, NOW)


def leaf(files: Certificates) -> x509.Certificate:
    return x509.load_pem_x509_certificate(files.cert.read_bytes())


def verify(files: Certificates, host: str, at: datetime = NOW) -> None:
    subject = x509.DNSName(host) if certificates._address(host) is None else certificates._general_name(host)
    store = Store([x509.load_pem_x509_certificate(files.ca.read_bytes())])
    PolicyBuilder().store(store).time(at).build_server_verifier(subject).verify(leaf(files), [])


def make_again(files: Certificates, hosts: tuple[str, ...] = HOSTS, at: datetime = NOW) -> tuple[bool, bool]:
    """Whether (the authority, the certificate) stayed as they were."""
    before = files.ca.read_bytes(), files.cert.read_bytes()
    ensure_certificates(files.ca.parent.parent, hosts, at)
    return files.ca.read_bytes() == before[0], files.cert.read_bytes() == before[1]


@pytest.mark.parametrize("host", ["localhost", *HOSTS])
def test_every_host_of_the_machine_is_vouched_for(files: Certificates, host: str) -> None:
    assert host in certificates._hosts_of(leaf(files))


def test_a_verifier_accepts_a_covered_host_and_no_other(files: Certificates) -> None:
    verify(files, "duty-desk.local")
    with pytest.raises(VerificationError):
        verify(files, "elsewhere.local")
    with pytest.raises(VerificationError):
        verify(files, "duty-desk.local", NOW + LEAF_LIFETIME + timedelta(days=1))


def test_keys_are_readable_by_the_server_alone(files: Certificates) -> None:
    assert files.key.stat().st_mode & 0o777 == 0o600
    assert (files.ca.parent / "ca.key").stat().st_mode & 0o777 == 0o600
    assert files.ca.parent.stat().st_mode & 0o777 == 0o700


def test_nothing_changes_while_it_holds(files: Certificates) -> None:
    assert make_again(files) == (True, True)
    assert make_again(files, HOSTS[:1]) == (True, True)


def test_the_certificate_is_renewed_thirty_days_before_its_end_and_not_a_moment_earlier(files: Certificates) -> None:
    last = NOW + LEAF_LIFETIME - RENEW_BEFORE
    assert make_again(files, at=last - timedelta(seconds=1)) == (True, True)
    assert make_again(files, at=last) == (True, False)
    verify(files, "duty-desk.local", last + LEAF_LIFETIME - timedelta(days=1))


def test_a_new_private_address_needs_no_new_authority(files: Certificates) -> None:
    assert make_again(files, (*HOSTS, "10.9.9.9")) == (True, False)
    assert "10.9.9.9" in certificates._hosts_of(leaf(files))


def test_the_authority_does_not_vouch_for_the_internet(files: Certificates) -> None:
    assert make_again(files, (*HOSTS, "bank.example", "198.51.100.1")) == (True, True)
    constraints = x509.load_pem_x509_certificate(files.ca.read_bytes()).extensions.get_extension_for_class(
        x509.NameConstraints
    )
    assert constraints.critical


@pytest.mark.parametrize("name", ["server.pem", "server.key"])
def test_a_damaged_certificate_or_key_is_made_anew(files: Certificates, name: str) -> None:
    (files.ca.parent / name).write_bytes(b"-----BEGIN NONSENSE-----")
    assert make_again(files) == (True, False)
    verify(files, "duty-desk.local")


def test_a_lost_authority_brings_a_new_certificate(files: Certificates) -> None:
    (files.ca.parent / "ca.key").unlink()
    assert make_again(files) == (False, False)
    verify(files, "duty-desk.local")


def test_the_certificate_never_outlives_its_authority(files: Certificates) -> None:
    late = NOW + certificates.CA_LIFETIME - RENEW_BEFORE - timedelta(days=1)
    assert make_again(files, at=late) == (True, False)
    authority = x509.load_pem_x509_certificate(files.ca.read_bytes())
    assert leaf(files).not_valid_after_utc <= authority.not_valid_after_utc


@pytest.mark.wire
async def test_openssl_on_both_ends_shakes_hands_by_address(tmp_path: Path) -> None:
    files = ensure_certificates(tmp_path, ("127.0.0.1", "::1"))
    serving = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    serving.load_cert_chain(files.cert, files.key)
    trusting = ssl.create_default_context(cafile=str(files.ca))

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=serving) as server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusting)
        assert await reader.read() == b"hello"
        writer.close()
