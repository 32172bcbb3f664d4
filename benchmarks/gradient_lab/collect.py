"""Gathers what a run of the gradient laboratory measured on the tasks that need memory, finished or not.

    python benchmarks/gradient_lab/collect.py RUN_DIR

Writes `results.json` (one finished run a line) and `success.md` (a table of each task: solved runs and the loss as a
share of the loss without memory, against the length) beside this file.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def main() -> None:
    """Reads the runs and writes both files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run_dir", type=Path)
    parser.add_argument("--output", type=Path, default=HERE, help="folder to write to (default: this one)")
    arguments = parser.parse_args()
    runs = read_runs(arguments.run_dir)
    lines = ",\n".join(json.dumps(run) for run in runs)
    (arguments.output / "results.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    (arguments.output / "success.md").write_text(tables(runs), encoding="utf-8")
    print(f"{len(runs)} finished runs")


def read_runs(run_dir: Path) -> list[dict[str, Any]]:
    """The runs of a finished section, or the files of an unfinished one.

    Raises:
        SystemExit: if there are none.
    """
    stored = run_dir / "sections" / "benchmark_tasks" / "results.json"
    if stored.is_file():
        runs = json.loads(stored.read_text(encoding="utf-8"))["values"]["runs"]
    else:
        files = (run_dir / "sections" / "benchmark_tasks.unfinished").glob("[!.]*.json")
        runs = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    if not runs:
        raise SystemExit(f"{run_dir} holds no finished run of the benchmark tasks")
    return sorted(runs, key=lambda run: (run["task"], run["length"], run["cell"], run["seed"]))


def tables(runs: list[dict[str, Any]]) -> str:
    """A table for each task in Markdown: `solved/runs loss by baseline` of each cell at each length."""
    text = ["Solved runs of all finished ones, and the mean loss divided by the loss without memory.", ""]
    for task in dict.fromkeys(run["task"] for run in runs):
        own = [run for run in runs if run["task"] == task]
        lengths = sorted({run["length"] for run in own})
        text += [f"| {task} | {' | '.join(map(str, lengths))} |", "|---" * (len(lengths) + 1) + "|"]
        for cell in dict.fromkeys(run["cell"] for run in own):
            shown = [cell_of([run for run in own if (run["cell"], run["length"]) == (cell, at)]) for at in lengths]
            text.append(f"| {cell} | {' | '.join(shown)} |")
        baselines = " | ".join(f"{next(run['baseline'] for run in own if run['length'] == at):.3f}" for at in lengths)
        text += [f"| *loss without memory* | {baselines} |", ""]
    return "\n".join(text)


def cell_of(runs: list[dict[str, Any]]) -> str:
    """What stands in one field of the table."""
    if not runs:
        return "–"
    share = statistics.fmean(run["loss"] / run["baseline"] for run in runs)
    return f"{sum(run['solved'] for run in runs)}/{len(runs)} · {share:.2f}"


if __name__ == "__main__":
    main()
