"""Administrators at their page in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

PATIENCE_MS = 30_000


def page(browser: Browser, width: int, height: int) -> Page:
    context = browser.new_context(viewport={"width": width, "height": height}, locale="en-GB")
    context.add_init_script("localStorage.setItem('poc.language', 'en')")
    context.set_default_timeout(PATIENCE_MS)
    made = context.new_page()
    made.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    return made


def enrolled(browser: Browser, link: str, width: int = 1440, height: int = 900) -> Page:
    made = page(browser, width, height)
    made.goto(link)
    made.get_by_role("button", name="Set up here").click()
    made.get_by_role("link", name="Begin").click()
    made.locator(".admin nav button").first.wait_for()
    return made


def tab(admin: Page, name: str) -> None:
    admin.locator(".admin nav").get_by_role("button", name=name, exact=True).click()


def create(admin: Page, new: str, **fields: str) -> None:
    admin.get_by_role("button", name=new, exact=True).click()
    for name, text in fields.items():
        field = admin.locator(f".editor [name={name}]")
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(label=text)
        else:
            field.fill(text)
    admin.get_by_role("button", name="Create").click()
    admin.locator(".editor .danger").wait_for()  # it is made, and what was made is open
