"""An idle floor: who is granted, who is denied and with which cause, and when it becomes inactive."""

from __future__ import annotations

from groups.floor import inputs
from groups.floor.options import FloorOptions
from groups.vocabulary import DenyCause, UserId
from tests.groups.floor_stage import NewStage

A = UserId("anna")


def idle_floor_is_granted_and_announced(new: NewStage) -> None:
    stage = new()
    assert stage.press("anna") == ["anna granted 30000", "began anna", "taken by anna"]


def alone_is_denied_with_cause_3(new: NewStage) -> None:
    stage = new()
    assert stage.press("anna", participants=1) == ["anna denied 3"]
    assert stage.press("anna", participants=2)[0] == "anna granted 30000"


def receive_only_is_denied_with_cause_5(new: NewStage) -> None:
    assert new().press("anna", may_talk=False) == ["anna denied 5"]


def node_hindrances_are_denied_with_their_cause(new: NewStage) -> None:
    stage = new()
    for cause in (DenyCause.INTERNAL_ERROR, DenyCause.NO_RESOURCES, DenyCause.OTHER):
        assert stage.press("anna", hindrance=cause) == [f"anna denied {cause.value}"]


def nothing_to_release_position_or_revoke_in_an_idle_floor(new: NewStage) -> None:
    stage = new()
    assert stage.release("anna") == ["anna ok"]
    assert stage.position("anna") == ["anna refused not_found"]
    assert stage.revoke() == ["desk refused not_found"]


def media_in_an_idle_floor_is_revoked_with_cause_3(new: NewStage) -> None:
    stage = new()
    assert stage.feed(inputs.MediaWithoutFloor(A, "anna-phone")) == ["anna revoked 3 grace 0"]


def an_idle_floor_becomes_inactive_once(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    assert stage.release("anna") == ["anna ok", "ended anna released", "idle after released"]
    assert stage.after(29_999) == []
    assert stage.after(1) == ["inactive"]
    assert stage.after(100_000) == []


def a_burst_stops_the_inactivity_timer(new: NewStage) -> None:
    stage = new(transmit_limit_ms=60_000)
    stage.talk("anna")
    stage.release("anna")
    stage.after(29_000)
    stage.talk("boris")
    assert stage.after(50_000) == []


def options_change_while_idle(new: NewStage) -> None:
    stage = new()
    assert stage.feed(inputs.OptionsChanged(FloorOptions(transmit_limit_ms=5_000))) == []
    assert stage.press("anna")[0] == "anna granted 5000"
