"""The day of a dispatched case, from the order to the log with playable voice (`tools.day`)."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from tools.day.__main__ import play

pytestmark = pytest.mark.browser


def test_the_day_of_a_case_holds_to_its_end(playwright: Playwright, tmp_path: Path, build_folder: Path) -> None:
    journal = play(playwright, tmp_path, build_folder / "day.html")
    assert journal.problem == ""
    assert [
        each.said.en for scene in journal.scenes for each in scene.checks if not each.holds and not each.timed
    ] == []
    assert len(journal.sounds) >= 4, "three voices and the SOS"
    assert len(journal.scenes) == 11
