"""Every act the audit keeps has words in both languages, and no words are kept for what nothing writes."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import groups
import poc_server
from groups.emergency.broadcast import BroadcastState
from groups.policy import Act, audited
from groups.vocabulary import AlertState
from poc_server.emergency.calls import STARTED
from signaling.audit_words import ACTS, DENIED, REFUSED

WRITERS = {"audit", "record", "_record", "entry", "_entry", "_audit", "_access", "_keep", "_submit", "Changed", "Job"}
NAMED = re.compile(r"[a-z_]+\.[a-z_]+|sign_in")
MADE = {f"alert.{state.value}" for state in AlertState} | {f"broadcast.{state.value}" for state in BroadcastState}
MADE |= {STARTED}
"""Acts whose name is made of a state, or written by its own name."""


def test_every_act_the_code_writes_has_words() -> None:
    written = {act.removesuffix(DENIED) for act in _literals()}
    assert len(written) > 60
    assert written - ACTS.keys() == set()
    assert {act.value for act in Act if audited(act)} - ACTS.keys() == set()


def test_no_words_stand_for_acts_that_nothing_writes() -> None:
    written = {act.removesuffix(DENIED) for act in _literals()} | {act.value for act in Act} | MADE
    assert ACTS.keys() - written == set()
    assert all(zh.strip() and en.strip() for zh, en in ACTS.values())
    assert REFUSED not in ACTS


def _literals() -> Iterator[str]:
    """Texts that look like an act, among the arguments of the calls that write into the audit."""
    for package in (poc_server, groups):
        for path in Path(package.__path__[0]).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and _called(node) in WRITERS:
                    for part in node.args:
                        yield from _acts(part)


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _acts(part: ast.expr) -> Iterator[str]:
    if isinstance(part, ast.IfExp):
        yield from _acts(part.body)
        yield from _acts(part.orelse)
    elif isinstance(part, ast.Constant) and isinstance(part.value, str) and NAMED.fullmatch(part.value):
        yield part.value
