"""Every code and role a user can meet has words in both languages."""

from groups.vocabulary import Refusal, Role
from signaling.words import REFUSALS, ROLES


def test_every_refusal_has_words_in_both_languages() -> None:
    assert set(REFUSALS) == set(Refusal)
    assert all(zh and en and zh != en for zh, en in REFUSALS.values())


def test_every_role_has_words_in_both_languages() -> None:
    assert set(ROLES) == set(Role)
    assert all(zh and en for zh, en in ROLES.values())
