"""Signed webhooks: what goes out is signed (Standard Webhooks), what comes in is proved.

Every way of proving has up to two keys at once, so that a key can be changed without a gap: add the new one, move the
other side over, take the old one away.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from standardwebhooks import Webhook

from groups.vocabulary import Refusal
from signaling.messages import Refused

TOLERANCE_S = 300
"""How far the time of a signed message may lie from ours, either way."""
MAX_KEYS = 2
MIN_SECRET_BYTES = 16
"""A shorter secret could be guessed."""
MAX_HEADER_CHARS = 1_024
SIGNED_PATTERN = r"(?s)\{timestamp\}.*\{body\}|\{body\}.*\{timestamp\}"
"""What is signed must hold both."""


# --- Out ------------------------------------------------------------------------------------------------------------


def sign(secrets: tuple[str, ...], message_id: str, body: bytes, at_ms: int) -> dict[str, str]:
    """The Standard Webhooks headers of a message; one signature for each active secret."""
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    text = body.decode()
    signatures = " ".join(Webhook(secret).sign(message_id, moment, text) for secret in secrets)
    return {"webhook-id": message_id, "webhook-timestamp": str(at_ms // 1000), "webhook-signature": signatures}


# --- In -------------------------------------------------------------------------------------------------------------


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def usable_secret(secret: SecretStr) -> SecretStr:
    """A secret of Standard Webhooks: ``whsec_`` and base64 of enough bytes. Raises ValueError."""
    if len(_standard_key(secret)) < MIN_SECRET_BYTES:
        raise ValueError(f"shorter than {MIN_SECRET_BYTES} bytes")
    return secret


def _standard_key(secret: SecretStr) -> bytes:
    try:
        return base64.b64decode(secret.get_secret_value().removeprefix("whsec_") + "==")
    except binascii.Error:
        raise ValueError("not base64") from None


Keys = Annotated[tuple[SecretStr, ...], Field(min_length=1, max_length=MAX_KEYS)]
Header = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9-]+$")]


class ApiKeyProof(_Settings):
    """A key in a header; ``scheme`` is what stands before it, such as ``Bearer``."""

    kind: Literal["api_key"] = "api_key"
    keys: Keys
    header: Header = "X-Api-Key"
    scheme: str = ""


class HmacProof(_Settings):
    """A keyed digest over ``signed``, in which {id}, {timestamp} and {body} are put; timestamp in s or ms."""

    kind: Literal["hmac"] = "hmac"
    keys: Keys
    digest: Literal["sha256", "sha512", "sm3"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    signed: Annotated[str, Field(pattern=SIGNED_PATTERN)] = "{timestamp}.{body}"
    signature_header: Header = "X-Signature"
    timestamp_header: Header = "X-Timestamp"
    id_header: Header | None = None
    tolerance_s: Annotated[int, Field(ge=1, le=3_600)] = TOLERANCE_S


class StandardProof(_Settings):
    """Standard Webhooks: signed headers id, timestamp, signature. Keys are ``whsec_`` and base64."""

    kind: Literal["standard"] = "standard"
    keys: Annotated[
        tuple[Annotated[SecretStr, AfterValidator(usable_secret)], ...], Field(min_length=1, max_length=MAX_KEYS)
    ]
    tolerance_s: Annotated[int, Field(ge=1, le=3_600)] = TOLERANCE_S


class AddressProof(_Settings):
    """Nothing but the sender's address: for systems in the same server room that can do no better."""

    kind: Literal["address"] = "address"


class Sender(_Settings):
    """A system that may tell us things, and how it proves itself. ``networks`` restricts where it may speak from."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    proof: Annotated[ApiKeyProof | HmacProof | StandardProof | AddressProof, Field(discriminator="kind")]
    networks: tuple[IPv4Network | IPv6Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came. ``remote`` is the peer's address, or what a trusted proxy says it is."""

    headers: Mapping[str, str]
    body: bytes
    remote: str

    def header(self, name: str) -> str:
        """One header, empty when absent. Raises `Refused` when it is longer than any of ours may be."""
        wanted = name.lower()
        found = next((value for key, value in self.headers.items() if key.lower() == wanted), "")
        if len(found) > MAX_HEADER_CHARS:
            raise Refused(Refusal.BAD_SIGNATURE)
        return found


def verify(sender: Sender, received: Received, now: int) -> str | None:
    """Whether ``received`` is from ``sender``: returns the mark of a signed message, None where nothing is signed.

    Whoever overhears a signed message can send it again while its time is good; by its mark it is known.

    Raises `Refused`: bad_signature for a wrong or missing proof, clock_skew for one that is too old or too new (ms).
    """
    match sender.proof:
        case AddressProof() if not sender.networks:
            raise Refused(Refusal.BAD_SIGNATURE)
        case _ if sender.networks and not _within(received.remote, sender.networks):
            raise Refused(Refusal.BAD_SIGNATURE)
        case AddressProof():
            return None
        case ApiKeyProof() as proof:
            _verify_key(proof, received)
            return None
        case HmacProof() as proof:
            return _verify_hmac(proof, received, now)
        case StandardProof() as proof:
            return _verify_standard(proof, received, now)


def _within(remote: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    try:
        address = ip_address(remote)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in networks)


def _verify_key(proof: ApiKeyProof, received: Received) -> None:
    given = received.header(proof.header)
    start = f"{proof.scheme} " if proof.scheme else ""
    if not given.lower().startswith(start.lower()) or not _same_as_any(given[len(start) :], proof.keys):
        raise Refused(Refusal.BAD_SIGNATURE)


def _same_as_any(given: str, keys: Keys) -> bool:
    found = False
    for key in keys:
        found |= hmac.compare_digest(given.encode(), key.get_secret_value().encode())
    return found


def _verify_hmac(proof: HmacProof, received: Received, now: int) -> str | None:
    timestamp = received.header(proof.timestamp_header)
    message_id = received.header(proof.id_header) if proof.id_header else None
    text = received.header(proof.signature_header).removeprefix(proof.prefix)
    try:
        given = bytes.fromhex(text) if proof.encoding == "hex" else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise Refused(Refusal.BAD_SIGNATURE) from None
    signed = _fill(proof.signed, timestamp, message_id or "", received.body)
    if not any(
        hmac.compare_digest(hmac.digest(key.get_secret_value().encode(), signed, proof.digest), given)
        for key in proof.keys
    ):
        raise Refused(Refusal.BAD_SIGNATURE)
    _check_time(timestamp, now, proof.tolerance_s)
    # An id that is not signed could be another one at each repetition.
    return _mark(message_id, received.body) if message_id and "{id}" in proof.signed else _mark("", signed)


def _mark(message_id: str, content: bytes) -> str:
    """The same for a message that comes again, also when its sender signed it anew because no answer reached him."""
    return hashlib.sha256(message_id.encode() + b"\0" + content).hexdigest()


def _fill(template: str, timestamp: str, message_id: str, body: bytes) -> bytes:
    """The signed bytes. The body goes in last and as it came: what it holds is never taken for a placeholder."""
    before, _, after = template.partition("{body}")
    words = [part.replace("{timestamp}", timestamp).replace("{id}", message_id).encode() for part in (before, after)]
    return words[0] + body + words[1]


def _verify_standard(proof: StandardProof, received: Received, now: int) -> str:
    message_id, timestamp = received.header("webhook-id"), received.header("webhook-timestamp")
    given = [text.removeprefix("v1,") for text in received.header("webhook-signature").split(" ") if text[:3] == "v1,"]
    signed = f"{message_id}.{timestamp}.".encode() + received.body
    right = False
    for key in proof.keys:
        expected = base64.b64encode(hmac.digest(_standard_key(key), signed, hashlib.sha256))
        for text in given:
            right |= hmac.compare_digest(expected, text.encode())
    if not right or not message_id:
        raise Refused(Refusal.BAD_SIGNATURE)
    _check_time(timestamp, now, proof.tolerance_s)
    return _mark(message_id, received.body)


def _check_time(timestamp: str, now: int, tolerance_s: int) -> None:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 16):
        raise Refused(Refusal.CLOCK_SKEW)
    at = int(timestamp) * (1 if len(timestamp) > 11 else 1000)
    if abs(now - at) > tolerance_s * 1000:
        raise Refused(Refusal.CLOCK_SKEW)
