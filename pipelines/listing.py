"""What `seqloom list` and `seqloom doctor` print, and the scores at the end of a run."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

from rich.console import Console
from rich.table import Table

from .errors import UserError
from .registry import TASKS, TaskEntry, find_task

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo


def show(task: str | None, dataset: str | None, data_dir: str | None) -> None:
    """Prints the tasks, one task's data sets and settings, or the counts of a data set."""
    if task is None:
        if dataset is not None:
            raise UserError("--dataset needs a task before it: seqloom list TASK --dataset NAME")
        _print([(entry.name, entry.summary) for entry in TASKS.values()])
    elif dataset is None:
        _show_task(find_task(task))
    else:
        _show_dataset(find_task(task), dataset, data_dir)


def show_doctor() -> None:
    """Prints versions, devices and folders."""
    import tensorflow as tf

    from .corpora import cache_dir
    from .environment import describe_environment, processor_features

    build = tf.sysconfig.get_build_info()
    facts = describe_environment()
    facts.pop("started")
    facts["devices"] = ", ".join(facts["devices"])
    facts["processor features"] = ", ".join(processor_features()) or "unknown"
    facts["CUDA, cuDNN of this build"] = ", ".join(
        str(build.get(key, "none")) for key in ("cuda_version", "cudnn_version")
    )
    data = os.environ.get("SEQLOOM_DATA_DIR")
    facts["data folder"] = (
        f"{data}{'' if os.path.isdir(data) else ' (missing)'}" if data else "SEQLOOM_DATA_DIR not set"
    )
    facts["cache folder"] = str(cache_dir())
    _print([(name, str(value)) for name, value in facts.items()])


def print_results(metrics: Mapping[str, Any]) -> None:
    """Prints the headline metrics with interval or spread, and the baselines beside them; of a study its numbers."""
    from .reporting.page import format_interval, format_metric, format_number, readable_name

    if "study" in metrics:
        _print([(readable_name(name), format_number(value)) for name, value in metrics["metrics"].items()])
        return
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


def _show_task(entry: TaskEntry) -> None:
    from .run import config_class

    data = "no data set: `run` and `report` only"
    if not entry.study:
        data = f"data sets: {', '.join(entry.datasets)}, or a folder of your own"
    print(f"{entry.name}: {entry.summary}\n\n{data}\n")
    fields = config_class(entry).model_fields
    _print([(name, _default(field), f"{field.description}{_choices(field)}") for name, field in fields.items()])


def _default(field: FieldInfo) -> str:
    return "" if field.default is None else str(field.default)


def _choices(field: FieldInfo) -> str:
    """The values of a setting that has only a few."""
    choices = get_args(field.annotation) if get_origin(field.annotation) is Literal else ()
    return f" ({' | '.join(choices)})" if choices else ""


def _show_dataset(entry: TaskEntry, dataset: str, data_dir: str | None) -> None:
    from .corpora import read_corpus

    if entry.study:
        raise UserError(f"{entry.name} is a study, which has no data set")
    corpus = read_corpus(entry, dataset, data_dir)
    facts: dict[str, Any] = {**corpus.counts(), **corpus.notes, "licence": corpus.licence, "source": corpus.source}
    print(corpus.description + "\n")
    _print([(name, str(value)) for name, value in facts.items()])


def _print(rows: Sequence[tuple[str, ...]]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for number in range(len(rows[0])):
        table.add_column(overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(text.replace("[", "\\[") for text in row))
    Console(highlight=False).print(table)
