"""The talker: timers T1 and T2, the grace of a revoke, T9, leaving and coming back."""

from __future__ import annotations

from groups.floor import inputs
from groups.vocabulary import Tier, UserId
from tests.groups.floor_stage import NewStage

A = UserId("anna")


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
