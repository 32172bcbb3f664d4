"""The decoders of a run side by side, and how the language model's weight was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..evaluation import bootstrap
from ..reporting import figures, page
from .config import DECODERS
from .error_rates import STATISTICS, rates, statistics
from .judgement import Row, decoders_of, exported_decoder, heard, real_time_factors

SHOWN_BONUSES = 5


def decoders_section(rows: Sequence[Row]) -> page.Section:
    """Error rates, kinds of errors and speed of each decoder; without a comparison, of the answers alone."""
    gold = [row["gold"]["text"] for row in rows]
    exported, factors = exported_decoder(rows), real_time_factors(rows)
    names = decoders_of(rows) or [""]
    tables = {name: statistics(gold, [heard(row, name) for row in rows]) for name in names}
    lines: list[list[page.Cell]] = []
    for name, each in tables.items():
        sums = each.sum(axis=0)
        values = {metric: float(value[0]) for metric, value in rates(sums[None]).items()}
        mark = ", exported" if name and name == exported else ""
        lines.append(
            [
                DECODERS.get(name, "exported decoder") + mark,
                *values.values(),
                *sums[:3].tolist(),
                *_compared(each, tables[names[0]]),
                factors.get(name),
            ]
        )
    columns = ["decoder", "wer", "cer", "ser", "S", "D", "I", "better", "worse", "real time"]
    kept = [at for at in range(len(columns)) if any(line[at] is not None for line in lines)]
    table = page.Table([columns[at] for at in kept], [[line[at] for at in kept] for line in lines])
    return page.Section(
        "Decoders", _text(tables[names[0]], len(names) > 1, bool(factors)), [table, *_intervals(tables)]
    )


def _compared(table: np.ndarray, first: np.ndarray) -> list[page.Cell]:
    """How many utterances have fewer errors than with the first decoder, and how many have more."""
    if table is first:
        return [None, None]
    difference = table[:, :3].sum(axis=1) - first[:, :3].sum(axis=1)
    return [int((difference < 0).sum()), int((difference > 0).sum())]


def _text(table: np.ndarray, compared: bool, timed: bool) -> str:
    sums = dict(zip(STATISTICS, table.sum(axis=0).tolist(), strict=True))
    text = (
        f"{sums['words']:,} words and {sums['characters']:,} characters were said in {sums['utterances']:,} "
        "utterances. WER and CER are the substituted, left out (deleted) and inserted words or characters for each one "
        "that was said; a space is a character. SER is the share of utterances with any wrong word. S, D and I "
        "count substituted, left out and inserted words."
    )
    if compared:
        text += " Better and worse count the utterances that have fewer or more wrong words than with the best path."
    if timed:
        text += " The last column is the real-time factor: seconds of computation for each second of sound."
    return text


def _intervals(tables: Mapping[str, np.ndarray]) -> list[page.Figure]:
    if len(tables) < 2:
        return []
    scored = [bootstrap(table, lambda sums: {"wer": rates(sums)["wer"]}) for table in tables.values()]
    return [
        figures.dots(
            [DECODERS[name] for name in tables],
            [values["wer"] for values, _ in scored],
            intervals=[intervals["wer"] for _, intervals in scored],
            title="WER of the decoders",
            xlabel="WER (%)",
            caption="Lines are 95 % bootstrap intervals over utterances.",
            percent=True,
        )
    ]


def weight_sections(tuning: Mapping[str, Any]) -> list[page.Section]:
    """How weight and bonus of the language model were chosen on valid; nothing if there was no choice.

    Args:
        tuning: `weights` and `bonuses` that were tried, `wer[place of bonus][place of weight]`, what was chosen of them
            as `weight` and `bonus`, `without`: the WER of the same search without a model, and `utterances`.

    Raises:
        ValueError: if the shape of `wer` does not fit.
    """
    if not tuning:
        return []
    weights, bonuses = list(tuning["weights"]), list(tuning["bonuses"])
    wer = np.asarray(tuning["wer"], dtype=float)
    if wer.shape != (len(bonuses), len(weights)):
        raise ValueError(f"wer must have shape {(len(bonuses), len(weights))}, got {wer.shape}")
    chosen = bonuses.index(tuning["bonus"]), weights.index(tuning["weight"])
    best, without = float(wer[chosen]), tuning["without"]
    weight, bonus = (page.format_number(tuning[name]) for name in ("weight", "bonus"))
    text = (
        f"On the {tuning['utterances']:,} utterances of valid, weight {weight} and word bonus {bonus} gave "
        f"{100 * best:.2f} % WER; the same search without a language model gave {100 * without:.2f} %. The ring is "
        "around what was chosen and built into the export."
    )
    series = {f"bonus {page.format_number(bonuses[at])}": wer[at].tolist() for at in _shown(len(bonuses), chosen[0])}
    series["without a model"] = [without] * len(weights)
    figure = figures.lines(
        weights,
        series,
        title="WER on valid by weight",
        xlabel="weight of the language model",
        ylabel="WER (%)",
        percent=True,
        ring=(tuning["weight"], best),
        width=figures.BROAD,
        height=3.2,
    )
    return [page.Section("Language-model weight", text, [figure])]


def _shown(count: int, chosen: int) -> list[int]:
    """Places of at most `SHOWN_BONUSES` bonuses: the least, the greatest, the chosen one and some between."""
    even = np.unique(np.linspace(0, count - 1, min(count, SHOWN_BONUSES)).round().astype(int))
    if chosen not in even:
        even[np.abs(even[1:-1] - chosen).argmin() + 1] = chosen
    return sorted(set(even.tolist()))
