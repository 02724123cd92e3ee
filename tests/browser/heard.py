"""Whose bursts a page was given, and whose were played there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.support.console import Console
from tests.support.officer import Officer

PLAYED = """([user, but]) => window.__poc.events
    .filter(slot => slot.name === 'slot' && slot.by?.id === user && !but.includes(slot.burst)
        && window.__poc.events.some(e => e.name === 'first_voice' && e.burst === slot.burst))
    .map(({burst}) => burst)"""


def played(page: Officer | Console, talker: str) -> list[Any]:
    """The bursts of this talker whose first voice was played there."""
    return list(page.page.evaluate(PLAYED, [talker, []]))


def heard(page: Officer | Console, talker: str, but: Sequence[Any] = ()) -> None:
    """Until the first voice of a burst of this talker was played there, of another one than these."""
    page.page.wait_for_function(f"given => ({PLAYED})(given).length > 0", arg=[talker, list(but)])


def told_of(officer: Officer, talker: str) -> int:
    """How many bursts of this talker the phone was given."""
    return len([event for event in officer.events("slot") if (event.get("by") or {}).get("id") == talker])
