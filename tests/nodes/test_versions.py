"""Nodes of two versions share one city while it is upgraded: what one writes, the other reads."""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

from groups.calls.state import CallEnd, CallKind, Part
from groups.emergency.broadcast import Life, PersonReceipt
from groups.model import User
from groups.plain import known
from groups.vocabulary import (
    AgencyId,
    AlertState,
    BurstEnd,
    GroupId,
    GroupKind,
    MonitorScope,
    NotListening,
    RevokeCause,
    Tier,
    UserId,
)
from poc_server.neighbours.desk import decided
from poc_server.neighbours.known.far_phone import FarPhone, record_of, update
from poc_server.neighbours.news import ends
from poc_server.store.emergency import Kept
from poc_server.store.journal import (
    AlertKept,
    BroadcastKept,
    BroadcastOver,
    CaseTold,
    EmergencyCallKept,
    EmergencyCallOver,
    ReceiptsKept,
    Record,
)
from poc_server.talk.machines import CALL, FLOOR
from tests.nodes import samples

BEFORE: dict[str, Any] = json.loads((Path(__file__).parent / "written_by_0.1.0.json").read_text())
"""What nodes of that version wrote: of each kind one, with every field it had, and the words of its enumerations."""
WORDS: dict[str, type[Enum]] = {
    kind.__name__: kind
    for kind in (
        AlertState,
        BurstEnd,
        CallEnd,
        CallKind,
        GroupKind,
        MonitorScope,
        NotListening,
        Part,
        RevokeCause,
        Tier,
    )
}


def read(name: str, plain: Any) -> Any:
    """As a node reads it."""
    machine, _, effect = name.partition(" ")
    if effect:
        return {"floor": FLOOR, "call": CALL}[machine].event_from_json([effect, plain])
    if name in samples.STATES:
        return samples.STATES[name].from_json(json.dumps(plain))
    if name == "Life":
        return Life(**known(Life, plain))
    return {"Group": decided.GROUP, "CallFacts": decided.FACTS}[name].validate_python(plain)


def lost(before: Any, now: Any, where: str = "") -> list[str]:
    """Fields that were written once and are not any more."""
    if isinstance(before, dict):
        missing = [f"{where}.{key}" for key in before if key not in now]
        return missing + [
            each for key in before if key in now for each in lost(before[key], now[key], f"{where}.{key}")
        ]
    if isinstance(before, list) and before and now:
        return lost(before[0], now[0], f"{where}[]")
    return []


@pytest.mark.parametrize("name", samples.everything())
def test_a_field_that_is_not_known_yet_is_passed_over(name: str) -> None:
    plain = samples.everything()[name]
    assert read(name, samples.of_later(plain)) == read(name, plain)


@pytest.mark.parametrize("name", BEFORE["written"])
def test_what_an_earlier_version_wrote_is_read(name: str) -> None:
    read(name, BEFORE["written"][name])


def test_nothing_that_an_earlier_version_reads_is_left_out() -> None:
    assert lost(BEFORE["written"], samples.everything()) == []
    assert lost(BEFORE["phone"], record_of(phone(), 0.0)) == []


def test_no_word_of_an_earlier_version_is_forgotten() -> None:
    assert {name: set(words) - {each.value for each in WORDS[name]} for name, words in BEFORE["words"].items()} == {
        name: set() for name in WORDS
    }


def phone() -> FarPhone:
    return FarPhone("u/phone", samples.sample(User), "s", 2)


def test_a_phone_is_known_though_its_node_says_more_of_it_and_in_words_that_are_new() -> None:
    far = phone()
    said = samples.of_later(BEFORE["phone"]) | {"not_listening": "asleep", "scope": "half", "selected": "g"}
    update(far, far.user, said)
    assert (far.selected, far.not_listening, far.scope) == ("g", None, MonitorScope.NONE)


CASE = CaseTold(id="t", group=GroupId("g"), at_ms=1, user=UserId("u"), data={"state": "raised"})
ROW = Kept("b", AgencyId("y"), UserId("u"), True, 1, {"said": 1}, "over")
NOTED = (
    EmergencyCallKept.of(ROW, GroupId("g")),
    *BroadcastKept.of(ROW, [UserId("u")]),
    *ReceiptsKept.of("b", [samples.sample(PersonReceipt)]),
    EmergencyCallOver(id="c"),
    BroadcastOver(id="b", state="over", content={"said": 1}, missed=(UserId("u"),)),
    AlertKept(
        id="a",
        agency=AgencyId("y"),
        user=UserId("u"),
        open=True,
        state="raised",
        raised_ms=1,
        content={"version": 1},
        case=CASE,
    ),
)


@pytest.mark.parametrize("record", NOTED, ids=lambda record: record.kind)
def test_what_ended_or_stands_is_kept_though_a_later_version_says_more_of_it(record: Record) -> None:
    plain = record.model_dump(mode="json")
    later = {"of_a_later_version": [1]}
    nested = {"case": plain["case"] | later} if "case" in plain else {}
    assert ends.read(plain | nested | later) == record
    assert ends.read(plain | {"v": 2}) is None, "where its meaning is another"
