"""The documentation names what there is: every package of the house, every page, no link into nowhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from poc_server.cli import app

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [*sorted(DOCS.rglob("*.md")), *sorted(ROOT.glob("*.md"))]


def test_every_package_has_its_place_in_the_house() -> None:
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    packages = [p.parent.relative_to(ROOT) for p in (ROOT / "poc_server").glob("*/__init__.py")]
    packages += [Path(name) for name in ("groups", "codec", "signaling", "gateway", "loadtest", "web")]
    missing = [str(each) for each in packages if f"`{each}/`" not in text and f"`{each}`" not in text]
    assert missing == []


def test_every_page_stands_in_the_index() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in DOCS.glob("*.md") if page.name != "README.md" and page.name not in index] == []


def test_every_decision_has_its_own_number_and_stands_in_the_list_of_them() -> None:
    pages = list((DOCS / "decisions").glob("0*.md"))
    assert len({page.name[:4] for page in pages}) == len(pages)
    listed = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in pages if page.name not in listed] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_commands_that_are_named_are_there() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    named = set(re.findall(r"`poc-server ([a-z]+)", text)) | set(re.findall(r"`make ([a-z0-9-]+)", text))
    known = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    known |= {group.name for group in app.registered_groups if group.name}
    known |= set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named - known == set()


def test_alarms_are_explained() -> None:
    alarms = re.findall(r"alert: (\w+)", (ROOT / "deploy" / "alarms.yml").read_text())
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    assert [alarm for alarm in alarms if alarm not in text] == []
