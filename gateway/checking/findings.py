"""What the check of a mapping file reports: findings, and the report of all of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: in or out, which field, what of it."""

    level: Level
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. ``ok``: nothing is wrong, though there may be notes."""

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether the mapping can be used as it is."""
        return all(finding.level is not Level.WRONG for finding in self.findings)

    def lines(self) -> Iterator[str]:
        """The report as text."""
        for finding in self.findings:
            yield f"{finding.level.value:5}  {finding.where:28}  {finding.text}"
