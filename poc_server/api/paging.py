"""Pages and entity tags: how lists go on, and how two editors do not overwrite each other."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Query, Response
from starlette.exceptions import HTTPException

from groups.vocabulary import Refusal
from poc_server.ground.refused import Refused
from signaling.limits import MAX_PAGE

T = TypeVar("T")
MAX_CURSOR_CHARS = 800
MAX_MS_DIGITS = 16
Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="Items on one page")]
Cursor = Annotated[str, Query(max_length=MAX_CURSOR_CHARS, description="``next`` of the page before")]
Search = Annotated[
    str, Query(max_length=64, description="Anywhere in the name, badge or account; or pinyin of the name")
]


def cursor_of(*keys: str) -> str:
    """The cursor after an item with these sort keys."""
    return base64.urlsafe_b64encode(json.dumps(keys, separators=(",", ":")).encode()).decode().rstrip("=")


def following(page: Sequence[T], limit: int, keys: Callable[[T], tuple[str, ...]]) -> str | None:
    """The cursor after a full page of at most ``limit`` items; None where the list is at its end."""
    return cursor_of(*keys(page[-1])) if len(page) == limit else None


def keys_of(cursor: str, count: int) -> tuple[str, ...] | None:
    """The sort keys in a cursor; None at the beginning. Refuses (bad_message) what this server did not make."""
    if not cursor:
        return None
    try:
        keys = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, RecursionError):
        keys = None
    if not isinstance(keys, list) or len(keys) != count or not all(isinstance(key, str) for key in keys):
        raise Refused(Refusal.BAD_MESSAGE, "after")
    if any("\x00" in key for key in keys):
        raise Refused(Refusal.BAD_MESSAGE, "after")
    return tuple(keys)


def ms_of(key: str) -> int:
    """A time among the keys of a cursor. Refuses (bad_message) what this server did not make."""
    if not key.isascii() or not key.isdigit() or len(key) > MAX_MS_DIGITS:
        raise Refused(Refusal.BAD_MESSAGE, "after")
    return int(key)


def tag(response: Response, version: int) -> None:
    """Put the entity tag of a version on an answer."""
    response.headers["etag"] = f'"{version}"'


IfMatch = Annotated[str | None, Header(description="``ETag`` of what you edit, or *")]


def version_of(if_match: str) -> int | None:
    """The version an editor has seen; None for ``*``. Refuses what is no tag of ours (stale)."""
    text = if_match.strip().removeprefix("W/").strip('"')
    if text == "*":
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Refused(Refusal.STALE)
    return int(text)


def check_seen(there: Any, if_match: str | None, what: str) -> None:
    """For what its editor names himself, so that one route adds and changes: ``there`` is its row, None: it is new.

    Refuses to write over one that is there without ``If-Match`` (conflict), or that is not as he has seen it (stale).
    """
    if if_match is None:
        if there is not None:
            raise Refused(Refusal.CONFLICT, what)
        return
    expected = version_of(if_match)
    if there is None or (expected is not None and there.version != expected):
        raise Refused(Refusal.STALE, what)


async def _expected(if_match: IfMatch = None) -> int | None:
    if if_match is None:
        raise HTTPException(428, "If-Match is missing")
    return version_of(if_match)


Expected = Annotated[int | None, Depends(_expected)]
"""The version that ``If-Match`` names; its absence is refused (428)."""
