"""What docs/bridge.md shows can be used as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.mapping import MappingFile, parse_mapping
from gateway.rules import Rules
from gateway.steps import Step
from poc_server.bridge.setup import BadSetup, BridgeFile, load

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "bridge.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)


def test_every_file_on_the_page_is_one(tmp_path: Path) -> None:
    mappings = [block for block in BLOCKS if block.startswith("name")]
    assert [type(parse_mapping(block)) for block in mappings] == [MappingFile]
    for block in BLOCKS:
        if block not in mappings:
            (tmp_path / "bridge.toml").write_text(block)
            load(tmp_path / "bridge.toml")


def test_the_rules_on_the_page_are_the_default(tmp_path: Path) -> None:
    (block,) = [block for block in BLOCKS if "rules.rules" in block]
    (tmp_path / "bridge.toml").write_text(block)
    assert load(tmp_path / "bridge.toml").file.rules == Rules()


def test_every_step_is_named() -> None:
    assert [step.value for step in Step if step.value not in PAGE] == []


@pytest.mark.parametrize(
    "text",
    [
        "odd = 1",
        "senders = 5",
        '[[senders]]\nid = "A b"\nproof = { kind = "api_key", keys = ["k"] }',
        '[[senders]]\nid = "a"\nmapping = "nowhere.toml"\nproof = { kind = "api_key", keys = ["k"] }',
        '[[receivers]]\nid = "a"\nurl = "ftp://x"',
        '[[receivers]]\nid = "a"\nurl = "http://x"\nsecrets = ["whsec_"]',
        '[[receivers]]\nid = "a"\nurl = "http://x"\n[[receivers]]\nid = "a"\nurl = "http://y"',
        '[working_time]\nspans = [["25:00", "26:00"]]',
        "[retry]\ndelays_s = []",
        "hang_minutes = -1",
    ],
)
def test_a_file_that_cannot_be_used_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "bridge.toml").write_text(text)
    with pytest.raises(BadSetup):
        load(tmp_path / "bridge.toml")


def test_without_a_file_there_is_a_bridge_all_the_same() -> None:
    assert load(None).file == BridgeFile()
    assert load(None).options.rules == Rules()
