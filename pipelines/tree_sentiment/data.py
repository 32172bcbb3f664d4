"""From labelled trees to batches of nodes: the preprocessor, and the training data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import tensorflow as tf

from ...datasets.brackets import to_brackets
from ...datasets.labelled_tree import NO_LABEL, LabelledTree, num_classes
from ..batching import Tensors, TrainingData
from ..run_directory import read_json, write_json
from ..vocabulary import Vocabulary
from ..words import normal_forms
from .config import Config
from .reading import ReadTrees, TreeReader

_CHUNK = 1_000  # trees that are read at a time


@dataclass(frozen=True)
class Preprocessor:
    """What a run knows of its training trees.

    Attributes:
        words: what the word embedding knows.
        arity: the most children that a node has.
        classes: the number of classes that are learnt. With `classes=2` these are the five of which two are made.
    """

    words: Vocabulary
    arity: int
    classes: int

    @classmethod
    def fit(cls, train: Sequence[LabelledTree], config: Config, base: Self | None = None) -> Self:
        """Counts what occurs in train; a run that starts from another one keeps that one's words first."""
        words = [normal_forms(tree.tokens, config.lowercase) for tree in train]
        return cls(
            Vocabulary.count(words, config.min_count, list, base.words if base else None),
            max(2, max(len(children) for tree in train for children in tree.children)),
            max(config.classes, num_classes(train)),
        )

    def save(self, folder: Path) -> None:
        """Writes the words, one a line, and what is known of the form of trees."""
        self.words.save(folder / "words.txt")
        write_json(folder / "trees.json", {"arity": self.arity, "classes": self.classes})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads what `save` wrote."""
        return cls(Vocabulary.load(folder / "words.txt"), **read_json(folder / "trees.json"))

    def reader(self, config: Config, any_arity: bool = False) -> TreeReader:
        """The function of the run that reads trees in brackets, of any number of children only if that is wanted."""
        arity = None if any_arity else self.arity
        return TreeReader(self.words, config.lowercase, arity, self.classes, config.max_tokens)


def read_trees(trees: Sequence[LabelledTree], reader: TreeReader) -> ReadTrees:
    """Reads trees as a server would read them, with the labels to learn from."""
    texts = [to_brackets(replace(tree, labels=tree.taught)) for tree in trees]
    parts = [reader(tf.constant(texts[start : start + _CHUNK])) for start in range(0, len(texts), _CHUNK)]
    return ReadTrees(*(tf.concat(fields, axis=0) for fields in zip(*parts, strict=True)))


def dense_inputs(read: ReadTrees) -> Tensors:
    """What `TreeModel` reads of trees."""
    return {
        "words": read.ids.to_tensor(0),
        "children": read.children.to_tensor(-1),
        "levels": read.levels.to_tensor(-1),
    }


def training_data(trees: Sequence[LabelledTree], preprocessor: Preprocessor, config: Config) -> TrainingData:
    """Trees as batches of the inputs of `TreeModel`; the weights count nodes that have a label."""
    read = read_trees(trees, preprocessor.reader(config))

    def batch(rows: tf.Tensor, epoch: tf.Tensor) -> tuple[Tensors, Tensors, Tensors]:
        chosen = ReadTrees(*(tf.gather(field, rows) for field in read))
        labels = chosen.labels.to_tensor(NO_LABEL)
        last = tf.cast(chosen.levels.row_lengths(), tf.int32)[:, None] - 1  # the root
        weights = tf.where(tf.range(tf.shape(labels)[1]) == last, config.root_weight, 1.0)
        weights = tf.where(labels == NO_LABEL, 0.0, weights)
        return dense_inputs(chosen), {"labels": tf.maximum(labels, 0)}, {"labels": weights}

    return TrainingData(read.levels.row_lengths().numpy(), batch)
