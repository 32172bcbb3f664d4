"""The metrics of spoken term search, with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..evaluation import Scores, bootstrap
from .judgement import judge
from .ranking import same_different
from .unsegmented import measures

_FEWEST, _PAIRS = 200, 300_000_000  # resamples, and pairs in all of them: half a minute

Row = Mapping[str, Any]


def score(rows: Sequence[Row], resamples: int) -> Scores:
    """Scores queries.

    - `mean_average_precision`, `precision_at_10`: of the ranking of the archive of other speakers, over the queries
      that have something to find there; one that is answered with an error finds nothing.
    - `average_precision`, `average_precision_across_speakers`: same or different, over all pairs of labelled queries,
      and over those of two speakers.
    - `precision_at_n`, `recall`: in whole recordings, see `unsegmented`; means over words.
    - `restoration_error`: mean squared error of the frames restored from the vectors.

    A metric for which the rows have nothing is left out.

    Args:
        rows: of `predictions.jsonl`, or of a validation, which have neither ranks nor distances.
        resamples: of the bootstrap.
    """
    metrics: dict[str, float] = {}
    confidence: dict[str, tuple[float, float]] = {}
    judged = [one for row in rows if (one := judge(row))]
    if judged:
        table = np.array([[one.average_precision, one.precision_at_10, 1.0] for one in judged])
        values, intervals = bootstrap(table, _means("mean_average_precision", "precision_at_10"), 0, resamples)
        metrics, confidence = metrics | values, confidence | intervals
    known = [row for row in rows if row["label"] is not None and not row["error"]]
    pairs = Pairs.of(known)
    for name, some in (
        ("average_precision", pairs),
        ("average_precision_across_speakers", pairs.of_two_speakers() if pairs.speakers_are_known else None),
    ):
        if some is not None and some.same.any() and not some.same.all():
            metrics[name] = same_different(some.distances, some.same)
            if resamples:
                confidence[name] = some.interval(len(known), resamples)
    words = measures(rows)
    if words:
        values, intervals = bootstrap(
            np.array([[*shares, 1.0] for shares in words.values()]), _means("precision_at_n", "recall"), 0, resamples
        )
        metrics, confidence = metrics | values, confidence | intervals
    errors = [[row["restoration_error"], 1.0] for row in rows if not row["error"] and "restoration_error" in row]
    if errors:
        values, intervals = bootstrap(np.array(errors), _means("restoration_error"), 0, resamples)
        metrics, confidence = metrics | values, confidence | intervals
    counts = {
        "errors": sum(bool(row["error"]) for row in rows),
        "queries_without_label": sum(row["label"] is None for row in rows),
    }
    if any("ranks" in row for row in rows):
        counts["queries_with_nothing_to_find"] = sum(row["label"] is not None and not row["ranks"] for row in rows)
    return Scores(metrics, confidence, counts)


class Pairs:
    """All pairs of some queries.

    Attributes:
        first: int array `(pairs,)`, rows.
        second: int array `(pairs,)`, rows before those.
        distances: float array `(pairs,)`.
        same: bool array `(pairs,)`, whether they have one label.
        other_speaker: bool array `(pairs,)`, whether they have two speakers.
        speakers_are_known: of any query.
    """

    def __init__(
        self, first: np.ndarray, second: np.ndarray, distances: np.ndarray, labels: np.ndarray, speakers: np.ndarray
    ) -> None:
        self.first, self.second, self.distances, self.labels, self.speakers = first, second, distances, labels, speakers
        self.same = labels[first] == labels[second]
        self.other_speaker = speakers[first] != speakers[second]
        self.speakers_are_known = bool((speakers != "").any())

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Pairs:
        """The pairs of rows that have `distances` to the rows before them, or an `embedding`."""
        first, second = np.tril_indices(len(rows), -1)
        labels = np.array([row["label"] for row in rows], object)
        speakers = np.array([row["speaker"] or "" for row in rows], object)
        if rows and "distances" in rows[0]:
            places = [row["place"] for row in rows]
            pairs = zip(first.tolist(), second.tolist(), strict=True)
            distances = np.array([rows[one]["distances"][places[other]] for one, other in pairs])
        else:
            vectors = np.array([row["embedding"] for row in rows], np.float64).reshape(len(rows), -1 if rows else 0)
            distances = (1.0 - vectors @ vectors.T)[first, second]
        return cls(first, second, distances, labels, speakers)

    def of_two_speakers(self) -> Pairs:
        """Those whose terms two different speakers say."""
        some = self.other_speaker
        return Pairs(self.first[some], self.second[some], self.distances[some], self.labels, self.speakers)

    def interval(self, terms: int, resamples: int) -> tuple[float, float]:
        """The 95 % interval of the average precision, over resampled terms; of very many pairs it is resampled less."""
        order = np.argsort(self.distances, kind="stable")
        first, second, same = self.first[order], self.second[order], self.same[order].astype(np.float64)
        draw = np.random.default_rng(0)
        values = []
        for _ in range(min(resamples, max(_FEWEST, _PAIRS // max(1, len(order))))):
            counts = np.bincount(draw.integers(terms, size=terms), minlength=terms)
            weights = (counts[first] * counts[second]).astype(np.float64)
            hits, all_ = np.cumsum(weights * same), np.cumsum(weights)
            if hits[-1]:
                precision = np.divide(hits, all_, out=np.zeros_like(hits), where=all_ > 0)
                values.append(float((precision * weights * same).sum() / hits[-1]))
        low, high = np.percentile(values, [2.5, 97.5])
        return float(low), float(high)


def _means(*names: str) -> Any:
    def metrics(sums: np.ndarray) -> dict[str, np.ndarray]:
        return {name: sums[:, place] / sums[:, -1] for place, name in enumerate(names)}

    return metrics
