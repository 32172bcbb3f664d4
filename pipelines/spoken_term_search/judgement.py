"""What the rankings of a query are worth, and which queries a report shows as examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .ranking import average_precision_of, precision_at

AT = 10  # hits that a user looks at

Row = Mapping[str, Any]

OTHERS, ALL = "", "_of_all"  # what the names of a row's rankings end with: of other speakers, of the whole archive


class Judgement(NamedTuple):
    """A ranking of an archive for one query.

    Args:
        average_precision: over the relevant terms.
        precision_at_1: 1 if the first hit is relevant, else 0.
        precision_at_10: share of relevant terms among the first ten.
        relevant: how many terms are relevant.
        candidates: how many terms were ranked.
    """

    average_precision: float
    precision_at_1: float
    precision_at_10: float
    relevant: int
    candidates: int


def judge(row: Row, which: str = OTHERS) -> Judgement | None:
    """Judges a row of `predictions.jsonl`; `None` if there was nothing to find.

    A query that was answered with an error has found nothing.

    Args:
        row: the query.
        which: `OTHERS` or `ALL`.

    Example:
        >>> judge({"ranks": [1, 4], "candidates": 100})
        Judgement(average_precision=0.75, precision_at_1=1.0, precision_at_10=0.2, relevant=2, candidates=100)
    """
    ranks, candidates = np.array(row.get(f"ranks{which}") or [], np.int64), row.get(f"candidates{which}", 0)
    if not ranks.size:
        return None
    if row.get("error"):
        return Judgement(0.0, 0.0, 0.0, len(ranks), candidates)
    precision = average_precision_of(ranks)
    first, first_ten = (precision_at(ranks, k, candidates) for k in (1, AT))
    return Judgement(precision, first, first_ten, len(ranks), candidates)


def worth_hearing(rows: Sequence[Row]) -> dict[str, int]:
    """Places of the queries whose hits a report lets one hear, as `best_middling_worst` names them.

    They are ranked by average precision; where no query has any, by the score of its first hit.
    """
    found = [place for place, row in enumerate(rows) if row.get("hits") and not row["error"]]
    judged = [(place, judgement) for place in found if (judgement := judge(rows[place]))]
    worth = {place: judgement.average_precision for place, judgement in judged}
    return best_middling_worst(worth or {place: rows[place]["hits"][0]["score"] for place in found})


def worth_restoring(rows: Sequence[Row]) -> dict[str, int]:
    """Places of the queries whose restoration a report shows, as `best_middling_worst` names them."""
    errors = {
        place: row["restoration_error"]
        for place, row in enumerate(rows)
        if "restoration_error" in row and not row["error"]
    }
    return best_middling_worst({place: -error for place, error in errors.items()})


def best_middling_worst(values: dict[int, float]) -> dict[str, int]:
    """The keys of the greatest, the median and the least value, of equals the first ones; fewer if there are not three.

    Example:
        >>> best_middling_worst({7: 0.2, 8: 0.9, 9: 0.4}), best_middling_worst({7: 0.2})
        ({'best': 8, 'middling': 9, 'worst': 7}, {'best': 7})
    """
    order = sorted(values, key=lambda key: -values[key])
    if len(order) < 3:
        return dict(zip(("best", "worst"), order, strict=False))
    return {"best": order[0], "middling": order[len(order) // 2], "worst": order[-1]}
