"""How well the archive is ranked for queries: for all of them, for those of each label, speaker and length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...reporting import figures, page
from ..judgement import ALL, OTHERS, Judgement, Row, judge
from ..phonemes import LENGTHS, length_of

SHOWN_GROUPS = 60  # rows of a table
NUMBERED = 20  # labels, and speakers, of a matrix with numbers

_METRICS = ("map", "precision_at_1", "precision_at_10")
_ARCHIVES = {OTHERS: "archive of other speakers", ALL: "whole archive"}

Judged = Mapping[int, Judgement]  # by the place of the query


def rankings_section(rows: Sequence[Row]) -> page.Section:
    """MAP, P@1 and P@10, in the archive of other speakers and, where that is another one, in the whole archive."""
    judged = {
        name: {place: one for place, row in enumerate(rows) if (one := judge(row, which))}
        for which, name in _ARCHIVES.items()
    }
    if judged[_ARCHIVES[OTHERS]] == judged[_ARCHIVES[ALL]]:  # nobody asks for a voice that is in the archive
        judged = {"archive": judged[_ARCHIVES[OTHERS]]}
    if not any(judged.values()):
        return page.Section("Rankings", "No query has anything to find, so that no ranking can be judged.")
    labels, speakers = ([row[key] or "" for row in rows] for key in ("label", "speaker"))
    first = next(iter(judged.values()))
    blocks: list[page.Table | page.Figure] = [_overall(judged)]
    for what, names in (("label", labels), ("speaker", speakers)):
        for name, ones in judged.items():
            blocks += _by(what, names, ones, f": {name}" if len(judged) > 1 else "")
    blocks += [*_matrix(labels, speakers, first), *_by_pair_of_speakers(rows), *_by_length(rows, first)]
    return page.Section("Rankings", _text(rows, judged), blocks)


def _text(rows: Sequence[Row], judged: Mapping[str, Judged]) -> str:
    labelled = sum(row["label"] is not None for row in rows)
    nothing = " and ".join(f"{labelled - len(ones):,} have nothing to find in the {at}" for at, ones in judged.items())
    return (
        "Each query ranks the archive; terms with its label are to be found. The average precision of a query is the "
        "mean, over these terms, of the share of right ones among all that rank no lower; MAP is the mean over "
        "queries, and precision at 10 the share of right ones among the first ten.\n\n"
        f"{labelled:,} of {len(rows):,} queries have a label. Of these, {nothing}; they do not count."
    )


def _overall(judged: Mapping[str, Judged]) -> page.Table:
    lines: list[list[page.Cell]] = []
    for name, ones in judged.items():
        if ones:
            right, ranked = np.array([one[-2:] for one in ones.values()], np.float64).T
            lines.append([name, len(ones), float(right.mean()), float((right / ranked).mean()), *_means(ones.values())])
    columns = ("ranked", "queries", "to be found", "share_by_chance", *_METRICS)
    caption = "“To be found” is the mean number of right terms, “by chance” their share of what is ranked."
    return page.Table(columns, lines, caption)


def _by(what: str, names: Sequence[str], judged: Judged, archive: str) -> list[page.Table]:
    """The metrics of each group of queries, the hardest first; of very many groups those with the most queries."""
    members = _members(names, judged)
    if len(members) < 2:
        return []
    largest = sorted(members, key=lambda name: (-len(members[name]), name))[:SHOWN_GROUPS]
    means = {name: _means(members[name]) for name in largest}
    lines: list[list[page.Cell]] = [
        [name, len(members[name]), *means[name]] for name in sorted(largest, key=lambda name: means[name][0])
    ]
    some = f", the {len(largest)} most frequent of {len(members):,}" if len(members) > len(largest) else ""
    return [page.Table((what, "queries", *_METRICS), lines, f"By {what}{some}{archive}")]


def _matrix(labels: Sequence[str], speakers: Sequence[str], judged: Judged) -> list[page.Figure]:
    """MAP of each label as each speaker says it, where there are few enough to be drawn."""
    known = [place for place in judged if labels[place] and speakers[place]]
    rows, columns = (sorted({names[place] for place in known}) for names in (labels, speakers))
    if not (1 < len(rows) <= NUMBERED and 1 < len(columns) <= NUMBERED):
        return []
    cells: dict[tuple[str, str], list[float]] = {}
    for place in known:
        cells.setdefault((labels[place], speakers[place]), []).append(judged[place].average_precision)
    matrix = _percent(cells, rows, columns)
    caption = "MAP in percent, by label and by who asks; an empty cell has no query."
    options: dict[str, Any] = {"xlabel": "speaker of the query", "ylabel": "label", "title": "By label and speaker"}
    return [figures.heatmap(rows, matrix, columns=columns, logarithmic=False, caption=caption, **options)]


def _by_pair_of_speakers(rows: Sequence[Row]) -> list[page.Figure]:
    """MAP by who asks and who has said what is searched."""
    cells: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        for speaker, precision in (row.get("by_speaker") or {}).items():
            if row["speaker"]:
                cells.setdefault((row["speaker"], speaker), []).append(precision)
    asking, answering = (sorted({pair[place] for pair in cells}) for place in (0, 1))
    if not (1 < len(asking) <= NUMBERED and 1 < len(answering) <= NUMBERED):
        return []
    matrix = _percent(cells, asking, answering)
    drawn = figures.heatmap(
        asking,
        matrix,
        columns=answering,
        title="By pair of speakers",
        xlabel="speaker of the archive",
        ylabel="speaker of the query",
        caption="MAP in percent, among the terms of one speaker of the archive; an empty cell ranks nothing.",
        logarithmic=False,
    )
    return [drawn]


def _percent(
    cells: Mapping[tuple[str, str], Sequence[float]], rows: Sequence[str], columns: Sequence[str]
) -> list[list[float]]:
    """The mean of each cell in percent, 0 for one without values."""
    return [[100 * float(np.mean(cells.get((row, column), [0.0]))) for column in columns] for row in rows]


def _by_length(rows: Sequence[Row], judged: Judged) -> list[page.Figure]:
    members = _members([length_of(row.get("phonemes") or ()) for row in rows], judged)
    names = [name for name in LENGTHS if name in members]
    if len(names) < 2:
        return []
    means = [_means(members[name]) for name in names]
    counts = [len(members[name]) for name in names]
    return [
        figures.bars(
            names,
            [each[_METRICS.index(metric)] for each in means],
            counts=counts,
            title=f"{what} by length of the query",
            xlabel="phonemes",
            ylabel=f"{what} (%)",
            percent=True,
            vertical=True,
        )
        for metric, what in (("map", "MAP"), ("precision_at_10", "Precision at 10"))
    ]


def _members(names: Sequence[str], judged: Judged) -> dict[str, list[Judgement]]:
    members: dict[str, list[Judgement]] = {}
    for place, one in judged.items():
        if names[place]:
            members.setdefault(names[place], []).append(one)
    return members


def _means(judged: Iterable[Judgement]) -> list[float]:
    return np.array([one[: len(_METRICS)] for one in judged], np.float64).mean(axis=0).tolist()
