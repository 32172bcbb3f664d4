"""An interrupted training that goes on becomes what an uninterrupted one would have become, bit for bit."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest
from commands import (
    TINY,
    Commands,
    Processes,
    history,
    same_run,
    says,
    states,
    tensorboard,
    train,
    wait_for,
    write_corpus,
)

# Dropout everywhere, averaged weights, and epochs that last long enough to be hit in the middle.
SETTINGS = (
    *("--config", TINY, "--limit", 80, "--batch_size", 2, "--set", "schedule=constant", "--set", "patience=0"),
    *("--set", "word_dropout=0.1", "--set", "substitution=0.5"),
    *("--set", "average_decay=0.9"),
)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four epochs at once."""
    return train(tmp_path_factory.mktemp("runs") / "uninterrupted", *SETTINGS, "--epochs", 4)


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two epochs of the same; tests copy it."""
    return train(tmp_path_factory.mktemp("runs") / "half", *SETTINGS, "--epochs", 2)


def goes_on(run_dir: Path, command: Commands) -> str:
    """Trains up to epoch 4 and returns what is said."""
    outcome = command("train", "slot_filling", "--run_dir", run_dir, *SETTINGS, "--epochs", 4)
    assert outcome.status == 0, outcome.err
    return outcome.err


def no_row_twice_and_none_missing(run_dir: Path, epochs: int) -> None:
    rows = history(run_dir)
    assert [int(row["epoch"]) for row in rows] == list(range(1, epochs + 1))
    for split, names in (
        ("validation", {name[4:] for name in rows[0] if name.startswith("val_")}),
        ("train", {*(name for name in rows[0] if not name.startswith("val_")), "seconds"} - {"epoch"}),
    ):
        expected = [(name, epoch) for name in names for epoch in range(1, epochs + 1)]
        assert sorted(tensorboard(run_dir, split)) == sorted(expected)


def test_two_and_two_epochs_are_four(half: Path, uninterrupted: Path, command: Commands, tmp_path: Path) -> None:
    run_dir = Path(shutil.copytree(half, tmp_path / "run"))
    said = goes_on(run_dir, command)
    assert "resumed after epoch 2" in said
    assert "epoch 2/4" not in said
    assert states(run_dir) == [3, 4]
    same_run(run_dir, uninterrupted)
    no_row_twice_and_none_missing(run_dir, 4)
    no_row_twice_and_none_missing(uninterrupted, 4)


def test_dropout_and_order_go_on_rather_than_begin_again(half: Path, uninterrupted: Path) -> None:
    """The runs above could only agree for want of randomness: the epochs must differ."""
    first, second = (float(history(uninterrupted)[epoch]["gradient_norm"]) for epoch in (2, 3))
    assert first != second
    assert history(half) == history(uninterrupted)[:2]


def test_a_run_killed_in_the_middle_of_an_epoch_goes_on(
    start: Processes, uninterrupted: Path, command: Commands, tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    process = start("train", "slot_filling", "--run_dir", run_dir, *SETTINGS, "--epochs", 4)
    wait_for(lambda: says(run_dir / "train.log", "epoch 2/4"), process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert states(run_dir)[-1] == 2, "the kill came too late to interrupt epoch 3"
    assert "resumed after epoch 2" in goes_on(run_dir, command)
    same_run(run_dir, uninterrupted)
    no_row_twice_and_none_missing(run_dir, 4)


def test_a_stopped_run_says_how_to_go_on(start: Processes, tmp_path: Path) -> None:
    run_dir = tmp_path / "run"
    process = start("run", "slot_filling", "--run_dir", run_dir, *SETTINGS, "--epochs", 4)
    wait_for(lambda: says(run_dir / "train.log", "epoch 2/4"), process)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert error.strip().split("\n")[-1] == (
        f"seqloom: stopped in epoch 3; what was trained up to epoch 2 is saved in {run_dir}; "
        "run the same command again to go on"
    )
    assert "Traceback" not in error
    assert states(run_dir) == [1, 2]
    assert not (run_dir / "metrics.json").exists()


def test_a_run_does_not_go_on_with_other_data(command: Commands, tmp_path: Path) -> None:
    corpus, flags = write_corpus(tmp_path / "mine"), ("--config", TINY, "--set", "schedule=constant")
    run = ("train", "slot_filling", "--dataset", corpus, "--run_dir", tmp_path / "run", *flags)
    assert command(*run, "--epochs", 1).status == 0
    sentences = corpus / "train" / "seq.in"
    text = sentences.read_text(encoding="utf-8")
    sentences.write_text(text.replace("boston", "nobost"), encoding="utf-8")
    assert sentences.read_text(encoding="utf-8") != text
    command(*run, "--epochs", 2).refused("the data has changed since the run in", "--fresh")
    sentences.write_text(text, encoding="utf-8")
    outcome = command(*run, "--epochs", 2)
    assert outcome.status == 0
    assert "resumed after epoch 1" in outcome.err
