"""docs/protocol.md is true: its tables are those of the models, and each of its examples is a message."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any

import pytest

from signaling import limits
from signaling.messages import ClientMessage, ServerMessage, client_messages, encode, server_messages
from tools.docs.protocol import CLOSE_CODES, PAGE, fill, models, type_of

TEXT = PAGE.read_text(encoding="utf-8")
EXAMPLES = [(m[1], m[2]) for m in re.finditer(r"^```json ?(\w*)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)]
ADAPTERS = {"client": client_messages, "server": server_messages}


def test_the_made_parts_are_as_the_models_have_them() -> None:
    assert fill(TEXT) == TEXT, "write them anew: python -m tools.docs.protocol"


@pytest.mark.parametrize(("side", "text"), EXAMPLES, ids=lambda value: value[:40])
def test_every_example_is_a_message_and_says_all_that_it_is(side: str, text: str) -> None:
    given = json.loads(text)
    assert json.loads(encode(ADAPTERS[side].validate_json(text))) == _with_defaults(side, given)


@pytest.mark.parametrize(("side", "union"), [("client", ClientMessage), ("server", ServerMessage)])
def test_every_message_has_an_example(side: str, union: Any) -> None:
    shown = {json.loads(text)["type"] for example_side, text in EXAMPLES if example_side == side}
    assert {type_of(model) for model in models(union)} - shown == set()


def test_messages_are_named_as_on_the_wire_and_limits_as_they_are() -> None:
    assert re.findall(r"`([A-Z][a-z]\w*|(?:[a-z]_){2}\w*)`", TEXT) == []


def test_every_close_code_is_explained() -> None:
    assert set(CLOSE_CODES) == {value for name, value in vars(limits).items() if name.startswith("CLOSE_")}


def test_links_within_the_page_lead_to_one_place_each() -> None:
    headings = re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    anchors = [
        re.sub(r"[^\w\- ]", "", heading.replace("`", "")).strip().lower().replace(" ", "-") for heading in headings
    ]
    anchors += re.findall(r'<a id="([^"]+)">', TEXT)
    assert [anchor for anchor, places in Counter(anchors).items() if places > 1] == []
    assert set(re.findall(r"\]\(#([^)]+)\)", TEXT)) - set(anchors) == set()


def _with_defaults(side: str, given: dict[str, Any]) -> dict[str, Any]:
    """An example of a client may leave out what has a default; what the server sends always says it."""
    if side == "server":
        return given
    model = next(m for m in models(ClientMessage) if type_of(m) == given["type"])
    return json.loads(encode(model.model_validate(given)))
