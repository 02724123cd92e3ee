"""Each kind of tampering is found, each innocent history is not."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from poc_server.ground.chain import (
    START,
    Head,
    SignedHead,
    Stored,
    canonical,
    digest,
    entry_from_json,
    entry_to_json,
    extend,
    head_from_json,
    head_to_json,
)
from poc_server.recording.proving.judge import Finding, Wrong, judge, signatures_by
from poc_server.recording.proving.keys import EvidenceKey

NOW = 1_760_000_000_000
KEY = EvidenceKey.of(Ed25519PrivateKey.generate())
OTHER = EvidenceKey.of(Ed25519PrivateKey.generate())
DAYS = ("2025-10-09", "2025-10-10")
FILES = {f"{day}/{i}.ogg": f"voice {day} {i}".encode() for day in DAYS for i in range(1, 6)}


def content(day: str, i: int) -> str:
    name = f"{day}/{i}.ogg"
    return canonical({"file": name, "sha256": hashlib.sha256(FILES[name]).hexdigest(), "talker": f"张{i}"})


def chain() -> dict[str, list[Stored]]:
    """Two days of five bursts."""
    days: dict[str, list[Stored]] = {}
    previous = START
    for day in DAYS:
        days[day] = extend(
            "g", day, (0, previous), [("burst", f"b{day}{i}", content(day, i)) for i in range(1, 6)], NOW
        )
        previous = days[day][-1].hash
    return days


def sign(rows: list[Stored], key: EvidenceKey = KEY, count: int | None = None) -> SignedHead:
    last = rows[(count or len(rows)) - 1]
    return key.sign(Head(last.entry.group, last.entry.day, last.entry.position, last.hash, NOW, key.name))


def found(
    days: Mapping[str, list[Stored]],
    heads: list[SignedHead] | None = None,
    files: Mapping[str, bytes] = FILES,
    now_ms: int = NOW,
) -> list[Finding]:
    def check_file(content: Mapping[str, object]) -> str | None:
        data = files.get(str(content["file"]))
        if data is None:
            return "missing"
        return None if hashlib.sha256(data).hexdigest() == content["sha256"] else "altered"

    entries = [stored for rows in days.values() for stored in rows]
    signed = [sign(rows) for rows in chain().values()] if heads is None else heads
    return judge(entries, signed, signatures_by({KEY.name: KEY.public_pem()}), check_file, now_ms)


def wrongs(findings: list[Finding]) -> set[Wrong]:
    return {finding.wrong for finding in findings}


def renumber(rows: list[Stored]) -> list[Stored]:
    """As one does who has only the table: positions made consecutive again, seals left as they were."""
    return [replace(row, entry=replace(row.entry, position=i)) for i, row in enumerate(rows, 1)]


def rebuild(rows: list[Stored], previous: bytes = START) -> list[Stored]:
    """As one does who knows how the chain is made but has no key."""
    items = [(row.entry.kind, row.entry.subject, row.content or "") for row in rows]
    return extend("g", rows[0].entry.day, (0, previous), items, NOW)


def test_an_untouched_chain_has_no_findings() -> None:
    assert found(chain()) == []


def test_several_heads_of_a_day_all_fit() -> None:
    days = chain()
    heads = [sign(rows, count=count) for rows in days.values() for count in range(1, 6)]
    assert found(days, heads) == []
    assert found(days, heads[::-1], now_ms=NOW + 120_000) == [], "in whatever order they come"


def test_a_flipped_byte_in_a_file() -> None:
    files = dict(FILES)
    files["2025-10-09/3.ogg"] = b"voice 2025-10-09 4"
    assert found(chain(), files=files) == [
        Finding(Wrong.ALTERED, "g", DAYS[0], 3, "file 2025-10-09/3.ogg"),
    ]


def test_a_file_that_is_gone() -> None:
    files = {name: data for name, data in FILES.items() if name != "2025-10-10/5.ogg"}
    assert found(chain(), files=files) == [Finding(Wrong.MISSING, "g", DAYS[1], 5, "file 2025-10-10/5.ogg")]


def test_a_record_that_says_something_else() -> None:
    days = chain()
    row = days[DAYS[0]][1]
    days[DAYS[0]][1] = replace(row, content=(row.content or "").replace("张2", "李2"))
    assert found(days) == [Finding(Wrong.ALTERED, "g", DAYS[0], 2, "its record")]


@settings(max_examples=60)
@given(st.sampled_from(["group", "subject", "at_ms", "content_hash", "previous", "kind", "hash"]), st.integers(0, 4))
def test_any_field_of_an_entry_that_is_changed(field: str, index: int) -> None:
    days = chain()
    row = days[DAYS[0]][index]
    changed = {
        "subject": "another",
        "kind": "note",
        "at_ms": NOW + 1,
        "content_hash": bytes(32),
        "previous": bytes([1]) * 32,
    }
    if field == "hash":
        days[DAYS[0]][index] = replace(row, hash=bytes([2]) * 32)
    elif field == "group":
        days[DAYS[0]] = [replace(r, entry=replace(r.entry, group="h")) for r in days[DAYS[0]]]
    else:
        days[DAYS[0]][index] = replace(row, entry=replace(row.entry, **{field: changed[field]}))  # type: ignore[arg-type]
    assert wrongs(found(days)) & {Wrong.ALTERED, Wrong.MISSING, Wrong.CUT_SHORT}


@pytest.mark.parametrize("index", [0, 2])
@pytest.mark.parametrize("hidden", [False, True])
def test_a_missing_entry(index: int, hidden: bool) -> None:
    days = chain()
    del days[DAYS[0]][index]
    if hidden:
        days[DAYS[0]] = renumber(days[DAYS[0]])
    assert Wrong.MISSING in wrongs(found(days))


def test_the_last_entries_dropped() -> None:
    days = chain()
    del days[DAYS[1]][3:]
    assert found(days) == [Finding(Wrong.CUT_SHORT, "g", DAYS[1], 4, "2 of 5 entries")]


def test_a_whole_day_dropped() -> None:
    days = chain()
    del days[DAYS[1]]
    assert [(f.wrong, f.day) for f in found(days)] == [(Wrong.MISSING, DAYS[1])]
    days = chain()
    del days[DAYS[0]]
    assert {(f.wrong, f.day) for f in found(days)} == {(Wrong.MISSING, DAYS[0]), (Wrong.MISSING, DAYS[1])}


@pytest.mark.parametrize("after", [1, 3])
def test_an_inserted_entry(after: int) -> None:
    days = chain()
    rows = days[DAYS[0]]
    (fake,) = extend("g", DAYS[0], (after, rows[after - 1].hash), [("burst", "fake", content(DAYS[0], 1))], NOW)
    days[DAYS[0]] = renumber([*rows[:after], fake, *rows[after:]])
    assert found(days) == [Finding(Wrong.INSERTED, "g", DAYS[0], after + 1, "no later entry is sealed to it")]


def test_two_entries_that_changed_places() -> None:
    days = chain()
    rows = days[DAYS[0]]
    days[DAYS[0]] = renumber([rows[0], rows[2], rows[1], *rows[3:]])
    assert wrongs(found(days)) == {Wrong.REORDERED}


def test_one_entry_sealed_anew() -> None:
    days = chain()
    row = days[DAYS[0]][2]
    forged = content(DAYS[0], 4)
    entry = replace(row.entry, content_hash=digest(forged))
    days[DAYS[0]][2] = Stored(entry, entry.seal(), forged)
    assert found(days) == [Finding(Wrong.ALTERED, "g", DAYS[0], 3, "its entry, which was sealed anew")]


def test_a_chain_rebuilt_without_the_key() -> None:
    days = chain()
    rows = days[DAYS[0]]
    forged = rebuild([*rows[:2], replace(rows[2], content=content(DAYS[0], 4)), *rows[3:]])
    days = {DAYS[0]: forged, DAYS[1]: rebuild(days[DAYS[1]], forged[-1].hash)}
    assert [(f.wrong, f.day) for f in found(days)] == [(Wrong.REBUILT, DAYS[0]), (Wrong.REBUILT, DAYS[1])]


def test_a_rebuilt_chain_signed_with_another_key_or_not_at_all() -> None:
    forged = rebuild(chain()[DAYS[0]][:4])
    assert wrongs(found({DAYS[0]: forged}, [sign(forged, OTHER)], now_ms=NOW + 120_000)) == {
        Wrong.BAD_SIGNATURE,
        Wrong.UNSIGNED,
    }
    assert wrongs(found({DAYS[0]: forged}, [], now_ms=NOW + 120_000)) == {Wrong.UNSIGNED}


def test_a_signature_moved_to_another_head() -> None:
    days = chain()
    signed = sign(days[DAYS[0]])
    lie = replace(signed, head=replace(signed.head, count=4, hash=days[DAYS[0]][3].hash))
    assert Wrong.BAD_SIGNATURE in wrongs(found({DAYS[0]: days[DAYS[0]][:4]}, [lie]))


@pytest.mark.parametrize(
    "changed", [{"group": "h"}, {"day": DAYS[1]}, {"count": 4}, {"hash": bytes(32)}, {"at_ms": NOW + 1}], ids=str
)
def test_no_word_of_a_head_is_changed_under_its_signature(changed: dict[str, Any]) -> None:
    days = chain()
    signed = sign(days[DAYS[0]])
    lie = replace(signed, head=replace(signed.head, **changed))
    assert Wrong.BAD_SIGNATURE in wrongs(found(days, [lie]))


def test_the_newest_entries_may_wait_for_their_signature() -> None:
    days = chain()
    heads = [sign(days[DAYS[0]]), sign(days[DAYS[1]], count=3)]
    assert found(days, heads, now_ms=NOW + 60_000) == []
    assert found(days, heads, now_ms=NOW + 60_001) == [Finding(Wrong.UNSIGNED, "g", DAYS[1], 4, "and 1 after it")]


def test_what_was_deleted_by_rule_has_a_tombstone_and_what_was_not_is_missing() -> None:
    days = chain()
    last = days[DAYS[1]][-1]
    stone = canonical({"subject": f"b{DAYS[0]}2", "reason": "retention"})
    days[DAYS[1]] += extend("g", DAYS[1], (last.entry.position, last.hash), [("tombstone", "t", stone)], NOW)
    days[DAYS[0]][1] = replace(days[DAYS[0]][1], content=None)
    files = {name: data for name, data in FILES.items() if name != "2025-10-09/2.ogg"}
    assert found(days, files=files) == []
    days[DAYS[0]][2] = replace(days[DAYS[0]][2], content=None)
    assert found(days, files=files) == [
        Finding(Wrong.MISSING, "g", DAYS[0], 3, "its record, and no tombstone says why"),
    ]


@pytest.mark.parametrize("record", ["no record", "[" * 100_000, "[1]"])
def test_an_entry_that_was_made_without_a_record(record: str) -> None:
    """By somebody who may write into the database, and whom the server signed for."""
    days = {DAYS[0]: extend("g", DAYS[0], (0, START), [("tombstone", "b1", record), ("burst", "b2", record)], NOW)}
    said = found(days, [sign(days[DAYS[0]])])
    assert said == [Finding(Wrong.ALTERED, "g", DAYS[0], position, "its record") for position in (1, 2)]


def test_an_entry_that_was_moved_to_where_none_can_be() -> None:
    """All positions up to there are not tried: it would take as long as the forger likes."""
    days = chain()
    rows = days[DAYS[1]]
    rows[-1] = replace(rows[-1], entry=replace(rows[-1].entry, position=2**62))
    assert wrongs(found(days)) >= {Wrong.MISSING}


def test_lines_of_an_export_come_back_whole() -> None:
    for rows in chain().values():
        assert [entry_from_json(entry_to_json(row)) for row in rows] == rows
        assert head_from_json(head_to_json(sign(rows))) == sign(rows)


def test_seals_and_what_is_signed_do_not_change_with_the_program() -> None:
    """Published values: evidence of years ago must still verify."""
    (row,) = extend("市容一组", "2025-10-10", (0, START), [("burst", "b-1", '{"a":1}')], NOW)
    assert row.hash.hex() == "41cd8fdcafb30b2a736c5be94d508ceed9129bc3f46d270679580712e0e9137c"
    said = f'poc-server evidence head 1\n["市容一组", "2025-10-10", 1, "{row.hash.hex()}", 1760000000000, "k"]'
    assert Head("市容一组", "2025-10-10", 1, row.hash, NOW, "k").statement() == said.encode()
