"""Names by their pinyin, surnames as they are read."""

from __future__ import annotations

import pytest

from poc_server.store.city.pinyin import AS_SURNAME, MAX_INITIALS, MAX_SYLLABLES, initials, sorted_as, sounds, spelled


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


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("张三", ["zs", "zhangsan", "Zhang San", "zhangs", "san", "z"]),
        ("王建国", ["wjg", "wangjianguo", "wangjg", "wangjian", "jianguo", "jiang"]),
        ("单田芳", ["shantianfang", "dantianfang", "stf", "shantf", "tianfang"]),
        ("解缙", ["xiejin", "xj", "jiejin"]),
        ("仇英", ["qiuying", "chouying"]),
        ("朴槿惠", ["piaojinhui", "pu"]),
        ("翟天临", ["zhaitl"]),
        ("尉迟恭", ["yuchigong"]),
        ("吕布", ["lvbu", "lübu"]),
        ("长安街巡逻组", ["changanjie", "xunluozu", "cajxlz", "Chang'an"]),
        ("重庆路二组", ["chongqinglu", "erzu"]),
        ("巡逻车3号", ["xlc3h", "xunluoche3"]),
        ("Anna 王", ["anna", "annawang"]),
    ],
)
def test_a_name_is_found_by_its_pinyin_from_any_syllable_on_written_out_or_by_first_letters(
    name: str, texts: list[str]
) -> None:
    assert [text for text in texts if not sounds(name, text)] == []
    written = spelled(name)
    for begin in range(len(written)):
        for end in range(begin + 1, len(written) + 1):
            part = written[begin:end]
            if part.isalnum() and part not in initials(name):
                assert sounds(name, part) == (f" {part}" in written), part


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("王建国", "ang"),
        ("王建国", "guojian"),
        ("张三", "lisi"),
        ("张三", "张"),
        ("张三", ""),
        ("张三", "%"),
        ("张三", " "),
    ],
)
def test_what_begins_within_a_syllable_or_is_no_pinyin_finds_nobody(name: str, text: str) -> None:
    assert not sounds(name, text)


def test_of_the_longest_name_only_so_much_is_written_out() -> None:
    longest = "".join(chr(0x4E00 + n) for n in range(128))
    assert spelled(longest) == spelled(longest[:MAX_SYLLABLES])
    assert len(spelled(longest)) < 6_000


def test_lists_go_by_sound_and_tone_and_keep_the_same_characters_together() -> None:
    order = ["", "安然", "Li Wei", "李静", "李靜", "单田芳", "汪明", "王家明", "王健国", "王建国", "岩", "👮"]
    assert sorted(set(order), key=sorted_as) == order
    assert sorted_as("Anna") == sorted_as("ANNA")
    assert len(sorted_as("装" * 128)) <= 256
