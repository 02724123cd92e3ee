"""Two nodes that both believe to have the desk, for one of them slept: an alert is one dispatcher's all the same.

And a broadcast that both began, for SQL was away, is one. What neither SQL nor a disk has taken is said to be so.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from groups.emergency import broadcast as rules
from groups.emergency.alert import Acknowledge, AlertOptions, Claim, Held, Resolve, raised
from groups.model import User
from groups.vocabulary import AgencyId, AlertState, ReceiptState, Refusal, UnitId, UserId
from poc_server.emergency import live_broadcast
from poc_server.emergency.alerts import Alerts
from poc_server.emergency.live_alert import LiveAlert
from poc_server.emergency.settings import EmergencySettings
from poc_server.ground.refused import Refused
from poc_server.store import audit
from poc_server.store import emergency as kept
from poc_server.store.journal import Journal
from poc_server.store.settings import JournalSettings, StoreSettings
from poc_server.store.sql.engine import Database
from poc_server.store.sql.migrate import migrate
from poc_server.talk.later import Later
from signaling.messages import BroadcastStart, Recipients

pytestmark = pytest.mark.wire
NOW = 1_700_000_000_000
OFFICER, ANNA, BORIS = (
    User(UserId(name), AgencyId("ag"), UnitId("un"), name, frozenset()) for name in ("officer", "anna", "boris")
)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = Database.open(StoreSettings(), tmp_path)
    await migrate(opened)
    record = raised("al", OFFICER.id, None, NOW, NOW, AlertOptions())
    async with opened.writing() as connection:
        live = LiveAlert(record, OFFICER, None, None, None, covert=False)
        await kept.put_alert(connection, live.kept(), [])
    yield opened
    await opened.aclose()


class Console:
    """A page that is told of alerts."""

    def __init__(self, user: User) -> None:
        self.key, self.user, self.connection = "console", user, None
        self.told: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def write(self, framed: bytes) -> None:
        self.told.put_nowait(json.loads(framed[framed.index(b"{") :])["alert"])


async def desk(database: Database, console: Console | None = None, journal: Journal | None = None) -> Alerts:
    """One node's, with nobody connected but that console."""
    users = {each.id: each for each in (OFFICER, ANNA, BORIS)}
    roster = SimpleNamespace(user=users.get, group=lambda _: None)
    field = SimpleNamespace(
        roster=roster,
        phones={} if console is None else {console.key: console},
        fabric=SimpleNamespace(now=lambda: NOW),
        conditions=None,
        arrivals=None,
    )
    store = SimpleNamespace(reading=database.reading, writing=database.writing, clock=lambda: NOW, journal=journal)
    made: Any = SimpleNamespace(field=field, store=store, settings=EmergencySettings(), later=Later())
    made.spawn, made.wake_away = made.later.spawn, lambda *_: None
    made.claimers = lambda _: frozenset() if console is None else {console.user.id}
    made.tell_standing = lambda _: None
    made.sql = SimpleNamespace(silent=False)
    made.may_claim = lambda *_: True
    made.note = None if journal is None else journal.append
    made.gatherings = SimpleNamespace(begin=lambda *_: None, end=lambda _: None)
    made.entry = lambda user, action, kind, target, detail, agency: audit.entry(
        audit.SYSTEM, NOW, action, kind, target, detail, agency
    )
    alerts = Alerts(made)
    await alerts.load()
    return alerts


async def test_who_claims_at_a_desk_that_slept_learns_who_has_it(database: Database) -> None:
    awake, slept = await desk(database), await desk(database)
    await awake.step("al", None, Claim(ANNA.id))
    (held,) = [each for each in await slept.step("al", None, Claim(BORIS.id)) if isinstance(each, Held)]
    assert (held.by, held.yours) == (ANNA.id, False)


async def test_an_alert_that_is_open_is_not_called_over_where_it_is_not_led_yet(database: Database) -> None:
    new = await desk(database)
    new.rest()
    with pytest.raises(Refused) as refused:
        await new.step("al", OFFICER, Claim(OFFICER.id))
    assert refused.value.code is Refusal.UNAVAILABLE


async def test_what_was_closed_meanwhile_is_over_at_the_desk_that_slept(database: Database) -> None:
    awake, slept = await desk(database), await desk(database)
    for given in (Claim(ANNA.id), Resolve(ANNA.id, AlertState.RESOLVED)):
        await awake.step("al", None, given)
    with pytest.raises(Refused) as refused:
        await slept.step("al", None, Claim(BORIS.id))
    assert refused.value.code is Refusal.ALERT_OVER
    assert len(slept) == 0


def test_what_both_began_is_one() -> None:
    asked = BroadcastStart(id="b", broadcast="air", to=Recipients(users=[ANNA.id]), kind="text", text="撤离")
    here, stands = [live_broadcast.new(asked, OFFICER, [ANNA.id, BORIS.id], NOW, 1, None) for _ in range(2)]
    for live, user, state in (
        (stands, ANNA, ReceiptState.ACKNOWLEDGED),
        (here, ANNA, ReceiptState.SENT),
        (stands, BORIS, ReceiptState.SENT),
        (here, BORIS, ReceiptState.HEARD),
    ):
        live.receipts[user.id] = rules.advance(live.receipts[user.id], state, NOW)
    stands.version = 3
    here.learn(stands)
    assert (here.saved, here.version) == (True, 3), "its next step is newer than what stands"
    assert [here.receipts[each.id].state for each in (ANNA, BORIS)] == [ReceiptState.ACKNOWLEDGED, ReceiptState.HEARD]


@contextmanager
def busy(path: Path) -> Iterator[None]:
    """SQL answers nobody who wants to write."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


@contextmanager
def gone(folder: Path) -> Iterator[None]:
    """The disk of the journal takes nothing."""
    away = folder.rename(folder.with_name("away"))
    try:
        yield
    finally:
        away.rename(folder)


async def test_a_claim_that_is_only_in_memory_says_so_at_every_console_until_it_is_on_record(
    database: Database, tmp_path: Path
) -> None:
    console, folder = Console(BORIS), tmp_path / "journal"
    journal = Journal(folder, database, JournalSettings(), lambda: NOW)
    alerts = await desk(database, console, journal)
    sql = tmp_path / "poc.sqlite"
    async with asyncio.timeout(30):
        assert (await console.told.get())["kept"]
        with ExitStack() as still_busy:
            with gone(folder):
                with busy(sql):
                    await alerts.step("al", None, Claim(ANNA.id))
                    told = await console.told.get()
                    assert (told["state"], told["kept"], alerts.is_kept("al")) == ("claimed", False, False)
                told = await console.told.get()  # SQL is back, the disk is not
                assert (told["state"], told["kept"], alerts.is_kept("al")) == ("claimed", True, True)
                still_busy.enter_context(busy(sql))
                await alerts.step("al", None, Acknowledge(ANNA.id))
                assert not (await console.told.get())["kept"]
            told = await console.told.get()  # the disk is back, SQL is not
            assert (told["state"], told["kept"]) == ("acknowledged", True)
    await journal.aclose()
