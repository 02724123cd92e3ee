"""The administrators' page offers every option of a group that the server takes."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from groups.calls.rules import CallRules
from groups.floor.options import FloorOptions
from poc_server.api.people.groups import CallIn, FloorIn

PAGE = Path(__file__).resolve().parents[2] / "web" / "src" / "pages" / "admin" / "options.ts"
UNHEARD = {"inactivity_ms"}
"""T4 of a chat group, which has no call to end: nothing anybody could notice."""


def test_the_page_offers_what_the_server_takes_and_the_server_takes_what_the_machines_know() -> None:
    for name, taken, known in (("floor", FloorIn, FloorOptions), ("call", CallIn, CallRules)):
        fields = set(taken.model_fields)
        assert fields == {field.name for field in dataclasses.fields(known)} - UNHEARD
        assert set(re.findall(rf'part: "{name}",\s+name: "(\w+)"', PAGE.read_text())) == fields
