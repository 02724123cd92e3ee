"""What 10,000 cases at one moment do to a node: ``python -m tools.bench.many_incidents [--incidents N] [--members N]``.

The bridge itself, on SQLite, without HTTP: all news are handed over in one turn of the loop, and some more than may
wait. Prints how many were refused, how long until the last was open, how long the loop was held meanwhile (voice shares
it), and what is in the directory in the end. ``build/many_incidents.json``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path

from gateway.incidents.document import read_document
from groups.vocabulary import GroupKind, IncidentCode, Refusal, Role
from poc_server.bridge.bridge import Bridge
from poc_server.bridge.settings import BridgeSettings
from poc_server.bridge.setup import Setup
from poc_server.ground.refused import Refused
from poc_server.store import Store, StoreSettings
from poc_server.store.city import people, units
from poc_server.store.city.people import UserDraft
from tests.gateway.told import Told

BEYOND = 100
PEOPLE = 500
LOOK_S = 0.001


async def measured(folder: Path, incidents: int, members: int) -> dict[str, float]:
    """The figures."""
    store = await Store.open(StoreSettings(), folder)
    async with store.change() as change:
        agency = await units.create_agency(change, "江城")
        unit = await units.create_unit(change, agency, None, "市")
        made = [UserDraft(agency, unit, f"队员{n}", frozenset({Role.OFFICER})) for n in range(PEOPLE)]
        users = [await people.create_user(change, draft) for draft in made]
    settings = BridgeSettings()
    bridge = Bridge(Setup(), store, Told(), settings.batch, incidents)
    bridge.start()
    bridge.open.set()
    held: list[float] = []

    def crew(number: int) -> list[dict[str, str]]:
        return [{"kind": "user", "id": users[(number * members + at) % PEOPLE]} for at in range(members)]

    told = [
        read_document({"title": "暴露垃圾", "parties": crew(number), "version": 1})
        for number in range(incidents + BEYOND)
    ]

    async def tell(number: int) -> Refusal | None:
        try:
            await bridge.news(agency, IncidentCode(f"C{number}"), told[number])
        except Refused as problem:
            return problem.code
        return None

    begin = time.monotonic()
    everything = asyncio.gather(*(tell(number) for number in range(incidents + BEYOND)))
    await asyncio.sleep(0)  # all are handed over in this turn, which no real sender could do
    looking = asyncio.create_task(_look(held))
    answers = await everything
    took = time.monotonic() - begin
    looking.cancel()
    refused = [number for number, answer in enumerate(answers) if answer is not None]
    assert {answers[number] for number in refused} <= {Refusal.TOO_FAST}
    again = await asyncio.gather(*(tell(number) for number in refused))
    assert not any(again)
    groups = store.directory.snapshot.groups.values()
    found = {
        "incidents": incidents,
        "members": members,
        "refused": len(refused),
        "opened_s": round(took, 1),
        "each_ms": round(took / incidents * 1000, 2),
        "loop_held_p95_ms": round(sorted(held)[int(len(held) * 0.95)] * 1000, 1),
        "loop_held_longest_ms": round(max(held) * 1000, 1),
        "groups": sum(group.kind is GroupKind.INCIDENT for group in groups),
    }
    await bridge.aclose()
    await store.aclose()
    return found


async def _look(held: list[float]) -> None:
    """How much later than asked for the loop comes round."""
    while True:
        before = time.monotonic()
        await asyncio.sleep(LOOK_S)
        held.append(time.monotonic() - before - LOOK_S)


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--incidents", type=int, default=10_000)
    options.add_argument("--members", type=int, default=10)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measured(Path(folder), asked.incidents, asked.members))
    out = Path(os.environ.get("BUILD", "build"))
    out.mkdir(parents=True, exist_ok=True)
    (out / "many_incidents.json").write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
