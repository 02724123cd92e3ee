"""Whose bursts a page was given, and whose were played there."""

from __future__ import annotations

from tests.support.console import Console
from tests.support.officer import Officer


def heard(page: Officer | Console, talker: str, bursts: int = 1) -> None:
    """Until the first voice of so many bursts of this talker was played there."""
    page.page.wait_for_function(
        """([user, bursts]) => new Set(window.__poc.events
            .filter(slot => slot.name === 'slot' && slot.by?.id === user
                && window.__poc.events.some(e => e.name === 'first_voice' && e.burst === slot.burst))
            .map(({burst}) => burst)).size >= bursts""",
        arg=[talker, bursts],
    )


def told_of(officer: Officer, talker: str) -> int:
    """How many bursts of this talker the phone was given."""
    return len([event for event in officer.events("slot") if (event.get("by") or {}).get("id") == talker])
