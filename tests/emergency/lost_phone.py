"""A phone is lost while SQL is away."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.error import HTTPError

import pytest

from loadtest.phone import PhoneFailed
from signaling.messages import Bye
from tests.emergency.cast import Cast
from tests.support.handsets import WAIT_S, Handset


class Lost:
    """A device, the phone of a person, and a session, that fell into wrong hands."""

    def __init__(self, cast: Cast, phone: Handset, other: Handset, third: Handset) -> None:
        self.cast, self.phone, self.other, self.third = cast, phone, other, third
        self.system, self.security = cast.token("XT-001"), cast.token("AQ-001")
        self.device = self._device()
        self.session = self._only(f"sessions?user={third.user}", self.security)["id"]

    @classmethod
    async def of(cls, cast: Cast) -> Lost:
        """While all is well."""
        phone = await cast.street.connect(cast.enrolled("BJ-002", "丢失"))
        return cls(cast, phone, await cast.phone("BJ-003"), await cast.phone("BJ-004"))

    async def is_cut_off_without_sql(self) -> None:
        """Found in the lists, disabled, sent away and not let in any more."""
        assert self._device()["id"] == self.device["id"]
        assert self._person()["enabled"]
        done = self.cast.city.post(f"/api/v1/devices/{self.device['id']}/disable", {}, self.security)
        assert (done["enabled"], done["version"]) == (False, None)
        assert not self.cast.city.post(f"/api/v1/people/{self.other.user}/disable", {}, self.system)["enabled"]
        self.cast.city.delete(f"/api/v1/sessions/{self.session}", self.security)
        with pytest.raises(HTTPError, match="503"):
            self.cast.city.delete("/api/v1/sessions/se-nobodys", self.security)
        for phone in (self.phone, self.other, self.third):
            assert (await phone.told(Bye)).reconnect is False
            with pytest.raises(PhoneFailed):
                await self.cast.street.connect(phone.identity)

    async def stays_out_until_it_is_enabled_again(self) -> None:
        """Which waits for SQL; each node believes SQL when its own journal is through."""
        async with asyncio.timeout(WAIT_S):
            while not self._enabled():  # noqa: ASYNC110 - told to nobody
                await asyncio.sleep(0.1)
            while not await self._let_in(self.other):  # noqa: ASYNC110 - told to nobody
                await asyncio.sleep(0.1)
        assert self._device()["enabled"] is False
        for phone in (self.phone, self.third):
            assert not await self._let_in(phone)

    def _enabled(self) -> bool:
        try:
            return bool(self.cast.city.post(f"/api/v1/people/{self.other.user}/enable", {}, self.system)["enabled"])
        except HTTPError as answer:
            if answer.code != 503:
                raise
            return False

    async def _let_in(self, phone: Handset) -> bool:
        try:
            await self.cast.street.connect(phone.identity)
        except PhoneFailed:
            return False
        return True

    def _device(self) -> dict[str, Any]:
        return self._only(f"devices?user={self.phone.user}", self.security)

    def _person(self) -> dict[str, Any]:
        return self._only("people?q=BJ-003", self.system)

    def _only(self, what: str, token: str) -> dict[str, Any]:
        (found,) = self.cast.city.get(f"/api/v1/{what}", token)["items"]
        return dict(found)
