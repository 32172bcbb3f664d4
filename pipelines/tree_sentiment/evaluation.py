"""How well the phrases of trees were classified: metrics, and the task's part of the report.

Everything here is made from the rows of `predictions.jsonl` alone, so that a report can be drawn again at any time and
baselines are judged by the very functions that judge the model.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup, escape

from .. import classification
from ..classification import NO_ANSWER
from ..evaluation import RESAMPLES, Scores, bootstrap
from ..reporting import figures, page, trees
from ..reporting.classifiers import accuracy_by, calibration_section, labels_section, most_frequent, ranges
from .judgement import NEGATORS, Answers, Row, places, scale

# Last numbers of the ranges by which accuracy is shown.
DEPTHS = (3, 6, 9, 12, 15, 20)
LENGTHS = (5, 10, 15, 20, 25, 30, 40)
PHRASES = (1, 3, 6, 10, 15, 20, 30)
LEVELS = (0, 1, 2, 3, 5, 7, 10, 15)

SHOWN_ERRORS = 12
SHOWN_RIGHT = 6


def root_accuracy(classes: int) -> str:
    """The name of the accuracy of roots, which says whether it is that of five classes or of two.

    Example:
        >>> root_accuracy(5), root_accuracy(2), root_accuracy(3)
        ('root_accuracy_fine', 'root_accuracy_binary', 'root_accuracy')
    """
    return {2: "root_accuracy_binary", 5: "root_accuracy_fine"}.get(classes, "root_accuracy")


def score(rows: Sequence[Row], classes: int, resamples: int = RESAMPLES) -> Scores:
    """Judges predictions: metrics with 95 % bootstrap intervals over trees, and counts.

    The accuracy of roots has the name that `root_accuracy` gives. `node_accuracy` is that of all nodes, words and roots
    included; it is left out if no row answers more than the root. `mean_absolute_error` is how many classes the root is
    off on average; with two classes it would be the share of errors, and is left out. `f1`, `log_loss` and `ece` are
    those of `classification.measure` for roots.

    What has no gold label is not scored. A row with an error is wrong at each of its nodes, as far off as can be; a
    node whose gold label train lacks is wrong, too.

    Args:
        rows: lines of `predictions.jsonl`.
        classes: int. What can be answered are the labels below it.
        resamples: int. 0 leaves the intervals out, which is much faster.

    Raises:
        ValueError: if no row has a gold label at its root.
    """
    answers = Answers.of(rows, classes)
    values, confidence = classification.measure(answers.gold, answers.predicted, answers.probabilities, resamples)
    for more in (_node_accuracy(answers, resamples), _mean_absolute_error(answers, classes, resamples)):
        values, confidence = values | more[0], confidence | more[1]
    kept = {"accuracy": root_accuracy(classes)}
    kept |= {name: name for name in ("node_accuracy", "mean_absolute_error", "f1", "log_loss", "ece")}
    return Scores(
        {name: values[old] for old, name in kept.items() if old in values},
        {name: confidence[old] for old, name in kept.items() if old in confidence},
        _irregularities(answers, classes),
    )


_Measured = tuple[dict[str, float], dict[str, tuple[float, float]]]


def _node_accuracy(answers: Answers, resamples: int) -> _Measured:
    if not answers.has_nodes:
        return {}, {}
    # A tree without any label would leave a resample of such trees without a mean.
    judgements = [judgement for judgement in answers.judgements if judgement.labelled.any()]
    sums = np.array([[judgement.right.sum(), judgement.labelled.sum()] for judgement in judgements])
    return bootstrap(sums, lambda sums: {"node_accuracy": sums[:, 0] / sums[:, 1]}, resamples=resamples)


def _mean_absolute_error(answers: Answers, classes: int, resamples: int) -> _Measured:
    if classes == 2:
        return {}, {}
    gold = np.array([judgement.labels[-1] for judgement in answers.rooted])
    farthest = np.maximum(gold, classes - 1 - gold)
    steps = np.where(answers.predicted == NO_ANSWER, farthest, np.abs(gold - answers.predicted))
    sums = np.stack([steps, np.ones_like(steps)], axis=1)
    return bootstrap(sums, lambda sums: {"mean_absolute_error": sums[:, 0] / sums[:, 1]}, resamples=resamples)


def _irregularities(answers: Answers, classes: int) -> dict[str, int]:
    judgements = answers.judgements
    return {
        "errors": sum(bool(judgement.row["predicted"]["error"]) for judgement in judgements),
        "labels_unknown_to_train": sum(int((judgement.labels >= classes).sum()) for judgement in judgements),
        "unlabelled_nodes": sum(int((~judgement.labelled).sum()) for judgement in judgements),
        "unlabelled_roots": len(judgements) - len(answers.rooted),
    }


def sections(rows: Sequence[Row], classes: int) -> list[page.Section]:
    """The task's part of the report: labels, calibration, what makes trees hard, irregular answers, drawn trees."""
    answers = Answers.of(rows, classes)
    return [
        _labels(answers, classes),
        calibration_section(answers.names, answers.gold, answers.predicted, answers.probabilities),
        _difficulty(answers),
        _negation_and_contrast(answers),
        _irregular_answers(answers, classes),
        _trees(answers, classes),
    ]


def _labels(answers: Answers, classes: int) -> page.Section:
    """Those of roots, and below them those of all nodes."""
    roots = labels_section(answers.names, answers.gold, answers.predicted, "trees")
    if not answers.has_nodes:
        return roots
    names, gold = places(answers.nodes("labels"), classes)
    nodes = labels_section(names, gold, answers.nodes("predicted"), "phrases")
    return page.Section("Labels", roots.text, [*roots.blocks, page.prose(nodes.text, "All phrases"), *nodes.blocks])


def _difficulty(answers: Answers) -> page.Section:
    depths, lengths = ranges(DEPTHS), ranges(LENGTHS)
    trees_of = [judgement.tree for judgement in answers.rooted]
    by_depth = [depths[bisect_left(DEPTHS, tree.depth)] for tree in trees_of]
    by_length = [lengths[bisect_left(LENGTHS, len(tree.tokens))] for tree in trees_of]
    drawn = [
        *accuracy_by("Roots by depth", "height of the tree", depths, by_depth, answers.right),
        *accuracy_by("Roots by length", "words in the sentence", lengths, by_length, answers.right),
    ]
    if answers.has_nodes:
        phrases, levels, right = ranges(PHRASES, first=1), ranges(LEVELS), answers.nodes("right")
        by_size = [phrases[bisect_left(PHRASES, size)] for size in answers.nodes("sizes")]
        by_level = [levels[bisect_left(LEVELS, height)] for height in answers.nodes("heights")]
        drawn += accuracy_by("Phrases by length", "words in the phrase", phrases, by_size, right)
        drawn += accuracy_by("Phrases by height", "height of the node; 0 is a word", levels, by_level, right)
    text = (
        "Accuracy of groups of trees and of phrases; n counts them. The height of a node is the longest way from it "
        "down to a word."
    )
    return page.Section("Depth, length and phrases", text if drawn else "All trees have the same form.", drawn)


def _negation_and_contrast(answers: Answers) -> page.Section:
    negated = np.array([judgement.is_negated for judgement in answers.rooted])
    contrasting = np.array([judgement.has_contrast for judgement in answers.rooted])
    groups = {
        "with a negation": negated,
        "without a negation": ~negated,
        "“but” between phrases": contrasting,
        "no such “but”": ~contrasting,
    }
    rows: list[list[page.Cell]] = [[name, *_accuracies(answers, members)] for name, members in groups.items()]
    columns = ("sentences", "trees", "root_accuracy", "node_accuracy")
    shown = len(columns) if answers.has_nodes else len(columns) - 1
    text = (
        f"A sentence with a negation has one of the words {', '.join(NEGATORS)}, or one that ends in n't. A “but” "
        "between phrases stands neither first nor last."
    )
    table = page.Table(columns[:shown], [row[:shown] for row in rows])
    return page.Section("Negation and contrast", text, [table, *_intervals(groups, answers.right)])


def _accuracies(answers: Answers, members: np.ndarray) -> list[page.Cell]:
    """How many trees there are, and the accuracies of roots and of nodes; `None` where there are none."""
    chosen = [judgement for judgement, member in zip(answers.rooted, members, strict=True) if member]
    if not chosen:
        return [0, None, None]
    right = sum(int(judgement.right.sum()) for judgement in chosen)
    labelled = sum(int(judgement.labelled.sum()) for judgement in chosen)
    return [len(chosen), float(answers.right[members].mean()), right / labelled]


def _intervals(groups: Mapping[str, np.ndarray], right: np.ndarray) -> list[page.Figure]:
    compared = {name: right[members] for name, members in groups.items() if 0 < members.sum() < len(members)}
    if not compared:
        return []
    accuracy = [float(part.mean()) for part in compared.values()]
    intervals = [_interval(part) for part in compared.values()]
    kinds = ["negation" if "negation" in name else "contrast" for name in compared]
    title, xlabel = "Roots of hard sentences and of others", "accuracy (%)"
    caption = "Lines are 95 % bootstrap intervals over trees."
    options: dict[str, Any] = {"groups": kinds, "percent": True, "caption": caption}
    return [figures.dots(list(compared), accuracy, intervals=intervals, title=title, xlabel=xlabel, **options)]


def _interval(right: np.ndarray) -> tuple[float, float]:
    _, intervals = bootstrap(right[:, None], lambda sums: {"accuracy": sums[:, 0] / len(right)})
    return intervals["accuracy"]


def _irregular_answers(answers: Answers, classes: int) -> page.Section:
    counts = _irregularities(answers, classes)
    table = page.Table(
        ("what", "number"),
        [
            ["trees answered with an error", counts["errors"]],
            ["nodes whose gold label train lacks, so that no answer is right", counts["labels_unknown_to_train"]],
            ["nodes without a gold label, not scored", counts["unlabelled_nodes"]],
            ["roots among these", counts["unlabelled_roots"]],
        ],
    )
    errors = [judgement.row["predicted"]["error"] for judgement in answers.judgements]
    reasons = Counter(error for error in errors if error)
    return page.Section("Irregular answers", "", [table, *most_frequent("Answered with an error", reasons, "trees")])


def _trees(answers: Answers, classes: int) -> page.Section:
    wrong = np.flatnonzero(~answers.right & (answers.predicted != NO_ANSWER))
    worst = wrong[np.argsort(-answers.confidence[wrong], kind="stable")][:SHOWN_ERRORS]
    right = np.flatnonzero(answers.right)
    some = right[np.unique(np.linspace(0, max(len(right) - 1, 0), SHOWN_RIGHT).round().astype(int))[: len(right)]]
    blocks = [trees.legend(scale(classes))]
    for title, chosen in (("Right roots", some), ("Wrong roots, the surest first", worst)):
        examples = Markup("\n").join(_example(answers, place, classes) for place in chosen)
        blocks += [page.prose("", title), page.Html(examples)] if len(chosen) else []
    text = (
        f"{len(wrong):,} of {len(answers.rooted):,} roots have a wrong answer; the {len(worst)} of which the model was "
        f"most sure are shown, after {len(some)} right ones from all parts of the data. Pointing at a badge shows its "
        "phrase."
    )
    return page.Section("Trees", text, blocks)


def _example(answers: Answers, place: int, classes: int) -> Markup:
    judgement, named = answers.rooted[place], scale(classes)
    answer = judgement.row["predicted"]
    probability = Markup(' <span class="number quiet">{:.4f}</span>').format(answers.confidence[place])
    lines = {
        "gold": escape(answers.names[answers.gold[place]]),
        "predicted": escape(answers.names[answers.predicted[place]]) + probability,
        "sentence": escape(judgement.tree.group),
        "phrases": Markup("{:,} of {:,} with a gold label right").format(
            judgement.right.sum(), judgement.labelled.sum()
        ),
    }
    terms = Markup("").join(Markup("<dt>{}</dt><dd>{}</dd>").format(*line) for line in lines.items())
    confidences = answer["node_confidences"] or [None] * judgement.tree.num_nodes
    described = f"Parse tree of: {judgement.tree.group}"
    drawing = trees.drawn(judgement.tree, judgement.predicted.tolist(), confidences, named, described)
    return Markup('<div class="example"><dl class="pair">{}</dl>{}</div>').format(terms, drawing)
