"""Sections on a classifier, and parts of them: what is right of each label, and how far confidence can be trusted.

Ids and probabilities are as in `classification`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .. import classification
from ..classification import NO_ANSWER
from . import figures
from .page import DASH, Cell, Figure, Section, Table

MATRIX_LABELS = 40  # a confusion matrix of more is not legible
NUMBERED_LABELS = 20  # a heat map of more has no numbers
SHOWN_PAIRS = 20
SHOWN_REASONS = 20
CURVE_POINTS = 150
NONE = "(no answer)"


def labels_section(labels: Sequence[str], gold: np.ndarray, predicted: np.ndarray, units: str = "texts") -> Section:
    """Precision, recall and F1 of each label, and what is confused with what.

    Args:
        labels: names of the ids.
        gold: int `(examples,)`.
        predicted: int `(examples,)`.
        units: what is classified, in the plural.
    """
    size, answered = len(labels), predicted != NO_ANSWER
    scores = classification.class_scores(gold, predicted, size)
    answers = np.bincount(predicted[answered], minlength=size)
    rows: list[list[Cell]] = [
        [label, int(scores.support[at]), int(answers[at]), *(_or_none(part[at]) for part in scores[:3])]
        for at, label in enumerate(labels)
    ]
    blocks: list[Table | Figure] = [Table(("label", "support", "predicted", "precision", "recall", "f1"), rows)]
    matrix, names = classification.confusion(gold, np.where(answered, predicted, size), size + 1), [*labels, NONE]
    if answered.all():
        matrix, names = matrix[:size, :size], names[:size]
    if len(names) <= MATRIX_LABELS:
        caption = f"{units.capitalize()} of each gold label (rows) by predicted label (columns); errors are orange."
        blocks.append(figures.heatmap(names, matrix, caption=caption, alt="Confusion matrix of labels"))
    if len(names) > NUMBERED_LABELS:
        blocks += _confused(names, matrix)
    text = (
        f"{int((gold == predicted).sum()):,} of {len(gold):,} {units} have the right label. Support counts the {units} "
        "that have a label in gold, predicted those that were given it. The F1 of all is the mean over the gold labels."
    )
    return Section("Labels", text, blocks)


def calibration_section(
    labels: Sequence[str], gold: np.ndarray, predicted: np.ndarray, probabilities: np.ndarray
) -> Section:
    """Whether answers are as often right as they are sure, and for two labels the ROC curve.

    Args:
        labels: names of the ids.
        gold: int `(examples,)`.
        predicted: int `(examples,)`; what has no answer is left out.
        probabilities: `(examples, known)`.
    """
    answered = predicted != NO_ANSWER
    if not answered.any():
        return Section("Calibration", "Nothing was answered.")
    gold, predicted, probabilities = gold[answered], predicted[answered], probabilities[answered]
    text, (diagram, counts) = trust(gold == predicted, classification.confidences(predicted, probabilities))
    curve = [_roc_curve(labels[1], gold, probabilities)] if _has_curve(gold, probabilities) else []
    return Section("Calibration", text, [diagram, *curve, counts])


def trust(right: np.ndarray, confidence: np.ndarray, units: str = "answers") -> tuple[str, tuple[Figure, Figure]]:
    """How far confidence can be trusted: in words, as accuracy against confidence, and how many answers have which.

    Args:
        right: bool `(answers,)`, at least one.
        confidence: `(answers,)`, in [0, 1].
        units: what is right or wrong, in the plural.
    """
    error = classification.ece(right, confidence)
    excess = confidence.mean() - right.mean()
    text = (
        f"{units.capitalize()} are {100 * confidence.mean():.1f} % sure on average, and {100 * right.mean():.1f} % of "
        f"them are right: the model is {'over' if excess > 0 else 'under'}confident by {100 * abs(excess):.1f} points. "
        f"The expected calibration error (ECE) is {100 * error:.2f} points: the difference between confidence and "
        f"accuracy in {classification.BINS} bins of equal width, weighted by their {units} (Guo et al. 2017)."
    )
    return text, _reliability(right, confidence, units)


def ranges(lasts: Sequence[int], first: int = 0) -> list[str]:
    """Names of ranges of whole numbers, such as lengths; `bisect_left(lasts, number)` is the place of a number.

    Args:
        lasts: the last number of each range; greater ones have a range of their own.
        first: the least number.

    Example:
        >>> ranges((5, 10)), ranges((1, 3), first=1)
        (['up to 5', '6–10', '11 or more'], ['1', '2–3', '4 or more'])
    """
    starts = (first, *(last + 1 for last in lasts))
    names = [f"{start}{DASH}{last}" if start < last else str(last) for start, last in zip(starts, lasts, strict=False)]
    return [f"up to {lasts[0]}" if first < lasts[0] else names[0], *names[1:], f"{starts[-1]} or more"]


def accuracy_by(
    title: str, xlabel: str, names: Sequence[str], groups: Sequence[str], right: np.ndarray
) -> list[Figure]:
    """Accuracy of each group of examples as a bar; nothing if there are not two groups to compare.

    Args:
        title: stands above the figure.
        xlabel: what the names are.
        names: the groups, in the order of their bars; those without an example are left out.
        groups: the name of each example's group; an example of another group is left out.
        right: bool `(examples,)`.
    """
    members = {name: np.array(groups) == name for name in names}
    members = {name: mask for name, mask in members.items() if mask.any()}
    if len(members) < 2:
        return []
    accuracy = [float(right[mask].mean()) for mask in members.values()]
    counts = [int(mask.sum()) for mask in members.values()]
    options: dict[str, Any] = {"ylabel": "accuracy (%)", "percent": True, "vertical": True}
    return [figures.bars(list(members), accuracy, counts=counts, title=title, xlabel=xlabel, **options)]


def most_frequent(caption: str, counts: Counter[str], units: str = "texts") -> list[Table]:
    """A table of the most frequent reasons, or of whatever was counted; none if there is nothing.

    Args:
        caption: what was counted, the heading of the column.
        counts: how often.
        units: of what, in the plural.
    """
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:SHOWN_REASONS]
    return [Table((caption, units), ranked)] if ranked else []


def _or_none(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _confused(labels: Sequence[str], matrix: np.ndarray) -> list[Table]:
    pairs = [(int(matrix[gold, other]), gold, other) for gold, other in np.argwhere(matrix) if gold != other]
    pairs.sort(key=lambda pair: (-pair[0], *pair[1:]))
    rows = [[labels[gold], labels[other], count] for count, gold, other in pairs[:SHOWN_PAIRS]]
    return [Table(("gold label", "predicted label", "count"), rows, "Most confused labels")] if rows else []


def _reliability(right: np.ndarray, confidence: np.ndarray, units: str) -> tuple[Figure, Figure]:
    """Accuracy against confidence, and how many answers each point of it stands for."""
    bins = classification.reliability(right, confidence)
    used = bins.counts > 0
    edges = [f"{100 * edge:.0f}" for edge in np.linspace(0, 1, classification.BINS + 1)]
    names = np.array([f"{low}{DASH}{high}" for low, high in pairwise(edges)])[used].tolist()
    diagram = figures.lines(
        (100 * bins.confidence[used]).tolist(),
        {"accuracy": (100 * bins.accuracy[used]).tolist()},
        title="Reliability",
        xlabel=f"confidence of the {units} (%)",
        ylabel="accuracy (%)",
        caption=f"Below the dotted line {units} are surer than they should be.",
        diagonal=True,
    )
    counts = bins.counts[used]
    share = figures.bars(
        names,
        (counts / counts.sum()).tolist(),
        counts=counts.tolist(),
        title=f"{units.capitalize()} by confidence",
        xlabel=f"share of the {units} (%)",
        ylabel="confidence (%)",
        percent=True,
    )
    return diagram, share


def _has_curve(gold: np.ndarray, probabilities: np.ndarray) -> bool:
    return probabilities.shape[1] == 2 and 0 < (gold == 1).sum() < len(gold)


def _roc_curve(label: str, gold: np.ndarray, probabilities: np.ndarray) -> Figure:
    false_rate, true_rate = classification.roc_curve(gold == 1, probabilities[:, 1])
    points = np.unique(np.linspace(0, len(false_rate) - 1, CURVE_POINTS).round().astype(int))
    return figures.lines(
        (100 * false_rate[points]).tolist(),
        {"true positive rate": (100 * true_rate[points]).tolist()},
        title=f"ROC curve of “{label}”",
        xlabel="false positive rate (%)",
        ylabel="true positive rate (%)",
        caption=f"The area under the curve is {100 * classification.roc_auc(gold, probabilities):.2f} %.",
        diagonal=True,
    )
