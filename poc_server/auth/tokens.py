"""Access and refresh tokens: signed JWTs (EdDSA) of our own, and nothing else is believed.

Times are checked here against the clock that is passed in, so that a clock that jumps can be tested.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any, Literal

import jwt

from groups.vocabulary import AgencyId, DeviceId, Refusal, UserId
from poc_server.auth.keys import SigningKeys
from poc_server.ground.refused import Refused

ALGORITHM = "EdDSA"
MAX_TOKEN_CHARS = 4_096
Use = Literal["access", "refresh"]
_REQUIRED = ["iss", "aud", "sub", "sid", "agy", "iat", "exp"]


class AuthRefused(Refused):
    """A token, password or code that is not accepted."""


@dataclass(frozen=True, slots=True)
class Claims:
    """Who holds a token. Times in ms since the epoch; ``rotation`` counts refreshes and is 0 in access tokens."""

    user: UserId
    agency: AgencyId
    session: str
    device: DeviceId | None
    issued_ms: int
    expires_ms: int
    rotation: int = 0


class Tokens:
    """Signs and reads tokens."""

    def __init__(self, keys: SigningKeys, issuer: str, skew_ms: int) -> None:
        self._keys = keys
        self._issuer = issuer
        self._skew_ms = skew_ms

    def sign(self, use: Use, claims: Claims) -> str:
        """The token that says ``claims``."""
        payload: dict[str, Any] = {
            "iss": self._issuer,
            "aud": f"poc-{use}",
            "sub": claims.user,
            "agy": claims.agency,
            "sid": claims.session,
            "iat": claims.issued_ms / 1000,
            "exp": claims.expires_ms / 1000,
            "jti": secrets.token_urlsafe(9),
        }
        if claims.device is not None:
            payload["dev"] = claims.device
        if use == "refresh":
            payload["rot"] = claims.rotation
        return jwt.encode(payload, self._keys.private, algorithm=ALGORITHM, headers={"kid": self._keys.name})

    def read(self, use: Use, token: str, now_ms: int) -> Claims:
        """What the token says. Raises `AuthRefused`: bad_token, token_expired."""
        if len(token) > MAX_TOKEN_CHARS:
            raise AuthRefused(Refusal.BAD_TOKEN)
        try:
            key = self._keys.public[jwt.get_unverified_header(token)["kid"]]
            said = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=f"poc-{use}",
                issuer=self._issuer,
                options={"require": _REQUIRED, "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
            claims = _claims(said)
        except (jwt.PyJWTError, KeyError, TypeError, ValueError, OverflowError):
            raise AuthRefused(Refusal.BAD_TOKEN) from None
        # A clock that was set back must not sign out a whole city: with the refresh token, good once, all begin anew.
        if use == "access" and claims.issued_ms > now_ms + self._skew_ms:
            raise AuthRefused(Refusal.BAD_TOKEN, "from the future")
        if claims.expires_ms <= now_ms:
            raise AuthRefused(Refusal.TOKEN_EXPIRED)
        return claims


def _claims(said: dict[str, Any]) -> Claims:
    device = said.get("dev")
    texts = (said["sub"], said["agy"], said["sid"], *(() if device is None else (device,)))
    if not all(isinstance(text, str) and text for text in texts):
        raise ValueError("not text")
    return Claims(
        user=UserId(said["sub"]),
        agency=AgencyId(said["agy"]),
        session=said["sid"],
        device=None if device is None else DeviceId(device),
        issued_ms=round(float(said["iat"]) * 1000),
        expires_ms=round(float(said["exp"]) * 1000),
        rotation=int(said.get("rot", 0)),
    )
