"""CAP over HTTP: one message is one broadcast, Update and Cancel take back, and what goes out can be read again."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.cap import cap
from gateway.cap.cap_rules import broadcast_id
from gateway.cap.cap_tiers import DEFAULT_RULES
from groups.vocabulary import AgencyId
from signaling.messages import Broadcast, Sos, SosCancel
from tests.emergency.cast import Cast, city_of_links
from tests.support.city import City
from tests.support.handsets import Handset
from tests.support.inline import inline

pytestmark = pytest.mark.wire
NOTHING = {"broadcast": None, "duplicate": False, "withdrawn": [], "people": 0, "areas_left_out": 0}
SENDER = "weather.example"
SENT = datetime.now(UTC).replace(microsecond=0)
AGENCIES: dict[str, AgencyId] = {}
"""Of each city that runs, by its address."""


OWN = [{"event": ["水位"], "tell": "nobody"}, {"category": ["Geo"], "tell": "imminent_peril", "acknowledge": True}]
OPERATED = {
    "POC_EMERGENCY__CAP_RULES": inline([*OWN, *(rule.model_dump(exclude_defaults=True) for rule in DEFAULT_RULES)])
}
"""An operator keeps daily levels from the street and takes a quake in earnest whatever it says."""


@pytest.fixture(scope="module")
def city(links: Path) -> Iterator[City]:
    with city_of_links(links, OPERATED) as made:
        yield made


def message(number: int, *, status: str = "Actual", kind: str = "Alert", refers: int = 0, area: str = "") -> bytes:
    later = (SENT + timedelta(hours=1)).isoformat()
    info = (
        "<info><category>Met</category><event>暴雨</event><urgency>Immediate</urgency><severity>Extreme</severity>"
        f"<certainty>Observed</certainty><expires>{later}</expires><headline>暴雨{number}</headline>{area}</info>"
    )
    references = f"<references>{SENDER},w-{refers},{SENT.isoformat()}</references>" if refers else ""
    return (
        f'<alert xmlns="{cap.NAMESPACE}"><identifier>w-{number}</identifier><sender>{SENDER}</sender>'
        f"<sent>{SENT.isoformat()}</sent><status>{status}</status><msgType>{kind}</msgType><scope>Public</scope>"
        f"{references}{'' if kind == 'Cancel' else info}</alert>"
    ).encode()


def agency(city: City) -> AgencyId:
    """Who takes the messages: each agency has broadcasts of its own of them."""
    if city.url not in AGENCIES:
        someone = city.get("/api/v1/demo/people")[0]["id"]
        token = city.post(f"/api/v1/demo/people/{someone}/step-in")["access_token"]
        AGENCIES[city.url] = AgencyId(city.get("/api/v1/me", token)["agency"]["id"])
    return AGENCIES[city.url]


def name(cast: Cast, number: int) -> str:
    return broadcast_id(agency(cast.city), SENDER, f"w-{number}", SENT.isoformat())


def ask(cast: Cast, phone: Handset, path: str, body: bytes | None = None) -> bytes:
    headers = {"Authorization": f"Bearer {phone.identity.token}"}
    with urllib.request.urlopen(urllib.request.Request(cast.city.url + path, body, headers), timeout=30) as answer:
        found: bytes = answer.read()
    return found


def take(cast: Cast, phone: Handset, text: bytes) -> tuple[bool, list[str], int]:
    found = json.loads(ask(cast, phone, "/api/v1/cap", text))
    return found["duplicate"], found["withdrawn"], found["people"]


async def told(cast: Cast, phone: Handset, number: int, state: str = "over") -> Broadcast:
    while True:
        found = await phone.told(Broadcast)
        if (found.broadcast.id, found.broadcast.state) == (name(cast, number), state):
            return found


async def test_a_message_is_one_broadcast_however_it_comes(cast: Cast) -> None:
    leader, officer = await cast.phones("LD-001", "BJ-001")
    with pytest.raises(urllib.error.HTTPError) as refused:
        take(cast, officer, message(9))
    assert refused.value.code == 403
    duplicate, withdrawn, people = take(cast, leader, message(1))
    assert (duplicate, withdrawn, people > 30) == (False, [], True)
    assert (await told(cast, officer, 1)).broadcast.tier == 2
    assert take(cast, leader, message(1)) == (True, [], people)

    assert take(cast, leader, message(2, kind="Update", refers=1))[:2] == (False, [name(cast, 1)])
    await told(cast, officer, 2)
    await told(cast, officer, 1, "withdrawn")
    assert take(cast, leader, message(1)) == (True, [], 0)  # what was taken back does not come again

    assert take(cast, leader, message(4, kind="Cancel", refers=3))[1] == []  # overtook what it cancels
    assert take(cast, leader, message(3)) == (True, [], 0)
    assert take(cast, leader, message(5, kind="Cancel", refers=2))[1] == [name(cast, 2)]
    await told(cast, officer, 2, "withdrawn")

    take(cast, leader, message(6, status="Test"))
    practice = (await told(cast, officer, 6)).broadcast
    assert (practice.exercise, practice.tier, practice.text) == (True, 0, "【测试】暴雨6")
    assert not [m for m in officer.inbox if isinstance(m, Broadcast)]


async def test_the_operators_own_table_decides_the_tier(cast: Cast) -> None:
    leader, officer = await cast.phones("LD-001", "BJ-001")
    answer = json.loads(ask(cast, leader, "/api/v1/cap", message(31).replace("暴雨<".encode(), "水位<".encode())))
    assert answer == NOTHING
    take(cast, leader, message(32).replace(b"Met", b"Geo"))
    quake = (await told(cast, officer, 32)).broadcast
    assert (quake.tier, quake.acknowledge) == (1, True)


async def test_an_area_reaches_those_last_known_there(cast: Cast) -> None:
    leader = await cast.phone("LD-001")
    here = "<area><areaDesc>x</areaDesc><circle>30.58,114.298 3</circle></area>"
    nowhere = "<area><areaDesc>x</areaDesc><circle>1,1 3</circle></area>"
    assert 0 < take(cast, leader, message(11, area=here))[2] < 25
    with pytest.raises(urllib.error.HTTPError) as refused:
        take(cast, leader, message(12, area=nowhere))
    assert "nobody_called" in refused.value.read().decode()
    update = json.loads(ask(cast, leader, "/api/v1/cap", message(13, kind="Update", refers=11, area=nowhere)))
    assert update == NOTHING | {"withdrawn": [name(cast, 11)]}


async def test_an_area_that_cannot_be_used_keeps_nobody_in_the_others_from_being_told(cast: Cast) -> None:
    leader = await cast.phone("LD-001")
    here = "<area><areaDesc>x</areaDesc><circle>30.58,114.298 3</circle></area>"
    huge = "<area><areaDesc>x</areaDesc><polygon>20,100 20,120 40,120 40,100 20,100</polygon></area>"
    first = json.loads(ask(cast, leader, "/api/v1/cap", message(51, area=huge + here)))
    assert (first["broadcast"], first["people"] > 0, first["areas_left_out"]) == (name(cast, 51), True, 1)
    with pytest.raises(urllib.error.HTTPError) as refused:
        take(cast, leader, message(52, area=huge))
    assert "bad_area" in refused.value.read().decode()
    update = json.loads(ask(cast, leader, "/api/v1/cap", message(53, kind="Update", refers=51, area=huge)))
    assert update == NOTHING | {"withdrawn": [name(cast, 51)], "areas_left_out": 1}, "what it replaces no longer holds"


async def test_who_may_not_withdraw_the_old_warning_does_not_put_a_new_one_beside_it(cast: Cast) -> None:
    leader, dispatcher = await cast.phones("LD-001", "PQ-001")
    take(cast, dispatcher, message(41))
    with pytest.raises(urllib.error.HTTPError) as refused:
        take(cast, leader, message(42, kind="Update", refers=41))
    assert refused.value.code in (403, 404)
    assert take(cast, leader, message(42))[0] is False
    assert take(cast, dispatcher, message(43, kind="Cancel", refers=41))[1] == [name(cast, 41)]


async def test_what_goes_out_can_be_read(cast: Cast) -> None:
    leader, officer, dispatcher = await cast.phones("LD-001", "BJ-001", "PQ-001")
    take(cast, leader, message(21))
    out = cap.read(ask(cast, leader, f"/api/v1/broadcasts/{name(cast, 21)}/cap"))
    assert (out.msgType, out.status, out.info[0].headline) == ("Alert", "Actual", "暴雨21")
    take(cast, leader, message(22, kind="Cancel", refers=21))
    cancel = ask(cast, leader, f"/api/v1/broadcasts/{name(cast, 21)}/cap")
    found = cap.read(cancel)
    assert (found.msgType, found.references) == ("Cancel", f"{out.sender},{out.identifier},{out.sent}")
    came = cap.moment(found.sent).timestamp()
    assert abs(came - time.time()) < 30
    await officer.request(Sos(id="s", alert="cap-sos", pressed_ms=time.time_ns() // 1_000_000))
    sos = cap.read(ask(cast, dispatcher, "/api/v1/alerts/cap-sos/cap"))
    assert (sos.scope, sos.info[0].event, len(sos.info[0].area)) == ("Private", "SOS", 1)
    assert (sos.msgType, sos.info[0].urgency) == ("Alert", "Immediate")
    await officer.request(SosCancel(id="c", alert="cap-sos"))
    over = cap.read(ask(cast, dispatcher, "/api/v1/alerts/cap-sos/cap"))
    assert (over.msgType, over.note, over.info[0].urgency) == ("Cancel", "cancelled", "Past")
    assert (over.references, over.identifier == sos.identifier) == (f"{sos.sender},cap-sos,{sos.sent}", False)
    await asyncio.sleep(came + 1 - time.time())  # the next second: CAP tells no finer
    assert ask(cast, leader, f"/api/v1/broadcasts/{name(cast, 21)}/cap") == cancel, (
        "the same message whenever it is read"
    )
