"""What holds for every task: neither replicas nor a break change what it learns."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Commands, alike, same_run, tiny

from seqloom.pipelines.registry import TASKS

# What is drawn while a task trains, for each row of a replica.
DRAWN = ("dropout", "output_dropout", "word_dropout", "linear_dropout", "time_masks", "frequency_masks")

TASK_NAMES = [name for name, entry in TASKS.items() if not entry.study]


@pytest.mark.parametrize("task", [name for name in TASK_NAMES if name != "slot_filling"])  # see test_distribution.py
def test_two_devices_train_the_weights_of_one(command: Commands, tmp_path: Path, task: str) -> None:
    """With clipping, and batches that do not divide by two; where words are read, with adversarial noise."""
    settings = [*("--config", tiny(task)), *("--limit", 50, "--batch_size", 7, "--epochs", 2, "--set", "clip=0.5")]
    known = TASKS[task].config_module().Config.model_fields
    if "adversarial" in known:
        settings += ["--set", "adversarial=0.1"]
    for name in known.keys() & DRAWN:
        settings += ["--set", f"{name}=0"]
    for strategy in ("one_device", "mirrored"):
        folder = tmp_path / strategy
        assert command("train", task, *settings, "--strategy", strategy, "--run_dir", folder).status == 0
    alike(tmp_path / "one_device", tmp_path / "mirrored")


@pytest.mark.parametrize("task", [name for name in TASK_NAMES if name != "slot_filling"])  # see test_resume.py
def test_one_and_one_epochs_are_two(command: Commands, tmp_path: Path, task: str) -> None:
    settings = ["train", task, "--config", tiny(task), "--limit", 60, "--set", "schedule=constant"]
    assert command(*settings, "--epochs", 2, "--run_dir", tmp_path / "whole").status == 0
    for epochs in (1, 2):
        assert command(*settings, "--epochs", epochs, "--run_dir", tmp_path / "parts").status == 0
    same_run(tmp_path / "whole", tmp_path / "parts")
