"""Writes the tables and the diagram of docs/floor-control.md from groups/floor/: `python -m tools.docs.floor`."""

from __future__ import annotations

from pathlib import Path

from groups.floor.precedence import FLOOR, Kind
from groups.floor.state import Phase
from groups.floor.table import TABLE, Guard, Move, Row

DOC = Path(__file__).resolve().parents[2] / "docs" / "floor-control.md"
BEGIN, END = "<!-- made by tools/docs/floor.py: begin -->", "<!-- made by tools/docs/floor.py: end -->"
NAMES = {Phase.IDLE: "Idle", Phase.TAKEN: "Taken", Phase.PENDING_REVOKE: "PendingRevoke"}
DUAL = {Guard.OVERRIDES, Guard.OTHER_TALKS, Guard.OTHER_LEAVES}
HANDOVERS = {Move.GRANT, Move.GRANT_NEXT}


def diagram() -> str:
    """The states and what leads from one to another, or hands the floor on within one; dual floor left out."""
    edges: dict[tuple[Phase, Phase], list[str]] = {}
    for row in TABLE:
        if row.guard in DUAL or (row.phase is row.then and not HANDOVERS & set(row.moves)):
            continue
        label = row.trigger.value if row.guard is Guard.ALWAYS else f"{row.trigger.value}, {row.guard.value}"
        edges.setdefault((row.phase, row.then), []).append(label)
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{phase.value}" as {NAMES[phase]}' for phase in Phase]
    lines.append("    [*] --> Idle")
    lines += [f"    {NAMES[a]} --> {NAMES[b]}: {'<br/>'.join(labels)}" for (a, b), labels in edges.items()]
    return "\n".join([*lines, "```"])


def table(phase: Phase) -> str:
    """The rows of one state."""
    lines = [f"### {phase.value}", "", "| on | if | do | then | clause |", "|---|---|---|---|---|"]
    lines += [_line(row) for row in TABLE if row.phase is phase]
    return "\n".join(lines)


def _line(row: Row) -> str:
    moves = "; ".join(move.value for move in row.moves) or "—"
    then = "—" if row.then is row.phase else row.then.value
    return f"| {row.trigger.value} | {row.guard.value} | {moves} | {then} | {row.clause} |"


def precedence() -> str:
    """Who goes before whom."""
    names = [each.name.lower() if each is not Kind.SOS else "SOS" for each in Kind]
    lines = ["### Precedence", "", f"| newcomer ↓, on air → | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(FLOOR[each])} |" for each, name in zip(Kind, names, strict=True)]
    return "\n".join(lines)


def render(text: str) -> str:
    """``text`` with all between the two marks made anew."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    made = "\n\n".join([precedence(), diagram(), *(table(phase) for phase in Phase)])
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{after}"


if __name__ == "__main__":
    DOC.write_text(render(DOC.read_text("utf-8")), "utf-8")
