"""Parts of the examples of a report: the facts of a query, and what plays it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from ...reporting import recordings
from ..judgement import Row

_DOT = " \N{MIDDLE DOT} "


def query_facts(heading: str, row: Row, more: Mapping[str, Any]) -> Markup:
    """Name, label, speaker and phonemes of a query, and whatever else is to be said of it.

    Args:
        heading: what the example is, such as "found best".
        row: the query.
        more: further lines.
    """
    known = [row["label"], row["speaker"], " ".join(row.get("phonemes") or ())]
    lines = {heading: _DOT.join(filter(None, [row["name"], *known])), **more}
    terms = Markup("").join(Markup("<dt>{}</dt><dd>{}</dd>").format(*line) for line in lines.items())
    return Markup('<dl class="pair">{}</dl>').format(terms)


def player(kept: Mapping[str, Any], name: str) -> Markup:
    """What plays a sound that was kept; nothing if none was."""
    return Markup(recordings.player(kept["audio"], name).markup) if kept.get("audio") else Markup("")
