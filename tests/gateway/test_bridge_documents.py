"""What comes from outside: bounded, checked field by field, and never an exception but a refusal."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.incidents.document import MAX_BODY_BYTES, MAX_DEPTH, BadDocument, read_document, read_json
from gateway.incidents.incident import MAX_PARTIES, MAX_TEXT_CHARS, MAX_WORD_CHARS
from gateway.mapping.times import to_ms
from groups.vocabulary import Refusal
from signaling.messages import Refused


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_a_body_at_the_limit_is_read_and_one_byte_more_is_refused() -> None:
    body = b'"' + b"x" * (MAX_BODY_BYTES - 2) + b'"'
    assert len(str(read_json(body))) == MAX_BODY_BYTES - 2
    with pytest.raises(Refused) as refused:
        read_json(body + b" ")
    assert refused.value.code is Refusal.TOO_LARGE
    with pytest.raises(Refused):
        read_json(b"{" + b" " * 10_000_000)


def test_nesting_at_the_limit_is_read_and_one_deeper_is_refused() -> None:
    read_json(nested(MAX_DEPTH + 1))
    for depth in (MAX_DEPTH + 2, 200, 100_000):
        with pytest.raises(BadDocument):
            read_json(nested(depth))


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"NaN", b'{"a":Infinity}', b"[1,]", b'{"a":\x00}'])
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(BadDocument):
        read_json(body)


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=20))
def test_a_document_of_any_shape_is_read_or_refused(value: object) -> None:
    keys = ("title", "urgent", "point", "parties", "limits", "files", "step", "version", "at", "id", "nonsense")
    for key in keys:
        with contextlib.suppress(BadDocument):
            read_document({key: value}).news(1)
    with pytest.raises(BadDocument):
        read_document(value)


def test_limits_of_a_document_hold_at_the_limit_and_not_beyond() -> None:
    party = {"kind": "user", "id": "u"}
    for fine, beyond in (
        ({"title": "x" * MAX_WORD_CHARS}, {"title": "x" * (MAX_WORD_CHARS + 1)}),
        ({"description": "x" * MAX_TEXT_CHARS}, {"description": "x" * (MAX_TEXT_CHARS + 1)}),
        ({"parties": [party] * MAX_PARTIES}, {"parties": [party] * (MAX_PARTIES + 1)}),
        ({"point": {"lon": 180, "lat": 90}}, {"point": {"lon": 180.1, "lat": 90}}),
        ({"version": 2**62}, {"version": 2**62 + 1}),
    ):
        read_document(fine)
        with pytest.raises(BadDocument):
            read_document(beyond)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"title": "路面"}'.encode("gbk"), "the body is not UTF-8, from byte 13 on"),
        ('{"title": "路面"}'.encode("utf-16"), "the body is not UTF-8, from byte 0 on"),
        (b"\x1f\x8b\x08\x00", "the body is not UTF-8, from byte 1 on"),
        (b'{"title":', "the body is not JSON: EOF while parsing a value at line 1 column 9"),
    ],
)
def test_a_body_that_cannot_be_read_is_told_where(body: bytes, said: str) -> None:
    with pytest.raises(BadDocument) as refused:
        read_json(body)
    assert refused.value.details == (said,)


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read_json('{"title": "路面"}'.encode("utf-8-sig")) == {"title": "路面"}


@pytest.mark.parametrize(
    ("told", "fields"),
    [
        ({"at": 1_784_073_600}, ["at"]),
        ({"limits": [{"stage": "handling", "due_ms": 1_784_073_600}]}, ["limits.0.due_ms"]),
        ({"limits": [{"stage": "handling", "allowed_ms": 1}, {"stage": "check"}]}, ["limits.1"]),
        ({"title": "a\0b", "cell": "1", "parties": [{"kind": "cell", "id": "\0"}]}, ["title", "parties"]),
    ],
)
def test_seconds_limits_without_a_length_and_nul_are_refused_by_their_field(
    told: dict[str, object], fields: list[str]
) -> None:
    with pytest.raises(BadDocument) as refused:
        read_document(told)
    assert [detail.partition(":")[0] for detail in refused.value.details] == fields


def test_a_refusal_names_the_field() -> None:
    with pytest.raises(BadDocument) as refused:
        read_document({"point": {"lon": "east", "lat": 1, "height": 3}, "nonsense": 1})
    assert [detail.partition(":")[0] for detail in refused.value.details] == ["point.lon", "point.height", "nonsense"]


def test_without_id_the_content_is_the_id_and_without_version_arrival_decides() -> None:
    one, same, other = ({"title": "a"}, {"title": "a"}, {"title": "b"})
    assert read_document(one).news(5).id == read_document(same).news(9).id != read_document(other).news(5).id
    assert read_document(one).news(5).version == 5
    assert read_document(one).news(5, newest=8).version == 9, "even when our clock went back"


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        (1_784_077_953, 1_784_077_953_000),
        (1_784_077_953_123, 1_784_077_953_123),
        ("1784077953", 1_784_077_953_000),
        ("2026-07-15 09:12:33", 1_784_077_953_000),
        ("2026/07/15 09:12:33", 1_784_077_953_000),
        ("2026-07-15T01:12:33Z", 1_784_077_953_000),
        ("2026-07-15T09:12:33.5+08:00", 1_784_077_953_500),
        ("2026年07月15日 09时12分33秒", 1_784_077_953_000),
        ("soon", None),
        ("", None),
        (True, None),
        (None, None),
        ([], None),
        (-1, None),
        (float("inf"), None),
        (float("nan"), None),
        ("9" * 80, None),
        ("0001-01-01", None),
    ],
)
def test_moments_as_others_write_them(text: object, ms: int | None) -> None:
    assert to_ms(text, 480, ("%Y年%m月%d日 %H时%M分%S秒",)) == ms


def test_documents_survive_json() -> None:
    told = {
        "title": "路面塌陷",
        "parties": [{"kind": "unit", "id": "a"}],
        "point": {"lon": 1.5, "lat": 2, "datum": "GCJ-02"},
    }
    assert read_document(json.loads(json.dumps(told))) == read_document(told)
