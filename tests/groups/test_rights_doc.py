from __future__ import annotations

from tools.docs.rights import DOC, render


def test_the_document_shows_the_rights_as_they_are() -> None:
    text = DOC.read_text("utf-8")
    assert render(text) == text, "run: python -m tools.docs.rights"
