"""The figures of many presses between two pages, as the project defines them; times are ms on one clock."""

from __future__ import annotations

import numpy as np
from pystoi import stoi

from tests.browser.hearing import RATE, Recording, Samples, Window, delay_ms, lost_before_arrival_ms, windows
from tests.support.officer import Officer


def talk(talker: Officer, presses: int, hold_ms: int, pause_ms: int) -> None:
    """Press, speak, release, again and again; each press waits for its grant, as a person waits for the tone."""
    for press in range(1, presses + 1):
        talker.key_down()
        talker.wait_for("floor_granted", press)
        talker.page.wait_for_timeout(hold_ms)
        talker.key_up()
        talker.wait_for("floor_release", press)
        talker.page.wait_for_timeout(pause_ms)


def private_access(talker: Officer, other: Officer, calls: int) -> list[float]:
    """Hold a name, be let talk, let go, hang up: name pressed → permit tone, with the call's set-up (KPI 2), each."""
    downs, tones, bursts = _presses(talker)
    talker.contacts()
    in_call = talker.page.locator(".affairs .brought")
    for call in range(1, calls + 1):
        talker.hold(other.user["name"])
        talker.wait_for("floor_granted", bursts + call)
        talker.key_up()
        talker.wait_for("floor_release", bursts + call)
        other.page.locator(".affairs .brought button").click()
        in_call.wait_for(state="detached")
    more_downs, more_tones, _ = _presses(talker)
    return [tone - down for down, tone in zip(more_downs[len(downs) :], more_tones[len(tones) :], strict=True)]


def _presses(talker: Officer) -> tuple[list[float], list[float], int]:
    """When keys went down, when the permit tones sounded, and how many bursts there were."""
    downs = [event["t"] for event in talker.events("pointerdown")]
    tones = [event["at"] for event in talker.events("tone") if event["tone"] == "permit"]
    return downs, tones, len(talker.events("floor_granted"))


def measured(talker: Officer, listener: Officer) -> dict[str, object]:
    """The figures of all presses."""
    said, heard = talker.taken("said"), listener.taken("heard")
    downs, tones, _ = _presses(talker)
    silents = [e["t"] for e in talker.events("mic_silent")]
    access = [tone - down for down, tone in zip(downs, tones, strict=True)]
    delays, lost, found, places = [], [], [], []
    for press, (down, silent) in enumerate(zip(downs, silents, strict=True), 1):
        burst = Burst(said, heard, down, silent)
        delays.append(burst.delay)
        lost.append(burst.first_syllable_lost())
        seconds = burst.windows()
        found += seconds
        places += [f"press {press}, second {number}" for number in range(1, len(seconds) + 1)]
    correlations = [window.correlation for window in found]
    spoken = np.concatenate([window.said for window in found])
    received = np.concatenate([window.heard for window in found])
    return {
        "presses": len(downs),
        "recorders_stood_still_ms": round(max(said.gap, heard.gap), 1),
        "access_ms": spread(access),
        "mouth_to_ear_ms": spread(delays),
        "later_than_300_ms": {"access": count_late(access), "mouth_to_ear": count_late(delays)},
        "first_syllable_lost_ms": spread(lost),
        "correlation": {
            "median": round(float(np.median(correlations)), 4),
            "min": round(min(correlations), 4),
            "least_at": places[int(np.argmin(correlations))],
        },
        "stoi": round(float(stoi(spoken[::3], received[::3], RATE // 3)), 4),
    }


def count_late(values: list[float], limit_ms: float = 300) -> int:
    """How many miss the limit of TS 22.179 §6.15."""
    return sum(value >= limit_ms for value in values)


def spread(values: list[float]) -> dict[str, float]:
    return {"p50": round(float(np.percentile(values, 50)), 1), "p95": round(float(np.percentile(values, 95)), 1)}


class Burst:
    """One press: what the microphone had from key down until the page fell silent, and what came out of it."""

    def __init__(self, said: Recording, heard: Recording, down: float, silent: float) -> None:
        self.said = said.between(down, silent)
        self._heard = heard
        self._down, self._silent = down, silent
        self.delay = delay_ms(self.said, heard.between(down, silent + 500))

    def aligned(self) -> tuple[Samples, Samples]:
        heard = self._heard.between(self._down + self.delay, self._silent + self.delay)
        skip = RATE // 5  # the first frames belong to `first_syllable_lost`
        return self.said[skip:], heard[skip:]

    def windows(self) -> list[Window]:
        return windows(*self.aligned())

    def first_syllable_lost(self) -> float:
        """Microphone audio after key down that never arrived."""
        return lost_before_arrival_ms(self.said, self._heard.between(self._down, self._silent + self.delay))
