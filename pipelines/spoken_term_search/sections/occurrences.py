"""What is found in whole recordings, word by word."""

from __future__ import annotations

from collections.abc import Sequence

from ...pipeline import Row
from ...reporting.page import Cell, Section, Table
from ..unsegmented import FURTHER, SPEAKERS, measures


def occurrence_sections(rows: Sequence[Row]) -> list[Section]:
    """A table of the words that were searched in whole recordings; nothing where none was."""
    words = measures(rows)
    if not words:
        return []
    queries: dict[str, list[int]] = {word: [] for word in words}
    for row in rows:
        if "unsegmented" in row:
            queries[row["label"]].append(row["unsegmented"]["occurrences"])
    table: list[list[Cell]] = [
        [word, len(queries[word]), max(queries[word]), at_n, share]
        for word, (at_n, share) in sorted(words.items(), key=lambda pair: -pair[1][0])
    ]
    text = (
        f"Words that at least {SPEAKERS} other speakers say are searched in whole recordings, which nobody has cut: "
        "the voiced stretches of each are encoded in overlapping windows. Precision at n is the share of right places "
        "among as many of the best as there are occurrences; recall is the share of the occurrences that is found "
        f"among {FURTHER} times as many. Means over the queries of a word."
    )
    columns = ("word", "queries", "occurrences", "precision_at_n", "recall")
    return [Section("Search in whole recordings", text, [Table(columns, table)])]
