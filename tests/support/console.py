"""A dispatcher at the console in a real browser."""

from __future__ import annotations

from playwright.sync_api import Browser, Locator, Page

from tests.support.city import City
from tests.support.officer import CONNECTED_MS


class Console:
    """The console of the demo's person with this badge, once its voice path is connected; ``init`` runs before it."""

    def __init__(self, browser: Browser, city: City, badge: str, init: str = "") -> None:
        self.user = next(p for p in city.get("/api/v1/demo/people") if p["badge"] == badge)
        self.context = browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True, locale="en-GB")
        self.context.add_init_script(init)
        self.page: Page = self.context.new_page()
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.goto(f"{city.url}/console?as={self.user['id']}", timeout=CONNECTED_MS)
        self._connected()

    def load_anew(self) -> None:
        """The same page once more, until its voice path is connected again."""
        self.page.reload(timeout=CONNECTED_MS)
        self._connected()

    def _connected(self) -> None:
        self.page.wait_for_function(
            "window.__poc && window.__poc.events.some(e => e.name === 'media' && e.state === 'connected')",
            timeout=CONNECTED_MS,
        )

    def channel(self, name: str) -> Locator:
        """The card of a channel on the wall."""
        return self.page.locator(".channel", has=self.page.get_by_role("button", name=name, exact=True))

    def key(self, *keys: str) -> None:
        """Press keys one after the other."""
        for each in keys:
            self.page.keyboard.press(each)

    def first_voice_of(self, user: str, after: float = 0) -> float:
        """When the first packet of this talker (of a burst that began ``after``) was played, ms since the epoch."""
        found = self.page.wait_for_function(
            """([user, after]) => {
                const slot = window.__poc.events.find(e => e.name === 'slot' && e.by?.id === user
                    && e.t + performance.timeOrigin > after);
                const voice = slot && window.__poc.events.find(e => e.name === 'first_voice' && e.burst === slot.burst);
                return voice && voice.at + performance.timeOrigin;
            }""",
            arg=[user, after],
        )
        return float(found.json_value())
