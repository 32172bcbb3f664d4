"""Vocabularies: which strings the ids stand for, in files that a person can read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .run_directory import write_text

if TYPE_CHECKING:
    import tensorflow as tf

PADDING, UNKNOWN, START, END = 0, 1, 2, 3
SPECIAL = ("[padding]", "[unknown]", "[start]", "[end]")


class Vocabulary:
    """The entries of an embedding or of an output layer, by id.

    Args:
        entries: strings by id, without repeats. A vocabulary of inputs starts with the special entries
            `[padding] [unknown] [start] [end]`; one of labels has none. A text that spells one of them is unknown.

    Example:
        >>> words = Vocabulary.count(["to boston", "to denver"], min_count=1, split=str.split)
        >>> len(words), words.id("to"), words.id("paris")
        (7, 4, 1)
    """

    def __init__(self, entries: Iterable[str]) -> None:
        self.entries = tuple(entries)
        self._ids = {entry: index for index, entry in enumerate(self.entries)}
        if len(self._ids) != len(self.entries):
            raise ValueError("entries must be distinct")

    @classmethod
    def count(cls, texts: Iterable, min_count: int, split, base: Vocabulary | None = None) -> Vocabulary:
        """The special entries, the entries of `base`, and what occurs `min_count` times, most frequent first."""
        counts = Counter(part for text in texts for part in split(text))
        known = base.entries if base else SPECIAL
        held = set(known)
        new = [part for part, count in counts.items() if count >= min_count and part not in held]
        return cls((*known, *sorted(new, key=lambda part: (-counts[part], part))))

    @classmethod
    def labels(cls, labels: Iterable[str], base: Vocabulary | None = None) -> Vocabulary:
        """The distinct labels in sorted order, after those of `base`."""
        known = base.entries if base else ()
        return cls((*known, *sorted(set(labels) - set(known))))

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, entry: str) -> bool:
        return entry in self._ids

    def id(self, entry: str) -> int:
        """The id of an entry that a text may hold, or that of `[unknown]`."""
        return UNKNOWN if entry in SPECIAL else self._ids.get(entry, UNKNOWN)

    def index(self, label: str | None) -> int:
        """The id of a label that must be known; a `KeyError` if it is not."""
        return self._ids[label]  # type: ignore[index]

    def save(self, path: Path) -> None:
        """Writes one entry a line, in id order; line breaks and backslashes are escaped."""
        write_text(path, "".join(_escape(entry) + "\n" for entry in self.entries))

    @classmethod
    def load(cls, path: Path) -> Vocabulary:
        """Reads what `save` wrote."""
        return cls(_unescape(line) for line in path.read_bytes().decode("utf-8").split("\n")[:-1])

    def table(self, default: int = UNKNOWN) -> tf.lookup.StaticHashTable:
        """A lookup table from what a text may hold to ids for graphs; whoever exports the graph must hold the table."""
        import tensorflow as tf

        pairs = tf.lookup.KeyValueTensorInitializer(
            tf.constant(self.entries), tf.constant([self.id(entry) for entry in self.entries], tf.int64)
        )
        return tf.lookup.StaticHashTable(pairs, default_value=default)


def _escape(entry: str) -> str:
    return entry.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")


def _unescape(line: str) -> str:
    parts: Sequence[str] = line.split("\\\\")
    return "\\".join(part.replace("\\n", "\n").replace("\\r", "\r") for part in parts)
