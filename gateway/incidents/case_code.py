"""The code of a case: ``C`` or ``E``, major class 2, minor class 2, yyyyMMdd, serial (GB/T 30428).

Systems in the field also use codes of their own, so any short printable code is an incident's code; one that follows
the standard also tells its kind, classes and day.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from gateway.incidents.incident import Kind
from groups.vocabulary import IncidentCode, Refusal
from signaling.messages import Refused

MAX_CODE_CHARS = 48
"""Longest case code; one that is longer is refused."""
_PLAIN = re.compile(rf"[A-Za-z0-9一-鿿〔〕（）()\[\]_.\-]{{1,{MAX_CODE_CHARS}}}")
_STANDARD = re.compile(r"([CE])(\d{2})(\d{2})(\d{4})(\d{2})(\d{2})(\d+)")


@dataclass(frozen=True, slots=True)
class CaseCode:
    """What a standard code tells. ``serial`` keeps its leading zeros."""

    kind: Kind
    major: str
    minor: str
    day: date
    serial: str


def incident_code(text: str) -> IncidentCode:
    """``text`` as a code. Raises `Refused` (bad_message) when it is empty, too long or holds other than plain signs."""
    if not _PLAIN.fullmatch(text) or text in {".", ".."}:
        raise Refused(Refusal.BAD_MESSAGE)
    return IncidentCode(text)


def parse(code: str, serial_digits: tuple[int, int] = (3, 8)) -> CaseCode | None:
    """What ``code`` tells when it follows the standard, its serial being so many digits wide; else None."""
    found = _STANDARD.fullmatch(code)
    if not found or not serial_digits[0] <= len(found[7]) <= serial_digits[1]:
        return None
    try:
        day = date(int(found[4]), int(found[5]), int(found[6]))
    except ValueError:
        return None
    kind = Kind.COMPONENT if found[1] == "C" else Kind.EVENT
    return CaseCode(kind, found[2], found[3], day, found[7])
