"""From the files of a run to its page."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..gradient_record import read_record
from ..run_directory import read_json, write_text
from .gradients import gradient_sections
from .page import RunPage, Section
from .render import render_comparison, render_run

if TYPE_CHECKING:
    from ..run import Run


def write_report(
    run: Run,
    folder: Path,
    metrics: Mapping[str, Any],
    rows: Sequence[dict[str, Any]],
    data: Mapping[str, Any],
) -> None:
    """Writes `report.html` into a folder: the run directory, or the one of another evaluation."""
    defaults = type(run.config)().model_dump()
    name = run.entry.name.replace("_", " ")
    page = RunPage(
        title=f"{name[0].upper()}{name[1:]} on {metrics['dataset']}",
        task=run.entry.name,
        dataset=metrics["dataset"],
        command=run.command(),
        summary=_summary(run, metrics),
        config=run.config.model_dump(),
        defaults=defaults,
        environment=read_json(run.directory.environment),
        data=dict(data),
        metrics=dict(metrics),
        published=run.pipeline.published()
        if metrics["split"] == "test" and metrics["dataset"] == run.config.dataset
        else [],
        history=read_history(run.directory.history),
        sections=_sections(run, rows),
        warnings=_warnings(run, metrics),
    )
    write_text(folder / "report.html", render_run(page))


def write_comparison(runs: Sequence[Run], path: Path, command: str, title: str | None = None) -> None:
    """Writes the page that sets several runs side by side; each is linked by its place relative to the page."""
    pages = []
    for run in runs:
        pages.append(
            {
                "name": os.path.relpath(run.directory.path, path.parent),
                "metrics": read_json(run.directory.metrics),
                "config": run.config.model_dump(),
                "history": read_history(run.directory.history),
            }
        )
    name = runs[0].entry.name.replace("_", " ")
    default = f"{name[0].upper()}{name[1:]} on {pages[0]['metrics']['dataset']}, {len(runs)} runs"
    write_text(path, render_comparison(title or default, command, pages))


def read_history(path: Path) -> list[dict[str, float]]:
    """The rows of `history.csv`; none if the run has no history."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def _sections(run: Run, rows: Sequence[dict[str, Any]]) -> list[Section]:
    record = read_record(run.directory) if run.config.monitor_gradients else []
    return [*(run.pipeline.sections(rows, run.directory.tuned()) if rows else []), *gradient_sections(record)]


def _summary(run: Run, metrics: Mapping[str, Any]) -> str:
    config = run.config
    examples = f"{metrics['examples']:,} examples of {metrics['split']}"
    return (
        f"{metrics['parameters']:,} parameters, {metrics['epochs']} epochs, seed {config.seed}; "
        f"scored on {examples} with the exported model."
    )


def _warnings(run: Run, metrics: Mapping[str, Any]) -> list[str]:
    warnings = []
    if not metrics["examples"]:
        warnings.append("The data set has no test split, so the evaluation was skipped.")
    if metrics["dataset"] != run.config.dataset and Path(run.config.dataset).name != metrics["dataset"]:
        warnings.append(f"The model was trained on another data set: {run.config.dataset}.")
    if run.config.limit:
        warnings.append(f"Trained on the first {run.config.limit:,} training examples only.")
    return warnings
