"""Exports the JSON Schema of all messages, words and limits for the pages: ``python -m signaling.schema FOLDER``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from signaling import limits
from signaling.audit_words import ACTS
from signaling.messages import ClientMessage, ServerMessage
from signaling.words import CALL_ENDS, REFUSALS, ROLES, STATUSES


def document() -> dict[str, Any]:
    """One schema whose definitions hold ClientMessage, ServerMessage and every model below them."""
    names: dict[str, Any] = {"ClientMessage": ClientMessage, "ServerMessage": ServerMessage}
    _, schema = TypeAdapter.json_schemas(
        [(name, "serialization", TypeAdapter(union)) for name, union in names.items()],
        title="poc.v1",
    )
    for name, union in names.items():
        part = TypeAdapter(union).json_schema(mode="serialization", ref_template="#/$defs/{model}")
        part.pop("$defs", None)
        schema["$defs"][name] = {"title": name, **part}
    for part in schema["$defs"].values():
        if "const" in part.get("properties", {}).get("type", {}):
            part["required"] = ["type", *part.get("required", [])]
    return schema


def words() -> dict[str, dict[str, dict[str, str]]]:
    """``{"refusals": {code: {"zh-CN", "en"}}, "roles", "statuses", "call_ends", "acts"}``."""
    return {
        "refusals": {code.value: {"zh-CN": zh, "en": en} for code, (zh, en) in REFUSALS.items()},
        "roles": {role.value: {"zh-CN": zh, "en": en} for role, (zh, en) in ROLES.items()},
        "statuses": {word.value: {"zh-CN": zh, "en": en} for word, (zh, en) in STATUSES.items()},
        "call_ends": {end: {"zh-CN": zh, "en": en} for end, (zh, en) in CALL_ENDS.items()},
        "acts": {act: {"zh-CN": zh, "en": en} for act, (zh, en) in ACTS.items()},
    }


def largest() -> dict[str, int]:
    """``{"MAX_…": value}``: what the server takes no more of than so many."""
    return {name: value for name, value in vars(limits).items() if name.startswith("MAX_")}


def main(folder: str) -> None:
    """Write ``protocol.schema.json``, ``words.json`` and ``limits.json`` into ``folder``."""
    out = Path(folder)
    out.mkdir(parents=True, exist_ok=True)
    made = {"protocol.schema.json": document(), "words.json": words(), "limits.json": largest()}
    for name, content in made.items():
        (out / name).write_text(json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
