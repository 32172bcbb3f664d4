"""Rows of predictions with what is counted in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from .scoring import corpus_measures, lengths, sentence_chrf, split, statistics

Row = dict[str, Any]


def translation(row: Row, search: str = "") -> str:
    """The translation of a row, or the one of another search; nothing where there is an error."""
    if row["predicted"]["error"]:
        return ""
    if search:
        return row["decoders"].get(search, "")
    return next(iter(row["predicted"]["translations"]), "")


@dataclass(frozen=True, eq=False)
class Answers:
    """Rows of predictions beside their references.

    Args:
        rows: as they stand in `predictions.jsonl`.
        tokenize: sacrebleu's tokenizer.
    """

    rows: Sequence[Row]
    tokenize: str

    @cached_property
    def translations(self) -> list[str]:
        return [translation(row) for row in self.rows]

    @cached_property
    def targets(self) -> list[list[str]]:
        """The references of each row."""
        return [row["gold"]["targets"] for row in self.rows]

    @cached_property
    def table(self) -> np.ndarray:
        """Statistics `(rows, k)`, see `scoring`."""
        return statistics(self.translations, self.targets, self.tokenize)

    @cached_property
    def chrf(self) -> np.ndarray:
        """The chrF of each sentence, `(rows,)`."""
        return sentence_chrf(self.table)

    @cached_property
    def answered(self) -> np.ndarray:
        """Which rows have no error, bool `(rows,)`."""
        return np.array([not row["predicted"]["error"] for row in self.rows], dtype=bool)

    @cached_property
    def tokens(self) -> list[list[str]]:
        """The tokens of each translation."""
        return split(self.translations, self.tokenize)

    @cached_property
    def target_tokens(self) -> list[list[list[str]]]:
        """The tokens of each reference of each row."""
        flat = iter(split([target for targets in self.targets for target in targets], self.tokenize))
        return [[next(flat) for _ in targets] for targets in self.targets]

    @cached_property
    def length_ratios(self) -> np.ndarray:
        """The length of each translation to that of its reference nearest in length, `(rows,)`."""
        own, reference = lengths(self.table)
        return own / np.maximum(reference, 1)

    def measures(self, which: np.ndarray | slice = slice(None)) -> dict[str, float]:
        """The metrics of some rows, by a mask or places."""
        return corpus_measures(self.table[which])

    def unknown(self, place: int) -> list[str]:
        """The source tokens of a row that the model does not know; none if the row does not say."""
        return self.rows[place].get("unknown") or []
