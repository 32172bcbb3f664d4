"""The table of the benchmark is made from whatever is finished."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "gradient_lab" / "collect.py"


def collect(monkeypatch: pytest.MonkeyPatch, run_dir: Path, output: Path) -> tuple[list, str]:
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(run_dir), "--output", str(output)])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    return json.loads((output / "results.json").read_text()), (output / "success.md").read_text()


def test_finished_files_of_an_unfinished_run_are_gathered(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "sections" / "benchmark_tasks.unfinished"
    folder.mkdir(parents=True)
    common = {"task": "adding", "cell": "lstm", "baseline": 0.2, "length": 50}
    for seed, loss in enumerate((0.01, 0.19)):
        run = {**common, "seed": seed, "loss": loss, "solved": loss < 0.02}
        (folder / f"{seed}.json").write_text(json.dumps(run))
    (folder / "2.json").write_text(
        json.dumps({**common, "cell": "simple", "length": 25, "seed": 0, "loss": 0.2, "solved": 0})
    )
    runs, table = collect(monkeypatch, tmp_path, tmp_path)
    assert [(run["length"], run["seed"]) for run in runs] == [(25, 0), (50, 0), (50, 1)]
    assert "| lstm | – | 1/2 · 0.50 |" in table
    assert "| simple | 0/1 · 1.00 | – |" in table


def test_a_folder_without_runs_is_refused(tmp_path, monkeypatch) -> None:
    with pytest.raises(SystemExit, match="no finished run"):
        collect(monkeypatch, tmp_path, tmp_path)
