"""The queue: by priority then arrival, places told, requests taken out and kept."""

from __future__ import annotations

from groups.floor import inputs
from groups.vocabulary import DenyCause, UserId
from tests.groups.floor_stage import NewStage

A = UserId("anna")


def requests_wait_by_priority_then_arrival(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    assert stage.press("boris", priority=50) == ["boris queued 1/1"]
    assert stage.press("clara", priority=50) == ["clara queued 2/2"]
    assert stage.press("dora", priority=60) == ["boris queued 2/3", "clara queued 3/3", "dora queued 1/3"]
    assert stage.queue == ["dora", "boris", "clara"]


def the_head_of_the_queue_is_granted_without_idle_between(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.press("boris")
    stage.press("clara")
    assert stage.release("anna") == [
        "anna ok",
        "ended anna released",
        "boris granted 30000 from queue",
        "began boris",
        "taken by boris",
        "clara queued 1/1",
    ]


def every_end_of_a_burst_grants_the_head_of_the_queue(new: NewStage) -> None:
    granted = ["boris granted 30000 from queue", "began boris", "taken by boris"]

    stage = new()
    stage.talk("anna")
    stage.press("boris")
    assert stage.left("anna") == ["ended anna left", *granted]

    stage = new()
    stage.press("anna")
    stage.press("boris")
    assert stage.after(4_000) == ["ended anna media_lost", *granted]

    stage = new()
    stage.talk("anna")
    stage.press("boris")
    assert stage.after(31_000) == ["anna revoked 2 grace 1000", "ended anna time_limit", *granted]

    stage = new()
    stage.talk("anna")
    stage.press("boris")
    stage.revoke()
    assert stage.release("anna") == ["anna ok", "ended anna revoked", *granted]

    stage = new()
    stage.talk("anna")
    stage.press("boris")
    stage.revoke()
    assert stage.left("anna") == ["ended anna left", *granted]

    stage = new(revoke_grace_ms=9_000)
    stage.talk("anna")
    stage.press("boris")
    stage.revoke()
    stage.silence("anna")
    assert stage.after(4_000) == ["ended anna revoked", *granted]


def one_granted_from_the_queue_who_does_not_come_loses_it(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.press("boris")
    stage.press("clara")
    stage.release("anna")
    assert stage.after(1_999) == []
    assert stage.after(1) == [
        "boris revoked 255 grace 0",
        "ended boris media_lost",
        "clara granted 30000 from queue",
        "began clara",
        "taken by clara",
    ]
    assert stage.after(2_000) == ["clara revoked 255 grace 0", "ended clara media_lost", "idle after media_lost"]


def one_granted_from_the_queue_who_comes_keeps_it(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.press("boris")
    stage.release("anna")
    stage.after(1_500)
    stage.media("boris")
    assert stage.after(29_999) == []
    assert stage.after(1) == ["boris revoked 2 grace 1000"]


def asking_again_while_queued_tells_the_place(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.press("boris")
    stage.press("clara")
    assert stage.press("clara") == ["clara queued 2/2"]
    assert stage.position("clara") == ["clara queued 2/2"]
    assert stage.position("dora") == ["dora refused not_found"]
    assert stage.press("clara", priority=101) == ["boris queued 2/2", "clara queued 1/2"]
    stage.revoke()
    assert stage.position("boris") == ["boris queued 2/2"]
    assert stage.position("anna") == ["anna refused not_found"]
    stage.press("dora")
    assert stage.press("boris") == ["boris queued 2/3"]
    assert stage.queue == ["clara", "boris", "dora"]


def a_full_queue_denies_with_cause_7(new: NewStage) -> None:
    stage = new(queue_limit=2)
    stage.talk("anna")
    assert stage.press("boris") == ["boris queued 1/1"]
    assert stage.press("clara") == ["clara queued 2/2"]
    assert stage.press("dora") == ["dora denied 7"]
    assert stage.press("boris") == ["boris queued 1/2"]
    stage.revoke()
    assert stage.press("dora") == ["dora denied 7"]


def without_queueing_a_taken_floor_is_denied_with_cause_1(new: NewStage) -> None:
    stage = new(queueing=False)
    assert stage.talk("anna")[-1] == "taken by anna closed"
    assert stage.press("boris") == ["boris denied 1"]
    stage.revoke()
    assert stage.press("boris") == ["boris denied 1"]


def a_request_in_the_grace_waits_too(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.revoke()
    assert stage.press("boris") == ["boris queued 1/1"]
    assert stage.after(1_000)[1] == "boris granted 30000 from queue"


def release_while_queued_takes_the_request_out(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.press("boris")
    stage.press("clara")
    assert stage.release("boris", key="boris-desk") == ["boris ok"]
    assert stage.release("boris") == ["clara queued 1/1", "boris ok"]
    assert stage.release("boris") == ["boris ok"]
    stage.press("boris")
    stage.revoke()
    assert stage.release("clara") == ["boris queued 1/1", "clara ok"]
    assert stage.release("clara") == ["clara ok"]
    assert stage.queue == ["boris"]


def one_who_waits_leaves(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.press("boris")
    stage.press("clara")
    assert stage.left("boris", "boris-desk") == []
    assert stage.left("boris") == ["clara queued 1/1"]
    stage.press("boris")
    stage.revoke()
    assert stage.left("clara", "clara-phone") == ["boris queued 1/1"]
    assert stage.left("dora") == []


def one_who_waits_comes_back_and_keeps_his_place(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.press("boris")
    stage.press("clara")
    assert stage.feed(inputs.Rejoined(UserId("clara"), "clara-2")) == ["clara queued 2/2"]
    assert stage.left("clara", "clara-phone") == []
    stage.revoke()
    assert stage.feed(inputs.Rejoined(UserId("boris"), "boris-2")) == ["boris queued 1/2"]
    stage.after(1_000)
    assert stage.state.bursts[0].key == "boris-2"
    assert stage.feed(inputs.Rejoined(UserId("dora"), "dora-2")) == []


def requests_are_refused_for_their_own_cause_while_taken(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    for step in (lambda: None, stage.revoke):
        step()
        assert stage.press("boris", may_talk=False) == ["boris denied 5"]
        assert stage.press("boris", hindrance=DenyCause.NO_RESOURCES) == ["boris denied 6"]


def one_who_is_denied_no_longer_waits(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.press("boris")
    stage.press("clara")
    assert stage.press("boris", may_talk=False) == ["clara queued 1/1", "boris denied 5"]
    assert stage.queue == ["clara"]


def media_without_the_floor_is_revoked_unless_he_waits(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.press("boris")
    for step in (lambda: None, stage.revoke):
        step()
        assert stage.feed(inputs.MediaWithoutFloor(UserId("boris"), "boris-phone")) == []
        assert stage.feed(inputs.MediaWithoutFloor(A, "anna-phone")) == []
        assert stage.feed(inputs.MediaWithoutFloor(A, "anna-desk")) == ["anna revoked 3 grace 0"]
        assert stage.feed(inputs.MediaWithoutFloor(UserId("dora"), "d")) == ["dora revoked 3 grace 0"]
