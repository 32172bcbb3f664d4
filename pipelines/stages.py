"""The stages of a run, in order: train, export, evaluate, report. Each can be repeated by itself."""

from __future__ import annotations

import json
import logging
import shutil
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from . import distribution
from .corpora import Splits, load_splits
from .errors import UserError
from .exporting import export_server, plain
from .inference import answer_all, load_export
from .initialisation import copy_from_run, load_base
from .reporting.run_page import write_report
from .run import Run
from .run_directory import RunDirectory, disk_errors, read_json, write_json, write_whole
from .training import Trainer

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
    base = load_base(config.init_from, run.entry)
    preprocessor = pipeline.fit_preprocessor(examples, base.preprocessor if base else None)
    if distribution.is_chief():
        _save_preprocessor(run, preprocessor, mended)
    prepared = time.perf_counter() - started

    def first_values(model: Any) -> dict[str, int]:
        return {**pipeline.initialise(model, preprocessor), **(copy_from_run(base, pipeline, model) if base else {})}

    trainer = Trainer(pipeline, preprocessor, strategy, directory)
    model, progress = trainer.train(examples, run.splits.valid, first_values)
    if distribution.is_chief():
        write_json(
            directory.checkpoints / "finished.json",
            {
                "best": progress.best,
                "best_epoch": progress.best_epoch,
                "improved_epoch": progress.improved_epoch,
                "epochs": progress.epoch,
                "parameters": model.count_params(),
                "seconds": {"prepare": prepared, "train": progress.seconds},
            },
        )
    _log.info("best %s on valid %.4f, epoch %d", pipeline.selection_metric, progress.best, progress.best_epoch)


def export(run: Run, output: Path | None = None) -> float:
    """Writes the SavedModel of the best weights; returns the seconds it took."""
    directory = run.directory
    if not directory.best.is_file():
        raise UserError(f"{directory.path} has no checkpoints/best.keras; train it first")
    started = time.perf_counter()
    run.__dict__.pop("preprocessor", None)
    model = run.pipeline.build_model(run.preprocessor)
    try:
        model.load_weights(directory.best)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{directory.best} is damaged ({' '.join(str(error).split())[:120]}); train again with --fresh"
        ) from None
    server = run.pipeline.build_server(model, run.preprocessor)
    folder = (output or directory.export) / "1"
    export_server(server, folder, read_json(directory.request))
    return time.perf_counter() - started


def evaluate(
    run: Run, splits: Splits, split: str, folder: Path, seconds: dict[str, float], command: str
) -> dict[str, Any]:
    """Lets the export decode a split and writes predictions, report and, last, metrics.

    Args:
        run: a trained and exported run.
        splits: of the run's own data set, or of another one.
        split: `test` or another one.
        folder: where the files go: the run directory, or `evaluations/DATASET-SPLIT`.
        seconds: of the stages before.
        command: what the user typed, for the report.
    """
    started = time.perf_counter()
    pipeline, finished = run.pipeline, read_json(run.directory.checkpoints / "finished.json")
    examples = splits.split(split) if split != "test" or splits.test is not None else []
    answers = answer_all(
        load_export(run.directory.saved_model),
        [pipeline.request(example) for example in examples],
        pipeline.server_class,
    )
    pairs = zip(examples, answers, strict=True)
    rows = [pipeline.row(example, answer, run.preprocessor) for example, answer in pairs]
    metrics: dict[str, Any] = {
        "task": run.entry.name,
        "dataset": splits.corpus.name,
        "split": split,
        "seed": run.config.seed,
        "examples": len(rows),
        "metrics": {},
        "confidence": {},
        "baselines": {},
        "counts": {},
        "seconds": {},
        "parameters": finished["parameters"],
        "epochs": finished["epochs"],
    }
    if rows:
        scores = pipeline.score(rows)
        metrics |= {"metrics": scores.metrics, "confidence": scores.confidence, "counts": scores.counts}
        metrics["baselines"] = _baselines(run, splits, split)
    else:
        _log.warning("%s has no test split: the evaluation is skipped", splits.corpus.name)
    metrics["seconds"] = {**finished["seconds"], **seconds, "evaluate": time.perf_counter() - started}
    _write_rows(folder / "predictions.jsonl", rows)
    write_report(run, folder, metrics, rows, splits.summary(), command)
    _log.info("report %s", folder / "report.html")
    write_json(folder / "metrics.json", metrics)
    return metrics


def report(run: Run, command: str) -> None:
    """Writes `report.html` anew from what the evaluation left."""
    directory = run.directory
    metrics = read_json(directory.metrics)
    with directory.predictions.open(encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    write_report(run, directory.path, metrics, rows, read_json(directory.data), command)


def other_splits(run: Run, dataset: str | None) -> Splits:
    """The run's own data, or another data set for the same task."""
    if dataset is None or dataset == run.config.dataset:
        return run.splits
    return load_splits(run.entry, run.config.model_copy(update={"dataset": dataset, "limit": None}))


def _long_enough(run: Run) -> bool:
    """Whether a finished training is as long as the settings ask for."""
    finished = read_json(run.directory.checkpoints / "finished.json")
    waited = finished["epochs"] - finished["improved_epoch"]
    return finished["epochs"] >= run.config.epochs or bool(run.config.patience and waited >= run.config.patience)


def _announce(splits: Splits, mended: dict[str, int]) -> None:
    counts = ", ".join(f"{count:,} {name}" for name, count in splits.counts().items())
    _log.info("data set %s: %s", splits.corpus.name, counts)
    for what, count in {**splits.notes, **mended}.items():
        _log.info("  %s: %d", what, count)


def _save_preprocessor(run: Run, preprocessor: Any, mended: dict[str, int]) -> None:
    """Writes all that export and report need of the data, so that neither needs the data itself."""

    def write(folder: Path) -> None:
        folder.mkdir()
        preprocessor.save(folder)
        summary = run.splits.summary()
        write_json(folder / directory.data.name, {**summary, "notes": {**summary["notes"], **mended}})
        write_json(folder / directory.request.name, plain(run.pipeline.request(run.splits.valid[0])))

    directory = run.directory
    if not directory.data.is_file():
        shutil.rmtree(directory.preprocessor, ignore_errors=True)
        write_whole(directory.preprocessor, write)


def _write_rows(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    with disk_errors(path):
        write_whole(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n"))


def _baselines(run: Run, splits: Splits, split: str) -> dict[str, dict[str, float]]:
    """Scores of the simple methods; the seeds of one run share them, unless the seed cuts the data."""
    pipeline, own = run.pipeline, splits is run.splits
    if own and splits.corpus.valid is not None:
        for sibling in RunDirectory(run.directory.path.parent).seeds():
            if sibling.finished:
                return read_json(sibling.metrics)["baselines"]
    _log.info("computing the baselines")
    train, _ = pipeline.usable(run.splits.train)
    rows = pipeline.baselines(train, splits.split(split))
    return {name: pipeline.score(rows_of_one).metrics for name, rows_of_one in rows.items()}
