"""Real Chromium with a file for a microphone."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright

from tests.support.netns import Namespace

CHROMIUM = "/usr/bin/chromium"

QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
FAKE_MICROPHONE = ("--use-fake-device-for-media-stream",)
GIVEN_AT_ONCE = ("--use-fake-ui-for-media-stream",)
LOOPBACK = ("--allow-loopback-in-peer-connection",)
AUTOPLAY = ("--autoplay-policy=no-user-gesture-required",)


def trusted(origin: str) -> tuple[str, ...]:
    """For a page over plain HTTP on an address of a namespace: there the microphone is given as if it were HTTPS."""
    return (f"--unsafely-treat-insecure-origin-as-secure={origin}",)


STEADY = (
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
)


@contextmanager
def chromium(
    playwright: Playwright,
    microphone: Path | None = None,
    flags: tuple[str, ...] = (*LOOPBACK, *AUTOPLAY),
    inside: Namespace | None = None,
    before: tuple[str, ...] = (),
    microphone_given: bool = True,
) -> Iterator[Browser]:
    """A browser of its own; its microphone plays the file over and over.

    Unless the microphone is ``given`` at once, the browser asks for it, as it asks a person on the first visit.
    It runs ``inside`` a namespace if told so, and by the command ``before`` it (see `tests.support.priority`).
    """
    args = [*QUIET, *FAKE_MICROPHONE, *(GIVEN_AT_ONCE if microphone_given else ()), *STEADY, *flags]
    if microphone is not None:
        args.append(f"--use-file-for-fake-audio-capture={microphone}")
    if os.geteuid() == 0 or inside is not None:
        args.append("--no-sandbox")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder, "chromium")
        program.write_text(
            f'#!/bin/sh\nexec {" ".join([*before, *(inside.prefix if inside else ()), CHROMIUM])} "$@"\n'
        )
        program.chmod(0o755)
        browser = playwright.chromium.launch(executable_path=program, args=args)
        try:
            yield browser
        finally:
            browser.close()
