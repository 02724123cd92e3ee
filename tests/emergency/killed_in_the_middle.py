"""kill -9 in mid-broadcast, with an SOS and an emergency call open: all of it goes on after the restart, none twice.

What was ended just before, while SQL was away, does not come back with it; an SOS that was raised then does.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from codec.opus import CLOCK_HZ
from groups.vocabulary import ReceiptState
from loadtest.speech import recording
from poc_server.store.directory import directory_copy
from poc_server.store.journal import lines
from signaling.messages import (
    Alert,
    AlertAcknowledge,
    AlertClaim,
    AlertResolve,
    Broadcast,
    BroadcastEnd,
    BroadcastStart,
    BroadcastTally,
    BroughtIn,
    BroughtOut,
    EmergencyCall,
    EmergencyCancel,
    EmergencyState,
    Patched,
    PatchStart,
    Receipt,
    Recipients,
    Sos,
    SosRules,
)
from tests.emergency.cast import Cast, says
from tests.fixtures.postgres import Postgres
from tests.support.city import City, running_city
from tests.support.handsets import WAIT_S, Handset, handsets

FRAMES = 25
FOR_SOS = "应急频道"
JOINED = ("桥口巡查组", "城西区联勤")
ENDED = {"emergency.end": "done", "broadcast.withdrawn": "gone"}
BEGUN = {"emergency.start": "aired", "broadcast.start": "word"}
ON_DISK = {
    ("emergency_call_over", "done"),
    ("broadcast_over", "gone"),
    ("emergency_call", "aired"),
    ("broadcast", "word"),
    ("receipts", "word"),
}
COUNTED = {"sent": 0, "delivered": 0, "heard": 0, "acknowledged": 2, "missed": 0, "waiting": 1}
AGAIN = {
    # Were it for the journal's own pace, it would be behind when what went on is taken up again.
    "POC_STORE__JOURNAL__RETRY_MS": "600000",
    # Who took an alert has it still, however long the restart takes on a loaded machine.
    "POC_EMERGENCY__UNATTENDED_S": "600",
}
"""How the operator starts what was killed."""


async def until_copied(city: City) -> None:
    """Until the people of the city stand in the copy from which each node starts while SQL is away."""
    async with asyncio.timeout(WAIT_S):
        for own in city.own_data:
            while not ((found := directory_copy.read(own / "directory.copy")) and found.users):  # noqa: ASYNC110 - by the server
                await asyncio.sleep(0.1)


def delivered(name: str, broadcast: str) -> Receipt:
    return Receipt(id=name, broadcast=broadcast, state=ReceiptState.DELIVERED)


async def until_counted(leader: Handset, broadcast: str, **wanted: int) -> None:
    while True:
        told = await leader.told(BroadcastTally, broadcast=broadcast)
        if all(getattr(told, name) == value for name, value in wanted.items()):
            return


async def before_the_kill(cast: Cast) -> tuple[str, list[Handset], Recipients]:
    leader, one, two, officer, dispatcher, shut = await cast.phones(
        "LD-001", "BJ-001", "BJ-002", "XS-001", "PQ-001", "XS-002"
    )
    missing = cast.id("QK-001")
    await leader.request(EmergencyCall(id="d", call="done", to=Recipients(users=[missing]), name="结束了的"))
    await leader.request(
        BroadcastStart(id="g", broadcast="gone", to=Recipients(users=[two.user]), kind="text", text="误")
    )
    to = Recipients(users=[one.user, two.user, missing])
    started, _ = await leader.request(BroadcastStart(id="b", broadcast="live", to=to, text="撤离"))
    note = BroadcastStart(id="n", broadcast="assembly", to=to, kind="text", text="集合", acknowledge=True)
    await leader.request(note)
    await says(one, delivered("r1", "live"))
    await says(one, Receipt(id="r2", broadcast="assembly", state=ReceiptState.ACKNOWLEDGED))
    await officer.request(Sos(id="s", alert="open", pressed_ms=1))
    await dispatcher.request(AlertClaim(id="c", alert="open"))
    await dispatcher.request(AlertAcknowledge(id="a", alert="open"))
    joined = [cast.group(dispatcher, name) for name in JOINED]
    await dispatcher.request(PatchStart(id="p", groups=joined, name="联合"))
    call = EmergencyCall(id="e", call="talks", to=Recipients(users=[two.user, missing]), name="会商")
    await leader.request(call)
    press = leader.press_key(started.group.id)
    await press.settled
    leader.speak(recording("zh-report").frames[0].marked(leader.number, 1, 0, time.time_ns()), 0)
    await one.until_packets(1)
    await shut.request(Sos(id="t", alert="shut", pressed_ms=1))
    return started.group.id, [leader, one, dispatcher], to


async def goes_on_without_sql(phones: list[Handset], to: Recipients, city: City) -> None:
    """Over for all, or raised, or begun, and on disk though SQL knows nothing of it."""
    leader, one, dispatcher = phones
    await one.request(Sos(id="u", alert="away", pressed_ms=2))
    await dispatcher.request(AlertClaim(id="v", alert="shut"))
    await dispatcher.request(AlertResolve(id="w", alert="shut", outcome="false_alarm"))
    done = next(m for m in leader.inbox if isinstance(m, BroughtIn) and m.call == "done")
    await leader.request(EmergencyCancel(id="x", group=done.group.id))
    await leader.told(BroughtOut, call="done")
    await leader.request(BroadcastEnd(id="y", broadcast="gone", withdraw=True))
    await leader.request(EmergencyCall(id="i", call="aired", to=to, name="没有数据库"))
    await one.told(BroughtIn, call="aired")
    await leader.request(BroadcastStart(id="j", broadcast="word", to=to, kind="text", text="令", acknowledge=True))
    await says(one, Receipt(id="k", broadcast="word", state=ReceiptState.ACKNOWLEDGED))
    acts = ENDED.items() | BEGUN.items()
    async with asyncio.timeout(WAIT_S):
        while True:
            on_disk = [journalled(own) for own in city.own_data]
            if all(each >= ON_DISK for each in on_disk) and any(acts <= each for each in on_disk):
                return
            await asyncio.sleep(0.05)


def journalled(own: Path) -> set[tuple[str, str]]:
    """What stands in the journal of one node: records by kind and id, acts by name and what was acted on."""
    found = [
        lines.decode(line) for path in (own / "journal").glob("*.journal") for line in path.read_bytes().splitlines()
    ]
    return {(each["kind"], each.get("id", "")) for each in found} | {
        (each["action"], each["target"]) for each in found if "action" in each
    }


async def after_it(cast: Cast, phones: list[Handset], group: str) -> None:
    dispatcher, officer, leader, one, two = phones
    alert = (await dispatcher.told(Alert, queue=True)).alert
    assert (alert.id, alert.state, alert.claimed_by.id) == ("open", "acknowledged", dispatcher.user)
    raised = (await dispatcher.told(Alert, queue=True)).alert
    if raised.id == "shut":  # an alert waits for no journal that is far behind: it is taken back a moment later
        while (raised := (await dispatcher.told(Alert)).alert).id == "shut":
            pass
    assert (raised.id, raised.state, raised.by.id, raised.pressed_ms) == ("away", "raised", one.user, 2)
    assert (await officer.told(EmergencyState, group=alert.group)).tier == 2
    await dispatcher.request(AlertResolve(id="z", alert="open", outcome="resolved"))
    joined = await dispatcher.told(Patched, open=True)
    assert (joined.name, joined.by.id, {each.name for each in joined.groups}) == ("联合", dispatcher.user, set(JOINED))
    assert (await two.told(BroughtIn, call="talks")).group.name == "会商"
    assert (await two.told(BroughtIn, call="aired")).group.name == "没有数据库"

    assert (await leader.told(BroughtIn, call="live")).group.id == group
    assert not [m for m in leader.inbox if isinstance(m, BroughtIn) and m.call == "done"]
    assert (await one.told(Broadcast)).receipt is ReceiptState.DELIVERED
    assert {(await two.told(Broadcast)).broadcast.id for _ in range(3)} == {"live", "assembly", "word"}
    await says(two, delivered("r1", "live"))
    await says(two, Receipt(id="r3", broadcast="word", state=ReceiptState.ACKNOWLEDGED))
    await says(two, Receipt(id="r2", broadcast="assembly", state=ReceiptState.ACKNOWLEDGED))
    await leader.say(group, FRAMES)
    await one.until_packets(FRAMES)
    while (await one.told(Broadcast, receipt=ReceiptState.DELIVERED)).broadcast.state != "over":
        pass
    said = FRAMES * CLOCK_HZ // 25
    heard = Receipt(id="h", broadcast="live", state=ReceiptState.HEARD, samples_expected=said, samples_played=said)
    await says(one, heard)
    await leader.request(BroadcastEnd(id="w", broadcast="live", withdraw=True))
    await until_counted(leader, "live", heard=1, delivered=1, missed=1)
    told = {m.broadcast.id for m in one.inbox if isinstance(m, Broadcast)}
    assert told.isdisjoint(("assembly", "word")), "acknowledged before"
    report = cast.city.get("/api/v1/broadcasts/live", leader.identity.token)
    assert len({each["person"]["id"] for each in report["receipts"]}) == len(report["receipts"]) == 3
    assert sorted(each["state"] for each in report["receipts"]) == ["delivered", "heard", "missed"]
    assert cast.city.get("/api/v1/broadcasts/gone", leader.identity.token)["broadcast"]["state"] == "withdrawn"
    auditor = cast.city.post(f"/api/v1/demo/people/{cast.id('SJ-001')}/step-in")["access_token"]
    alerts = cast.city.get("/api/v1/alerts", dispatcher.identity.token)["alerts"]
    states = {each["record"]["id"]: each["record"]["state"] for each in alerts}
    assert {"open": "resolved", "shut": "false_alarm", "away": "raised"}.items() <= states.items()
    audited = cast.city.get("/api/v1/audit?action=alert.raise&target=away", auditor)["items"]
    assert [each["actor"] for each in audited] == [one.user], "once"
    for action, target in (ENDED | BEGUN).items():
        (entry,) = cast.city.get(f"/api/v1/audit?action={action}&target={target}", auditor)["items"]
        assert entry["actor"] == leader.user
    for each in ("assembly", "word"):
        assert cast.city.get(f"/api/v1/broadcasts/{each}", leader.identity.token)["counts"] == COUNTED, each


async def says_an_sos_where_the_operator_wants_it(officer: Handset, group: str) -> None:
    """Whatever group he asks for; and he is told it before he needs it."""
    assert {m.group for m in officer.inbox if isinstance(m, SosRules)} == {group}
    assert officer.welcome is not None
    other = next(each.id for each in officer.welcome.groups if each.id != group)
    confirmed, _ = await officer.request(Sos(id="o", alert="there", pressed_ms=3, group=other))
    assert confirmed.group == group
    assert (await officer.told(BroughtIn, call="there")).group.id == group


async def test_all_goes_on_after_a_kill_as_soon_as_sql_is_back(
    cast: Cast, links: Path, city_postgres: Postgres, sql_url: str
) -> None:
    city, nodes = cast.city, len(cast.city.own_ports)
    group, before, to = await before_the_kill(cast)
    for_sos = cast.group(before[1], FOR_SOS)
    await until_copied(city)
    city_postgres.stop("immediate")
    await goes_on_without_sql(before, to, city)
    city.kill()
    on = {"POC_STORE__URL": sql_url, "POC_EMERGENCY__SOS_GROUP": for_sos}
    with running_city(city.data, env={**AGAIN, **on}, nodes=nodes) as restarted:
        async with handsets(restarted, links) as street:
            again = Cast(restarted, street)
            phones = await again.phones("PQ-001", "XS-001", "LD-001", "BJ-001", "BJ-002")
            assert not [m for phone in phones for m in phone.inbox if isinstance(m, Alert | Broadcast)]
            await phones[0].select(again.group(phones[0], JOINED[0]))
            city_postgres.start()
            await after_it(again, phones, group)
            await says_an_sos_where_the_operator_wants_it(phones[1], for_sos)
