"""What the commands do that work on a run that exists, and how flags become settings."""

from __future__ import annotations

import io
import itertools
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .config import parse_setting
from .corpora import load_foreign
from .errors import UserError
from .registry import TASKS, suggestion
from .run import Run
from .run_directory import RunDirectory, read_json

FORMATS = ("saved_model",)


def command_line_settings(named: Mapping[str, Any], assignments: Sequence[str]) -> dict[str, Any]:
    """The settings of flags and of `--set`, which may not name the same one twice.

    Example:
        >>> command_line_settings({"epochs": 3}, ["units=64"])
        {'epochs': 3, 'units': 64}
    """
    settings = dict(named)
    for key, value in map(parse_setting, assignments):
        if key in settings:
            raise UserError(f"{key} is given twice: {settings[key]!r} and {value!r}")
        settings[key] = value
    return settings


def evaluate(run_dir: Path, split: str, dataset: str | None) -> dict[str, Any]:
    """Scores the export on a split, of the run's own data or of another data set."""
    from . import stages

    opened = _open(run_dir, "evaluate")
    foreign = None if opened.owns(dataset) else load_foreign(opened.entry, opened.config, str(dataset), split)
    folder = opened.directory.path
    if split != "test" or foreign:
        splits = foreign or opened.splits
        splits.split(split)  # refused here if there is none; a run without test of its own is reported without scores
        folder = folder / "evaluations" / f"{splits.corpus.name}-{split}"
    return stages.evaluate(opened, split, folder, _seconds_before(opened), foreign)


def predict(run_dir: Path, inputs: Sequence[str] | None, explain: bool = False) -> int:
    """Prints an answer a line, in the order of the inputs; returns 2 if any has an error.

    With `explain` the answers hold what each word contributed; a terminal shows it as the words' colours.
    """
    opened = _open(run_dir, "predict")
    status = 0
    for batch in [inputs] if inputs else _line_batches(sys.stdin):
        answers = opened.predict([_valid_text(text) for text in batch], explain)
        for answer in answers:
            if explain and sys.stdout.isatty():
                from .reporting.shading import print_shaded

                print_shaded(answer)
            else:
                print(json.dumps(answer, ensure_ascii=False), flush=True)
        status = 2 if any(answer["error"] for answer in answers) else status
    return status


def export(run_dir: Path, format: str, output: Path | None) -> Path:
    """Writes the export anew, or elsewhere; returns its folder."""
    if format not in FORMATS:
        raise UserError(f"there is no format {format!r}{suggestion(format, FORMATS)}; known: {', '.join(FORMATS)}")
    from . import stages

    opened = _open(run_dir, "export")
    stages.export(opened, output)
    return (output or opened.directory.export) / "1"


def report(run_dirs: Sequence[Path], output: Path | None) -> Path:
    """Writes the page of one run, or of several side by side; returns its path."""
    from .reporting.run_page import write_comparison

    if len(run_dirs) == 1 and not RunDirectory(run_dirs[0]).seeds():
        if output is not None:
            raise UserError("--output names the page of a comparison; the page of one run lies in its directory")
        return _report_one(run_dirs[0])
    several = [single for path in run_dirs for single in (RunDirectory(path).seeds() or [RunDirectory(path)])]
    runs = [_open(directory.path, "report of several runs") for directory in several]
    if len({single.entry.name for single in runs}) > 1:
        raise UserError("report compares runs of one task, these are of several")
    path = output or (RunDirectory(run_dirs[0]).report if len(run_dirs) == 1 else Path("comparison.html"))
    write_comparison(runs, path, f"seqloom report {' '.join(map(str, run_dirs))}")
    return path


def launched(arguments: Sequence[str]) -> Sequence[str]:
    """The command of every worker, which may not be that of a study: it runs in one process.

    Raises:
        UserError: for a study.
    """
    for before, name in itertools.pairwise(arguments):
        entry = TASKS.get(name.replace("-", "_"))
        if entry is not None and (before == "--fresh" or not before.startswith("--")):
            entry.require_task("launch")
    return arguments


def _open(run_dir: Path, command: str) -> Run:
    """Opens the run of a task for a command that studies do not have."""
    opened = Run.open(run_dir)
    opened.entry.require_task(command)
    return opened


def _report_one(run_dir: Path) -> Path:
    opened = Run.open(run_dir)
    if opened.entry.study:
        from . import study_run

        study_run.report(study_run.StudyRun.open(run_dir))
    else:
        from . import stages

        stages.report(opened)
    return opened.directory.report


def _seconds_before(opened: Run) -> dict[str, float]:
    """The seconds of the export, if an evaluation has noted them before."""
    if not opened.directory.metrics.is_file():
        return {}
    seconds = read_json(opened.directory.metrics)["seconds"]
    return {name: seconds[name] for name in ("export",) if name in seconds}


def _valid_text(text: str) -> str:
    """Text in which bytes that are no UTF-8 (Python keeps them as lone surrogates) are replaced by U+FFFD."""
    return text.encode("utf-8", errors="surrogateescape").decode("utf-8", errors="replace")


def _line_batches(stream: Any, size: int = 64) -> Iterator[list[str]]:
    """Lines of standard input, answered one by one on a terminal and in batches from a file or pipe."""
    size = 1 if stream.isatty() else size
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(encoding="utf-8", errors="surrogateescape")
    batch: list[str] = []
    for line in stream:
        batch.append(line.rstrip("\n"))
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
