"""No channel flood: who is switched, who never, and the few an officer sees."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.incidents.incident import Incident, Kind, State
from gateway.incidents.rules import Attention, Phone, Rule, Rules, Stays, stays
from groups.vocabulary import IncidentCode, Tier


def incident(code: str = "x", **facts: object) -> Incident:
    return Incident(IncidentCode(code), **{"state": State.DISPATCHED, **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("phone", "why"),
    [
        (Phone(), None),
        (Phone(selected="other"), None),
        (Phone(connected=False), Stays.AWAY),
        (Phone(selected="g"), Stays.THERE_ALREADY),
        (Phone(has_floor=True), Stays.TALKING),
        (Phone(queued=True), Stays.WAITING),
        (Phone(tier=Tier.EMERGENCY), Stays.EMERGENCY),
        (Phone(tier=Tier.IMMINENT_PERIL), Stays.EMERGENCY),
        (Phone(group_tier=Tier.EMERGENCY), Stays.EMERGENCY),
        (Phone(in_private_call=True), Stays.IN_CALL),
    ],
)
def test_who_talks_waits_or_is_in_an_emergency_is_never_switched(phone: Phone, why: Stays | None) -> None:
    assert stays(phone, "g") is why


def test_litter_is_quiet_and_a_sudden_incident_is_not() -> None:
    rules = Rules()
    assert rules.attention(incident(kind=Kind.EVENT, major="01")) is Attention.QUIET
    assert rules.attention(incident(kind=Kind.EVENT, major="04")) is Attention.SWITCHED
    assert rules.attention(incident(kind=Kind.COMPONENT, major="04")) is Attention.QUIET


def test_where_no_class_was_told_a_code_of_the_standard_tells_it() -> None:
    told = Incident(IncidentCode("E0403202607150017"))
    assert Rules().attention(told) is Attention.SWITCHED
    assert Rules().attention(replace(told, kind=Kind.EVENT, major="01")) is Attention.QUIET, "what was told counts"
    for code in ("E0103202607150017", "C0403202607150017", "04-17"):
        assert Rules().attention(Incident(IncidentCode(code))) is Attention.QUIET


def test_the_first_rule_that_matches_decides() -> None:
    rules = Rules(rules=(Rule(attention=Attention.TOLD, levels=("1",)), Rule(attention=Attention.SWITCHED)))
    assert rules.attention(incident(level="1")) is Attention.TOLD
    assert rules.attention(incident(level="2")) is Attention.SWITCHED
    assert Rules(rules=()).attention(incident(urgent=True)) is Attention.QUIET
