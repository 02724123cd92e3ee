"""Plausible names for as many people as are asked for, the same at every start."""

from __future__ import annotations

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = (
    "建国秀英志强丽娟海涛晓燕文博雪梅国栋玉兰子轩思远俊杰美玲立新"
    "春华明辉静怡永强佳慧振华淑芬浩然雨桐卫东桂英少华慧敏天宇红梅"
    "德胜欣怡家豪素珍鹏飞婉婷福生月华宏伟巧云向阳凤英长青若曦耀东"
    "金凤学军诗涵庆丰翠兰景明艳红保国梦洁世杰兰芳正平晓彤兴旺秋菊"
    "凯文"
)
GIVEN = tuple(_GIVEN[at : at + 2] for at in range(0, len(_GIVEN), 2))


def name_of(number: int) -> str:
    """The name of the ``number``-th person (from 0); the first 2,440 differ."""
    turn, surname = divmod(number, len(SURNAMES))
    # 61 is prime to 40 and to 7: the same pair comes again only after all pairs were used.
    return SURNAMES[surname] + GIVEN[(number * 7 + turn) % len(GIVEN)]
