"""The log page says how far an alert came and who took it; nothing from outside goes in unescaped."""

from __future__ import annotations

from gateway.events import Event
from gateway.lifecycle import new_incident
from groups.vocabulary import IncidentCode
from poc_server.bridge.log_page import log_page


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
    assert "还没有记录" in log_page(new_incident(IncidentCode("C1")), [], {}, str)
