"""The stages of a run, in order: train, export, evaluate, report. Each can be repeated by itself."""

from __future__ import annotations

import functools
import json
import logging
import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from ..datasets.corpus import DataError
from . import distribution
from .config import differences
from .corpora import Splits
from .errors import UserError
from .exporting import Server, export_server, plain
from .inference import request_or_reason
from .initialisation import copy_from_run, load_base
from .pretraining import pretrain
from .reporting.run_page import write_report
from .run import Run, has_state, read_config
from .run_directory import RunDirectory, read_json, write_json, write_text, write_whole
from .run_state import Progress
from .training import Trainer, load_best

_log = logging.getLogger(__name__)


def train(run: Run, strategy: tf.distribute.Strategy) -> None:
    """Trains, or goes on training, until `checkpoints/finished.json` stands."""
    directory, config, pipeline = run.directory, run.config, run.pipeline
    if directory.trained and _long_enough(run):
        _log.info("already trained")
        return
    started = time.perf_counter()
    keras.utils.clear_session()
    keras.utils.set_random_seed(config.seed)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    examples, mended = pipeline.usable(run.splits.train)
    if not examples:
        raise UserError(f"no training example is usable: {mended}")
    _announce(run.splits, mended)
    base, preprocessor = _preprocessor(run, examples, mended)
    prepared = time.perf_counter() - started

    def first_values(model: Any) -> dict[str, int]:
        return {**pipeline.initialise(model, preprocessor), **(copy_from_run(base, pipeline, model) if base else {})}

    pretraining = pipeline.pretraining(examples, run.splits.valid, preprocessor)
    pretrained = functools.partial(pretrain, pretraining, directory=directory.pretraining) if pretraining else None

    if distribution.is_chief():
        directory.tuning.unlink(missing_ok=True)  # of other weights
    trainer = Trainer(pipeline, preprocessor, strategy, directory)
    model, progress = trainer.train(examples, run.splits.valid, first_values, pretrained)
    kept = progress.kept(pipeline.selection_metric)
    if distribution.is_chief():
        write_json(
            directory.checkpoints / "finished.json",
            {
                "metric": pipeline.selection_metric,
                "best": None if math.isnan(kept) else kept,
                "best_epoch": progress.kept_epoch,
                "improved_epoch": progress.improved_epoch,
                "epochs": progress.epoch,
                "parameters": model.count_params(),
                "seconds": {"prepare": prepared, **_pretraining_seconds(directory), "train": progress.seconds},
            },
        )
    _log.info("%s %s on valid %.4f, epoch %d", config.keep, pipeline.selection_metric, kept, progress.kept_epoch)
    if distribution.is_chief():
        tune(run)


def tune(run: Run) -> dict[str, Any]:
    """What training leaves open, set once for the weights of the run."""
    if not run.pipeline.has_tuning:
        return {}
    path = run.directory.tuning
    if not path.is_file():
        _log.info("tuning the decoder on valid")
        started = time.perf_counter()
        chosen = run.pipeline.tune(_best_server(run), run.splits.train, run.splits.valid)
        write_json(path, {**chosen, "seconds": time.perf_counter() - started} if chosen else {})
    return read_json(path)


def export(run: Run, output: Path | None = None) -> float:
    """Writes the SavedModel of the best weights; returns the seconds it took."""
    directory = run.directory
    started = time.perf_counter()
    server = _best_server(run)
    server.set_tuning(tune(run))
    folder = (output or directory.export) / "1"
    export_server(server, folder, read_json(directory.request))
    return time.perf_counter() - started


def evaluate(
    run: Run, split: str, folder: Path, seconds: dict[str, float], foreign: Splits | None = None
) -> dict[str, Any]:
    """Lets the export decode a split and writes predictions, report and, last, metrics.

    Args:
        run: a trained and exported run.
        split: `test` or another one.
        folder: where the files go: the run directory, or `evaluations/DATASET-SPLIT`.
        seconds: of the stages before.
        foreign: another data set than the run's own.
    """
    started = time.perf_counter()
    finished, splits = run.directory.finished_training(), foreign or run.splits
    rows = _decode(run, splits, split)
    metrics: dict[str, Any] = {
        "task": run.entry.name,
        "dataset": splits.corpus.name,
        "split": split,
        "seed": run.config.seed,
        "examples": len(rows),
        **_scores(run, split, rows, foreign),
        "seconds": {},
        "parameters": finished["parameters"],
        "epochs": finished["epochs"],
    }
    tuning = run.directory.tuned()
    before = {**finished["seconds"], **({"tune": tuning["seconds"]} if tuning else {}), **seconds}
    metrics["seconds"] = {**before, "evaluate": time.perf_counter() - started}
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_text(folder / "predictions.jsonl", text)
    write_report(run, folder, metrics, rows, foreign.summary() if foreign else read_json(run.directory.data))
    _log.info("report %s", folder / "report.html")
    write_json(folder / "metrics.json", metrics)
    return metrics


def report(run: Run) -> None:
    """Writes `report.html` anew from what the evaluation left."""
    directory = run.directory
    metrics = read_json(directory.metrics)
    with directory.predictions.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    write_report(run, directory.path, metrics, rows, read_json(directory.data))


def _long_enough(run: Run) -> bool:
    """Whether a finished training is as long as the settings ask for."""
    finished = run.directory.finished_training()
    progress = Progress(epoch=finished["epochs"], improved_epoch=finished["improved_epoch"])
    return progress.is_over(run.config.epochs, run.config.patience)


def _best_server(run: Run) -> Server:
    """What answers with the best weights."""
    if not run.directory.best.is_file():
        raise UserError(f"{run.directory.path} has no checkpoints/best.keras; train it first")
    model = run.pipeline.build_model(run.preprocessor)
    load_best(model, run.directory.best)
    return run.pipeline.build_server(model, run.preprocessor)


def _decode(run: Run, splits: Splits, split: str) -> list[dict[str, Any]]:
    """The rows of `predictions.jsonl`; none if there is no test split."""
    if split == "test" and splits.test is None:
        return []
    pipeline, examples = run.pipeline, splits.split(split)
    requests = [request_or_reason(pipeline.request, example) for example in examples]
    pairs = zip(examples, run.answer(requests), strict=True)
    rows = [pipeline.row(example, answer, run.preprocessor) for example, answer in pairs]

    def call(name: str, requests: Sequence[Any]) -> list[dict[str, Any]]:
        return run.answer(requests, name)

    return pipeline.details(rows, requests, run.preprocessor, call, lambda: run.splits)


def _scores(run: Run, split: str, rows: Sequence[dict[str, Any]], foreign: Splits | None) -> dict[str, Any]:
    if not rows:
        _log.warning("%s has no test split: the evaluation is skipped", run.splits.corpus.name)
        return {"metrics": {}, "confidence": {}, "baselines": {}, "counts": {}}
    scores = run.pipeline.score(rows)
    return {
        "metrics": scores.metrics,
        "confidence": scores.confidence,
        "baselines": _baselines(run, split, foreign),
        "counts": scores.counts,
        **({"notes": scores.notes} if scores.notes else {}),
    }


def _pretraining_seconds(directory: RunDirectory) -> dict[str, float]:
    pretraining = directory.pretraining
    return {"pretrain": pretraining.finished_training()["seconds"]} if pretraining.trained else {}


def _announce(splits: Splits, mended: dict[str, int]) -> None:
    counts = ", ".join(f"{count:,} {name}" for name, count in splits.counts().items())
    _log.info("data set %s: %s", splits.corpus.name, counts)
    for what, count in {**splits.notes, **mended}.items():
        _log.info("  %s: %d", what, count)


def _preprocessor(run: Run, examples: Sequence[Any], mended: dict[str, int]) -> tuple[Run | None, Any]:
    """The preprocessor: the saved one of a run that goes on, else a new one; with it the run that it extends, if any.

    Raises:
        UserError: if the data is no longer that with which the run began.
    """
    if has_state(run.directory):
        if read_json(run.directory.data).get("digest") != run.splits.digest():
            raise UserError(
                f"the data has changed since the run in {run.directory.path} began; "
                "restore it to go on, or start anew with --fresh"
            )
        return None, run.preprocessor
    base = load_base(run.config.init_from, run.entry)
    preprocessor = run.pipeline.fit_preprocessor(examples, base.preprocessor if base else None)
    if distribution.is_chief():
        write_whole(run.directory.preprocessor, lambda folder: _save_preprocessor(run, preprocessor, mended, folder))
    return base, preprocessor


def _save_preprocessor(run: Run, preprocessor: Any, mended: dict[str, int], folder: Path) -> None:
    """Writes all that export and report need of the data, so that neither needs the data itself."""
    folder.mkdir()
    preprocessor.save(folder)
    summary = run.splits.summary()
    data = {**summary, "notes": {**summary["notes"], **mended}, "digest": run.splits.digest()}
    write_json(folder / run.directory.data.name, data)
    write_json(folder / run.directory.request.name, plain(run.pipeline.request(run.splits.valid[0])))


def _baselines(run: Run, split: str, foreign: Splits | None) -> dict[str, dict[str, float]]:
    """Scores of the simple methods on the split; seeds of the same settings share those on test."""
    if split == "test" and foreign is None and run.splits.corpus.valid is not None:
        for sibling in RunDirectory(run.directory.path.parent).seeds():
            if sibling.finished and not differences(read_config(sibling)[1], run.config, but="seed"):
                return read_json(sibling.metrics)["baselines"]
    try:
        train, _ = run.pipeline.usable(run.splits.train)
        _log.info("computing the baselines")
        rows = run.pipeline.baselines(train, run.splits.valid, (foreign or run.splits).split(split))
    except DataError as error:
        _log.warning("no baselines: %s", error)
        return {}
    return {name: run.pipeline.score(rows_of_one, intervals=False).metrics for name, rows_of_one in rows.items()}
