"""The command line as tests use it: in the test process, or as a real process where the process is the point."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import yaml

from seqloom.pipelines.cli import main

PIPELINES = Path(__file__).parent.parent / "pipelines"

# Training whose result does not depend on which replica sees which row.
NO_DROPOUT = ("--set", "dropout=0", "--set", "output_dropout=0", "--set", "word_dropout=0")

TINY = PIPELINES / "slot_filling" / "configs" / "tiny.yaml"

# 50 sentences in batches of 7, of which some do not divide by two, in an order, and with words left out and slot values
# replaced, that only the seed decides.
SMALL = (
    *("--config", TINY, "--limit", 50, "--batch_size", 7, "--epochs", 2),
    *("--set", "substitution=0.5", "--set", "clip=1", "--set", "schedule=constant", "--set", "patience=0"),
)


def tiny(task: str) -> Path:
    """The settings of a network that trains in seconds."""
    return PIPELINES / task / "configs" / "tiny.yaml"


class Outcome(NamedTuple):
    """What a command left."""

    status: int
    out: str
    err: str

    def refused(self, *parts: str) -> None:
        """Asserts that the command ended with one sentence for the user, which holds these parts."""
        assert self.status == 2, self
        sentence = self.err.strip().split("\n")[-1]
        assert sentence.startswith("seqloom: "), self.err
        assert "Traceback" not in self.err
        for part in parts:
            assert part in sentence, (part, sentence)


class Commands:
    """Runs commands in the test process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def __call__(self, *arguments: Any) -> Outcome:
        self.capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        return Outcome(status, *self.capsys.readouterr())


class Processes:
    """Starts real processes that run a command, and ends what is left of them."""

    def __init__(self) -> None:
        self.started: list[subprocess.Popen[str]] = []

    def __call__(self, *arguments: Any, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "seqloom", *map(str, arguments)],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def end(self) -> None:
        """Asks what still runs to end (a launcher ends its workers), and kills what does not."""
        for process in self.started:
            if process.poll() is None:
                process.terminate()
                try:
                    process.communicate(timeout=20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.communicate()


def train(run_dir: Path, *arguments: Any) -> Path:
    """Trains with these settings in the test process, and expects that to work."""
    assert main(["train", "slot_filling", "--run_dir", str(run_dir), *map(str, arguments)]) == 0
    return run_dir


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 120.0) -> None:
    """Waits until something is so, while a process runs."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.02)


def says(path: Path, text: str) -> bool:
    """Whether a file exists and holds a text."""
    return path.is_file() and text in path.read_text(encoding="utf-8")


def states(run_dir: Path) -> list[int]:
    """The epochs whose states are kept."""
    return sorted(int(path.stem[6:]) for path in (run_dir / "checkpoints").glob("state-*.npz"))


def final_state(run_dir: Path) -> list[np.ndarray]:
    """All variables of model and optimizer in the last state."""
    with np.load(run_dir / "checkpoints" / f"state-{states(run_dir)[-1]:05d}.npz") as arrays:
        return [arrays[name] for name in sorted(arrays.files)]


def best_weights(run_dir: Path) -> dict[str, np.ndarray]:
    """The arrays in `best.keras`."""
    import io
    import zipfile

    import h5py

    found: dict[str, np.ndarray] = {}
    with zipfile.ZipFile(run_dir / "checkpoints" / "best.keras") as archive:
        weights = h5py.File(io.BytesIO(archive.read("model.weights.h5")))

        def keep(name: str, item: Any) -> None:
            if isinstance(item, h5py.Dataset):
                found[name] = item[()]

        weights.visititems(keep)
    return found


def same_run(first: Path, second: Path) -> None:
    """Asserts that two runs trained alike, bit for bit: state, best weights, and history but for its seconds."""
    for one, other in zip(final_state(first), final_state(second), strict=True):
        np.testing.assert_array_equal(one, other)
    one_best, other_best = best_weights(first), best_weights(second)
    assert one_best.keys() == other_best.keys()
    for name, weight in one_best.items():
        np.testing.assert_array_equal(weight, other_best[name], err_msg=name)
    assert history(first) == history(second)


def alike(first: Path, second: Path) -> None:
    """Asserts that two runs trained alike but for the order in which numbers were added."""
    for one, other in zip(final_state(first), final_state(second), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)
    for one, other in zip(history(first), history(second), strict=True):
        assert {name: float(value) for name, value in one.items()} == pytest.approx(
            {name: float(value) for name, value in other.items()}, rel=1e-4, abs=1e-5
        )


def history(run_dir: Path) -> list[dict[str, str]]:
    """The rows of `history.csv` without their seconds."""
    with (run_dir / "history.csv").open(encoding="utf-8", newline="") as file:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]


def tensorboard(run_dir: Path, split: str) -> list[tuple[str, int]]:
    """Tag and step of every event in the order of the files."""
    import tensorflow as tf

    paths = sorted((run_dir / "logs" / split).glob("events.*"))
    events = [event for path in paths for event in tf.compat.v1.train.summary_iterator(str(path))]
    return [(value.tag, event.step) for event in events for value in event.summary.value]


def read(path: Path) -> Any:
    """The content of a JSON or YAML file."""
    return (json.loads if path.suffix == ".json" else yaml.safe_load)(path.read_text(encoding="utf-8"))


def write_corpus(folder: Path, sentences: int = 12, splits: Sequence[str] = ("train",), intents: bool = True) -> Path:
    """A folder of the user's own: flights that a tiny network can read."""
    cities = ("boston", "denver", "new york", "san jose")
    for split in splits:
        rows = []
        for number in range(sentences):
            city = cities[number % len(cities)].split()
            words, tags = ["fly", "to", *city], ["O", "O", "B-city", *["I-city"] * (len(city) - 1)]
            if number % 3 == 0:
                words, tags = ["please", *words], ["O", *tags]
            rows.append((" ".join(words), " ".join(tags), "flight" if number % 2 else "fare"))
        (folder / split).mkdir(parents=True)
        for name, column in zip(("seq.in", "seq.out", "label"), zip(*rows, strict=True), strict=True):
            if intents or name != "label":
                (folder / split / name).write_text("\n".join(column) + "\n", encoding="utf-8")
    return folder
