"""People of the demo city on their phones, called by their badge."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support.city import City
from tests.support.handsets import Handset, Handsets


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
