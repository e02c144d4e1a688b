"""The yardsticks: percentiles, verdicts, and a load generator that sees what is wrong."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.figures import AtMost, Baseline, Figure, TimesBaseline, Verdict, table
from tests.benchmarks.histogram import Histogram
from tests.benchmarks.load import Plan
from tests.benchmarks.processes import load
from tests.model_server import ModelServer, model_server

durations = st.lists(st.integers(min_value=0, max_value=10**12), min_size=1, max_size=200)


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


def histogram(values: list[int]) -> Histogram:
    made = Histogram()
    for value in values:
        made.add(value)
    return made


@given(durations, st.sampled_from([1, 50, 90, 99, 100]))
def test_a_percentile_is_within_one_bucket_of_the_exact_one(
    values: list[int], percent: int
) -> None:
    rank = -(-percent * len(values) // 100)
    exact = sorted(values)[max(0, rank - 1)]
    found = histogram(values).percentile(percent) * 1e9
    assert exact - 1 <= found <= exact * (1 + 1 / 64) + 1


@given(durations, durations)
def test_merged_histograms_are_the_histogram_of_both(one: list[int], other: list[int]) -> None:
    merged = histogram(one)
    merged.merge(Histogram(histogram(other).buckets))
    assert merged.buckets == histogram(one + other).buckets
    assert merged.count == len(one) + len(other)


@pytest.mark.parametrize(
    ("measured", "verdict"), [(1.0, Verdict.AIM), (2.5, Verdict.MUST), (3.5, Verdict.MISSED)]
)
def test_a_verdict_compares_with_the_baseline(measured: float, verdict: Verdict) -> None:
    figure = Figure(
        "x", measured, "ms", Baseline(1.0, "bare"), must=AtMost(3), aim=TimesBaseline(2)
    )
    assert figure.verdict is verdict


def test_the_table_has_a_line_for_each_figure() -> None:
    lines = list(table([Figure("a thing", 1234.5, "µs", must=AtMost(2000))]))
    assert len(lines) == 3
    assert "a thing" in lines[2]
    assert "≤ 2,000 µs" in lines[2]


def test_every_answer_is_counted_once(server: ModelServer) -> None:
    url = server.at(tag="counted")
    plan = Plan([f"{url}/chat/completions"], kind="chat", connections=4, count=100, warm_up=0)
    [outcome] = load(plan)
    assert outcome.statuses == {"200": 100}
    assert outcome.failed == 0
    assert outcome.histogram.count == server.stats(url).calls == 100


def test_an_answer_to_another_question_is_noticed(server: ModelServer) -> None:
    url = server.at(text="always the same")
    [outcome] = load(Plan([f"{url}/chat/completions"], kind="chat", count=10, warm_up=0))
    assert outcome.mixed_up == 10


def test_refusals_and_lost_connections_are_told_apart(server: ModelServer) -> None:
    targets = [f"{server.at(options)}/chat/completions" for options in ("status=503", "fault=drop")]
    refused, dropped = load(Plan(targets, kind="chat", connections=2, seconds=0.2, warm_up=0))
    assert set(refused.statuses) == {"503"}
    assert "told to fail" in refused.example
    assert dropped.answered == 0
    assert dropped.lost > 0


def test_a_pace_is_kept(server: ModelServer) -> None:
    url = f"{server.url}/models"
    [outcome] = load(Plan([url], kind="get", seconds=0.5, pace=0.05, warm_up=0))
    assert 5 <= outcome.answered <= 11
