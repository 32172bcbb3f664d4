"""How the distance of two vectors grows with the number of phonemes in which two words differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from ...reporting import figures, page
from ..judgement import Row
from ..phonemes import edit_distances
from ..scoring import Pairs

GREATEST = 10  # edit distance that has a group of its own; all that is beyond has one too


def phoneme_sections(rows: Sequence[Row]) -> list[page.Section]:
    """Mean and spread of the distance for each edit distance; nothing where fewer than two terms have phonemes.

    References:
        Chung et al., 2016. Audio Word2Vec: Unsupervised Learning of Audio Segment Representations using
        Sequence-to-sequence Autoencoder (arXiv 1603.00982).
    """
    known = [row for row in rows if row.get("phonemes") and not row["error"]]
    if len(known) < 2:
        return []
    pairs = Pairs.of(known)
    edits = edit_distances([row["phonemes"] for row in known])[pairs.first, pairs.second]
    group = np.minimum(edits, GREATEST + 1)
    lines: list[list[Any]] = []
    for at in np.unique(group):
        some = pairs.distances[group == at]
        name = f"{at} or more" if at > GREATEST else str(at)
        low, middle, high = (float(each) for each in np.percentile(some, (25, 50, 75)))
        lines.append([name, len(some), float(some.mean()), float(some.std()), low, middle, high])
    columns = ("edit distance", "pairs", "mean", "standard deviation", "lower quartile", "median", "upper quartile")
    drawn = figures.dots(
        [str(line[0]) for line in lines],
        [float(line[2]) for line in lines],
        intervals=[(line[2] - line[3], line[2] + line[3]) for line in lines],
        title="Distance of vectors by edit distance of phonemes",
        xlabel="distance, 1 less the cosine: mean and one standard deviation to either side",
    )
    text = _text(len(known), len(rows), pairs.distances, edits)
    return [page.Section("Distance and phonemes", text, [drawn, page.Table(columns, lines)])]


def _text(known: int, all_: int, distances: np.ndarray, edits: np.ndarray) -> str:
    text = (
        f"Pairs of the {known:,} of {all_:,} queries whose phonemes are known, by how many phonemes must be put in, "
        "left out or replaced to make one word of the other (as Chung et al. 2016 did). Vectors that follow the sound "
        "lie the farther apart the more phonemes differ."
    )
    if np.ptp(distances) and np.ptp(edits):
        text += f" The rank correlation of the two (Spearman) is {spearmanr(distances, edits).statistic:.2f}."
    return text
