"""How good a classifier is: right and wrong answers, ranking and calibration, as functions of NumPy arrays.

Everywhere `gold` and `predicted` are ids of classes, int `(examples,)`, and `probabilities` is `(examples, known)`: the
classes that the classifier knows come first. A gold class from `known` on is one that it never saw and cannot answer.
`predicted` is `NO_ANSWER` where there is no answer; such a row counts as wrong, and its probabilities are zeros.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .evaluation import RESAMPLES, bootstrap

NO_ANSWER = -1
BINS = 15  # of equal width, as in Guo et al. 2017
FLOOR = 1e-7  # of a probability in the log loss: about what float32 can tell from nothing beside 1


class ClassScores(NamedTuple):
    """What is right of each class, `(classes,)` each; NaN where there is nothing to divide by."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray


class Reliability(NamedTuple):
    """Answers in bins of equal width by their confidence, `(bins,)` each; the means of an empty bin are NaN."""

    counts: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray


def confusion(gold: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Counts gold classes (rows) by predicted class (columns), int64 `(classes, classes)`; no answer is in no column.

    Example:
        >>> confusion(np.array([0, 0, 1, 1]), np.array([0, 1, 1, NO_ANSWER]), 2).tolist()
        [[1, 1], [0, 1]]
    """
    answered = predicted != NO_ANSWER
    pairs = gold[answered] * classes + predicted[answered]
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def class_scores(gold: np.ndarray, predicted: np.ndarray, classes: int) -> ClassScores:
    """Precision, recall, F1 and support of each class.

    Example:
        >>> class_scores(np.array([0, 0, 1, 1]), np.array([0, 1, 1, NO_ANSWER]), 2).recall.tolist()
        [0.5, 0.5]
    """
    right = np.diagonal(confusion(gold, predicted, classes))
    support = np.bincount(gold, minlength=classes)
    answers = np.bincount(predicted[predicted != NO_ANSWER], minlength=classes)
    return ClassScores(_ratio(right, answers), _ratio(right, support), _ratio(2 * right, answers + support), support)


def log_losses(gold: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Minus the logarithm of each gold class's probability, `(examples,)`.

    A probability below `FLOOR` counts as `FLOOR`; so do those of a class that the classifier does not know, and of a
    row without an answer. One such row adds 16.1.

    Example:
        >>> log_losses(np.array([0, 2]), np.array([[0.5, 0.5], [0.5, 0.5]])).round(2).tolist()
        [0.69, 16.12]
    """
    return -np.log(np.maximum(_probability_of(gold, probabilities), FLOOR))


def confidences(predicted: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """The probability of each predicted class, `(examples,)`; 0 where there is no answer.

    Example:
        >>> confidences(np.array([1, NO_ANSWER]), np.array([[0.25, 0.75], [0.0, 0.0]])).tolist()
        [0.75, 0.0]
    """
    return _probability_of(predicted, probabilities)


def roc_auc(gold: np.ndarray, probabilities: np.ndarray) -> float:
    """The area under the ROC curve, ties counted as half.

    For two known classes that of the second one; for more the plain mean of each class against all others. Classes
    with no example, or with all of them, are left out.

    Returns:
        A fraction; NaN if no class has both examples and counterexamples.

    Example:
        >>> probability = np.array([0.1, 0.4, 0.35, 0.8])
        >>> roc_auc(np.array([0, 0, 1, 1]), np.stack([1 - probability, probability], axis=1))
        0.75
    """
    areas = [
        float(placements(gold == each, probabilities[:, each])[gold == each].mean())
        for each in _rankable(gold, probabilities.shape[1])
    ]
    return float(np.mean(areas)) if areas else float("nan")


def placements(positive: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Where each example stands among those of the other kind, `(examples,)`.

    For a positive example it is the share of negative ones that score lower, for a negative one the share of positive
    ones that score higher; ties count half. The mean over the positive examples, and that over the negative ones, is
    the area under the ROC curve.

    Args:
        positive: bool `(examples,)`, with at least one of each kind.
        scores: `(examples,)`.

    Example:
        >>> placements(np.array([False, False, True, True]), np.array([0.1, 0.4, 0.35, 0.8])).tolist()
        [1.0, 0.5, 0.5, 1.0]

    References:
        DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating
        characteristic curves", 1988.
    """
    values, place = np.unique(scores, return_inverse=True)
    positives = np.bincount(place[positive], minlength=len(values))
    negatives = np.bincount(place[~positive], minlength=len(values))
    lower = (np.cumsum(negatives) - negatives / 2) / negatives.sum()
    higher = 1 - (np.cumsum(positives) - positives / 2) / positives.sum()
    return np.where(positive, lower[place], higher[place])


def roc_curve(positive: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """False and true positive rates for each threshold, from none to all examples called positive.

    Example:
        >>> false_rate, true_rate = roc_curve(np.array([False, True, True]), np.array([0.2, 0.1, 0.9]))
        >>> false_rate.tolist(), true_rate.tolist()
        ([0.0, 0.0, 1.0, 1.0], [0.0, 0.5, 0.5, 1.0])
    """
    values, place = np.unique(-scores, return_inverse=True)
    rates = []
    for kind in (~positive, positive):
        called = np.cumsum(np.bincount(place[kind], minlength=len(values)))
        rates.append(np.concatenate([[0.0], called / called[-1]]))
    return rates[0], rates[1]


def reliability(right: np.ndarray, confidence: np.ndarray, bins: int = BINS) -> Reliability:
    """How often answers of each confidence are right.

    Args:
        right: bool `(answers,)`.
        confidence: `(answers,)`, the probability of each answer; one on an edge belongs to the bin below it.
        bins: int.

    Example:
        >>> reliability(np.array([True, False, True]), np.array([0.75, 0.75, 0.25]), bins=2).accuracy.tolist()
        [1.0, 0.5]
    """
    place = _bins(confidence, bins)
    counts = np.bincount(place, minlength=bins)
    sums = (np.bincount(place, weights=values, minlength=bins) for values in (confidence, right))
    return Reliability(counts, *(_ratio(each, counts) for each in sums))


def ece(right: np.ndarray, confidence: np.ndarray, bins: int = BINS) -> float:
    """The expected calibration error: what confidence and accuracy of a bin differ by, weighted by its answers.

    Args:
        right: bool `(answers,)`.
        confidence: `(answers,)`, the probability of each answer.
        bins: int, of equal width.

    Example:
        >>> ece(np.array([True, False]), np.array([0.75, 0.75]))
        0.25

    References:
        Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", 2017.
    """
    return float(_calibration_gaps(right, confidence, bins).mean())


def measure(
    gold: np.ndarray, predicted: np.ndarray, probabilities: np.ndarray, resamples: int = RESAMPLES
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Computes `accuracy`, `f1`, `roc_auc`, `log_loss` and `ece`, with 95 % bootstrap intervals over examples.

    `f1` is the mean over the classes that gold has. `roc_auc` and `ece` speak of the answered rows alone and are left
    out where they are undefined.

    These two are no functions of sums over examples. Their intervals are those of their linear parts: an example counts
    with its `placements` for the area, and for the calibration error with the sign that the difference of its bin has
    on all examples. What this leaves out shrinks faster than the interval as examples are added, unless the calibration
    error is near 0.

    Args:
        gold: int `(examples,)`.
        predicted: int `(examples,)`.
        probabilities: `(examples, known)`.
        resamples: int. 0 gives no intervals, in a fraction of the time.

    Returns:
        Values and intervals by name.

    Raises:
        ValueError: if there are no examples.

    Example:
        >>> gold, probability = np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])
        >>> values, _ = measure(gold, (probability > 0.5) * 1, np.stack([1 - probability, probability], axis=1))
        >>> {name: round(value, 2) for name, value in values.items()}
        {'accuracy': 0.75, 'f1': 0.73, 'roc_auc': 0.75, 'log_loss': 0.47, 'ece': 0.34}
    """
    if len(gold) == 0:
        raise ValueError("gold must hold at least one example, got none")
    blocks = _statistics(gold, predicted, probabilities)
    ends = np.cumsum([block.shape[1] for block in blocks.values()])[:-1]
    areas = _ratio((blocks["placements"] * blocks["positives"]).sum(axis=0), blocks["positives"].sum(axis=0))

    def metrics(sums: np.ndarray) -> dict[str, np.ndarray]:
        return _metrics(dict(zip(blocks, np.split(sums, ends, axis=1), strict=True)), areas)

    return bootstrap(np.concatenate(list(blocks.values()), axis=1), metrics, resamples=resamples)


def _statistics(gold: np.ndarray, predicted: np.ndarray, probabilities: np.ndarray) -> dict[str, np.ndarray]:
    """What each example adds to the sums of which the metrics are made, `(examples, columns)` by name."""
    answered, right = predicted != NO_ANSWER, gold == predicted
    classes = np.unique(gold)
    ranked = _rankable(gold[answered], probabilities.shape[1])
    of_class, of_ranked = gold[:, None] == classes, gold[:, None] == ranked
    gaps, places = np.zeros(len(gold)), np.zeros((len(gold), len(ranked)))
    gaps[answered] = _calibration_gaps(right[answered], confidences(predicted, probabilities)[answered], BINS)
    for column, each in enumerate(ranked):
        places[answered, column] = placements(of_ranked[answered, column], probabilities[answered, each])
    return {
        "examples": np.ones((len(gold), 1)),
        "right": right[:, None],
        "losses": log_losses(gold, probabilities)[:, None],
        "answered": answered[:, None],
        "gaps": gaps[:, None],
        "gold": of_class,
        "predicted": predicted[:, None] == classes,
        "hits": of_class & right[:, None],
        "positives": of_ranked & answered[:, None],
        "negatives": ~of_ranked & answered[:, None],
        "placements": places,
        "placements of positives": places * of_ranked,
    }


def _metrics(sums: dict[str, np.ndarray], areas: np.ndarray) -> dict[str, np.ndarray]:
    """The metrics `(r,)` of sums `(r, columns)`; `areas` are those under the ROC curves on all examples."""
    (examples, right, losses, answered, gaps) = (sums[name][:, 0] for name in list(sums)[:5])
    f1, present = _ratio(2 * sums["hits"], sums["gold"] + sums["predicted"]), sums["gold"] > 0
    values = {"accuracy": right / examples, "f1": np.where(present, f1, 0).sum(axis=1) / present.sum(axis=1)}
    if len(areas):
        above, below = sums["placements of positives"], sums["placements"] - sums["placements of positives"]
        # A resample without any example of a kind says nothing of it.
        parts = _ratio(above, sums["positives"], areas) + _ratio(below, sums["negatives"], areas)
        values["roc_auc"] = np.clip(parts - areas, 0, 1).mean(axis=1)
    values["log_loss"] = losses / examples
    if answered.any():
        values["ece"] = np.maximum(_ratio(gaps, answered, 0.0), 0)
    return values


def _rankable(gold: np.ndarray, known: int) -> np.ndarray:
    """The known classes whose area under the ROC curve is defined; of two, which have the same, the second."""
    counts = np.bincount(gold, minlength=known)[:known]
    classes = np.flatnonzero((counts > 0) & (counts < len(gold)))
    return classes[classes == 1] if known == 2 else classes


def _probability_of(ids: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    known = (ids != NO_ANSWER) & (ids < probabilities.shape[1])
    found = np.zeros(len(ids))
    found[known] = probabilities[known, ids[known]]
    return found


def _bins(confidence: np.ndarray, bins: int) -> np.ndarray:
    return np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], confidence)


def _calibration_gaps(right: np.ndarray, confidence: np.ndarray, bins: int) -> np.ndarray:
    """What each answer adds to the calibration error: the mean of these is the error."""
    place, gaps = _bins(confidence, bins), right - confidence
    return np.sign(np.bincount(place, weights=gaps, minlength=bins))[place] * gaps


def _ratio(part: np.ndarray, whole: np.ndarray, otherwise: float | np.ndarray = np.nan) -> np.ndarray:
    out = np.broadcast_to(np.asarray(otherwise, dtype=np.float64), np.shape(part)).copy()
    return np.divide(part, whole, out=out, where=whole > 0)
