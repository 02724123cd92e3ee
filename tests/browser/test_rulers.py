"""The rulers themselves: what they say of speech of which it is known how it was heard."""

from __future__ import annotations

import numpy as np
import pytest

from codec.coding import decode_all, encode_all
from codec.wav import read_wav
from tests.browser.hearing import RATE, Samples, lost_before_arrival_ms
from tests.support.city import ROOT

SPEECH = read_wav(ROOT / "loadtest" / "speech" / "zh-report.wav")
MOUTH_TO_EAR = RATE * 95 // 1000


@pytest.fixture(scope="module")
def bursts() -> list[tuple[Samples, Samples]]:
    """Seconds of speech that begin anywhere in it, each with the same after the codec."""
    found = []
    for start in np.arange(0.6, 11, 1.8):
        said = SPEECH[round(start * RATE) :][: 3 * RATE // 2]
        found.append((said / 32768, decode_all(encode_all(said, 40, 20_000)) / 32768))
    return found


def later(heard: Samples, by: int) -> Samples:
    return np.concatenate([np.zeros(by), heard])


def test_what_arrived_whole_has_lost_nothing(bursts: list[tuple[Samples, Samples]]) -> None:
    assert max(lost_before_arrival_ms(said, later(heard, MOUTH_TO_EAR)) for said, heard in bursts) <= 10


@pytest.mark.parametrize("stretched_ms", [-60, 120])
def test_a_jitter_buffer_that_stretches_the_burst_later_on_has_lost_none_of_its_beginning(
    bursts: list[tuple[Samples, Samples]], stretched_ms: int
) -> None:
    at = RATE * 4 // 10
    again = at - RATE * stretched_ms // 1000
    for said, heard in bursts:
        stretched = np.concatenate([heard[:at], heard[again:]])
        assert lost_before_arrival_ms(said, later(stretched, MOUTH_TO_EAR)) <= 10


@pytest.mark.parametrize("lost_ms", [60, 120, 200])
def test_a_beginning_that_never_came_is_counted(bursts: list[tuple[Samples, Samples]], lost_ms: int) -> None:
    counted = []
    for said, heard in bursts:
        cut = np.concatenate([np.zeros(RATE * lost_ms // 1000), heard[RATE * lost_ms // 1000 :]])
        counted.append(lost_before_arrival_ms(said, later(cut, MOUTH_TO_EAR)))
    # Silence between words is no loss, and of a window that came in part it may be taken for whole.
    assert lost_ms - 50 <= np.median(counted) <= lost_ms + 20, counted
