"""Only tokens of our own are believed."""

from __future__ import annotations

import base64
import json
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from groups.vocabulary import AgencyId, DeviceId, Refusal, UserId
from poc_server.auth.keys import SigningKeys, load_or_make
from poc_server.auth.tokens import AuthRefused, Claims, Tokens

NOW = 1_700_000_000_000
CLAIMS = Claims(UserId("us-1"), AgencyId("ag"), "se-1", DeviceId("de-1"), NOW, NOW + 60_000)
KEY = Ed25519PrivateKey.generate()
KEYS = SigningKeys("k1", KEY, {"k1": KEY.public_key()})
TOKENS = Tokens(KEYS, "poc-server", 5_000)


def said(**changes: object) -> dict[str, object]:
    payload: dict[str, object] = {
        "iss": "poc-server", "aud": "poc-access", "sub": "us-1", "agy": "ag", "sid": "se-1",
        "iat": NOW / 1000, "exp": NOW / 1000 + 60,
    }  # fmt: skip
    payload.update(changes)
    return {key: value for key, value in payload.items() if value is not None}


def code_of(token: str, now: int = NOW) -> Refusal | None:
    try:
        TOKENS.read("access", token, now)
    except AuthRefused as refused:
        return refused.code
    return None


def test_what_is_signed_is_read_back() -> None:
    assert TOKENS.read("access", TOKENS.sign("access", CLAIMS), NOW) == CLAIMS
    refresh = replace(CLAIMS, rotation=7, device=None)
    assert TOKENS.read("refresh", TOKENS.sign("refresh", refresh), NOW) == refresh


def test_time_is_checked_at_the_limit_and_one_beyond() -> None:
    token = TOKENS.sign("access", CLAIMS)
    assert code_of(token, CLAIMS.expires_ms - 1) is None
    assert code_of(token, CLAIMS.expires_ms) is Refusal.TOKEN_EXPIRED
    assert code_of(token, NOW - 5_000) is None
    assert code_of(token, NOW - 5_001) is Refusal.BAD_TOKEN


def unsigned() -> str:
    parts = (json.dumps({"alg": "none", "kid": "k1"}), json.dumps(said()))
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts) + "."


RSA = rsa.generate_private_key(65_537, 2_048)
PUBLIC_BYTES = KEY.public_key().public_bytes_raw()
FORGED = {
    "no algorithm": unsigned(),
    "another key": jwt.encode(said(), Ed25519PrivateKey.generate(), "EdDSA", {"kid": "k1"}),
    "unknown key": jwt.encode(said(), KEY, "EdDSA", {"kid": "k2"}),
    "no key named": jwt.encode(said(), KEY, "EdDSA"),
    "the public key as a secret": jwt.encode(said(), PUBLIC_BYTES, "HS256", {"kid": "k1"}),
    "another algorithm": jwt.encode(said(), RSA, "RS256", {"kid": "k1"}),
    "another issuer": jwt.encode(said(iss="else"), KEY, "EdDSA", {"kid": "k1"}),
    "another audience": jwt.encode(said(aud="poc-refresh"), KEY, "EdDSA", {"kid": "k1"}),
    "no session": jwt.encode(said(sid=None), KEY, "EdDSA", {"kid": "k1"}),
    "no agency": jwt.encode(said(agy=None), KEY, "EdDSA", {"kid": "k1"}),
    "a user that is a number": jwt.encode(said(sub="x", sid=7), KEY, "EdDSA", {"kid": "k1"}),
    "an endless time": jwt.encode(said(exp=1e300), KEY, "EdDSA", {"kid": "k1"})[:-3] + "xyz",
    "a time that is text": jwt.encode(said(exp="soon"), KEY, "EdDSA", {"kid": "k1"}),
    "too long": TOKENS.sign("access", replace(CLAIMS, session="x" * 5_000)),
    "nothing": "",
    "one dot": ".",
    "three": "...",
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_a_forged_token_is_refused(token: str) -> None:
    assert code_of(token) is Refusal.BAD_TOKEN


def test_a_refresh_token_is_no_access_token() -> None:
    assert code_of(TOKENS.sign("refresh", CLAIMS)) is Refusal.BAD_TOKEN


@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("latin-1"))))
def test_whatever_text_comes_is_refused_and_nothing_else(text: str) -> None:
    assert code_of(text) is Refusal.BAD_TOKEN


@given(st.integers(min_value=0, max_value=400), st.integers(min_value=1, max_value=255))
def test_a_token_with_any_byte_changed_is_refused(place: int, change: int) -> None:
    token = TOKENS.sign("access", CLAIMS)
    place %= len(token)
    changed = token[:place] + chr(ord(token[place]) ^ change) + token[place + 1 :]
    # The last character of a part holds bits that are not used; only what decodes to something else must be refused.
    if code_of(changed) is None:
        assert TOKENS.read("access", changed, NOW) == CLAIMS


def test_keys_are_made_once_private_and_all_of_them_verify(tmp_path: Path) -> None:
    first = load_or_make(tmp_path / "keys")
    assert load_or_make(tmp_path / "keys").name == first.name
    assert (tmp_path / "keys" / "sign-1.pem").stat().st_mode & 0o077 == 0
    token = Tokens(first, "i", 0).sign("access", CLAIMS)
    (tmp_path / "other").mkdir()
    load_or_make(tmp_path / "other")
    (tmp_path / "other" / "sign-1.pem").rename(tmp_path / "keys" / "sign-2.pem")
    both = load_or_make(tmp_path / "keys")
    assert len(both.public) == 2
    assert Tokens(both, "i", 0).read("access", token, NOW) == CLAIMS


def test_nodes_that_start_at_the_same_instant_have_one_key_and_none_finds_half_of_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as nodes:
        names = {keys.name for keys in nodes.map(load_or_make, [tmp_path / "keys"] * 64)}
    assert len(names) == 1
    assert [each.name for each in (tmp_path / "keys").iterdir()] == ["sign-1.pem"]


def test_a_file_that_is_no_key_is_an_error_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "sign-1.pem").write_text("no key")
    with pytest.raises(ValueError, match=r"."):
        load_or_make(tmp_path)


@pytest.mark.parametrize("count", [500, pytest.param(100_000, marks=pytest.mark.wire)])
def test_damaged_tokens_are_refused_and_raise_nothing_else(count: int) -> None:
    dice = random.Random(count)
    good = TOKENS.sign("access", CLAIMS)
    for _ in range(count):
        text = list(good)
        for _ in range(dice.randint(1, 4)):
            at = dice.randrange(len(text))
            text[at : at + dice.randrange(3)] = dice.choice(["", ".", "A", "=", "é", "\0", text[at] * 3])
        token = "".join(text)
        try:
            claims = TOKENS.read("access", token, NOW)
        except AuthRefused:
            continue
        assert claims == CLAIMS, "only spare bits of its text were changed"
