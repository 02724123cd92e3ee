"""What belongs to an event at the moment it is sent: the incident, a link to the recording, the audio itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from pydantic import JsonValue

from gateway.delivery.events import Event
from gateway.delivery.outbound import Materials
from gateway.incidents.incident import facts_of
from groups.vocabulary import AgencyId, GroupId, IncidentCode, UserId
from poc_server.bridge.links import Links
from poc_server.ground.chain import head_to_json
from poc_server.store import Store
from poc_server.store.bridge import incidents
from poc_server.store.bridge.incident_bursts import Recording, recording
from poc_server.store.records import evidence

MAX_AUDIO_BYTES = 20_000_000
"""A larger recording is told by its link alone."""


class Gatherer:
    """`gateway.delivery.courier.MaterialsPort` of this process.

    Args:
        recordings: folder of the recordings' files.
        here: whether that folder stands there just now; may block.
    """

    def __init__(self, store: Store, links: Links, recordings: Path, here: Callable[[], bool] = lambda: True) -> None:
        self._store, self._links, self._recordings, self._here = store, links, recordings, here

    async def gather(self, event: Event, audio: bool) -> Materials | None:
        """None while the recording is not to be had: not yet, or while its disk is not mounted.

        Raises FileNotFoundError when its audio is wanted and gone: an event is not sent without the voice it tells of.
        """
        async with self._store.reading() as connection:
            state = await incidents.find(connection, AgencyId(event.agency), IncidentCode(event.incident))
            found = await recording(connection, event.recording) if event.recording else None
            groups = {incidents.group_of(AgencyId(event.agency), IncidentCode(event.incident))}
            groups |= state.groups if state is not None else set()
            groups |= {GroupId(said)} if isinstance(said := event.data.get("group"), str) else set()
            heads: list[JsonValue] = [head_to_json(head) for head in await evidence.newest_heads(connection, groups)]
        facts: dict[str, JsonValue] = {"code": event.incident}
        if state is not None:
            facts = {**facts_of(state.incident), "members": [*sorted(state.members)], "address_state": state.address}
        people = self._people(event)
        if found is None or not found.file:
            return Materials(facts, people=people, photo=self._photo(event), evidence=heads)
        try:
            content = await asyncio.to_thread(self._read, found) if audio else None
        except FileNotFoundError:
            if await asyncio.to_thread(self._here):
                raise
            return None
        except OSError:
            return None
        return Materials(facts, self._told(found), content, people, evidence=heads)

    def _photo(self, event: Event) -> dict[str, JsonValue] | None:
        key = event.data.get("photo")
        if not isinstance(key, str):
            return None
        url, expires = self._links.photo(key, self._store.clock())
        told: dict[str, JsonValue] = {"url": url, "expires_ms": expires}
        return told | {name: event.data.get(name) for name in ("media_type", "size", "sha256")}

    def _people(self, event: Event) -> dict[str, JsonValue]:
        users = self._store.directory.snapshot.users
        named: list[JsonValue] = [event.data.get("user")]
        for key in ("joined", "left"):
            several = event.data.get(key)
            named += several if isinstance(several, list) else []
        found = (users.get(UserId(each)) for each in named if isinstance(each, str))
        return {user.id: {"name": user.name, "badge": user.badge} for user in found if user is not None}

    def _told(self, found: Recording) -> dict[str, JsonValue]:
        url, expires = self._links.recording(found.key, self._store.clock())
        return {
            "url": url,
            "expires_ms": expires,
            "media_type": "audio/ogg; codecs=opus",
            "started_ms": found.started_ms,
            "ended_ms": found.ended_ms,
            "duration_ms": found.duration_ms,
            "size": found.size,
            "sha256": found.sha256,
        }

    def _read(self, found: Recording) -> bytes | None:
        path = (self._recordings / found.file).resolve()
        if found.size > MAX_AUDIO_BYTES or not path.is_relative_to(self._recordings.resolve()):
            return None
        return path.read_bytes()
