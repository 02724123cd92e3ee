"""The pictures of docs/, drawn from real servers.

Every state is drawn, to be looked at; the pages of docs/ show some, and only those are kept beside them.
"""

from __future__ import annotations

import shutil

from tests.support.city import ROOT

OUT = ROOT / "build" / "pictures"
_DOCS = ROOT / "docs"


def publish() -> None:
    """Bring the pictures that a page shows into docs/pictures/, and say where all are."""
    pages = "".join(page.read_text() for page in (ROOT / "README.md", *_DOCS.rglob("*.md")))
    shown = [picture for picture in sorted(OUT.glob("*.png")) if picture.name in pages]
    for picture in shown:
        shutil.copyfile(picture, _DOCS / "pictures" / picture.name)
    print(f"{len(shown)} pictures of docs/ are new; all that were drawn are in {OUT.relative_to(ROOT)}/")
