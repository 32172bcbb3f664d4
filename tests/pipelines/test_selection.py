"""Which epoch is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Commands, history, read, tiny


@pytest.mark.parametrize("task", ["sentiment", "tree_sentiment"])
def test_by_log_loss_the_epoch_with_the_lowest_is_kept(command: Commands, tmp_path: Path, task: str) -> None:
    folder = tmp_path / "run"
    # So high a rate that the log loss of a later epoch is worse than that of an earlier one.
    settings = ("--config", tiny(task), "--limit", 60, "--epochs", 4, "--learning_rate", 0.5, "--set", "patience=0")
    assert command("train", task, *settings, "--set", "select_by=log_loss", "--run_dir", folder).status == 0
    losses = [float(row["val_log_loss"]) for row in history(folder)]
    finished = read(folder / "checkpoints" / "finished.json")
    assert finished["metric"] == "log_loss"
    assert finished["best"] == pytest.approx(min(losses))
    assert finished["best_epoch"] == 1 + losses.index(min(losses))
    assert len(set(losses)) > 1
