"""Names of new rows, and the clock of records."""

from __future__ import annotations

import base64
import hashlib
import secrets
import time


def new_id(prefix: str) -> str:
    """``prefix`` and 80 random bits: cannot be guessed, sorts no one first, reads well in a log."""
    return f"{prefix}-{base64.b32encode(secrets.token_bytes(10)).decode().lower()}"


def id_after(prefix: str, *names: str) -> str:
    """``prefix`` and 80 bits that are the same for these ``names`` wherever and however often they are asked for."""
    digest = hashlib.sha256("\0".join(names).encode("utf-8", "replace")).digest()
    return f"{prefix}-{base64.b32encode(digest[:10]).decode().lower()}"


def now_ms() -> int:
    """The wall clock, ms since the epoch: what records are stamped with."""
    return time.time_ns() // 1_000_000


def clean(text: str) -> str:
    """``text`` without what a database refuses to keep: NUL and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
