"""The task's part of the report, made from the rows of `predictions.jsonl` alone.

What is scored stands in `scoring`, so that baselines are judged by the very function that judges the model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..pipeline import Row
from ..reporting.classifiers import most_frequent
from ..reporting.page import Cell, Section, Table
from .sections.confusions import confusion_sections
from .sections.curves import same_different_sections
from .sections.hits_table import hits_sections
from .sections.occurrences import occurrence_sections
from .sections.phoneme_distances import phoneme_sections
from .sections.projections import projection_sections
from .sections.rankings import rankings_section
from .sections.restorations import restoration_sections
from .sections.times import time_sections


def sections(rows: Sequence[Row]) -> list[Section]:
    """The sections of a report, examples last; what the rows say nothing of is left out.

    Args:
        rows: lines of `predictions.jsonl`.
    """
    return [
        rankings_section(rows),
        *same_different_sections(rows),
        *projection_sections(rows),
        *phoneme_sections(rows),
        *occurrence_sections(rows),
        *time_sections(rows),
        *confusion_sections(rows),
        *restoration_sections(rows),
        _irregular_queries(rows),
        *hits_sections(rows),
    ]


def _irregular_queries(rows: Sequence[Row]) -> Section:
    counts: list[list[Cell]] = [
        ["answered with an error", sum(bool(row["error"]) for row in rows)],
        ["without a label", sum(row["label"] is None for row in rows)],
        ["with a label that no other speaker says in the archive", _with_nothing(rows, "ranks")],
        ["with a label that the archive lacks", _with_nothing(rows, "ranks_of_all")],
        ["without a speaker", sum(row["speaker"] is None for row in rows)],
        ["without phonemes", sum(not row.get("phonemes") for row in rows)],
    ]
    reasons = Counter(row["error"] for row in rows if row["error"])
    blocks = [Table(("what", "queries"), counts), *most_frequent("Answered with an error", reasons, "queries")]
    return Section("Irregular queries", "", blocks)


def _with_nothing(rows: Sequence[Row], ranks: str) -> int:
    return sum(row["label"] is not None and ranks in row and not row[ranks] for row in rows)
