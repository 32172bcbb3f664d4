"""What the decoder restores from a vector alone, beside what was encoded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from ...reporting import page, recordings
from ...reporting.packing import unpacked
from ..judgement import Row, worth_restoring
from .examples import player, query_facts

NARROWEST = 3.7  # inches of a spectrogram; two stand side by side

_YLABELS = {"log_mel": "band", "mfcc": "coefficient"}


def restoration_sections(rows: Sequence[Row]) -> list[page.Section]:
    """The queries that are restored best, middling and worst; nothing where nothing is restored."""
    errors = [row["restoration_error"] for row in rows if "restoration_error" in row and not row["error"]]
    if not errors:
        return []
    low, middle, high = np.percentile(errors, (10, 50, 90))
    shown = {name: rows[place] for name, place in worth_restoring(rows).items() if rows[place].get("restoration")}
    text = (
        f"The mean squared error of the restored features of a query has the median {middle:.3f}; it lies between "
        f"{low:.3f} and {high:.3f} for eight of ten queries. Whoever restores nothing but the mean has the variance of "
        "the features as error."
    )
    if shown:
        text += (
            "\n\nOn the left stand the features as the encoder reads them, on the right what the decoder makes of the "
            "vector alone, in the same colours: the warmer, the more. Restored features are smoother, since what the "
            "vector does not tell is left at its mean."
        )
    blocks = [page.Html(Markup("\n").join(_example(name, row) for name, row in shown.items()))] if shown else []
    return [page.Section("Restoration", text, blocks)]


def _example(which: str, row: Row) -> Markup:
    kept = row["restoration"]
    number = Markup('<span class="number">{:.3f}</span>')
    more = {"error": number.format(row["restoration_error"]), "variance": number.format(kept["variance"])}
    facts = query_facts(f"restored {which}", row, more)
    pictures = [
        recordings.spectrogram(
            unpacked(kept[key]),
            kept["frame_seconds"],
            title=title,
            ylabel=_YLABELS[kept["features"]],
            narrowest=NARROWEST,
            alt=f"Features of {row['name']}, {title}",
        )
        for key, title in (("wanted", "encoded"), ("restored", "restored"))
    ]
    drawn = Markup("").join(Markup(page.embedded(picture).markup) for picture in pictures)
    figures = Markup('<div class="figures">{}</div>').format(drawn)
    return Markup('<div class="example">{}{}{}</div>').format(facts, player(row, row["name"]), figures)
