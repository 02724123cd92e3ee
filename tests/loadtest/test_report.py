"""Plots, the page, traffic and how identities are shared out: pure."""

import random
import xml.etree.ElementTree as ET

import pytest

from loadtest.identity import Identity
from loadtest.report.page import page
from loadtest.report.svg import Axis, curves, distribution
from loadtest.result import CannotRun, Result
from loadtest.scenarios.crowd import at_rest, in_one_group, share_out
from loadtest.scenarios.fanout import frame_length
from loadtest.stats import Series
from loadtest.traffic import LONGEST_BURST_S, SHORTEST_BURST_S, Traffic


@pytest.mark.parametrize("samples", [[], [0.0], [3.0], [1.0, 1.0], [0.001, 5_000.0], list(range(1000))])
def test_a_distribution_is_drawn_whatever_the_samples(samples: list[float]) -> None:
    assert ET.fromstring(distribution(Series(samples), "ms")).tag.endswith("svg")


def test_the_percentiles_stand_in_the_picture() -> None:
    assert "p99 9.9" in distribution(Series([n / 10 for n in range(101)]), "ms")


def test_curves_have_a_legend() -> None:
    drawn = curves({"a & b": [(100, 1.0), (1000, 3.0)], "c": [(100, 2.0)]}, "phones", "µs", log_x=True)
    assert ET.fromstring(drawn) is not None
    assert "a &amp; b" in drawn
    assert "no points" in curves({}, "x", "y")


def test_an_axis_maps_its_ends_and_labels_round_values() -> None:
    linear, log = Axis(0, 50, 100, 200), Axis(0.1, 100, 0, 300, log=True)
    assert (linear.at(0), linear.at(50), linear.at(99)) == (100, 200, 200)
    assert linear.ticks() == [0, 10, 20, 30, 40, 50]
    assert (log.at(1), log.ticks()) == (100, [0.1, 1, 10, 100])


def test_the_page_needs_nothing_else_and_trusts_no_text() -> None:
    result = Result({"a": {"p50": 1.5, "p99": None}, "b": "<x>"}, {"relay, ms": Series([1.0])}, ["<script>"])
    html = page("talk", {"phones": 3}, result)
    assert "<script" not in html
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")
    assert html.count("<svg") == 1


def test_traffic_has_the_means_it_was_given() -> None:
    source, traffic = random.Random(1), Traffic()
    drawn = [traffic.time(traffic.burst_s, source) for _ in range(20_000)]
    assert abs(sum(drawn) / len(drawn) - 4.69) < 0.1
    bursts = [traffic.burst(source) for _ in range(20_000)]
    assert min(bursts) == SHORTEST_BURST_S
    assert max(bursts) == LONGEST_BURST_S
    assert Traffic(fixed=True).burst(source) == 4.69


def people(count: int) -> list[Identity]:
    return [
        Identity(
            user=f"u{n}",
            token="t",
            groups=(f"patrol{n // 10}", "all", "broadcast"),
            talks_in=(f"patrol{n // 10}", "all"),
        )
        for n in range(count)
    ]


def test_phones_spread_over_the_groups_they_may_talk_in() -> None:
    shares = share_out(people(40), 5, 40)
    assert sum(map(len, shares.values())) == 40
    assert min(map(len, shares.values())) >= 5
    assert "broadcast" not in shares
    assert in_one_group(people(40), 40)[0] == "all"


@pytest.mark.parametrize(("groups", "phones"), [(6, 40), (5, 41)])
def test_too_few_people_or_groups_are_said_so(groups: int, phones: int) -> None:
    with pytest.raises(CannotRun):
        share_out(people(40), groups, phones)


def test_only_rates_that_opus_frames_make_are_taken() -> None:
    assert [frame_length(pps) for pps in (50, 25, 16.67)] == [20, 40, 60]
    with pytest.raises(CannotRun, match="none of"):
        frame_length(33)


@pytest.mark.parametrize(
    ("shares", "phones", "rests"),
    [
        ([], 10, False),
        ([0.4, 0.06], 10, False),
        ([0.4, 0.05], 10, True),
        ([0.02] * 5, 500, False),  # not looked at for long enough: TLS state is freed five seconds after a phone came
        ([0.02] * 6, 500, True),
        ([0.17, 0.16, 0.15, 0.08, 0.06, 0.03], 500, False),  # it still falls
        ([0.08, 0.06, 0.03, 0.021, 0.024, 0.019], 500, False),
        ([0.021, 0.024, 0.019, 0.022, 0.018, 0.02], 500, True),
        ([0.02, 0.02, 0.02, 0.03, 0.06, 0.05], 500, False),
    ],
)  # fmt: skip
def test_a_server_is_at_rest_when_it_costs_the_same_all_the_time(shares: list[float], phones: int, rests: bool) -> None:
    assert at_rest(shares, phones) is rests
