"""What holds for every task: neither replicas nor a break change what it learns."""

from __future__ import annotations

import shutil
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
def test_an_epoch_is_the_same_after_a_break(command: Commands, tmp_path: Path, task: str) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    settings = ["train", task, "--config", tiny(task), "--limit", 60, "--epochs", 2]
    assert command(*settings, "--run_dir", whole).status == 0
    shutil.copytree(whole, broken)
    (broken / "checkpoints" / "finished.json").unlink()
    (broken / "checkpoints" / "state-00002.npz").unlink()
    outcome = command(*settings, "--run_dir", broken)
    assert outcome.status == 0
    assert "resumed after epoch 1" in outcome.err
    same_run(whole, broken)
