"""What one node's store learned is known beside it: two stores on one database, and what they say to each other."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from poc_server.auth import Auth, AuthRefused
from poc_server.auth.keys import load_or_make
from poc_server.neighbours.news import News
from poc_server.store import DirectoryChange, Store
from tests.fixtures.people import QUICK, Town

pytestmark = pytest.mark.wire


def joined(*stores: Store) -> None:
    """Each hears what the others say, as JSON."""
    lines: list[Any] = [SimpleNamespace(topics={}, say_directory=lambda: None) for _ in stores]
    for line, store in zip(lines, stores, strict=True):
        News(line, store)

        def say(topic: str, value: Any, speaker: Any = line) -> None:
            for other in lines:
                if other is not speaker:
                    other.topics[topic](speaker, json.loads(json.dumps(value)))

        line.say = say


async def test_a_session_that_ends_while_sql_is_away_is_over_on_the_other_nodes_at_once(
    town: Town, tmp_path: Path
) -> None:
    own = tmp_path / "beside"
    own.mkdir()
    beside = await Store.open(town.store.settings, town.store.data, own=own)
    joined(town.store, beside)
    signed = await town.auth.start_session(await town.person(), "demo")
    await beside.refresh()
    auth = Auth(QUICK, beside, load_or_make(tmp_path / "keys"), town.clock)
    auth.verify_access(signed.access_token)
    told: list[DirectoryChange] = []
    beside.directory.subscribe(told.append)
    town.store.end_session(signed.session, "signed_out")  # as where SQL does not answer
    assert [each.sessions for each in told] == [{signed.session}], "its phone is sent away, once"
    with pytest.raises(AuthRefused, match="bad_token"):
        auth.verify_access(signed.access_token)
    await beside.aclose()
