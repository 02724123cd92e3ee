"""A secret that is made at the first start, by one of several processes that share its folder."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def keep_first(file: Path, content: bytes) -> None:
    """Write ``file``, to be read by nobody else, unless it is there: it is there whole, or not at all. Raises OSError.

    Nodes may start at the same instant: one that found half a key would not start.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    half = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    try:
        os.link(half, file)
    except FileExistsError:
        pass  # another process was quicker: its secret stands
    finally:
        half.unlink()
