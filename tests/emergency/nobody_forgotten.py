"""What nobody answers is told again, and an alert does not stay with a dispatcher who is gone."""

from __future__ import annotations

import asyncio

from groups.vocabulary import ReceiptState
from signaling.messages import (
    Alert,
    AlertAcknowledge,
    AlertClaim,
    AlertResolve,
    Broadcast,
    BroadcastEnd,
    BroadcastStart,
    BroadcastTally,
    Receipt,
    Recipients,
    Sos,
)
from tests.emergency.cast import Cast, says
from tests.support.handsets import Handset
from tests.support.receiver import Receiver

REMINDERS = 2


def operated(vendor: Receiver) -> dict[str, str]:
    """An impatient operator: told again after two seconds, twice; the voice call that costs money comes last."""
    at_once, last = (
        f'{{name = "{name}", url = "{vendor.url}/ok/{name}?{{badge}}-{{id}}-{{attempt}}", from_attempt = {first}}}'
        for name, first in (("sms", 0), ("ring", REMINDERS))
    )
    return {
        "POC_NOTIFY__HTTP": f"[{at_once}, {last}]",
        "POC_EMERGENCY__REMIND_S": "2",
        "POC_EMERGENCY__REMINDERS": str(REMINDERS),
        "POC_EMERGENCY__UNATTENDED_S": "1",
    }


def said(phone: Handset, broadcast: str) -> list[int]:
    """As the how many-th reminder a broadcast came, of what is in the inbox."""
    return [m.reminder for m in phone.inbox if isinstance(m, Broadcast) and m.broadcast.id == broadcast]


async def receipt(phone: Handset, broadcast: str, state: ReceiptState) -> None:
    await says(phone, Receipt(id=f"{broadcast} {state}", broadcast=broadcast, state=state))


async def reminded(phone: Handset, broadcast: str, reminder: int) -> None:
    while (await phone.told(Broadcast, reminder=reminder)).broadcast.id != broadcast:
        pass


async def test_who_does_not_answer_is_told_again_and_who_was_away_gets_what_still_counts_in_order(
    cast: Cast, vendor: Receiver
) -> None:
    leader, answers, silent = await cast.phones("LD-001", "BJ-001", "BJ-002")
    away = cast.id("QK-001")
    to = Recipients(users=[answers.user, silent.user, away])
    orders = BroadcastStart(id="o", broadcast="order", to=to, kind="text", text="集合", acknowledge=True)
    await leader.request(orders)
    await leader.request(BroadcastStart(id="n", broadcast="news", to=to, kind="text", text="天气"))
    soon_over = BroadcastStart(id="s", broadcast="soon over", to=to, kind="text", text="路口封闭", expires_s=2)
    await leader.request(soon_over)
    every = [(phone, each) for phone in (answers, silent) for each in ("order", "news", "soon over")]
    await asyncio.gather(
        *(receipt(phone, each, ReceiptState.DELIVERED) for phone, each in every),
        receipt(answers, "order", ReceiptState.ACKNOWLEDGED),
    )

    await reminded(silent, "order", 1)
    while (over := await leader.told(BroadcastTally, broadcast="soon over", state="expired")).missed != 1:
        pass
    assert (over.delivered, over.waiting) == (2, 0)
    await leader.request(orders.model_copy(update={"id": "l", "broadcast": "later", "text": "出发"}))
    await reminded(silent, "order", REMINDERS)
    await reminded(silent, "later", REMINDERS)
    # By now there has been time for one more of the first than there shall be.
    assert said(silent, "order") == [0]
    assert said(silent, "news") == said(answers, "news") == [0], "it is on the phone, and nobody need answer it"
    assert said(answers, "order") == [0], "he has answered"
    woken = [each.path.split("?")[1] for each in vendor.until("/ok/ring", 3)]
    assert {each for each in woken if "later" not in each} == {"QK-001-order-2", "QK-001-news-2"}
    paths = [each.path.split("?")[1] for each in vendor.taken("/ok/sms")]
    assert [each for each in paths if "-order-" in each] == [f"QK-001-order-{attempt}" for attempt in range(3)]

    back = await cast.phone("QK-001")
    came = [(await back.told(Broadcast)).broadcast for _ in range(3)]
    assert [each.id for each in came] == ["order", "news", "later"], "in order, without what is over"
    assert sorted(each.at_ms for each in came) == [each.at_ms for each in came]
    await receipt(back, "order", ReceiptState.ACKNOWLEDGED)
    while (await leader.told(BroadcastTally, broadcast="order")).acknowledged != 2:
        pass
    for each in ("order", "news", "later"):
        await leader.request(BroadcastEnd(id=f"end {each}", broadcast=each, withdraw=True))


async def test_an_alert_goes_back_into_the_queue_when_the_dispatcher_who_took_it_is_gone(cast: Cast) -> None:
    officer, gone, stays = await cast.phones("BJ-003", "PQ-001", "PQ-002")
    await officer.request(Sos(id="s", alert="left", pressed_ms=1))
    await gone.request(AlertClaim(id="c", alert="left"))
    await gone.request(AlertAcknowledge(id="a", alert="left"))
    gone.close()
    for phone in (stays, officer):
        while (alert := (await phone.told(Alert)).alert).left_by is None:
            pass
        assert (alert.state, alert.claimed_by, alert.escalated) == ("raised", None, 1)
        assert alert.left_by.id == gone.user
    back = await cast.phone("PQ-001")
    assert (await back.told(Alert, queue=True)).alert.state == "raised"
    taken, _ = await stays.request(AlertClaim(id="c", alert="left"))
    assert taken.yours
    while (alert := (await back.told(Alert, queue=True)).alert).claimed_by is None:
        pass
    assert (alert.claimed_by.id, alert.left_by) == (stays.user, None)
    await stays.request(AlertResolve(id="z", alert="left", outcome="resolved"))
