"""The day as one page that needs nothing beside itself: pictures and voices are in it, in English and Chinese."""

from __future__ import annotations

from html import escape
from itertools import pairwise
from pathlib import Path

from tools.day.journal import Journal, Person, Picture, Scene, Sound, Words, clock, data_url

HERE = Path(__file__).parent
COLOURS = ("#1d6fd1", "#14804a", "#a34f00", "#7a3fc0", "#b3274a", "#00707d")
BARS = 64
HEADLINE = Words("One day of a case", "一个案卷的一天")
ABOUT = Words(
    "A city keeps its cases (案卷): a blocked drain, a fallen sign, a road that sinks in. When one is dispatched, this "
    "server gives it a talk group of its own, on the phones of exactly the people it was sent to. They hold a key and "
    "talk; what they say, see and do flows back into the case. Everything below was done, in the minutes before this "
    "page was written, by real browsers, this server, and a separate process that plays the city's case system. The "
    "pictures are their screens, the voices what was recorded.",
    "城市的每个案卷——积水、坠落的招牌、塌陷的路面——一经派遣，本服务器就为它建一个对讲组，成员恰好是派遣到的人，"
    "直接出现在他们的手机上。他们按住说话；所说、所见、所做都回到案卷里。下面的一切，是在本页写成之前的几分钟里，"
    "由真实的浏览器、本服务器和一个扮演案卷系统的独立进程完成的。图片是他们的屏幕，声音是录下的原话。",
)
PLACES = (
    (102, 86, "", Words("Case system", "案卷系统")),
    (102, 110, "small", Words("the city's own", "城市已有的")),
    (470, 86, "", Words("poc-server", "poc-server")),
    (470, 110, "small", Words("a talk group for each case", "每个案卷一个对讲组")),
    (827, 28, "", Words("Officers' phones", "队员手机")),
    (827, 46, "small", Words("a web page, nothing installed", "网页，无需安装")),
    (827, 93, "", Words("Dispatcher's console", "调度台")),
    (827, 111, "small", Words("hears, answers, claims", "监听、应答、接警")),
    (827, 158, "", Words("Leader's page", "领导页面")),
    (827, 176, "small", Words("cuts in over everybody", "随时插话")),
    (286, 66, "small", Words("case, people, state", "案卷、人员、状态")),
    (286, 132, "small", Words("voice, photos, taps", "语音、照片、回报")),
)


def page(journal: Journal) -> str:
    """The page."""
    colours = {person.name: COLOURS[at % len(COLOURS)] for at, person in enumerate(journal.cast)}
    style, script = (HERE / "page.css").read_text("utf-8"), (HERE / "page.js").read_text("utf-8")
    problem = f'<p class="problem">{escape(journal.problem)}</p>' if journal.problem else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{HEADLINE.en} · {HEADLINE.zh}</title><style>{style}</style></head><body><header>"
        '<div class="languages"><button value="en">English</button><button value="zh-CN">中文</button></div>'
        f"<h1>{_both(HEADLINE)}</h1><p>{_both(ABOUT)}</p>{_figures(journal)}{problem}</header><main>"
        f'<div class="panel">{_way()}{_cast(journal.cast, colours)}</div>{_track(journal, colours)}'
        f"{''.join(_scene(journal, scene, colours) for scene in journal.scenes)}</main>"
        f"<footer>{_foot(journal)}</footer>"
        f'<dialog><img alt=""></dialog><script>{script}</script></body></html>'
    )


def _both(words: Words) -> str:
    return f'<span class="en">{escape(words.en)}</span><span class="zh" lang="zh-CN">{escape(words.zh)}</span>'


def _figures(journal: Journal) -> str:
    checks = [check.holds for scene in journal.scenes for check in scene.checks]
    took = max(0.0, journal.ended - journal.scenes[0].at) if journal.scenes else 0.0
    said = sum(sound.seconds for sound in journal.sounds)
    figures = (
        ("good" if journal.ok else "bad", f"{sum(checks)} / {len(checks)}", Words("checks hold", "项检查成立")),
        ("", f"{took:.0f} s", Words("from first to last scene", "从第一幕到最后一幕")),
        (
            "",
            str(len(journal.sounds)),
            Words(f"voices, {said:.0f} s, to be played", f"段语音，共 {said:.0f} 秒，可播放"),
        ),
        ("", str(journal.events), Words("events told to the case system", "个事件送达案卷系统")),
    )
    rows = (f'<li class="{kind}"><b>{number}</b><span>{_both(words)}</span></li>' for kind, number, words in figures)
    return f'<ul class="figures">{"".join(rows)}</ul>'


def _way() -> str:
    def text(x: int, y: int, kind: str, words: Words) -> str:
        said = ((words.en, "en"), (words.zh, "zh"))
        return "".join(f'<text class="{kind} {lang}" x="{x}" y="{y}">{escape(each)}</text>' for each, lang in said)

    words = "".join(text(*each) for each in PLACES)
    return (HERE / "way.svg").read_text("utf-8").format(label=escape(HEADLINE.en), words=words)


def _cast(cast: list[Person], colours: dict[str, str]) -> str:
    rows = (
        f'<li><span class="face" style="--who:{colours[each.name]}">{escape(each.name[:1])}</span>'
        f"<span><b>{escape(each.name)}</b><small>{_both(each.part)}</small></span></li>"
        for each in cast
    )
    return f'<ul class="cast">{"".join(rows)}</ul>'


def _track(journal: Journal, colours: dict[str, str]) -> str:
    """All that was said, a lane for each who spoke; a touch plays it."""
    if not journal.sounds:
        return ""
    begin, end = journal.sounds[0].at, max(sound.at + sound.seconds for sound in journal.sounds)
    lanes = []
    for who in dict.fromkeys(sound.who for sound in journal.sounds):
        bars = "".join(
            f'<button data-plays="voice-{at}" title="{clock(sound.at)} · {sound.seconds:.1f} s" '
            f'aria-label="{escape(who)} {clock(sound.at)}" style="left:{(sound.at - begin) / (end - begin):.2%};'
            f'width:{sound.seconds / (end - begin):.2%}"></button>'
            for at, sound in enumerate(journal.sounds)
            if sound.who == who
        )
        lanes.append(
            f'<div class="lane" style="--who:{colours.get(who, COLOURS[0])}"><span>{escape(who)}</span>'
            f'<div class="bars">{bars}</div></div>'
        )
    title = _both(Words("All that was said in the case", "案卷里说过的每一句话"))
    whole = _both(Words("▶ Play all of it", "▶ 依次播放"))
    return (
        f'<div class="panel"><div class="tools"><h3>{title}</h3><button class="whole">{whole}</button></div>'
        f'{"".join(lanes)}<div class="axis"><span>{clock(begin)}</span><span>{clock(end)}</span></div></div>'
    )


def _scene(journal: Journal, scene: Scene, colours: dict[str, str]) -> str:
    checks = "".join(f"<li{'' if each.holds else ' class=no'}>{_both(each.said)}</li>" for each in scene.checks)
    voices = "".join(_voice(journal.sounds.index(sound), sound, colours) for sound in journal.said_in(scene))
    texts = "".join(
        f"<details><summary>{_both(caption)}</summary><pre>{escape(content)}</pre></details>"
        for caption, content in scene.texts
    )
    broken = "" if all(each.holds for each in scene.checks) else " class=broken"
    return (
        f"<section{broken}><time>{clock(scene.at)}</time><div><h2>{_both(scene.title)}</h2><p>{_both(scene.story)}</p>"
        f'<ul class="checks">{checks}</ul>{_pictures(scene.pictures)}'
        f"{f'<div class=voices>{voices}</div>' if voices else ''}{texts}</div></section>"
    )


def _pictures(pictures: list[Picture]) -> str:
    figures = "".join(
        f'<figure{" class=wide" if each.wide else ""}><button><img alt="{escape(each.caption.en)}" loading="lazy" '
        f'src="{data_url(each.kind, each.content)}"></button><figcaption>{_both(each.caption)}</figcaption></figure>'
        for each in pictures
    )
    return f'<div class="pictures">{figures}</div>' if figures else ""


def _voice(at: int, sound: Sound, colours: dict[str, str]) -> str:
    heights = [max(2, height) for height in _bars(sound.peaks)]
    bars = "".join(
        f'<rect x="{at * 4}" y="{(44 - height) / 2:.1f}" width="2.6" height="{height:.1f}" rx="1.3"/>'
        for at, height in enumerate(heights)
    )
    return (
        f'<div class="voice" id="voice-{at}" data-seconds="{sound.seconds:.2f}" '
        f'style="--who:{colours.get(sound.who, COLOURS[0])}">'
        f'<button class="play" hidden aria-label="{escape(sound.who)}">▶</button>'
        f'<b>{escape(sound.who)}</b><svg viewBox="0 0 {BARS * 4} 44" preserveAspectRatio="none">{bars}</svg>'
        f"<small>{clock(sound.at)} · {sound.seconds:.1f} s</small>"
        f'<audio controls preload="metadata" src="{data_url("audio/ogg", sound.ogg)}"></audio></div>'
    )


def _bars(peaks: bytes) -> list[float]:
    """Peaks as so many heights of at most 44, the loudest of them full."""
    loudest = max(peaks, default=0) or 1
    count = min(BARS, len(peaks)) or 1
    edges = [at * len(peaks) // count for at in range(count + 1)]
    slices = [peaks[begin:end] for begin, end in pairwise(edges)]
    return [max(part, default=0) / loudest * 44 for part in slices for _ in range(BARS // count)]


def _foot(journal: Journal) -> str:
    return _both(
        Words(
            f"Made by `make day`, {clock(journal.ended)}. The page needs no network. It was written also if something "
            "did not hold: that would stand here with a red mark.",
            f"由 `make day` 生成，{clock(journal.ended)}。本页无需网络。若有不成立之处，也会照写，并标红。",
        )
    )
