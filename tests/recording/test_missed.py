"""Who is told what he missed, and when: one is away while no phone of his is here, and nothing is told twice."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from groups.vocabulary import BurstEnd, UserId
from poc_server.neighbours.known.far_phone import FarPhone
from poc_server.recording import recordings
from poc_server.recording.layout import SPOOL_SUFFIX
from poc_server.recording.replaying import missed as missing
from poc_server.recording.replaying.missed import MissedVoice
from poc_server.recording.spooling.spools import SpoolFolders
from poc_server.store import StoreSettings, absence
from poc_server.store import tables as t
from poc_server.store.absence import Away
from poc_server.store.city import groups
from poc_server.store.ids import now_ms
from poc_server.talk.phone import Phone
from poc_server.talk.phones import Phones
from signaling.messages import Missed
from tests.recording.town_with_voices import Voices, voices

pytestmark = pytest.mark.wire
__all__ = ["voices"]
HOUR = 3_600_000


@pytest.fixture
def store_settings() -> StoreSettings:
    return StoreSettings(busy_timeout_ms=50)


class Line:
    """The socket of a phone; what was written to it."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Missed] = asyncio.Queue()

    def send(self, message: Any) -> None:
        self.told.put_nowait(message)


class Desk:
    """The real keeper of absences, and phones that come and go."""

    def __init__(self, voices: Voices) -> None:
        self.phones = Phones()
        self.voices = voices
        self.missed = MissedVoice(voices.store, now_ms, self.phones, voices.recordings.caught_up)

    def come(self, user: UserId, device: str = "a") -> Line:
        found = self.voices.store.directory.user(user)
        assert found is not None
        key = f"{user}/{device}"
        phone = self.phones.get(key) or Phone(key, found, "se", 2)
        line = Line()
        phone.connection = line  # type: ignore[assignment]
        self.phones[key] = phone
        self.missed.came(phone)
        return line

    def go(self, user: UserId, device: str = "a") -> None:
        phone = self.phones[f"{user}/{device}"]
        phone.connection = None
        self.missed.went(phone)

    async def was_here(self, user: UserId, at_ms: int) -> None:
        async with self.voices.store.writing() as connection:
            await absence.seen(connection, {user: at_ms})

    async def last_away(self, user: UserId) -> Away | None:
        async with self.voices.store.reading() as connection:
            return await absence.last_away(connection, user)

    async def all_told(self) -> None:
        async with asyncio.timeout(30):
            while self.missed._untold:  # noqa: ASYNC110 - until nobody waits
                await asyncio.sleep(0.01)


@pytest.fixture
async def desk(voices: Voices, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    for name in ("SETTLE_S", "TOGETHER_S", "NOTE_LEFT_S"):
        monkeypatch.setattr(missing, name, 0.0)
    monkeypatch.setattr(missing, "RETRY_S", 0.02)
    monkeypatch.setattr(missing, "SHORTEST_MS", 0)
    made = Desk(voices)
    made.missed.start()
    yield made
    await made.missed.aclose()


async def told(line: Line) -> Missed:
    return await asyncio.wait_for(line.told.get(), 30)


async def test_who_returns_while_sql_is_away_is_told_when_it_is_back(
    voices: Voices, desk: Desk, tmp_path: Path
) -> None:
    """Also when he is gone again meanwhile, and what is noted in between does not make his absence shorter."""
    user = voices.colleague
    since = now_ms() - HOUR
    await desk.was_here(user, since)
    await voices.say()
    database = sqlite3.connect(tmp_path / "data" / "poc.sqlite", isolation_level=None)
    database.execute("BEGIN IMMEDIATE")
    line = desk.come(user)
    await desk.missed._note()
    desk.go(user)
    again = desk.come(user)
    await asyncio.sleep(0.2)  # it is asked in vain a few times
    assert (line.told.empty(), again.told.empty()) == (True, True)
    database.execute("ROLLBACK")
    database.close()
    await desk.missed._note()
    message = await told(again)
    assert (message.bursts, message.from_ms) == (1, since)
    await desk.all_told()
    assert (line.told.empty(), again.told.empty(), desk.missed.told) == (True, True, 1)
    async with voices.store.reading() as connection:
        seen = await connection.scalar(select(t.absence.c.seen_ms).where(t.absence.c.user_id == user))
    assert seen > since


async def test_what_was_said_a_moment_before_one_is_back_is_told_though_it_is_not_in_sql_yet(
    voices: Voices, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recordings, "CATCH_UP_WITHIN_S", 60.0)
    user = voices.colleague
    await desk.was_here(user, now_ms() - HOUR)
    taps = [voices.speak(at_ms=now_ms() - 5 + number) for number in range(5)]
    for tap in taps:
        tap.end(BurstEnd.RELEASED)
    assert (await told(desk.come(user))).bursts == 5


async def test_what_another_node_has_still_to_finish_is_waited_for_once(
    voices: Voices, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its spool stands in the folder that nodes share; one that is never finished does not keep all who come later."""
    monkeypatch.setattr(recordings, "CATCH_UP_WITHIN_S", 60.0)
    monkeypatch.setattr(recordings, "OTHERS_TO_SQL_S", 0.0)
    others = SpoolFolders.open(tmp_path / "data" / "spool")
    spool = others.own / f"{voices.group}.1-1{SPOOL_SUFFIX}"
    spool.touch()
    os.utime(spool, (1, 1))
    user, said_ms = voices.colleague, now_ms()
    await desk.was_here(user, now_ms() - HOUR)
    line = desk.come(user)
    await voices.say(at_ms=said_ms)
    assert line.told.empty()
    spool.rename(tmp_path / spool.name)
    assert (await told(line)).bursts == 1
    (tmp_path / spool.name).rename(spool)
    while not voices.recordings._slow:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(voices.recordings._others_caught_up(), 0.2)
    await asyncio.wait_for(voices.recordings.caught_up(), 30)
    spool.unlink()
    others.close()
    (tmp_path / "data" / "spool").rename(tmp_path / "gone")
    await asyncio.wait_for(voices.recordings.caught_up(), 30)  # a disk that is gone keeps nobody from being told
    (tmp_path / "gone").rename(tmp_path / "data" / "spool")


async def test_who_was_seen_by_a_clock_that_was_ahead_is_told_when_it_was_set_back(voices: Voices, desk: Desk) -> None:
    await desk.missed.aclose()
    now = now_ms()
    await desk.was_here(voices.colleague, now + HOUR - 60_000)
    await desk.was_here(voices.officer, now + HOUR)
    desk.missed.start()
    await voices.say()
    message = await told(desk.come(voices.colleague))
    assert (message.bursts, now - 60_000 <= message.from_ms < message.until_ms) == (1, True)


async def test_a_note_that_is_made_as_one_returns_does_not_hide_what_he_missed(voices: Voices, desk: Desk) -> None:
    since = now_ms() - HOUR
    await desk.was_here(voices.colleague, since)
    await voices.say()
    line = desk.come(voices.colleague)
    await desk.missed._note()
    assert (await told(line)).from_ms == since


async def test_who_was_here_for_a_moment_only_is_told_of_what_came_after_it_and_not_of_what_he_heard(
    voices: Voices, desk: Desk
) -> None:
    user = voices.colleague
    came = now_ms()
    desk.come(user)
    while now_ms() < came + 60:
        """He is here for so long, in one turn of the loop: too short to be told anything."""
    desk.go(user)
    await voices.say(at_ms=came, frames=1)

    async def noted() -> int | None:
        async with voices.store.reading() as connection:
            return await connection.scalar(select(t.absence.c.seen_ms).where(t.absence.c.user_id == user))

    async with asyncio.timeout(30):
        while await noted() is None:  # noqa: ASYNC110 - SQL tells nobody
            await asyncio.sleep(0.01)
    await voices.say()
    assert (await told(desk.come(user))).bursts == 1


async def test_a_node_says_nothing_of_who_came_back_to_another_one_and_is_not_told_yet(
    voices: Voices, desk: Desk
) -> None:
    since = now_ms() - HOUR
    await desk.was_here(voices.colleague, since)
    found = voices.store.directory.user(voices.colleague)
    assert found is not None
    far = FarPhone("far", found, "se", 2)
    far.connection = Line()  # type: ignore[assignment]
    assert far.away is not None
    desk.phones["far"] = far
    await desk.missed._note()
    async with voices.store.reading() as connection:
        seen = await connection.scalar(select(t.absence.c.seen_ms).where(t.absence.c.user_id == voices.colleague))
    assert seen == since


async def test_a_second_phone_has_missed_nothing_that_the_first_has_heard(voices: Voices, desk: Desk) -> None:
    user = voices.colleague
    since = now_ms() - HOUR
    await desk.was_here(user, since)
    await voices.say()
    first = desk.come(user)
    assert (await told(first)).bursts == 1
    away = await desk.last_away(user)
    assert away is not None
    await voices.say()
    second = desk.come(user, "b")
    desk.go(user)  # the first is put away; the second goes on hearing
    await voices.say()
    first = desk.come(user)
    await desk.all_told()
    assert (first.told.empty(), second.told.empty()) == (True, True)
    assert await desk.last_away(user) == away, "what the first has not played yet is still what he missed"
    desk.go(user)
    desk.go(user, "b")
    left = now_ms()
    await voices.say(at_ms=left + 1)
    message = await told(desk.come(user, "b"))
    assert (message.bursts, message.from_ms >= left - 1_000) == (1, True)


async def test_what_was_missed_in_a_group_that_is_gone_is_told_and_listed_by_its_name(
    voices: Voices, desk: Desk
) -> None:
    user = voices.colleague
    await desk.was_here(user, now_ms() - HOUR)
    group = await voices.new_group("路面塌陷", voices.officer, user)
    key = await voices.say(group=group)
    async with voices.store.change() as change:
        await groups.delete_group(change, group)
    message = await told(desk.come(user))
    assert [(each.group, each.bursts) for each in message.by] == [(group, 1)]
    headers = await voices.as_user(user)
    listed = (await voices.client.get("/missed", headers=headers)).json()["recordings"]
    assert [row["id"] for row in listed] == [key]
