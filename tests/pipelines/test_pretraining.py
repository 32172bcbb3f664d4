"""Training something else first: interrupted, resumed, under a strategy, and started anew."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import Commands, final_state, history, same_run

from seqloom.datasets.labelled_text import LabelledText
from seqloom.pipelines.errors import UserError
from seqloom.pipelines.pretraining import pretrain
from seqloom.pipelines.run_directory import RunDirectory
from seqloom.pipelines.sentiment.config import Config
from seqloom.pipelines.sentiment.task import Sentiment

SETTINGS: dict[str, Any] = {
    **{"encoder": "simple", "units": 8, "embedding_dim": 6, "bidirectional": "false", "dropout": 0.2, "patience": 0},
    **{"pretraining_epochs": 3, "pretraining_rows": 4, "pretraining_steps": 10, "sampled_words": 20, "epochs": 2},
}


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of 160 random texts."""
    folder = tmp_path_factory.mktemp("texts")
    rng = np.random.default_rng(0)
    for split, count in (("train", 160), ("valid", 20), ("test", 20)):
        lines = [
            f"{'ab'[number % 2]}\t{' '.join(f'w{word}' for word in rng.integers(0, 60, 40))}\n"
            for number in range(count)
        ]
        (folder / f"{split}.tsv").write_text("".join(lines), encoding="utf-8")
    return folder


def flags(texts: Path, run_dir: Path, **changes: Any) -> list[str]:
    """The command that trains with these settings."""
    command = ["train", "sentiment", "--dataset", str(texts), "--run_dir", str(run_dir)]
    return [*command, *(f"--set={name}={value}" for name, value in {**SETTINGS, **changes}.items())]


@pytest.fixture(scope="module")
def uninterrupted(texts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pretraining and two epochs after it; tests read it and do not change it."""
    from seqloom.pipelines.cli import main

    run_dir = tmp_path_factory.mktemp("runs") / "uninterrupted"
    assert main(flags(texts, run_dir)) == 0
    return run_dir


def interrupt_when(condition: Callable[[], bool]) -> threading.Thread:
    """Presses Ctrl-C as soon as something is so."""

    def watch() -> None:
        deadline = time.monotonic() + 60
        while not condition() and time.monotonic() < deadline:
            time.sleep(0.005)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    return thread


def test_an_interrupted_pretraining_goes_on_to_the_same_end(
    command: Commands, texts: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    own = RunDirectory(run_dir).pretraining
    watcher = interrupt_when((own.checkpoints / "state-00001.json").exists)
    outcome = command(*flags(texts, run_dir, epochs=1))
    watcher.join()
    assert outcome.status == 130, outcome.err
    assert f"is saved in {own.path}; run the same command again to go on" in outcome.err
    assert not own.trained, "the interruption came too late"

    command(*flags(texts, run_dir, epochs=1, pretraining_epochs=4)).refused(
        "unfinished run with other settings", "--fresh"
    )
    outcome = command(*flags(texts, run_dir, epochs=1))
    assert outcome.status == 0, outcome.err
    assert "pretraining resumed after epoch" in outcome.err
    outcome = command(*flags(texts, run_dir))
    assert outcome.status == 0, outcome.err
    assert "resumed after epoch 1" in outcome.err
    assert "pretraining:" not in outcome.err  # it is over

    same_run(run_dir, uninterrupted)
    for one, other in zip(final_state(own.path), final_state(uninterrupted / "pretraining"), strict=True):
        np.testing.assert_array_equal(one, other)
    assert history(own.path) == history(uninterrupted / "pretraining")
    assert [row["epoch"] for row in history(own.path)] == ["1", "2", "3"]
    noted = json.loads((run_dir / "checkpoints" / "finished.json").read_text(encoding="utf-8"))
    assert noted["seconds"]["pretrain"] > 0


def test_two_devices_start_from_what_one_has_trained(
    command: Commands, texts: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    run_dir = tmp_path / "run"
    outcome = command(*flags(texts, run_dir, strategy="mirrored", epochs=1, pretraining_epochs=1))
    assert outcome.status == 0, outcome.err
    assert "mirrored over 2 CPU devices" in outcome.err
    assert history(run_dir / "pretraining") == history(uninterrupted / "pretraining")[:1]
    vectors = [
        next(array for name, array in sorted(np.load(folder / state).items()) if array.shape == (64, 6))
        for folder, state in (
            (run_dir / "checkpoints", "state-00000.npz"),
            (run_dir / "pretraining" / "checkpoints", "state-00001.npz"),
        )
    ]
    np.testing.assert_array_equal(*vectors)


def test_a_loss_that_is_no_number_names_the_right_setting(command: Commands, texts: Path, tmp_path: Path) -> None:
    settings = {"pretraining_learning_rate": 1e38, "clipping": "none", "pretraining_epochs": 1}
    outcome = command(*flags(texts, tmp_path / "run", **settings))
    outcome.refused("the loss became", "lower pretraining_learning_rate")


def test_several_workers_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cluster = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    texts = [LabelledText("a b", "x")]
    pipeline = Sentiment(Config(pretraining_epochs=2))
    preprocessor = pipeline.fit_preprocessor(texts, None)
    work = pipeline.pretraining(texts, texts, preprocessor)
    assert work is not None
    with pytest.raises(UserError, match="pretraining_epochs must be 0 with several workers, got 2 with 2 of them"):
        pretrain(work, pipeline.build_model(preprocessor), RunDirectory(tmp_path).pretraining)


def test_starting_anew_deletes_the_pretraining(tmp_path: Path) -> None:
    directory = RunDirectory(tmp_path)
    directory.pretraining.checkpoints.mkdir(parents=True)
    directory.clear()
    assert list(tmp_path.iterdir()) == []
