"""Errors of transcripts: words aligned with words, and the error rates.

Words are what stands between spaces, characters are code points, and both are compared as they stand: upper and lower
case differ, and a space is a character like any other.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import jiwer
import numpy as np

STATISTICS = (
    *("substitutions", "deletions", "insertions", "words"),
    *("character_edits", "characters", "wrong", "utterances"),
)

_WORDS, _CHARACTERS = jiwer.ReduceToListOfListOfWords(), jiwer.ReduceToListOfListOfChars()


class Pair(NamedTuple):
    """A word that was said beside the word that was heard in its place.

    Args:
        gold: `None` where a word was heard that nobody said.
        heard: `None` where a word was not heard.
    """

    gold: str | None
    heard: str | None

    @property
    def kind(self) -> str:
        """`"right"`, `"substitution"`, `"deletion"` or `"insertion"`."""
        if self.gold is None:
            return "insertion"
        if self.heard is None:
            return "deletion"
        return "right" if self.gold == self.heard else "substitution"


def align(gold: Sequence[str], heard: Sequence[str]) -> list[list[Pair]]:
    """Sets the words of each transcript beside those that were heard, with as few errors as possible.

    Args:
        gold: transcripts.
        heard: what was recognised, one for each of them.

    Example:
        >>> [[(pair.gold, pair.heard) for pair in pairs] for pairs in align(["go left now"], ["go let"])]
        [[('go', 'go'), ('left', 'let'), ('now', None)]]
    """
    if not gold:
        return []
    output = jiwer.process_words(list(gold), list(heard), _WORDS, _WORDS)
    return [
        [
            Pair(*words)
            for chunk in chunks
            for words in zip_longest(
                said[chunk.ref_start_idx : chunk.ref_end_idx], recognised[chunk.hyp_start_idx : chunk.hyp_end_idx]
            )
        ]
        for said, recognised, chunks in zip(output.references, output.hypotheses, output.alignments, strict=True)
    ]


def statistics(gold: Sequence[str], heard: Sequence[str]) -> np.ndarray:
    """What each utterance adds to the sums from which `rates` are computed.

    Args:
        gold: transcripts.
        heard: what was recognised, one for each of them.

    Returns:
        int64 array `(utterances, len(STATISTICS))`, its columns in the order of `STATISTICS`.

    Example:
        >>> dict(zip(STATISTICS, statistics(["go left now"], ["go let"])[0].tolist(), strict=True))["character_edits"]
        5
    """
    if not gold:
        return np.zeros((0, len(STATISTICS)), dtype=np.int64)
    words = jiwer.process_words(list(gold), list(heard), _WORDS, _WORDS)
    characters = jiwer.process_characters(list(gold), list(heard), _CHARACTERS, _CHARACTERS)
    rows = []
    for said, of_words, of_characters, text in zip(
        words.references, words.alignments, characters.alignments, gold, strict=True
    ):
        edits = _edits(of_words)
        rows.append((*edits, len(said), sum(_edits(of_characters)), len(text), any(edits), 1))
    return np.array(rows, dtype=np.int64)


def _edits(chunks: Sequence[Any]) -> tuple[int, int, int]:
    """Substitutions, deletions and insertions of an alignment."""
    counts = {"substitute": 0, "delete": 0, "insert": 0, "equal": 0}
    for chunk in chunks:
        lengths = chunk.ref_end_idx - chunk.ref_start_idx, chunk.hyp_end_idx - chunk.hyp_start_idx
        counts[chunk.type] += max(lengths)
    return counts["substitute"], counts["delete"], counts["insert"]


def rates(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Computes the error rates from summed statistics.

    `wer` is the share of substituted, left out and inserted words in the words that were said, `cer` the same of
    characters, `ser` the share of utterances with any wrong word. Insertions can make the first two exceed 1; where
    nothing was said, they are the number of what was inserted.

    Args:
        sums: `(r, len(STATISTICS))`.

    Returns:
        Fractions `(r,)` by name.

    Example:
        >>> sums = statistics(["go left now", "stop"], ["go let", "stop"]).sum(axis=0, keepdims=True)
        >>> {name: float(value[0]) for name, value in rates(sums).items()}
        {'wer': 0.5, 'cer': 0.3333333333333333, 'ser': 0.5}

    References:
        Morris, Maier and Green, "From WER and RIL to MER and WIL: improved evaluation measures for connected speech
        recognition", 2004.
    """
    columns = dict(zip(STATISTICS, np.asarray(sums, dtype=np.float64).T, strict=True))
    edits = columns["substitutions"] + columns["deletions"] + columns["insertions"]
    return {
        "wer": edits / np.maximum(columns["words"], 1),
        "cer": columns["character_edits"] / np.maximum(columns["characters"], 1),
        "ser": columns["wrong"] / np.maximum(columns["utterances"], 1),
    }
