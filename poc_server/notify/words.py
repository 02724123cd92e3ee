"""What a notification says, in both languages."""

from __future__ import annotations

from gateway.waking.notice import Notice, NoticeKind

_TITLES: dict[NoticeKind, tuple[str, str]] = {
    NoticeKind.SOS: ("一键报警：{by}", "SOS: {by}"),
    NoticeKind.BROADCAST: ("{by} 的广播", "Broadcast from {by}"),
    NoticeKind.CALL: ("{by} 呼叫您", "{by} is calling you"),
    NoticeKind.INCIDENT: ("案件派给您：{by}", "A case for you: {by}"),
}
_PRACTICE = ("【演练】", "[Exercise] ")
_PAGES = {
    NoticeKind.SOS: "/console",
    NoticeKind.BROADCAST: "/talk",
    NoticeKind.CALL: "/talk",
    NoticeKind.INCIDENT: "/talk",
}


def title(notice: Notice, language: str) -> str:
    """One line; practice says so first."""
    english = language == "en"
    words = _TITLES[notice.kind][english].format(by=notice.by)
    return (_PRACTICE[english] if notice.exercise else "") + words


def page(notice: Notice) -> str:
    """Which page opens when it is touched."""
    return _PAGES[notice.kind]
