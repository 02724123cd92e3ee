"""Case codes, coordinates, limits and the lamp."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.incidents.case_code import MAX_CODE_CHARS, CaseCode, incident_code, parse
from gateway.incidents.incident import Datum, Incident, Kind, Limit, Pause, Point, Stage, State
from gateway.incidents.limits import Calendar, Lamp, due, lamp, next_change
from gateway.mapping.datum import convert
from groups.vocabulary import IncidentCode
from signaling.messages import Refused

HOUR = 3_600_000


def local(text: str) -> int:
    """Ms of a wall-clock moment in China."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000) - 8 * HOUR


def test_a_standard_code_tells_kind_classes_and_day() -> None:
    assert parse("E0403202607150017") == CaseCode(Kind.EVENT, "04", "03", date(2026, 7, 15), "0017")
    assert parse("C010120260229001") is None, "no such day"
    assert parse("C0101202607150", (3, 8)) is None
    assert parse("C010120260715001", (4, 8)) is None
    assert parse("X-1") is None


@pytest.mark.parametrize("text", ["E0403202607150017", "京城管〔2026〕17号", "A.1_b-2", "x" * MAX_CODE_CHARS])
def test_a_plain_code_is_taken(text: str) -> None:
    assert incident_code(text) == text


@pytest.mark.parametrize("text", ["", "a/b", "a b", "..", "a\n", "a\x00", "x" * (MAX_CODE_CHARS + 1), "<script>"])
def test_a_code_that_could_do_harm_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        incident_code(text)


def test_gcj02_of_tiananmen() -> None:
    there = convert(Point(116.391349, 39.907375, Datum.WGS84), Datum.GCJ02)
    assert there.lon == pytest.approx(116.397590, abs=2e-5)
    assert there.lat == pytest.approx(39.908776, abs=2e-5)


@given(st.floats(73.5, 135), st.floats(18, 53.5))
def test_there_and_back_is_the_same_place(lon: float, lat: float) -> None:
    back = convert(convert(Point(lon, lat), Datum.GCJ02), Datum.WGS84)
    assert (back.lon, back.lat) == (pytest.approx(lon, abs=1e-8), pytest.approx(lat, abs=1e-8))


def test_outside_china_and_between_equal_datums_nothing_moves() -> None:
    assert convert(Point(2.35, 48.85), Datum.GCJ02) == Point(2.35, 48.85, Datum.GCJ02)
    assert convert(Point(116.0, 39.0, Datum.CGCS2000), Datum.WGS84) == Point(116.0, 39.0, Datum.WGS84)


FRIDAY_15 = local("2026-07-17T15:00:00")


def test_working_time_skips_lunch_nights_and_weekends() -> None:
    calendar = Calendar()
    assert calendar.after(FRIDAY_15, 4 * HOUR) == local("2026-07-20T10:00:00")
    assert calendar.worked(FRIDAY_15, local("2026-07-20T10:00:00")) == 4 * HOUR
    holiday = Calendar(holidays=frozenset({local("2026-07-20T12:00:00") // (24 * HOUR)}))
    assert holiday.after(FRIDAY_15, 4 * HOUR) == local("2026-07-21T10:00:00")
    assert Calendar(weekdays=frozenset()).after(5, 7) == 12


def handling(**facts: object) -> Incident:
    limits = (Limit(Stage.HANDLING, allowed_ms=10 * HOUR),)
    facts = {"state": State.HANDLING, "stage_since": FRIDAY_15, "limits": limits, **facts}
    return Incident(IncidentCode("x"), **facts)  # type: ignore[arg-type]


def test_the_lamp_is_green_to_80_percent_yellow_to_100_and_red_after() -> None:
    calendar, urgent = Calendar(), handling(urgent=True)
    for after, colour in ((8 * HOUR, Lamp.GREEN), (8 * HOUR + 1, Lamp.YELLOW), (10 * HOUR, Lamp.YELLOW)):
        assert lamp(urgent, FRIDAY_15 + after, calendar) is colour
    assert lamp(urgent, FRIDAY_15 + 10 * HOUR + 1, calendar) is Lamp.RED
    assert next_change(urgent, FRIDAY_15, calendar) == FRIDAY_15 + 8 * HOUR + 1
    assert next_change(urgent, FRIDAY_15 + 11 * HOUR, calendar) is None


def test_an_urgent_case_runs_on_the_wall_clock_and_another_on_working_time() -> None:
    assert due(handling(urgent=True), Calendar()) == FRIDAY_15 + 10 * HOUR
    assert due(handling(), Calendar()) == local("2026-07-21T09:00:00")


def test_a_suspension_stops_the_clock() -> None:
    suspended = handling(state=State.SUSPENDED, pauses=(Pause(local("2026-07-17T16:30:00")),))
    assert due(suspended, Calendar()) is None
    assert lamp(suspended, FRIDAY_15, Calendar()) is Lamp.OFF
    resumed = handling(pauses=(Pause(local("2026-07-17T16:30:00"), local("2026-07-22T08:30:00")),))
    assert due(resumed, Calendar()) == local("2026-07-23T10:00:00"), "1.5 h used, 8.5 h left: 7 on Wednesday"


def test_a_limit_given_as_a_moment_and_none_at_all() -> None:
    fixed = handling(limits=(Limit(Stage.HANDLING, due_ms=FRIDAY_15 + 100),))
    assert due(fixed, Calendar()) == FRIDAY_15 + 100
    assert due(fixed, Calendar(), 0.8) == FRIDAY_15 + 80
    assert lamp(handling(limits=()), FRIDAY_15, Calendar()) is Lamp.OFF
