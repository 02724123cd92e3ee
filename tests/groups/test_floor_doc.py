from __future__ import annotations

from tools.docs.floor import DOC, render


def test_the_document_shows_the_table_as_it_is() -> None:
    text = DOC.read_text("utf-8")
    assert render(text) == text, "run: python -m tools.docs.floor"
