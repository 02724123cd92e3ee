"""What waits on the disk of a node."""

from __future__ import annotations

from pathlib import Path

from poc_server.store.journal import lines


def journalled(folder: Path) -> list[dict[str, object]]:
    """The records in the journal that is kept in ``folder``, oldest first within a file."""
    return [lines.decode(line) for path in folder.glob("*.journal") for line in path.read_bytes().splitlines()]
