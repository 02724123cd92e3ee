"""Who the phones are: the lines that ``poc-server demo --people N --links FILE`` writes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError


class BadLinks(Exception):
    """The file of identities cannot be used; the text says why."""


class Identity(BaseModel):
    """One person: an access token, the ids of his groups, and in which of them he may talk (left out: in all)."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    user: str
    name: str = ""
    token: str
    groups: tuple[str, ...] = ()
    talks_in: tuple[str, ...] | None = None

    @property
    def talks(self) -> tuple[str, ...]:
        """The groups he may talk in."""
        return self.groups if self.talks_in is None else self.talks_in


def read_links(lines: Iterable[str]) -> list[Identity]:
    """One identity per line of JSON, empty lines left out. Raises `BadLinks`."""
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(Identity.model_validate_json(line))
            except ValidationError as problem:
                raise BadLinks(f"line {number}: {problem.errors()[0]['msg']}") from None
    return found


def read_links_file(path: Path) -> list[Identity]:
    """`read_links` of a file. Raises `BadLinks`."""
    try:
        with path.open(encoding="utf-8") as file:
            return read_links(file)
    except (OSError, UnicodeDecodeError) as problem:
        raise BadLinks(f"{path}: {problem}") from None
