"""What a search finds for each query, as far as scores and a report need it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...datasets.spoken_term import SpokenTerm
from ..pipeline import Row
from .ranking import relevant_ranks

HITS = 10  # that a report may show of each query


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
    """
    others = np.array([speaker is None or term.speaker != speaker for term in archive], bool)
    same = np.array([label is not None and term.label == label for term in archive], bool)
    order = np.flatnonzero(others)[np.argsort(-scores[others], kind="stable")[:HITS]]
    return {
        "ranks": relevant_ranks(scores[others], same[others]).tolist(),
        "candidates": int(others.sum()),
        "ranks_of_all": relevant_ranks(scores, same).tolist(),
        "candidates_of_all": len(archive),
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


def with_search(
    rows: Sequence[Row], archive: Sequence[SpokenTerm], scores: np.ndarray, distances: np.ndarray
) -> list[Row]:
    """Rows with what is found for each, and with their distances to the rows before them.

    Args:
        rows: with `label` and `speaker`.
        archive: what may be found.
        scores: `(rows, archive)`, more is more alike.
        distances: `(rows, rows)`.
    """
    before = _before(distances)
    return [
        {**row, **found(row["label"], row["speaker"], archive, each), "place": place, "distances": before[place]}
        for place, (row, each) in enumerate(zip(rows, scores, strict=True))
    ]


def _before(distances: np.ndarray) -> list[list[float]]:
    """For each row its distances to those before it, rounded, for a file."""
    return [[round(float(each), 5) for each in row[:place]] for place, row in enumerate(distances)]
