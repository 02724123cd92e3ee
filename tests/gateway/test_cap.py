"""CAP 1.2: taken as the schema has it and no other way; what each message orders; practice is never urgent."""

from __future__ import annotations

import contextlib
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cap import cap
from gateway.cap.cap_rules import Order, broadcast_id, order_of
from groups.emergency.area import usable
from groups.vocabulary import AgencyId, Refusal, Tier
from signaling.limits import MAX_AREA_POINTS
from signaling.messages import Refused

NOW = round(datetime.fromisoformat("2026-07-15T10:00:00+08:00").timestamp() * 1000)
INFO = """<info><language>zh-CN</language><category>Met</category><event>暴雨</event><urgency>Immediate</urgency>
<severity>Extreme</severity><certainty>Likely</certainty><expires>2026-07-15T16:00:00+08:00</expires>
<headline>暴雨红色预警</headline><instruction>立即撤离低洼地带</instruction>{area}</info>"""
AREA = """<area><areaDesc>滨江</areaDesc><polygon>30.5,114.3 30.5,114.4 30.6,114.4 30.5,114.3</polygon>
<circle>30.55,114.35 1.5</circle></area>"""

ENDLESS = INFO.format(area="").replace("<expires>2026-07-15T16:00:00+08:00</expires>", "")


def message(
    status: str = "Actual",
    kind: str = "Alert",
    info: str = INFO.format(area=AREA),
    extra: str = "",
    identifier: str = "w-1",
    sent: str = "2026-07-15T09:58:00+08:00",
) -> bytes:
    return (
        f'<alert xmlns="{cap.NAMESPACE}"><identifier>{identifier}</identifier><sender>weather.example</sender>'
        f"<sent>{sent}</sent><status>{status}</status><msgType>{kind}</msgType><scope>Public</scope>{extra}{info}</alert>"
    ).encode()


REFERS = "<references>weather.example,w-1,2026-07-15T09:58:00+08:00</references>"


OURS, THEIRS = AgencyId("ag-1"), AgencyId("ag-2")


def ordered(text: bytes, agency: AgencyId = OURS) -> Order:
    return order_of(cap.read(text), agency, NOW)


def test_an_actual_message_becomes_an_urgent_broadcast_to_its_areas() -> None:
    order = ordered(message())
    assert (order.tier, order.exercise, order.expires_s) == (Tier.EMERGENCY, False, 6 * 3_600)
    assert order.text == "暴雨红色预警\n立即撤离低洼地带"
    assert order.rings[0][0] == (114.3, 30.5)
    assert all(usable(ring, MAX_AREA_POINTS) for ring in order.rings)
    assert order.broadcast == broadcast_id(OURS, "weather.example", "w-1", "2026-07-15T09:58:00+08:00")
    assert ordered(message()) == order
    assert ordered(message(identifier="w-2")).broadcast != order.broadcast


def test_a_point_is_an_area_nobody_can_be_in_and_not_everybodys() -> None:
    point = "<area><areaDesc>滨江</areaDesc><circle>30.55,114.35 0</circle></area>"
    (ring,) = ordered(message(info=INFO.format(area=point))).rings
    assert not usable(ring, MAX_AREA_POINTS)


@pytest.mark.parametrize("status", ["Exercise", "Test", "System"])
def test_what_is_not_meant_is_never_urgent_and_says_so_first(status: str) -> None:
    order = ordered(message(status))
    assert (order.tier, order.exercise) == (Tier.NORMAL, True)
    assert order.text is not None
    assert order.text.startswith("【")


def test_update_and_cancel_take_back_what_they_name() -> None:
    first = broadcast_id(OURS, "weather.example", "w-1", "2026-07-15T09:58:00+08:00")
    update = ordered(message(kind="Update", extra=REFERS, identifier="w-2"))
    assert (update.replaces, update.text is None) == ((first,), False)
    cancel = ordered(message(kind="Cancel", extra=REFERS, identifier="w-3", info=""))
    assert (cancel.replaces, cancel.text) == ((first,), None)
    assert ordered(message(kind="Ack", extra=REFERS, info="")) == Order(first)


def test_what_one_agency_takes_or_takes_back_keeps_no_other_from_the_same_warning() -> None:
    ours, theirs = ordered(message()), ordered(message(), THEIRS)
    assert (ours.broadcast == theirs.broadcast, ours.text == theirs.text) == (False, True)
    cancel = ordered(message(kind="Cancel", extra=REFERS, identifier="w-3", info=""), THEIRS)
    assert cancel.replaces == (theirs.broadcast,)


def test_an_update_that_has_run_out_says_nothing_and_still_takes_back() -> None:
    old = INFO.format(area="").replace("T16", "T09")
    refers = REFERS.replace("T09:58", "T07:00")
    late = ordered(message(kind="Update", extra=refers, identifier="w-2", info=old, sent="2026-07-15T08:00:00+08:00"))
    assert (late.replaces, late.text) == (
        (broadcast_id(OURS, "weather.example", "w-1", "2026-07-15T07:00:00+08:00"),),
        None,
    )


@pytest.mark.parametrize(
    ("sent", "left_s"),
    [("2026-07-15T10:00:00+08:00", 86_400), ("2026-07-14T16:00:00+08:00", 21_600), ("2026-07-14T10:00:01+08:00", 10)],
)
def test_without_an_end_it_holds_a_day_from_when_it_was_sent(sent: str, left_s: int) -> None:
    assert ordered(message(info=ENDLESS, sent=sent)).expires_s == left_s


@pytest.mark.parametrize(
    ("severity", "urgency", "certainty", "tier"),
    [
        ("Extreme", "Immediate", "Observed", Tier.EMERGENCY),
        ("Severe", "Immediate", "Likely", Tier.IMMINENT_PERIL),
        ("Moderate", "Immediate", "Observed", Tier.NORMAL),
        ("Extreme", "Expected", "Observed", Tier.NORMAL),
        ("Extreme", "Immediate", "Possible", Tier.NORMAL),
    ],
)
def test_the_rule_of_tiers(severity: str, urgency: str, certainty: str, tier: Tier) -> None:
    info = INFO.format(area="").replace("Extreme", severity).replace("Immediate", urgency).replace("Likely", certainty)
    assert ordered(message(info=info)).tier is tier


BOMB = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "xxxxxxxxxx"><!ENTITY y "&x;&x;&x;&x;">]>' + message().replace(
    "暴雨红色预警".encode(), b"&y;"
)
FILE = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + message()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", Refusal.BAD_MESSAGE),
        (b"\xff\xfe\x00", Refusal.BAD_MESSAGE),
        (b"<alert/>", Refusal.BAD_MESSAGE),
        (BOMB, Refusal.BAD_MESSAGE),
        (FILE, Refusal.BAD_MESSAGE),
        (b"<a>" * 50_000, Refusal.BAD_MESSAGE),
        (b" " * (cap.MAX_CAP_BYTES + 1), Refusal.TOO_LARGE),
        (message("Draft"), Refusal.BAD_MESSAGE),
        (message("actual"), Refusal.BAD_MESSAGE),
        (message(kind="Update"), Refusal.BAD_MESSAGE),
        (message(kind="Cancel", info=""), Refusal.BAD_MESSAGE),
        (message(info=""), Refusal.BAD_MESSAGE),
        (message(identifier="two words"), Refusal.BAD_MESSAGE),
        (message(extra="<scope>Public</scope>"), Refusal.BAD_MESSAGE),
        (message(extra="<unknown/>"), Refusal.BAD_MESSAGE),
        (message(extra='<note xmlns="urn:other">x</note>'), Refusal.BAD_MESSAGE),
        (message(sent="2026-07-15T09:58:00Z"), Refusal.BAD_MESSAGE),
        (message(sent="2026-07-15 09:58:00+08:00"), Refusal.BAD_MESSAGE),
        (message(sent="2026-13-15T09:58:00+08:00"), Refusal.BAD_MESSAGE),
        (message(sent="2026-07-15T10:58:00+08:00"), Refusal.CLOCK_SKEW),
        (message(info=INFO.format(area="").replace("T16", "T09")), Refusal.BAD_MESSAGE),
        (
            message(info=INFO.format(area="").replace("T16", "T09"), sent="2026-07-15T08:00:00+08:00"),
            Refusal.EXPIRED,
        ),
        (message(info=ENDLESS, sent="2026-07-14T10:00:00+08:00"), Refusal.EXPIRED),
        (message(info=INFO.format(area=AREA.replace("30.5,114.3</", "30.5,114.5</"))), Refusal.BAD_MESSAGE),
        (message(info=INFO.format(area=AREA.replace(" 1.5<", " far<"))), Refusal.BAD_MESSAGE),
        (message(info=INFO.format(area=AREA.replace("30.55,114.35", f"{'9' * 400},114.35"))), Refusal.BAD_MESSAGE),
        (message(info=INFO.format(area=AREA * 11)), Refusal.TOO_MANY),
        (message(info=INFO.format(area=AREA.replace("30.55,114.35", "90.0,114.35"))), Refusal.BAD_AREA),
    ],
)
def test_what_is_refused(text: bytes, code: Refusal) -> None:
    with pytest.raises(Refused) as refused:
        ordered(text)
    assert refused.value.code is code


def test_a_signature_is_passed_over_and_what_is_written_can_be_read() -> None:
    signed = message().replace(
        b"</alert>", b'<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><x/></Signature></alert>'
    )
    read = cap.read(signed)
    assert cap.read(cap.write(read)) == read


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: message(extra=text)))
def test_nothing_else_ever_happens(text: bytes) -> None:
    with contextlib.suppress(Refused):
        ordered(text)
