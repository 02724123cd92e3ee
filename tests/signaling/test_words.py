"""Every code and role a user can meet has words in both languages."""

from typing import get_args

from groups.calls.state import CallEnd, CallKind, Part
from groups.vocabulary import Refusal, Role, StatusWord
from signaling.messages import call
from signaling.words import CALL_ENDS, REFUSALS, ROLES, STATUSES, call_end


def test_every_refusal_has_words_in_both_languages() -> None:
    assert set(REFUSALS) == set(Refusal)
    assert all(zh and en and zh != en for zh, en in REFUSALS.values())


def test_every_role_has_words_in_both_languages() -> None:
    assert set(ROLES) == set(Role)
    assert all(zh and en for zh, en in ROLES.values())


def test_every_end_of_a_call_has_words_in_both_languages() -> None:
    ends = {end.value for end in CallEnd}
    assert set(CALL_ENDS) == ends == set(get_args(call.End))
    assert all(zh and en and zh != en for zh, en in CALL_ENDS.values())
    assert len({words for pair in CALL_ENDS.values() for words in pair}) == 2 * len(ends), "each says something else"
    for end in CALL_ENDS:
        assert (call_end(end), call_end(end, "en")) == CALL_ENDS[end]


def test_the_wire_knows_every_kind_of_call_and_all_that_one_who_is_called_may_do() -> None:
    assert {kind.value for kind in CallKind} == set(get_args(call.Kind))
    assert {part.value for part in Part} == set(get_args(call.Part))


def test_every_status_word_has_words_in_both_languages() -> None:
    assert set(STATUSES) == set(StatusWord)
    assert all(zh and en and zh != en for zh, en in STATUSES.values())
