"""The ranked hits of some queries, with their sounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from ...reporting import page
from ..judgement import Row, judge, worth_hearing
from .examples import player, query_facts

_HEADS = ("rank", "score", "label", "speaker", "name", "sound")


def hits_sections(rows: Sequence[Row]) -> list[page.Section]:
    """The queries that were answered best, middling and worst; nothing where nothing was found."""
    shown = worth_hearing(rows)
    if not shown:
        return []
    by = "average precision" if any(judge(row) for row in rows) else "the score of the first hit"
    text = (
        f"What was found for the queries that were answered best, middling and worst, by {by}: the first hits, without "
        "what the speaker of the query says. The score is the cosine of the two vectors, 1 for the same direction."
    )
    if any(rows[place].get("audio") for place in shown.values()):
        text += " Of long sounds the beginning is kept."
    examples = Markup("\n").join(_example(which, rows[place]) for which, place in shown.items())
    return [page.Section("Ranked hits", text, [page.Html(examples)])]


def _example(which: str, row: Row) -> Markup:
    judgement = judge(row)
    more = {}
    if judgement:
        number = Markup('<span class="number">{:.1f} %</span> <span class="quiet">{:,} of {:,} terms are right</span>')
        value = number.format(100 * judgement.average_precision, judgement.relevant, judgement.candidates)
        more = {"average precision": value}
    facts = query_facts(f"found {which}", row, more)
    lines = [_line(rank, hit, row["label"]) for rank, hit in enumerate(row["hits"], start=1)]
    heads = Markup("").join(Markup('<th scope="col">{}</th>').format(head) for head in _HEADS)
    table = Markup('<div class="scroll"><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>')
    return Markup('<div class="example">{}{}{}</div>').format(
        facts, player(row, row["name"]), table.format(heads, Markup("").join(lines))
    )


def _line(rank: int, hit: Mapping[str, Any], label: str | None) -> Markup:
    name = hit["label"] or page.DASH
    if label is not None:
        name = Markup(page.badge(name, "right" if hit["label"] == label else "wrong").markup)
    cells = [rank, f"{hit['score']:.3f}", name, hit["speaker"] or page.DASH, hit["name"], player(hit, hit["name"])]
    return Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(cell) for cell in cells))
