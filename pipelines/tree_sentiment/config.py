"""The settings of tree sentiment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from ...datasets.corpus import Corpus, DataError
from ...datasets.labelled_tree import LabelledTree, binary, num_classes
from ..config import ClassifierConfig, TaskConfig, WordsConfig


class Config(TaskConfig, ClassifierConfig, WordsConfig):
    """What can be set for tree sentiment."""

    classes: int = Field(
        5, ge=2, le=100, description="labels of a node; 2 makes negative and positive of five, without neutral trees"
    )
    encoder: Literal["recursive", "tensor", "tree_lstm", "child_sum_lstm"] = Field(
        "tree_lstm", description="how a node is computed from its children"
    )
    units: int = Field(128, ge=1, le=8192, description="size of a node's output in each direction; 25 to 35 for tensor")
    bidirectional: bool = Field(False, description="read each tree from the root down, too")
    members: int = Field(1, ge=1, le=16, description="networks of the same shape whose probabilities are averaged")
    forget_bias: float = Field(1.0, ge=-10, le=10, description="initial bias of the forget gates, where there are any")
    dropout: float = Field(0.3, ge=0, lt=1, description="share of the words' features set to 0, the same in a tree")
    recurrent_dropout: float = Field(0.0, ge=0, lt=1, description="share of units that pass nothing to parents")
    output_dropout: float = Field(0.3, ge=0, lt=1, description="share of a node's output set to 0 before its scores")
    label_smoothing: float = Field(0.0, ge=0, lt=1, description="of the classes")
    root_weight: float = Field(1.0, gt=0, description="what the root counts in the loss; other nodes count 1")

    def chosen(self, corpus: Corpus) -> Corpus:
        """The corpus with as many classes as `classes` says, in every split.

        Raises:
            DataError: if train has another number of classes.
        """
        if self.classes == 2 and any(num_classes(trees) > 2 for trees in corpus.splits().values()):
            return _binary(corpus)
        found = num_classes(corpus.train)
        if found and found != self.classes:
            raise DataError(
                f"classes must be the number of classes in train, got classes={self.classes} where {corpus.name} has "
                f"{found}; say --set classes={found}"
            )
        return corpus


def _binary(corpus: Corpus) -> Corpus:
    splits: dict[str, Any] = {}
    notes = dict(corpus.notes)
    for name, trees in corpus.splits().items():
        splits[name] = _kept(trees, corpus.name)
        if trees and not splits[name]:
            raise DataError(f"classes=2 leaves no tree in {name} of {corpus.name}, where every root is neutral")
        notes[f"{name} trees left out because their root is neutral"] = len(trees) - len(splits[name])
    return replace(corpus, **splits, notes=notes)


def _kept(trees: list[LabelledTree], name: str) -> list[LabelledTree]:
    try:
        reduced = [binary(tree) for tree in trees]
    except ValueError as error:
        raise DataError(f"classes=2 makes two classes of five, which {name} does not have: {error}") from None
    return [tree for tree in reduced if tree is not None]
