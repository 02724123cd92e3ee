"""Files and folders that stand there still after the power was cut. All raise OSError."""

from __future__ import annotations

import ctypes
import os
import secrets
from pathlib import Path

_syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
"""Of Linux."""


def sync(path: Path) -> None:
    """Put a file's content, or which names a folder holds, on the disk itself."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file_system(descriptor: int) -> None:
    """Put all of the file system on the disk to which this open file or folder belongs. Blocks, others may go on."""
    if _syncfs is None:
        os.sync()
    elif _syncfs(descriptor):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def write(path: Path, text: str) -> None:
    """Replace a file: what stands there is always the old text whole, or the new one."""
    half = path.with_name(f".{path.name}.{secrets.token_hex(6)}")  # two may write it at once
    try:
        half.write_text(text, "utf-8")
        sync(half)
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)
    sync(path.parent)


def make_folder(path: Path) -> None:
    """Make a folder and those that lead to it, where they are not there."""
    missing = [each for each in (path, *path.parents) if not each.exists()]
    path.mkdir(parents=True, exist_ok=True)
    for each in missing:
        sync(each.parent)
