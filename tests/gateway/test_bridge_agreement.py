"""Two systems that fail in every way they can, and still agree on every incident, member and event."""

from __future__ import annotations

import random
import signal
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from gateway.webhooks import sign
from tests.gateway.bridged import SETUP, Bridged, call, until
from tests.gateway.case_system import SECRET

pytestmark = pytest.mark.wire

INCIDENTS = 16
REPEAT, REPEAT_ONE = 4, 100
"""How often each piece of news is told, and each of one case."""
SIGNED = f"""
[[senders]]
id = "signed"
proof = {{{{ kind = "standard", keys = ["{SECRET}"] }}}}
"""
TITLE = b'{"title": "before"}'
OFFICERS = [f"DH-00{n}" for n in range(1, 6)] + [f"BJ-00{n}" for n in range(1, 6)]


def story(code: str, chance: random.Random) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """One incident's news in their order, and how it must stand in the end."""
    first, second = (chance.sample(OFFICERS, 3) for _ in range(2))

    def parties(badges: list[str]) -> list[dict[str, str]]:
        return [{"kind": "user", "id": badge} for badge in badges]

    steps: list[dict[str, Any]] = [
        {"put": True, "step": "file", "title": f"Case {code}", "level": "3"},
        {"step": "dispatch", "parties": parties(first)},
        {"step": "accept", "who": first[0]},
        {"step": "make_urgent"},
    ]
    ways: list[tuple[list[dict[str, Any]], str, str, list[str]]] = [
        ([], "handling", "open", first),
        ([{"step": "return"}, {"step": "dispatch", "parties": parties(second)}], "dispatched", "open", second),
        ([{"step": "ask_suspension"}, {"step": "suspend"}], "suspended", "parked", first),
        ([{"step": "suspend"}, {"step": "resume"}, {"step": "feed_back"}], "feedback", "open", first),
        ([{"step": "void"}], "void", "removed", []),
        ([{"step": "feed_back"}, {"step": "rework"}, {"title": f"{code} again"}], "handling", "open", first),
    ]
    more, state, address, members = chance.choice(ways)
    news = [
        {"code": code, "version": version, "id": f"{code}/{version}", "at": 1_784_000_000_000 + version, **one}
        for version, one in enumerate([*steps, *more], 1)
    ]
    title = f"{code} again" if any("again" in str(one.get("title")) for one in more) else f"Case {code}"
    return news, {"state": state, "address": address, "members": members, "title": title}


def test_both_sides_agree_after_everything_has_failed(tmp_path: Path) -> None:
    chance = random.Random(11)
    stories = {code: story(code, chance) for code in (f"E010120260715{n:04d}" for n in range(INCIDENTS))}
    news = [one for told, _ in stories.values() for one in told]
    told = news * REPEAT + next(iter(stories.values()))[0] * (REPEAT_ONE - REPEAT)
    with Bridged(tmp_path, SETUP + SIGNED) as both:
        overheard = sign((SECRET,), "overheard", TITLE, time.time_ns() // 1_000_000)
        assert call("PUT", f"{both.url}/api/v1/incidents/S1", TITLE, overheard)[1]["discarded"] is None
        assert both.poc("PUT", "/incidents/S1", {"title": "now"})[1]["discarded"] is None
        # The case system repeats and shuffles; as a receiver it is slow, fails, hangs up half way, forgets to answer.
        both.control(mode="flaky", tell=told, shuffle=3)
        until("a third was told", lambda: both.told()["left"] < len(told) * 2 / 3)
        both.city.end(signal.SIGKILL)
        both.start_city()
        until("another third was told", lambda: both.told()["left"] < len(told) / 3)
        left = both.told()["left"]
        both.city.end(signal.SIGKILL)
        both.start_city()
        assert left
        until("all was told", lambda: both.told()["left"] == 0)
        both.case.end(signal.SIGKILL)
        both.start_case()
        both.control(mode="flaky")
        assert both.told()["refused"] == []

        # Who overheard a signed message before all this may send it again: it is known.
        assert call("PUT", f"{both.url}/api/v1/incidents/S1", TITLE, overheard)[1]["discarded"] == "repeated"
        status, problem = call("PUT", f"{both.url}/api/v1/incidents/S2", TITLE, overheard)
        assert (status, problem["code"]) == (401, "bad_signature")
        assert both.poc("GET", "/incidents/S1")[1]["facts"]["title"] == "now"

        badges = both.people()
        for code, (_, wanted) in stories.items():
            status, found = both.poc("GET", f"/incidents/{code}")
            assert status == 200
            assert (found["state"], found["address"]) == (wanted["state"], wanted["address"]), code
            assert found["facts"]["title"] == wanted["title"]
            assert found["members"] == sorted(badges[badge] for badge in wanted["members"])
            assert found["unknown"] == []

        def agreed() -> bool:
            got = defaultdict(set)
            for event in both.told()["received"]:
                got[event["subject"]].add((int(event["sequence"]), event["id"]))
            return all(got[code] == set(events(both, code)) for code in stories)

        until("the case system knows every event", agreed)
        received = both.told()["received"]
        in_order(received)
        assert len({event["id"] for event in received}) < len(received), "it was told again what it seemed to have lost"


def events(both: Bridged, code: str) -> list[tuple[int, str]]:
    status, found = both.poc("GET", f"/incidents/{code}/events?limit=1000")
    assert status == 200
    assert [event["sequence"] for event in found] == list(range(1, len(found) + 1)), "no gap"
    return [(event["sequence"], event["id"]) for event in found]


def in_order(received: list[dict[str, Any]]) -> None:
    """First sights come in the order of the incident's sequence."""
    newest: dict[str, int] = defaultdict(int)
    for event in received:
        sequence = int(event["sequence"])
        assert sequence <= newest[event["subject"]] + 1, "an event came before the one before it"
        newest[event["subject"]] = max(newest[event["subject"]], sequence)


def test_a_receiver_that_was_away_gets_everything_at_once_when_the_server_is_started_again(tmp_path: Path) -> None:
    patient = SETUP.replace("[0.2, 0.4, 0.8, 1.0]", "[3600]").replace("probe_cap_s = 1.0", "probe_cap_s = 3600")
    with Bridged(tmp_path, patient) as both:
        both.case.end(signal.SIGKILL)
        for number in range(20):
            assert both.poc("PUT", f"/incidents/C{number}", {"parties": [{"kind": "user", "id": "DH-001"}]})[0] == 200
        admin = both.token("XT-001")
        until("it is known to be away", lambda: receiver(both, admin)["probe_ms"])
        both.start_case()
        both.city.end(signal.SIGTERM)
        both.start_city()
        until("all 40 events came", lambda: len({e["id"] for e in both.told()["received"]}) == 40)
        in_order(both.told()["received"])


def receiver(both: Bridged, token: str) -> dict[str, Any]:
    status, found = both.api("GET", "/bridge/receivers", token)
    assert status == 200
    return found[0]  # type: ignore[no-any-return]
