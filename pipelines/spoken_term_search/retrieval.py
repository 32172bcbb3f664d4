"""What a search finds for each query, as far as scores and a report need it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...datasets.spoken_term import SpokenTerm
from ..pipeline import Row
from .ranking import average_precision_of, relevant_ranks

HITS = 10  # that a report may show of each query
FEW_SPEAKERS = 20  # whose terms are ranked apart


def found(label: str | None, speaker: str | None, archive: Sequence[SpokenTerm], scores: np.ndarray) -> dict[str, Any]:
    """Ranks an archive for a query.

    What the query's own speaker says is left out of the first ranking: nobody searches a voice that is known. Where
    speakers are unknown, both rankings are of everything.

    Args:
        label: of the query.
        speaker: of the query.
        archive: what may be found.
        scores: float array `(archive,)`, more is more alike.

    Returns:
        `ranks` of the terms with the query's label among those of other speakers, `candidates`, how many these are,
        `ranks_of_all` and `candidates_of_all` of the whole archive, and `hits`, the best of other speakers as
        dictionaries `place`, `name`, `label`, `speaker`, `score`. Ranks are empty where the query has no label.
        `by_speaker` has the average precision among the terms of each other speaker who says the word; of more than 20
        speakers it is empty.
    """
    others = np.array([speaker is None or term.speaker != speaker for term in archive], bool)
    same = np.array([label is not None and term.label == label for term in archive], bool)
    speakers = np.array([term.speaker or "" for term in archive], object)
    order = np.flatnonzero(others)[np.argsort(-scores[others], kind="stable")[:HITS]]
    return {
        "ranks": relevant_ranks(scores[others], same[others]).tolist(),
        "candidates": int(others.sum()),
        "ranks_of_all": relevant_ranks(scores, same).tolist(),
        "candidates_of_all": len(archive),
        "by_speaker": _by_speaker(scores[others], same[others], speakers[others]),
        "hits": [
            {
                "place": int(place),
                "name": archive[place].name,
                "label": archive[place].label,
                "speaker": archive[place].speaker,
                "score": round(float(scores[place]), 5),
            }
            for place in order
        ],
    }


def _by_speaker(scores: np.ndarray, same: np.ndarray, speakers: np.ndarray) -> dict[str, float]:
    names = sorted(set(speakers[speakers != ""]))
    if len(names) > FEW_SPEAKERS:
        return {}
    ranks = {name: relevant_ranks(scores[speakers == name], same[speakers == name]) for name in names}
    return {name: round(average_precision_of(each), 5) for name, each in ranks.items() if each.size}


def with_search(
    rows: Sequence[Row], archive: Sequence[SpokenTerm], scores: np.ndarray, distances: np.ndarray
) -> list[Row]:
    """Rows with what is found for each, and with their distances to the rows before them.

    Args:
        rows: with `label`, `speaker` and `error`; a row with an error has no hits.
        archive: what may be found.
        scores: `(rows, archive)`, more is more alike.
        distances: `(rows, rows)`.
    """
    before = _before(distances)
    searched = []
    for place, (row, each) in enumerate(zip(rows, scores, strict=True)):
        searched.append({**row, **found(row["label"], row["speaker"], archive, each)})
        searched[-1] |= {"place": place, "distances": before[place]}
        if row["error"]:
            searched[-1] |= {"hits": [], "by_speaker": {}}
    return searched


def _before(distances: np.ndarray) -> list[list[float]]:
    """For each row its distances to those before it, rounded, for a file."""
    return [[round(float(each), 5) for each in row[:place]] for place, row in enumerate(distances)]
