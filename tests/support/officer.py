"""One person at an officer's page in a real browser."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Browser, Page

from tests.browser.hearing import JS, Recording
from tests.support.city import City

CONNECTED_MS = 90_000
"""Several pages at once on a loaded machine take their time."""
KEEP_MICROPHONE = """
const open = navigator.mediaDevices?.getUserMedia.bind(navigator.mediaDevices);
if (open) navigator.mediaDevices.getUserMedia = async (wanted) => (window.microphone = await open(wanted));
"""
"""A second capture of Chromium's file microphone would begin at another place of the file."""


class Officer:
    """A page of the demo's person with this badge, once its voice path is ``connected``; ``init`` runs before it."""

    def __init__(
        self,
        browser: Browser,
        city: City,
        badge: str,
        query: str = "voice=raw",
        init: str = KEEP_MICROPHONE,
        connected: bool = True,
        page: str = "talk",
    ) -> None:
        self.context = browser.new_context(viewport={"width": 360, "height": 640}, bypass_csp=True, locale="en-GB")
        self.context.add_init_script(init)
        self.page: Page = self.context.new_page()
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        people = city.get("/api/v1/demo/people")
        self.user = next(person for person in people if person["badge"] == badge)
        self.page.goto(f"{city.url}/{page}?{query}&as={self.user['id']}", timeout=CONNECTED_MS)
        if connected:
            self.page.wait_for_function(
                "window.__poc && window.__poc.events.some(e => e.name === 'media' && e.state === 'connected')",
                timeout=CONNECTED_MS,
            )

    def select(self, name: str) -> None:
        """Open the group with this name."""
        self.page.locator("button.group").click()
        self.page.locator("button.choose:visible", has_text=name).first.click()
        self.page.locator("button.group", has_text=name).wait_for()

    def listen(self, name: str) -> None:
        """Hear the group with this name beside the selected one, or no longer."""
        self.page.locator("button.group").click()
        self.page.get_by_role("switch", name=f"同时收听{name}", exact=True).click()
        self.page.locator(".drawer-head button").click()

    def take_back_sos(self) -> None:
        """Take back an SOS that the server has confirmed, with a second touch."""
        key = self.page.locator('.sos[data-state="confirmed"] .sos-word button')
        key.click()
        self.page.locator('.sos-word button[data-armed="true"]').click()

    def events(self, *names: str) -> list[dict[str, Any]]:
        """The page's diagnostic marks of these names; ``t`` and ``at`` in ms since the epoch."""
        return list(
            self.page.evaluate(
                """names => window.__poc.events.filter(e => names.includes(e.name)).map(e => ({
                    ...e, t: e.t + performance.timeOrigin, ...(e.at ? {at: e.at + performance.timeOrigin} : {})}))""",
                list(names),
            )
        )

    def key_down(self) -> None:
        self.page.locator("button.talk").scroll_into_view_if_needed()
        box = self.page.locator("button.talk").bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.down()

    def key_up(self) -> None:
        self.page.mouse.up()

    def contacts(self) -> None:
        """Open the list of people."""
        self.page.locator("button.group").click()
        self.page.get_by_role("tab", name="通讯录").click()

    def hold(self, name: str) -> None:
        """Press a name of the contacts and keep it down."""
        key = self.page.get_by_role("button", name=f"按住与{name}讲话")
        key.scroll_into_view_if_needed(timeout=30_000)
        box = key.bounding_box()
        assert box is not None
        self.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        self.page.mouse.down()

    def wait_for(self, name: str, count: int, timeout_ms: int = 30_000) -> None:
        """Until ``count`` marks of this name were made."""
        self.page.wait_for_function(
            "([name, count]) => window.__poc.events.filter(e => e.name === name).length >= count",
            arg=[name, count],
            timeout=timeout_ms,
        )

    def face(self, name: str, timeout_ms: int = 30_000) -> None:
        """Until the page shows this state."""
        self.page.locator(f'[data-face="{name}"]').wait_for(timeout=timeout_ms)

    def record(self, what: str) -> None:
        """Record ``said`` (the microphone the page opened) or ``heard`` (slot 0, as it is played)."""
        self.page.evaluate(JS)
        stream = "window.microphone" if what == "said" else "window.__poc.streams[0]"
        self.page.evaluate(f"window.hearing.record({stream}, '{what}')")

    def taken(self, what: str) -> Recording:
        return Recording.taken(self.page.evaluate("what => window.hearing.taken(what)", what))
