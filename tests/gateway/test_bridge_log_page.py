"""The log page says how far an alert came and who took it; nothing from outside goes in unescaped."""

from __future__ import annotations

from gateway.delivery.events import Event
from gateway.incidents.incident_state import new_incident
from groups.vocabulary import IncidentCode
from poc_server.bridge.links import Links
from poc_server.bridge.log_page import Pages, ended_page, log_page


def test_an_emergency_is_told_with_its_state_and_who_took_it() -> None:
    taken = {"state": "claimed", "name": "赵长青", "claimed_by": {"id": "u1", "name": "<b>萧</b>"}}
    events = [
        Event("a", "emergency", "C1", 1, 1_784_000_000_000, {"state": "raised", "name": "赵长青", "claimed_by": None}),
        Event("b", "emergency", "C1", 2, 1_784_000_001_000, {**taken}),
        Event("c", "emergency", "C1", 3, 1_784_000_002_000, {"state": "<i>", "name": "赵长青"}),
    ]
    page = log_page(new_incident(IncidentCode("C1")), events, {}, str)
    assert "紧急告警 发出" in page
    assert "紧急告警 已接警 &lt;b&gt;萧&lt;/b&gt;" in page
    assert "紧急告警 &lt;i&gt;" in page
    assert "Emergency claimed" in log_page(new_incident(IncidentCode("C1")), events, {}, str, english=True)


def test_what_was_said_stands_where_it_began_and_a_log_without_anything_says_so() -> None:
    said = {"started_ms": 1_784_000_001_000, "duration_ms": 4_400, "name": "李四"}
    events = [
        Event("a", "group.opened", "C1", 1, 1_784_000_000_000, {}),
        Event("b", "member.joined", "C1", 2, 1_784_000_003_000, {"name": "张三"}),
        Event("c", "burst.recorded", "C1", 3, 1_784_000_005_400, said, recording="b-1"),
    ]
    page = log_page(new_incident(IncidentCode("C1")), events, {"b-1": "/x.ogg"}, str)
    assert page.index("通话组已建立") < page.index("李四") < page.index("张三")
    assert 'src="/x.ogg"' in page
    assert "<b>李四</b> 讲话 <small><span>4.4 秒</span></small>" in page
    assert "还没有记录" in log_page(new_incident(IncidentCode("C1")), [], {}, str)


def test_places_are_told_with_their_datum_and_bad_ones_not_at_all() -> None:
    def said(place: object) -> str:
        data = {"name": "李四", "duration_ms": 3_200, "place": place}
        event = Event("a", "burst.recorded", "C1", 1, 1_784_000_000_000, data, recording="b-1")  # type: ignore[arg-type]
        return log_page(new_incident(IncidentCode("C1")), [event], {}, str)

    assert "位置 114.30512, 30.59276 GCJ-02" in said({"longitude": 114.305123, "latitude": 30.59276, "datum": "GCJ-02"})
    assert "讲话 <small><span>3.2 秒</span> <span>位置 1.00000" in said({"longitude": 1.0, "latitude": 2.0}), (
        "how long, then where"
    )
    assert "&lt;b&gt;" in said({"longitude": 1.0, "latitude": 2.0, "datum": "<b>"})
    for nowhere in (None, {}, [1, 2], {"longitude": 1.0}, {"longitude": "<b>", "latitude": 2.0}):
        assert "位置" not in said(nowhere)


def test_a_page_of_many_leads_to_the_others_and_a_link_that_has_ended_says_so() -> None:
    def page(pages: Pages, *, english: bool = False) -> str:
        return log_page(new_incident(IncidentCode("C1")), [], {}, str, pages, english=english)

    assert "<nav>" not in page(Pages())
    assert page(Pages(earlier="?a=1&b=2")).count('<a href="?a=1&amp;b=2">‹ 更早的记录</a>') == 2, "above and below"
    assert "Later ›" in page(Pages(later="?b"), english=True)
    assert "失效" in ended_page()
    assert "has ended" in ended_page(english=True)


def test_a_link_opens_to_its_last_moment_and_not_at_its_end() -> None:
    links = Links(b"key", "https://poc.example", 60_000)
    url, expires = links.log("ag", "C1", 1_000)
    signature = url.rpartition("signature=")[2]
    assert expires == 61_000
    assert links.opens("log/ag/C1", expires, signature, expires - 1)
    assert not links.opens("log/ag/C1", expires, signature, expires)
    assert not links.opens("log/ag/C1", expires + 1, signature, expires), "nobody makes it last longer"
    assert not Links(b"other", "", 60_000).opens("log/ag/C1", expires, signature, 1_000)
