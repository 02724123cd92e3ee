"""Writes the tables of docs/rights.md from groups/policy.py and groups/rights.py: `python -m tools.docs.rights`."""

from __future__ import annotations

from pathlib import Path

from groups.policy import TABLE
from groups.rights import RIGHTS, Right
from groups.vocabulary import Role
from signaling.words import ROLES

DOC = Path(__file__).resolve().parents[2] / "docs" / "rights.md"
BEGIN, END = "<!-- made by tools/docs/rights.py: begin -->", "<!-- made by tools/docs/rights.py: end -->"


def acts() -> str:
    """The policy table."""
    lines = [
        "| act | target | capability | right | where | not when banned | audited |",
        "|---|---|---|---|---|---|---|",
    ]
    for rule in TABLE:
        cells = (
            rule.act.value,
            rule.target.__name__.lower(),
            rule.capability.value,
            rule.right.value,
            rule.reach.value,
            "●" if rule.voice else "",
            "●" if rule.audited else "",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def rights() -> str:
    """Who holds which right."""
    lines = [f"| right | {' | '.join(ROLES[role][0] for role in Role)} |", "|---" * (len(Role) + 1) + "|"]
    for right in Right:
        marks = ["●" if right in RIGHTS[role] else "" for role in Role]
        lines.append(f"| {right.value} | {' | '.join(marks)} |")
    return "\n".join(lines)


def render(text: str) -> str:
    """``text`` with all between the two marks made anew."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    made = f"## Who holds which right\n\n{rights()}\n\n## What an act needs\n\n{acts()}"
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{after}"


if __name__ == "__main__":
    DOC.write_text(render(DOC.read_text("utf-8")), "utf-8")
