"""When two nodes count as carrying 1.6 times the phones of one, at equal p99 (`tools.bench.two_nodes`)."""

from __future__ import annotations

import pytest

from tools.bench.two_nodes import Judgement, Run, judge


def of(nodes: int, cpu: list[float], p99_ms: float, late_ms: float, lost: int = 0) -> Run:
    return Run(nodes, 450, cpu, cpu, 1, lost, 1.0, 1.0, p99_ms, 1.0, late_ms)


def judged(*, more_cpu: float = 0.07, more_p99_ms: float = 9.0, late_ms: float = 5.0) -> Judgement:
    one, same = of(1, [0.07], 5.0, 1.0), of(2, [0.035, 0.03], 5.0, 99.0)
    return judge([(one, same, of(2, [0.01, more_cpu], more_p99_ms, late_ms))])


def test_at_the_bars_they_do() -> None:
    assert (judged().code, judged().one_cpu / judged().same_cpu) == (0, 2)


@pytest.mark.parametrize("beyond", [{"more_cpu": 0.071}, {"more_p99_ms": 9.1}, {"more_cpu": 0.071, "late_ms": 5.1}])
def test_beyond_one_of_them_they_do_not(beyond: dict[str, float]) -> None:
    assert judged(**beyond).code == 1


def test_where_the_fleet_itself_was_late_no_times_were_measured() -> None:
    for late in (judged(late_ms=5.1), judged(late_ms=5.1, more_p99_ms=90.0)):
        assert late.code == 2
        assert "NOT MEASURED" in late.lines()[-1]


def test_of_several_rounds_the_medians_count() -> None:
    one, same = of(1, [0.07], 5.0, 1.0), of(2, [0.035, 0.03], 5.0, 1.0)
    rounds = [(one, same, of(2, [cpu], p99, 1.0)) for cpu, p99 in ((0.2, 5.0), (0.06, 99.0), (0.05, 4.0))]
    assert (judge(rounds).more_cpu, judge(rounds).more_p99_ms, judge(rounds).code) == (0.06, 5.0, 0)


@pytest.mark.parametrize(("lost", "code"), [(0, 0), (1, 1)])
def test_nodes_whose_cores_are_limited_are_both_full_and_judged_by_what_was_lost(lost: int, code: int) -> None:
    one, same, more = of(1, [0.24], 5.0, 1.0), of(2, [0.15, 0.15], 5.0, 1.0), of(2, [0.25, 0.25], 9.0, 1.0, lost)
    assert judge([(one, same, more)], core=0.25).code == code
