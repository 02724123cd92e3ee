"""The one exception with which store, sign-in and HTTP say no: a code of the vocabulary, never a stack trace."""

from __future__ import annotations

from groups.vocabulary import Refusal


class Refused(Exception):
    """What was asked cannot be done.

    Attributes:
        code: the word programs read; its sentence in both languages stands in ``signaling.words``.
        detail: one line for a person who must find the cause: which field, which row. Never a secret.
        retry_after_ms: how long to wait before asking again, where waiting helps.
    """

    def __init__(self, code: Refusal, detail: str = "", retry_after_ms: int | None = None) -> None:
        super().__init__(f"{code.value}: {detail}" if detail else code.value)
        self.code = code
        self.detail = detail
        self.retry_after_ms = retry_after_ms


class StoreUnavailable(Refused):
    """SQL cannot be reached just now; what needs no SQL goes on."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(Refusal.UNAVAILABLE, detail, retry_after_ms=2_000)
