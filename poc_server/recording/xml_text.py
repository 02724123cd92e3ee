"""Text from outside, for XML."""

from __future__ import annotations

import unicodedata


def xml_text(text: str) -> str:
    """``text`` without what XML cannot carry (XML 1.0 §2.2)."""
    return "".join(
        c for c in text if c in "\t\n" or not (unicodedata.category(c) in ("Cc", "Cs") or c in "\ufffe\uffff")
    )
