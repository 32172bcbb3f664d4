"""What is found in the place of what was searched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from ...reporting import figures, page
from ..judgement import Row

MATRIX_LABELS = 40  # more are not legible
NUMBERED_LABELS = 20  # a matrix of more has no numbers
SHOWN_LABELS = 60
SHOWN_OTHERS = 5
NO_LABEL = "(no label)"


def confusion_sections(rows: Sequence[Row]) -> list[page.Section]:
    """The labels of the first hits, for each label of queries that have something to find; nothing without any."""
    found: dict[str, Counter[str]] = {}
    asked: Counter[str] = Counter()
    for row in rows:
        if row["label"] is not None and row.get("hits") and row.get("ranks") and not row["error"]:
            asked[row["label"]] += 1
            found.setdefault(row["label"], Counter()).update(hit["label"] or NO_LABEL for hit in row["hits"])
    if not found:
        return []
    most = max(len(row.get("hits") or ()) for row in rows)
    hits, right = sum(map(Counter.total, found.values())), sum(counts[label] for label, counts in found.items())
    text = (
        f"The labels of the first {most} hits of each query that has something to find, without what its own speaker "
        f"says: {right:,} of {hits:,} hits have the label that was searched."
    )
    labels = sorted({*found, *(label for counts in found.values() for label in counts)})
    blocks: list[page.Figure | page.Table] = []
    if len(labels) <= MATRIX_LABELS:
        matrix = [[found.get(row, Counter())[column] for column in labels] for row in labels]
        options: dict[str, Any] = {
            "xlabel": "found",
            "ylabel": "searched",
            "alt": "Labels of the first hits by label of the query",
        }
        blocks.append(figures.heatmap(labels, matrix, caption="Hits; wrong ones are orange.", **options))
    if len(labels) > NUMBERED_LABELS:
        blocks.append(_table(asked, found))
    return [page.Section("What is found instead", text, blocks)]


def _table(asked: Counter[str], found: dict[str, Counter[str]]) -> page.Table:
    """Labels with the smallest share of right hits first; of very many those with the most queries."""
    largest = sorted(found, key=lambda label: (-asked[label], label))[:SHOWN_LABELS]
    lines: list[list[page.Cell]] = []
    for label in sorted(largest, key=lambda label: (found[label][label] / found[label].total(), label)):
        others = sorted(((-count, name) for name, count in found[label].items() if name != label))[:SHOWN_OTHERS]
        instead = ", ".join(f"{name} ({-count})" for count, name in others)
        lines.append([label, asked[label], found[label][label] / found[label].total(), instead or None])
    some = f"The {len(largest)} most frequent of {len(found):,} labels" if len(found) > len(largest) else ""
    return page.Table(("searched", "queries", "share_right", "found instead, in how many hits"), lines, some)
