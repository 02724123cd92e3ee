"""Tokens of the city's identity provider: a real HTTP server publishes its keys; forged ones are refused."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hmac
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pydantic import ValidationError

from groups.vocabulary import Refusal, Role
from poc_server.auth import Auth
from poc_server.auth.keys import load_or_make
from poc_server.auth.settings import ProviderSettings
from poc_server.ground.refused import Refused
from poc_server.store import Store
from tests.fixtures.people import QUICK, Clock, Town, found_town

pytestmark = pytest.mark.wire
ISSUER = "https://id.city.example/realms/city"


class IdentityProvider:
    """Publishes keys over HTTP and signs what it is told."""

    def __init__(self) -> None:
        self.keys = {"k1": rsa.generate_private_key(65_537, 2_048)}
        self.asked = 0
        self.broken = False
        self.url = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.asked += 1
        body = b"<html>" if self.broken else json.dumps({"keys": [self._jwk(name) for name in self.keys]}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b" % (len(body), body))
        with contextlib.suppress(ConnectionError):
            await writer.drain()
        writer.close()

    def _jwk(self, name: str) -> dict[str, Any]:
        made = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.keys[name].public_key()))
        return {**made, "kid": name, "use": "sig", "alg": "RS256"}

    def token(self, clock: Clock, key: str = "k1", **changes: Any) -> str:
        now = clock() / 1000
        said = {
            "iss": ISSUER, "aud": "poc", "iat": now, "exp": now + 300, "preferred_username": "Wang", "name": "王建国",
            "realm_access": {"roles": ["ptt-officer", "offline_access"]},
        } | changes  # fmt: skip
        said = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(said, self.keys[key], "RS256", {"kid": key})


@pytest.fixture
async def provider() -> AsyncIterator[IdentityProvider]:
    made = IdentityProvider()
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks"
    yield made
    server.close()
    await server.wait_closed()


@pytest.fixture
async def city(store: Store, provider: IdentityProvider, tmp_path: Path) -> Town:
    settings = ProviderSettings.model_validate(
        {
            "issuer": ISSUER,
            "audience": "poc",
            "jwks_url": provider.url,
            "roles_claim": "realm_access.roles",
            "roles": {"ptt-officer": ["officer"], "ptt-system": ["system_admin"], "ptt-audit": ["audit_admin"]},
            "create_in": "市",
        }
    )
    clock = Clock()
    auth = Auth(QUICK.model_copy(update={"providers": (settings,)}), store, load_or_make(tmp_path / "keys"), clock)
    return await found_town(store, auth, clock)


def symmetric(claims: dict[str, Any], secret: bytes) -> str:
    """Signed with a published key as if it were a secret; the library itself would refuse to."""
    parts = [json.dumps({"alg": "HS256", "kid": "k1"}).encode(), json.dumps(claims).encode()]
    text = b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
    seal = base64.urlsafe_b64encode(hmac.digest(secret, text, "sha256")).rstrip(b"=")
    return (text + b"." + seal).decode()


async def code(town: Town, token: str) -> Refusal | None:
    try:
        await town.auth.sign_in_external(token)
    except Refused as refused:
        return refused.code
    return None


async def test_a_person_is_made_at_the_first_sign_in_and_follows_the_providers_roles(
    city: Town, provider: IdentityProvider
) -> None:
    token = provider.token(city.clock)
    first, other = await asyncio.gather(*(city.auth.sign_in_external(token) for _ in range(2)))
    assert other.user.id == first.user.id, "made once, also where two phones of his come at once"
    assert (first.user.name, first.user.roles) == ("王建国", {Role.OFFICER})
    assert city.auth.verify_access(first.access_token).user == first.user.id
    changed = {"realm_access": {"roles": ["ptt-system"]}}
    again = await city.auth.sign_in_external(provider.token(city.clock, **changed))
    assert (again.user.id, again.user.roles) == (first.user.id, {Role.SYSTEM_ADMIN})
    both = {"realm_access": {"roles": ["ptt-system", "ptt-audit"]}}
    assert await code(city, provider.token(city.clock, **both)) is Refusal.NOT_ALLOWED
    assert provider.asked == 1


async def test_forged_tokens_are_refused(city: Town, provider: IdentityProvider) -> None:
    clock = city.clock
    now = clock() / 1000
    stranger = IdentityProvider()
    public = provider.keys["k1"].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    claims = {"iss": ISSUER, "aud": "poc", "exp": now + 300, "preferred_username": "wang"}
    elliptic = ec.generate_private_key(ec.SECP256R1())
    forged = {
        "another key": stranger.token(clock),
        "no algorithm": jwt.encode(claims, None, "none", {"kid": "k1"}),
        "public key as secret": symmetric(claims, public),
        "key of another kind": jwt.encode(claims, elliptic, "ES256", {"kid": "k1"}),
        "another issuer": provider.token(clock, iss="https://evil.example"),
        "another audience": provider.token(clock, aud="mail"),
        "no audience": provider.token(clock, aud=None),
        "no end": provider.token(clock, exp=None),
        "not yet": provider.token(clock, nbf=now + 3_600),
        "no account": provider.token(clock, preferred_username=None),
        "account that is a list": provider.token(clock, preferred_username=["wang"]),
        "account of controls": provider.token(clock, preferred_username="a\nb"),
        "nothing": "",
        "text": "a.b.c",
        "long": "a" * 20_000,
    }
    assert {name: await code(city, token) for name, token in forged.items()} == dict.fromkeys(forged, Refusal.BAD_TOKEN)
    for expires in (now - 31, float("-inf")):
        assert await code(city, provider.token(clock, exp=expires)) in (Refusal.TOKEN_EXPIRED, Refusal.BAD_TOKEN)
    assert await code(city, provider.token(clock, exp=now - 29)) is None


async def test_nobody_becomes_a_person_of_another_agency(city: Town, provider: IdentityProvider) -> None:
    other = await found_town(city.store, city.auth, city.clock, "邻市")
    await other.person(name="外人", account="wang")
    assert await code(city, provider.token(city.clock)) is Refusal.WRONG_CREDENTIALS


async def test_keys_change_without_a_restart_and_a_provider_that_is_down_locks_nobody_out(
    city: Town, provider: IdentityProvider
) -> None:
    assert await code(city, provider.token(city.clock)) is None
    provider.keys["k2"] = rsa.generate_private_key(65_537, 2_048)
    assert await code(city, provider.token(city.clock, "k2")) is Refusal.BAD_TOKEN  # asked a moment ago
    city.clock.forward(31)
    assert await code(city, provider.token(city.clock, "k2")) is None
    assert provider.asked == 2
    provider.broken = True
    city.clock.forward(3_601)
    assert await code(city, provider.token(city.clock, "k2")) is None
    assert provider.asked == 3


async def test_without_keys_nobody_can_say_who_it_is(city: Town, provider: IdentityProvider) -> None:
    provider.broken = True
    assert await code(city, provider.token(city.clock)) is Refusal.UNAVAILABLE


def test_keys_come_over_https_or_from_this_machine() -> None:
    with pytest.raises(ValidationError, match="https"):
        ProviderSettings.model_validate({"issuer": "i", "audience": "a", "jwks_url": "http://id.city.example/jwks"})
