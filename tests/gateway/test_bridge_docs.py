"""What docs/bridge.md shows can be used as it stands."""

from __future__ import annotations

import json
import re
import threading
import tomllib
from dataclasses import fields
from http.server import HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from gateway.delivery.events import Event, cloud_event
from gateway.delivery.receiver import Receiver
from gateway.incidents.document import Document, schemas
from gateway.incidents.incident import PartyKind
from gateway.incidents.rules import Rule, Rules
from gateway.incidents.steps import Step
from gateway.mapping.mapping import (
    BasicAuth,
    Call,
    HeaderAuth,
    HmacAuth,
    Inbound,
    LimitFields,
    MappingFile,
    Outbound,
    parse_mapping,
)
from gateway.webhooks import ApiKeyProof, HmacProof, StandardProof, sign
from groups.vocabulary import Refusal
from poc_server.bridge.setup import (
    BadSetup,
    BridgeFile,
    PollSetup,
    Retry,
    SenderSetup,
    WorkingTime,
    load,
)
from poc_server.cli import app

MODELS: tuple[type[BaseModel], ...] = (
    *(BridgeFile, WorkingTime, Retry, SenderSetup, ApiKeyProof, HmacProof, StandardProof, Receiver, PollSetup, Rule),
    *(MappingFile, Inbound, LimitFields, Outbound, Call, HeaderAuth, BasicAuth, HmacAuth),
)
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


def test_every_setting_is_named_and_shown_with_its_default() -> None:
    (block,) = [block for block in BLOCKS if block.startswith("agency")]
    shown, words = load_text(block), set(re.findall(r"\w+", PAGE))
    for model in MODELS:
        assert {field.alias or name for name, field in model.model_fields.items()} <= words, model.__name__
    parts = [shown, shown.working_time, shown.retry, *shown.senders, *(each.proof for each in shown.senders)]
    for part in (*parts, *shown.receivers, *shown.polls):
        for name, field in type(part).model_fields.items():
            if not field.is_required() and name not in {"senders", "receivers", "polls", "proof"}:
                assert getattr(part, name) == field.get_default(call_default_factory=True), name


def test_every_step_is_named() -> None:
    assert [step.value for step in Step if step.value not in PAGE] == []


def test_every_field_of_the_document_is_named() -> None:
    table = PAGE.partition("### The document")[2].partition("\nEvery sender")[0]
    assert {field.name for field in fields(Document)} == set(re.findall(r"`([a-z_]+)`", table)) & set(schema())
    assert [party.value for party in PartyKind if f"`{party.value}`" not in PAGE] == []


def schema() -> dict[str, Any]:
    found: dict[str, Any] = schemas("{model}")["Document"]["properties"]
    return found


def test_the_receiver_on_the_page_takes_what_is_signed_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    *code, last = block.rstrip().split("\n")
    assert last.startswith("HTTPServer(")
    (secret,) = load_text(BLOCKS[0]).receivers[0].secrets
    run: dict[str, Any] = {}
    exec("\n".join(code), run)
    server = HTTPServer(("127.0.0.1", 0), run["Hook"])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    body = cloud_event(Event("C1/1/photo", "photo", "C1", 1, 1_784_000_000_000, {"note": "井盖"}), "/poc", {})
    url = f"http://127.0.0.1:{server.server_port}"
    for key, wanted in ((secret.get_secret_value(), 204), ("whsec_d3Jvbmctc2VjcmV0LXdyb25n", 401)):
        headers = sign((key,), "m1", body, 1_784_000_000_000)
        assert httpx.post(url, content=body, headers=headers, trust_env=False).status_code == wanted
    server.shutdown()
    server.server_close()
    assert capsys.readouterr().out.count("poc.incident.photo") == 1


def test_the_event_on_the_page_is_made_as_all_are() -> None:
    refusal, shown = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL))
    event = Event(shown["id"], "burst.recorded", shown["subject"], int(shown["sequence"]), 1_784_104_408_884)
    made = json.loads(cloud_event(event, shown["source"], shown["data"]))
    assert made == {**shown, "time": made["time"]}
    assert refusal["code"] in {refusal.value for refusal in Refusal}


def load_text(text: str) -> BridgeFile:
    return BridgeFile.model_validate(tomllib.loads(text))


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


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_server_says_what_is_wrong_with_the_file_before_it_begins_anything(tmp_path: Path, command: str) -> None:
    file, data = tmp_path / "bridge.toml", tmp_path / "data"
    file.write_text('[[receivers]]\nid = "a"\nurl = "ftp://x"')
    where = {"POC_BRIDGE__FILE": str(file), "POC_SERVER__DATA": str(data)}
    done = CliRunner().invoke(app, [command, *(["--data", str(data)] if command == "demo" else [])], env=where)
    assert done.exit_code == 1
    assert "receivers.0.url" in done.output
    assert not data.exists()


def test_a_server_that_cannot_begin_has_said_why_and_what_else_is_missing(tmp_path: Path) -> None:
    file = tmp_path / "bridge.toml"
    file.write_text('[[receivers]]\nid = "a"\nurl = "http://x"')
    where = {
        "POC_BRIDGE__FILE": str(file),
        "POC_SERVER__DATA": str(tmp_path / "data"),
        "POC_STORE__URL": "postgresql://nobody:none@127.0.0.1:1/nothing",
    }
    done = CliRunner().invoke(app, ["serve"], env=where)
    assert (done.exit_code, type(done.exception)) == (1, SystemExit)
    assert "bridge.public_url is not set" in done.output
    assert "unavailable" in done.output


def test_without_a_file_there_is_a_bridge_all_the_same() -> None:
    assert load(None).file == BridgeFile()
    assert load(None).options.rules == Rules()
