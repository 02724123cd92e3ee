"""Pre-emption: by tier, then by a strictly greater number; at once or after the grace."""

from __future__ import annotations

from groups.floor import inputs
from groups.vocabulary import Tier, UserId
from tests.groups.floor_stage import NewStage


def a_greater_number_preempts_only_with_the_right_and_only_if_strictly_greater(new: NewStage) -> None:
    stage = new()
    stage.talk("anna", priority=100)
    assert stage.press("boss", priority=101) == ["boss queued 1/1"]
    assert stage.press("chief", priority=100, may_preempt=True) == ["chief queued 2/2"]
    assert stage.press("head", priority=101, may_preempt=True) == [
        "anna revoked 4 grace 1000",
        "boss queued 2/3",
        "chief queued 3/3",
        "head queued 1/3",
    ]


def the_preempted_talker_is_heard_through_the_grace_then_the_preemptor(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.press("early", priority=255)
    stage.press("boss", priority=101, may_preempt=True)
    assert stage.on_air == ["anna"]
    assert stage.after(999) == []
    assert stage.after(1) == [
        "ended anna pre_empted",
        "boss granted 30000 from queue",
        "began boss",
        "taken by boss",
        "early queued 1/1",
    ]


def a_release_in_the_grace_brings_the_preemptor_at_once(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.press("boss", priority=101, may_preempt=True)
    stage.after(300)
    assert stage.release("anna")[:3] == ["anna ok", "ended anna pre_empted", "boss granted 30000 from queue"]


def a_second_preemptor_in_the_grace_goes_before_the_first(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.press("boss", priority=101, may_preempt=True)
    assert stage.press("mayor", priority=200, may_preempt=True) == ["boss queued 2/2", "mayor queued 1/2"]
    assert stage.after(1_000)[1] == "mayor granted 30000 from queue"


def a_preemptor_gets_in_though_the_queue_is_full_or_off(new: NewStage) -> None:
    stage = new(queue_limit=0)
    stage.talk("anna")
    assert stage.press("boss", priority=101, may_preempt=True) == ["anna revoked 4 grace 1000", "boss queued 1/1"]
    stage = new(queueing=False)
    stage.talk("anna")
    assert stage.press("boss", priority=101, may_preempt=True) == ["anna revoked 4 grace 1000", "boss queued 1/1"]


def peril_preempts_a_higher_number_with_grace(new: NewStage) -> None:
    stage = new()
    stage.talk("boss", priority=255)
    assert stage.press("anna", priority=0, tier=Tier.IMMINENT_PERIL) == ["boss revoked 4 grace 1000", "anna queued 1/1"]
    assert stage.after(1_000)[-1] == "taken by anna imminent_peril"


def an_emergency_takes_the_floor_at_once(new: NewStage) -> None:
    stage = new()
    stage.talk("boss", priority=255, tier=Tier.IMMINENT_PERIL)
    assert stage.sos("anna", priority=0) == [
        "boss revoked 4 grace 0",
        "ended boss pre_empted",
        "anna granted 30000",
        "began anna",
        "taken by anna emergency",
    ]


def an_emergency_does_not_preempt_an_emergency_but_by_number(new: NewStage) -> None:
    stage = new()
    stage.talk("anna", tier=Tier.EMERGENCY)
    assert stage.sos("boris") == ["boris queued 1/1"]
    assert stage.press("boss", priority=255, may_preempt=True) == ["boss queued 2/2"]
    assert stage.sos("chief", priority=200, may_preempt=True)[2] == "chief granted 30000"


def an_emergency_in_the_grace_of_another_takes_the_floor_at_once(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.press("boss", priority=101, may_preempt=True)
    assert stage.sos("clara") == [
        "anna revoked 4 grace 0",
        "ended anna pre_empted",
        "clara granted 30000",
        "began clara",
        "taken by clara emergency",
    ]
    assert stage.queue == ["boss"]


def without_a_grace_preemption_is_at_once(new: NewStage) -> None:
    stage = new(revoke_grace_ms=0)
    stage.talk("anna")
    assert stage.press("boss", priority=101, may_preempt=True)[:3] == [
        "anna revoked 4 grace 0",
        "ended anna pre_empted",
        "boss granted 30000",
    ]
    stage.media("boss")
    assert stage.after(30_000) == ["boss revoked 2 grace 0", "ended boss time_limit", "idle after time_limit"]


def a_queued_request_asked_again_in_an_emergency_preempts(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.press("boris")
    stage.press("clara")
    assert stage.sos("clara")[2] == "clara granted 30000"
    assert stage.queue == ["boris"]


def one_who_waits_and_falls_into_an_emergency_is_granted_unasked(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.press("boris")
    assert stage.feed(inputs.TierChanged(UserId("boris"), Tier.NORMAL)) == []
    log = stage.feed(inputs.TierChanged(UserId("boris"), Tier.EMERGENCY))
    assert log[1:3] == ["ended anna pre_empted", "boris granted 30000 from queue"]


def a_preemptor_who_gives_up_leaves_the_revoke_running(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.press("boss", priority=101, may_preempt=True)
    assert stage.release("boss") == ["boss ok"]
    assert stage.after(1_000) == ["ended anna pre_empted", "idle after pre_empted"]
