"""Real Chromium with a file for a microphone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Playwright

QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
FAKE_MICROPHONE = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
LOOPBACK = ("--allow-loopback-in-peer-connection",)
AUTOPLAY = ("--autoplay-policy=no-user-gesture-required",)
STEADY = (
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
)


@contextmanager
def chromium(
    playwright: Playwright, microphone: Path | None = None, flags: tuple[str, ...] = (*LOOPBACK, *AUTOPLAY)
) -> Iterator[Browser]:
    """A browser of its own; its microphone plays the file over and over."""
    args = [*QUIET, *FAKE_MICROPHONE, *STEADY, *flags]
    if microphone is not None:
        args.append(f"--use-file-for-fake-audio-capture={microphone}")
    if os.geteuid() == 0:
        args.append("--no-sandbox")
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=args)
    try:
        yield browser
    finally:
        browser.close()
