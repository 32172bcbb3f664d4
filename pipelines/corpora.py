"""From the name of a data set, or a folder of a user, to the splits that a run works on."""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..datasets.corpus import Corpus, DataError
from .config import TaskConfig
from .registry import TaskEntry, suggestion


@dataclass(frozen=True)
class Splits:
    """A corpus as a run uses it.

    Attributes:
        corpus: as it was read.
        train: after the cut of a missing `valid` and after `limit`.
        valid: from the corpus, or cut from train.
        test: from the corpus, or `None`.
        notes: what was done to the splits and what was counted, in words that go into the report.
    """

    corpus: Corpus
    train: Sequence[Any]
    valid: Sequence[Any]
    test: Sequence[Any] | None
    notes: dict[str, int] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """Examples of each split."""
        named = {"train": self.train, "valid": self.valid, "test": self.test}
        return {name: len(examples) for name, examples in named.items() if examples is not None}

    def split(self, name: str) -> Sequence[Any]:
        """The examples of a split.

        Raises:
            DataError: if the data set has none of that name.
        """
        examples = {"train": self.train, "valid": self.valid, "test": self.test}.get(name)
        if examples is None:
            known = self.counts()
            raise DataError(
                f"{self.corpus.name} has no split {name!r}{suggestion(name, known)}; it has {', '.join(known)}"
            )
        return examples

    def digest(self) -> str:
        """16 hexadecimal digits that change when an example of train or valid does."""
        total = hashlib.sha256()
        for examples in (self.train, self.valid):
            for example in examples:
                total.update(repr(example).encode("utf-8", errors="surrogatepass") + b"\n")
            total.update(b"\0")
        return total.hexdigest()[:16]

    def summary(self) -> dict[str, Any]:
        """What the report says of the data."""
        corpus = self.corpus
        return {
            "description": corpus.description,
            "licence": corpus.licence,
            "citation": corpus.citation,
            "source": corpus.source,
            "counts": self.counts(),
            "notes": self.notes,
            "synthetic": corpus.synthetic,
        }


def cache_dir() -> Path:
    """Where prepared data lies: `SEQLOOM_CACHE_DIR`, or `~/.cache/seqloom`."""
    return Path(os.environ.get("SEQLOOM_CACHE_DIR") or Path.home() / ".cache" / "seqloom")


def read_corpus(entry: TaskEntry, dataset: str, data_dir: str | None) -> Corpus:
    """Reads a registered data set, or a folder in the task's layout; a registered name wins over a path.

    Raises:
        DataError: if there is neither, or if what is there cannot be used.
    """
    module = entry.datasets.get(dataset)
    if module is not None:
        return _module(module).load(Path(data_dir) if data_dir else None, cache_dir())
    folder = Path(dataset).expanduser()
    if not folder.exists():
        known = ", ".join(entry.datasets)
        raise DataError(
            f"{dataset!r} is neither a data set of {entry.name} ({known}) nor a folder"
            f"{suggestion(dataset, entry.datasets)}"
        )
    return _module(entry.files).load(folder)


def load_foreign(entry: TaskEntry, config: TaskConfig, dataset: str, split: str) -> Splits:
    """Another data set for the task, of which one split is scored; a folder needs that split alone.

    Raises:
        DataError: if it cannot be read or has no such split.
    """
    if dataset in entry.datasets or not Path(dataset).expanduser().exists():
        corpus = read_corpus(entry, dataset, config.data_dir)
    else:
        corpus = _module(entry.files).load(Path(dataset).expanduser(), required=split)
    corpus = config.chosen(corpus)
    return Splits(corpus, corpus.train, corpus.valid or [], corpus.test, dict(corpus.notes))


def load_splits(entry: TaskEntry, config: TaskConfig) -> Splits:
    """Reads the corpus and cuts it as the settings say."""
    return cut(read_corpus(entry, config.dataset, config.data_dir), config)


def cut(corpus: Corpus, config: TaskConfig) -> Splits:
    """Takes what the settings choose, cuts a missing `valid` from train, by the seed, and then applies `limit`.

    Examples with the same `group`, if they have one, stay on one side.
    """
    corpus = config.chosen(corpus)
    notes = dict(corpus.notes)
    train, valid = list(corpus.train), corpus.valid
    if valid is None:
        count = max(1, round(len(train) * config.validation_fraction))
        if count >= len(train):
            raise DataError(f"{corpus.name} has {len(train)} training examples, too few to cut a validation set off")
        chosen = _drawn(train, count, config.seed)
        if len(chosen) == len(train):
            raise DataError(
                f"all training examples of {corpus.name} belong together, as those with the same text do, so no "
                "validation set can be cut off; give it a valid split of its own"
            )
        valid = [train[index] for index in sorted(chosen)]
        train = [example for index, example in enumerate(train) if index not in chosen]
        notes["examples cut from train for validation"] = len(valid)
    if config.limit is not None and config.limit < len(train):
        notes["training examples left out by limit"] = len(train) - config.limit
        train = train[: config.limit]
    return Splits(corpus=replace(corpus), train=train, valid=valid, test=corpus.test, notes=notes)


def evenly_spread(examples: Sequence[Any], most: int) -> list[Any]:
    """At most so many of the examples, evenly spread over all of them, in their order.

    Example:
        >>> evenly_spread("abcdefgh", 3), evenly_spread("ab", 3)
        (['a', 'e', 'h'], ['a', 'b'])
    """
    places = np.linspace(0, len(examples) - 1, min(most, len(examples))).round().astype(int)
    return [examples[place] for place in places]


def _drawn(examples: Sequence[Any], count: int, seed: int) -> set[int]:
    """The numbers of at least `count` examples drawn by the seed, in whole groups."""
    groups: dict[Any, list[int]] = {}
    for index, example in enumerate(examples):
        groups.setdefault(getattr(example, "group", index), []).append(index)
    members = list(groups.values())
    drawn: set[int] = set()
    for group in np.random.default_rng(seed).permutation(len(members)).tolist():
        if len(drawn) >= count:
            break
        drawn.update(members[group])
    return drawn


def _module(name: str) -> Any:
    return importlib.import_module(f"...datasets.{name}", __name__)
