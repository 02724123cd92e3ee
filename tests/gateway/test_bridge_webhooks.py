"""Who may tell us things: keys, signatures, time, addresses, and two keys at once."""

from __future__ import annotations

import base64
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from standardwebhooks import Webhook

from gateway.delivery.events import Event, cloud_event
from gateway.webhooks import MAX_KEYS, TOLERANCE_S, Received, Sender, sign, verify
from groups.vocabulary import Refusal
from signaling.messages import Refused

NOW = 1_784_077_953_000
OLD, NEW = ("whsec_" + base64.b64encode(word).decode() for word in (b"old-secret-old-secret", b"new-secret-new-secret"))
BODY = '{"案卷":1}'.encode()


def sender(**proof: object) -> Sender:
    networks = proof.pop("networks", ())
    return Sender.model_validate({"id": "case-system", "proof": proof, "networks": networks})


def refusal(who: Sender, received: Received, now: int = NOW) -> Refusal | None:
    try:
        verify(who, received, now)
    except Refused as refused:
        return refused.code
    return None


def standard(secret: str, body: bytes = BODY, at: int = NOW, message: str = "m1") -> Received:
    return Received(sign((secret,), message, body, at), body, "10.0.0.1")


def test_what_we_sign_the_standards_own_library_verifies() -> None:
    import time

    now = int(time.time() * 1000)
    headers = sign((NEW, OLD), "m1", BODY, now)
    for secret in (OLD, NEW):
        assert Webhook(secret).verify(BODY, headers) == {"案卷": 1}


def test_either_of_two_keys_is_good_and_a_third_is_not() -> None:
    both = sender(kind="standard", keys=[OLD, NEW])
    assert verify(both, standard(OLD), NOW) == verify(both, standard(NEW), NOW) is not None
    assert refusal(sender(kind="standard", keys=[NEW]), standard(OLD)) is Refusal.BAD_SIGNATURE
    assert MAX_KEYS == 2
    with pytest.raises(ValidationError):
        sender(kind="standard", keys=[OLD, NEW, OLD])


def test_time_at_the_tolerance_is_good_and_one_beyond_is_not() -> None:
    who = sender(kind="standard", keys=[OLD])
    for skew in (-TOLERANCE_S, TOLERANCE_S):
        assert refusal(who, standard(OLD, at=NOW + skew * 1000)) is None
        beyond = skew + (1 if skew > 0 else -1)
        assert refusal(who, standard(OLD, at=NOW + beyond * 1000)) is Refusal.CLOCK_SKEW


def test_a_replay_with_another_body_id_or_time_is_refused() -> None:
    who, fine = sender(kind="standard", keys=[OLD]), standard(OLD)
    assert refusal(who, Received(fine.headers, BODY + b" ", "")) is Refusal.BAD_SIGNATURE
    for name, value in (("webhook-id", "m2"), ("webhook-timestamp", str(NOW // 1000 + 1))):
        assert refusal(who, Received({**fine.headers, name: value}, BODY, "")) is Refusal.BAD_SIGNATURE


def test_a_message_signed_anew_is_the_same_and_every_other_is_not() -> None:
    who = sender(kind="standard", keys=[OLD])
    mark = verify(who, standard(OLD), NOW)
    assert mark == verify(who, standard(OLD, at=NOW + 60_000), NOW + 60_000)
    assert mark not in (verify(who, standard(OLD, message="m2"), NOW), verify(who, standard(OLD, body=b"{}"), NOW))


def test_an_id_that_is_not_signed_does_not_make_a_repetition_another_message() -> None:
    who = sender(kind="hmac", keys=["k"], id_header="X-Id")
    at = str(NOW)
    headers = {"X-Signature": hmac.new(b"k", at.encode() + b"." + BODY, "sha256").hexdigest(), "X-Timestamp": at}
    marks = {verify(who, Received({**headers, "X-Id": name}, BODY, ""), NOW) for name in ("a", "b", "")}
    assert len(marks) == 1
    assert marks != {None}


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40), st.binary(max_size=40))
def test_no_headers_whatever_raise_anything_but_a_refusal(message: str, at: str, signature: str, body: bytes) -> None:
    headers = {"webhook-id": message, "webhook-timestamp": at, "webhook-signature": f"v1,{signature}"}
    headers |= {"X-Signature": signature, "X-Timestamp": at, "X-Api-Key": signature}
    for proof in (
        {"kind": "standard", "keys": [OLD]},
        {"kind": "hmac", "keys": ["k"]},
        {"kind": "hmac", "keys": ["k"], "encoding": "base64"},
        {"kind": "api_key", "keys": ["the-key-which-is-not-guessed-by-chance-in-40-characters"]},
    ):
        assert refusal(sender(**proof), Received(headers, body, "")) is Refusal.BAD_SIGNATURE
        assert refusal(sender(**proof), Received({}, body, "")) is Refusal.BAD_SIGNATURE


@pytest.mark.parametrize("digest", ["sha256", "sha512", "sm3"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_a_signature_of_a_systems_own_making(digest: str, encoding: str) -> None:
    who = sender(
        kind="hmac",
        keys=["one", "two"],
        digest=digest,
        encoding=encoding,
        prefix="sign=",
        signed="{id}|{body}|{timestamp}",
        id_header="X-Id",
    )
    at = str(NOW // 1000)
    made = hmac.new(b"two", b"m9|" + BODY + b"|" + at.encode(), digest).digest()
    text = made.hex() if encoding == "hex" else base64.b64encode(made).decode()
    headers = {"x-signature": f"sign={text}", "x-timestamp": at, "x-id": "m9"}
    assert verify(who, Received(headers, BODY, ""), NOW)
    assert refusal(who, Received(headers, BODY, ""), NOW + (TOLERANCE_S + 1) * 1000) is Refusal.CLOCK_SKEW


def test_a_body_is_never_taken_for_a_placeholder() -> None:
    who = sender(kind="hmac", keys=["k"])
    body, at = b"{timestamp}{body}{id}", str(NOW)
    made = hmac.new(b"k", at.encode() + b"." + body, "sha256").hexdigest()
    assert refusal(who, Received({"X-Signature": made, "X-Timestamp": at}, body, "")) is None


def test_an_hmac_that_does_not_cover_the_time_cannot_be_set_up() -> None:
    with pytest.raises(ValidationError):
        sender(kind="hmac", keys=["k"], signed="{body}")


def test_an_api_key_with_and_without_a_scheme() -> None:
    assert refusal(sender(kind="api_key", keys=["a", "b"]), Received({"x-api-key": "b"}, BODY, "")) is None
    bearer = sender(kind="api_key", keys=["a"], header="Authorization", scheme="Bearer")
    assert refusal(bearer, Received({"authorization": "Bearer a"}, BODY, "")) is None
    assert refusal(bearer, Received({"authorization": "a"}, BODY, "")) is Refusal.BAD_SIGNATURE


def test_addresses_alone_or_beside_a_key() -> None:
    alone = sender(kind="address", networks=["10.1.0.0/16", "fd00::/8"])
    for remote, good in (("10.1.255.1", True), ("::ffff:10.1.0.1", True), ("fd00::1", True), ("10.2.0.1", False)):
        assert (refusal(alone, Received({}, BODY, remote)) is None) is good
    assert refusal(alone, Received({}, BODY, "nonsense")) is Refusal.BAD_SIGNATURE
    assert refusal(sender(kind="address"), Received({}, BODY, "10.1.0.1")) is Refusal.BAD_SIGNATURE
    beside = sender(kind="api_key", keys=["a"], networks=["10.1.0.0/16"])
    assert refusal(beside, Received({"x-api-key": "a"}, BODY, "10.2.0.1")) is Refusal.BAD_SIGNATURE


def test_keys_do_not_show_when_settings_are_printed() -> None:
    assert "swordfish" not in repr(sender(kind="api_key", keys=["swordfish"]))


def test_an_event_is_a_cloud_event() -> None:
    event = Event("C1/2/burst", "burst.recorded", "C1", 3, NOW, {"user": "张伟"})
    found = json.loads(cloud_event(event, "/poc/city", event.data))
    assert found == {
        "specversion": "1.0",
        "id": "C1/2/burst",
        "source": "/poc/city",
        "type": "poc.incident.burst.recorded",
        "subject": "C1",
        "time": "2026-07-15T01:12:33Z",
        "datacontenttype": "application/json",
        "sequence": "000000000003",
        "data": {"user": "张伟"},
    }
