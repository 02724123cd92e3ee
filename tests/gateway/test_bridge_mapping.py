"""Mapping files: three vendors of different shape, both ways; and the check that says what is missing."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from typer.testing import CliRunner

from gateway import samples
from gateway.checking.check import check
from gateway.checking.check_out import told_by_any
from gateway.checking.findings import Level
from gateway.delivery.events import Event
from gateway.delivery.outbound import Materials, NotWanted, render, succeeded, wants_audio
from gateway.delivery.receiver import Receiver
from gateway.incidents.document import Document, read_json
from gateway.incidents.effects import EventType
from gateway.incidents.incident import Datum, Incident, Kind, PartyKind, Point, Stage, State, facts_of
from gateway.incidents.steps import Step
from gateway.mapping.inbound import MAX_ITEMS, read_items
from gateway.mapping.mapping import BadMapping, MappingFile, load_mapping, parse_mapping
from groups.vocabulary import IncidentCode
from poc_server.cli import app
from poc_server.store.bridge.incident_bursts import happened

FOLDER = Path(next(iter(samples.__path__)))
NAMES = ("flat", "nested", "steps")
NOW = 1_784_077_953_000
HERE = "https://poc.example"


def mapping(name: str) -> MappingFile:
    return load_mapping(FOLDER / f"{name}.toml")


def documents(name: str) -> list[Document]:
    found = list(read_items(mapping(name), read_json((FOLDER / f"{name}.json").read_bytes())))
    assert not [fault for item in found for fault in item.faults]
    return [item.document for item in found if item.document]


def test_the_flat_sample() -> None:
    (one,) = documents("flat")
    assert (one.state, one.step, one.kind, one.major, one.level) == (
        State.DISPATCHED,
        Step.DISPATCH,
        Kind.EVENT,
        "04",
        "I",
    )
    assert (one.urgent, one.supervised, one.version) == (True, False, NOW)
    assert one.point == Point(116.39759, 39.908776, Datum.GCJ02)
    assert [(party.kind, party.id) for party in one.parties or ()] == [
        (PartyKind.USER, "u-zhang"),
        (PartyKind.USER, "u-wang"),
        (PartyKind.UNIT, "unit-road"),
    ]
    assert [(limit.stage, limit.allowed_ms) for limit in one.limits or ()] == [(Stage.HANDLING, 4 * 3_600_000)]


def test_the_nested_sample() -> None:
    working, on_hold = documents("nested")
    assert (working.state, working.version, working.who) == (State.HANDLING, 7, "Liu")
    assert [party.id for party in working.parties or ()] == ["u-liu", "u-chen", "unit-clean", "110101001002004"]
    assert (on_hold.state, on_hold.kind, on_hold.supervised) == (State.SUSPENDED, Kind.COMPONENT, True)


def test_the_sample_of_steps() -> None:
    (one,) = documents("steps")
    assert (one.step, one.state, one.at) == (Step.DISPATCH, None, 1_784_095_329_000)
    assert [(party.kind, party.radius_m) for party in one.parties or ()][-1] == (PartyKind.PLACE, 800)
    assert [limit.wall_clock for limit in one.limits or ()] == [True]


@pytest.mark.parametrize("name", NAMES)
def test_the_check_finds_nothing_wrong_with_a_sample(name: str) -> None:
    report = check(mapping(name), read_json((FOLDER / f"{name}.json").read_bytes()), HERE)
    assert report.ok, "\n".join(report.lines())
    assert any("burst.recorded" in line for line in report.lines())


SMALL = """
name = "small"
[in]
code = "no"
version = "rev"
state = "st"
urgent = "hot"
lon = "x"
lat = "y"
[values.state]
go = "dispatched"
end = "closed"
"""


def test_the_check_says_what_is_missing() -> None:
    wrong = parse_mapping(SMALL.replace('end = "closed"', 'end = "finished"').replace('"hot"', '"very_hot"'))
    report = check(wrong, {"no": "A 1", "rev": "x", "st": "odd", "extra": 5}, "")
    found = {(finding.level, finding.where, finding.text) for finding in report.findings}
    assert not report.ok
    assert (Level.WRONG, "in.code", "not a code: A 1") in found
    assert [(level, text) for level, where, text in found if where == "in.version"] == [
        (Level.WRONG, "not a moment: x")
    ]
    assert (Level.NOTE, "in.state", "no meaning for odd in [values.state]") in found
    assert (Level.WRONG, "values.state", "nothing leads to closed") in found
    assert any(level is Level.WRONG and text.startswith("finished is none of") for level, _, text in found)
    assert (Level.NOTE, "in", "the sample's extra is not read") in found
    fine = check(parse_mapping(SMALL), {"no": "A1", "rev": 1, "st": "go"}, HERE)
    assert fine.ok
    notes = {(f.level, f.where, f.text) for f in fine.findings}
    assert (Level.NOTE, "in.urgent", "hot finds nothing in this sample") in notes
    assert (Level.NOTE, "in.parties", "none: the group of a case has nobody in it") in notes


def test_the_check_shows_a_moment_by_their_clock() -> None:
    told = parse_mapping("utc_offset_minutes = 480\n" + SMALL.replace('state = "st"', 'state = "st"\nat = "when"'))
    sample: Any = {"no": "A1", "rev": 7, "st": "go", "when": "2026-07-15T01:12:33Z"}
    found = {finding.where: finding.text for finding in check(told, sample, HERE).findings}
    assert (found["in.at"], found["in.version"]) == ("1784077953000 = 2026-07-15 09:12:33+08:00", "7")


WORKING = (
    SMALL
    + """
[values.where]
A = "1"
[out.calls."burst.recorded"]
path = "/cases/{incident.code}"
headers = { X = "event.id" }
body = { who = "data.name", deep = ["value('where', data.group) || people.*.badge | [0]"] }
"""
)


@pytest.mark.parametrize(
    ("right", "mistake", "where", "said"),
    [
        ("data.name", "dat.name", "out.burst.recorded", "body.who: there is no dat, only event, data, incident,"),
        ("data.name", "data.nam", "out.burst.recorded", "body.who: no event has data.nam"),
        ("incident.code", "incident.cod", "out.burst.recorded", "path {incident.cod}: incident has no cod"),
        ("event.id", "event.nr", "out.burst.recorded", "headers.X: event has no nr"),
        ("('where'", "('were'", "out.burst.recorded", "body.deep.0: [values.were] is not there"),
        ("('where'", "('were'", "values.where", "nothing reads this table"),
        (
            "[values.state]",
            "[values.kind]\nhole = 'pothole'\n[values.state]",
            "values.kind",
            "pothole: Input should be",
        ),
    ],
)
def test_a_mistake_in_a_mapping_is_told_exactly(right: str, mistake: str, where: str, said: str) -> None:
    sample: dict[str, Any] = {"no": "A1", "rev": 1, "st": "go"}
    assert check(parse_mapping(WORKING), sample, HERE).ok
    report = check(parse_mapping(WORKING.replace(right, mistake)), sample, HERE)
    wrong = [(each.where, each.text) for each in report.findings if each.level is Level.WRONG]
    assert any(place == where and why.startswith(said) for place, why in wrong), wrong


def test_what_is_not_in_the_sample_is_noted_for_each_expression() -> None:
    more = 'parties = { user = "who", unit = "dept", cell = "crew[].cel" }\n'
    more += 'limits = [{ stage = "handling", due = "until" }]\n[values.state]'
    text = WORKING.replace("data.name", "data.claimed_by").replace("[values.state]", more)
    sample: dict[str, Any] = {"no": "A1", "rev": 1, "st": "go", "who": "DH-001", "crew": [{"cell": "420101001001001"}]}
    report = check(parse_mapping(text), sample, HERE)
    notes = {(each.where, each.text) for each in report.findings if each.level is Level.NOTE}
    missing = {place: why for place, why in notes if why.endswith(" finds nothing in this sample")}
    assert missing["in.parties.unit"].startswith("dept ")
    assert missing["in.parties.cell"].startswith("crew[].cel ")
    assert missing["in.limits.handling.due"].startswith("until ")
    assert "in.parties.user" not in missing
    assert ("out.burst.recorded", "body.who finds nothing") in notes, "other events have it"


def test_what_a_burst_tells_is_what_the_check_knows_of() -> None:
    told = happened(defaultdict(str)).data
    assert told
    assert told.keys() <= told_by_any()


def test_the_check_as_an_operator_calls_it(tmp_path: Path) -> None:
    def checked(mapping: str | Path, sample: str | Path, *more: str) -> tuple[int, str]:
        done = CliRunner().invoke(app, ["bridge", "check", str(mapping), str(sample), *more])
        return done.exit_code, done.output

    ready = FOLDER / "flat.json"
    code, said = checked("flat", ready)
    assert code == 0
    assert "E0403202607150017" in said
    assert "bridge.public_url" in said
    config = tmp_path / "config.toml"
    config.write_text('[bridge]\npublic_url = "https://poc.example"', encoding="utf-8")
    assert "bridge.public_url" not in checked("flat", ready, "--config", str(config))[1]
    own, sample = tmp_path / "ours.toml", tmp_path / "sample.json"
    own.write_text(SMALL, encoding="utf-8")
    sample.write_text('{"no": "A 1", "rev": 1, "st": "go"}', encoding="utf-8")
    code, said = checked(own, sample)
    assert code == 1
    assert "not a code: A 1" in said
    for mapping, document in (
        (own, ready.parent / "nowhere.json"),
        (tmp_path / "nowhere.toml", sample),
        (ready, sample),
    ):
        code, said = checked(mapping, document)
        assert code == 1, said
        assert "Traceback" not in said
    sample.write_text("{", encoding="utf-8")
    assert checked(own, sample)[0] == 1


def test_one_unknown_value_does_not_lose_the_news() -> None:
    (item,) = read_items(parse_mapping(SMALL), {"no": "A1", "rev": 3, "st": "odd", "hot": "maybe", "x": 500, "y": 1})
    assert item.document == Document(version=3)
    assert {fault.field for fault in item.faults} == {"state", "urgent", "point"}
    assert not any(fault.fatal for fault in item.faults)


@pytest.mark.parametrize("body", [{}, {"no": None, "rev": 1}, {"no": "A1"}, [], None, 5, "text", {"no": {}, "rev": []}])
def test_an_item_without_code_or_version_is_refused_and_told(body: Any) -> None:
    for item in read_items(parse_mapping(SMALL), body):
        assert item.document is None
        assert any(fault.fatal for fault in item.faults)


json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def leaves(value: Any, path: tuple = ()) -> Iterator[tuple]:
    yield path
    for key, child in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from leaves(child, (*path, key))


@given(st.sampled_from(NAMES), st.data())
def test_a_sample_with_anything_anywhere_never_raises(name: str, data: Any) -> None:
    body = json.loads((FOLDER / f"{name}.json").read_bytes())
    path = data.draw(st.sampled_from(list(leaves(body))))
    odd = data.draw(json_values)
    if not path:
        body = odd
    else:
        at = body
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = odd
    for item in read_items(mapping(name), body):
        assert item.document is not None or any(fault.fatal for fault in item.faults)


def test_items_at_the_limit_and_one_beyond() -> None:
    listed = parse_mapping('items = "rows"\n' + SMALL)
    rows = [{"no": f"A{n}", "rev": 1} for n in range(MAX_ITEMS + 1)]
    assert all(item.document for item in read_items(listed, {"rows": rows[:-1]}))
    *read, told = read_items(listed, {"rows": rows})
    assert len(read) == MAX_ITEMS
    assert told.faults[0].fatal


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x =",
        "name = 5",
        SMALL + "\nodd = 1",
        SMALL.replace('"no"', '"a..b"'),
        SMALL.replace('"no"', '"' + "x" * 1001 + '"'),
        SMALL + '\n[out.calls."burst.recorded"]\npath = "/a/{b..}"',
        SMALL + '\n[out.calls."burst.recorded"]\npath = "/a/{b"',
        SMALL.replace('lat = "y"', ""),
        SMALL + '\n[out.calls.nonsense]\npath = "/a"',
        SMALL + '\n[out.calls.photo]\npath = "/a"\naudio = "f"',
    ],
)
def test_what_is_no_mapping_is_told_where(text: str) -> None:
    with pytest.raises(BadMapping):
        parse_mapping(text)


# --- Out ------------------------------------------------------------------------------------------------------------

INCIDENT = facts_of(Incident(IncidentCode("E1〔2〕"), State.HANDLING, title="塌陷", point=Point(116.391349, 39.907375)))
RECORDING = {"url": "https://poc/r/7?s=1", "duration_ms": 4_690, "started_ms": NOW, "expires_ms": NOW + 1}
BURST = Event("E1/burst/7", EventType.BURST, "E1〔2〕", 4, NOW, {"user": "u-zhang", "name": "张伟"}, recording="7")
RECEIVER = Receiver.model_validate({"id": "cases", "url": "https://case.example/base/"})


def rendered(name: str, event: Event = BURST, audio: bytes | None = None) -> httpx.Request:
    return render(RECEIVER, mapping(name), event, Materials(INCIDENT, RECORDING, audio), "/poc", NOW)


def test_a_burst_as_parts_with_its_audio() -> None:
    assert wants_audio(BURST, mapping("flat"))
    request = rendered("flat", audio=b"OggS\x00\xff")
    assert str(request.url) == "https://case.example/base/api/task/E1%E3%80%942%E3%80%95/voice"
    assert request.headers["x-api-key"] == "change-me"
    assert b'filename="7.ogg"\r\nContent-Type: audio/ogg\r\n\r\nOggS\x00\xff\r\n' in request.content
    assert b"2026-07-15 09:12:33" in request.content


def test_a_burst_as_json_signed_and_in_their_datum() -> None:
    import hmac

    request = rendered("nested")
    body = json.loads(request.content)
    assert body["operator"] == {"id": "u-zhang", "name": "张伟"}
    assert body["media"]["href"] == RECORDING["url"]
    assert body["location"]["lng"] == pytest.approx(116.39759, abs=1e-4)
    signed = request.headers["x-timestamp"].encode() + b"\n" + request.content
    assert request.headers["x-signature"] == hmac.new(b"change-me", signed, "sha256").hexdigest()


def test_a_burst_as_a_form() -> None:
    request = rendered("steps")
    form = dict(httpx.QueryParams(request.content.decode()))
    assert (request.method, form["讲话人"], form["时长毫秒"]) == ("PUT", "张伟", "4690")
    assert request.headers["authorization"].startswith("Basic ")


def test_without_a_mapping_it_is_a_signed_cloud_event() -> None:
    receiver = Receiver(id="x", url=RECEIVER.url, secrets=(SecretStr("whsec_c2FtcGxlLXNhbXBsZS1zYW1wbGU="),))
    request = render(receiver, None, BURST, Materials(INCIDENT, RECORDING), "/poc", NOW)
    body = json.loads(request.content)
    assert request.headers["webhook-id"] == body["id"] == BURST.id
    assert (body["data"]["recording"], body["data"]["incident"]["title"]) == (RECORDING, "塌陷")


def test_an_event_without_a_call_is_not_wanted() -> None:
    with pytest.raises(NotWanted):
        rendered("flat", Event("e", EventType.EMERGENCY, "E1", 1, NOW))


def test_a_code_cannot_lead_a_path_elsewhere() -> None:
    evil = {**INCIDENT, "code": "../../admin?x=1#"}
    request = render(RECEIVER, mapping("nested"), BURST, Materials(evil, RECORDING), "/poc", NOW)
    assert request.url.raw_path == b"/base/v2/cases/..%2F..%2Fadmin%3Fx%3D1%23/records"


@pytest.mark.parametrize(
    ("status", "answer", "taken"),
    [
        (200, b'{"code":0}', True),
        (201, b'{"code":0}', True),
        (200, b'{"code":500,"msg":"no"}', False),
        (200, b"<html>", False),
        (500, b'{"code":0}', False),
        (302, b'{"code":0}', False),
        (200, b"[" * 100_000, False),
    ],
)
def test_a_receiver_that_answers_200_whatever_happens(status: int, answer: bytes, taken: bool) -> None:
    assert succeeded(mapping("flat"), BURST, status, answer) is taken
