"""The bridge over real HTTP: who may tell, what is refused, what is read by a mapping, links that open and end."""

from __future__ import annotations

import hmac
import html
import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from gateway import samples
from poc_server.bridge.links import Links
from poc_server.bridge.log_page import LOG_EVENTS
from tests.gateway.bridged import SETUP, Bridged, call, until
from tests.recording.pictures import announcement

pytestmark = pytest.mark.wire

FLAT = (Path(next(iter(samples.__path__))) / "flat.json").read_text(encoding="utf-8")
OLD, NEW = "whsec_b2xkLXNlY3JldC1vbGQtc2VjcmV0", "whsec_bmV3LXNlY3JldC1uZXctc2VjcmV0"
MORE = """
[[senders]]
id = "signed"
proof = {{ kind = "standard", keys = ["NEW", "OLD"] }}

[[senders]]
id = "flat"
mapping = "flat"
proof = {{ kind = "hmac", keys = ["hmac-key"] }}

[[senders]]
id = "neighbour"
mapping = "flat"
proof = {{ kind = "address" }}
networks = ["10.0.0.0/8"]

[[polls]]
id = "list"
mapping = "rows.toml"
url = "http://127.0.0.1:{port}/list"
parameters = {{ since = "{{since}}" }}
interval_s = 1
overlap_s = 0
""".replace("NEW", NEW).replace("OLD", OLD)
ROWS = """
name = "rows"
items = "rows"
in = { code = "no", version = "t", at = "t", state = "s", title = "n", parties = { user = "who" } }
values = { state = { go = "dispatched", end = "closed" } }
"""
OFFICER = [{"kind": "user", "id": "DH-001"}]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bridged]:
    folder = tmp_path_factory.mktemp("bridged")
    (folder / "rows.toml").write_text(ROWS)
    with Bridged(folder, SETUP + MORE) as running:
        yield running


def standard(both: Bridged, body: bytes, secret: str = NEW, at: float | None = None, **headers: str) -> tuple[int, Any]:
    moment = datetime.fromtimestamp(time.time() if at is None else at, UTC)
    signed = {
        "webhook-id": "m1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign("m1", moment, body.decode()),
        "content-type": "application/json",
    }
    return call("POST", f"{both.url}/api/v1/senders/signed/news", body, {**signed, **headers})


def test_a_signed_message_is_taken_with_either_key_and_repeated_does_nothing(both: Bridged) -> None:
    body = json.dumps({"code": "S1", "version": 1, "parties": OFFICER}).encode()
    assert standard(both, body) == (200, {"taken": 1, "refused": []})
    assert standard(both, body, OLD) == (200, {"taken": 1, "refused": []})
    events = both.poc("GET", "/incidents/S1/events")[1]
    assert [event["type"] for event in events] == ["group.opened", "members.changed"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"secret": "whsec_d3Jvbmctc2VjcmV0LXdyb25n"}, "bad_signature"),
        ({"at": 1_000_000_000}, "clock_skew"),
        ({"at": 4_000_000_000}, "clock_skew"),
        ({"webhook-id": "m2"}, "bad_signature"),
        ({"webhook-signature": "v1,AAAA"}, "bad_signature"),
        ({"webhook-signature": "nonsense"}, "bad_signature"),
    ],
)
def test_wrong_old_and_replayed_signatures_are_refused(both: Bridged, change: dict[str, Any], code: str) -> None:
    status, problem = standard(both, b'{"code": "S2"}', **change)
    assert (status, problem["code"]) == (401, code)


def test_a_replayed_signature_under_another_body_is_refused(both: Bridged) -> None:
    moment = datetime.now(UTC)
    signed = {
        "webhook-id": "m3",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(NEW).sign("m3", moment, '{"code": "S3"}'),
    }
    url = f"{both.url}/api/v1/senders/signed/news"
    assert call("POST", url, b'{"code": "S4"}', signed)[0] == 401
    assert both.poc("GET", "/incidents/S4")[0] == 404


def test_a_proxy_of_this_machine_is_believed_for_whom_it_speaks(both: Bridged) -> None:
    """The server's socket calls it ::ffff:127.0.0.1."""
    url, told = f"{both.url}/api/v1/senders/neighbour/news", b"[]"
    said = [call("POST", url, told, headers)[0] for headers in ({}, {"X-Forwarded-For": "192.0.2.1"})]
    assert said == [401, 401]
    assert call("POST", url, told, {"X-Forwarded-For": "10.1.2.3"})[0] != 401


def signed(message: str, body: bytes) -> dict[str, str]:
    moment = datetime.now(UTC)
    stamp = {"webhook-id": message, "webhook-timestamp": str(int(moment.timestamp()))}
    return {**stamp, "webhook-signature": Webhook(NEW).sign(message, moment, body.decode())}


def test_a_signed_message_that_is_overheard_and_sent_again_changes_nothing(both: Bridged) -> None:
    url = f"{both.url}/api/v1"
    bodies = [json.dumps({"code": "S7", "title": title, "parties": OFFICER}).encode() for title in ("one", "two")]
    messages = [(body, signed(f"s7-{at}", body)) for at, body in enumerate(bodies)]
    for body, headers in messages * 2:
        assert call("POST", f"{url}/senders/signed/news", body, headers) == (200, {"taken": 1, "refused": []})
    unread = signed("s7-unread", b"[{}]")
    assert call("POST", f"{url}/senders/signed/news", b"[{}]", unread)[1]["taken"] == 0
    # Its sender did not get the answer, and signs it anew.
    assert call("POST", f"{url}/senders/signed/news", bodies[0], signed("s7-0", bodies[0]))[0] == 200
    assert both.poc("GET", "/incidents/S7")[1]["facts"]["title"] == "two"

    look = signed("s7-look", b"")
    for _ in range(2):
        assert call("GET", f"{url}/incidents/S7", None, look)[0] == 200
    status, problem = call("POST", f"{url}/incidents/S7/close", b"", look)
    assert (status, problem["code"]) == (401, "bad_signature"), "a look is no order"
    body = json.dumps({"title": "three"}).encode()
    put = signed("s7-put", body)
    assert call("PUT", f"{url}/incidents/S7", body, put)[1]["discarded"] is None
    assert both.poc("PUT", "/incidents/S7", {"title": "four"})[1]["discarded"] is None
    assert call("PUT", f"{url}/incidents/S7", body, put)[1]["discarded"] == "repeated"
    assert call("PUT", f"{url}/incidents/S9", body, put)[0] == 401
    for method, path in (("GET", "S7"), ("POST", "S7/log-link"), ("POST", "S7/close")):
        for body, headers in (*messages, (b"[{}]", unread)):
            status, problem = call(method, f"{url}/incidents/{path}", body, headers)
            assert (status, problem["code"]) == (401, "bad_signature"), "a webhook is neither a look nor an order"
    found = both.poc("GET", "/incidents/S7")[1]
    assert (found["facts"]["title"], found["state"]) == ("four", "dispatched")
    assert both.poc("GET", "/incidents/S9")[0] == 404


def test_their_own_document_is_read_as_the_mapping_says(both: Bridged) -> None:
    body = FLAT.encode()
    at = str(int(time.time()))
    signature = hmac.new(b"hmac-key", at.encode() + b"." + body, "sha256").hexdigest()
    headers = {"X-Signature": signature, "X-Timestamp": at}
    assert call("POST", f"{both.url}/api/v1/senders/flat/news", body, headers) == (200, {"taken": 1, "refused": []})
    found = both.poc("GET", "/incidents/E0403202607150017")[1]
    assert (found["state"], found["address"], found["lamp"]) == ("dispatched", "open", "off")
    assert found["unknown"] == ["user:u-zhang", "user:u-wang", "unit:unit-road"]
    assert found["facts"]["point"]["datum"] == "GCJ-02"


def test_news_that_cannot_be_read_is_told_and_kept_for_the_operator(both: Bridged) -> None:
    status, taken = standard(both, json.dumps([{"code": "S5", "urgent": "maybe"}, {"title": "no code"}, 7]).encode())
    assert (status, taken["taken"], len(taken["refused"])) == (200, 0, 3)
    status, kept = both.api("GET", "/bridge/refused", both.token("XT-001"))
    assert status == 200
    assert [row["incident"] for row in kept[:3]].count("S5") == 1
    assert both.api("GET", "/bridge/refused", both.token("DH-001"))[0] == 403


def test_strangers_learn_nothing(both: Bridged) -> None:
    for sender in ("nobody", "neighbour", "flat", "signed"):
        assert call("POST", f"{both.url}/api/v1/senders/{sender}/news", b"{}", {})[0] == 401
    assert both.poc("PUT", "/incidents/X1", {}, key="wrong")[0] == 401
    assert call("GET", f"{both.url}/api/v1/incidents")[0] == 401
    assert both.api("PUT", "/incidents/X1", both.token("DH-001"), {})[0] == 403
    assert both.api("PUT", "/incidents/X1", both.token("PQ-001"), {})[0] == 200
    [unproved] = re.findall(r"^poc_bridge_unproved_total (\d+)", call_text(f"{both.url}/metrics")[1], re.MULTILINE)
    assert int(unproved) >= 5


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"[" * 50_000, 422),
        (b'{"a":' * 30 + b"1" + b"}" * 30, 422),
        (b'{"title": 5}', 422),
        (b'{"nonsense": 1}', 422),
        (b'{"parties": [{"kind": "ghost", "id": "x"}]}', 422),
        (b'{"point": {"lon": 181, "lat": 0}}', 422),
        (b'{"version": -1}', 422),
        (b"\xff\xfe", 422),
        (b'{"title": "' + b"x" * 10_000_000 + b'"}', 413),
    ],
    ids=range(11),
)
def test_bad_bodies_are_refused_with_a_code(both: Bridged, body: bytes, status: int) -> None:
    found, problem = both.poc("PUT", "/incidents/B1", body)
    # A server that refuses a body before it is sent may hang up on the sender in the middle of it.
    hung_up = status == 413 and found == 0
    assert hung_up or (found, problem["status"]) == (status, status)
    assert both.poc("GET", "/incidents/B1")[0] == 404


@pytest.mark.parametrize("code", ["a%2Fb", "%00", "x" * 49, "<b>", "a%20b"])
def test_bad_codes_are_refused(both: Bridged, code: str) -> None:
    assert both.poc("PUT", f"/incidents/{code}", {})[0] in (404, 405, 422)


def test_unknown_people_units_cells_and_duties_are_named(both: Bridged) -> None:
    parties = [{"kind": kind, "id": "nobody"} for kind in ("user", "unit", "cell", "duty")] + OFFICER
    found = both.poc("PUT", "/incidents/U1", {"parties": parties})[1]["incident"]
    assert found["unknown"] == ["user:nobody", "unit:nobody", "cell:nobody", "duty:nobody"]
    officer = both.people()["DH-001"]
    assert (found["members"], found["badges"]) == ([officer], {officer: "DH-001"})
    nowhere = {"cell": "420102001003999", "parties": [{"kind": "cell"}, {"kind": "place"}]}
    assert both.poc("PUT", "/incidents/U2", nowhere)[1]["incident"]["unknown"] == ["cell:420102001003999", "place:"]


def test_who_tells_the_time_of_another_zone_is_told_how_far_ahead_it_is(both: Bridged) -> None:
    now = time.time_ns() // 1_000_000
    assert both.poc("PUT", "/incidents/T1", {"at": now})[1]["ahead_ms"] == 0
    ahead = both.poc("PUT", "/incidents/T1", {"at": now + 8 * 3_600_000})[1]["ahead_ms"]
    assert 0 < 8 * 3_600_000 - ahead < 600_000
    status, problem = both.poc("PUT", "/incidents/T1", {"at": now // 1_000})
    assert (status, problem["detail"].partition(":")[0]) == (422, "at")


def test_a_list_endpoint_is_polled(both: Bridged) -> None:
    now = int(time.time() * 1000)
    nameless = {"t": now + 60_000, "s": "go", "n": "of no number, and so in each round"}
    both.control(list=[{"no": "P1", "t": now - 5, "s": "go", "n": "polled", "who": "DH-001"}, nameless])
    until("P1 is open", lambda: (both.poc("GET", "/incidents/P1")[1] or {}).get("address") == "open")
    both.control(list=[{"no": "P1", "t": int(time.time() * 1000), "s": "end", "n": "polled"}])
    until("P1 is closing", lambda: both.poc("GET", "/incidents/P1")[1]["address"] == "closing")
    admin = both.token("XT-001")
    refused = [row for row in both.api("GET", "/bridge/refused", admin)[1] if row["sender"] == "list"]
    assert [json.loads(row["body"]) for row in refused] == [nameless], "kept once, and what it was"
    (poll,) = both.api("GET", "/bridge/polls", admin)[1]
    assert (poll["id"], poll["failures"]) == ("list", 0)
    assert both.api("GET", "/bridge/polls", both.token("DH-001"))[0] == 403


def test_a_hundred_times_the_same_changes_nothing(both: Bridged) -> None:
    answers = [both.poc("PUT", "/incidents/R1", {"title": "same", "parties": OFFICER})[1] for _ in range(100)]
    assert [answer["discarded"] for answer in answers] == [None] + ["repeated"] * 99
    assert len(both.poc("GET", "/incidents/R1/events")[1]) == 2


def test_news_that_moves_nothing_is_answered_with_why(both: Bridged) -> None:
    def told(**news: Any) -> tuple[Any, ...]:
        status, answer = both.poc("PUT", "/incidents/V1", news)
        assert status == 200
        return answer["discarded"], answer["late"], answer["fits"], answer["incident"]["state"]

    assert told(parties=OFFICER) == (None, False, True, "dispatched")
    assert told(step="accept", version=5) == (None, True, False, "dispatched"), "it stands before the dispatch"
    assert told(step="resume") == (None, False, False, "dispatched"), "it was never suspended"
    assert told(step="accept") == (None, False, True, "handling")
    assert told(step="accept") == ("repeated", False, True, "handling")


def test_links_open_for_whoever_has_them_and_for_nothing_else(both: Bridged) -> None:
    both.poc("PUT", "/incidents/L1", {"title": "<script>alert(1)</script>", "parties": OFFICER})
    both.poc("PUT", "/incidents/L2", {"parties": OFFICER})
    url = both.poc("POST", "/incidents/L1/log-link")[1]["url"]
    status, page = call_text(url)
    assert status == 200
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    for other in (url.replace("/L1?", "/L2?"), url[:-2], url.replace("expires=1", "expires=2")):
        assert call_text(other)[0] == 403
    assert call_text(f"{both.url}/api/v1/shared/recordings/b-1.ogg?expires=9999999999999&signature=x")[0] == 403
    assert call_text(f"{both.url}/api/v1/shared/photos/p-1.jpg?expires=9999999999999&signature=x")[0] == 403


def test_the_log_shows_the_newest_and_leads_to_the_others_in_any_frame(both: Bridged) -> None:
    def told(versions: range) -> None:
        """As many changes of members."""
        news = [
            {"code": "L3", "version": n, "parties": [{"kind": "user", "id": f"DH-00{1 + n % 2}"}]} for n in versions
        ]
        assert standard(both, json.dumps(news).encode()) == (200, {"taken": len(news), "refused": []})

    def rows(page: str) -> int:
        return page.count("<li ")

    def way(url: str, page: str, word: str) -> str:
        found = re.search(f'<a href="([^"]*)">{word}', page)
        assert found, word
        return urllib.parse.urljoin(url, html.unescape(found[1]))

    told(range(1, LOG_EVENTS))  # the first of them opens the group, too
    url = both.poc("POST", "/incidents/L3/log-link")[1]["url"]
    with urllib.request.urlopen(url, timeout=10) as answer:
        page, headers = answer.read().decode(), answer.headers
    assert rows(page) == LOG_EVENTS
    assert "<nav>" not in page
    assert "frame-ancestors *" in headers["content-security-policy"]
    assert "x-frame-options" not in headers

    told(range(LOG_EVENTS, LOG_EVENTS + 1))
    newest = call_text(url)[1]
    assert rows(newest) == LOG_EVENTS
    assert "通话组已建立" not in newest
    assert "更新的记录" not in newest
    earlier_url = way(url, newest, "‹ 更早的记录")
    earlier = call_text(earlier_url)[1]
    assert rows(earlier) == 1
    assert "通话组已建立" in earlier
    assert call_text(way(earlier_url, earlier, "更新的记录"))[1] == newest
    last = both.poc("GET", "/incidents/L3/events?before=9007199254740991&limit=3")[1]
    assert [each["sequence"] for each in last] == [LOG_EVENTS - 1, LOG_EVENTS, LOG_EVENTS + 1]
    assert call_text(url + "&before=0")[0] == 422

    # A link of an hour ago, made with the server's own key.
    data = both.city.log.parent / "data"
    agency = url.partition("/shared/incidents/")[2].partition("/")[0]
    ended, _ = Links.open(data / "keys", both.url, 3_600).log(agency, "L3", int(time.time() * 1000) - 3_600_000)
    status, page = call_text(ended)
    assert (status, "失效" in page) == (403, True)


def test_groups_are_linked_by_hand_and_bursts_only_if_there_are_any(both: Bridged) -> None:
    both.poc("PUT", "/incidents/G1", {"parties": OFFICER})
    token = both.token("PQ-001")
    groups = both.api("GET", "/me", token)[1]["groups"]
    assert both.api("PUT", "/incidents/G1/links", token, {"group": groups[0]["id"]})[1]["links"] == [groups[0]["id"]]
    assert both.api("DELETE", f"/incidents/G1/links/{groups[0]['id']}", token)[1]["links"] == []
    assert both.api("PUT", "/incidents/G1/links", token, {"group": "gr-nowhere"})[0] == 404
    assert both.api("PUT", "/incidents/nowhere/links", token, {"group": groups[0]["id"]})[0] == 404
    assert both.api("POST", "/incidents/G1/bursts", token, {"recording": "b-nothing"})[0] == 404


def test_a_photo_of_a_member_reaches_the_case_system_by_its_link(both: Bridged) -> None:
    both.poc("PUT", "/incidents/F1", {"parties": OFFICER})
    picture = b"\xff\xd8\xff\xe0" + b"x" * 100
    token = both.token("DH-001")
    groups = both.api("GET", "/me", token)[1]["groups"]
    elsewhere = next(group["id"] for group in groups if group["kind"] != "incident")
    said = announcement(picture, elsewhere, incident="F1", media_type="image/jpeg")
    assert both.api("POST", "/materials", both.token("DH-002"), said)[0] in (403, 404)
    assert both.api("POST", "/materials", token, {**said, "incident": "nowhere"})[0] == 404
    for _ in range(2):
        assert both.api("POST", "/materials", token, said)[0] == 201
        headers = {"Authorization": f"Bearer {token}", "Upload-Offset": "0"}
        upload = f"{both.url}/api/v1/materials/{said['id']}/upload"
        assert call("PATCH", upload, picture, headers)[1]["state"] == "kept"
    assert [event["type"] for event in both.poc("GET", "/incidents/F1/events")[1]].count("photo") == 1
    received = until(
        "the case system has it",
        lambda: [one for one in both.told()["received"] if one["type"] == "poc.incident.photo"],
    )
    photo = received[0]["data"]["photo"]
    assert photo["sha256"] == said["sha256"]
    with urllib.request.urlopen(photo["url"], timeout=10) as answer:
        assert (answer.headers["content-type"], answer.read()) == ("image/jpeg", picture)


def test_gone_stops_and_an_operator_starts_again(both: Bridged) -> None:
    def came() -> list[str]:
        return [event["type"] for event in both.told()["received"] if event["subject"] == "Q410"]

    both.control(mode="gone")
    assert both.poc("PUT", "/incidents/Q410", {"parties": OFFICER})[0] == 200
    admin = both.token("XT-001")
    until("the receiver is stopped", lambda: both.api("GET", "/bridge/receivers", admin)[1][0]["stopped"])
    both.control(mode="up")
    assert came() == []
    assert both.api("POST", "/bridge/receivers/cases/start", admin)[0] == 200
    until("both events came", lambda: came() == ["poc.incident.group.opened", "poc.incident.members.changed"])


def test_many_incidents_in_one_delivery(both: Bridged) -> None:
    many = [{"code": f"M{n}", "version": 1, "parties": OFFICER} for n in range(200)]
    began = time.monotonic()
    assert standard(both, json.dumps(many).encode()) == (200, {"taken": 200, "refused": []})
    print(f"200 incidents in one delivery: {time.monotonic() - began:.1f} s")
    assert both.poc("GET", "/incidents/M199")[1]["address"] == "open"


def call_text(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as problem:
        return problem.code, problem.read().decode()
