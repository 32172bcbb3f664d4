"""How long a search takes, by vectors and by warping."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...pipeline import Row
from ...reporting.page import Cell, Section, Table
from ..timing import FROM_SAMPLES, LOOK_UP, WARPING

_WAYS = {
    WARPING: "dynamic time warping against every term",
    FROM_SAMPLES: "vectors, from the samples on: features, encoding and look-up",
    LOOK_UP: "vectors, the look-up alone",
}


def time_sections(rows: Sequence[Row]) -> list[Section]:
    """A table of the medians over the queries that were timed; nothing where none was."""
    timed = [row for row in rows if "milliseconds" in row]
    if not timed:
        return []
    medians = {way: float(np.median([row["milliseconds"][way] for row in timed])) for way in _WAYS}
    table: list[list[Cell]] = [[name, medians[way], medians[WARPING] / medians[way]] for way, name in _WAYS.items()]
    text = (
        f"{len(timed)} queries were searched one by one in an archive of {timed[0]['candidates_of_all']:,} terms, in "
        "three ways that took turns, on the machine of the run and beside whatever else it did: medians. Warping is "
        "compiled code on all cores, and its time is without the features of the query."
    )
    columns = ("search by", "milliseconds a query", "times as fast as warping")
    return [Section("Time of a search", text, [Table(columns, table)])]
