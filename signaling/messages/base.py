"""What all messages share: strict, frozen, nothing unknown; the bounded text types."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

from signaling.limits import MAX_ID_CHARS, MAX_NAME_CHARS, MAX_SDP_CHARS, MAX_TOKEN_CHARS

RequestId = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_CHARS)]
"""Chosen by the client; the answer repeats it."""
Name = Annotated[str, StringConstraints(max_length=MAX_NAME_CHARS)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID_CHARS)]
Token = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TOKEN_CHARS)]
Sdp = Annotated[str, StringConstraints(max_length=MAX_SDP_CHARS)]


class Message(BaseModel):
    """Base of every message. An unknown field of a client is refused, never ignored in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)
