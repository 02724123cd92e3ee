"""In which order a page lists groups of one size: as a person counts them."""

from __future__ import annotations

from poc_server.talk.overview import counted


def test_groups_are_listed_as_one_counts() -> None:
    numbered = [f"东湖{n}组" for n in ("一", "二", "三", "四", "九", "十", "十一", "二十", "二十三", "九十九")]
    assert sorted(numbered, key=counted) == numbered
    plain = ["2队", "9队", "10队", "城东", "城西区联勤"]
    assert sorted(plain, key=counted) == plain


def test_any_name_has_its_place() -> None:
    odd = ["", "十", "十十", "一一", "0", "00", "一十一十", "三千", "٣", "²"]
    assert len({counted(name) for name in odd}) == len(odd)
