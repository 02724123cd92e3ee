"""What administrators keep as CSV, a table for each kind: in with a dry run, out for a spreadsheet."""

from poc_server.store.sheets.cells import CellsSheet
from poc_server.store.sheets.devices import DevicesSheet
from poc_server.store.sheets.duty import DutySheet
from poc_server.store.sheets.groups import GroupsSheet
from poc_server.store.sheets.importing import Import, carry_out, dry_run
from poc_server.store.sheets.members import MembersSheet
from poc_server.store.sheets.people import PeopleSheet
from poc_server.store.sheets.plan import Plan, Sheet, Verdict, export
from poc_server.store.sheets.roles import RolesSheet
from poc_server.store.sheets.text import BadSheet
from poc_server.store.sheets.units import UnitsSheet

__all__ = [
    "BadSheet",
    "CellsSheet",
    "DevicesSheet",
    "DutySheet",
    "GroupsSheet",
    "Import",
    "MembersSheet",
    "PeopleSheet",
    "Plan",
    "RolesSheet",
    "Sheet",
    "UnitsSheet",
    "Verdict",
    "carry_out",
    "dry_run",
    "export",
]
