"""People of the demo city on their phones, called by their badge."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.city import City, running_city
from tests.support.handsets import Handset, Handsets


@contextmanager
def city_of_links(links: Path, env: dict[str, str] | None = None) -> Iterator[City]:
    """A demo city whose people find their links in this file."""
    with running_city(links.parent / "data", "--links", str(links), env=env) as made:
        end = time.monotonic() + 10
        while not links.exists() and time.monotonic() < end:
            time.sleep(0.05)  # the server is ready before its people have their links
        yield made


@dataclass
class Cast:
    city: City
    street: Handsets

    def id(self, badge: str) -> str:
        return next(p["id"] for p in self.city.get("/api/v1/demo/people") if p["badge"] == badge)

    async def phone(self, badge: str, slots: int = 2) -> Handset:
        user = self.id(badge)
        return await self.street.connect(next(i for i in self.street.identities if i.user == user), slots)

    async def phones(self, *badges: str) -> list[Handset]:
        return [await self.phone(badge) for badge in badges]

    @staticmethod
    def group(phone: Handset, name: str) -> str:
        assert phone.welcome is not None
        return next(group.id for group in phone.welcome.groups if group.name == name)
