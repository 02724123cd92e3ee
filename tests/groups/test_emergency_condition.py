"""The condition of a group is the highest that is held; calls end by themselves, what one in SOS holds does not."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from groups.emergency import condition as m
from groups.emergency.condition import Condition
from groups.vocabulary import GroupId, Refusal, Tier, UserId

A, B = UserId("a"), UserId("b")
EMPTY = Condition(GroupId("g"), quiet_ms=1_000)
users, causes = st.sampled_from([A, B]), st.sampled_from(["x", "y", "z"])
steps = st.lists(
    st.tuples(
        st.one_of(
            st.builds(m.Declare, causes, users, st.sampled_from([Tier.IMMINENT_PERIL, Tier.EMERGENCY]), st.booleans()),
            st.builds(m.Clear, causes, users, st.booleans()),
            st.builds(m.Talks, users),
            st.builds(m.Quiet, users),
            st.just(m.Tick()),
        ),
        st.integers(0, 1_500),
    ),
    max_size=25,
)


@given(steps)
def test_every_history_holds_together(history: list[tuple[m.ConditionInput, int]]) -> None:
    state, now = EMPTY, 0
    for each, later in history:
        now += later
        before = state
        state, effects = m.handle(state, each, now)
        tiers = [effect for effect in effects if isinstance(effect, m.TierIs)]
        assert tiers == ([] if before.tier is state.tier else [m.TierIs(before.tier, state.tier)])
        due = m.deadline(state)
        assert (due is not None) == (not state.talking and any(not h.sos for h in state.holders))
        assert due is None or due >= now
        assert len({h.cause for h in state.holders}) == len(state.holders)
        assert Condition.from_json(state.to_json()) == state


def play(*given_: m.ConditionInput, now: int = 0) -> tuple[Condition, list[object]]:
    state, done = EMPTY, []
    for each in given_:
        state, effects = m.handle(state, each, now)
        done += effects
    return state, done


def test_upgrade_and_downgrade_happen_inside_the_running_call() -> None:
    state, _ = play(m.Declare("x", A, Tier.IMMINENT_PERIL), m.Declare("x", A, Tier.EMERGENCY))
    assert (state.tier, len(state.holders)) == (Tier.EMERGENCY, 1)
    state, done = m.handle(state, m.Declare("x", A, Tier.IMMINENT_PERIL), 5)
    assert state.tier is Tier.IMMINENT_PERIL
    assert m.UserTier(A, Tier.IMMINENT_PERIL, sos=False) in done


def test_cancel_is_refused_while_another_in_emergency_talks_unless_all_is_closed() -> None:
    both = (m.Declare("x", A, Tier.EMERGENCY), m.Declare("y", B, Tier.EMERGENCY), m.Talks(B))
    state, done = play(*both, m.Clear("x", A))
    assert done[-1] == m.Refused(Refusal.EMERGENCY_TALKING)
    assert state.holder("x") is not None
    assert play(*both, m.Clear("x", A, force=True))[0].holder("x") is None
    assert play(*both, m.Quiet(B), m.Clear("x", A))[0].holder("x") is None


def test_neither_ones_own_voice_nor_one_in_peril_stands_in_the_way_of_a_cancel() -> None:
    mine, his = m.Declare("x", A, Tier.EMERGENCY), m.Declare("y", B, Tier.IMMINENT_PERIL)
    for talks in (m.Talks(A), m.Talks(B)):
        assert play(mine, his, talks, m.Clear("x", A))[0].holder("x") is None


def test_an_emergency_that_is_declared_or_raised_has_all_its_time_whatever_was_quiet_before() -> None:
    state, _ = play(m.Declare("x", A, Tier.IMMINENT_PERIL))
    for now, again in ((900, m.Declare("y", B, Tier.EMERGENCY)), (1_800, m.Declare("x", A, Tier.EMERGENCY))):
        state, _ = m.handle(state, again, now)
        assert m.deadline(state) == now + 1_000
    assert state.first == m.Holder("x", A, Tier.EMERGENCY, sos=False, since=0)
    state, _ = m.handle(state, m.Declare("x", A, Tier.IMMINENT_PERIL), 1_900)
    assert state.first == m.Holder("y", B, Tier.EMERGENCY, sos=False, since=900), "the earliest of the highest"
    assert m.deadline(m.handle(Condition(GroupId("g"), quiet_ms=0), m.Declare("x", A, Tier.EMERGENCY), 0)[0]) is None


def test_a_quiet_call_ends_by_itself_and_an_sos_stays() -> None:
    state, _ = play(m.Declare("call", A, Tier.EMERGENCY), m.Declare("sos", B, Tier.EMERGENCY, sos=True))
    assert m.handle(state, m.Tick(), 999)[0] == state
    state, done = m.handle(state, m.Tick(), 1_000)
    assert [each for each in done if isinstance(each, m.Ended)] == [m.Ended("call", timed_out=True)]
    assert [h.cause for h in state.holders] == ["sos"]
    assert m.deadline(state) is None
