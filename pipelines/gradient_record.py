"""The record of gradient norms that `monitor_gradients` keeps in a run: one line of JSON an epoch.

    {"epoch": 1,
     "weights": {"member_0/encoder/forward_0/lstm_cell/kernel": 0.31, ...},
     "lags": {"member_0/encoder/forward_0": [0.052, 0.031, ...], ...}}

`weights` holds, for each weight, the norm of the gradient that the optimizer was given (summed over the replicas,
before clipping), as the root of its mean square over the steps of the epoch: so a layer's norm is the root of the sum
of the squares of those of its weights. `lags` holds what `time_lags.norms_by_lag` measures after the epoch, from lag 0.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from .run_directory import RunDirectory, write_text


def record_path(directory: RunDirectory) -> Path:
    """Where a run keeps its record: with the states, whose epochs are the record's."""
    return directory.checkpoints / "gradients.jsonl"


def read_record(directory: RunDirectory) -> list[dict[str, Any]]:
    """One dict for each epoch; none if the run has no record."""
    path = record_path(directory)
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_record(directory: RunDirectory, rows: Sequence[dict[str, Any]]) -> None:
    """Writes the whole record anew."""
    write_text(record_path(directory), "".join(json.dumps(_rounded(row)) + "\n" for row in rows))


def _rounded(value: Any) -> Any:
    """The same with four digits of each number, which is more than a figure shows."""
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value
