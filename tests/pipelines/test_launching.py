"""Several processes that train one model: real processes, for they are the point."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from commands import (
    NO_DROPOUT,
    SMALL,
    TINY,
    Commands,
    Processes,
    alike,
    history,
    read,
    says,
    states,
    wait_for,
    write_corpus,
)

from seqloom.pipelines.launching import _free_ports


def start_pair(start: Processes, folders: list[Path], *arguments: object) -> list[subprocess.Popen[str]]:
    """A chief and a worker with `TF_CONFIG` as Kubernetes' training operator sets it, each with a folder of its own."""
    chief, worker = (f"127.0.0.1:{port}" for port in _free_ports(2))
    cluster = {"chief": [chief], "worker": [worker]}
    processes = []
    for folder, role in zip(folders, ("chief", "worker"), strict=True):
        config = json.dumps({"cluster": cluster, "task": {"type": role, "index": 0}, "environment": "cloud"})
        flags = ("train", "slot_filling", *SMALL, *NO_DROPOUT, "--run_dir", folder, *arguments)
        processes.append(start(*flags, TF_CONFIG=config))
    return processes


def test_two_workers_train_the_weights_of_one_and_only_the_chief_writes(
    start: Processes, one_device_run: Path, tmp_path: Path
) -> None:
    folders = [tmp_path / "chief", tmp_path / "worker"]
    processes = start_pair(start, folders)
    errors = [process.communicate(timeout=180)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    assert "2 workers, 2 CPU replicas" in errors[0]
    assert not folders[1].exists()
    alike(one_device_run, folders[0])

    # The worker's own folder holds no state: it would go on from another epoch than the chief.
    processes = start_pair(start, folders, "--epochs", 3)
    for process in processes:
        error = process.communicate(timeout=180)[1]
        assert process.returncode == 2, error
        assert "file system that all of them share" in error.strip().split("\n")[-1]


def test_a_killed_worker_ends_the_others_and_the_run_goes_on(start: Processes, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    corpus = write_corpus(tmp_path / "mine", sentences=60, splits=("train", "valid", "test"))
    # Nothing is learnt, so that patience ends the training after epoch 1 + 4.
    slow = ("--config", TINY, "--dataset", corpus, "--batch_size", 2, "--epochs", 50)
    slow += ("--learning_rate", 1e-9, "--set", "patience=4")
    arguments = ("launch", "--workers", 2, "--", "run", "slot_filling", *slow, "--run_dir", folder)
    launcher = start(*arguments)
    wait_for(lambda: says(folder / "train.log", "epoch 2/"), launcher)
    victim = worker_process(launcher.pid, 1)
    os.kill(victim, signal.SIGKILL)
    killed = time.monotonic()
    _, error = launcher.communicate(timeout=120)
    assert time.monotonic() - killed < 60
    assert launcher.returncode == 1
    assert error.strip().split("\n")[-1] == (
        "seqloom: worker 1 was killed by signal 9, so the other workers were ended; "
        "the same command again goes on after the last whole epoch"
    )
    assert "Traceback" not in error
    assert not (folder / "metrics.json").exists()
    done = states(folder)[-1]
    assert 2 <= done < 5

    # Both stop at the same epoch: otherwise one would wait for the other forever.
    launcher = start(*arguments)
    out, error = launcher.communicate(timeout=240)
    assert launcher.returncode == 0, error
    assert f"[worker 0] resumed after epoch {done}\n" in error
    epochs = [int(row["epoch"]) for row in history(folder)]
    assert epochs == [1, 2, 3, 4, 5]
    assert read(folder / "metrics.json")["epochs"] == 5
    assert "Sentence accuracy" in out
    assert not re.search(r"\[worker 1\] .*epoch", error)


def test_waiting_for_a_worker_that_never_comes_can_be_stopped(start: Processes, tmp_path: Path) -> None:
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(2)]
    config = json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": 0}})
    process = start("train", "slot_filling", *SMALL, "--run_dir", tmp_path / "run", TF_CONFIG=config)
    assert process.stderr is not None
    assert process.stderr.readline() == "waiting for 2 workers\n"
    time.sleep(1.0)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == -signal.SIGINT
    assert not (tmp_path / "run").exists()


def worker_process(launcher: int, index: int) -> int:
    """The process id of a worker: a child of the launcher that has `TF_CONFIG` with this index."""
    for child in Path(f"/proc/{launcher}/task/{launcher}/children").read_text(encoding="ascii").split():
        environment = Path(f"/proc/{child}/environ").read_bytes().decode().split("\0")
        config = next((entry.partition("=")[2] for entry in environment if entry.startswith("TF_CONFIG=")), None)
        if config is None:
            continue  # the filter of the launcher's own native log
        if json.loads(config)["task"]["index"] == index:
            return int(child)
    raise AssertionError(f"the launcher has no worker {index}")


def test_a_refusal_of_the_workers_is_shown(start: Processes, tmp_path: Path) -> None:
    launcher = start("launch", "--workers", 2, "--", "train", "slot-filing", "--run_dir", tmp_path / "run")
    _, error = launcher.communicate(timeout=120)
    assert launcher.returncode == 2
    assert "there is no task 'slot-filing', did you mean 'slot_filling'?" in error
    assert "Traceback" not in error


@pytest.mark.parametrize("arguments", [["predict", "runs/x"], ["slot_filling"]])
def test_only_commands_that_train_are_launched(command: Commands, arguments: list[str]) -> None:
    command("launch", "--workers", 2, "--", *arguments).refused("launch must be followed by -- and one of run, train")


def test_something_must_be_launched(command: Commands) -> None:
    assert command("launch", "--workers", 2).status == 2
