"""Whatever happens in whatever order: the stage checks after every step what must always hold."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from groups.floor import effects, inputs
from groups.floor.options import FloorOptions
from groups.vocabulary import BurstId, DenyCause, RevokeCause, Tier, UserId
from tests.groups.floor_stage import Stage

USERS = st.sampled_from([UserId(name) for name in ("anna", "boris", "clara", "dora", "emil")])
KEYS = st.sampled_from(["phone", "desk"])
REQUESTS = st.sampled_from([None, "r"])
TIERS = st.sampled_from([Tier.NORMAL, Tier.NORMAL, Tier.IMMINENT_PERIL, Tier.EMERGENCY])
MOMENTS = st.sampled_from([0, 1, 400, 999, 1_000, 2_000, 4_000, 7_000, 30_000, 31_000])
OPTIONS = st.builds(
    FloorOptions,
    queueing=st.booleans(),
    queue_limit=st.integers(0, 3),
    audio_cut_in=st.sampled_from([False, False, True]),
    dual_floor=st.booleans(),
    end_of_media_ms=st.sampled_from([0, 500, 4_000]),
    transmit_limit_ms=st.sampled_from([0, 1_000, 30_000]),
    revoke_grace_ms=st.sampled_from([0, 1_000, 3_000]),
    inactivity_ms=st.sampled_from([0, 30_000]),
    retry_after_ms=st.sampled_from([0, 3_000]),
    queue_answer_ms=st.sampled_from([0, 2_000]),
)


class AnyFloor(RuleBasedStateMachine):
    """A crowd of five on two devices each, with a clock that is now and then set back."""

    @initialize(options=OPTIONS)
    def begin(self, options: FloorOptions) -> None:
        self.stage = Stage()
        self.stage.feed(inputs.OptionsChanged(options))

    @rule(
        user=USERS,
        key=KEYS,
        request=REQUESTS,
        participants=st.sampled_from([1, 2, 5]),
        priority=st.integers(0, 255),
        may_talk=st.sampled_from([True, True, True, False]),
        may_preempt=st.booleans(),
        tier=TIERS,
        sos=st.booleans(),
        dispatcher=st.sampled_from([False, False, True]),
        hindrance=st.sampled_from([None, None, None, DenyCause.NO_RESOURCES]),
    )
    def press(self, user: UserId, key: str, **more: Any) -> None:
        log = self.stage.feed(inputs.Request(user, key, **more))
        answers = [
            effect
            for effect in self.stage.last
            if isinstance(effect, effects.Granted | effects.Denied | effects.Queued) and effect.user == user
        ]
        assert answers, f"{user} pressed and heard nothing: {log}"

    @rule(user=USERS, key=KEYS, request=REQUESTS, old=st.booleans())
    def release(self, user: UserId, key: str, request: str | None, old: bool) -> None:
        self.stage.feed(inputs.Release(user, key, request, BurstId(1) if old else None))
        assert any(isinstance(effect, effects.Acknowledged) for effect in self.stage.last)

    @precondition(lambda self: self.stage.state.bursts)
    @rule(choose=st.integers(0, 1), ago=MOMENTS, started=st.booleans())
    def media(self, choose: int, ago: int, started: bool) -> None:
        burst = self.stage.state.bursts[choose % len(self.stage.state.bursts)]
        kind = inputs.MediaStarted if started else inputs.MediaStopped
        self.stage.feed(kind(burst.user, burst.burst, self.stage.now - ago))

    @rule(
        other=st.one_of(
            st.builds(inputs.QueuePositionRequest, USERS, KEYS, REQUESTS),
            st.builds(inputs.RevokeRequest, USERS, KEYS, REQUESTS, st.none() | USERS),
            st.builds(inputs.MediaWithoutFloor, USERS, KEYS),
            st.builds(inputs.MediaStarted, USERS, st.just(BurstId(7)), st.integers()),
            st.builds(inputs.Left, USERS, st.none() | KEYS),
            st.builds(inputs.Rejoined, USERS, KEYS),
            st.builds(inputs.Participants, st.integers(0, 3)),
            st.builds(inputs.TierChanged, USERS, TIERS, st.booleans()),
            st.builds(inputs.Withdraw, st.none() | USERS, st.sampled_from(RevokeCause)),
            st.builds(inputs.OptionsChanged, OPTIONS),
        )
    )
    def something_else(self, other: inputs.FloorInput) -> None:
        self.stage.feed(other)

    @rule(ms=MOMENTS)
    def time_goes_by(self, ms: int) -> None:
        self.stage.after(ms)

    @rule(ms=MOMENTS)
    def the_node_sleeps(self, ms: int) -> None:
        self.stage.now += ms
        self.stage.feed(inputs.Tick())

    @rule(ms=st.sampled_from([3, 999, 60_000]))
    def the_clock_is_set_back(self, ms: int) -> None:
        self.stage.now -= ms
        self.stage.feed(inputs.Tick())
        self.stage.now = max(self.stage.now, self.stage.state.clock)

    def teardown(self) -> None:
        """Every grant ends, and everyone who waits has his turn, though nobody does anything any more."""
        if not hasattr(self, "stage"):
            return
        waiting = set(self.stage.queue)
        self.stage.had_turn.clear()
        for _ in range(200):
            if not self.stage.on_air:
                break
            self.stage.after(1_000)
        assert self.stage.on_air == []
        assert self.stage.queue == []
        assert waiting <= self.stage.had_turn


AnyFloor.TestCase.settings = settings(max_examples=80, stateful_step_count=40, deadline=None, derandomize=True)
TestAnyFloor = AnyFloor.TestCase
