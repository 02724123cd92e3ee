"""Seeded random input for what a stranger's socket says: a refusal is fine, an exception never.

A quick part of each runs in the pure ring, the whole hundred thousand in the wire ring.
"""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from signaling import session
from signaling.messages import Refused, decode_client

QUICK, WHOLE = 2_000, 100_000
PROTOCOL = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
EXAMPLES = [found.encode() for found in re.findall(r"```json client\n(.*?)\n```", PROTOCOL.read_text(), re.DOTALL)]
_TOKENS = [
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b",",
    b":",
    b"null",
    b"true",
    b"-1",
    b"1e400",
    b"\\u0000",
    b"\xff",
    b"\xed\xa0\x80",
]


def mutated(template: bytes, dice: random.Random) -> bytes:
    """The template with bytes changed, cut out, doubled, cut off, or JSON's own signs put in."""
    data = bytearray(template)
    for _ in range(dice.randint(1, 5)):
        at = dice.randrange(len(data)) if data else 0
        match dice.randrange(5):
            case 0 if data:
                data[at] = dice.randrange(256)
            case 1:
                del data[at : at + dice.randint(1, 12)]
            case 2:
                data[at:at] = data[at : at + dice.randint(1, 20)]
            case 3:
                data[at:at] = dice.choice(_TOKENS) * dice.choice((1, 1, 1, 200))
            case _:
                del data[at:]
    return bytes(data)


def fuzz(count: int) -> None:
    dice = random.Random(count)
    refused = 0
    for _ in range(count):
        data = mutated(dice.choice(EXAMPLES), dice)
        try:
            decode_client(data)
        except Refused:
            refused += 1
        except Exception as error:
            raise AssertionError(f"raised on {data!r}") from error
    assert refused > count // 2


def test_a_quick_round_of_damaged_messages_is_refused() -> None:
    assert len(EXAMPLES) > 20
    fuzz(QUICK)


@pytest.mark.wire
def test_a_hundred_thousand_damaged_messages_raise_nothing() -> None:
    fuzz(WHOLE)


def test_a_session_fed_with_damage_answers_or_closes() -> None:
    dice, state = random.Random(1), session.opened(0.0)
    for number in range(QUICK):
        state, effects = session.handle(state, session.Text(mutated(dice.choice(EXAMPLES), dice)), float(number))
        assert effects
