"""What the commands do, and `seqloom.run`: the stages in order, for one seed or several."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..datasets.corpus import Corpus
from .config import TaskConfig, load_config, parse_setting
from .console import LOGGER, log_file
from .corpora import cut, read_corpus
from .errors import UserError
from .initialisation import load_base
from .registry import TaskEntry, find_task, suggestion
from .run import Run, check_free, config_class
from .run_directory import RunDirectory, disk_errors, read_json

if TYPE_CHECKING:
    from tensorflow.distribute import Strategy

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


def run(
    task: str,
    settings: Mapping[str, Any] | None = None,
    files: Sequence[Path] = (),
    run_dir: Path | None = None,
    seeds: int | None = None,
    fresh: bool = False,
    training_only: bool = False,
    command: str = "seqloom",
) -> dict[str, Any] | None:
    """Trains, exports, evaluates and reports; goes on where an unfinished run stopped.

    Args:
        task: a registered name.
        settings: keys of the task's config; they win over `files`.
        files: YAML files; later ones win.
        run_dir: where to write; `runs/TASK/DATASET` if not given.
        seeds: run seeds 0 to N-1, each in a folder of its own, and aggregate them.
        fresh: overwrite what is in the run directory.
        training_only: stop after training.
        command: what the report says to type for the same run.

    Returns:
        The content of `metrics.json`; `None` after training only, and on workers that are not the chief.

    Raises:
        UserError: for whatever the user can mend.
        Interrupted: after Ctrl-C.
    """
    entry = find_task(task)
    config = load_config(entry, config_class(entry), files, settings)
    path = run_dir or Path("runs") / entry.name / dataset_name(entry, config)
    check_free(entry, config, RunDirectory(path), fresh, several=seeds is not None)
    corpus = read_corpus(entry, config.dataset, config.data_dir)
    cut(corpus, config)  # bad data is found before TensorFlow is loaded and before anything is written,
    load_base(config.init_from, entry)  # and so is a run that cannot be the start

    from . import distribution

    strategy = distribution.make_strategy(config.strategy)
    if not distribution.is_chief():
        LOGGER.info("connected; the chief writes the run directory and says how it goes")
        LOGGER.setLevel(logging.WARNING)
    with distribution.lost_workers(strategy):
        if seeds is None:
            return _run_seed(entry, config, path, corpus, strategy, fresh, training_only, command)
        return _run_seeds(entry, config, path, corpus, strategy, seeds, fresh, training_only, command)


def dataset_name(entry: TaskEntry, config: TaskConfig) -> str:
    """The data set as the name of a folder."""
    return config.dataset if config.dataset in entry.datasets else Path(config.dataset).resolve().name


def evaluate(run_dir: Path, split: str, dataset: str | None, command: str) -> dict[str, Any]:
    """Scores the export on a split, of the run's own data or of another data set."""
    from . import stages

    opened = Run.open(run_dir)
    splits = stages.other_splits(opened, dataset)
    folder = opened.directory.path
    if split != "test" or splits is not opened.splits:
        splits.split(split)  # refused here if there is none; a run without test of its own is reported without scores
        folder = folder / "evaluations" / f"{splits.corpus.name}-{split}"
    return stages.evaluate(opened, splits, split, folder, _seconds_before(opened), command)


def predict(run_dir: Path, inputs: Sequence[str] | None) -> int:
    """Prints an answer a line, in the order of the inputs; returns 2 if any has an error."""
    opened = Run.open(run_dir)
    status = 0
    for batch in [inputs] if inputs else _line_batches(sys.stdin):
        answers = opened.predict([_valid_text(text) for text in batch])
        for answer in answers:
            print(json.dumps(answer, ensure_ascii=False), flush=True)
        status = 2 if any(answer["error"] for answer in answers) else status
    return status


def export(run_dir: Path, format: str, output: Path | None) -> Path:
    """Writes the export anew, or elsewhere; returns its folder."""
    if format not in FORMATS:
        raise UserError(f"there is no format {format!r}{suggestion(format, FORMATS)}; known: {', '.join(FORMATS)}")
    from . import stages

    opened = Run.open(run_dir)
    stages.export(opened, output)
    return (output or opened.directory.export) / "1"


def report(run_dirs: Sequence[Path], output: Path | None, command: str) -> Path:
    """Writes the page of one run, or of several side by side; returns its path."""
    from . import stages
    from .reporting.run_page import write_comparison

    if len(run_dirs) == 1 and not RunDirectory(run_dirs[0]).seeds():
        opened = Run.open(run_dirs[0])
        stages.report(opened, command)
        return opened.directory.report
    several = [single for path in run_dirs for single in (RunDirectory(path).seeds() or [RunDirectory(path)])]
    runs = [Run.open(directory.path) for directory in several]
    if len({single.entry.name for single in runs}) > 1:
        raise UserError("report compares runs of one task, these are of several")
    path = output or (RunDirectory(run_dirs[0]).report if len(run_dirs) == 1 else Path("comparison.html"))
    write_comparison(runs, path, command)
    return path


def print_results(metrics: Mapping[str, Any]) -> None:
    """Prints the headline metrics with interval or spread, and the baselines beside them."""
    from rich.console import Console
    from rich.table import Table

    from .reporting.page import format_interval, format_metric, readable_name

    table = Table(box=None, pad_edge=False, header_style="")
    for title in ("", f"{metrics['split']}, {metrics['examples']:,} examples", *metrics.get("baselines", {})):
        table.add_column(title, no_wrap=not title)
    for name, value in metrics["metrics"].items():
        if isinstance(value, Mapping):
            shown = f"{format_metric(name, value['mean'], 2)} (sd {format_metric(name, value['sd'], 2)})"
        else:
            shown = format_interval(name, value, metrics["confidence"].get(name))
        baselines = [format_metric(name, scores.get(name)) for scores in metrics.get("baselines", {}).values()]
        table.add_row(readable_name(name), shown.replace("[", "\\["), *baselines)
    Console(highlight=False, width=None if sys.stdout.isatty() else 160).print(
        table if metrics["metrics"] else "no test split: nothing was scored"
    )


def _run_seed(
    entry: TaskEntry,
    config: TaskConfig,
    path: Path,
    corpus: Corpus,
    strategy: Strategy,
    fresh: bool,
    training_only: bool,
    command: str,
) -> dict[str, Any] | None:
    from . import distribution, stages

    splits = cut(corpus, config)
    if not distribution.is_chief():
        distribution.agree(strategy)  # the chief has made the run directory
        stages.train(Run(entry, config, RunDirectory(path), splits), strategy)
        distribution.agree(strategy)  # the chief has finished: whoever leaves earlier is taken for dead
        return None
    single = Run.begin(entry, config, path, fresh, splits)
    metrics = None
    with disk_errors(path), log_file(single.directory.log):
        LOGGER.info("run directory %s", path)
        distribution.agree(strategy)
        stages.train(single, strategy)
        if not training_only:
            seconds = {"export": stages.export(single)}
            metrics = stages.evaluate(single, single.splits, "test", path, seconds, command)
        distribution.agree(strategy)
    return metrics


def _run_seeds(
    entry: TaskEntry,
    config: TaskConfig,
    path: Path,
    corpus: Corpus,
    strategy: Strategy,
    seeds: int,
    fresh: bool,
    training_only: bool,
    command: str,
) -> dict[str, Any] | None:
    from .distribution import agree, is_chief
    from .seeds import write_aggregate

    directory = RunDirectory(path)
    if is_chief():
        Run.begin(entry, config, path, fresh)
        directory.metrics.unlink(missing_ok=True)  # of fewer seeds
    agree(strategy)
    runs = []
    for seed in range(seeds):
        of_seed = config.model_copy(update={"seed": seed})
        single = Run(entry, of_seed, RunDirectory(path / f"seed-{seed}"))
        if not single.directory.finished:
            LOGGER.info("seed %d of %d", seed, seeds)
            command_of_seed = _command_of_seed(command, seed)
            _run_seed(entry, of_seed, single.directory.path, corpus, strategy, False, training_only, command_of_seed)
        runs.append(single)
    if training_only or not is_chief():
        return None
    metrics = write_aggregate(directory, runs, command)
    LOGGER.info("report %s", directory.report)
    return metrics


def _command_of_seed(command: str, seed: int) -> str:
    """What to type for one seed alone.

    Example:
        >>> _command_of_seed("seqloom run slot_filling --seeds 5 --epochs 3", 2)
        'seqloom run slot_filling --seed 2 --epochs 3'
    """
    return re.sub(r"--seeds[ =]\d+", f"--seed {seed}", command)


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
