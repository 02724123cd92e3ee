"""Receipts only move forward, what is heard is judged, and a broadcast's life has one end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from groups.emergency import broadcast as m
from groups.emergency.broadcast import BroadcastState, Hearing, PersonReceipt
from groups.vocabulary import BroadcastKind, ReceiptState, Refusal, UserId

ORDER = [None, *ReceiptState]
WHO = PersonReceipt(UserId("u"))


@given(st.lists(st.sampled_from(list(ReceiptState)), max_size=12))
def test_a_receipt_only_moves_forward(said: list[ReceiptState]) -> None:
    receipt = WHO
    for now, each in enumerate(said, 1):
        after = m.advance(receipt, each, now)
        if receipt.state is ReceiptState.MISSED or (receipt.reached and each is ReceiptState.MISSED):
            assert after is receipt
        elif after.state is not ReceiptState.MISSED:
            assert ORDER.index(after.state) >= ORDER.index(receipt.state)
        receipt = after
    assert receipt.reached == (receipt.delivered_at is not None)
    times = [at for at in (receipt.sent_at, receipt.delivered_at, receipt.acknowledged_at) if at is not None]
    assert times == sorted(times)


def test_who_acknowledged_before_he_heard_it_is_known_to_have_heard_it_and_once() -> None:
    acknowledged = m.advance(WHO, ReceiptState.ACKNOWLEDGED, 5)
    heard = m.advance(acknowledged, ReceiptState.HEARD, 7)
    assert heard == PersonReceipt(UserId("u"), ReceiptState.ACKNOWLEDGED, 5, 5, 7, 5)
    assert m.advance(heard, ReceiptState.HEARD, 9) is heard
    assert (heard.at, acknowledged.at, WHO.at) == (7, 5, 0)


def test_of_what_two_nodes_know_of_one_person_the_further_counts() -> None:
    sent, delivered = m.advance(WHO, ReceiptState.SENT, 1), m.advance(WHO, ReceiptState.DELIVERED, 2)
    given_up = m.advance(WHO, ReceiptState.MISSED, 9)
    assert m.further(delivered, sent)
    assert m.further(sent, given_up)
    for one, other in ((sent, delivered), (sent, sent), (given_up, sent), (given_up, WHO)):
        assert not m.further(one, other)


GOOD = Hearing(expected=48_000, played=48_000, said=48_000, listening=True, lost=0.0)


def test_heard_is_believed_only_when_nothing_speaks_against_it() -> None:
    def judged(**other: object) -> Refusal | None:
        fields = {name: getattr(GOOD, name) for name in ("expected", "played", "said", "listening", "lost")}
        return m.judge(Hearing(**{**fields, **other}))

    assert judged() is None
    assert judged(lost=None) is None
    assert judged(played=38_400) is None
    assert judged(lost=0.2) is None
    for against in (
        {"played": 38_399},
        {"played": 48_001},
        {"played": 24_000, "expected": 24_000},
        {"lost": 0.21},
        {"listening": False},
        {"said": 0},
        {"expected": None},
        {"expected": 0, "played": 0},
        {"played": None},
    ):
        assert judged(**against) is Refusal.NOT_HEARD, against


def test_a_release_ends_a_live_one_and_a_lost_talker_may_come_back() -> None:
    life = m.spoke(m.begun(BroadcastKind.LIVE, 0, 100_000, 5_000), 7)
    assert m.released(life, lost=False, now=9, quiet_ms=5_000).state is BroadcastState.OVER
    waits = m.released(life, lost=True, now=9, quiet_ms=5_000)
    assert (waits.state, m.deadline(waits)) == (BroadcastState.RUNNING, 5_009)
    assert m.spoke(waits, 8).quiet_at is None
    over = m.timed(waits, 5_009)
    assert (over.state, over.burst, m.deadline(over)) == (BroadcastState.OVER, 7, 100_000)
    gone = m.timed(over, 100_000)
    assert (gone.state, m.deadline(gone)) == (BroadcastState.EXPIRED, None)
    assert m.ended(gone, withdraw=True, now=1) == gone


def test_one_that_was_ended_is_not_spoken_into_again_and_waits_for_the_offline_alone() -> None:
    begun = m.begun(BroadcastKind.LIVE, 0, 100_000, 5_000)
    assert m.deadline(begun) == 5_000
    assert m.released(begun, lost=False, now=9, quiet_ms=5_000) is begun, "his talk of before was no part of it"
    over = m.ended(begun, withdraw=False, now=9)
    assert (over.state, over.withdrawn_at, m.deadline(over)) == (BroadcastState.OVER, None, 100_000)
    assert m.spoke(over, 8) is over
    assert m.timed(m.spoke(begun, 7), 100_000).talking is False


def test_what_is_not_live_is_over_at_once_and_waits_for_the_offline() -> None:
    life = m.begun(BroadcastKind.TEXT, 0, 60_000, 5_000)
    assert (life.state, m.deadline(life)) == (BroadcastState.OVER, 60_000)
    taken_back = m.ended(life, withdraw=True, now=7)
    assert (taken_back.state, taken_back.withdrawn_at) == (BroadcastState.WITHDRAWN, 7)
