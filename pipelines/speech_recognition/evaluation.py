"""How well speech was recognised: metrics, and the task's part of the report.

Everything here is made from the rows of `predictions.jsonl` alone, so that a report can be drawn again at any time and
baselines are judged by the very functions that judge the model.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..evaluation import RESAMPLES, Scores, bootstrap
from ..reporting import figures, page
from ..reporting.classifiers import most_frequent, ranges, trust
from .decoder_tables import decoders_section, weight_sections
from .error_rates import STATISTICS, rates, statistics
from .judgement import (
    Judgement,
    Row,
    blank_shares,
    decoders_of,
    exported_decoder,
    heard,
    judge,
    real_time_factors,
)
from .worst_utterances import worst_utterances

LENGTHS = (1, 2, 3, 5, 7, 10, 15, 20, 30)  # last lengths of the ranges by which the WER is shown
RATE_GROUPS = 4  # of equal size, by speaking rate
LEAST_FOR_RATES = 8  # utterances; fewer are not cut into groups
SHOWN_SPEAKERS = 30
SHOWN_CONFUSIONS = 25
SHOWN_WORDS = 15


def score(rows: Sequence[Row], resamples: int = RESAMPLES) -> Scores:
    """Judges predictions: metrics with 95 % bootstrap intervals over utterances, and counts.

    `wer`, `cer` and `ser` are those of `error_rates.rates` for the exported decoder; `wer_greedy`, `wer_beam`,
    `wer_beam_lm` and the same of `cer` follow where rows compare decoders. `blank_share` is the share of steps at which
    the blank is most probable, weighted by time, and `real_time_factor` how many seconds the exported decoder takes for
    a second of sound (the slowest one, if rows do not tell which that is); both are left out where rows lack them.

    A row with an error counts as if nothing had been heard. Substitutions, deletions and insertions are counted in
    words.

    Args:
        rows: lines of `predictions.jsonl`.
        resamples: int. 0 leaves the intervals out, which is much faster.

    Raises:
        ValueError: if there are no rows.
    """
    gold = [row["gold"]["text"] for row in rows]
    names = ["", *decoders_of(rows)]
    tables = {name: statistics(gold, [heard(row, name) for row in rows]) for name in names}

    def metrics(sums: np.ndarray) -> dict[str, np.ndarray]:
        parts = dict(zip(names, np.split(sums, len(names), axis=1), strict=True))
        values = rates(parts[""])
        for metric in ("wer", "cer"):
            values |= {f"{metric}_{name}": rates(part)[metric] for name, part in parts.items() if name}
        return values

    values, confidence = bootstrap(np.concatenate(list(tables.values()), axis=1), metrics, resamples=resamples)
    counts = dict(zip(STATISTICS[:4], tables[""][:, :4].sum(axis=0).tolist(), strict=True))
    return Scores(values | _of_the_model(rows), confidence, counts | _irregularities(rows))


def _of_the_model(rows: Sequence[Row]) -> dict[str, float]:
    """What no transcript is needed for."""
    values = {}
    shares, factors = blank_shares(rows), real_time_factors(rows)
    if shares[:, 1].sum() > 0:
        values["blank_share"] = float(np.average(shares[:, 0], weights=shares[:, 1]))
    if factors:
        values["real_time_factor"] = factors.get(exported_decoder(rows) or "", max(factors.values()))
    return values


def _irregularities(rows: Sequence[Row]) -> dict[str, int]:
    return {
        "errors": sum(bool(row["predicted"]["error"]) for row in rows),
        "utterances_with_unseen_words": sum(bool(row.get("unseen_words")) for row in rows),
        "utterances_with_unseen_characters": sum(bool(row.get("unseen_characters")) for row in rows),
    }


def sections(rows: Sequence[Row], tuning: Mapping[str, Any]) -> list[page.Section]:
    """The task's part of the report, the worst utterances last.

    Args:
        rows: lines of `predictions.jsonl`.
        tuning: how the language model's weight was chosen, see `decoder_tables.weight_sections`; may be empty.
    """
    judgements = judge(rows)
    return [
        decoders_section(rows),
        *weight_sections(tuning),
        _difficulty(judgements),
        _confused_words(judgements),
        _unseen_words(judgements),
        _confidence(judgements),
        _irregular_answers(judgements),
        worst_utterances(judgements),
    ]


def _difficulty(judgements: Sequence[Judgement]) -> page.Section:
    table = statistics([one.gold for one in judgements], [heard(one.row) for one in judgements])
    lengths = ranges(LENGTHS, first=1)
    words = [lengths[bisect_left(LENGTHS, length)] for length in table[:, STATISTICS.index("words")]]
    drawn = [
        *_wer_by_speaker([one.row["speaker"] for one in judgements], table),
        *_wer_by("WER by length", "words that were said", lengths, words, table),
        *_wer_by("WER by speaking rate", "characters a second", *_by_rate(judgements), table),
    ]
    text = "WER of groups of utterances; n counts them." if drawn else "All utterances are alike in speaker and length."
    return page.Section("Speakers, length and speaking rate", text, drawn)


def _by_rate(judgements: Sequence[Judgement]) -> tuple[list[str], list[str]]:
    """Names of groups of equal size, from slow to fast speech, and the group of each utterance."""
    spoken = np.array([len(one.gold) / max(one.row["seconds"], 1e-3) for one in judgements])
    if len(spoken) < LEAST_FOR_RATES:
        return [], [""] * len(spoken)
    borders = np.unique(np.quantile(spoken, np.arange(1, RATE_GROUPS) / RATE_GROUPS).round(1))
    written = [f"{border:.1f}" for border in borders]
    between = [f"{low}{page.DASH}{high}" for low, high in pairwise(written)]
    names = [f"up to {written[0]}", *between, f"over {written[-1]}"]
    return names, [names[place] for place in np.searchsorted(borders, spoken)]


def _wer_by(
    title: str, xlabel: str, names: Sequence[str], groups: Sequence[str], table: np.ndarray
) -> list[page.Figure]:
    values, counts = _group_wers(names, groups, table)
    if len(values) < 2:
        return []
    options: dict[str, Any] = {"ylabel": "WER (%)", "percent": True, "vertical": True}
    return [figures.bars(list(values), list(values.values()), counts=counts, title=title, xlabel=xlabel, **options)]


def _wer_by_speaker(speakers: Sequence[str | None], table: np.ndarray) -> list[page.Figure]:
    groups = [speaker or "" for speaker in speakers]
    values, counts = _group_wers(sorted({speaker for speaker in groups if speaker}), groups, table)
    if len(values) < 2:
        return []
    ranked = sorted(zip(values, values.values(), counts, strict=True), key=lambda each: (-each[1], each[0]))
    names, wers, sizes = zip(*ranked[:SHOWN_SPEAKERS], strict=True)
    left_out = f"The {SHOWN_SPEAKERS} worst of {len(ranked)} speakers." if len(ranked) > SHOWN_SPEAKERS else ""
    options: dict[str, Any] = {"xlabel": "WER (%)", "percent": True, "caption": left_out}
    return [figures.bars(names, wers, counts=sizes, title="WER by speaker", **options)]


def _group_wers(names: Sequence[str], groups: Sequence[str], table: np.ndarray) -> tuple[dict[str, float], list[int]]:
    """The WER of each group that has a member, and how many it has."""
    members = {name: np.array(groups) == name for name in names}
    members = {name: mask for name, mask in members.items() if mask.any()}
    values = {name: _wer(table[mask]) for name, mask in members.items()}
    return values, [int(mask.sum()) for mask in members.values()]


def _wer(table: np.ndarray) -> float:
    return float(rates(table.sum(axis=0, keepdims=True))["wer"][0])


def _confused_words(judgements: Sequence[Judgement]) -> page.Section:
    pairs = [pair for judgement in judgements for pair in judgement.pairs]
    said = Counter(pair.gold for pair in pairs)
    kinds = {
        kind: Counter((pair.gold, pair.heard) for pair in pairs if pair.kind == kind)
        for kind in ("substitution", "deletion", "insertion")
    }
    confused = [[*words, count, said[words[0]]] for words, count in _ranked(kinds["substitution"])[:SHOWN_CONFUSIONS]]
    deleted = [[gold, count, said[gold]] for (gold, _), count in _ranked(kinds["deletion"])[:SHOWN_WORDS]]
    inserted = [[word, count] for (_, word), count in _ranked(kinds["insertion"])[:SHOWN_WORDS]]
    tables = [
        page.Table(("said", "heard", "times", "of"), confused, "Words taken for others"),
        page.Table(("said", "times", "of"), deleted, "Words not heard"),
        page.Table(("heard", "times"), inserted, "Words heard that nobody said"),
    ]
    shown = [table for table in tables if table.rows]
    counts = ", ".join(f"{kind}s {counter.total():,}" for kind, counter in kinds.items())
    text = f"Words are aligned with as few errors as possible: {counts}. “Of” counts how often a word was said."
    return page.Section("Confused words", text if shown else "No word was confused.", shown)


def _ranked(counts: Counter[Any]) -> list[tuple[Any, int]]:
    """The most frequent first, equals by name, so that two reports on the same rows are equal."""
    return sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))


def _unseen_words(judgements: Sequence[Judgement]) -> page.Section:
    title = "Words that train lacks"
    unseen = [set(judgement.row.get("unseen_words") or ()) for judgement in judgements]
    if not any(unseen):
        return page.Section(title, "Every word that was said occurs in train.")
    answers: dict[str, Counter[str | None]] = {}
    for judgement, words in zip(judgements, unseen, strict=True):
        for pair in judgement.pairs:
            if pair.gold in words:
                answers.setdefault(str(pair.gold), Counter())[pair.heard] += 1
    said, right = sum(map(Counter.total, answers.values())), sum(each[word] for word, each in answers.items())
    table = statistics([one.gold for one in judgements], [heard(one.row) for one in judgements])
    holds = np.array([bool(words) for words in unseen])
    groups: list[list[page.Cell]] = [
        [name, int(mask.sum()), int(table[mask, STATISTICS.index("words")].sum()), _wer(table[mask])]
        for name, mask in (("with such a word", holds), ("without", ~holds))
        if mask.any()
    ]
    rows: list[list[page.Cell]] = [
        [word, each.total(), each[word], _instead(word, each)]
        for word, each in sorted(answers.items(), key=lambda item: (-item[1].total(), item[0]))
    ]
    text = (
        f"{said:,} of {int(table[:, STATISTICS.index('words')].sum()):,} words never occur in train; {right:,} of "
        "these were recognised."
    )
    blocks = [
        page.Table(("utterances", "number", "words", "wer"), groups),
        page.Table(("said", "times", "right", "heard instead"), rows),
    ]
    return page.Section(title, text, blocks)


def _instead(word: str, answers: Counter[str | None]) -> str | None:
    others = Counter({answer or "(nothing)": count for answer, count in answers.items() if answer != word})
    return ", ".join(f"{answer} ({count})" for answer, count in _ranked(others)[:3]) or None


def _confidence(judgements: Sequence[Judgement]) -> page.Section:
    sure = [
        (word.pair.kind == "right", word.confidence)
        for judgement in judgements
        for word in judgement.words
        if word.confidence is not None
    ]
    blocks: list[page.Table | page.Figure] = []
    text = "No word has a confidence."
    if sure:
        right, confidence = np.array(sure, dtype=np.float64).T
        text, diagrams = trust(right.astype(bool), np.clip(confidence, 0, 1), "words")
        text += " A word is right if the alignment sets it beside the same word; deleted words have no confidence."
        blocks += diagrams
    return page.Section("Confidence and blanks", text, [*blocks, *_blanks(judgements)])


def _blanks(judgements: Sequence[Judgement]) -> list[page.Table]:
    shares = blank_shares([judgement.row for judgement in judgements])
    if not len(shares):
        return []
    mean = float(np.average(shares[:, 0], weights=shares[:, 1] if shares[:, 1].any() else None))
    values = {"mean over time": mean, "least": float(shares[:, 0].min()), "greatest": float(shares[:, 0].max())}
    rows = list(values.items())
    return [page.Table(("utterances", "blank_share"), rows, "Steps at which the blank is the most probable label")]


def _irregular_answers(judgements: Sequence[Judgement]) -> page.Section:
    counts = _irregularities([judgement.row for judgement in judgements])
    silent = sum(not heard(one.row) and not one.failed and bool(one.gold) for one in judgements)
    table = page.Table(
        ("what", "utterances"),
        [
            ["answered with an error", counts["errors"]],
            ["answered with an empty text", silent],
            ["with a word that train lacks", counts["utterances_with_unseen_words"]],
            [
                "with a character outside the alphabet, which cannot be written",
                counts["utterances_with_unseen_characters"],
            ],
        ],
    )
    reasons = Counter(one.row["predicted"]["error"] for one in judgements if one.failed)
    characters = Counter(each for one in judgements for each in one.row.get("unseen_characters") or ())
    blocks = [
        table,
        *most_frequent("Answered with an error", reasons, "utterances"),
        *most_frequent("Characters outside the alphabet", characters, "utterances"),
    ]
    return page.Section("Irregular answers", "", blocks)
