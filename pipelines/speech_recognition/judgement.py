"""Rows of predictions beside what is right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from .config import DECODERS
from .error_rates import Pair, align

Row = dict[str, Any]


class Word(NamedTuple):
    """A word of an alignment with what the model says of it; `None` where it does not say or heard nothing.

    Args:
        pair: the word beside that of gold.
        confidence: in [0, 1].
        start: seconds from the beginning of the recording.
        end: the same.
    """

    pair: Pair
    confidence: float | None = None
    start: float | None = None
    end: float | None = None


@dataclass(frozen=True)
class Judgement:
    """A row of predictions, its words aligned with those of gold.

    Args:
        row: as it stands in `predictions.jsonl`.
        pairs: the alignment.
    """

    row: Row
    pairs: Sequence[Pair]

    @cached_property
    def edits(self) -> int:
        """Words that are wrong, left out or inserted."""
        return sum(pair.kind != "right" for pair in self.pairs)

    @property
    def failed(self) -> bool:
        """Whether the recording was answered with an error."""
        return bool(self.row["predicted"]["error"])

    @property
    def gold(self) -> str:
        return self.row["gold"]["text"]

    @property
    def confidence(self) -> float:
        return self.row["predicted"]["confidence"]

    @cached_property
    def words(self) -> list[Word]:
        """The alignment with confidences and times."""
        return list(self._words())

    def _words(self) -> Iterator[Word]:
        answer = self.row["predicted"]
        names = ("word_confidences", "word_starts", "word_ends")
        known = list(zip(*(answer[name] for name in names), strict=False))
        count = sum(pair.heard is not None for pair in self.pairs)
        known = known if len(known) == count else [(None, None, None)] * count
        places = iter(known)
        for pair in self.pairs:
            yield Word(pair) if pair.heard is None else Word(pair, *next(places))


def judge(rows: Sequence[Row]) -> list[Judgement]:
    """Aligns all rows."""
    pairs = align([row["gold"]["text"] for row in rows], [heard(row) for row in rows])
    return [Judgement(*each) for each in zip(rows, pairs, strict=True)]


def worst_first(judgements: Sequence[Judgement]) -> list[int]:
    """Places of the answered utterances that have a wrong word: the most of them first, then the least confident."""
    wrong = [place for place, judgement in enumerate(judgements) if judgement.edits and not judgement.failed]
    return sorted(wrong, key=lambda place: (-judgements[place].edits, judgements[place].confidence))


def heard(row: Row, decoder: str = "") -> str:
    """What was recognised, by the exported decoder or by another one; nothing where there is an error."""
    if row["predicted"]["error"]:
        return ""
    return row["decoders"].get(decoder, "") if decoder else row["predicted"]["text"]


def decoders_of(rows: Sequence[Row]) -> list[str]:
    """The decoders that the rows compare, from the simplest one on; none during training."""
    answered = [row.get("decoders") or {} for row in rows if not row["predicted"]["error"]]
    return [name for name in DECODERS if answered and all(name in texts for texts in answered)]


def exported_decoder(rows: Sequence[Row]) -> str | None:
    """The decoder behind the answers: what rows say, else the only one with the same texts; `None` if that fails."""
    said = {row.get("decoder") for row in rows}
    if len(said) == 1 and None not in said:
        return said.pop()
    same = [name for name in decoders_of(rows) if all(heard(row, name) == heard(row) for row in rows)]
    return same[0] if len(same) == 1 else None


def real_time_factors(rows: Sequence[Row]) -> dict[str, float]:
    """Seconds of decoding for each second of sound, by decoder."""
    timed = [row for row in rows if row.get("decoding_seconds")]
    sound = sum(row["seconds"] for row in timed)
    names = [name for name in DECODERS if timed and all(name in row["decoding_seconds"] for row in timed)]
    return {name: sum(row["decoding_seconds"][name] for row in timed) / sound for name in names if sound}


def blank_shares(rows: Sequence[Row]) -> np.ndarray:
    """The share of blank steps and the seconds of each answered row that tells it, `(rows, 2)`."""
    told = [row for row in rows if row.get("blank_share") is not None and not row["predicted"]["error"]]
    shares = [(row["blank_share"], row["seconds"]) for row in told]
    return np.array(shares, dtype=np.float64).reshape(-1, 2)
