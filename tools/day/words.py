"""What the page says of each scene."""

from __future__ import annotations

from tools.day.journal import Words

Told = tuple[Words, Words]
"""Title and story."""

MORNING: Told = (
    Words("Morning", "早班"),
    Words(
        "Three officers of two patrols have their phones open, each in the channel of his own patrol. A dispatcher "
        "sits at the console. No case concerns them yet.",
        "两支巡查队的三名队员打开了手机，各在本队的频道里；一名派遣员坐在调度台前。此刻还没有案卷与他们有关。",
    ),
)
DISPATCHED: Told = (
    Words("A case is dispatched", "案卷派遣"),
    Words(
        "The road has sunk in. In the case system, a case is dispatched to the three officers; it is urgent. The case "
        "system tells this server by one HTTP request, and the case's talk group is there. A rule says that an urgent "
        "case takes the phones with it, where that disturbs nobody.",
        "路面塌陷。案卷系统把这个紧急案卷派遣给三名队员：只用一次 HTTP 请求告知本服务器，案卷的对讲组就建好了。"
        "按规则，紧急案卷会把手机切过来——只要不打扰任何人。",
    ),
)
TALK: Told = (
    Words("They talk in the case's group", "在案卷的对讲组里讲话"),
    Words(
        "Each of the three holds the key and speaks; the others hear it. Every talk burst is recorded, and its event "
        "goes out to the case system, signed, with a link to the audio. Play what they said:",
        "三人依次按住说话，其余人听到。每一段讲话都录下，事件签名后送达案卷系统，并带有录音链接。可以听听他们说了什么：",
    ),
)
ANOTHER: Told = (
    Words("A fourth is sent too", "增派一人"),
    Words(
        "The case is dispatched anew, to one more officer, who has no page open. A text message goes out by the "
        "operator's own gateway; the page is opened, and the case is there.",
        "案卷改派，增加一名没有打开页面的队员：由运营方自己的短信网关发出通知；打开页面，案卷就在眼前。",
    ),
)
EMERGENCY: Told = (
    Words("One is in danger", "有人遇险"),
    Words(
        "The edge gives way. One officer holds the SOS key: his microphone opens at once for all in the case's group "
        "and for the dispatcher, whose console rings.",
        "塌陷边缘松动。一名队员长按一键报警：他的麦克风立即向案卷组全员和派遣员打开，调度台响铃。",
    ),
)
LEADER: Told = (
    Words("The leader cuts in", "领导插话"),
    Words(
        "A leader of the city speaks to everybody over whatever else goes on: one press on his page, and all phones "
        "hear him, whatever channel they are in.",
        "市领导要对所有人讲话：在他的页面上按一下，所有手机无论在哪个频道都能听到。",
    ),
)
CLAIMED: Told = (
    Words("The dispatcher takes the alert", "派遣员接警"),
    Words(
        "His console has been ringing. He takes the alert, and the officer sees who did. Help arrives, and the alert "
        "is closed.",
        "调度台一直在响。派遣员接警，遇险队员看到是谁接的；救援到位后，告警解除。",
    ),
)
PHOTO: Told = (
    Words("A photo goes into the case", "现场取证"),
    Words(
        "An officer takes a photo. Its SHA-256 is taken on the phone and again on the server; the case gets it with "
        "place and time.",
        "一名队员拍照取证。手机和服务器各算一次 SHA-256；照片连同位置、时间进入案卷。",
    ),
)
REPORTS: Told = (
    Words("Accepted, on the way, on scene, done", "接受、在路上、到场、处置完毕"),
    Words(
        "One tap each. The case system is told of every one, in order, and the dispatcher sees it at the case.",
        "每一步只点一下。案卷系统按顺序逐一收到，派遣员在案卷上看得到。",
    ),
)
LOG: Told = (
    Words("The case holds what was said", "案卷里留下了一切"),
    Words(
        "Evening, in the case system: every event in order, and the voices to be played. The page below is made by "
        "this server for a case system to embed; its link is signed and ends by itself.",
        "傍晚，案卷系统里：事件按序齐全，语音可以播放。下图是本服务器供案卷系统嵌入的页面，链接带签名，到期自动失效。",
    ),
)


def closed(hang_s: int) -> Told:
    """The case is closed; its group ends after ``hang_s``."""
    return (
        Words("The case is closed", "结案"),
        Words(
            "The department reports back and the centre closes the case. Talk may end within a hang time "
            f"(here {hang_s} seconds, ten minutes by default); then the group freezes: it can be read, and nobody "
            "talks there again.",
            f"部门反馈，中心核查结案。挂断时限内（此处 {hang_s} 秒，默认十分钟）话可以说完；"
            "随后对讲组冻结：可查阅，不能再讲话。",
        ),
    )
