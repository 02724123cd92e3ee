"""Incidents and phones: who is switched and who never is; what is said goes to systems that speak their own."""

from __future__ import annotations

import base64
import hmac
import html
import json
import re
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from groups.vocabulary import Refusal
from loadtest.phone import PhoneFailed
from loadtest.speech import recording
from signaling.messages import (
    Alert,
    AlertClaim,
    AlertResolve,
    IncidentChanged,
    Listen,
    Select,
    Sos,
    Switched,
    TextList,
    TextSend,
)
from tests.emergency.cast import Cast
from tests.gateway.bridged import SETUP, Bridged, until
from tests.support.handsets import Handset, handsets

pytestmark = pytest.mark.wire
OWN_KEY = "their-key"
HANG = "hang_minutes = 0\n"
MORE = """
[[receivers]]
id = "own"
url = "http://127.0.0.1:{port}/own"
mapping = "own.toml"
"""
OWN = f"""
name = "own"
in = {{ code = "no", version = "t", state = "s" }}
values = {{ state = {{ go = "dispatched", end = "closed" }} }}

[out.auth]
kind = "hmac"
key = "{OWN_KEY}"

[out.calls."group.opened"]
path = "/cases/{{incident.code}}"
body = {{ case = {{ no = "incident.code", title = "incident.title" }}, at = "local_time(event.at, '%Y%m%d')" }}
success = "ok"

[out.calls."burst.recorded"]
method = "PUT"
path = "/cases/{{incident.code}}/voices/{{event.sequence}}"
format = "multipart"
audio = "file"
body = {{ speaker = "data.name" }}
"""


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("switching") / "links"


@pytest.fixture(scope="module")
def both(links: Path) -> Iterator[Bridged]:
    (links.parent / "own.toml").write_text(OWN)
    impatient = {"POC_EMERGENCY__UNATTENDED_S": "1"}
    with Bridged(
        links.parent, HANG + SETUP + MORE, ("--no-bots", "--links", str(links)), lambda _: impatient
    ) as running:
        until("its people have their links", links.exists)
        yield running


async def test_who_talks_waits_or_is_in_danger_stays_where_he_is(both: Bridged, links: Path) -> None:
    recording("zh-report")
    async with handsets(both.as_city(), links) as street:
        cast = Cast(both.as_city(), street)
        talker, waiting, endangered, free, dispatcher = await cast.phones(
            "BJ-001", "BJ-002", "DH-001", "DH-002", "PQ-001"
        )
        river, lake = cast.group(talker, "滨江巡查组"), cast.group(endangered, "东湖巡查组")
        for phone, group in ((talker, river), (waiting, river), (endangered, lake), (free, lake)):
            await phone.select(group)
        press = talker.press_key(river)
        assert await press.settled
        waiting.press_key(river)
        sos = Sos(id="s1", alert="switching", pressed_ms=time.time_ns() // 1_000_000)
        await endangered.request(sos)

        people = [talker, waiting, endangered, free]
        parties = [{"kind": "user", "id": phone.user} for phone in people]
        told = {"title": "路面塌陷", "urgent": True, "parties": parties}
        status, answer = both.poc("PUT", "/incidents/E0403202607150099", told)
        assert status == 200
        for phone in people:
            assert (await phone.told(IncidentChanged)).incident.code == "E0403202607150099"
        # Whoever is in a group with an emergency is in it, too: the free one stands in that of the endangered.
        assert [phone.user for phone in people if any(isinstance(m, Switched) for m in phone.inbox)] == []

        await dispatcher.request(AlertClaim(id="c1", alert="switching"))
        await dispatcher.request(AlertResolve(id="c2", alert="switching", outcome="false_alarm"))
        assert both.poc("PUT", "/incidents/E0403202607150100", told)[0] == 200
        for phone in (endangered, free):
            switched = await phone.told(Switched)
            assert (switched.incident, switched.back) == ("E0403202607150100", lake)
        for phone in (talker, waiting):
            await phone.told(IncidentChanged)
            assert not any(isinstance(m, Switched) for m in phone.inbox)
        assert answer["incident"]["attention"] == 2


def active_groups(both: Bridged) -> int:
    """Groups with live state, as the metrics have it."""
    [found] = re.findall(r"^poc_groups_active (\d+)", fetched(f"{both.url}/metrics").decode(), re.MULTILINE)
    return int(found)


async def refusal(phone: Handset, message: Any) -> Refusal | None:
    with pytest.raises(PhoneFailed) as failed:
        await phone.request(message)
    return failed.value.code


async def test_nobody_talks_or_writes_in_a_case_that_is_suspended_or_frozen_and_is_told_why(
    both: Bridged, links: Path
) -> None:
    people = both.people()
    code = "R1"

    def tell(version: int, **news: Any) -> Any:
        status, answer = both.poc("PUT", f"/incidents/{code}", {"version": version, **news})
        assert status == 200
        return answer["incident"]

    parties = [{"kind": "user", "id": people[badge]} for badge in ("DH-003", "DH-004")]
    group = tell(1, title="路面塌陷", parties=parties)["group"]
    async with handsets(both.as_city(), links) as street:
        one, two = await Cast(both.as_city(), street).phones("DH-003", "DH-004")

        async def refused(phase: str) -> None:
            press = one.press_key(group)
            await press.settled
            assert (press.granted, press.cause) == (False, Refusal.GROUP_CLOSED), phase
            for message in (
                Select(id=f"s-{phase}", group=group),
                Listen(id=f"l-{phase}", groups=[group]),
                TextSend(id=f"t-{phase}", message=f"m-{phase}", group=group, text="到了"),
            ):
                assert await refusal(one, message) is Refusal.GROUP_CLOSED, phase

        async def closed(state: str) -> None:
            while (found := (await two.told(IncidentChanged)).incident).open or found.state != state:
                pass

        # Ten cases more are dispatched to him, and no group lives for that: state appears when one is opened.
        living = active_groups(both)
        for number in range(10):
            assert both.poc("PUT", f"/incidents/R1-{number}", {"title": "暴露垃圾", "parties": parties})[0] == 200
        assert active_groups(both) <= living

        for phone in (one, two):
            await phone.select(group)
        await one.say(group)
        assert active_groups(both) >= 1
        written = TextSend(id="t1", message="m1", group=group, text="我在东门")
        await one.request(written)
        assert await one.press_key(group).settled  # suspended while he talks
        tell(2, step="suspend")
        await closed("suspended")
        one.release_key()
        await refused("suspended")

        tell(3, step="resume")
        for phone in (one, two):
            await phone.select(group)
        await one.say(group)

        tell(4, step="close")
        await closed("closed")
        await refused("frozen")
        # What was written before is read all the same.
        texts, _ = await two.request(TextList(id="t9", group=group))
        assert [each.text for each in texts.messages] == ["我在东门"]
    # What was said is told a moment after it was recorded: not in the middle of what the next test does to receivers.
    until("both voices came", lambda: len(asked(both, "PUT", f"/cases/{code}/voices/")) == 2)


async def test_an_sos_in_the_group_of_a_case_outlives_its_suspension(both: Bridged, links: Path) -> None:
    people = both.people()

    def tell(**news: Any) -> Any:
        status, answer = both.poc("PUT", "/incidents/R2", news)
        assert status == 200
        return answer["incident"]

    crew = [{"kind": "user", "id": people[badge]} for badge in ("DH-003", "DH-004")]
    group = tell(title="路面塌陷", parties=crew)["group"]
    async with handsets(both.as_city(), links) as street:
        badges = ("DH-003", "DH-004", "PQ-001", "PQ-002")
        endangered, other, dispatcher, gone = await Cast(both.as_city(), street).phones(*badges)
        for phone in (endangered, other):
            await phone.select(group)
        await endangered.request(Sos(id="s1", alert="held", pressed_ms=time.time_ns() // 1_000_000))
        # The case system knows nothing of it: it takes him off the case, and suspends it.
        assert tell(step="suspend", parties=crew[1:])["state"] == "suspended"
        assert both.poc("GET", "/incidents/R2")[1]["address"] == "open"
        heard = other.packets()
        await endangered.say(group, 15)
        await other.until_packets(heard + 10)

        await gone.request(AlertClaim(id="c0", alert="held"))
        gone.close()
        while (await dispatcher.told(Alert, queue=True)).alert.left_by is None:
            pass
        await dispatcher.request(AlertClaim(id="c1", alert="held"))
        await dispatcher.request(AlertResolve(id="c2", alert="held", outcome="resolved"))
        events = both.poc("GET", "/incidents/R2/events?limit=100")[1]
        steps = [each["data"] for each in events if each["data"].get("alert") == "held"]
        by = [each["claimed_by"] and each["claimed_by"]["id"] for each in steps]
        assert by == [None, gone.user, None, dispatcher.user, dispatcher.user], "the case learns who has it now"
        until("it is parked now", lambda: both.poc("GET", "/incidents/R2")[1]["address"] == "parked")
        while (await other.told(IncidentChanged)).incident.open:
            pass
        for phone in (other, endangered):
            press = phone.press_key(group)
            await press.settled
            assert (press.granted, press.cause) == (False, Refusal.GROUP_CLOSED)
    assert both.poc("GET", "/incidents/R2")[1]["members"] == [people["DH-004"]]


def asked(both: Bridged, method: str, path: str) -> list[dict[str, Any]]:
    """What was asked of the API of the case system's own making."""
    return [each for each in both.told()["own"] if each["method"] == method and each["path"].startswith("/own" + path)]


async def test_a_system_that_speaks_its_own_gets_voices_of_linked_groups_and_dead_letters_again(
    both: Bridged, links: Path
) -> None:
    admin, dispatcher = both.token("XT-001"), both.token("PQ-001")

    def waiting() -> int:
        found = both.api("GET", "/bridge/receivers", admin)[1]
        return next(int(each["waiting"]) for each in found if each["id"] == "own")

    until("of other tests' cases all is told", lambda: not waiting())
    both.control(own="refuse")
    for code in ("O1", "O2"):
        parties = [{"kind": "user", "id": "SZ-001"}]
        assert both.poc("PUT", f"/incidents/{code}", {"title": "井盖", "parties": parties})[0] == 200

    def dead() -> list[Any]:
        return list(both.api("GET", "/bridge/receivers/own/dead-letters", admin)[1])

    until("both are refused for good", lambda: {letter["incident"] for letter in dead()} >= {"O1", "O2"})
    letter = next(each for each in dead() if each["incident"] == "O1")
    assert (letter["type"], letter["attempts"]) == ("group.opened", 5)
    assert "422" in letter["last_error"]
    assert both.api("POST", "/bridge/receivers/own/replay", dispatcher)[0] == 403
    both.control(own="up")
    assert both.api("POST", "/bridge/receivers/own/replay", admin)[1]["replayed"] >= 2
    until("they came", lambda: asked(both, "POST", "/cases/O1") and asked(both, "POST", "/cases/O2"))
    assert dead() == []
    told = json.loads(base64.b64decode(asked(both, "POST", "/cases/O1")[0]["body"]))
    assert told["case"] == {"no": "O1", "title": "井盖"}

    # One group belongs to both cases by hand; what is said there goes to both, as a file.
    async with handsets(both.as_city(), links) as street:
        cast = Cast(both.as_city(), street)
        speaker, listener = await cast.phones("DH-001", "DH-002")
        lake = cast.group(speaker, "东湖巡查组")
        for phone in (speaker, listener):
            await phone.select(lake)
        await speaker.say(lake, 15)
        before = await recordings(both, dispatcher, lake, 1)
        for code in ("O1", "O2"):
            assert both.api("PUT", f"/incidents/{code}/links", dispatcher, {"group": lake})[1]["links"] == [lake]
        await speaker.say(lake, 15)
        for code in ("O1", "O2"):
            until(f"{code} has the voice", lambda code=code: asked(both, "PUT", f"/cases/{code}/voices/"))
    voice = asked(both, "PUT", "/cases/O1/voices/")[0]
    body = base64.b64decode(voice["body"])
    assert voice["headers"]["content-type"].startswith("multipart/form-data")
    assert b"OggS" in body
    assert b'name="file"; filename=' in body
    signed = voice["headers"]["x-timestamp"].encode() + b"." + body
    assert hmac.new(OWN_KEY.encode(), signed, "sha256").hexdigest() == voice["headers"]["x-signature"]

    # What was said before belongs to one of them, too: it is tied to it later, and that is kept.
    [recording_id] = before
    assert both.api("POST", "/incidents/O1/bursts", dispatcher, {"recording": recording_id})[0] == 200
    until("the first voice came", lambda: len(asked(both, "PUT", "/cases/O1/voices/")) == 2)
    tied = both.poc("GET", "/incidents/O1/events")[1][-1]
    assert (tied["recording"], tied["data"]["tied_by"]) == (recording_id, both.people()["PQ-001"])
    assert len(asked(both, "PUT", "/cases/O2/voices/")) == 1
    auditor = both.token("SJ-001")
    kept = both.api("GET", "/audit?action=incident.tie", auditor)[1]
    assert [(row["actor"], row["target"]) for row in kept["items"]] == [(both.people()["PQ-001"], "O1")]

    # Whoever listens by a link is audited, too: the log once it is opened, each voice once however it is fetched.
    made = both.api("POST", "/incidents/O1/log-link", dispatcher)[1]["url"]
    page = fetched(made).decode()
    assert fetched(made)
    (voice_url, other_url) = (
        html.unescape(found) for found in re.findall(r'src="([^"]*/shared/recordings/[^"]*)"', page)
    )
    assert fetched(voice_url, "bytes=1-") == fetched(voice_url)[1:]
    assert fetched(voice_url, "bytes=-9") == fetched(voice_url)[-9:]
    assert fetched(other_url, "bytes=0-3") == b"OggS"

    def told(act: str) -> list[tuple[Any, ...]]:
        rows = both.api("GET", f"/audit?action={act}", auditor)[1]["items"]
        return sorted((row["actor"], row["target"], row["address"]) for row in rows)

    played = [(None, key, "127.0.0.1") for key in sorted(await recordings(both, dispatcher, lake, 2))]
    until("each is audited once", lambda: told("recording.link_played") == played)
    assert told("incident.link_opened") == [(None, "O1", "127.0.0.1")]
    assert [row[:2] for row in told("incident.link_made")] == [(both.people()["PQ-001"], "O1")]
    rows = json.dumps(both.api("GET", "/audit?limit=50", auditor)[1])
    assert not any(url.rpartition("signature=")[2] in rows for url in (made, voice_url, other_url))


def fetched(url: str, span: str = "") -> bytes:
    """What whoever has the link gets."""
    request = urllib.request.Request(url, headers={"Range": span} if span else {})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return bytes(answer.read())


async def recordings(both: Bridged, token: str, group: str, count: int) -> list[str]:
    """Ids of what was said in the group, once there are as many."""

    def found() -> list[Any]:
        return list(both.api("GET", f"/recordings?group={group}", token)[1]["recordings"])

    until("it is recorded", lambda: len(found()) >= count)
    return [each["id"] for each in found()]
