"""Makes deploy/config.toml from the models of all settings: ``python -m tools.docs.config``."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import Any

from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from poc_server.config import Config

FILE = Path(__file__).resolve().parents[2] / "deploy" / "config.toml"
HEAD = """\
# Every key of poc-server with its default, made from the models of the code: take the leading '#' off to change one.
# Sources, later ones winning: defaults, this file, the environment, the command line.
# In the environment a key is POC_ and its path joined by two underscores: POC_MEDIA__PORT=40000; lists as written here.
# An unknown key is an error. Secrets belong in the environment, not in this file.
"""


def text() -> str:
    """The whole file."""
    return "\n".join([HEAD, *_section(Config(), ())])


def _section(settings: BaseModel, path: tuple[str, ...], words: str = "") -> Iterator[str]:
    model = type(settings)
    says = _says(model)
    nested = []
    if path:
        yield f"\n[{'.'.join(path)}]"
        yield from _comment(f"{inspect.getdoc(model) or ''} {words}")
    for name, field in model.model_fields.items():
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            words = says.get(name, "")
            nested.append((value, (*path, name), words))
            continue
        yield from _comment(" ".join(filter(None, [says.get(name, ""), _bounds(field)])))
        yield f"#{name} = {_toml(value)}" if value is not None else f"# {name} = …   (not set)"
    for inner, inner_path, words in nested:
        yield from _section(inner, inner_path, words)


def _comment(words: str) -> Iterator[str]:
    words = " ".join(words.replace("``", "").split())
    if words:
        yield f"# {words}"


def _bounds(field: FieldInfo) -> str:
    low = next((m.ge if isinstance(m, Ge) else m.gt for m in field.metadata if isinstance(m, Ge | Gt)), None)
    high = next((m.le if isinstance(m, Le) else m.lt for m in field.metadata if isinstance(m, Le | Lt)), None)
    step = next((m.multiple_of for m in field.metadata if isinstance(m, MultipleOf)), None)
    above = any(isinstance(m, Gt) for m in field.metadata)
    parts = []
    if low is not None:
        parts.append(f"{'more than' if above else 'at least'} {low}")
    if high is not None:
        parts.append(f"at most {high}")
    if step is not None:
        parts.append(f"a multiple of {step}")
    choices = getattr(field.annotation, "__args__", ())
    if choices and all(isinstance(choice, str) for choice in choices):
        parts.append("one of " + ", ".join(choices))
    return f"({', '.join(parts)})" if parts else ""


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return _toml(value.value)
    if isinstance(value, int):
        return f"{value:_}" if value >= 10_000 else str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str | Path):
        return json.dumps(str(value), ensure_ascii=False)
    if isinstance(value, tuple | list | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return "[" + ", ".join(_toml(item) for item in items) + "]"
    if isinstance(value, BaseModel):
        given = value.model_dump(exclude_defaults=True)
        return "{ " + ", ".join(f"{name} = {_toml(each)}" for name, each in given.items()) + " }"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_toml(str(k))} = {_toml(v)}" for k, v in value.items()) + " }" if value else "{}"
    raise TypeError(f"no TOML for {value!r}")


def _says(model: type[BaseModel]) -> dict[str, str]:
    """The sentence under each field of a model and of those it inherits from, as far as there is one."""
    found: dict[str, str] = {}
    for kind in reversed([k for k in model.__mro__ if issubclass(k, BaseModel) and k is not BaseModel]):
        body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
        assert isinstance(body, ast.ClassDef)
        for node, after in pairwise(body.body):
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(after, ast.Expr):
                found[node.target.id] = str(after.value.value if isinstance(after.value, ast.Constant) else "")
    return found


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
