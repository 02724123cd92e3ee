"""The steps of a case and the one table of where each leads (GB/T 30428, and the side ways of running platforms).

The case system is the authority: a state it names outright always counts, and the table is wide. What is not in the
table leaves the state as it is and stands in the log as not fitting.
"""

from __future__ import annotations

from enum import StrEnum

from gateway.incidents.incident import State


class Step(StrEnum):
    """What was done to a case."""

    REPORT = "report"  # 上报
    FILE = "file"  # 立案
    DISPATCH = "dispatch"  # 派遣，改派
    ACCEPT = "accept"  # 部门受理
    FEED_BACK = "feed_back"  # 处理反馈
    CLOSE = "close"  # 核查通过，结案
    EVALUATE = "evaluate"  # 综合评价
    RETURN = "return"  # 回退
    REWORK = "rework"  # 返工
    EXTEND = "extend"  # 延时
    SUPERVISE = "supervise"  # 督办
    MAKE_URGENT = "make_urgent"  # 转应急
    ASK_SUSPENSION = "ask_suspension"  # 申请挂账
    REFUSE_SUSPENSION = "refuse_suspension"  # 驳回挂账
    SUSPEND = "suspend"  # 挂账
    RESUME = "resume"  # 恢复
    VOID = "void"  # 作废
    REOPEN = "reopen"  # 重新立案
    UPDATE = "update"  # 补充信息


_S = State
_BEFORE_DISPATCH = (_S.DRAFT, _S.REPORTED, _S.FILED)
_AT_WORK = (_S.DISPATCHED, _S.HANDLING, _S.SUSPENSION_ASKED)
_LIVE = (*_BEFORE_DISPATCH, *_AT_WORK, _S.FEEDBACK, _S.SUSPENDED)
_OVER = (_S.CLOSED, _S.EVALUATED)

_ROWS: tuple[tuple[Step, tuple[State, ...], State | None], ...] = (
    # step                    from                              to (None: the state stays)
    (Step.REPORT, (_S.DRAFT,), _S.REPORTED),
    (Step.FILE, _BEFORE_DISPATCH, _S.FILED),
    (Step.DISPATCH, _LIVE, _S.DISPATCHED),
    (Step.ACCEPT, (_S.DISPATCHED, _S.SUSPENDED), _S.HANDLING),
    (Step.FEED_BACK, (*_AT_WORK, _S.SUSPENDED), _S.FEEDBACK),
    (Step.CLOSE, _LIVE, _S.CLOSED),
    (Step.EVALUATE, (_S.CLOSED,), _S.EVALUATED),
    (Step.RETURN, (*_AT_WORK, _S.FEEDBACK), _S.FILED),
    (Step.REWORK, (_S.FEEDBACK, *_OVER), _S.HANDLING),
    (Step.EXTEND, _LIVE, None),
    (Step.SUPERVISE, _LIVE, None),
    (Step.MAKE_URGENT, _LIVE, None),
    (Step.ASK_SUSPENSION, (_S.DISPATCHED, _S.HANDLING), _S.SUSPENSION_ASKED),
    (Step.REFUSE_SUSPENSION, (_S.SUSPENSION_ASKED,), _S.HANDLING),
    (Step.SUSPEND, (*_AT_WORK, _S.FEEDBACK), _S.SUSPENDED),
    (Step.RESUME, (_S.SUSPENDED,), _S.HANDLING),
    (Step.VOID, (*_LIVE, *_OVER), _S.VOID),
    (Step.REOPEN, (*_OVER, _S.VOID), _S.FILED),
    (Step.UPDATE, (*_LIVE, *_OVER, _S.VOID), None),
)
TABLE: dict[tuple[State, Step], State] = {
    (state, step): state if to is None else to for step, states, to in _ROWS for state in states
}
"""Every step that fits: where it leads from each state."""


def next_state(state: State, step: Step) -> tuple[State, bool]:
    """Where ``step`` leads from ``state``, and whether the table knows it there."""
    to = TABLE.get((state, step))
    return (state, False) if to is None else (to, True)
