"""Field types and bodies that several routes share."""

from __future__ import annotations

import unicodedata
from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from groups.model import User
from groups.vocabulary import Role
from poc_server.auth import SignedIn
from signaling.limits import MAX_ID_CHARS, MAX_NAME_CHARS

ID_PATTERN = rf"^[!-~]{{1,{MAX_ID_CHARS}}}$"
"""Ids are printable ASCII without spaces; all are made by the server."""


def printable(text: str) -> str:
    """Any script, but no control characters and no half of a surrogate pair."""
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise ValueError("control characters are not allowed")
    return text


Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_NAME_CHARS), AfterValidator(printable)]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_NAME_CHARS), AfterValidator(printable)
]
Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
PathId = Annotated[str, Path(pattern=ID_PATTERN)]


class Body(BaseModel):
    """Base of all: an unknown field is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PersonOut(Body):
    """A user as every page shows him."""

    id: str
    name: str
    badge: str
    roles: list[Role]

    @classmethod
    def of(cls, user: User) -> PersonOut:
        """Shown from the directory."""
        return cls(id=user.id, name=user.name, badge=user.badge, roles=sorted(user.roles))


class TokensOut(Body):
    """Answer to every way of signing in. ``expires_in`` in seconds."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the scheme's name
    expires_in: int
    refresh_token: str
    user: PersonOut

    @classmethod
    def of(cls, signed: SignedIn) -> TokensOut:
        """Of a session that has begun or goes on."""
        return cls(
            access_token=signed.access_token,
            expires_in=signed.expires_in,
            refresh_token=signed.refresh_token,
            user=PersonOut.of(signed.user),
        )
