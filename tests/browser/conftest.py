"""Real browsers against a real server process."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Playwright, expect, sync_playwright

from tests.support.city import ROOT, City, running_city

# A loaded machine takes its time, whichever of these files are run together.
expect.set_options(timeout=30_000)
SPEECH = ROOT / "loadtest" / "speech"


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def city(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    measured = request.node.get_closest_marker("measured") is not None
    with running_city(tmp_path_factory.mktemp("browser") / "city", first=True, cold=measured) as running:
        yield running


@pytest.fixture(scope="session")
def build_folder() -> Path:
    folder = Path(os.environ.get("BUILD", ROOT / "build"))
    folder.mkdir(exist_ok=True)
    return folder
