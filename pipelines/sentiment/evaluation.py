"""How well texts were classified: metrics, and the task's part of the report.

Everything here is made from the rows of `predictions.jsonl` alone, so that a report can be drawn again at any time and
baselines are judged by the very functions that judge the model.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from markupsafe import Markup, escape

from .. import classification
from ..classification import NO_ANSWER
from ..evaluation import RESAMPLES, Scores
from ..reporting import page
from ..reporting.classifiers import (
    NONE,
    accuracy_by,
    calibration_section,
    labels_section,
    most_frequent,
    ranges,
)
from ..reporting.shading import ELLIPSIS, shaded

Row = dict[str, Any]

LENGTHS = (5, 10, 20, 50, 100, 200, 400, 800)  # last lengths of the ranges by which accuracy is shown
UNSEEN = (0.0, 0.01, 0.02, 0.05, 0.1)  # last shares of unseen words of such ranges
SHOWN_ERRORS = 30
SHOWN_RIGHT = 6
SHOWN_CHARACTERS = 600  # of a text that is not explained

_LEGEND = Markup(
    '<p><span class="heat" style="--value: 0.8">Blue</span> words speak for the predicted label, '
    '<span class="heat negative" style="--value: 0.8">orange</span> ones against it, relative to the strongest word of '
    "the text; pointing at a word shows its contribution. Long texts are shortened around their strongest words.</p>"
)


@dataclass(frozen=True, eq=False)
class Answers:
    """Rows of predictions as arrays, for `classification`.

    Args:
        labels: those that the model can answer, in order, then those that stand in gold alone.
        gold: int `(rows,)`, places in `labels`.
        predicted: the same; `NO_ANSWER` where a row has an error or no label.
        probabilities: `(rows, known)`, of the labels that the model can answer; zeros where there is no answer.
    """

    labels: Sequence[str]
    gold: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Self:
        """Reads rows."""
        answers = [row["predicted"] for row in rows]
        known = sorted({label for answer in answers for label in answer["probabilities"]}, key=_order)
        every = {row["gold"]["label"] for row in rows} | {answer["label"] for answer in answers if answer["label"]}
        labels = [*known, *sorted(every.difference(known), key=_order)]
        places = {label: place for place, label in enumerate(labels)}
        predicted = [NO_ANSWER if answer["error"] else places.get(answer["label"], NO_ANSWER) for answer in answers]
        probabilities = [[answer["probabilities"].get(label, 0.0) for label in known] for answer in answers]
        return cls(
            labels,
            np.array([places[row["gold"]["label"]] for row in rows], dtype=np.int64),
            np.array(predicted, dtype=np.int64),
            np.array(probabilities, dtype=np.float64).reshape(len(rows), len(known)),
        )

    @property
    def known(self) -> int:
        return self.probabilities.shape[1]

    @property
    def unknown(self) -> np.ndarray:
        """Which rows have a gold label that train lacks; none if no row says what train has."""
        return (self.gold >= self.known) & (self.known > 0)

    @cached_property
    def right(self) -> np.ndarray:
        return self.gold == self.predicted

    @cached_property
    def answered(self) -> np.ndarray:
        return self.predicted != NO_ANSWER

    @cached_property
    def confidence(self) -> np.ndarray:
        return classification.confidences(self.predicted, self.probabilities)


def _order(label: str) -> tuple[int, str]:
    """Labels by name, numbers by size."""
    return (len(label) if label.isdigit() else 0, label)


def score(rows: Sequence[Row], resamples: int = RESAMPLES) -> Scores:
    """Judges predictions: metrics with 95 % bootstrap intervals over texts, and counts.

    `accuracy`, `f1` (the mean over the labels of gold), `roc_auc` (for more than two labels the mean of each against
    all others), `log_loss` and `ece` are those of `classification.measure`. A row with an error is wrong; so is one
    whose gold label train lacks, which costs `classification.FLOOR` in the log loss.

    Args:
        rows: lines of `predictions.jsonl`.
        resamples: int. 0 leaves the intervals out, which is much faster.

    Raises:
        ValueError: if there are no rows.
    """
    answers = Answers.of(rows)
    values, confidence = classification.measure(answers.gold, answers.predicted, answers.probabilities, resamples)
    return Scores(values, confidence, _irregularities(rows, answers))


def _irregularities(rows: Sequence[Row], answers: Answers) -> dict[str, int]:
    return {
        "errors": sum(bool(row["predicted"]["error"]) for row in rows),
        "truncated_texts": sum(_is_cut(row) for row in rows),
        "labels_unknown_to_train": int(answers.unknown.sum()),
    }


def _is_cut(row: Row) -> bool:
    """Whether only a part was read; rows of a validation do not say so."""
    return row.get("read", 0) < row.get("tokens", 0)


def worth_explaining(rows: Sequence[Row]) -> list[int]:
    """Places of the rows that the report shows: the most confident errors, and some right answers from all parts."""
    answers = Answers.of(rows)
    errors, right = _worst(answers), np.flatnonzero(answers.right)
    some = np.unique(np.linspace(0, max(len(right) - 1, 0), SHOWN_RIGHT).round().astype(int))
    return [*(place for place in errors if answers.answered[place]), *right[some[: len(right)]].tolist()]


def _worst(answers: Answers) -> list[int]:
    wrong = np.flatnonzero(~answers.right)
    return wrong[np.argsort(-answers.confidence[wrong], kind="stable")][:SHOWN_ERRORS].tolist()


def sections(rows: Sequence[Row]) -> list[page.Section]:
    """The task's part of the report: labels, calibration, what makes texts hard, irregular answers, worst errors."""
    answers = Answers.of(rows)
    return [
        labels_section(answers.labels, answers.gold, answers.predicted),
        calibration_section(answers.labels, answers.gold, answers.predicted, answers.probabilities),
        _difficulty(rows, answers),
        _irregular_answers(rows, answers),
        _worst_errors(rows, answers),
    ]


def _difficulty(rows: Sequence[Row], answers: Answers) -> page.Section:
    lengths = ranges(LENGTHS)
    shares = ["none", *(f"up to {100 * share:.0f} %" for share in UNSEEN[1:]), "more"]
    ratings = [row["gold"]["rating"] for row in rows]
    every_rating = [str(rating) for rating in sorted({rating for rating in ratings if rating is not None})]
    groups: dict[tuple[str, str], tuple[Sequence[str], list[str]]] = {
        ("Accuracy by length", "words in the text"): (
            lengths,
            [lengths[bisect_left(LENGTHS, row["tokens"])] for row in rows],
        ),
        ("Accuracy by rating", "rating by the author of the text"): (every_rating, [str(rating) for rating in ratings]),
        ("Accuracy by truncation", "how much of the text was read"): (
            ("all", "a part"),
            ["a part" if _is_cut(row) else "all" for row in rows],
        ),
        ("Accuracy by unseen words", "share of the words that training never saw"): (
            shares,
            [shares[bisect_left(UNSEEN, row["unseen"] / max(row["tokens"], 1))] for row in rows],
        ),
    }
    drawn = [figure for names, grouped in groups.items() for figure in accuracy_by(*names, *grouped, answers.right)]
    text = "Accuracy of groups of texts; n counts them." if drawn else "All texts are alike in length and words."
    return page.Section("Length, rating and unseen words", text, drawn)


def _irregular_answers(rows: Sequence[Row], answers: Answers) -> page.Section:
    counts = _irregularities(rows, answers)
    table = page.Table(
        ("what", "texts"),
        [
            ["longer than what the model reads, cut", counts["truncated_texts"]],
            ["gold label that train lacks, so that no answer is right", counts["labels_unknown_to_train"]],
            ["answered with an error", counts["errors"]],
        ],
    )
    reasons = Counter(row["predicted"]["error"] for row in rows if row["predicted"]["error"])
    unknown = Counter(answers.labels[gold] for gold in answers.gold[answers.unknown])
    blocks = [
        table,
        *most_frequent("Answered with an error", reasons),
        *most_frequent("Gold labels that train lacks", unknown),
    ]
    return page.Section("Irregular answers", "", blocks)


def _worst_errors(rows: Sequence[Row], answers: Answers) -> page.Section:
    wrong, worst = int((~answers.right).sum()), _worst(answers)
    explained = [at for at in np.flatnonzero(answers.right).tolist() if rows[at].get("explanation")][:SHOWN_RIGHT]
    shading = any(rows[at].get("explanation") for at in [*worst, *explained])
    blocks = [page.Html(_LEGEND)] if shading else []
    if worst:
        blocks += [page.Html(Markup("\n").join(_example(rows[at], answers.confidence[at]) for at in worst))]
    if explained:
        right = Markup("\n").join(_example(rows[at], answers.confidence[at]) for at in explained)
        blocks += [page.prose("", "Right answers, for comparison"), page.Html(right)]
    text = (
        f"{wrong:,} of {len(rows):,} texts have a wrong label; the {len(worst)} of which the model was most sure "
        "are shown."
    )
    return page.Section("Worst errors", text if wrong else "No errors.", blocks)


def _example(row: Row, confidence: float) -> Markup:
    gold, predicted = row["gold"], row["predicted"]
    rating = "" if gold["rating"] is None else Markup(' <span class="quiet">rating {}</span>').format(gold["rating"])
    probability = Markup(' <span class="number quiet">{:.4f}</span>').format(confidence)
    lines = {
        "gold": escape(gold["label"]) + rating,
        "predicted": escape(predicted["label"] or NONE) + (probability if predicted["label"] else ""),
    }
    if predicted["error"]:
        lines["error"] = escape(predicted["error"])
    if _is_cut(row):
        lines["read"] = Markup("{:,} of {:,} words").format(row["read"], row["tokens"])
    terms = Markup("").join(Markup("<dt>{}</dt><dd>{}</dd>").format(*line) for line in lines.items())
    explanation = row.get("explanation")
    text = shaded(explanation) if explanation else _shortened(row["text"])
    return Markup('<div class="example"><dl class="pair">{}</dl><p>{}</p></div>').format(terms, text)


def _shortened(text: str) -> str:
    if len(text) <= SHOWN_CHARACTERS:
        return text
    return f"{text[:SHOWN_CHARACTERS].rpartition(' ')[0] or text[:SHOWN_CHARACTERS]} {ELLIPSIS}"
