"""Several seeds of the same settings: one run each, and what they have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .evaluation import aggregate
from .run import Run
from .run_directory import RunDirectory, read_json, write_json


def aggregate_metrics(runs: Sequence[Run]) -> dict[str, Any]:
    """The content of the common `metrics.json`: each metric as `{"mean", "sd", "min", "max"}` over the seeds."""
    each = [read_json(run.directory.metrics) for run in runs]
    first = each[0]
    return {
        "task": first["task"],
        "dataset": first["dataset"],
        "split": first["split"],
        "seeds": [metrics["seed"] for metrics in each],
        "examples": first["examples"],
        "metrics": aggregate([metrics["metrics"] for metrics in each]) if first["metrics"] else {},
        "baselines": first["baselines"],
        "seconds": aggregate([metrics["seconds"] for metrics in each]),
        "parameters": first["parameters"],
    }


def write_aggregate(directory: RunDirectory, runs: Sequence[Run]) -> dict[str, Any]:
    """Writes the common report and, last, the common metrics."""
    from .reporting.run_page import write_comparison

    metrics = aggregate_metrics(runs)
    write_comparison(runs, directory.report, runs[0].command(seeds=len(runs)))
    write_json(directory.metrics, metrics)
    return metrics
