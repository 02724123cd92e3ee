"""Whatever is done to an alert in whatever order: one claims, it ends once, it survives a JSON round trip."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from groups.emergency import alert as m
from groups.emergency.alert import AlertOptions, AlertRecord
from groups.vocabulary import AlertState, GroupId, Refusal, UserId

OFFICER, ONE, TWO = UserId("officer"), UserId("one"), UserId("two")
NEW = m.raised("a", OFFICER, GroupId("g"), 90, 100, AlertOptions(1_000, 3, 5_000))
users = st.sampled_from([OFFICER, ONE, TWO])
steps = st.lists(
    st.tuples(
        st.one_of(
            st.builds(m.Claim, users),
            st.builds(m.Acknowledge, users),
            st.builds(m.Resolve, users, st.sampled_from([AlertState.RESOLVED, AlertState.FALSE_ALARM])),
            st.builds(m.Cancel, users, st.booleans()),
            st.builds(m.Unattended, users, st.integers(0, 30_000)),
            st.just(m.MoreKnown()),
            st.just(m.Tick()),
        ),
        st.integers(0, 2_000),
    ),
    max_size=20,
)


def run(*given: m.AlertInput, now: int = 100) -> tuple[AlertRecord, list[object]]:
    alert, done = NEW, []
    for each in given:
        alert, effects = m.handle(alert, each, now)
        done += effects
    return alert, done


@given(steps)
def test_every_history_holds_together(history: list[tuple[m.AlertInput, int]]) -> None:
    alert, now, ends = NEW, 100, 0
    for each, later in history:
        now += later
        before = alert
        alert, effects = m.handle(alert, each, now)
        ends += sum(isinstance(effect, m.Over) for effect in effects)
        changed = any(isinstance(effect, m.Changed) for effect in effects)
        assert changed == (alert != before)
        assert changed == (alert.version == before.version + 1)
        if alert.state in (AlertState.CLAIMED, AlertState.ACKNOWLEDGED):
            assert alert.claimed_by is not None
        if before.state in (AlertState.CLAIMED, AlertState.ACKNOWLEDGED) and isinstance(each, m.Claim):
            assert alert.claimed_by == before.claimed_by
        assert AlertRecord.from_json(alert.to_json()) == alert
    assert ends == (not alert.open)
    assert m.deadline(alert) is None or alert.open


def test_the_second_who_claims_is_told_who_was_first() -> None:
    _, done = run(m.Claim(ONE), m.Claim(TWO), m.Claim(ONE))
    assert [each for each in done if isinstance(each, m.Held)] == [
        m.Held(ONE, yours=True),
        m.Held(ONE, yours=False),
        m.Held(ONE, yours=True),
    ]


def test_only_who_claimed_acknowledges_and_closes() -> None:
    for given_ in (m.Acknowledge(TWO), m.Resolve(TWO, AlertState.RESOLVED)):
        assert run(m.Claim(ONE), given_)[1][-1] == m.Refused(Refusal.NOT_CLAIMED)
    assert run(m.Claim(ONE), m.Acknowledge(ONE), m.Resolve(ONE, AlertState.RESOLVED))[0].state is AlertState.RESOLVED


def test_what_was_acknowledged_rings_no_more() -> None:
    assert m.deadline(run(m.Claim(ONE), m.Acknowledge(ONE))[0]) is None


def test_a_shift_hands_over_what_it_claimed_and_nothing_else() -> None:
    claimed, _ = run(m.Claim(ONE), m.Acknowledge(ONE))
    assert m.handle(claimed, m.HandOver(TWO, OFFICER), 200) == (claimed, (m.Done(),))
    assert m.handle(NEW, m.HandOver(ONE, TWO), 200) == (NEW, (m.Done(),))
    taken, done = m.handle(claimed, m.HandOver(ONE, TWO), 200)
    assert done == (m.Changed("alert.hand_over"), m.Done())
    assert (taken.claimed_by, taken.claimed_at, taken.state) == (TWO, 200, AlertState.ACKNOWLEDGED)
    assert m.handle(taken, m.Resolve(ONE, AlertState.RESOLVED), 300)[1] == (m.Refused(Refusal.NOT_CLAIMED),)
    closed, done = m.handle(taken, m.Resolve(TWO, AlertState.FALSE_ALARM, "a drill"), 300)
    assert done == (m.Changed("alert.false_alarm"), m.Over(), m.Done())
    assert (closed.ended_by, closed.ended_at, closed.note) == (TWO, 300, "a drill")


def test_to_ask_the_same_of_a_closed_alert_again_is_done_and_anything_else_too_late() -> None:
    over = m.Refused(Refusal.ALERT_OVER)
    resolve, cancel = m.Resolve(ONE, AlertState.RESOLVED), m.Cancel(OFFICER)
    for ended, again in ((run(m.Claim(ONE), resolve)[0], resolve), (run(cancel)[0], cancel)):
        others = {resolve, cancel, m.Resolve(ONE, AlertState.FALSE_ALARM), m.Resolve(TWO, AlertState.RESOLVED)}
        assert m.handle(ended, again, 200) == (ended, (m.Done(),))
        for other in others - {again} | {m.Claim(ONE), m.Acknowledge(ONE)}:
            assert m.handle(ended, other, 200) == (ended, (over,)), other
        for silent in (m.MoreKnown(), m.Unattended(ONE, 0), m.Tick()):
            assert m.handle(ended, silent, 99_999) == (ended, ())


def test_an_alert_may_be_set_never_to_escalate() -> None:
    assert m.deadline(m.raised("a", OFFICER, None, 90, 100, AlertOptions(1_000, 0, 5_000))) is None


def test_nothing_is_taken_back_while_another_in_emergency_talks() -> None:
    alert, done = run(m.Cancel(OFFICER, another_talks=True))
    assert alert.open
    assert done == [m.Refused(Refusal.EMERGENCY_TALKING)]


def test_an_alert_nobody_acknowledges_rings_again_and_a_silent_claim_is_given_up() -> None:
    alert, _ = m.handle(NEW, m.Claim(ONE), 600)
    assert m.deadline(alert) == 1_600
    alert, done = m.handle(alert, m.Tick(), 1_600)
    assert (alert.state, alert.claimed_by, alert.escalated) == (AlertState.RAISED, None, 1)
    assert done == (m.Changed("alert.escalate", ring=True),)
    for now in (2_600, 3_600, 4_600):
        alert, _ = m.handle(alert, m.Tick(), now)
    assert (alert.escalated, m.deadline(alert)) == (3, None)


def test_an_alert_whose_dispatcher_is_gone_rings_again_whatever_he_told_the_officer() -> None:
    alert, _ = run(m.Tick(), m.Claim(ONE), m.Acknowledge(ONE))
    for too_soon in (m.Unattended(ONE, 101), m.Unattended(TWO, 0)):
        assert m.handle(alert, too_soon, 5_100) == (alert, ())
    alert, done = m.handle(alert, m.Unattended(ONE, 100), 5_100)
    assert done == (m.Changed("alert.unattended", ring=True),)
    assert (alert.state, alert.claimed_by, alert.acknowledged_at) == (AlertState.RAISED, None, None)
    assert (alert.left_by, alert.escalated, m.deadline(alert)) == (ONE, 1, 6_100)
    assert m.handle(alert, m.Tick(), 6_100)[0].left_by == ONE, "until another takes it"
    alert, _ = m.handle(alert, m.Claim(TWO), 5_200)
    assert (alert.claimed_by, alert.left_by) == (TWO, None)


def test_it_rings_again_also_where_it_had_rung_as_often_as_it_may() -> None:
    alert, now = NEW, 100
    for _ in range(4):
        now += 1_000
        alert, _ = m.handle(alert, m.Tick(), now)
    assert m.deadline(alert) is None
    alert, _ = m.handle(alert, m.Claim(ONE), now)
    alert, _ = m.handle(alert, m.Unattended(ONE, now), now + 5_000)
    assert (alert.escalated, m.deadline(alert)) == (1, now + 6_000)
