"""A town whose people have said things: recordings made the real way, and an API over them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import pytest

from gateway.incidents.incident_state import new_incident
from groups.model import Membership
from groups.vocabulary import AgencyId, BurstEnd, BurstId, GroupId, IncidentCode, Role, UserId
from poc_server.api import Services
from poc_server.ground.chain import SignedHead
from poc_server.recording.model import Place, RecordedBurst
from poc_server.recording.recordings import Recordings
from poc_server.recording.settings import RecordingSettings
from poc_server.recording.spooling.recorder import RecorderTap
from poc_server.store import BurstRecord, Store, StoreSettings
from poc_server.store.bridge import incidents
from poc_server.store.city import groups
from poc_server.store.city.groups import GroupDraft
from poc_server.store.ids import now_ms
from poc_server.store.records import evidence
from tests.fixtures.api import api_of
from tests.fixtures.people import Town
from tests.recording.voices import spoken


@dataclass
class Voices:
    """The town, its group, its people; ``client`` speaks to the API."""

    town: Town
    recordings: Recordings
    client: httpx.AsyncClient
    group: GroupId
    officer: UserId
    colleague: UserId

    @property
    def store(self) -> Store:
        return self.town.store

    async def say(
        self,
        *,
        frames: int = 25,
        by: UserId | None = None,
        group: GroupId | None = None,
        at_ms: int | None = None,
        **more: object,
    ) -> str:
        """One burst, recorded; returns its key when it stands in SQL."""
        before = self.recordings.finisher.finished
        tap = self.speak(frames=frames, by=by, group=group, at_ms=at_ms, **more)
        tap.end(BurstEnd.RELEASED)
        while self.recordings.finisher.finished == before:
            self.recordings.recorder.flush()
            await self.recordings.finisher.drained()
        await self.store.journal.drain()
        return key_of(tap)

    def speak(
        self,
        *,
        frames: int = 25,
        by: UserId | None = None,
        group: GroupId | None = None,
        at_ms: int | None = None,
        on: Recordings | None = None,
        **more: object,
    ) -> RecorderTap:
        """One burst that is on air still, ``on`` this node or another one."""
        at_ms = now_ms() if at_ms is None else at_ms
        meta = RecordedBurst(
            AgencyId(self.town.agency),
            group or self.group,
            BurstId(at_ms),
            by or self.officer,
            "王建国",
            "n1",
            at_ms,
        )
        tap = (on or self.recordings).recorder.begin(replace(meta, **more))  # type: ignore[arg-type]
        for packet in spoken(frames, at_ms=at_ms):
            tap.voice(packet)
        return tap

    async def as_user(self, user: UserId) -> dict[str, str]:
        """Headers of a signed-in user."""
        signed = await self.town.auth.start_session(user, "demo", "192.0.2.1")
        return {"authorization": f"Bearer {signed.access_token}"}

    async def join(self, group: GroupId, *users: UserId) -> None:
        async with self.store.change() as change:
            await groups.set_members(change, group, [Membership(group, user) for user in users])

    async def leave(self, group: GroupId, user: UserId) -> None:
        async with self.store.change() as change:
            await groups.remove_members(change, group, [user])

    async def case(self, code: IncidentCode) -> None:
        """An incident to which the group is tied."""
        state = replace(new_incident(code), groups=frozenset({self.group}))
        async with self.store.writing() as connection:
            await incidents.save_many(connection, self.town.agency, [state], [], now_ms(), None)
            await incidents.save_links(connection, self.town.agency, state)

    async def head_of(self, group: GroupId) -> list[SignedHead]:
        """The newest signed head of a group, if there is one."""
        async with self.store.reading() as connection:
            return await evidence.newest_heads(connection, [group])

    async def new_group(self, name: str, *users: UserId) -> GroupId:
        async with self.store.change() as change:
            made = await groups.create_group(change, GroupDraft(self.town.agency, self.town.unit, name))
        await self.join(made, *users)
        return made


def key_of(tap: RecorderTap) -> str:
    """What the recording of this burst is called, or will be."""
    meta = tap.meta
    record = BurstRecord(
        id=int(meta.burst),
        group=meta.group,
        agency=meta.agency,
        user=meta.talker,
        user_name=meta.talker_name,
        node=meta.node,
        started_ms=meta.started_ms,
        ended_ms=meta.started_ms,
        end=BurstEnd.RELEASED,
        from_ms=meta.from_ms,
    )
    return record.key


PLACE = Place(121.47, 31.23, "device", 700, accuracy_m=9.0)
INCIDENT = IncidentCode("E01022025101000001")


@pytest.fixture
def store_settings() -> StoreSettings:
    """SQLite alone, for modules that import it; what both databases must agree on stands in those that do not."""
    return StoreSettings()


@pytest.fixture
async def voices(town: Town, tmp_path: Path) -> AsyncIterator[Voices]:
    settings = RecordingSettings(warn_free_bytes=0, sign_every_s=0.05)
    recordings = await Recordings.open(settings, tmp_path / "data", town.store, "n1", now_ms)
    app = api_of(Services(town.store, town.auth, recordings=recordings))
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("192.0.2.1", 1))
    officer = await town.person(name="王建国")
    colleague = await town.person(name="李芳")
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as client:
        made = Voices(town, recordings, client, GroupId(""), officer, colleague)
        made.group = await made.new_group("市容一组", officer, colleague)
        yield made
    await recordings.aclose()


async def dispatcher(voices: Voices) -> dict[str, str]:
    return await voices.as_user(await voices.town.person(Role.DISPATCHER, name="赵敏"))


async def ids(voices: Voices, headers: dict[str, str], **asked: object) -> list[str]:
    answer = await voices.client.get("/recordings", headers=headers, params=asked)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["recordings"]]
