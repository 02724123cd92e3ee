"""Waiting for what no event tells of, while the page goes on."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from playwright.sync_api import Page

PATIENCE_S = 60.0
LOOK_EVERY_MS = 50
T = TypeVar("T")


def once(page: Page, what: str, look: Callable[[], T]) -> T:
    """What ``look`` finds, as soon as that is something; a test that would wait for ever says what for."""
    end = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < end, f"no {what} within {PATIENCE_S:.0f} s"
        page.wait_for_timeout(LOOK_EVERY_MS)
    return found
