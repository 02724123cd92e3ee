"""A certificate authority of this server's own, and the certificate it gives the server.

The authority may vouch for this network only (name constraints, RFC 5280 §4.2.1.10): who installs it on a phone does
not thereby trust this machine's word about any site of the internet.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_LIFETIME = timedelta(days=3_650)
LEAF_LIFETIME = timedelta(days=397)
"""Phones refuse longer ones, some even from an authority that the user installed."""
RENEW_BEFORE = timedelta(days=30)
CLOCK_SKEW = timedelta(days=1)
"""A phone's clock may be behind ours."""

LOCAL_NETWORKS = (
    "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    "::1/128", "fc00::/7", "fe80::/10",
)  # fmt: skip
LOCAL_NAMES = ("localhost", "local", "lan", "home.arpa", "internal")

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Certificates(NamedTuple):
    """Files in PEM: the server's chain, its key, and the authority's certificate that phones install."""

    cert: Path
    key: Path
    ca: Path


class _Signer(NamedTuple):
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def ensure_certificates(data: Path, hosts: Sequence[str], now: datetime | None = None) -> Certificates:
    """The files in ``data/lan``: made when absent, renewed `RENEW_BEFORE` the end or when one of ``hosts`` lacks.

    The authority stays the same as long as it holds, so that phones install it once. It may vouch for private
    addresses, local names, and those of ``hosts`` that were there when it was made; a host beyond that is left out.

    Args:
        data: the server's data folder.
        hosts: addresses and names by which phones may reach this machine.
        now: aware time of the check; the present when None.

    Raises:
        OSError: the folder cannot be written.
    """
    now = now or datetime.now(UTC)
    folder = data / "lan"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    files = Certificates(folder / "server.pem", folder / "server.key", folder / "ca.pem")
    authority = _load(files.ca, folder / "ca.key", now)
    if authority is None:
        authority = _make_authority(hosts, now)
        _write_pair(files.ca, folder / "ca.key", authority, ())
    covered = [host for host in dict.fromkeys(("localhost", *hosts)) if _permits(authority.certificate, host)]
    leaf = _load(files.cert, files.key, now)
    if leaf is None or not _issued_by(authority, leaf) or not set(covered) <= set(_hosts_of(leaf.certificate)):
        leaf = _make_leaf(authority, covered, now)
        _write_pair(files.cert, files.key, leaf, (authority.certificate,))
    return files


def _make_authority(hosts: Iterable[str], now: datetime) -> _Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"poc-server LAN {now:%Y-%m-%d}")])
    names, networks = list(LOCAL_NAMES), [ip_network(network) for network in LOCAL_NETWORKS]
    for host in hosts:
        address = _address(host)
        if address is None:
            names.append(host)
        elif not any(address in network for network in networks):
            networks.append(ip_network(address))
    subtrees = [*map(x509.DNSName, dict.fromkeys(names)), *map(x509.IPAddress, networks)]
    usage = _usage(key_cert_sign=True, crl_sign=True)
    certificate = (
        _builder(name, name, key, now, CA_LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=subtrees, excluded_subtrees=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _Signer(certificate, key)


def _make_leaf(authority: _Signer, hosts: Sequence[str], now: datetime) -> _Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    # The spaces keep verifiers from taking the common name for a host name.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "poc-server on this network")])
    ends = min(LEAF_LIFETIME, authority.certificate.not_valid_after_utc - now)
    issuer_key = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    certificate = (
        _builder(name, authority.certificate.subject, key, now, ends)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer_key), critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return _Signer(certificate, key)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - CLOCK_SKEW)
        .not_valid_after(now + lifetime)
    )


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature, key_cert_sign=key_cert_sign, crl_sign=crl_sign, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _permits(authority: x509.Certificate, host: str) -> bool:
    allowed = authority.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or ()
    address = _address(host)
    if address is not None:
        return any(isinstance(entry, x509.IPAddress) and _within(address, entry.value) for entry in allowed)
    return any(
        isinstance(entry, x509.DNSName) and (host == entry.value or host.endswith(f".{entry.value}"))
        for entry in allowed
    )


def _within(address: Address, network: Address | Network) -> bool:
    return isinstance(network, IPv4Network | IPv6Network) and address in network


def _issued_by(authority: _Signer, leaf: _Signer) -> bool:
    try:
        leaf.certificate.verify_directly_issued_by(authority.certificate)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _hosts_of(leaf: x509.Certificate) -> list[str]:
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name.value) for name in names]


def _general_name(host: str) -> x509.GeneralName:
    address = _address(host)
    return x509.DNSName(host) if address is None else x509.IPAddress(address)


def _address(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _load(cert: Path, key: Path, now: datetime) -> _Signer | None:
    """What the two files hold, or None when one is absent, damaged, foreign to the other, or soon at its end."""
    try:
        certificate = x509.load_pem_x509_certificate(cert.read_bytes())
        private = serialization.load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        return None
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != certificate.public_key():
        return None
    valid = certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc - RENEW_BEFORE
    return _Signer(certificate, private) if valid else None


def _write_pair(cert: Path, key: Path, signer: _Signer, chain: Iterable[x509.Certificate]) -> None:
    pem = serialization.Encoding.PEM
    private = signer.key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(key, private, 0o600)
    _write(cert, b"".join(part.public_bytes(pem) for part in (signer.certificate, *chain)), 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    """Replace ``path`` whole: who reads it meanwhile sees the old or the new. Never open more widely than ``mode``."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        os.fchmod(handle, mode)
        file.write(content)
    Path(name).replace(path)
