"""People of the demo city on their phones, called by their badge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from groups.vocabulary import Refusal
from loadtest.identity import Identity
from loadtest.phone import PhoneFailed
from signaling.messages import Receipt
from tests.support.city import NODES, City, running_city
from tests.support.handsets import WAIT_S, Handset, Handsets


@contextmanager
def city_of_links(links: Path, env: dict[str, str] | None = None, nodes: int = NODES) -> Iterator[City]:
    """A demo city whose people find their links in this file."""
    with running_city(links.parent / "data", "--links", str(links), env=env, nodes=nodes) as made:
        end = time.monotonic() + 10
        while not links.exists() and time.monotonic() < end:
            time.sleep(0.05)  # the server is ready before its people have their links
        yield made


AGAIN_S = 0.5
"""A page asks again so late; sooner it would be too fast."""


async def says(phone: Handset, receipt: Receipt) -> None:
    """Says a receipt as a page does: again, while neither SQL nor the disk takes it in time."""
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                await phone.request(receipt)
                return
            except PhoneFailed as failed:
                if failed.code is not Refusal.UNAVAILABLE:
                    raise
            await asyncio.sleep(AGAIN_S)


@dataclass
class Cast:
    city: City
    street: Handsets

    def id(self, badge: str) -> str:
        return next(p["id"] for p in self.city.get("/api/v1/demo/people") if p["badge"] == badge)

    def identities(self, *badges: str) -> list[Identity]:
        """Of people by badge, whatever groups other tests have made."""
        return [self.street.identity(self.id(badge)) for badge in badges]

    async def phone(self, badge: str, slots: int = 2) -> Handset:
        user = self.id(badge)
        return await self.street.connect(next(i for i in self.street.identities if i.user == user), slots)

    async def phones(self, *badges: str) -> list[Handset]:
        return [await self.phone(badge) for badge in badges]

    def token(self, badge: str) -> str:
        """An access token, as the demo gives it."""
        return str(self.city.post(f"/api/v1/demo/people/{self.id(badge)}/step-in")["access_token"])

    def enrolled(self, badge: str, device: str) -> Identity:
        """Signed in on a device of his own, by a link of the administrator's."""
        user = self.id(badge)
        link = self.city.post(f"/api/v1/people/{user}/enrolments", {}, self.token("XT-001"))
        signed = self.city.post("/api/v1/auth/enrol", {"code": link["code"], "device": device})
        return Identity(user=user, token=signed["access_token"])

    @staticmethod
    def group(phone: Handset, name: str) -> str:
        assert phone.welcome is not None
        return next(group.id for group in phone.welcome.groups if group.name == name)
