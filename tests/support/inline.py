"""Tables as they are written into the environment: inline TOML, whose strings, lists and truth values are JSON's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any


def inline(tables: Iterable[Mapping[str, Any]]) -> str:
    """A list of tables on one line."""
    rows = (
        ", ".join(f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in table.items())
        for table in tables
    )
    return "[" + ", ".join(f"{{ {row} }}" for row in rows) + "]"
