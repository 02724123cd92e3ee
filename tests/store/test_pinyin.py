"""Names by the initials of their pinyin, surnames as they are read."""

from __future__ import annotations

import pytest

from poc_server.store.city.pinyin import AS_SURNAME, MAX_INITIALS, initials


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("王建国", "wjg"),
        ("单田芳", "stf dtf"),
        ("仇英", "qy cy"),
        ("曾国藩", "zgf cgf"),
        ("解缙", "xj jj"),
        ("区志远", "ozy qzy"),
        ("任正非", "rzf"),
        ("华罗庚", "hlg"),
        ("查良镛", "zly cly"),
        ("欧阳修", "oyx"),
        ("尉迟恭", "ycg"),
        ("李单", "ld"),
        ("Anna 王", "annaw"),
        ("👮", ""),
        ("", ""),
    ],
)
def test_a_name_is_found_by_its_initials_and_a_surname_also_as_one_reads_it(name: str, found: str) -> None:
    assert initials(name) == found


def test_they_fit_their_column_however_long_the_name_is() -> None:
    for surname in AS_SURNAME:
        for length in (62, 63, 64, 126, 127, 128, 200):
            assert 0 < len(initials(surname + "国" * length)) <= MAX_INITIALS
    assert len(initials("单" + "国" * 62)) == 63 + 1 + 63
    assert initials("单" + "国" * 64) == "s" + "g" * 64
