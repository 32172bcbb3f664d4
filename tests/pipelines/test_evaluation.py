"""Bootstrap intervals against the binomial distribution, aggregates against NumPy."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from seqloom.pipelines import evaluation
from seqloom.pipelines.evaluation import aggregate, bootstrap


def accuracy(sums):
    return {"accuracy": sums[:, 0] / sums[:, 1]}


def right_of(right, count):
    return np.stack([np.arange(count) < right, np.ones(count)], axis=1)


@pytest.mark.parametrize(("right", "count"), [(5, 20), (180, 200), (486, 500), (1, 30)])
def test_the_interval_of_a_share_is_that_of_the_binomial(right, count):
    values, intervals = bootstrap(right_of(right, count), accuracy, resamples=20_000)
    assert values == {"accuracy": right / count}
    binomial = stats.binom(count, right / count)
    low, high = (round(bound * count) for bound in intervals["accuracy"])
    assert abs(low - binomial.ppf(0.025)) <= 1
    assert abs(high - binomial.ppf(0.975)) <= 1
    assert binomial.cdf(high) - binomial.cdf(low - 1) >= 0.94


@pytest.mark.parametrize(("right", "bound"), [(0, 0.0), (7, 1.0)])
def test_all_or_nothing_has_no_width(right, bound):
    assert bootstrap(right_of(right, 7), accuracy)[1] == {"accuracy": (bound, bound)}


def test_a_ratio_of_sums_equals_drawing_examples_one_by_one():
    statistics = np.random.default_rng(0).integers(1, 9, (40, 3)).astype(float)

    def f1(sums):
        return {"f1": 2 * sums[:, 0] / (sums[:, 1] + sums[:, 2])}

    values, intervals = bootstrap(statistics, f1, resamples=4000)
    rng = np.random.default_rng(1)
    drawn = [f1(statistics[rng.integers(0, 40, 40)].sum(axis=0, keepdims=True))["f1"][0] for _ in range(4000)]
    assert values["f1"] == pytest.approx(f1(statistics.sum(axis=0, keepdims=True))["f1"][0])
    assert intervals["f1"] == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.02)


def test_the_same_seed_gives_the_same_interval_and_the_order_of_metrics_does_not_matter():
    statistics = np.random.default_rng(0).random((50, 2))

    def both(sums):
        return {"other": sums[:, 0], **accuracy(sums)}

    first, again, other = (bootstrap(statistics, accuracy, seed=seed)[1] for seed in (3, 3, 4))
    assert first == again != other
    assert bootstrap(statistics, both, seed=3)[1]["accuracy"] == first["accuracy"]


def test_plain_numbers_come_back():
    values, intervals = bootstrap(right_of(3, 5).astype(np.int32), accuracy)
    assert type(values["accuracy"]) is float
    assert [type(bound) for bound in intervals["accuracy"]] == [float, float]


def test_drawing_in_parts_gives_what_drawing_at_once_gives_in_less_memory(monkeypatch):
    statistics = np.random.default_rng(0).integers(1, 9, (300, 2)).astype(float)
    draws = np.random.default_rng(5).multinomial(300, np.full(300, 1 / 300), size=1000)
    sampled = accuracy(draws @ statistics)["accuracy"]
    expected = tuple(np.percentile(sampled, [2.5, 97.5]).tolist())
    for at_a_time in (2_000_000, 300 * 7, 299):
        monkeypatch.setattr(evaluation, "_DRAWS_AT_A_TIME", at_a_time)
        assert bootstrap(statistics, accuracy, seed=5)[1] == {"accuracy": expected}
    tracemalloc.start()
    bootstrap(statistics, accuracy)
    assert tracemalloc.get_traced_memory()[1] < 500_000, "all draws at once take 2.4 MB"
    tracemalloc.stop()


def test_without_resamples_there_are_no_intervals():
    assert bootstrap(right_of(3, 5), accuracy, resamples=0) == ({"accuracy": 0.6}, {})


def test_no_examples_are_refused():
    with pytest.raises(ValueError, match="at least one example, got none"):
        bootstrap(np.zeros((0, 2)), accuracy)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=10))
def test_the_aggregate_is_that_of_numpy(values):
    summary = aggregate([{"f1": value, "count": 1} for value in values])["f1"]
    assert summary["mean"] == pytest.approx(np.mean(values), abs=1e-6)
    assert summary["sd"] == pytest.approx(np.std(values, ddof=1) if len(values) > 1 else 0.0, abs=1e-5)
    assert (summary["min"], summary["max"]) == (min(values), max(values))


def test_a_metric_that_some_seeds_lack_is_aggregated_over_the_others():
    assert aggregate([{"a": 1.0, "b": 1.0}, {"a": 3.0}])["b"]["mean"] == 1.0
    assert aggregate([{"a": 1.0}, {"a": 3.0}])["a"] == pytest.approx(
        {"mean": 2.0, "sd": 2**0.5, "min": 1.0, "max": 3.0}
    )
