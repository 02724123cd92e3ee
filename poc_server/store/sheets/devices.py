"""Devices as CSV: ``id, device, enabled, account, badge, person``. They come by enrolment, so a file makes none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, DeviceId, UserId
from poc_server.store.change import Change, Kind
from poc_server.store.city import sessions
from poc_server.store.city.people import account_key
from poc_server.store.city.sessions import DeviceWish
from poc_server.store.directory.snapshot import Device, Snapshot
from poc_server.store.sheets.known import KnownPeople
from poc_server.store.sheets.plan import BadCell, Verdict, compared, flag, verb_of, yes
from poc_server.store.sheets.text import MAX_NAME_CHARS, Line


@dataclass(frozen=True, slots=True)
class _Wish:
    device: DeviceId
    name: str
    enabled: bool


class DevicesSheet:
    """The devices of one agency: a line renames one, disables it (遥毙) or lets it be used again.

    Whose a device is is told and compared, so that a shifted table disables nobody's phone; it is never changed.
    ``may_rename``, ``may_disable``: what the one who imports may do, and with which devices.
    """

    columns: Sequence[str] = ("id", "device", "enabled", "account", "badge", "person")
    required: Sequence[str] = ("id", "device")
    reads: frozenset[Kind] = frozenset({"device", "user"})

    def __init__(
        self, snapshot: Snapshot, agency: AgencyId, may_rename: bool, may_disable: Callable[[Device], bool]
    ) -> None:
        self._may_rename = may_rename
        self._may_disable = may_disable
        self._known = KnownPeople(agency)
        self._there = {device.id: device for device in snapshot.devices.values() if device.agency == agency}

    async def prepare(self, connection: AsyncConnection) -> None:
        """Read everybody."""
        await self._known.load(connection)

    def judge(self, line: Line) -> Verdict:
        """Change a device or leave it."""
        if not line["id"]:
            raise BadCell("id", "missing")
        device = self._there.get(DeviceId(line["id"]))
        if device is None:
            raise BadCell("id", "unknown", line["id"])
        name = line["device"] or device.name
        if len(name) > MAX_NAME_CHARS or not name.isprintable():
            raise BadCell("device", "bad_value", name)
        self._check_owner(line, device)
        enabled = flag(line, "enabled", device.enabled)
        if name != device.name and not self._may_rename:
            raise BadCell("device", "not_allowed", name)
        if enabled != device.enabled and not self._may_disable(device):
            raise BadCell("enabled", "not_allowed", device.name)
        before = {"device": device.name, "enabled": yes(device.enabled)}
        differences = compared(before, {"device": name, "enabled": yes(enabled)})
        wish = _Wish(device.id, name, enabled)
        return Verdict(line.number, verb_of(True, differences), device.id, differences, wish)

    async def apply(self, change: Change, verdicts: Sequence[Verdict]) -> None:
        """All of them together; the sessions of disabled ones end."""
        wishes: list[_Wish] = [verdict.wish for verdict in verdicts]
        await sessions.set_devices(change, {wish.device: DeviceWish(wish.enabled, wish.name) for wish in wishes})

    def rows(self) -> Iterator[Sequence[str]]:
        """Every device, by pinyin of whose it is; last those that are nobody's."""
        owned: dict[UserId | None, list[Device]] = {}
        for device in self._there.values():
            owner = device.user if device.user in self._known.rows else None
            owned.setdefault(owner, []).append(device)
        for owner in (*self._known.rows, None):
            for device in sorted(owned.get(owner, ()), key=lambda each: (each.name, each.id)):
                yield [device.id, device.name, yes(device.enabled), *self._owner(device)]

    def _owner(self, device: Device) -> tuple[str, str, str]:
        row = None if device.user is None else self._known.rows.get(device.user)
        return ("", "", "") if row is None else (row.account or "", row.badge, row.name)

    def _check_owner(self, line: Line, device: Device) -> None:
        account, badge, _ = self._owner(device)
        if line["account"] and account_key(line["account"]) != account:
            raise BadCell("account", "not_allowed", line["account"])
        if line["badge"] and line["badge"] != badge:
            raise BadCell("badge", "not_allowed", line["badge"])
