"""What the floor must do, as scenarios: each runs on any rules, so that a flipped row can be caught by them."""

from __future__ import annotations

from groups.floor import inputs
from groups.floor.options import FloorOptions
from groups.vocabulary import DenyCause, RevokeCause, Tier, UserId
from tests.groups.floor_stage import NewStage

A = UserId("anna")


# --- idle --------------------------------------------------------------------------------------------------------


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


# --- the talker --------------------------------------------------------------------------------------------------


def release_makes_the_floor_idle(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.after(4_500)
    assert stage.release("anna", burst=stage.burst("anna")) == ["anna ok", "ended anna released", "idle after released"]


def a_silent_phone_loses_the_floor_after_t1(new: NewStage) -> None:
    stage = new()
    stage.press("anna")
    assert stage.after(3_999) == []
    assert stage.after(1) == ["ended anna media_lost", "idle after media_lost"]


def t1_counts_from_the_last_packet(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.after(10_000)
    assert stage.silence("anna", since=500) == []
    assert stage.after(3_499) == []
    assert stage.after(1) == ["ended anna media_lost", "idle after media_lost"]


def media_noticed_lost_too_late_ends_the_burst_at_once(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.after(10_000)
    assert stage.silence("anna", since=5_000) == ["ended anna media_lost", "idle after media_lost"]


def media_that_comes_back_stops_t1(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.silence("anna")
    stage.after(3_000)
    stage.media("anna")
    assert stage.after(20_000) == []


def too_long_is_revoked_with_cause_2_and_ends_after_the_grace(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    assert stage.after(29_999) == []
    assert stage.after(1) == ["anna revoked 2 grace 1000"]
    assert stage.on_air == ["anna"]
    assert stage.after(999) == []
    assert stage.after(1) == ["ended anna time_limit", "idle after time_limit"]


def t2_counts_from_the_first_packet_not_from_later_ones(new: NewStage) -> None:
    stage = new()
    stage.press("anna")
    stage.after(3_000)
    stage.media("anna")
    stage.after(10_000)
    stage.silence("anna")
    stage.after(1_000)
    stage.media("anna")
    assert stage.after(18_999) == []
    assert stage.after(1) == ["anna revoked 2 grace 1000"]


def release_in_the_grace_ends_it(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.after(30_500)
    assert stage.release("anna") == ["anna ok", "ended anna time_limit", "idle after time_limit"]


def one_who_talked_too_long_waits_for_t9(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.after(31_000)
    assert stage.press("anna") == ["anna denied 4 for 3000"]
    stage.after(2_999)
    assert stage.press("anna") == ["anna denied 4 for 1"]
    stage.after(1)
    assert stage.press("anna")[0] == "anna granted 30000"


def t9_holds_while_another_talks_and_while_one_is_revoked(new: NewStage) -> None:
    stage = new(retry_after_ms=60_000)
    stage.talk("anna")
    stage.after(31_000)
    stage.talk("boris")
    assert stage.press("anna") == ["anna denied 4 for 60000"]
    stage.revoke()
    assert stage.press("anna") == ["anna denied 4 for 60000"]


def an_emergency_does_not_wait_for_t9(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.after(31_000)
    assert stage.sos("anna")[0] == "anna granted 30000"


def t9_does_not_hold_others_nor_those_who_released_in_time(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.after(31_000)
    assert stage.talk("boris")[0] == "boris granted 30000"
    stage.release("boris")
    assert stage.press("boris")[0] == "boris granted 30000"


def the_talker_who_asks_again_gets_the_time_left(new: NewStage) -> None:
    stage = new()
    stage.press("anna")
    assert stage.press("anna", request="again") == ["anna granted 30000"]
    stage.media("anna")
    stage.after(12_000)
    assert stage.press("anna") == ["anna granted 18000"]
    assert stage.after(18_000) == ["anna revoked 2 grace 1000"]


def the_talkers_other_device_is_denied(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    assert stage.press("anna", key="anna-desk") == ["anna denied 1"]
    assert stage.release("anna", key="anna-desk") == ["anna ok"]
    assert stage.on_air == ["anna"]


def the_talker_who_asks_again_in_his_grace_is_denied(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.after(30_000)
    assert stage.press("anna") == ["anna denied 4 for 3000"]
    stage.after(5_000)
    stage.talk("boris")
    stage.revoke()
    assert stage.press("boris") == ["boris denied 1"]


def the_talker_leaves(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    assert stage.left("anna", "anna-desk") == []
    assert stage.left("anna", "anna-phone") == ["ended anna left", "idle after left"]
    stage.talk("boris")
    assert stage.left("boris") == ["ended boris left", "idle after left"]


def the_talker_leaves_in_his_grace(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.revoke()
    assert stage.left("anna") == ["ended anna left", "idle after left"]


def media_lost_in_the_grace_ends_the_burst_for_its_cause(new: NewStage) -> None:
    stage = new(revoke_grace_ms=10_000)
    stage.talk("anna")
    stage.revoke()
    stage.silence("anna")
    assert stage.after(4_000) == ["ended anna revoked", "idle after revoked"]


def media_in_the_grace_stops_t1_but_not_t3(new: NewStage) -> None:
    stage = new(revoke_grace_ms=10_000)
    stage.press("anna")
    stage.revoke()
    stage.after(3_000)
    stage.media("anna")
    assert stage.after(6_999) == []
    assert stage.after(1) == ["ended anna revoked", "idle after revoked"]


def a_release_of_an_older_burst_touches_nothing(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    old = stage.burst("anna")
    stage.release("anna")
    stage.talk("anna")
    assert stage.release("anna", burst=old) == ["anna ok"]
    stage.press("boris")
    assert stage.release("boris", burst=old) == ["boris ok"]
    stage.revoke()
    assert stage.release("boris", burst=old) == ["boris ok"]
    assert (stage.on_air, stage.queue) == (["anna"], ["boris"])


def media_of_an_older_burst_touches_nothing(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    old = stage.burst("anna")
    stage.release("anna")
    stage.press("anna")
    before = stage.state
    stage.feed(inputs.MediaStarted(A, old, stage.now))
    stage.feed(inputs.MediaStopped(A, old, stage.now))
    stage.feed(inputs.MediaStarted(UserId("boris"), stage.burst("anna"), stage.now))
    assert stage.state == before


def the_talker_comes_back_on_another_connection(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.after(10_000)
    assert stage.feed(inputs.Rejoined(A, "anna-2")) == ["moved anna to anna-2", "anna granted 20000"]
    assert stage.left("anna", "anna-phone") == []
    assert stage.after(4_000) == ["ended anna media_lost", "idle after media_lost"]


def the_talker_comes_back_in_his_grace(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    stage.revoke()
    stage.after(400)
    assert stage.feed(inputs.Rejoined(A, "anna-2")) == ["moved anna to anna-2", "anna revoked 7 grace 600"]
    assert stage.release("anna", key="anna-2") == ["anna ok", "ended anna revoked", "idle after revoked"]


def the_talkers_emergency_raises_his_running_burst(new: NewStage) -> None:
    stage = new()
    stage.talk("anna")
    assert stage.feed(inputs.TierChanged(A, Tier.NORMAL)) == []
    assert stage.feed(inputs.TierChanged(A, Tier.EMERGENCY)) == ["taken by anna emergency"]
    assert stage.press("boss", priority=255, may_preempt=True) == ["boss queued 1/1"]
    stage.revoke()
    assert stage.feed(inputs.TierChanged(A, Tier.NORMAL)) == ["taken by anna"]


# --- the queue ---------------------------------------------------------------------------------------------------


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


# --- pre-emption -------------------------------------------------------------------------------------------------


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


# --- audio cut-in ------------------------------------------------------------------------------------------------


def cut_in_gives_the_floor_to_each_new_request(new: NewStage) -> None:
    stage = new(audio_cut_in=True, queueing=False)
    assert stage.talk("boss", priority=255)[-1] == "taken by boss"
    assert stage.press("anna", priority=1) == [
        "boss revoked 4 grace 0",
        "ended boss cut",
        "anna granted 30000",
        "began anna",
        "taken by anna",
    ]


def cut_in_works_in_the_grace(new: NewStage) -> None:
    stage = new(audio_cut_in=True)
    stage.talk("anna")
    stage.after(30_000)
    assert stage.press("boris")[1:3] == ["ended anna cut", "boris granted 30000"]


def cut_in_does_not_silence_a_higher_tier(new: NewStage) -> None:
    stage = new(audio_cut_in=True, queueing=False)
    stage.talk("anna", tier=Tier.EMERGENCY)
    assert stage.press("boris", priority=255, may_preempt=True) == ["boris denied 1"]
    assert stage.sos("clara", priority=0)[1] == "ended anna cut"


# --- dual floor --------------------------------------------------------------------------------------------------


def dual_floor_keeps_the_overridden_talker_on_air(new: NewStage) -> None:
    stage = new(dual_floor=True)
    stage.talk("anna")
    assert stage.sos("boris") == ["boris granted 30000", "began boris overriding", "taken by boris emergency"]
    assert stage.on_air == ["anna", "boris"]
    assert stage.press("clara") == ["clara queued 1/1"]


def when_one_of_two_ends_the_other_goes_on(new: NewStage) -> None:
    for end, log in (
        (lambda stage: stage.release("anna"), ["anna ok", "ended anna released"]),
        (lambda stage: stage.left("anna"), ["ended anna left"]),
    ):
        stage = new(dual_floor=True)
        stage.talk("anna")
        stage.sos("boris")
        stage.media("boris")
        stage.press("clara")
        assert end(stage) == [*log, "taken by boris emergency"]
        assert (stage.on_air, stage.queue) == (["boris"], ["clara"])
        assert stage.release("boris")[2] == "clara granted 30000 from queue"


def media_lost_by_one_of_two(new: NewStage) -> None:
    stage = new(dual_floor=True)
    stage.press("anna")
    stage.after(1)
    stage.sos("boris")
    stage.media("boris")
    assert stage.after(4_000) == ["ended anna media_lost", "taken by boris emergency"]
    stage.press("clara", tier=Tier.EMERGENCY, priority=255, may_preempt=True)
    assert stage.on_air == ["boris", "clara"]
    assert stage.after(4_000) == ["ended clara media_lost", "taken by boris emergency"]


def one_of_two_too_long(new: NewStage) -> None:
    stage = new(dual_floor=True)
    stage.talk("anna")
    stage.after(20_000)
    stage.sos("boris")
    stage.media("boris")
    assert stage.after(10_000) == ["anna revoked 2 grace 1000"]
    assert stage.press("clara", priority=200, may_preempt=True) == ["clara queued 1/1"]
    assert stage.after(1_000) == ["ended anna time_limit", "taken by boris emergency"]
    assert stage.queue == ["clara"]


def one_of_two_revoked_releases_leaves_or_falls_silent(new: NewStage) -> None:
    for end, log in (
        (lambda stage: stage.release("anna"), ["anna ok", "ended anna revoked"]),
        (lambda stage: stage.left("anna"), ["ended anna left"]),
        (lambda stage: stage.silence("anna", since=4_000), ["ended anna revoked"]),
    ):
        stage = new(dual_floor=True)
        stage.talk("anna")
        stage.after(9_000)
        stage.sos("boris")
        stage.media("boris")
        assert stage.revoke("anna") == ["desk ok", "anna revoked 7 grace 1000"]
        assert end(stage) == [*log, "taken by boris emergency"]


def both_of_two_revoked_end_one_by_one(new: NewStage) -> None:
    ends = (
        (lambda stage: stage.release("anna"), ["anna ok", "ended anna revoked"]),
        (lambda stage: stage.left("anna"), ["ended anna left"]),
        (lambda stage: stage.silence("anna", since=4_000), ["ended anna revoked"]),
    )
    for end, log in ends:
        stage = new(dual_floor=True, revoke_grace_ms=2_000)
        stage.talk("anna")
        stage.after(9_000)
        stage.sos("boris")
        stage.media("boris")
        assert stage.revoke("boris") == ["desk ok", "boris revoked 7 grace 2000"]
        assert stage.revoke("boris") == ["desk ok"]
        assert stage.revoke("clara") == ["desk refused not_found"]
        stage.after(500)
        assert stage.revoke() == ["desk ok", "anna revoked 7 grace 2000"]
        assert end(stage) == log
        assert stage.after(1_500) == ["ended boris revoked", "idle after revoked"]


def both_of_two_revoked_run_out_of_grace(new: NewStage) -> None:
    stage = new(dual_floor=True, revoke_grace_ms=2_000)
    stage.talk("anna")
    stage.sos("boris")
    stage.media("boris")
    stage.revoke("boris")
    stage.after(500)
    stage.revoke("anna")
    assert stage.after(1_500) == ["ended boris revoked"]
    assert stage.after(500) == ["ended anna revoked", "idle after revoked"]


def the_one_not_revoked_ends_first(new: NewStage) -> None:
    for end, log in (
        (lambda stage: stage.release("boris"), ["boris ok", "ended boris released"]),
        (lambda stage: stage.left("boris"), ["ended boris left"]),
        (lambda stage: stage.silence("boris", since=4_000), ["ended boris media_lost"]),
    ):
        stage = new(dual_floor=True)
        stage.talk("anna")
        stage.sos("boris")
        stage.media("boris")
        stage.after(9_000)
        stage.revoke("anna")
        assert end(stage) == log
        assert stage.on_air == ["anna"]


def a_third_who_outranks_both_waits_for_the_grace_of_the_weaker(new: NewStage) -> None:
    stage = new(dual_floor=True)
    stage.talk("anna", priority=10)
    stage.talk("boris", priority=20, may_preempt=True)
    assert stage.on_air == ["anna", "boris"]
    assert stage.press("clara", priority=15, may_preempt=True) == ["clara queued 1/1"]
    assert stage.press("boss", priority=30, may_preempt=True) == [
        "anna revoked 4 grace 1000",
        "clara queued 2/2",
        "boss queued 1/2",
    ]
    assert stage.after(1_000) == [
        "ended anna pre_empted",
        "boss granted 30000 from queue",
        "began boss overriding",
        "taken by boss",
        "clara queued 1/1",
    ]
    assert stage.on_air == ["boris", "boss"]


def the_waiting_preemptor_of_two_comes_however_one_of_them_ends(new: NewStage) -> None:
    for end in (
        lambda stage: stage.release("anna"),
        lambda stage: stage.left("anna"),
        lambda stage: stage.silence("anna", since=4_000),
        lambda stage: stage.release("boris"),
        lambda stage: stage.left("boris"),
        lambda stage: stage.silence("boris", since=4_000),
    ):
        stage = new(dual_floor=True)
        stage.talk("anna", priority=10)
        stage.talk("boris", priority=20, may_preempt=True)
        stage.after(9_000)
        stage.press("boss", priority=30, may_preempt=True)
        assert "boss granted 30000 from queue" in end(stage)
        assert len(stage.on_air) == 2


def an_emergency_over_two_ends_the_weaker_at_once(new: NewStage) -> None:
    stage = new(dual_floor=True)
    stage.talk("anna", priority=10)
    stage.talk("boris", priority=20, may_preempt=True)
    assert stage.sos("clara")[:3] == ["anna revoked 4 grace 0", "ended anna pre_empted", "clara granted 30000"]
    assert stage.on_air == ["boris", "clara"]


def an_override_in_the_grace_is_on_air_at_once(new: NewStage) -> None:
    stage = new(dual_floor=True)
    stage.talk("anna")
    stage.after(30_000)
    assert stage.press("boss", priority=101, may_preempt=True)[1] == "began boss overriding"
    assert stage.after(1_000) == ["ended anna time_limit", "taken by boss"]


def unanswered_grants_beside_another(new: NewStage) -> None:
    stage = new(dual_floor=True)
    stage.talk("anna", priority=10)
    stage.talk("boris", priority=20, may_preempt=True)
    stage.press("boss", priority=30, may_preempt=True)
    stage.after(1_000)
    assert stage.after(2_000) == ["boss revoked 255 grace 0", "ended boss media_lost", "taken by boris"]

    stage = new(dual_floor=True)
    stage.talk("anna", priority=10)
    stage.talk("boris", priority=20, may_preempt=True)
    stage.press("boss", priority=30, may_preempt=True)
    stage.after(2_500)
    stage.revoke("boris")
    assert stage.after(500) == ["boss revoked 255 grace 0", "ended boss media_lost"]

    stage = new(dual_floor=True, revoke_grace_ms=2_000)
    stage.talk("anna", priority=10)
    stage.talk("boris", priority=20, may_preempt=True)
    stage.press("boss", priority=30, may_preempt=True)
    stage.after(3_500)
    stage.press("mayor", priority=40, may_preempt=True)
    assert stage.after(500)[:3] == [
        "boss revoked 255 grace 0",
        "ended boss media_lost",
        "mayor granted 30000 from queue",
    ]


def switching_dual_floor_off_takes_the_weaker_off_air(new: NewStage) -> None:
    stage = new(dual_floor=True)
    stage.talk("anna")
    stage.sos("boris")
    assert stage.feed(inputs.OptionsChanged(FloorOptions())) == [
        "anna revoked 255 grace 0",
        "ended anna revoked",
        "taken by boris emergency",
    ]
    stage = new(dual_floor=True)
    stage.talk("anna")
    stage.sos("boris")
    stage.revoke("anna")
    assert stage.feed(inputs.OptionsChanged(FloorOptions())) == ["ended anna revoked", "taken by boris emergency"]


# --- dispatcher and server ---------------------------------------------------------------------------------------


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


SCENARIOS = tuple(
    thing
    for thing in list(globals().values())
    if callable(thing) and getattr(thing, "__module__", None) == __name__ and "new" in thing.__annotations__
)
