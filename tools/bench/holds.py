"""How long each question to the HTTP interface holds up voice: `python -m tools.bench.holds [people]`; JSON.

A demo city of 20,000, 40 shifts of 500 that run, a group of 5,000 that comes and goes, tables out and back in. Of each
question the longest hold, in CPU of the loop's thread; what a console or an administrator asks must stay below 20 ms.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from loadtest.server import started

SETTLED_S = 0.5
"""What a change sets in motion is over by then."""
DISPATCHER, SYSTEM, SECURITY, AUDIT = "PQ-002", "XT-001", "AQ-001", "SJ-001"
SHIFTS, IN_A_SHIFT, IN_THE_GROUP = 40, 500, 5_000
READ = (
    *((DISPATCHER, path) for path in ("presence", "presence/news", "places", "places/news", "shifts", "shifts/now")),
    *((DISPATCHER, path) for path in ("groups", "units", "cells", "incidents", "alerts", "broadcasts", "recordings")),
    *((SYSTEM, f"people?limit=200{query}") for query in ("", "&q=zhang", "&q=nobody")),
    *((SYSTEM, f"sheets/{kind}") for kind in ("people", "members", "groups", "units", "cells", "duty")),
    *((SECURITY, path) for path in ("sheets/roles", "sessions?limit=200", "devices?limit=200")),
    *((AUDIT, path) for path in ("audit?limit=200", "audit?who=zhang", "audit/check")),
)


class Asking:
    """Asks one question after the other, and reads of each what held the loop meanwhile."""

    def __init__(self, client: httpx.AsyncClient, held: Path) -> None:
        self._client, self._held = client, held
        self.found: dict[str, float] = {}

    async def ask(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """The answer, which is no refusal."""
        began = time.time()
        answer = (await self._client.request(method, path, **sent)).raise_for_status()
        await asyncio.sleep(SETTLED_S)
        lines = map(json.loads, self._held.read_text("utf-8").splitlines())
        self.found[f"{method} {path}"[:60]] = max((each["held_ms"] for each in lines if each["at"] >= began), default=0)
        return answer


async def main(people: int) -> dict[str, Any]:
    """Every question, the longest hold first."""
    with tempfile.TemporaryDirectory() as folder:
        held = Path(folder, "held.jsonl")
        command = (sys.executable, "-m", "tools.bench.held")
        async with started(people, command=command, env={"HELD_IN": str(held)}) as target:
            api = target.url.replace("ws://", "http://").removesuffix("/ws") + "/api/v1/"
            async with httpx.AsyncClient(base_url=api, timeout=300.0, trust_env=False) as client:
                asking = Asking(client, held)
                await _ask_all(asking, client)
    return {"people": people, "held_ms": dict(sorted(asking.found.items(), key=lambda each: -each[1]))}


async def _ask_all(asking: Asking, client: httpx.AsyncClient) -> None:
    everybody = (await client.get("demo/people")).json()
    ids = [each["id"] for each in everybody]
    tokens = {}
    for badge in (DISPATCHER, SYSTEM, SECURITY, AUDIT):
        own = next(each["id"] for each in everybody if each["badge"] == badge)
        signed = (await client.post(f"demo/people/{own}/step-in")).json()
        tokens[badge] = {"Authorization": f"Bearer {signed['access_token']}"}
    admin = tokens[SYSTEM]
    unit = next(each["id"] for each in (await client.get("units", headers=admin)).json() if each["parent"] is None)
    now = round(time.time() * 1000)
    for number in range(SHIFTS):
        some = ids[number * IN_A_SHIFT : (number + 1) * IN_A_SHIFT]
        shift = {"unit": unit, "name": f"{number}", "starts_ms": now - 1, "ends_ms": now + 36_000_000, "users": some}
        await asking.ask("POST", "shifts", json=shift, headers=admin)
    await asking.ask("GET", "openapi.json")
    for badge, path in READ:
        await asking.ask("GET", path, headers=tokens[badge])
    for kind in ("groups", "duty", "cells"):
        table = (await client.get(f"sheets/{kind}", headers=admin)).content
        await asking.ask("POST", f"sheets/{kind}", content=table, headers=admin)
    body = {"name": "大组", "unit": unit, "kind": "chat"}
    group = (await asking.ask("POST", "groups", json=body, headers=admin)).json()["id"]
    for first in range(0, IN_THE_GROUP, 1_000):
        await asking.ask("POST", f"groups/{group}/members", json={"users": ids[first : first + 1_000]}, headers=admin)
    await asking.ask("GET", f"groups/{group}/members", headers=admin)
    await asking.ask("DELETE", f"groups/{group}", headers={**admin, "If-Match": "*"})


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)), indent=1))
