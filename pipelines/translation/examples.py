"""Sentences of a report: the best, the worst, and what the decoder looked at."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from markupsafe import Markup, escape

from ..reporting import matrices, page
from .answers import Answers

SHOWN = 20
_BREAK = Markup("<br>")
_MEASURE = (
    "Sentences are ranked by sacreBLEU’s sentence-level chrF, that of the reference that suits best: of a single short "
    "sentence, BLEU would say little."
)


def ranked(answers: Answers) -> list[int]:
    """Places of the answered rows from the worst to the best by chrF; of equals the longer ones are more extreme."""
    places = np.flatnonzero(answers.answered)
    length = np.array([len(row["source"]) for row in answers.rows])
    middle = np.median(answers.chrf[places]) if len(places) else 0.0
    outward = np.where(answers.chrf < middle, -length, length)
    return places[np.lexsort((outward[places], answers.chrf[places]))].tolist()


def extreme_sections(answers: Answers) -> list[page.Section]:
    """The best and the worst translations, the worst last."""
    order = ranked(answers)
    wrong = [place for place in order if answers.chrf[place] < 100]
    best, worst = order[: -SHOWN - 1 : -1], wrong[:SHOWN]
    perfect = len(order) - len(wrong)
    best_text = (
        f"{perfect:,} of {len(answers.rows):,} translations have the highest chrF, 100; long ones are shown first."
    )
    worst_text = f"The {len(worst)} translations with the lowest chrF, the worst first." if worst else "None is wrong."
    return [
        page.Section("Best translations", f"{best_text} {_MEASURE}", _examples(answers, best)),
        page.Section("Worst translations", worst_text, _examples(answers, worst)),
    ]


def attention_sections(answers: Answers) -> list[page.Section]:
    """What the decoder looked at, in rows that have it; nothing if none has."""
    order = [place for place in reversed(ranked(answers)) if answers.rows[place].get("attention")]
    if not order:
        return []
    text = (
        "Each row is a symbol of the translation, from the first to the last, and each column a token of the source: "
        "the darker a cell, the more the decoder looked at that token when it wrote the symbol. Pointing at a cell "
        "shows its weight; the weights of a row add up to 1. The best translations come first."
    )
    return [page.Section("Attention", text, [page.Html(Markup("\n").join(_drawn(answers, at) for at in order))])]


def _examples(answers: Answers, places: Iterable[int]) -> list[page.Html]:
    markup = [_framed(_facts(answers, place)) for place in places]
    return [page.Html(Markup("\n").join(markup))] if markup else []


def _framed(*parts: Markup) -> Markup:
    return Markup('<div class="example">{}</div>').format(Markup("").join(parts))


def _drawn(answers: Answers, place: int) -> Markup:
    drawn = answers.rows[place]["attention"]
    table = matrices.shaded_table(drawn["symbols"], drawn["tokens"], drawn["weights"])
    return _framed(_facts(answers, place), Markup(table.markup))


def _facts(answers: Answers, place: int) -> Markup:
    row = answers.rows[place]
    lines = {
        "source": _with_unknown_marked(row["source"], answers.unknown(place)),
        "translation": _translation(answers, place),
        "reference" if len(answers.targets[place]) == 1 else "references": _BREAK.join(answers.targets[place]),
        "chrF": Markup('<span class="number">{:.1f}</span>').format(answers.chrf[place]),
    }
    scores = row["predicted"]["scores"]
    if scores:
        score = Markup(' <span class="quiet">score <span class="number">{:.2f}</span></span>')
        lines["chrF"] += score.format(scores[0])
    if row.get("nearest") and row["nearest"]["source"]:
        near = Markup('{} <span class="quiet number">{:.2f}</span>')
        lines["nearest in train"] = near.format(row["nearest"]["source"], row["nearest"]["similarity"])
    if row.get("attributions"):
        lines["attribution"] = Markup("<small>{}</small>").format(_BREAK.join(dict.fromkeys(row["attributions"])))
    terms = Markup("").join(Markup("<dt>{}</dt><dd>{}</dd>").format(*line) for line in lines.items())
    return Markup('<dl class="pair">{}</dl>').format(terms)


def _translation(answers: Answers, place: int) -> Markup:
    text = answers.translations[place]
    shown = escape(text) if text else Markup('<span class="quiet">(nothing)</span>')
    if any(answers.rows[place]["predicted"]["truncated"][:1]):
        shown += Markup(" ") + Markup(page.badge("cut off", "wrong").markup)
    return shown


def _with_unknown_marked(source: str, unknown: Sequence[str]) -> Markup:
    """The source with a label at each word that the model does not know; behind it where none stands there so."""
    if not unknown:
        return escape(source)
    pattern = "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in sorted(set(unknown), key=len, reverse=True))
    pieces = re.split(f"({pattern})", source, flags=re.IGNORECASE)
    if len(pieces) == 1:
        return Markup('{} <span class="quiet">(unknown: {})</span>').format(source, ", ".join(unknown))
    marked = [
        Markup(page.span(piece, "unknown").markup) if at % 2 else escape(piece) for at, piece in enumerate(pieces)
    ]
    return Markup("").join(marked)
