"""How well sentences were translated: metrics, and the task's part of the report.

Everything here is made from the rows of `predictions.jsonl` alone, so that a report can be drawn again at any time and
baselines are judged by the very functions that judge the model.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from ..evaluation import RESAMPLES, Scores, bootstrap
from ..reporting import figures, page
from ..reporting.classifiers import ranges
from .answers import Answers, Row
from .decoder_tables import decoders_section, grid_sections, nbest_sections
from .examples import attention_sections, extreme_sections
from .irregularities import irregular_section, irregularities, lengths_section
from .scoring import CHINESE, measures, signatures

LENGTHS = (3, 5, 7, 9, 12, 15, 20, 30, 50)  # last lengths of the ranges by which BLEU is shown
RARITIES = (0, 1, 4, 9, 49)  # last counts of the rarest token of such ranges
SIMILARITIES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)  # last similarities of such ranges
SHOWN_WORDS = 60
LEAST_DRAWN = 10  # sentences; of fewer a group is no point of a line
_GROUPED = ("bleu", "chrf", "exact_match")


def score(rows: Sequence[Row], resamples: int = RESAMPLES, tokenize: str = CHINESE) -> Scores:
    """Judges predictions: metrics with 95 % bootstrap intervals over sentences, and counts.

    `bleu`, `chrf`, `exact_match` and `length_ratio` are those of `scoring.measures`; the notes hold sacrebleu's
    signatures. A row with an error counts as an empty translation.

    Args:
        rows: lines of `predictions.jsonl`.
        resamples: int. 0 leaves the intervals out.
        tokenize: sacrebleu's tokenizer for BLEU, such as `"zh"` or `"13a"`.

    Raises:
        ValueError: if there are no rows.
    """
    answers = Answers(rows, tokenize)
    values, confidence = bootstrap(answers.table, measures, resamples=resamples)
    return Scores(values, confidence, irregularities(answers), signatures(tokenize, answers.targets))


def sections(rows: Sequence[Row], tuning: Mapping[str, Any], tokenize: str = CHINESE) -> list[page.Section]:
    """The task's part of the report, the worst translations last.

    Args:
        rows: lines of `predictions.jsonl`.
        tuning: how the beam was chosen, see `decoder_tables.grid_sections`; may be empty.
        tokenize: sacrebleu's tokenizer for BLEU.
    """
    answers = Answers(rows, tokenize)
    return [
        decoders_section(answers),
        *grid_sections(tuning),
        _difficulty(answers),
        *_overlap(answers),
        *_unknown_words(answers),
        lengths_section(answers),
        irregular_section(answers),
        *nbest_sections(answers),
        *attention_sections(answers),
        *extreme_sections(answers),
    ]


def _difficulty(answers: Answers) -> page.Section:
    lengths = ranges(LENGTHS, first=1)
    words = [len(row.get("tokens") or row["source"].split()) for row in answers.rows]
    drawn = _bleu_by(
        "BLEU by length of the source",
        "tokens",
        lengths,
        [lengths[bisect_left(LENGTHS, count)] for count in words],
        answers,
    )
    if all("rarest" in row for row in answers.rows):
        rarities = ["never", *ranges(RARITIES)[1:]]
        rarest = [rarities[bisect_left(RARITIES, row["rarest"])] for row in answers.rows]
        drawn += _bleu_by("BLEU by the rarest token", "how often train has it", rarities, rarest, answers)
    text = "BLEU of groups of sentences; n counts them." if drawn else "All sentences are alike in length and words."
    return page.Section("Length and rare words of the source", text, drawn)


def _bleu_by(
    title: str, xlabel: str, names: Sequence[str], groups: Sequence[str], answers: Answers
) -> list[page.Figure]:
    members = {name: np.array(groups) == name for name in names}
    members = {name: mask for name, mask in members.items() if mask.any()}
    if len(members) < 2:
        return []
    values = [answers.measures(mask)["bleu"] for mask in members.values()]
    counts = [int(mask.sum()) for mask in members.values()]
    options: dict[str, Any] = {"ylabel": "BLEU", "vertical": True}
    return [figures.bars(list(members), values, counts=counts, title=title, xlabel=xlabel, **options)]


def _overlap(answers: Answers) -> list[page.Section]:
    """The scores against how near the nearest training sentence is; nothing where rows do not say."""
    if not all(row.get("nearest") for row in answers.rows):
        return []
    similarity = np.array([row["nearest"]["similarity"] for row in answers.rows])
    place = np.searchsorted(SIMILARITIES, similarity, side="left")
    edges = [f"{edge:.1f}" for edge in (0, *SIMILARITIES, 1)]
    lines: list[list[page.Cell]] = []
    points: list[tuple[float, dict[str, float]]] = []
    for at in np.unique(place):
        mask = place == at
        values = answers.measures(mask)
        lines.append([f"{edges[at]}{page.DASH}{edges[at + 1]}", int(mask.sum()), *(values[name] for name in _GROUPED)])
        if mask.sum() >= LEAST_DRAWN:
            points.append((float(similarity[mask].mean()), values))
    drawn: list[page.Table | page.Figure] = [page.Table(("similarity", "sentences", *_GROUPED), lines)]
    text = (
        "How near the nearest training sentence is: the cosine between TF-IDF vectors of words, 1 for the same words. "
        "What is near could be copied; what the model is worth beyond that shows where the similarity is low."
    )
    if len(points) > 1:
        correlation = spearmanr(similarity, answers.chrf).statistic
        text += f" The rank correlation (Spearman) of similarity with the chrF of each sentence is {correlation:.2f}."
        drawn.append(
            figures.lines(
                [round(x, 3) for x, _ in points],
                {title: [values[name] for _, values in points] for name, title in (("bleu", "BLEU"), ("chrf", "chrF"))},
                title="Scores by nearness to train",
                xlabel="similarity of the nearest training sentence, mean of the group",
                ylabel="BLEU, chrF",
                caption=f"Groups of at least {LEAST_DRAWN} sentences.",
                width=figures.BROAD,
            )
        )
    return [page.Section("Overlap with train", text, drawn)]


def _unknown_words(answers: Answers) -> list[page.Section]:
    """What the model cannot know since train lacks it; nothing where rows do not say."""
    if not any("unknown" in row for row in answers.rows):
        return []
    unknown = [answers.unknown(place) for place in range(len(answers.rows))]
    holds, words = np.array([bool(each) for each in unknown]), Counter(word for each in unknown for word in each)
    blocks: list[page.Table | page.Html] = []
    text = "The model knows every token of the sources."
    if words:
        text = (
            f"{words.total():,} source tokens in {int(holds.sum()):,} sentences, {len(words):,} different ones, are "
            "unknown to the model, which reads all of them as the same token."
        )
        blocks += [_with_and_without(answers, holds), _listed("The most frequent ones", words)]
    characters = Counter(each for row in answers.rows for each in row.get("unseen_characters") or ())
    if characters:
        sentences = sum(bool(row.get("unseen_characters")) for row in answers.rows)
        found = f"{len(characters):,} symbols in the references of {sentences:,} sentences never occur in train"
        blocks.append(_listed(found, characters))
    return [page.Section("Unknown words", text, blocks)]


def _with_and_without(answers: Answers, holds: np.ndarray) -> page.Table:
    groups: list[list[page.Cell]] = []
    for name, mask in (("with an unknown token", holds), ("without", ~holds)):
        if mask.any():
            values = answers.measures(mask)
            groups.append([name, int(mask.sum()), *(values[metric] for metric in _GROUPED)])
    return page.Table(("sentences", "number", *_GROUPED), groups)


def _listed(what: str, counts: Counter[str]) -> page.Html:
    """The most frequent first, equals by name, with how often where that is more than once."""
    some = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:SHOWN_WORDS]
    words = ", ".join(f"{word} ({count})" if count > 1 else word for word, count in some)
    return page.prose(f"{what}: {words}{', …' if len(counts) > len(some) else '.'}")
