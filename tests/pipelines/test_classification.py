"""The metrics of classifiers against scikit-learn, and their intervals against resampling one by one."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics
from sklearn.calibration import calibration_curve

from seqloom.pipelines.classification import (
    FLOOR,
    NO_ANSWER,
    class_scores,
    confidences,
    confusion,
    ece,
    log_losses,
    measure,
    placements,
    reliability,
    roc_auc,
    roc_curve,
)


@st.composite
def classified(draw, min_classes=2, max_classes=5):
    """Gold ids, predicted ids and probabilities; with so few distinct scores that ties are common."""
    classes = draw(st.integers(min_classes, max_classes))
    size = draw(st.integers(2, 30))
    gold = np.array(draw(st.lists(st.integers(0, classes - 1), min_size=size, max_size=size)))
    weights = draw(
        st.lists(st.lists(st.integers(1, 6), min_size=classes, max_size=classes), min_size=size, max_size=size)
    )
    probabilities = np.array(weights, dtype=float)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return gold, probabilities.argmax(axis=1), probabilities


def synthetic(size, classes=2, seed=0, sharpness=1.5):
    """Answers of a classifier that knows something and is too sure of it."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(0, classes, size)
    logits = rng.normal(size=(size, classes)) + sharpness * np.eye(classes)[gold]
    probabilities = np.exp(2 * logits)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return gold, probabilities.argmax(axis=1), probabilities


@given(classified())
def test_counts_and_class_scores_are_those_of_scikit_learn(data):
    gold, predicted, probabilities = data
    classes = probabilities.shape[1]
    labels = list(range(classes))
    np.testing.assert_array_equal(
        confusion(gold, predicted, classes), sklearn_metrics.confusion_matrix(gold, predicted, labels=labels)
    )
    expected = sklearn_metrics.precision_recall_fscore_support(gold, predicted, labels=labels, zero_division=np.nan)
    found = class_scores(gold, predicted, classes)
    for name, mine, theirs in zip(found._fields, found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, err_msg=name)


@given(classified())
def test_measures_are_those_of_scikit_learn(data):
    gold, predicted, probabilities = data
    classes = probabilities.shape[1]
    values, intervals = measure(gold, predicted, probabilities, resamples=0)
    present = np.unique(gold)
    assert intervals == {}
    assert values["accuracy"] == pytest.approx(sklearn_metrics.accuracy_score(gold, predicted))
    assert values["f1"] == pytest.approx(
        sklearn_metrics.f1_score(gold, predicted, labels=present, average="macro", zero_division=0)
    )
    assert values["log_loss"] == pytest.approx(
        sklearn_metrics.log_loss(gold, probabilities, labels=list(range(classes)))
    )
    assert values["ece"] == pytest.approx(ece(gold == predicted, confidences(predicted, probabilities)))
    area = roc_auc(gold, probabilities)
    assert values.get("roc_auc", float("nan")) == pytest.approx(area, nan_ok=True)


@given(classified(max_classes=2))
def test_the_area_of_two_classes_is_that_of_scikit_learn_with_ties(data):
    gold, _, probabilities = data
    assume(len(set(gold.tolist())) == 2)
    assert roc_auc(gold, probabilities) == pytest.approx(sklearn_metrics.roc_auc_score(gold, probabilities[:, 1]))


@given(classified(min_classes=3))
def test_the_area_of_more_classes_is_the_mean_of_one_against_the_rest(data):
    gold, _, probabilities = data
    assume(len(set(gold.tolist())) == probabilities.shape[1])
    expected = sklearn_metrics.roc_auc_score(gold, probabilities, multi_class="ovr", average="macro")
    assert roc_auc(gold, probabilities) == pytest.approx(expected)


@given(classified(min_classes=3))
def test_classes_without_examples_have_no_area(data):
    gold, _, probabilities = data
    areas = [
        sklearn_metrics.roc_auc_score(gold == each, probabilities[:, each])
        for each in range(probabilities.shape[1])
        if 0 < (gold == each).sum() < len(gold)
    ]
    expected = np.mean(areas) if areas else np.nan
    assert roc_auc(gold, probabilities) == pytest.approx(expected, nan_ok=True)


@given(classified(max_classes=2))
def test_both_kinds_of_placements_average_to_the_area(data):
    gold, _, probabilities = data
    positive = gold == 1
    assume(0 < positive.sum() < len(gold))
    where = placements(positive, probabilities[:, 1])
    assert where[positive].mean() == pytest.approx(where[~positive].mean())


@given(classified(max_classes=2))
def test_the_curve_is_that_of_scikit_learn(data):
    gold, _, probabilities = data
    positive = gold == 1
    assume(0 < positive.sum() < len(gold))
    expected = sklearn_metrics.roc_curve(gold, probabilities[:, 1], drop_intermediate=False)
    for mine, theirs in zip(roc_curve(positive, probabilities[:, 1]), expected, strict=False):
        np.testing.assert_allclose(mine, theirs, atol=1e-12)


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 1)), min_size=1, max_size=40), st.sampled_from([5, 10, 15]))
def test_bins_are_those_of_scikit_learn(answers, bins):
    right, confidence = (np.array(column) for column in zip(*answers, strict=True))
    found = reliability(right, confidence, bins)
    accuracy, mean = calibration_curve(right, confidence, n_bins=bins)
    used = found.counts > 0
    np.testing.assert_allclose(found.accuracy[used], accuracy)
    np.testing.assert_allclose(found.confidence[used], mean)
    assert found.counts.sum() == len(answers)
    assert np.isnan(found.accuracy[~used]).all()
    expected = (found.counts[used] * abs(accuracy - mean)).sum() / len(answers)
    assert ece(right, confidence, bins) == pytest.approx(expected, abs=1e-12)


def test_a_perfectly_calibrated_classifier_has_no_calibration_error():
    assert ece(np.array([True, True, True, False]), np.full(4, 0.75)) == 0


def test_a_class_that_the_classifier_lacks_is_wrong_and_costs_the_floor():
    gold, predicted = np.array([0, 1, 2]), np.array([0, 1, 1])
    values, _ = measure(gold, predicted, np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9]]), resamples=0)
    assert values["accuracy"] == pytest.approx(2 / 3)
    assert values["f1"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    assert values["log_loss"] == pytest.approx(-np.log([0.9, 0.8, FLOOR]).mean())


def test_a_row_without_an_answer_is_wrong_and_says_nothing_of_calibration_and_ranking():
    gold, predicted = np.array([0, 1, 1]), np.array([0, 1, NO_ANSWER])
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.0, 0.0]])
    values, _ = measure(gold, predicted, probabilities, resamples=0)
    assert values["accuracy"] == pytest.approx(2 / 3)
    assert values["roc_auc"] == 1
    assert values["ece"] == pytest.approx(0.15)
    assert values["log_loss"] == pytest.approx(-np.log([0.9, 0.8, FLOOR]).mean())
    assert log_losses(gold, probabilities)[2] == pytest.approx(-np.log(FLOOR))


def test_what_is_undefined_is_left_out():
    one_class, _ = measure(np.array([1, 1]), np.array([1, 0]), np.array([[0.3, 0.7], [0.6, 0.4]]))
    assert list(one_class) == ["accuracy", "f1", "log_loss", "ece"]
    nothing, intervals = measure(np.array([0, 1]), np.array([NO_ANSWER] * 2), np.zeros((2, 0)))
    assert nothing == {"accuracy": 0, "f1": 0, "log_loss": pytest.approx(-np.log(FLOOR))}
    assert intervals.keys() == nothing.keys()
    with pytest.raises(ValueError, match="at least one example, got none"):
        measure(np.zeros(0, int), np.zeros(0, int), np.zeros((0, 2)))


@settings(deadline=None, max_examples=30)
@given(classified())
def test_intervals_are_finite_and_hold_the_value_of_means(data):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values, intervals = measure(*data, resamples=200)
    assert intervals.keys() == values.keys()
    assert list(values) == [name for name in ("accuracy", "f1", "roc_auc", "log_loss", "ece") if name in values]
    for name, (low, high) in intervals.items():
        assert np.isfinite([low, high]).all()
        assert low <= high
        assert low >= 0, name
        assert name == "log_loss" or high <= 1


@pytest.mark.parametrize("classes", [2, 4])
def test_intervals_are_as_wide_as_new_samples_are_scattered(classes):
    """Also for the area and the calibration error, of which only the linear parts are resampled."""
    size = 2000
    _, intervals = measure(*synthetic(size, classes))
    drawn = [measure(*synthetic(size, classes, seed=seed), resamples=0)[0] for seed in range(1, 301)]
    assert list(intervals) == ["accuracy", "f1", "roc_auc", "log_loss", "ece"]
    for name, (low, high) in intervals.items():
        width = np.subtract(*np.percentile([values[name] for values in drawn], [97.5, 2.5]))
        assert high - low == pytest.approx(width, rel=0.2), name


def test_the_interval_of_the_area_is_that_of_resampling_whole_samples():
    gold, predicted, probabilities = synthetic(500)
    low, high = measure(gold, predicted, probabilities)[1]["roc_auc"]
    samples = np.random.default_rng(1).integers(0, 500, (400, 500))
    drawn = [roc_auc(gold[rows], probabilities[rows]) for rows in samples]
    assert (low, high) == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.005)
