"""Follows SOS after SOS from the key to the dispatcher's ear and says what takes how long, in ms after the key.

``python -m tools.bench.follow_sos [presses]``. Two browsers and a server share this machine: read it where
nothing else runs.
``alert``, ``slot``: when the console's socket had them. ``busy``: the longest task of its thread in that time,
and of the officer's (``pressed_busy``): what a page does itself, and what the machine does not give it.
The officer's microphone gives a steady tone. ``heard`` is what the console's page says of its first packet, which it
looks for every 40 ms where its thread is free; ``sounded`` is where the tone begins in what the console decoded.
"""

from __future__ import annotations

import sys
import tempfile
import wave
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import expect, sync_playwright

from tests.browser.figures import spread
from tests.browser.hearing import JS, RATE, Recording
from tests.support.chromium import chromium
from tests.support.city import City, running_city
from tests.support.console import Console
from tests.support.officer import Officer

GROUP = "滨江巡查组"
AT_ONCE = {"POC_EMERGENCY__HOLD_MS": "0", "POC_EMERGENCY__COUNTDOWN_MS": "0", "POC_EMERGENCY__MICROPHONE_MS": "4000"}
STEPS = ("sos_microphone", "floor_request", "floor_granted", "mic_open", "sos_confirmed")
"""Brought into the group of the alert; the floor asked for, and had; the microphone sends; the alert is kept."""
WATCHED = """
window.told = []; window.busy = [];
const Socket = WebSocket;
window.WebSocket = class extends Socket {
    constructor(...all) {
        super(...all);
        this.addEventListener('message', ({data}) => {
            const t = performance.timeOrigin + performance.now(), {type, by, group} = JSON.parse(data);
            if (type === 'alert' || type === 'slot' && group) window.told.push({type, t});
        });
    }
};
new PerformanceObserver(list => window.busy.push(...list.getEntries().map(
    ({startTime, duration}) => ({t: performance.timeOrigin + startTime, duration})
))).observe({type: 'longtask'});
"""
"""What a page was told and when, before the page itself takes it; and which of its tasks took longer than 50 ms."""
TOLD = "([type, after]) => window.told.find(each => each.type === type && each.t > after).t"
BUSY = """([from, to]) => Math.max(0, ...window.busy.filter(({t, duration}) => t + duration > from && t < to)
    .map(({duration}) => duration))"""
WITHIN_MS = 3_000
LOUD = 0.03


def tone(path: Path) -> Path:
    """Ten seconds of 440 Hz: where it begins is told to the sample."""
    samples = np.sin(2 * np.pi * 440 * np.arange(10 * RATE) / RATE) * 0.3 * 32767
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def sounded(heard: Recording, after: float) -> float:
    """When sound begins after that, ms since the epoch; NaN where it does not, or was there already."""
    loud = np.abs(heard.between(after, after + WITHIN_MS)) > LOUD
    first = int(np.argmax(loud))
    return after + first * 1000 / RATE if first else float("nan")


def followed(officer: Officer, desk: Console, number: int) -> dict[str, float]:
    """One SOS, taken back again."""
    officer.page.locator(".sos-key").click()
    officer.wait_for("sos_confirmed", number)
    pressed = float(officer.events("sos_pressed")[-1]["t"])
    heard = desk.first_voice_of(officer.user["id"], after=pressed)
    told = {each: float(desk.page.evaluate(TOLD, [each, pressed])) - pressed for each in ("alert", "slot")}
    busy = {
        name: float(who.page.evaluate(BUSY, [pressed, heard]))
        for name, who in (("pressed_busy", officer), ("busy", desk))
    }
    officer.wait_for("floor_release", number)
    last: dict[str, Any] = {step: officer.events(step)[-1] for step in STEPS}
    officer.take_back_sos()
    expect(officer.page.locator('.sos[data-state="quiet"]')).to_be_visible()
    expect(desk.page.locator(".alert")).to_have_count(0)
    return (
        {"pressed": pressed}
        | {step: float(mark["t"]) - pressed for step, mark in last.items()}
        | told
        | {"heard": heard - pressed}
        | busy
    )


def follow(city: City, microphone: Path, presses: int) -> None:
    """All of them, and how they spread."""
    with (
        sync_playwright() as playwright,
        chromium(playwright, microphone) as phones,
        chromium(playwright) as desks,
    ):
        desk, officer = Console(desks, city, "PQ-001", WATCHED), Officer(phones, city, "BJ-001", init=WATCHED)
        officer.select(GROUP)
        desk.page.evaluate(JS)
        desk.page.evaluate("window.hearing.record(window.__poc.streams[0], 'heard')")
        found = [followed(officer, desk, number) for number in range(1, presses + 1)]
        heard = Recording.taken(desk.page.evaluate("window.hearing.taken('heard')"))
    for one in found:
        pressed = one.pop("pressed")
        one["sounded"] = sounded(heard, pressed) - pressed
    for one in found:
        print("  ".join(f"{step} {took:.0f}" for step, took in one.items()))
    print({step: spread([one[step] for one in found]) for step in found[0]})


if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory() as folder,
        running_city(Path(folder) / "city", env=AT_ONCE, first=True, cold=True) as made,
    ):
        follow(made, tone(Path(folder) / "tone.wav"), int(sys.argv[1]) if len(sys.argv) > 1 else 10)
