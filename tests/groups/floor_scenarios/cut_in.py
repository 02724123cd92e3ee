"""Audio cut-in: each new request has the floor, unless a higher tier talks."""

from __future__ import annotations

from groups.vocabulary import Tier
from tests.groups.floor_stage import NewStage


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
