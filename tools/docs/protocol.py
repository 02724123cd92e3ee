"""Keeps the reference tables of docs/protocol.md equal to the models: ``python -m tools.docs.protocol`` writes them.

A part of the page between ``<!-- begin NAME -->`` and ``<!-- end NAME -->`` is made here; all else is written by hand.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel

from groups import vocabulary
from signaling import limits
from signaling.messages import ClientMessage, ServerMessage
from signaling.schema import document
from signaling.words import REFUSALS, ROLES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"

ELSEWHERE = {"Refusal": "errors", "Role": "roles"}
"""Enumerations that have a section of their own."""

MODEL = re.compile(r"`([A-Z][a-z]\w*)`")
"""A message as the code names it; the name of a limit stays as it is."""

CLOSE_CODES = {
    limits.CLOSE_NORMAL: ("Done; the answer to your own close.", "as you like"),
    limits.CLOSE_GOING_AWAY: (
        "The server is going down, or heard nothing from you for too long.",
        "yes, with `resume`",
    ),
    limits.CLOSE_TOO_LARGE: ("A message was larger than `MAX_MESSAGE_BYTES`.", "no: mend the client"),
    limits.CLOSE_BAD_TOKEN: (
        "The token was not taken, or the account or device is disabled; see the `bye`.",
        "as `bye` says",
    ),
    limits.CLOSE_FORBIDDEN: ("Too many refused messages in a row.", "no: mend the client"),
    limits.CLOSE_HELLO_TIMEOUT: ("No `hello` in time.", "yes"),
    limits.CLOSE_REPLACED: ("The same person and device connected again.", "no: the other connection has the place"),
    limits.CLOSE_TOO_FAST: ("Messages kept coming faster than allowed.", "yes, later"),
}


def models(union: Any) -> Iterator[type[BaseModel]]:
    """The models of one discriminated union, in its order."""
    yield from get_args(get_args(union)[0])


def type_of(model: type[BaseModel]) -> str:
    return str(model.model_fields["type"].default)


def parts() -> dict[str, str]:
    """Every made part of the page, by name."""
    made: dict[str, Callable[[], str]] = {
        "client-messages": lambda: _messages(ClientMessage),
        "server-messages": lambda: _messages(ServerMessage),
        "shapes": _shapes,
        "limits": _limits,
        "close-codes": _close_codes,
        "errors": lambda: _table(("`code`", "zh-CN", "English"), [(f"`{c}`", *w) for c, w in REFUSALS.items()]),
        "roles": lambda: _table(("`role`", "zh-CN", "English"), [(f"`{c}`", *w) for c, w in ROLES.items()]),
        "numbers": _numbers,
    }
    return {name: make() for name, make in made.items()}


def fill(text: str) -> str:
    """The page with every made part as it should be."""
    for name, part in parts().items():
        pattern = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        text, found = pattern.subn(lambda m, part=part: f"{m[1]}\n{part}\n{m[2]}", text)
        if found != 1:
            raise ValueError(f"the page has {found} parts named {name}, not one")
    return text


def _messages(union: Any) -> str:
    definitions = document()["$defs"]
    named = [(type_of(model), definitions[model.__name__]) for model in models(union)]
    index = " · ".join(f"[`{name}`](#{name})" for name, _ in named)
    return f"{index}\n\n" + "\n".join(_message(f"`{name}`", definition) for name, definition in named)


def _shapes() -> str:
    definitions = document()["$defs"]
    tops = {m.__name__ for union in (ClientMessage, ServerMessage) for m in models(union)} | {
        "ClientMessage",
        "ServerMessage",
    }
    shapes = {name: d for name, d in definitions.items() if name not in tops and "properties" in d}
    return "\n".join(_message(name, definition) for name, definition in sorted(shapes.items()))


def _message(title: str, definition: dict[str, Any]) -> str:
    required = set(definition.get("required", ()))
    rows = [
        (f"`{name}`", _kind(schema), "required" if name in required else _default(schema))
        for name, schema in definition.get("properties", {}).items()
        if name != "type"
    ]
    says = _told(definition.get("description", ""))
    return f"#### {title}\n\n{says}\n\n" + (_table(("field", "value", "if left out"), rows) if rows else "")


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{ELSEWHERE.get(name, name.lower())})"
    if "anyOf" in schema:
        return " or ".join(_kind(s) for s in schema["anyOf"] if s.get("type") != "null")
    if "enum" in schema:
        return ", ".join(f"`{v}`" for v in schema["enum"])
    if schema.get("type") == "array":
        if "prefixItems" in schema:
            return "[" + ", ".join(_kind(item) for item in schema["prefixItems"]) + "]"
        most = f" of at most {schema['maxItems']}" if "maxItems" in schema else ""
        return f"list{most}: {_kind(schema['items'])}"
    return _scalar(schema)


def _scalar(schema: dict[str, Any]) -> str:
    words = {"string": "text", "integer": "integer", "number": "number", "boolean": "true or false", "object": "object"}
    low, high = schema.get("minimum", schema.get("minLength")), schema.get("maximum", schema.get("maxLength"))
    unit = " characters" if schema.get("type") == "string" else ""
    bounds = {
        (True, True): "",
        (False, False): f", {low}–{high}{unit}",
        (True, False): f", at most {high}{unit}",
        (False, True): f", at least {low}{unit}",
    }[low is None, high is None]
    return words.get(schema.get("type", ""), "anything") + bounds


def _default(schema: dict[str, Any]) -> str:
    default = schema.get("default")
    if isinstance(default, dict):
        return "its defaults"
    return "—" if default is None else f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _limits() -> str:
    """The constants of signaling/limits.py, with the sentence that follows each."""
    body = ast.parse(Path(limits.__file__).read_text(encoding="utf-8")).body
    rows = []
    for node, after in zip(body, [*body[1:], None], strict=True):
        target = node.targets[0] if isinstance(node, ast.Assign) else None
        if isinstance(target, ast.Name) and not target.id.startswith("CLOSE_"):
            says = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            rows.append((f"`{target.id}`", f"{getattr(limits, target.id)}", _told(str(says))))
    return _table(("limit", "value", ""), rows)


def _close_codes() -> str:
    return _table(
        ("close code", "why", "come back?"), [(str(code), *text) for code, text in sorted(CLOSE_CODES.items())]
    )


def _numbers() -> str:
    lines = []
    for name, definition in sorted(document()["$defs"].items()):
        if "enum" not in definition or name in ELSEWHERE:
            continue
        kind: type[Enum] = getattr(vocabulary, name)
        says = (kind.__doc__ or "").strip().splitlines()[0]
        values = ", ".join(
            f"`{v.value}`" if isinstance(v.value, str) else f"{v.value} {v.name.lower().replace('_', ' ')}"
            for v in kind
        )
        lines.append(f'- <a id="{name.lower()}"></a>**{name}** — {says} {values}.')
    return "\n".join(lines) + "\n"


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _told(says: str) -> str:
    """What the code says of something, in the words of the wire."""
    return MODEL.sub(lambda m: f"`{_snake(m[1])}`", " ".join(says.replace("``", "`").split()))


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


if __name__ == "__main__":
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
