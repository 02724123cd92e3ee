"""The log of an incident as one page without scripts: timeline, players, places. Made to be embedded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from gateway.delivery.events import Event
from gateway.incidents.incident_state import IncidentState
from gateway.mapping.times import local_text

_ZH = {
    "title": "案卷语音记录",
    "level": "等级",
    "members": "成员",
    "empty": "还没有记录",
    "place": "位置",
    "seconds": "秒",
    "group.opened": "通话组已建立",
    "group.parked": "通话组已暂停",
    "group.closed": "通话组已关闭",
    "group.removed": "通话组已移除",
    "members.changed": "成员变更",
    "member.joined": "已加入",
    "burst.recorded": "讲话",
    "emergency": "紧急告警",
    "photo": "照片",
    "note": "文字",
    "officer.accepted": "已接受",
    "officer.on_the_way": "在路上",
    "officer.on_scene": "已到场",
    "officer.done": "已处置",
    "raised": "发出",
    "claimed": "已接警",
    "acknowledged": "已响应",
    "resolved": "已处置",
    "false_alarm": "误报",
    "cancelled": "已撤销",
    "joined": "加入",
    "left": "离开",
    "earlier": "‹ 更早的记录",
    "later": "更新的记录 ›",
    "ended": "此链接已失效。请在案卷系统中刷新页面，取得新的链接。",
}
_EN = {
    "title": "Voice log of the case",
    "level": "Level",
    "members": "Members",
    "empty": "Nothing yet",
    "place": "Place",
    "seconds": "s",
    "group.opened": "Talk group opened",
    "group.parked": "Talk group parked",
    "group.closed": "Talk group closed",
    "group.removed": "Talk group removed",
    "members.changed": "Members changed",
    "member.joined": "Joined",
    "burst.recorded": "Said",
    "emergency": "Emergency",
    "photo": "Photo",
    "note": "Note",
    "officer.accepted": "Accepted",
    "officer.on_the_way": "On the way",
    "officer.on_scene": "On scene",
    "officer.done": "Done",
    "raised": "raised",
    "claimed": "claimed",
    "acknowledged": "acknowledged",
    "resolved": "resolved",
    "false_alarm": "false alarm",
    "cancelled": "cancelled",
    "joined": "in",
    "left": "out",
    "earlier": "‹ Earlier",
    "later": "Later ›",
    "ended": "This link has ended. Open the page of the case anew to get another.",
}
LOG_EVENTS = 200
"""Events of one page; links lead to those before and after."""
_STYLE = """
:root{color-scheme:light dark}body{font:15px/1.5 system-ui,"Noto Sans CJK SC",sans-serif;margin:1rem auto;
max-width:46rem;padding:0 1rem}h1{font-size:1.3rem;line-height:1.3;margin:0}p{margin:.25rem 0}ol{list-style:none;
padding:0;margin:1.2rem 0}li{display:grid;grid-template-columns:9.6rem minmax(0,1fr);gap:0 1.6rem;padding:.4rem 0;
position:relative}li::before{content:"";position:absolute;left:10.1rem;top:.78rem;width:.65rem;height:.65rem;
border-radius:50%;background:#9aa4ae;z-index:1}li::after{content:"";position:absolute;left:10.36rem;top:0;bottom:0;
width:2px;background:#8885}li:first-child::after{top:.8rem}li:last-child::after{bottom:auto;height:.8rem}
li.burst::before{background:#1a7f37}li.emergency::before{background:#cf222e}li.emergency b{color:#cf222e}
time{font-variant-numeric:tabular-nums;font-size:.93em;white-space:nowrap;opacity:.7;text-align:right}audio{display:block;width:100%;max-width:30rem;
height:2.2rem;margin-top:.25rem}small{opacity:.7}small span{white-space:nowrap;margin-right:.6em}img{display:block;
max-width:100%;max-height:18rem;border-radius:.4rem;margin-top:.3rem}nav{display:flex;
justify-content:space-between;gap:1rem}nav a{padding:.6rem 0}
@media(max-width:32rem){li{grid-template-columns:1fr;padding-left:1.4rem}time{text-align:left;
font-size:.85em}li::before{left:0;top:.85rem}li::after{left:.26rem}}
"""


@dataclass(frozen=True, slots=True)
class Pages:
    """Links to what came before and after the events of a page; None where there is nothing."""

    earlier: str | None = None
    later: str | None = None


def log_page(
    state: IncidentState,
    events: Sequence[Event],
    links: Mapping[str, str],
    name: Callable[[str], str],
    pages: Pages = Pages(),
    *,
    english: bool = False,
) -> str:
    """The whole page; nothing from outside goes in unescaped.

    ``links``: recording or photo → link; ``name``: user id → name.
    """
    words = _EN if english else _ZH
    ways = _ways(pages, words)
    incident = state.incident
    rows = "".join(_row(event, links, name, words) for event in sorted(events, key=_when))
    log = f"<ol>{rows}</ol>" if rows else f"<p>{words['empty']}</p>"
    members = "、".join(escape(name(user)) for user in sorted(state.members))
    level = f"{words['level']} {incident.level}" if incident.level else ""
    facts = " · ".join(escape(fact) for fact in (state.code, incident.address, level) if fact)
    return (
        f"{_head(incident.name, english=english)}<h1>{escape(incident.name)}</h1><p>{facts}</p>"
        f"<p><small>{words['title']} · {words['members']}: {members}</small></p>"
        f"{ways}{log}{ways}</html>"
    )


def ended_page(*, english: bool = False) -> str:
    """What stands there when the link opens nothing any more."""
    words = _EN if english else _ZH
    return f"{_head(words['title'], english=english)}<p>{words['ended']}</p></html>"


def _head(title: str, *, english: bool) -> str:
    return (
        f'<!doctype html><html lang="{"en" if english else "zh-CN"}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title><style>{_STYLE}</style>'
    )


def _ways(pages: Pages, words: Mapping[str, str]) -> str:
    """The earlier ones on the left, the later ones on the right."""
    if pages == Pages():
        return ""
    earlier, later = (
        "<i></i>" if to is None else f'<a href="{escape(to)}">{words[key]}</a>'
        for key, to in (("earlier", pages.earlier), ("later", pages.later))
    )
    return f"<nav>{earlier}{later}</nav>"


def _when(event: Event) -> int:
    """When it was so; what was said stands where it began, though the event comes when it was over."""
    began = event.data.get("started_ms")
    return began if event.recording and isinstance(began, int) else event.at


def _row(event: Event, links: Mapping[str, str], name: Callable[[str], str], words: Mapping[str, str]) -> str:
    kind = "burst" if event.recording else "emergency" if event.type == "emergency" else "event"
    said = escape(str(event.data.get("name") or (name(str(event.data["user"])) if event.data.get("user") else "")))
    text = f"<b>{said}</b> {words.get(event.type, escape(event.type))}" if said else words.get(event.type, event.type)
    return (
        f'<li class="{kind}"><time>{local_text(_when(event))}</time><div>{text}'
        f"{_state(event, name, words)}{_changes(event, name, words)}{_facts(event, words)}{_note(event)}"
        f"{_player(event, links)}{_photo(event, links)}</div></li>"
    )


def _state(event: Event, name: Callable[[str], str], words: Mapping[str, str]) -> str:
    """How far an alert has come, and who took it."""
    state = event.data.get("state")
    if event.type != "emergency" or not isinstance(state, str):
        return ""
    by = event.data.get("claimed_by")
    called = by.get("name") if isinstance(by, dict) else name(by) if isinstance(by, str) else None
    who = f" {escape(str(called))}" if called else ""
    return f" {words.get(state, escape(state))}{who}"


def _changes(event: Event, name: Callable[[str], str], words: Mapping[str, str]) -> str:
    told = []
    for key in ("joined", "left"):
        users = event.data.get(key)
        if isinstance(users, list) and users:
            told.append(f"{words[key]}: {'、'.join(escape(name(str(user))) for user in users)}")
    return f" <small>{'; '.join(told)}</small>" if told else ""


def _note(event: Event) -> str:
    note = event.data.get("note")
    return f"<p>{escape(note)}</p>" if isinstance(note, str) and note else ""


def _facts(event: Event, words: Mapping[str, str]) -> str:
    """How long somebody spoke, and where he was."""
    facts = [fact for fact in (_length(event, words), _place(event, words)) if fact]
    return f" <small>{' '.join(f'<span>{fact}</span>' for fact in facts)}</small>" if facts else ""


def _length(event: Event, words: Mapping[str, str]) -> str:
    length = event.data.get("duration_ms")
    if event.recording is None or not isinstance(length, int | float):
        return ""
    return f"{length / 1000:.1f} {words['seconds']}"


def _place(event: Event, words: Mapping[str, str]) -> str:
    place = event.data.get("place")
    if not isinstance(place, dict):
        return ""
    longitude, latitude = place.get("longitude"), place.get("latitude")
    if not isinstance(longitude, int | float) or not isinstance(latitude, int | float):
        return ""
    where = f"{longitude:.5f}, {latitude:.5f} {escape(str(place.get('datum', '')))}"
    return f"{words['place']} {where}"


def _photo(event: Event, links: Mapping[str, str]) -> str:
    link = links.get(str(event.data.get("photo", "")))
    return "" if link is None else f'<a href="{escape(link)}"><img loading="lazy" alt="" src="{escape(link)}"></a>'


def _player(event: Event, links: Mapping[str, str]) -> str:
    link = links.get(event.recording or "")
    return "" if link is None else f'<audio controls preload="none" src="{escape(link)}"></audio>'
