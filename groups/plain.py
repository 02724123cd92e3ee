"""Frozen data as plain JSON values, read by a version that knows more or less of it than the one that wrote it.

In an upgrade nodes of two versions share one city (docs/decisions: nodes of two versions). So a field that is not known
here is passed over, and one that is missing has its default; what has none raises TypeError.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any


def known(kind: type[Any], plain: Mapping[str, Any]) -> dict[str, Any]:
    """Of ``plain`` what the dataclass ``kind`` has fields for."""
    return {each.name: plain[each.name] for each in fields(kind) if each.name in plain}
