"""The searches of a run side by side, how the beam was chosen, and what else it found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..evaluation import bootstrap
from ..reporting import figures, matrices, page
from .answers import Answers, translation
from .config import SEARCHES
from .scoring import corpus_measures, measures, sentence_chrf, signatures, statistics

SHOWN_LISTS = 6


def decoders_section(answers: Answers) -> page.Section:
    """The metrics of each search; without a comparison, of the answers alone."""
    names = _searches(answers)
    texts = {name: [translation(row, name) for row in answers.rows] for name in names} or {"": answers.translations}
    tables = {name: statistics(each, answers.targets, answers.tokenize) for name, each in texts.items()}
    first = sentence_chrf(next(iter(tables.values())))
    served = [name for name in names if texts[name] == answers.translations]
    lines: list[list[page.Cell]] = []
    for name, table in tables.items():
        gain = sentence_chrf(table) - first
        compared = [int((gain > 0).sum()), int((gain < 0).sum())] if lines else [None, None]
        mark = ", exported" if served == [name] else ""
        lines.append([SEARCHES.get(name, "exported search") + mark, *corpus_measures(table).values(), *compared])
    columns = ("search", "bleu", "chrf", "exact_match", "length ratio", "better", "worse")
    last = None if len(tables) > 1 else -2  # a single search is not compared
    shown = page.Table(columns[:last], [line[:last] for line in lines])
    return page.Section("Searches", _text(answers, len(tables) > 1), [shown, *_intervals(tables)])


def _searches(answers: Answers) -> list[str]:
    """The searches that all answered rows compare, from the simplest one on; none during training."""
    compared = [row.get("decoders") or {} for row in answers.rows if not row["predicted"]["error"]]
    every = [name for name in SEARCHES if any(name in texts for texts in compared)]
    return [name for name in every if all(name in texts for texts in compared)]


def _text(answers: Answers, compared: bool) -> str:
    counts = np.bincount([len(targets) for targets in answers.targets])
    several = f"; {counts[2:].sum():,} have several references" if counts[2:].any() else ""
    text = (
        f"{len(answers.rows):,} sentences were translated{several}. BLEU and chrF go from 0 to 100; an exact match "
        "equals a reference; the length ratio compares tokens of translations and references."
    )
    if compared:
        text += " Better and worse count the sentences whose chrF is higher or lower than with the first search."
    signed = signatures(answers.tokenize, answers.targets)
    return f"{text}\n\nsacreBLEU’s signatures: {signed['bleu']} and {signed['chrf']}."


def _intervals(tables: Mapping[str, np.ndarray]) -> list[page.Figure]:
    if len(tables) < 2:
        return []
    scored = [bootstrap(table, lambda sums: {"bleu": measures(sums)["bleu"]}) for table in tables.values()]
    return [
        figures.dots(
            [SEARCHES[name] for name in tables],
            [values["bleu"] for values, _ in scored],
            intervals=[intervals["bleu"] for _, intervals in scored],
            title="BLEU of the searches",
            xlabel="BLEU",
            caption="Lines are 95 % bootstrap intervals over sentences.",
        )
    ]


def grid_sections(tuning: Mapping[str, Any]) -> list[page.Section]:
    """How beam width and length penalty were chosen on valid; nothing if there was no choice.

    Args:
        tuning: `beam_widths` and `length_penalties` that were tried, `bleu[place of width][place of penalty]`, what was
            chosen of them as `beam_width` and `length_penalty`, and `sentences`, by how many.

    Raises:
        ValueError: if the shape of `bleu` does not fit.
    """
    if not tuning:
        return []
    widths, penalties = list(tuning["beam_widths"]), list(tuning["length_penalties"])
    bleu = np.asarray(tuning["bleu"], dtype=float)
    if bleu.shape != (len(widths), len(penalties)):
        raise ValueError(f"bleu must have shape {(len(widths), len(penalties))}, got {bleu.shape}")
    chosen = widths.index(tuning["beam_width"]), penalties.index(tuning["length_penalty"])
    text = (
        f"BLEU on {tuning['sentences']:,} sentences of valid. Beam width {tuning['beam_width']} with length penalty "
        f"{page.format_number(tuning['length_penalty'])} gave {bleu[chosen]:.2f} and is built into the export: the "
        f"cell with a frame. The worst pair gave {bleu.min():.2f}; the darker, the better. The log probability of a "
        "translation is divided by ((5 + symbols) / 6) to the power of the length penalty (Wu et al. 2016)."
    )
    table = matrices.shaded_table(
        [str(width) for width in widths],
        [page.format_number(penalty) for penalty in penalties],
        matrices.stretched(bleu),
        [[f"{value:.2f}" for value in row] for row in bleu],
        corner="beam width \\ length penalty",
        chosen=chosen,
    )
    return [page.Section("Beam width and length penalty", text, [table])]


def nbest_sections(answers: Answers) -> list[page.Section]:
    """The lists of hypotheses of some sentences, and what the best of each list would be worth; nothing if none."""
    lists = [[] if row["predicted"]["error"] else row["predicted"]["translations"] for row in answers.rows]
    several = [place for place, texts in enumerate(lists) if len(texts) > 1]
    if not several:
        return []
    table = statistics(
        [text for place in several for text in lists[place]],
        [answers.targets[place] for place in several for _ in lists[place]],
        answers.tokenize,
    )
    parts = np.split(table, np.cumsum([len(lists[place]) for place in several])[:-1])
    chrf = [sentence_chrf(part) for part in parts]
    best = answers.table.copy()
    best[several] = [part[values.argmax()] for part, values in zip(parts, chrf, strict=True)]
    oracle = corpus_measures(best)["bleu"]
    later = sum(int(values.argmax()) > 0 for values in chrf)
    text = (
        f"In {later:,} of {len(several):,} lists a later translation has a higher chrF than the first one. With the "
        f"highest chrF of each list chosen, BLEU would be {oracle:.1f} instead of {answers.measures()['bleu']:.1f}. "
        "The score is what the search ranked by. Some lists, each under its source and the references:"
    )
    shown = np.unique(np.linspace(0, len(several) - 1, SHOWN_LISTS).round().astype(int))
    blocks = [block for at in shown for block in _list(answers, several[at], chrf[at])]
    return [page.Section("Lists of the best translations", text, blocks)]


def _list(answers: Answers, place: int, chrf: np.ndarray) -> tuple[page.Html, page.Table]:
    row = answers.rows[place]
    lines = list(zip(row["predicted"]["translations"], row["predicted"]["scores"], chrf.tolist(), strict=False))
    heading = page.prose(f"{row['source']} \N{RIGHTWARDS ARROW} {' / '.join(answers.targets[place])}")
    return heading, page.Table(("translation", "score", "chrf"), lines)
