"""The stage: a demo city, a simulated case system, and real browsers with recorded voices for microphones."""

from __future__ import annotations

import base64
import io
import json
import urllib.parse
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import av
import numpy as np
from playwright.sync_api import Browser, Page, Playwright

from tests.gateway.bridged import Bridged, call, until
from tests.support.chromium import chromium
from tests.support.city import ROOT
from tests.support.officer import Officer
from tests.support.priority import first

SPEECH = ROOT / "loadtest" / "speech"
HANG_S = 6
SETUP = f"""
hang_minutes = {HANG_S / 60}

[retry]
delays_s = [0.3, 0.6, 1.0]
probe_cap_s = 1.0

[[senders]]
id = "cases"
proof = {{{{ kind = "api_key", keys = ["{{key}}"] }}}}

[[receivers]]
id = "cases"
url = "http://127.0.0.1:{{port}}/hook"
secrets = ["{{secret}}"]
"""


def notifier(case_port: int) -> dict[str, str]:
    """A gateway of text messages, played by the case system's process."""
    url = f"http://127.0.0.1:{case_port}/own/sms?to={{badge}}"
    body = '{"to": "{name}", "text": "{title} {text}"}'
    return {"POC_NOTIFY__HTTP": f"[{{ name = 'sms', url = '{url}', body = '{body}', kinds = ['incident'] }}]"}


CITY_TIME = ("env", "TZ=Asia/Shanghai")
"""The clocks in the pictures are those of the page that shows them."""
CONNECTED = "window.__poc && window.__poc.events.some(e => e.name === 'media' && e.state === 'connected')"


def loudness(ogg: bytes, slices: int = 128) -> bytes:
    """The loudest sample of each of so many slices of a recording, 0 to 255."""
    with av.open(io.BytesIO(ogg)) as file:
        frames = [np.abs(frame.to_ndarray().astype(np.float32)).max(axis=0) for frame in file.decode(audio=0)]
    sound = np.concatenate(frames)
    loudest = float(sound.max()) or 1.0
    return bytes(int(part.max() / loudest * 255) for part in np.array_split(sound, slices))


class CityApi:
    """The part of the test's city that an officer's page needs."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str) -> Any:
        status, found = call("GET", self.url + path)
        assert status == 200, f"{path}: {status}"
        return found


class Stage:
    """Everything that plays; ends with the stack."""

    def __init__(self, stack: ExitStack, playwright: Playwright, folder: Path) -> None:
        self._stack, self._playwright = stack, playwright
        self.both = stack.enter_context(Bridged(folder, SETUP, environment=notifier))
        self.api = CityApi(self.both.url)

    def browser(self, voice: str | None = None) -> Browser:
        microphone = None if voice is None else SPEECH / voice
        return self._stack.enter_context(chromium(self._playwright, microphone, before=(*first(), *CITY_TIME)))

    def officer(self, badge: str, voice: str) -> Officer:
        """A phone of its own, with its own voice."""
        officer = Officer(self.browser(voice), self.api, badge, query="")  # type: ignore[arg-type]
        officer.face("idle")
        return officer

    def desk(self, browser: Browser, path: str, badge: str) -> Page:
        """A page at a desk."""
        user = self.both.people()[badge]
        page = browser.new_context(viewport={"width": 1280, "height": 760}, bypass_csp=True).new_page()
        page.goto(f"{self.both.url}/{path}?as={user}")
        page.wait_for_function(CONNECTED)
        return page

    def names(self) -> dict[str, str]:
        """User id → name of the demo's people."""
        return {person["id"]: person["name"] for person in self.api.get("/api/v1/demo/people")}

    def name_of(self, badge: str) -> str:
        return self.names()[self.both.people()[badge]]

    def events(self, code: str, kind: str) -> list[dict[str, Any]]:
        """What the case system received of one kind, each once."""
        found: dict[str, dict[str, Any]] = {}
        for event in self.both.told()["received"]:
            if event["subject"] == code and event["type"] == f"poc.incident.{kind}":
                found.setdefault(event["id"], event)
        return list(found.values())

    def wait_events(self, code: str, kind: str, count: int, within_s: float = 30) -> list[dict[str, Any]]:
        until(f"{count} × {kind} at the case system", lambda: len(self.events(code, kind)) >= count, within_s)
        return self.events(code, kind)

    def messages(self) -> list[dict[str, str]]:
        """Text messages that were sent."""
        asked = (each for each in self.both.told()["own"] if each["path"].startswith("/own/sms"))
        return [json.loads(base64.b64decode(each["body"])) for each in asked]

    def fetched(self, url: str) -> bytes:
        """A recording, fetched by the case system itself."""
        quoted = urllib.parse.quote(url, safe="")
        with urllib.request.urlopen(f"{self.both.case_url}/voice?url={quoted}", timeout=15) as answer:
            return bytes(answer.read())
