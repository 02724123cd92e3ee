"""Plays the day and writes build/day.html; exit code 1 when anything did not hold."""

from __future__ import annotations

import os
import sys
import tempfile
import time
import traceback
from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright

from tests.support.city import ROOT
from tools.day.journal import Journal, clock
from tools.day.page import page
from tools.day.stage import Stage
from tools.day.story import Day


def play(playwright: Playwright, folder: Path, out: Path) -> Journal:
    """Plays the day and writes its page, also when it ends early."""
    journal = Journal()
    try:
        with ExitStack() as stack:
            Day(Stage(stack, playwright, folder), journal).play()
    except Exception as problem:
        journal.problem = str(problem).splitlines()[0][:300] or type(problem).__name__
        traceback.print_exc()
        print((folder / "city.log").read_text()[-3000:], file=sys.stderr)
    journal.ended = time.time()
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page(journal), encoding="utf-8")
    return journal


def main() -> int:
    out = Path(os.environ.get("BUILD", ROOT / "build")) / "day.html"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        journal = play(playwright, Path(folder), out)
    for scene in journal.scenes:
        print(f"{clock(scene.at)}  {scene.title.en}")
        for check in scene.checks:
            print(f"          {'✓' if check.holds else '✗'} {check.said.en}")
    print(f"{out}: {'everything holds' if journal.ok else 'NOT everything holds'}")
    return 0 if journal.ok else 1


if __name__ == "__main__":
    raise SystemExit(main())
