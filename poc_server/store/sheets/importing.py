"""A file carried out: judged whole, then written in short transactions, between which others may write.

SQLite has one writer. Held until a city is read in, it would keep an SOS from being written, and so from being told.
What is written must still be so as it was judged: each transaction looks whether somebody else changed what the
judgement stands on, the rights of who imports among it, and then what is left of the file is judged again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from groups.vocabulary import Refusal
from poc_server.ground.refused import Refused
from poc_server.store import audit, change
from poc_server.store.audit import Actor
from poc_server.store.directory import rows
from poc_server.store.sheets.plan import Plan, Sheet, Verdict, judge
from poc_server.store.store import Store

LINES_AT_ONCE = 50
"""Lines of one transaction: hundredths of a second for people, a few tenths where a line is several statements."""
MAX_JUDGEMENTS = 5
"""How often a file is judged again before a line of it can be written; then whoever keeps editing is let go first."""
ENDLESS = "others edit without end"
RIGHTS: frozenset[change.Kind] = frozenset({"agency", "unit", "user"})
"""What the table of rights looks at."""


@dataclass(frozen=True, slots=True)
class Import:
    """What became of a file.

    Attributes:
        plan: what the whole file means, or meant before it was written.
        written: lines that stand in SQL by it.
        stopped: why the others do not, where something came between; the same file again does what is left.
    """

    plan: Plan
    written: int = 0
    stopped: Refused | None = None

    @property
    def applied(self) -> bool:
        """All of the file stands in SQL."""
        return self.stopped is None and not self.plan.mistakes


async def dry_run(store: Store, make: Callable[[], Sheet], data: bytes) -> Plan:
    """What a file would change.

    Raises `BadSheet`, what ``make`` refuses, `StoreUnavailable`, and `Refused` (stale) when others edit without end.
    """
    return (await _judge(store, make, data)).plan


async def carry_out(store: Store, actor: Actor, name: str, make: Callable[[], Sheet], data: bytes) -> Import:
    """Write a file without mistakes; with one in it, nothing. One file at a time, ``name`` is its kind in the audit.

    ``make`` makes the sheet of what the directory holds now, and refuses who may not import it. Raises as `dry_run`;
    nothing is written then.
    """
    async with store.importing:
        return await _Work(store, actor, name, make, data).done()


@dataclass(frozen=True, slots=True)
class _Judged:
    sheet: Sheet
    plan: Plan
    version: int


class _Moved(Exception):
    """Somebody else changed what the judgement stands on."""


class _Work:
    def __init__(self, store: Store, actor: Actor, name: str, make: Callable[[], Sheet], data: bytes) -> None:
        self._store = store
        self._actor = actor
        self._name = name
        self._make = make
        self._data = data
        self._written: dict[int, Verdict] = {}

    async def done(self) -> Import:
        plan = Plan([], [])
        fruitless = 0
        while True:
            before = len(self._written)
            try:
                if fruitless == MAX_JUDGEMENTS:
                    raise Refused(Refusal.STALE, ENDLESS)
                judged = await _judge(self._store, self._make, self._data)
                plan = self._as_written(judged.plan)
                if plan.mistakes and self._written:
                    raise Refused(Refusal.CONFLICT, "what others changed meanwhile")
                if not plan.mistakes:
                    await self._write(judged)
                return Import(plan, len(self._written))
            except _Moved:
                fruitless = 0 if len(self._written) > before else fruitless + 1
            except Refused as refused:
                if not self._written:
                    raise
                self._keep_stopped(plan)
                return Import(plan, len(self._written), refused)

    async def _write(self, judged: _Judged) -> None:
        looked_at = judged.version
        left = [verdict for verdict in judged.plan.verdicts if verdict.verb != "unchanged"]
        for part in _parts(left):
            async with self._store.change(self._actor) as doing:
                if await change.noted_between(doing, looked_at, judged.sheet.reads | RIGHTS):
                    raise _Moved
                await judged.sheet.apply(doing, part)
                if not left or part[-1] is left[-1]:
                    doing.record("sheet.import", "sheet", self._name, self._counted(judged.plan))
            looked_at = doing.version
            self._written |= {verdict.number: verdict for verdict in part}

    def _as_written(self, plan: Plan) -> Plan:
        """Lines that stand in SQL by this file are judged unchanged by now."""
        verdicts = [self._written.get(verdict.number, verdict) for verdict in plan.verdicts]
        return Plan(verdicts, plan.mistakes)

    def _counted(self, plan: Plan) -> dict[str, int]:
        whole = self._as_written(plan)
        return {"create": whole.count("create"), "update": whole.count("update")}

    def _keep_stopped(self, plan: Plan) -> None:
        told = {"written": len(self._written), "of": plan.count("create") + plan.count("update")}
        now = self._store.clock()
        self._store.journal.audit(audit.entry(self._actor, now, "sheet.import", "sheet", self._name, told))


async def _judge(store: Store, make: Callable[[], Sheet], data: bytes) -> _Judged:
    """By the directory and by SQL of one moment: somebody may be made between two looks."""
    for _ in range(MAX_JUDGEMENTS):
        await store.refresh()
        sheet, version = make(), store.directory.version
        async with store.database.snapshot() as connection:
            same = await rows.version_of(connection) == version
            if same:
                await sheet.prepare(connection)
        if same:
            return _Judged(sheet, await judge(sheet, data), version)
    raise Refused(Refusal.STALE, ENDLESS)


def _parts(verdicts: Sequence[Verdict]) -> Iterator[Sequence[Verdict]]:
    """At least one, so that a file that changes nothing is in the audit, too."""
    for start in range(0, max(1, len(verdicts)), LINES_AT_ONCE):
        yield verdicts[start : start + LINES_AT_ONCE]
