"""Rows of predictions of tree sentiment: how they are written, and read beside what is right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from ...datasets.brackets import parse, to_brackets
from ...datasets.labelled_tree import NO_LABEL, LabelledTree
from .. import classification
from ..classification import NO_ANSWER
from ..reporting.trees import Scale

Row = dict[str, Any]

NAMES = {2: ("negative", "positive"), 5: ("very negative", "negative", "neutral", "positive", "very positive")}
MARKS = {2: ("−", "+"), 5: ("−−", "−", "0", "+", "++")}
NEGATORS = (
    *("not", "n't", "no", "never", "nothing", "nobody", "none", "nowhere", "neither", "nor", "without", "cannot"),
    *("hardly", "barely", "scarcely", "rarely", "seldom"),
)


def prediction_row(tree: LabelledTree, probabilities: np.ndarray, error: str = "") -> Row:
    """A line of `predictions.jsonl`.

    Args:
        tree: with its gold labels.
        probabilities: `(nodes, classes)`; without rows where there is an error.
        error: why there is no answer.
    """
    labels = [str(label) for label in probabilities.argmax(axis=-1)] if len(probabilities) else []
    return {
        "tree": to_brackets(tree),
        "gold": {"label": tree.labels[tree.root]},
        "predicted": {
            "label": labels[-1] if labels else "",
            "probabilities": probabilities[-1].tolist() if labels else [],
            "node_labels": labels,
            "node_confidences": probabilities.max(axis=-1).round(4).tolist() if labels else [],
            "error": error,
        },
    }


@dataclass(frozen=True, eq=False)
class Judgement:
    """A row of predictions beside what is right.

    Args:
        row: as it stands in `predictions.jsonl`.
        tree: with its gold labels.
        predicted: int `(nodes,)`, the class of each node; `NO_ANSWER` where there is none.
    """

    row: Row
    tree: LabelledTree
    predicted: np.ndarray

    @classmethod
    def of(cls, row: Row) -> Self:
        """Reads the tree of a row.

        Raises:
            ValueError: if the row has labels of another number of nodes.
        """
        tree, answer = parse(row["tree"]), row["predicted"]
        labels = answer["node_labels"]
        if labels and len(labels) != tree.num_nodes:
            raise ValueError(
                f"node_labels must hold one label for each of the {tree.num_nodes} nodes of {row['tree']}, "
                f"got {len(labels)}"
            )
        predicted = np.full(tree.num_nodes, NO_ANSWER)
        if labels:
            predicted[:] = [int(label) for label in labels]
        elif answer["label"]:
            predicted[tree.root] = int(answer["label"])
        return cls(row, tree, predicted)

    @cached_property
    def labels(self) -> np.ndarray:
        return np.array(self.tree.labels)

    @cached_property
    def labelled(self) -> np.ndarray:
        """Which nodes are scored."""
        return self.labels != NO_LABEL

    @cached_property
    def right(self) -> np.ndarray:
        return self.labelled & (self.labels == self.predicted)

    @cached_property
    def sizes(self) -> np.ndarray:
        """How many words each phrase has."""
        return np.array([end - first for first, end in self.tree.spans()])

    @cached_property
    def heights(self) -> np.ndarray:
        return np.array(self.tree.heights())

    @property
    def is_negated(self) -> bool:
        words = self.tree.group.lower().split(" ")
        return any(word in NEGATORS or word.endswith(("n't", "n’t")) for word in words)

    @property
    def has_contrast(self) -> bool:
        """Whether `but` stands between other words."""
        return "but" in self.tree.group.lower().split(" ")[1:-1]


@dataclass(frozen=True, eq=False)
class Answers:
    """Rows of predictions as arrays.

    Args:
        judgements: of all rows.
        rooted: those whose root has a gold label; the arrays below speak of them.
        names: of the classes, then of the labels that stand in gold alone.
        gold: int `(rooted,)`, places in `names`.
        predicted: the same; `NO_ANSWER` where a row has an error.
        probabilities: `(rooted, classes)`; zeros where there is no answer.
    """

    judgements: Sequence[Judgement]
    rooted: Sequence[Judgement]
    names: Sequence[str]
    gold: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[Row], classes: int) -> Self:
        """Reads rows.

        Raises:
            ValueError: if no row has a gold label at its root, or an answer has not one probability for each class.
        """
        judgements = [Judgement.of(row) for row in rows]
        rooted = [judgement for judgement in judgements if judgement.labelled[-1]]
        if not rooted:
            raise ValueError(f"rows must hold a gold label at the root of a tree, got none in {len(rows)} rows")
        names, gold = places(np.array([judgement.labels[-1] for judgement in rooted]), classes)
        answers = [judgement.row["predicted"] for judgement in rooted]
        probabilities = [[0.0] * classes if answer["error"] else answer["probabilities"] for answer in answers]
        wrong = next((len(row) for row in probabilities if len(row) != classes), None)
        if wrong is not None:
            raise ValueError(f"probabilities must hold one number for each of {classes} classes, got {wrong}")
        predicted = np.array([judgement.predicted[-1] for judgement in rooted])
        return cls(judgements, rooted, names, gold, predicted, np.array(probabilities, dtype=np.float64))

    @cached_property
    def right(self) -> np.ndarray:
        return self.gold == self.predicted

    @cached_property
    def confidence(self) -> np.ndarray:
        return classification.confidences(self.predicted, self.probabilities)

    @cached_property
    def has_nodes(self) -> bool:
        """Whether a row answers more than the root."""
        return any(judgement.row["predicted"]["node_labels"] for judgement in self.judgements)

    def nodes(self, values: str) -> np.ndarray:
        """One of the arrays of `Judgement` for the labelled nodes of all trees."""
        return np.concatenate([getattr(judgement, values)[judgement.labelled] for judgement in self.judgements])


def places(labels: np.ndarray, classes: int) -> tuple[list[str], np.ndarray]:
    """Names of the classes and of all greater labels that occur, and the places of `labels` among them."""
    greater = np.unique(labels[labels >= classes])
    found = np.where(labels < classes, labels, classes + np.searchsorted(greater, labels))
    return [*scale(classes).names, *map(str, greater)], found


def scale(classes: int) -> Scale:
    """The classes as a report names them.

    Example:
        >>> scale(2).names, scale(3).names
        (('negative', 'positive'), ('0', '1', '2'))
    """
    numbers = tuple(map(str, range(classes)))
    return Scale(NAMES.get(classes, numbers), MARKS.get(classes, numbers))
