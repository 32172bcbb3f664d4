"""Trees of the Stanford Sentiment Treebank as numbers, and which of them a row of the benchmark trains on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from seqloom.datasets.labelled_tree import LabelledTree
from seqloom.datasets.tree_files import read_split

CLASSES = 5
VOCABULARY = 5_000  # the most frequent words; 0 stands for all others, and at inner nodes


class Tree(NamedTuple):
    """A binary tree in post-order: children stand before their parent, and the root is the last."""

    words: np.ndarray  # (nodes,)
    children: np.ndarray  # (nodes, 2), -1 at leaves
    levels: np.ndarray  # (nodes,)
    labels: np.ndarray  # (nodes,)

    @property
    def depth(self) -> int:
        """The height of the root."""
        return int(self.levels[-1])


def read(path: Path) -> list[Tree]:
    """All trees of a file, one in brackets a line.

    Raises:
        DataError: if the file is missing or malformed.
    """
    trees = read_split(path, classes=CLASSES, binary=True)
    counts = Counter(word.lower() for tree in trees for word in tree.tokens)
    numbers = {word: number for number, (word, _) in enumerate(counts.most_common(VOCABULARY - 1), start=1)}
    return [as_numbers(tree, numbers) for tree in trees]


def as_numbers(tree: LabelledTree, numbers: dict[str, int]) -> Tree:
    """A tree as int32 arrays."""
    words = [numbers.get(word.lower(), 0) for word in tree.words]
    children = [pair or (-1, -1) for pair in tree.children]
    return Tree(*(np.array(each, "int32") for each in (words, children, tree.heights(), tree.labels)))


def sample(trees: Sequence[Tree], number: int, seed: int) -> list[Tree]:
    """Some of the trees, all different, in random order; all of them where there are no more."""
    return [trees[index] for index in np.random.default_rng(seed).permutation(len(trees))[:number]]


def batches(trees: Sequence[Tree], size: int) -> list[list[Tree]]:
    """The trees in batches of one size; an incomplete one at the end is left out."""
    return [list(trees[first : first + size]) for first in range(0, len(trees) - size + 1, size)]
