"""The grid of the benchmark tasks: every run is a file of its own, so that a stopped benchmark goes on."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from ..run_directory import read_json, write_json
from .cells import units_for, weights
from .config import Config
from .tasks import TASKS
from .training import Schedule, sequence_model, test_loss, train

_log = logging.getLogger(__name__)
SOLVED = 0.1  # share of the loss without memory below which a task counts as solved


@dataclass(frozen=True)
class Job:
    """One run: a cell learns a task at a length from a seed.

    Attributes:
        task: a key of `TASKS`.
        cell: a key of `seqloom.layers.encoder.RECURRENT_LAYERS`.
        length: as the task counts it.
        seed: of weights and sequences.
    """

    task: str
    cell: str
    length: int
    seed: int

    @property
    def file(self) -> str:
        """Where its result is kept."""
        return f"{self.task}-{self.length:04d}-{self.cell}-{self.seed}.json"


def plan(config: Config) -> list[Job]:
    """All runs, short sequences first."""
    lengths = {"adding": config.benchmark_adding, "order": config.benchmark_order, "copy": config.benchmark_copy}
    jobs = [
        Job(task, cell, length, config.seed + number)
        for task in TASKS
        for length in lengths[task]
        for cell in config.benchmark_cells
        for number in range(config.benchmark_adding_seeds if task == "adding" else config.benchmark_other_seeds)
    ]
    return sorted(jobs, key=lambda job: (TASKS[job.task].steps(job.length), job.seed))


def run_all(config: Config, folder: Path) -> None:
    """Trains what has no file yet, several runs at the same time, until the time is over.

    Args:
        config: says what and how long.
        folder: of the files.
    """
    jobs = plan(config)
    missing = [job for job in jobs if not (folder / job.file).is_file()]
    _log.info("benchmark: %d of %d runs are there", len(jobs) - len(missing), len(jobs))
    until = time.time() + 60 * config.benchmark_minutes if config.benchmark_minutes else None
    work = [(config, job, folder / job.file, until) for job in missing]
    if min(config.benchmark_workers, len(work)) < 2:
        _follow(map(_work, work), len(work))
        return
    with multiprocessing.get_context("spawn").Pool(config.benchmark_workers, _one_thread) as pool:
        _follow(pool.imap_unordered(_work, work), len(work))


def finished(config: Config, folder: Path) -> list[dict[str, Any]]:
    """The results of the runs that are done, in the order of the plan."""
    return [read_json(folder / job.file) for job in plan(config) if (folder / job.file).is_file()]


def run(config: Config, job: Job) -> dict[str, Any]:
    """Trains one model and tests it on new sequences."""
    started, task = time.perf_counter(), TASKS[job.task]
    keras.utils.clear_session()
    keras.utils.set_random_seed(job.seed)
    units = units_for(job.cell, config.benchmark_parameters, task.features, task.outputs)
    model = sequence_model(job.cell, units, task, job.length)
    schedule = Schedule(config.benchmark_updates, config.benchmark_batch, config.benchmark_rate)
    baseline = task.baseline(job.length)
    history = train(model, task, job.length, schedule, job.seed, stop_below=SOLVED * baseline)
    loss = test_loss(model, task, job.length, schedule, job.seed)
    return {
        "task": job.task,
        "cell": job.cell,
        "length": job.length,
        "seed": job.seed,
        "units": units,
        "parameters": weights(job.cell, units, task.features, task.outputs),
        "updates": history["updates"][-1],
        "loss": loss,
        "baseline": baseline,
        "solved": loss < SOLVED * baseline,
        "curve": [round(value, 5) for value in history["loss"]],
        "updates_between": history["updates"][0],
        "seconds": round(time.perf_counter() - started, 1),
    }


def solved_share(runs: Sequence[dict[str, Any]]) -> float | None:
    """The share of runs that solved their task; nothing without runs."""
    return statistics.fmean(each["solved"] for each in runs) if runs else None


def _follow(results: Iterable[dict[str, Any] | None], number: int) -> None:
    for count, one in enumerate(results, start=1):
        if one:
            outcome = "solved" if one["solved"] else "not solved"
            place = f"{one['task']} {one['length']}, {one['cell']}, seed {one['seed']}"
            share, seconds = one["loss"] / one["baseline"], one["seconds"]
            _log.info("%d of %d: %s: %s, loss %.2f of baseline, %.0f s", count, number, place, outcome, share, seconds)


def _work(work: tuple[Config, Job, Path, float | None]) -> dict[str, Any] | None:
    config, job, path, until = work
    if until is not None and time.time() > until:
        return None
    result = run(config, job)
    write_json(path, result)
    return result


def _one_thread() -> None:
    """A worker computes on one core, since its steps are too small to be shared; Ctrl-C is for its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
