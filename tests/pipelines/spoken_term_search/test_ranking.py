"""Figures of a ranking against scikit-learn where it agrees, and against counting one by one elsewhere."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import assume, given
from hypothesis import strategies as st

from seqloom.pipelines.spoken_term_search.ranking import (
    average_precision,
    det_curve,
    pr_curve,
    precision_at,
    relevant_ranks,
    same_different,
)

SCORES = st.sampled_from([0.0, -0.0, 0.25, 0.5, 1.0, -np.inf, np.inf])  # with ties
ITEMS = st.lists(st.tuples(SCORES, st.booleans()), min_size=1, max_size=12)
PAIRS = st.lists(st.tuples(SCORES.filter(np.isfinite), st.booleans()), min_size=1, max_size=12)


def columns(items):
    scores, marks = zip(*items, strict=True)
    return np.array(scores), np.array(marks, bool)


def in_rank_order(scores, relevant):
    ranked = np.zeros(len(scores), bool)
    ranked[relevant_ranks(scores, relevant) - 1] = True
    return ranked


@given(ITEMS)
def test_ranks_are_those_of_a_stable_sort(items):
    scores, relevant = columns(items)
    order = sorted(range(len(items)), key=lambda item: -scores[item])  # Python's sort is stable
    assert relevant_ranks(scores, relevant).tolist() == [
        1 + place for place, item in enumerate(order) if relevant[item]
    ]


@given(st.lists(st.booleans(), min_size=1, max_size=12), st.integers(1, 15))
def test_precisions_equal_counting(relevant, k):
    ranks = [place + 1 for place, mark in enumerate(relevant) if mark]
    looked_at = relevant[:k]
    assert precision_at(np.array(ranks), k, len(relevant)) == sum(looked_at) / len(looked_at)
    assume(any(relevant))
    precisions = [sum(relevant[:rank]) / rank for rank in ranks]
    assert average_precision(np.array(relevant)) == pytest.approx(sum(precisions) / len(precisions))


def test_average_precision_without_ties_is_that_of_scikit_learn():
    random = np.random.default_rng(0)
    scores, relevant = random.permutation(500) / 500, random.random(500) < 0.1
    expected = sklearn.metrics.average_precision_score(relevant, scores)
    assert average_precision(in_rank_order(scores, relevant)) == pytest.approx(expected, abs=1e-12)


@given(PAIRS)
def test_same_different_is_that_of_scikit_learn_with_ties(pairs):
    distances, same = columns(pairs)
    assume(same.any())
    expected = sklearn.metrics.average_precision_score(same, -distances)
    assert same_different(distances, same) == pytest.approx(expected, abs=1e-12)


@given(PAIRS, st.randoms())
def test_the_order_of_pairs_does_not_matter(pairs, random):
    distances, same = columns(pairs)
    assume(same.any())
    shuffled = list(pairs)
    random.shuffle(shuffled)
    assert same_different(*columns(shuffled)) == same_different(distances, same)


@given(PAIRS)
def test_curves_are_counts_at_each_threshold(pairs):
    distances, same = columns(pairs)
    assume(same.any() and not same.all())
    precision, recall, thresholds = pr_curve(distances, same)
    false_alarms, misses, also = det_curve(distances, same)
    assert thresholds.tolist() == also.tolist() == sorted(set(distances.tolist()))
    for place, threshold in enumerate(thresholds):
        taken = distances <= threshold
        assert precision[place] == pytest.approx(same[taken].mean())
        assert recall[place] == pytest.approx(taken[same].mean())
        assert false_alarms[place] == pytest.approx(taken[~same].mean())
        assert misses[place] == pytest.approx(1 - taken[same].mean())


def test_curves_of_many_pairs_are_those_of_scikit_learn():
    random = np.random.default_rng(1)
    same = random.random(44_850) < 0.1
    distances = (random.normal(size=len(same)) - same).astype(np.float32).round(3)  # float32 as DTW gives them
    precision, recall, thresholds = pr_curve(distances, same)
    expected = sklearn.metrics.precision_recall_curve(same, -distances)  # from the most pairs to none
    np.testing.assert_allclose(precision[::-1], expected[0][:-1], atol=1e-12)
    np.testing.assert_allclose(recall[::-1], expected[1][:-1], atol=1e-12)
    np.testing.assert_allclose(thresholds[::-1], -expected[2])
    false_alarms, misses, _ = det_curve(distances, same)
    rates = sklearn.metrics.roc_curve(same, -distances, drop_intermediate=False)  # begins with no pair at all
    np.testing.assert_allclose(false_alarms, rates[0][1:], atol=1e-12)
    np.testing.assert_allclose(1 - misses, rates[1][1:], atol=1e-12)
    assert same_different(distances, same) == pytest.approx(sklearn.metrics.average_precision_score(same, -distances))


def test_pairs_infinitely_far_apart_come_last():
    distances, same = np.array([np.inf, 0.5, np.inf]), np.array([True, True, False])
    precision, recall, thresholds = pr_curve(distances, same)
    assert thresholds.tolist() == [0.5, np.inf]
    assert recall.tolist() == [0.5, 1]
    assert same_different(distances, same) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    np.testing.assert_allclose(precision, [1, 2 / 3])


@pytest.mark.parametrize("function", [same_different, pr_curve, det_curve])
@pytest.mark.parametrize("pairs", [0, 3])
def test_without_a_same_pair_there_is_no_curve(function, pairs):
    with pytest.raises(ValueError, match="same must hold"):
        function(np.ones(pairs), np.zeros(pairs, bool))


def test_what_has_no_ranking_is_refused():
    with pytest.raises(ValueError, match="at least one relevant item, got none"):
        average_precision(np.zeros(4, bool))
    with pytest.raises(ValueError, match="same must hold pairs of the same word and of different words"):
        det_curve(np.ones(2), np.ones(2, bool))
    with pytest.raises(ValueError, match="k and count must be positive integers, got k=0, count=3"):
        precision_at(np.array([1]), 0, 3)
    with pytest.raises(ValueError, match="scores must not hold NaN, got 1 of them"):
        relevant_ranks(np.array([1, np.nan]), np.array([True, False]))
    with pytest.raises(ValueError, match=r"distances and same must have one length, got shapes \(2,\) and \(3,\)"):
        same_different(np.ones(2), np.ones(3, bool))
