"""deploy/config.toml holds every key with its default, and compose sets only keys that there are."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from poc_server.config import BadConfig, Config, load
from tools.docs.config import FILE, text

DEPLOY = FILE.parent


def test_the_example_is_as_the_models_have_it() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "write it anew: make docs"


def test_as_it_lies_there_it_changes_nothing() -> None:
    assert load(FILE, env={}) == Config()


def test_with_every_key_switched_on_it_still_says_the_defaults(tmp_path: Path) -> None:
    switched_on = re.sub(r"^#(\w+ = .+)$", r"\1", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (tmp_path / "all.toml").write_text(switched_on)
    assert load(tmp_path / "all.toml", env={}) == Config()


def test_every_key_is_described() -> None:
    lines = FILE.read_text(encoding="utf-8").splitlines()
    keys = [(line, before) for before, line in pairwise(lines) if re.match(r"#\w+ = |# \w+ = …", line)]
    assert [line for line, before in keys if not re.match(r"# [^(]", before)] == []


def test_a_mistyped_key_is_named() -> None:
    with pytest.raises(BadConfig, match=r"media\.prot"):
        load(None, env={"POC_MEDIA__PROT": "1"})


@pytest.mark.parametrize("path", sorted(DEPLOY.glob("compose*.yaml")), ids=lambda path: path.name)
def test_compose_sets_keys_that_there_are(path: Path) -> None:
    for service in yaml.safe_load(path.read_text())["services"].values():
        given: dict[str, Any] = service.get("environment", {})
        load(None, env={key: filled(str(value)) for key, value in given.items() if key.startswith("POC_")})


def test_the_image_sets_keys_that_there_are() -> None:
    lines = (DEPLOY.parent / "Dockerfile").read_text()
    given = dict(re.findall(r"\b(POC_\w+)=(\S+)", lines))
    settings = load(None, env=given)
    assert settings.media.port == 40_000
    assert settings.server.data == Path("/data")


def filled(value: str) -> str:
    """What compose makes of a value: the default where there is one, else an address or some text."""

    def one(m: re.Match[str]) -> str:
        return m[3] if m[2] == "-" else "203.0.113.10" if m[1].endswith("ADDRESS") else "x"

    return re.sub(r"\$\{(\w+)(?::([-?])([^}]*))?\}", one, value)
