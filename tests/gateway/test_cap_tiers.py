"""The table by which a CAP message gets its tier: the first rule that fits, what an operator wrote, and its limits."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from gateway.cap import cap
from gateway.cap.cap_rules import Order, broadcast_id, order_of
from gateway.cap.cap_tiers import DEFAULT_RULES, MAX_RULES, MAX_WORDS, CapRule, rule_for
from groups.vocabulary import Tier
from poc_server.config import BadConfig, load
from poc_server.emergency.settings import EmergencySettings
from tests.gateway.test_cap import INFO, NOW, OURS, REFERS, message
from tests.support.inline import inline

ALERT = cap.read(message(info=INFO.format(area="")))  # Met, 暴雨, Immediate, Extreme, Likely, of weather.example
KEY = "POC_EMERGENCY__CAP_RULES"


def told(*rules: CapRule, status: str = "Actual", kind: str = "Alert", extra: str = "") -> Order:
    text = message(status, kind, INFO.format(area=""), extra, identifier="w-2" if extra else "w-1")
    return order_of(cap.read(text), OURS, NOW, rules)


@pytest.mark.parametrize(
    ("met", "not_met"),
    [
        ({"sender": ["weather.example"]}, {"sender": ["fire.example"]}),
        ({"event": ["台风", "暴雨"]}, {"event": ["暴"]}),
        ({"category": ["Geo", "Met"]}, {"category": ["Geo"]}),
        ({"urgency": ["Immediate"]}, {"urgency": ["Expected", "Future"]}),
        ({"severity": ["Severe", "Extreme"]}, {"severity": ["Severe"]}),
        ({"certainty": ["Likely"]}, {"certainty": ["Observed"]}),
    ],
    ids=lambda conditions: next(iter(conditions)),
)
def test_each_condition_decides(met: dict[str, Any], not_met: dict[str, Any]) -> None:
    everything = {
        "sender": ["weather.example"],
        "event": ["暴雨"],
        "category": ["Met"],
        "urgency": ["Immediate"],
        "severity": ["Extreme"],
        "certainty": ["Likely"],
    }
    assert CapRule.model_validate({**met, "tell": "emergency"}).fits(ALERT, ALERT.info[0])
    assert CapRule.model_validate({**everything, **met, "tell": "emergency"}).fits(ALERT, ALERT.info[0])
    assert not CapRule.model_validate({**everything, **not_met, "tell": "emergency"}).fits(ALERT, ALERT.info[0])


def test_the_first_rule_that_fits_and_without_one_the_normal_tier() -> None:
    peril, urgent = CapRule(category=("Met",), tell="imminent_peril"), CapRule(tell="emergency", acknowledge=True)
    assert rule_for(ALERT, ALERT.info[0], (peril, urgent)) is peril
    assert (told(peril, urgent).tier, told(peril, urgent).acknowledge) == (Tier.IMMINENT_PERIL, False)
    assert (told(urgent, peril).tier, told(urgent, peril).acknowledge) == (Tier.EMERGENCY, True)
    assert (told().tier, told().acknowledge) == (Tier.NORMAL, False)
    assert (told(*DEFAULT_RULES).tier, told(*DEFAULT_RULES).acknowledge) == (Tier.EMERGENCY, True)


@pytest.mark.parametrize("status", ["Exercise", "Test", "System"])
def test_no_rule_makes_practice_urgent(status: str) -> None:
    order = told(CapRule(tell="emergency", acknowledge=True), status=status)
    assert (order.tier, order.acknowledge, order.exercise) == (Tier.NORMAL, False, True)


def test_a_rule_may_keep_a_message_from_everybody_but_what_it_replaces_still_goes() -> None:
    nobody = CapRule(sender=("weather.example",), tell="nobody")
    first = broadcast_id(OURS, "weather.example", "w-1", "2026-07-15T09:58:00+08:00")
    assert told(nobody) == Order(first)
    update = told(nobody, kind="Update", extra=REFERS)
    assert (update.text, update.replaces) == (None, (first,))


def test_an_operator_writes_the_table() -> None:
    rules = [{"event": ["暴雨"], "severity": ["Moderate"], "tell": "imminent_peril"}]
    settings = load(None, env={KEY: inline(rules)}).emergency
    assert settings.cap_rules == (CapRule(event=("暴雨",), severity=("Moderate",), tell="imminent_peril"),)
    assert load(None, env={}).emergency.cap_rules == DEFAULT_RULES
    assert load(None, env={KEY: "[]"}).emergency.cap_rules == ()


@pytest.mark.parametrize(
    "rule",
    [{}, {"tell": "urgent"}, {"tell": "normal", "severity": ["extreme"]}, {"tell": "normal", "colour": ["red"]}],
)
def test_a_rule_that_says_nothing_known_is_refused_at_the_start(rule: dict[str, Any]) -> None:
    with pytest.raises(BadConfig, match=r"emergency\.cap_rules\.0"):
        load(None, env={KEY: inline([rule])})


def test_limits_at_them_and_one_beyond() -> None:
    rule, words = {"tell": "normal"}, [f"event {number}" for number in range(MAX_WORDS + 1)]
    assert len(EmergencySettings.model_validate({"cap_rules": [rule] * MAX_RULES}).cap_rules) == MAX_RULES
    CapRule.model_validate({**rule, "event": words[:-1]})
    with pytest.raises(ValidationError):
        EmergencySettings.model_validate({"cap_rules": [rule] * (MAX_RULES + 1)})
    with pytest.raises(ValidationError):
        CapRule.model_validate({**rule, "event": words})
