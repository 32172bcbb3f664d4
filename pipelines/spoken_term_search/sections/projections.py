"""The vectors of queries in two dimensions: principal components and t-SNE."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ...corpora import evenly_spread
from ...reporting import page
from ...reporting.planes import points
from ..judgement import Row

MOST_POINTS = 500
SHOWN_GROUPS = 12  # labels, or speakers, that have a colour
LEAST_POINTS = 5
PERPLEXITY, STEPS = 30, 500

_OTHERS = "(others)"


def projection_sections(rows: Sequence[Row]) -> list[page.Section]:
    """Vectors as points, coloured by word and by speaker; nothing where there are too few, or all are equal."""
    some = evenly_spread([row for row in rows if row.get("embedding") and not row["error"]], MOST_POINTS)
    vectors = np.array([row["embedding"] for row in some], np.float64)
    if len(some) < LEAST_POINTS or not np.ptp(vectors, axis=0).any():
        return []
    components, shares = principal_components(vectors)
    neighbours = stochastic_neighbours(vectors, components)
    axes = [
        f"{which} ({100 * share:.0f} % of variance)" for which, share in zip(("first", "second"), shares, strict=True)
    ]
    blocks: list[page.Figure] = []
    for what, key in (("word", "label"), ("speaker", "speaker")):
        groups = [row[key] or "" for row in some]
        if len(set(groups)) > 1 or not blocks:
            by = f", by {what}" if len(set(groups)) > 1 else ""
            blocks.append(_drawn(components, groups, f"Principal components{by}", *axes))
            blocks.append(_drawn(neighbours, groups, f"t-SNE{by}"))
    which = "all queries" if len(some) == len(rows) else f"{len(some):,} of {len(rows):,} queries"
    text = (
        f"The vectors of {which}, in the plane of their first two principal components and as t-SNE lays them out (van "
        "der Maaten and Hinton 2008). In the latter only neighbourhood has a meaning: neither the distances between "
        "clusters nor their sizes do. Vectors that know words but no voices form clusters of one word, all speakers in "
        "them."
    )
    return [page.Section("Vectors in two dimensions", text, blocks)]


def principal_components(vectors: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """The first two.

    Args:
        vectors: float array `(points, size)`, not all equal.

    Returns:
        float array `(points, 2)`, and the share of the variance that each of them has. A component's sign is such that
        the coordinate that is largest is positive.

    Example:
        >>> coordinates, shares = principal_components(np.array([[0.0, 1.0], [0.0, 3.0], [0.0, 8.0]]))
        >>> coordinates[:, 0].round(6).tolist(), shares
        ([-3.0, -1.0, 4.0], (1.0, 0.0))
    """
    left, values, _ = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)
    coordinates = np.zeros((len(vectors), 2))
    size = min(2, len(values))
    coordinates[:, :size] = (left * values)[:, :size]
    largest = coordinates[np.abs(coordinates).argmax(axis=0), [0, 1]]
    shares = np.zeros(2)
    shares[:size] = (values**2 / (values**2).sum())[:size]
    return coordinates * np.where(largest < 0, -1, 1), (float(shares[0]), float(shares[1]))


def stochastic_neighbours(vectors: np.ndarray, start: np.ndarray) -> np.ndarray:
    """t-SNE, the same each time.

    Args:
        vectors: float array `(points, size)`, at least `LEAST_POINTS`.
        start: float array `(points, 2)`, where points begin, such as principal components.

    Returns:
        float array `(points, 2)`.
    """
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(vectors) - 1) / 3)
    initial = 1e-4 * start / start[:, 0].std()
    with threadpool_limits(1):  # sums of several threads differ from run to run
        layout = TSNE(perplexity=perplexity, init=initial.astype(np.float32), max_iter=STEPS, random_state=0)
        return layout.fit_transform(vectors.astype(np.float32))


def _drawn(
    coordinates: np.ndarray, groups: Sequence[str], title: str, xlabel: str = "", ylabel: str = ""
) -> page.Figure:
    """The points of the most frequent groups in colours of their own, all others in grey."""
    counts = Counter(group for group in groups if group)
    frequent = sorted(sorted(counts, key=lambda name: (-counts[name], name))[:SHOWN_GROUPS])
    members = {name: np.array(groups, object) == name for name in frequent}
    members[_OTHERS] = ~np.isin(groups, frequent)
    series = {name: tuple(coordinates[mask].T.tolist()) for name, mask in members.items() if mask.any()}
    return points(series, title=title, xlabel=xlabel, ylabel=ylabel, behind=_OTHERS, height=4.0)
