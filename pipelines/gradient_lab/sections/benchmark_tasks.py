"""The classic tasks that need memory, solved or not, at equal numbers of weights."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ...reporting import page
from ...reporting.figures import heatmap, lines
from ...study import Block
from ..benchmark import SOLVED, finished, plan, run_all, solved_share
from ..cells import TOLERANCE, groups
from ..config import Config
from ..section import Section
from ..tasks import TASKS
from ..training import CLIP

_TITLES = {"adding": "Adding problem", "copy": "Copy memory", "order": "Temporal order"}
_LOSSES = {"adding": "squared error", "copy": "cross-entropy (nats)", "order": "cross-entropy (nats)"}
_WITHOUT = "without memory"


class BenchmarkTasks(Section):
    """Adding, copy memory and temporal order, against the length."""

    name = "benchmark_tasks"
    title = "Tasks that need memory"
    claim = (
        "At about equal numbers of weights, the same learning rate and the same number of updates, it depends on the "
        "task which cell learns best. An error at the level of the best answer without memory means that nothing was "
        "remembered."
    )

    def compute(self, config: Config, folder: Path) -> dict[str, Any]:
        run_all(config, folder)
        return {
            "runs": finished(config, folder),
            "planned": len(plan(config)),
            "updates": config.benchmark_updates,
            "batch": config.benchmark_batch,
            "rate": config.benchmark_rate,
            "parameters": config.benchmark_parameters,
        }

    def render(self, results: dict[str, Any]) -> list[Block]:
        blocks: list[Block] = [page.prose(_text(results))]
        for task in TASKS:
            runs = [each for each in results["runs"] if each["task"] == task]
            if runs:
                blocks += [page.prose(_task_text(task, runs), _TITLES[task]), *_figures(task, runs)]
        return [*blocks, _table(results["runs"])]

    def metric(self, results: dict[str, Any]) -> tuple[str, float]:
        return "benchmark_solved_share", solved_share(results["runs"]) or 0.0


def _text(results: dict[str, Any]) -> str:
    return (
        f"{len(results['runs'])} of {results['planned']} planned runs are finished. Each model is one recurrent layer "
        f"and a linear read-out, with {results['parameters']:,} weights within {100 * TOLERANCE:g} % (the fixed ones "
        f"of a reservoir included), trained by Adam at a rate of {results['rate']:g} on batches of {results['batch']} "
        f"sequences that are never repeated, its gradient limited to a norm of {CLIP:g}, for at most "
        f"{results['updates']:,} updates. A task counts as solved when the loss on new sequences is below {SOLVED:.0%} "
        "of what the best answer without memory costs; training stops there. All cells share one learning rate, which "
        "was chosen after trials with mostly gated cells: a failure here is one at this rate and within these updates."
    )


def _task_text(task: str, runs: Sequence[dict[str, Any]]) -> str:
    source = {
        "adding": "Two numbers among many are marked; the answer is their sum (Hochreiter and Schmidhuber, 1997). "
        "Always to answer 1 has a squared error of 1/6 = 0.167.",
        "copy": "Ten symbols have to be repeated after a pause. Blanks and guesses among the eight symbols cost "
        "10 ln 8 / (T + 20) (Arjovsky, Shah and Bengio, 2016).",
        "order": "Two places hold one of two symbols each; the answer is which, and in what order (Hochreiter and "
        "Schmidhuber, 1997; Pascanu et al., 2013). A guess among four costs ln 4 = 1.386.",
    }
    return f"{source[task]} {sum(each['solved'] for each in runs)} of {len(runs)} runs solved it."


def _figures(task: str, runs: Sequence[dict[str, Any]]) -> list[Block]:
    lengths = sorted({each["length"] for each in runs})
    cells = list(dict.fromkeys(each["cell"] for each in runs))
    if len(lengths) == 1:
        return [_curves(task, runs, names, title) for title, names in groups(cells)]
    found: list[Block] = [_success(runs, cells, lengths)]
    return found + [_losses(task, runs, names, title, lengths) for title, names in groups(cells)]


def _success(runs: Sequence[dict[str, Any]], cells: Sequence[str], lengths: Sequence[int]) -> page.Figure:
    shares = [[_percent(solved_share(_of(runs, cell, length))) for length in lengths] for cell in cells]
    return heatmap(
        [page.readable_name(cell) for cell in cells],
        shares,
        columns=[str(length) for length in lengths],
        title="Runs that solved it (%)",
        xlabel="length",
        ylabel="",
        caption="No colour: none of the finished runs.",
        logarithmic=False,
    )


def _percent(share: float | None) -> float:
    return 100 * (share or 0.0)


def _losses(
    task: str, runs: Sequence[dict[str, Any]], cells: Sequence[str], title: str, lengths: Sequence[int]
) -> page.Figure:
    series: dict[str, list[float | None]] = {
        page.readable_name(cell): [_mean_loss(_of(runs, cell, length)) for length in lengths] for cell in cells
    }
    series[_WITHOUT] = [TASKS[task].baseline(length) for length in lengths]
    return lines(
        lengths,
        series,
        title=f"Loss against length, cells {title}",
        xlabel="length",
        ylabel=_LOSSES[task],
        log_x=True,
        log_y=True,
    )


def _mean_loss(runs: Sequence[dict[str, Any]]) -> float | None:
    return statistics.fmean(each["loss"] for each in runs) if runs else None


def _curves(task: str, runs: Sequence[dict[str, Any]], cells: Sequence[str], title: str) -> page.Figure:
    """Learning curves of the first seed; that of a solved run ends where it was solved."""
    chosen = {cell: _of(runs, cell, runs[0]["length"])[0] for cell in cells}
    between = runs[0]["updates_between"]
    steps = max(len(each["curve"]) for each in runs)
    series: dict[str, list[float | None]] = {
        page.readable_name(cell): each["curve"] + [None] * (steps - len(each["curve"])) for cell, each in chosen.items()
    }
    series[_WITHOUT] = [runs[0]["baseline"]] * steps
    return lines(
        [between * number for number in range(1, steps + 1)],
        series,
        title=f"Length {runs[0]['length']}, cells {title}",
        xlabel="updates",
        ylabel=_LOSSES[task],
        log_y=True,
        caption="Loss on new sequences while training; a line ends where the task is solved.",
    )


def _of(runs: Sequence[dict[str, Any]], cell: str, length: int) -> list[dict[str, Any]]:
    return [each for each in runs if each["cell"] == cell and each["length"] == length]


def _table(runs: Sequence[dict[str, Any]]) -> page.Table:
    rows: list[list[page.Cell]] = []
    for task, length, cell in dict.fromkeys((each["task"], each["length"], each["cell"]) for each in runs):
        some = [each for each in _of(runs, cell, length) if each["task"] == task]
        rows.append(
            [
                _TITLES[task],
                length,
                page.readable_name(cell),
                some[0]["units"],
                some[0]["parameters"],
                f"{sum(each['solved'] for each in some)} of {len(some)}",
                round(statistics.median(each["updates"] for each in some)),
                _mean_loss(some),
                some[0]["baseline"],
            ]
        )
    columns = ("task", "length", "cell", "units", "weights", "solved", "updates", "loss", _WITHOUT)
    return page.Table(columns, rows, "All finished runs: median of the updates, mean of the loss on new sequences")
