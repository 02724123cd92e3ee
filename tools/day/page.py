"""The day as one page that needs nothing beside itself: pictures and voices are in it."""

from __future__ import annotations

from html import escape

from tools.day.journal import Journal, Picture, Scene, Sound, data_url

STYLE = """
:root{color-scheme:light dark;--line:#8884;--soft:#777;--good:#1a7f37;--bad:#cf222e}
body{font:16px/1.55 system-ui,"Noto Sans CJK SC",sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.7rem;margin:0 0 .3rem}h2{font-size:1.25rem;margin:0}header p{margin:.3rem 0;max-width:46rem}
.verdict{font-weight:700}.good{color:var(--good)}.bad{color:var(--bad)}
section{border-top:1px solid var(--line);padding:1.3rem 0;display:grid;grid-template-columns:6rem 1fr;gap:0 1rem}
section>time{font-variant-numeric:tabular-nums;color:var(--soft);padding-top:.2rem}
.pictures{display:flex;flex-wrap:wrap;gap:.8rem;margin:.8rem 0}figure{margin:0}
figcaption{font-size:.85rem;color:var(--soft);max-width:16rem}img{border-radius:.6rem;border:1px solid var(--line);
width:15rem;display:block}figure.wide img{width:min(46rem,100%)}ul{list-style:none;padding:0;margin:.6rem 0}
li{padding-left:1.4rem;text-indent:-1.4rem}li b{display:inline-block;width:1.4rem;text-indent:0}
audio{display:block;width:100%;max-width:30rem;height:2.4rem}pre{background:#8881;padding:.7rem;border-radius:.5rem;
overflow:auto;font-size:.8rem;max-height:20rem}details{margin:.5rem 0}summary{cursor:pointer;color:var(--soft)}
@media(max-width:40rem){section{grid-template-columns:1fr}}
"""


def page(journal: Journal) -> str:
    """The page."""
    good = sum(holds for scene in journal.scenes for holds, _ in scene.checks)
    number = sum(len(scene.checks) for scene in journal.scenes)
    verdict = f"{good} of {number} checks hold" + (f" — and then: {escape(journal.problem)}" if journal.problem else "")
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>One day of a case</title><style>{STYLE}</style><header><h1>One day of a case · 一个案卷的一天</h1>"
        "<p>A city keeps its cases (案卷) in a case system. This is what happens when one of them is dispatched: it "
        "gets a talk group of its own on the phones of exactly the people it was sent to, and what they say, see and "
        "do goes back into the case. Everything here was done a moment ago by real browsers and two real server "
        "processes; the pictures are their screens and the voices their recordings.</p>"
        f'<p class="verdict {"good" if journal.ok else "bad"}">{verdict}.</p></header>'
        f"{''.join(_scene(scene) for scene in journal.scenes)}</html>"
    )


def _scene(scene: Scene) -> str:
    checks = "".join(_check(holds, said) for holds, said in scene.checks)
    return (
        f"<section><time>{scene.clock}</time><div><h2>{escape(scene.title)}</h2><p>{escape(scene.story)}</p>"
        f"<ul>{checks}</ul>{_pictures(scene.pictures)}{''.join(_sound(sound) for sound in scene.sounds)}"
        f"{''.join(_text(caption, content) for caption, content in scene.texts)}</div></section>"
    )


def _check(holds: bool, said: str) -> str:
    kind, mark = ("good", "✓") if holds else ("bad", "✗")
    return f'<li><b class="{kind}">{mark}</b>{escape(said)}</li>'


def _pictures(pictures: list[Picture]) -> str:
    if not pictures:
        return ""
    figures = (
        f'<figure{" class=wide" if each.wide else ""}><img alt="{escape(each.caption)}" '
        f'src="{data_url("image/png", each.png)}"><figcaption>{escape(each.caption)}</figcaption></figure>'
        for each in pictures
    )
    return f'<div class="pictures">{"".join(figures)}</div>'


def _sound(sound: Sound) -> str:
    source = data_url("audio/ogg", sound.ogg)
    return f'<figure><figcaption>{escape(sound.caption)}</figcaption><audio controls src="{source}"></audio></figure>'


def _text(caption: str, content: str) -> str:
    return f"<details><summary>{escape(caption)}</summary><pre>{escape(content)}</pre></details>"
