"""Exports outlive who makes them: any node tells of them, gives them out, and makes what another can make no more."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from groups.vocabulary import BurstEnd, UserId
from poc_server.api import Services
from poc_server.recording.exporting import exports as ordering
from poc_server.recording.exporting.exports import Wish
from poc_server.recording.recordings import Recordings
from poc_server.recording.settings import RecordingSettings
from poc_server.store import BurstRecord, Journal, audit_pages
from poc_server.store import tables as t
from poc_server.store.audit_pages import AuditFilter
from poc_server.store.ids import now_ms
from poc_server.store.records import exports
from poc_server.store.records.exports import Export, Outcome
from poc_server.store.records.recordings import Scope, Search
from poc_server.store.settings import JournalSettings
from tests.fixtures.api import api_of
from tests.recording.exporter import Exporter, exporter, spoken_and_signed, verify
from tests.recording.town_with_voices import INCIDENT, Voices, store_settings, voices

pytestmark = pytest.mark.wire
__all__ = ["exporter", "store_settings", "voices"]


async def node(voices: Voices, name: str, data: Path) -> Recordings:
    """The recording of another node of the same city."""
    return await Recordings.open(RecordingSettings(warn_free_bytes=0), data, voices.store, name, now_ms)


def as_kept(order: Wish) -> str:
    return ordering.wishes.dump_json(order).decode()


def wish(exporter: Exporter) -> Wish:
    """His order of all that was said in the group."""
    scope = Scope(UserId(exporter.user), whole=frozenset([exporter.voices.group]))
    agency = exporter.voices.town.agency
    return Wish(scope.user, agency, "值班长", scope, Search(group=exporter.voices.group), "", mp3=False)


async def test_what_one_node_makes_the_other_tells_and_gives_out(
    voices: Voices, exporter: Exporter, tmp_path: Path
) -> None:
    await spoken_and_signed(voices)
    other = await node(voices, "n2", tmp_path / "data")
    api = api_of(Services(voices.store, voices.town.auth, recordings=other))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(api, client=("192.0.2.1", 1)), base_url="http://test/api/v1"
    ) as client:
        there = Exporter(replace(voices, client=client, recordings=other), exporter.headers)
        made = await exporter.made(search={"incident": INCIDENT})
        assert (await client.get("/exports", headers=there.headers)).json() == [made]
        fetched = await client.get(f"/exports/{made['id']}/file", headers=there.headers)
        assert len(zipfile.ZipFile(io.BytesIO(fetched.content)).namelist()) > 10
        # One that the other was making when it was killed, with what its worker had done of it.
        left = Export(
            "ex-left", voices.town.agency, UserId(exporter.user), "n2", "", now_ms(), wish=as_kept(wish(exporter))
        )
        async with voices.store.writing() as connection:
            assert await exports.begin(connection, left, 20)
        (tmp_path / "data" / "exports" / ".ex-left.zip.77").write_bytes(b"half")
        state = (await voices.client.get("/exports/ex-left", headers=exporter.headers)).json()["state"]
        assert state == "making"
        assert (await client.get("/exports/ex-left/file", headers=there.headers)).status_code == 409
    await other.aclose()
    again = await node(voices, "n2", tmp_path / "data")
    assert (await exporter.finished("ex-left"))["state"] == "ready"
    assert list((tmp_path / "data" / "exports").glob(".*")) == []
    await again.aclose()
    assert (await voices.client.get(f"/exports/{made['id']}/file", headers=exporter.headers)).status_code == 200
    voices.recordings.exports.path(left).with_name(f"{made['id']}.zip").unlink()
    assert (await voices.client.get(f"/exports/{made['id']}/file", headers=exporter.headers)).status_code == 404
    await voices.store.journal.drain()
    async with voices.store.reading() as connection:
        for action, times in (("export.order", 1), ("export.fetch", 2)):
            asked = AuditFilter(voices.town.agency, action=action)
            rows = (await audit_pages.page(connection, asked)).rows
            assert [(row.actor_id, row.target_id) for row in rows] == [(exporter.user, made["id"])] * times


async def test_an_export_whose_time_is_over_is_gone_without_another_being_made(
    voices: Voices, exporter: Exporter
) -> None:
    await voices.say()
    exporting = voices.recordings.exports
    exporting.kept_s = 0.0
    made = await exporting.order(wish(exporter))
    assert made is not None
    await asyncio.wait_for(asyncio.gather(*exporting._making.values()), 120)
    assert (exporting.path(made).exists(), await exporting.of(UserId(exporter.user))) == (True, [])
    for path in (f"/exports/{made.id}", f"/exports/{made.id}/file"):
        assert (await voices.client.get(path, headers=exporter.headers)).status_code == 404
    assert (await voices.client.get("/exports", headers=exporter.headers)).json() == []
    await exporting.sweep()
    assert list(exporting.path(made).parent.iterdir()) == []
    async with voices.store.reading() as connection:
        assert (await connection.execute(select(t.export))).all() == []


async def test_a_worker_that_is_killed_in_an_export_makes_it_again(
    voices: Voices, exporter: Exporter, tmp_path: Path
) -> None:
    await spoken_and_signed(voices)
    worker, killed = voices.recordings.worker, []
    run = worker.run

    async def run_and_kill(job: str, **values: Any) -> dict[str, Any]:
        """The real worker, killed when it has begun."""
        await run("remove", paths=[str(tmp_path / "nothing")])  # it is there, also after its death before
        asked = asyncio.ensure_future(run(job, **values))
        if job == "export" and len(killed) < kills:
            assert worker.pid is not None
            half = Path(values["wanted"]).with_name(f".{Path(values['wanted']).name}.{worker.pid}")
            half.parent.mkdir(exist_ok=True)
            half.write_bytes(b"half")
            killed.append(worker.pid)
            os.kill(worker.pid, signal.SIGKILL)
        return await asked

    voices.recordings.exports._worker = SimpleNamespace(run=run_and_kill)
    kills = 1
    folder = await exporter.unpacked(tmp_path / "out", search={"incident": INCIDENT})
    assert (verify(folder)[0], len(killed)) == (0, 1)
    killed.clear()
    kills = 2
    assert (await exporter.made(search={"incident": INCIDENT}))["detail"] == "the worker died"
    assert [path.suffix for path in (tmp_path / "data" / "exports").iterdir()] == [".zip"], "the first one's"


async def test_an_export_whose_node_sleeps_is_made_by_another_and_not_published_twice(
    voices: Voices, exporter: Exporter, tmp_path: Path
) -> None:
    keys = await spoken_and_signed(voices)
    asleep, awake = asyncio.Event(), asyncio.Event()
    run = voices.recordings.worker.run

    async def run_and_sleep(job: str, **values: Any) -> dict[str, Any]:
        """The real worker; its node sleeps when the ZIP stands and is to be signed."""
        if job == "add_signature":
            asleep.set()
            await awake.wait()
        return await run(job, **values)

    voices.recordings.exports._worker = SimpleNamespace(run=run_and_sleep)
    other = await node(voices, "n2", tmp_path / "data")
    ordered = (await exporter.order(search={"group": voices.group})).json()["id"]
    (sleeping,) = voices.recordings.exports._making.values()
    await asyncio.wait_for(asleep.wait(), 120)
    other.exports._unheard._within_s = 0.0
    await other.exports.take_over()
    made = await exporter.finished(ordered)
    folder = await exporter.fetched(ordered, tmp_path / "first")
    awake.set()
    await asyncio.wait_for(sleeping, 120)
    assert (made["state"], made["recordings"], await exporter.finished(ordered)) == ("ready", len(keys), made)
    assert [path.name for path in (tmp_path / "data" / "exports").iterdir()] == [f"{ordered}.1.zip"]
    published = await other.exports.find(ordered, UserId(exporter.user))
    assert published is not None
    outcome = Outcome(published.state, published.recordings, published.size)
    async with voices.store.writing() as connection:
        for fence, mine in ((1, True), (1, True), (0, False)):
            assert await exports.end(connection, replace(published, fence=fence), outcome, now_ms() + 60_000) is mine
    again = await exporter.fetched(ordered, tmp_path / "second")
    assert (verify(folder)[0], verify(again)[0]) == (0, 0)
    await other.aclose()


async def test_an_export_whose_node_is_stopped_is_made_by_another(
    voices: Voices, exporter: Exporter, tmp_path: Path
) -> None:
    keys = await spoken_and_signed(voices)
    other = await node(voices, "n2", tmp_path / "data")
    begun = asyncio.Event()

    async def never(job: str, **values: Any) -> dict[str, Any]:
        begun.set()
        await asyncio.Event().wait()
        return {}

    other.exports._worker = SimpleNamespace(run=never)
    ordered = await other.exports.order(wish(exporter))
    assert ordered is not None
    await asyncio.wait_for(begun.wait(), 120)
    await voices.recordings.exports.take_over()
    assert voices.recordings.exports._making == {}, "it is being made"
    await other.aclose()
    await voices.recordings.exports.take_over()
    assert (await exporter.finished(ordered.id))["recordings"] == len(keys)


async def test_an_export_over_which_every_node_ends_is_given_up(voices: Voices, exporter: Exporter) -> None:
    for fence, order in ((ordering.MOST_TAKEN_OVER, as_kept(wish(exporter))), (0, "")):
        left = Export(f"ex-{fence}", voices.town.agency, UserId(exporter.user), "n9", "", 1, wish=order, fence=fence)
        async with voices.store.writing() as connection:
            assert await exports.begin(connection, left, 20)
            await exports.alive(connection, {left.id: fence}, exports.LET_GO_MS)
    await voices.recordings.exports.take_over()
    for left_id in (f"ex-{ordering.MOST_TAKEN_OVER}", "ex-0"):
        made = await exporter.finished(left_id)
        assert (made["state"], made["detail"]) == ("failed", exports.LOST)


async def test_what_belongs_to_an_export_is_judged_by_the_chain_and_by_no_clock(
    voices: Voices, exporter: Exporter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was said before the clock was set back is in it, what a node keeps later, half a minute slow, is not."""
    key = await voices.say(incident=INCIDENT)
    hour = 3_600_000
    monkeypatch.setattr(voices.store, "clock", lambda: now_ms() - hour)
    slow = Journal(tmp_path / "n2", voices.store.database, JournalSettings(), lambda: now_ms() - hour - 30_000)
    await voices.recordings.notary.aclose()
    run = voices.recordings.worker.run

    async def run_later(job: str, **values: Any) -> dict[str, Any]:
        """The real worker, which begins when the other node has kept something more."""
        if job == "export":
            at_ms = now_ms()
            slow.append(
                BurstRecord(
                    id=at_ms,
                    group=voices.group,
                    agency=voices.town.agency,
                    user=voices.officer,
                    user_name="王建国",
                    node="n2",
                    started_ms=at_ms,
                    ended_ms=at_ms,
                    end=BurstEnd.RELEASED,
                    incident=INCIDENT,
                )
            )
            assert await slow.drain() == 1
        return await run(job, **values)

    voices.recordings.exports._worker = SimpleNamespace(run=run_later)
    folder = await exporter.unpacked(tmp_path / "out", search={"incident": INCIDENT})
    assert [one["id"] for one in json.loads((folder / "index.json").read_text("utf-8"))["recordings"]] == [key]
    assert verify(folder) == (0, "1 entries, 1 signed heads, 0 findings\n")
    await slow.aclose()
