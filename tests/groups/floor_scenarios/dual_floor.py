"""Dual floor: the overridden talker stays on air, and how one of two, or both, end."""

from __future__ import annotations

from groups.floor import inputs
from groups.floor.options import FloorOptions
from groups.vocabulary import Tier
from tests.groups.floor_stage import NewStage


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
