"""What a dispatcher and the server do: revokes, lost rights, withdrawal, the end of the call."""

from __future__ import annotations

from groups.floor import inputs
from groups.floor.merge import merge
from groups.floor.options import FloorOptions
from groups.vocabulary import RevokeCause
from tests.groups.floor_stage import NewStage


def a_dispatcher_revokes_with_cause_7(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    assert stage.revoke("boris") == ["desk refused not_found"]
    assert stage.revoke("anna") == ["desk ok", "anna revoked 7 grace 1000"]
    assert stage.revoke("boris") == ["desk refused not_found"]
    assert stage.revoke("anna") == ["desk ok"]
    assert stage.after(1_000) == ["ended anna revoked", "idle after revoked"]
    assert stage.press("anna")[0] == "anna granted 30000"


def when_nobody_is_left_to_hear_the_floor_is_revoked_with_cause_1(new: NewStage) -> None:
    stage = new()
    assert stage.feed(inputs.Participants(1)) == []
    stage.talk("anna")
    stage.press("boris")
    assert stage.feed(inputs.Participants(2)) == []
    assert stage.feed(inputs.Participants(1)) == ["boris denied 3", "anna revoked 1 grace 1000"]
    assert stage.feed(inputs.Participants(0)) == []
    assert stage.after(1_000) == ["ended anna revoked", "idle after revoked"]


def a_lost_right_ends_the_burst_with_cause_3_and_no_grace(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    assert stage.withdraw("boris", RevokeCause.NO_PERMISSION) == []
    assert stage.withdraw("anna", RevokeCause.NO_PERMISSION) == [
        "anna revoked 3 grace 0",
        "ended anna revoked",
        "idle after revoked",
    ]


def a_lost_right_in_the_grace_ends_the_burst_at_once(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.revoke()
    assert stage.withdraw("anna", RevokeCause.NO_RESOURCES) == []
    assert stage.withdraw("anna", RevokeCause.NO_PERMISSION) == ["ended anna revoked", "idle after revoked"]


def no_resources_is_revoked_with_cause_6(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    assert stage.withdraw("anna", RevokeCause.NO_RESOURCES) == ["anna revoked 6 grace 1000"]


def withdrawal_reaches_those_who_wait(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    for user in ("boris", "clara", "dora", "emil"):
        stage.press(user)
    assert stage.withdraw("boris", RevokeCause.NO_PERMISSION)[0] == "boris denied 5"
    assert stage.withdraw("clara", RevokeCause.NO_RESOURCES)[0] == "clara denied 6"
    stage.revoke()
    assert stage.withdraw("dora", RevokeCause.OTHER) == ["dora denied 255", "emil queued 1/1"]
    assert stage.queue == ["emil"]


def the_end_of_the_call_ends_everything(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.press("boris")
    assert stage.withdraw(None, RevokeCause.OTHER) == [
        "boris denied 255",
        "anna revoked 255 grace 0",
        "ended anna revoked",
        "idle after revoked",
    ]


def options_change_while_one_talks(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    assert stage.feed(inputs.OptionsChanged(FloorOptions(queueing=False))) == []
    assert stage.press("boris") == ["boris denied 1"]
    stage.revoke()
    assert stage.feed(inputs.OptionsChanged(FloorOptions())) == []
    assert stage.press("boris") == ["boris queued 1/1"]


def when_nodes_meet_again_one_is_granted_who_waited_for_a_burst_that_ended_on_the_other(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.press("boris")
    there = stage.state
    stage.release("anna")
    stage.state = merge(stage.state, there, {"anna-phone"}.__contains__)
    assert (stage.on_air, stage.queue) == ([], ["boris"])
    assert stage.after(0) == ["boris granted 30000 from queue", "began boris", "taken by boris"]
