"""Word n-grams: which ones train has, and where they begin in a text, in TF operations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from .run_directory import write_text
from .vocabulary import UNKNOWN, Vocabulary

NONE = 0  # stands where no known n-gram begins


class Ngrams:
    """The n-grams that a model knows, as rows of word ids.

    Numbers start at 1, `NONE` is 0. Padding and unknown words are part of no n-gram.

    Args:
        rows: tuples of word ids, of at least two words each, without repeats.
        words: int. Size of the vocabulary of words.

    Raises:
        ValueError: if an n-gram is too long for such a vocabulary (a key must fit into 63 bits).

    Example:
        >>> ngrams = Ngrams.count([[4, 5, 4, 5], [4, 5]], orders=[2], min_count=2, words=6)
        >>> ngrams.rows
        ((4, 5),)
        >>> ngrams.numbers(tf.constant([[4, 5, 4, 5], [4, 5, 0, 0]]), 2).numpy().tolist()
        [[1, 0, 1, 0], [1, 0, 0, 0]]
    """

    def __init__(self, rows: Iterable[Sequence[int]], words: int) -> None:
        # sorted, so that the numbers of one order follow each other
        self.rows = tuple(sorted((tuple(map(int, row)) for row in rows), key=len))
        self.words = words
        self._tables = {order: self._table(order) for order in sorted({len(row) for row in self.rows})}

    @classmethod
    def count(cls, texts: Iterable[Sequence[int]], orders: Sequence[int], min_count: int, words: int) -> Ngrams:
        """The n-grams that stand `min_count` times in the texts, the most frequent of each order first.

        Args:
            texts: word ids of each text.
            orders: of the n-grams, each at least 2.
            min_count: int.
            words: int. Size of the vocabulary of words.
        """
        arrays = [np.asarray(text, np.int64) for text in texts]
        rows: list[tuple[int, ...]] = []
        for order in orders:
            _check_order(order, words)
            keys = np.concatenate([_keys(text, order, words) for text in arrays] or [np.zeros(0, np.int64)])
            distinct, counts = np.unique(keys[keys >= 0], return_counts=True)
            frequent = counts >= min_count
            distinct, counts = distinct[frequent], counts[frequent]
            rows += [_row(key, order, words) for key in distinct[np.argsort(-counts, kind="stable")].tolist()]
        return cls(rows, words)

    def __len__(self) -> int:
        """Entries of an embedding: the n-grams, and the entry for none."""
        return len(self.rows) + 1

    def first(self, order: int) -> int:
        """The number of the first n-gram of an order; the others of that order follow, the most frequent first."""
        return 1 + sum(len(row) < order for row in self.rows)

    def many(self, order: int) -> int:
        """How many n-grams of an order there are."""
        return sum(len(row) == order for row in self.rows)

    def numbers(self, ids: tf.Tensor, order: int) -> tf.Tensor:
        """The number of the n-gram of an order that begins at each step, int32 `(batch, time)`.

        Args:
            ids: int32 tensor `(batch, time)`, word ids, 0 for padding.
            order: int.
        """
        if order not in self._tables:
            return tf.zeros_like(ids)
        padded = tf.cast(tf.pad(ids, [[0, 0], [0, order - 1]]), tf.int64)
        steps = tf.shape(ids)[1]
        parts = [padded[:, place : place + steps] for place in range(order)]
        keys = tf.add_n([part * self.words ** (order - 1 - place) for place, part in enumerate(parts)])
        whole = tf.reduce_all([part > UNKNOWN for part in parts], axis=0)
        return tf.cast(self._tables[order].lookup(tf.where(whole, keys, -1)), tf.int32)

    def tables(self) -> list[tf.lookup.StaticHashTable]:
        """What whoever exports a graph must hold."""
        return list(self._tables.values())

    def save(self, path: Path, words: Vocabulary) -> None:
        """Writes one n-gram a line, its words separated by spaces."""
        write_text(path, "".join(" ".join(words.entries[word] for word in row) + "\n" for row in self.rows))

    @classmethod
    def load(cls, path: Path, words: Vocabulary) -> Ngrams:
        """Reads what `save` wrote."""
        lines = path.read_bytes().decode("utf-8").split("\n")[:-1]
        return cls(([words.id(word) for word in line.split(" ")] for line in lines), len(words))

    def _table(self, order: int) -> tf.lookup.StaticHashTable:
        _check_order(order, self.words)
        rows = np.array([row for row in self.rows if len(row) == order], np.int64)
        first = self.first(order)
        keys = rows @ (self.words ** np.arange(order - 1, -1, -1, dtype=np.int64))
        values = np.arange(first, first + len(rows), dtype=np.int64)
        pairs = tf.lookup.KeyValueTensorInitializer(tf.constant(keys), tf.constant(values))
        return tf.lookup.StaticHashTable(pairs, default_value=NONE)


def _check_order(order: int, words: int) -> None:
    if order < 2:
        raise ValueError(f"an order must be at least 2, got {order}")
    if words**order >= 2**63:
        raise ValueError(f"{words} words are too many for n-grams of order {order}; raise min_count")


def _keys(text: np.ndarray, order: int, words: int) -> np.ndarray:
    """One number for each n-gram of a text, -1 where a word of it is unknown."""
    count = max(0, len(text) - order + 1)
    parts = [text[place : place + count] for place in range(order)]
    keys = np.zeros(count, np.int64)
    for part in parts:
        keys = keys * words + part
    return np.where(np.all([part > UNKNOWN for part in parts], axis=0), keys, -1)


def _row(key: int, order: int, words: int) -> tuple[int, ...]:
    places = []
    for _ in range(order):
        key, word = divmod(key, words)
        places.append(word)
    return tuple(reversed(places))
