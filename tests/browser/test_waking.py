"""Woken while no page is open: subscribed on the page, sealed by the server, sent to a push service in another process,
shown by the page's service worker; and a touch opens the page where it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.support.chromium import chromium
from tests.support.city import City, running_city
from tests.support.officer import CONNECTED_MS, KEEP_MICROPHONE, Officer
from tests.support.once import once
from tests.support.receiver import Receiver, receiver
from tests.support.subscription import Subscription

pytestmark = pytest.mark.browser

# The one part of the browser that needs the world outside: a service that gives it an endpoint.
SERVICE = """
PushManager.prototype.getSubscription = async () => null;
PushManager.prototype.subscribe = async (asked) => {
    window.asked = {visible: asked.userVisibleOnly, key: new Uint8Array(asked.applicationServerKey).length};
    return {toJSON: () => (%s)};
};
"""
TOUCH = """async (tag) => {
    const [notification] = (await self.registration.getNotifications()).filter((each) => each.tag === tag);
    const done = [], waited = [];
    self.clients.openWindow = async (path) => { done.push(`open ${path}`); };
    self.WindowClient.prototype.focus = async function () { done.push(`focus ${new URL(this.url).pathname}`); };
    const touched = new NotificationEvent('notificationclick', {notification});
    touched.waitUntil = (work) => waited.push(work);
    self.dispatchEvent(touched);
    await Promise.all(waited);
    return {done, left: (await self.registration.getNotifications()).filter((each) => each.tag === tag).length};
}"""
SHOWN = """async () => (await (await navigator.serviceWorker.ready).getNotifications()).map(
    ({title, body, tag, requireInteraction, silent}) => ({title, body, tag, requireInteraction, silent}))"""


@pytest.fixture(scope="module")
def service() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory, service: Receiver) -> Iterator[City]:
    env = {"POC_NOTIFY__PUSH_HOSTS": f'["{service.url}"]'}
    with running_city(tmp_path_factory.mktemp("waking") / "city", env=env, first=True) as made:
        yield made


class Device:
    """A browser of one person: it has subscribed, and its page is closed."""

    def __init__(self, browser: Browser, city: City, badge: str, page: str, endpoint: str) -> None:
        self.city = city
        self.subscription = Subscription(endpoint)
        given = json.dumps({name: self.subscription.given[name] for name in ("endpoint", "keys")})
        self.user = next(p for p in city.get("/api/v1/demo/people") if p["badge"] == badge)
        self.context = browser.new_context(locale="en-GB", bypass_csp=True)
        self.context.add_init_script(KEEP_MICROPHONE + SERVICE % given)
        self.context.grant_permissions(["notifications", "microphone"], origin=city.url)
        # A page that has no connection: the service worker is told by it what a push service would tell the browser.
        self.aside = self.context.new_page()
        self.aside.goto(city.url)
        self.aside.evaluate("navigator.serviceWorker.ready.then(() => undefined)")
        self._service = self.context.new_cdp_session(self.aside)
        registrations: list[dict[str, Any]] = []
        self._service.on("ServiceWorker.workerRegistrationUpdated", lambda m: registrations.extend(m["registrations"]))
        self._service.send("ServiceWorker.enable")
        self._registration = once(self.aside, "service worker", lambda: registrations)[0]["registrationId"]
        opened = self.open(f"/{page}")
        opened.locator('.wake[data-state="on"]:visible').wait_for()
        assert opened.evaluate("window.asked") == {"visible": True, "key": 65}
        opened.close()

    def open(self, path: str) -> Page:
        page = self.context.new_page()
        page.goto(f"{self.city.url}{path}?as={self.user['id']}", timeout=CONNECTED_MS)
        page.wait_for_function(
            "window.__poc && window.__poc.events.some(e => e.name === 'media' && e.state === 'connected')",
            timeout=CONNECTED_MS,
        )
        return page

    def told_of(self, service: Receiver, kind: str) -> str:
        """What the push service was given for this browser of this kind, opened with the browser's own key."""
        path, count = urlsplit(self.subscription.given["endpoint"]).path, 0
        while True:
            for sealed in service.until(path, count + 1)[count:]:
                count += 1
                if self.subscription.opened(sealed)["kind"] == kind:
                    return self.subscription.text(sealed)

    def pushed(self, text: str) -> None:
        """The push service tells the browser."""
        given = {"origin": self.city.url, "registrationId": self._registration, "data": text}
        self._service.send("ServiceWorker.deliverPushMessage", given)

    def shown(self, tag: str) -> dict[str, Any]:
        """The notification with this tag, once it is there."""

        def here() -> list[dict[str, Any]]:
            return [each for each in self.aside.evaluate(SHOWN) if each["tag"] == tag]

        [one] = once(self.aside, f"notification {tag!r}", here)
        return one

    def touched(self, tag: str) -> dict[str, Any]:
        """A person touches it: what the service worker does."""
        [worker] = self.context.service_workers
        return dict(worker.evaluate(TOUCH, tag))


def test_who_has_no_page_open_is_woken_and_a_touch_opens_the_right_one(
    playwright: Playwright, city: City, service: Receiver
) -> None:
    with chromium(playwright) as browser:
        officer = Device(browser, city, "BJ-001", "talk", f"{service.url}/ok/officer")
        desk = Device(browser, city, "PQ-001", "console", f"{service.url}/ok/desk")

        # A broadcast: the page opens where it is read, and it was delivered only then.
        leader = Officer(browser, city, "LD-001", page="leader")
        leader.page.locator("textarea").fill("Everyone to the river gate")
        leader.page.locator(".say form button.primary").click()
        text = officer.told_of(service, "broadcast")
        told = json.loads(text)
        officer.pushed(text)
        shown = officer.shown(told["id"])
        assert (shown["body"], shown["requireInteraction"], shown["silent"]) == (
            "Everyone to the river gate",
            False,
            False,
        )
        assert leader.user["name"] in shown["title"]
        assert officer.touched(told["id"]) == {"done": ["open /talk"], "left": 0}
        page = officer.open("/talk")
        expect(page.locator(".affairs .message")).to_contain_text("river gate")

        # Told again while the page is open (it stood still, say): that page comes forward, no second one.
        officer.pushed(text)
        officer.shown(told["id"])
        assert officer.touched(told["id"]) == {"done": ["focus /talk"], "left": 0}

        # An SOS stays on the screen until somebody touches it, and opens the console with the alert.
        token = page.evaluate("JSON.parse(sessionStorage.getItem('poc.account')).access")
        city.post("/api/v1/alerts", {"alert": "woken", "pressed_ms": 1}, token)
        desk.pushed(desk.told_of(service, "sos"))
        alarm = desk.shown("woken")
        assert alarm["requireInteraction"]
        assert officer.user["name"] in alarm["title"]
        assert desk.touched("woken") == {"done": ["open /console"], "left": 0}
        expect(desk.open("/console").locator(".alert")).to_contain_text(officer.user["name"])

        # Whatever comes, something is shown: a browser takes the right away from who is woken in silence.
        desk.pushed("not what a server says")
        assert desk.shown("")["title"] == "PoC"


def test_a_browser_that_forbids_it_says_so(playwright: Playwright, city: City) -> None:
    with chromium(playwright) as browser:
        officer = Officer(browser, city, "BJ-001", init=KEEP_MICROPHONE + REFUSED)
        officer.page.locator("button.group").click()
        officer.page.locator("button.wake:visible").click()
        expect(officer.page.locator('.wake[data-state="blocked"]:visible')).to_be_visible()


REFUSED = """
Object.defineProperty(Notification, 'permission', {get: () => window.answer ?? 'default'});
Notification.requestPermission = async () => (window.answer = 'denied');
"""
