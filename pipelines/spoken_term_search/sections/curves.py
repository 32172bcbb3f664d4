"""Same or different: how well the distance of two queries tells whether they are the same word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ...reporting import figures, page
from ...reporting.detection import det
from ..judgement import Row
from ..phonemes import LENGTHS, length_of
from ..ranking import det_curve, pr_curve, same_different
from ..scoring import Pairs

RECALLS = np.arange(1, 101) / 100  # at which the precision is drawn
MATRIX_SPEAKERS = 20  # more are not legible
SHOWN_PAIRS = 20  # of more speakers than these


def same_different_sections(rows: Sequence[Row]) -> list[page.Section]:
    """Average precision and curves over all pairs of labelled queries; nothing where these are of one kind only."""
    known = [row for row in rows if row["label"] is not None and not row["error"]]
    pairs = Pairs.of(known)
    if not _has_both(pairs.same):
        return []
    everything = np.ones(len(pairs.same), bool)
    kinds = {"all pairs": everything}
    if pairs.speakers_are_known:
        kinds |= {"of two speakers": pairs.other_speaker, "of one speaker": ~pairs.other_speaker}
    some = {name: mask for name, mask in kinds.items() if _has_both(pairs.same[mask])}
    drawn = {name: some[name] for name in list(some)[:2]}
    text = (
        f"All pairs of the {len(known):,} queries with a label: a threshold on the distance of two vectors (1 less "
        "their cosine) decides whether they are the same word (Carlin et al. 2011). Average precision is the area "
        "under the curve of precision and recall; at the equal error rate, as many different pairs are taken for the "
        "same as same ones are missed."
    )
    blocks: list[page.Table | page.Figure] = [_table(pairs, some), _precision_recall(pairs, drawn)]
    blocks += [_tradeoff(pairs, drawn), *_by_speakers(pairs), *_by_length(known, pairs)]
    return [page.Section("Same or different", text, blocks)]


def equal_error_rate(distances: np.ndarray, same: np.ndarray) -> float:
    """The share of errors at the threshold at which false alarms and misses are nearest to each other: their mean.

    Args:
        distances: float array `(pairs,)`.
        same: bool array `(pairs,)`, with pairs of both kinds.

    Example:
        >>> equal_error_rate(np.array([0.1, 0.2, 0.3, 0.4]), np.array([True, False, True, False]))
        0.5
    """
    false_alarms, misses, _ = det_curve(distances, same)
    nearest = np.abs(false_alarms - misses).argmin()
    return float((false_alarms[nearest] + misses[nearest]) / 2)


def _has_both(same: np.ndarray) -> bool:
    return bool(same.any() and not same.all())


def _table(pairs: Pairs, kinds: Mapping[str, np.ndarray]) -> page.Table:
    lines: list[list[page.Cell]] = []
    for name, mask in kinds.items():
        distances, same = pairs.distances[mask], pairs.same[mask]
        values = same_different(distances, same), equal_error_rate(distances, same)
        lines.append([name, int(mask.sum()), int(same.sum()), float(same.mean()), *values])
    columns = ("pairs", "number", "of one word", "share_by_chance", "average_precision", "equal_error_rate")
    return page.Table(columns, lines)


def _precision_recall(pairs: Pairs, kinds: Mapping[str, np.ndarray]) -> page.Figure:
    series = {}
    for name, mask in kinds.items():
        precision, recall, _ = pr_curve(pairs.distances[mask], pairs.same[mask])
        series[name] = precision[np.searchsorted(recall, RECALLS - 1e-9)].tolist()
    return figures.lines(
        (100 * RECALLS).tolist(),
        series,
        title="Precision and recall",
        xlabel="recall (%)",
        ylabel="precision (%)",
        percent=True,
        height=3.4,
    )


def _tradeoff(pairs: Pairs, kinds: Mapping[str, np.ndarray]) -> page.Figure:
    series = {name: det_curve(pairs.distances[mask], pairs.same[mask])[:2] for name, mask in kinds.items()}
    return det(
        series,
        title="Detection error tradeoff",
        caption="Probit axes; the dotted line holds the equal error rates.",
    )


def _by_speakers(pairs: Pairs) -> list[page.Figure | page.Table]:
    """The average precision of the pairs that each two speakers make."""
    speakers = sorted(set(pairs.speakers) - {""})
    place = {speaker: number for number, speaker in enumerate(speakers)}
    number = np.array([place.get(speaker, -1) for speaker in pairs.speakers], np.int64)
    if len(speakers) < 2:
        return []
    one, other = np.sort([number[pairs.first], number[pairs.second]], axis=0)
    values = np.zeros((len(speakers), len(speakers)))
    code = np.where(one < 0, -1, one * len(speakers) + other)
    for each in np.unique(code[code >= 0]):
        mask = code == each
        if _has_both(pairs.same[mask]):
            values[tuple(divmod(each, len(speakers)))] = same_different(pairs.distances[mask], pairs.same[mask])
    if len(speakers) > MATRIX_SPEAKERS:
        worst = sorted((values[at], *at) for at in zip(*np.nonzero(values), strict=True))[:SHOWN_PAIRS]
        lines = [[speakers[first], speakers[second], float(value)] for value, first, second in worst]
        return [page.Table(("speaker", "and", "average_precision"), lines, "The hardest pairs of speakers")]
    drawn = figures.heatmap(
        speakers,
        100 * np.maximum(values, values.T),
        columns=speakers,
        title="By pair of speakers",
        xlabel="speaker of one query",
        ylabel="speaker of the other",
        caption="Average precision in percent; an empty cell holds no pair of one word.",
        logarithmic=False,
    )
    return [drawn]


def _by_length(rows: Sequence[Row], pairs: Pairs) -> list[page.Figure]:
    lengths = np.array([length_of(row.get("phonemes") or ()) for row in rows], object)
    values, counts = {}, []
    for name in LENGTHS:
        mask = (lengths[pairs.first] == name) | (lengths[pairs.second] == name)
        if _has_both(pairs.same[mask]):
            values[name] = same_different(pairs.distances[mask], pairs.same[mask])
            counts.append(int(pairs.same[mask].sum()))
    if len(values) < 2:
        return []
    drawn = figures.bars(
        list(values),
        list(values.values()),
        counts=counts,
        title="Average precision by word length",
        xlabel="phonemes",
        ylabel="average precision (%)",
        percent=True,
        vertical=True,
        caption="Pairs of which at least one term has so many phonemes; n counts those of one word.",
    )
    return [drawn]
