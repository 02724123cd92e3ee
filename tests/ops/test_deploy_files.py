"""What lies in deploy/ fits together: files that are mounted exist, variables that are asked for are explained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE_FILES = sorted(DEPLOY.glob("compose*.yaml"))


@pytest.fixture(params=COMPOSE_FILES, ids=lambda path: path.name)
def compose(request: pytest.FixtureRequest) -> dict[str, Any]:
    return yaml.safe_load(request.param.read_text())


def test_files_that_are_mounted_exist(compose: dict[str, Any]) -> None:
    mounts = [m for service in compose["services"].values() for m in service.get("volumes", ())]
    files = [m.split(":")[0] for m in mounts if m.startswith("./")]
    assert [name for name in files if not (DEPLOY / name).exists()] == []


def test_volumes_that_are_used_are_declared(compose: dict[str, Any]) -> None:
    mounts = [m.split(":")[0] for service in compose["services"].values() for m in service.get("volumes", ())]
    assert {name for name in mounts if not name.startswith(".")} == set(compose["volumes"])


def test_every_variable_is_explained() -> None:
    asked = {name for path in COMPOSE_FILES for name in re.findall(r"(?<!\$)\$\{(\w+)", path.read_text())}
    explained = set(re.findall(r"^#?(\w+)=", (DEPLOY / "env.example").read_text(), re.MULTILINE))
    assert asked == explained


def test_no_secret_has_a_default(compose: dict[str, Any]) -> None:
    text = yaml.safe_dump(compose)
    assert re.findall(r"\$\{\w*(?:PASSWORD|SECRET)\w*:-[^}]+\}", text) == []


def test_what_the_image_copies_is_in_the_repository() -> None:
    lines = re.findall(r"^COPY (?!--from)(.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    sources = [source for line in lines for source in line.split()[:-1]]
    assert [source for source in sources if not (ROOT / source).exists()] == []
