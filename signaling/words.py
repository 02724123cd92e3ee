"""The words of every refusal and role, in both languages: the one place they stand."""

from __future__ import annotations

from typing import Literal

from groups.vocabulary import Refusal, Role, StatusWord
from signaling.messages.call import End

Language = Literal["zh-CN", "en"]

REFUSALS: dict[Refusal, tuple[str, str]] = {
    Refusal.BAD_MESSAGE: ("消息格式不正确", "The message is malformed"),
    Refusal.UNKNOWN_TYPE: ("不认识的消息类型", "Unknown message type"),
    Refusal.TOO_LARGE: ("内容太大", "Too large"),
    Refusal.TOO_FAST: ("操作太频繁，请稍候", "Too many requests, please slow down"),
    Refusal.NOT_SIGNED_IN: ("请先登录", "Please sign in first"),
    Refusal.BAD_TOKEN: ("登录凭证无效，请重新登录", "The sign-in is not valid, please sign in again"),
    Refusal.TOKEN_EXPIRED: ("登录已过期，请重新登录", "The sign-in has expired, please sign in again"),
    Refusal.BAD_SIGNATURE: ("签名或密钥不正确", "The signature or key is not right"),
    Refusal.CLOCK_SKEW: ("消息时间与服务器相差太大", "The time of the message is too far from ours"),
    Refusal.WRONG_CREDENTIALS: ("账号或密码不正确", "Wrong name or password"),
    Refusal.SIGN_IN_LIMIT: ("尝试次数过多，请稍后再试", "Too many attempts, please try again later"),
    Refusal.ENROLMENT_SPENT: ("该注册链接已使用或已过期", "This enrolment link was used or has expired"),
    Refusal.DISABLED: ("该账号或设备已停用", "This account or device is disabled"),
    Refusal.REPLACED: ("已在另一处登录", "You connected from another place"),
    Refusal.ALREADY_GREETED: ("连接已建立", "The connection is already greeted"),
    Refusal.NOT_ALLOWED: ("没有权限", "You are not allowed to do this"),
    Refusal.NOT_A_MEMBER: ("您不是该组成员", "You are not a member of this group"),
    Refusal.UNKNOWN_GROUP: ("没有这个组", "There is no such group"),
    Refusal.GROUP_CLOSED: ("该组已暂停或已关闭", "This group is parked or closed"),
    Refusal.UNKNOWN_USER: ("没有这个人", "There is no such person"),
    Refusal.NOT_FOUND: ("没有找到", "Not found"),
    Refusal.NOT_SELECTED: ("请先选择该组", "Select the group first"),
    Refusal.RECEIVE_ONLY: ("您在该组只能收听", "You may only listen in this group"),
    Refusal.TALK_BANNED: ("您已被禁呼", "You are banned from talking"),
    Refusal.FLOOR_TAKEN: ("别人正在讲话", "Someone else is talking"),
    Refusal.ALONE: ("组内没有其他人在线", "Nobody else is in the group"),
    Refusal.RETRY_LATER: ("请稍候再按", "Wait a moment before pressing again"),
    Refusal.QUEUE_FULL: ("排队已满", "The queue is full"),
    Refusal.NO_RESOURCES: ("系统繁忙", "The system is busy"),
    Refusal.NO_MEDIA_PATH: ("语音通道未建立", "There is no voice path"),
    Refusal.BAD_SDP: ("媒体描述无效", "The media description is not valid"),
    Refusal.NOBODY_CALLED: ("没有可呼叫的人", "There is nobody to call"),
    Refusal.CALL_OVER: ("呼叫已结束", "The call is over"),
    Refusal.ANSWERED_ELSEWHERE: ("已在另一台设备上接听", "Answered on another device"),
    Refusal.IN_DUPLEX_CALL: ("您正在双工通话中，请先挂断", "You are in a full duplex call: hang up first"),
    Refusal.CALL_RUNNING: ("该组的呼叫正在进行", "A call of this group is going on"),
    Refusal.ORDINARY_ONLY: (
        "此处不能发起紧急呼叫，可发起普通呼叫",
        "No emergency call here; an ordinary call is possible",
    ),
    Refusal.EMERGENCY_TALKING: (
        "另一位紧急状态人员正在讲话，暂不能取消",
        "Another person in emergency is talking: not now",
    ),
    Refusal.ALERT_OVER: ("该报警已结束", "This alert is closed"),
    Refusal.NOT_CLAIMED: ("请先认领该报警", "Claim this alert first"),
    Refusal.BAD_AREA: (
        "区域无效：须为不自交的闭合多边形",
        "The area is not a closed polygon without crossings, or too large",
    ),
    Refusal.TOO_MANY: ("数量超出上限", "More than the limit allows"),
    Refusal.EXPIRED: ("该广播已过期或已撤回", "This broadcast has expired or was withdrawn"),
    Refusal.NOT_HEARD: ("服务器的统计与“已收听”不符", "The server's own counts contradict that this was heard"),
    Refusal.STALE: ("内容已被他人更新", "It was changed by someone else meanwhile"),
    Refusal.CONFLICT: ("与现有内容冲突", "It conflicts with what exists"),
    Refusal.DRAINING: ("服务器正在维护，正在切换", "The server is going down for maintenance"),
    Refusal.MOVED: ("正在切换到本组所在的服务节点", "Switching to the server that has your group"),
    Refusal.RECORDINGS_AWAY: (
        "录音磁盘暂时不可用，请稍后再试",
        "The disk of the recordings is away for the moment: try again later",
    ),
    Refusal.UNAVAILABLE: ("服务暂时不可用", "The service is unavailable for the moment"),
    Refusal.INTERNAL: ("系统内部错误", "Internal error"),
}

ROLES: dict[Role, tuple[str, str]] = {
    Role.OFFICER: ("监督员/巡查员", "Field officer"),
    Role.HANDLER: ("部门处置员", "Department handler"),
    Role.INTAKE: ("受理员", "Intake operator"),
    Role.SHIFT_LEADER: ("值班长", "Shift leader"),
    Role.DISPATCHER: ("派遣员", "Dispatcher"),
    Role.LEADER: ("领导", "Leader"),
    Role.SUPERVISOR: ("监督中心", "Supervision centre"),
    Role.SYSTEM_ADMIN: ("系统管理员", "System administrator"),
    Role.SECURITY_ADMIN: ("安全管理员", "Security administrator"),
    Role.AUDIT_ADMIN: ("审计管理员", "Audit administrator"),
}


STATUSES: dict[StatusWord, tuple[str, str]] = {
    StatusWord.ON_DUTY: ("已到岗", "On duty"),
    StatusWord.ON_THE_WAY: ("正在前往", "On the way"),
    StatusWord.ON_SCENE: ("已到现场", "On scene"),
    StatusWord.HANDLING: ("正在处置", "Handling it"),
    StatusWord.DONE: ("处置完毕", "Done"),
    StatusWord.STANDBY: ("待命", "Standing by"),
    StatusWord.NEED_SUPPORT: ("需要增援", "Support needed"),
    StatusWord.UNABLE: ("无法执行", "Unable to do it"),
    StatusWord.OFF_DUTY: ("已离岗", "Off duty"),
}

CALL_ENDS: dict[End, tuple[str, str]] = {
    "hung_up": ("通话已结束", "The call has ended"),
    "cancelled": ("呼叫已取消", "The call was cancelled"),
    "refused": ("对方拒接", "The call was refused"),
    "busy": ("对方正在通话", "Busy: in another call"),
    "no_answer": ("无人接听", "No answer"),
    "unreachable": ("对方不在线", "Not reachable: no phone is connected"),
    "not_listening": ("对方手机在线，但此刻听不到", "The phone is connected but would not hear just now"),
    "inactivity": ("长时间无人讲话，通话已结束", "Nobody talked: the call has ended"),
    "maximum_length": ("已到最长通话时间", "The call has reached its maximum length"),
    "too_few": ("通话人数不足，已结束", "Too few are there: the call has ended"),
    "broadcast_over": ("广播已结束", "The broadcast is over"),
    "forced": ("通话已被强拆", "The call was ended by a dispatcher"),
}


def call_end(end: End, language: Language = "zh-CN") -> str:
    """The sentence a user reads when a call has ended so."""
    return CALL_ENDS[end][language == "en"]


def refusal(code: Refusal, language: Language = "zh-CN") -> str:
    """The sentence a user reads for ``code``."""
    return REFUSALS[code][language == "en"]
