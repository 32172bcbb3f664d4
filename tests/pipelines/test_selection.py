"""Which epoch is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from commands import Commands, history, read, tiny


@pytest.mark.parametrize(("task", "keep"), [("sentiment", "best"), ("tree_sentiment", "best"), ("sentiment", "last")])
def test_the_epoch_with_the_lowest_log_loss_is_kept_or_the_last(
    command: Commands, tmp_path: Path, task: str, keep: str
) -> None:
    folder = tmp_path / "run"
    # So high a rate that the log loss of a later epoch is worse than that of an earlier one, of sentiment at the end.
    settings = ("--config", tiny(task), "--limit", 60, "--epochs", 4, "--learning_rate", 0.5, "--set", "patience=0")
    chosen = ("--set", "select_by=log_loss", "--set", f"keep={keep}")
    assert command("train", task, *settings, *chosen, "--run_dir", folder).status == 0
    losses = [float(row["val_log_loss"]) for row in history(folder)]
    assert len(set(losses)) > 1
    assert keep == "best" or losses[-1] != min(losses)
    kept = min(losses) if keep == "best" else losses[-1]
    finished = read(folder / "checkpoints" / "finished.json")
    assert finished["metric"] == "log_loss"
    assert finished["best"] == pytest.approx(kept)
    assert finished["best_epoch"] == 1 + losses.index(kept)
    assert command("export", folder).status == 0
    assert command("evaluate", folder, "--split", "valid").status == 0
    (scored,) = folder.glob("evaluations/*-valid/metrics.json")
    assert read(scored)["metrics"]["log_loss"] == pytest.approx(kept, rel=1e-4)
