"""`run` and `train`, and `seqloom.run`: the stages in order, for one seed or several, on one worker or several."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..datasets.corpus import Corpus
from .config import TaskConfig, load_config
from .console import LOGGER, log_file
from .corpora import cut, read_corpus
from .errors import UserError
from .initialisation import load_base
from .registry import TaskEntry, find_task
from .run import Run, check_free, config_class, has_state
from .run_directory import RunDirectory, disk_errors

if TYPE_CHECKING:
    from tensorflow.distribute import Strategy


@dataclass(frozen=True)
class Order:
    """What `run` was asked to do, after everything about it was checked.

    Attributes:
        entry: the task.
        config: the effective settings.
        path: the run directory.
        corpus: the data, read.
        strategy: of this process; made once, since TensorFlow allows no second one for several workers.
        fresh: overwrite what is there.
        training_only: stop after training.
    """

    entry: TaskEntry
    config: TaskConfig
    path: Path
    corpus: Corpus
    strategy: Strategy
    fresh: bool
    training_only: bool


def run(
    task: str,
    settings: Mapping[str, Any] | None = None,
    files: Sequence[Path] = (),
    run_dir: Path | None = None,
    seeds: int | None = None,
    fresh: bool = False,
    training_only: bool = False,
) -> dict[str, Any] | None:
    """Trains, exports, evaluates and reports; goes on where an unfinished run stopped.

    Args:
        task: a registered name.
        settings: keys of the task's config; they win over `files`.
        files: YAML files; later ones win.
        run_dir: where to write; `runs/TASK/DATASET` if not given, of a study `runs/STUDY/SIZE`.
        seeds: run seeds 0 to N-1, each in a folder of its own, and aggregate them.
        fresh: overwrite what is in the run directory.
        training_only: stop after training.

    Returns:
        The content of `metrics.json`; `None` after training only, and on workers that are not the chief.

    Raises:
        UserError: for whatever the user can mend.
        Interrupted: after Ctrl-C.
    """
    entry = find_task(task)
    if entry.study:
        return _run_study(entry, settings, files, run_dir, seeds, fresh, training_only)
    config = load_config(entry, config_class(entry), files, settings)
    path = run_dir or Path("runs") / entry.name / dataset_name(entry, config)
    directory = RunDirectory(path)
    check_free(entry, config, directory, fresh, several=seeds is not None)
    corpus = read_corpus(entry, config.dataset, config.data_dir)
    cut(corpus, config)  # bad data is found before TensorFlow is loaded and before anything is written,
    if fresh or not has_state(directory):
        _check_base(entry, config, path)  # and so is a run that cannot be the start

    from . import distribution

    strategy = distribution.make_strategy(config.strategy)
    if not distribution.is_chief():
        LOGGER.info("connected; the chief writes the run directory and says how it goes")
        LOGGER.setLevel(logging.WARNING)
    order = Order(entry, config, path, corpus, strategy, fresh, training_only)
    with distribution.lost_workers(strategy):
        return _run_seed(order) if seeds is None else _run_seeds(order, seeds)


def dataset_name(entry: TaskEntry, config: TaskConfig) -> str:
    """The data set as the name of a folder."""
    return config.dataset if config.dataset in entry.datasets else Path(config.dataset).resolve().name


def _run_study(
    entry: TaskEntry,
    settings: Mapping[str, Any] | None,
    files: Sequence[Path],
    run_dir: Path | None,
    seeds: int | None,
    fresh: bool,
    training_only: bool,
) -> dict[str, Any]:
    from . import study_run

    if training_only:
        entry.require_task("train")
    if seeds is not None:
        raise UserError(f"{entry.name} is a study, which runs with one --seed and has no --seeds")
    return study_run.run(entry, settings, files, run_dir, fresh)


def _check_base(entry: TaskEntry, config: TaskConfig, path: Path) -> None:
    if config.init_from and Path(config.init_from).resolve().is_relative_to(path.resolve()):
        raise UserError(f"init_from must name another run than the one that is written, got {config.init_from}")
    load_base(config.init_from, entry)


def _run_seed(order: Order) -> dict[str, Any] | None:
    from . import distribution, stages

    splits, strategy = cut(order.corpus, order.config), order.strategy
    if not distribution.is_chief():
        distribution.agree(strategy)  # the chief has made the run directory
        stages.train(Run(order.entry, order.config, RunDirectory(order.path), splits), strategy)
        distribution.agree(strategy)  # the chief has finished: whoever leaves earlier is taken for dead
        return None
    directory = RunDirectory(order.path)
    directory.create()
    metrics = None
    with directory.locked(), disk_errors(order.path):
        single = Run.begin(order.entry, order.config, order.path, order.fresh, splits)
        with log_file(directory.log):
            LOGGER.info("run directory %s", order.path)
            distribution.agree(strategy)
            stages.train(single, strategy)
            if not order.training_only:
                seconds = {"export": stages.export(single)}
                metrics = stages.evaluate(single, "test", order.path, seconds)
            distribution.agree(strategy)
    return metrics


def _run_seeds(order: Order, seeds: int) -> dict[str, Any] | None:
    from .distribution import agree, is_chief
    from .seeds import write_aggregate

    directory = RunDirectory(order.path)
    if is_chief():
        Run.begin(order.entry, order.config, order.path, order.fresh)
        directory.metrics.unlink(missing_ok=True)  # of fewer seeds
    agree(order.strategy)
    runs = []
    for seed in range(seeds):
        of_seed = order.config.model_copy(update={"seed": seed})
        single = Run(order.entry, of_seed, RunDirectory(order.path / f"seed-{seed}"))
        if not single.directory.finished:
            LOGGER.info("seed %d of %d", seed, seeds)
            _run_seed(replace(order, config=of_seed, path=single.directory.path, fresh=False))
        runs.append(single)
    if order.training_only or not is_chief():
        return None
    metrics = write_aggregate(directory, runs)
    LOGGER.info("report %s", directory.report)
    return metrics
