"""Where a model trains, and that it changes nothing about what the model becomes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from commands import NO_DROPOUT, SMALL, Commands, alike
from tagging import fit

from seqloom.pipelines import distribution
from seqloom.pipelines.distribution import make_strategy
from seqloom.pipelines.errors import UserError

WORKERS = {"worker": ["a:1", "b:1"]}
CHIEF = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}


def cluster(monkeypatch: pytest.MonkeyPatch, content: object) -> None:
    monkeypatch.setenv("TF_CONFIG", content if isinstance(content, str) else json.dumps(content))


def test_two_devices_train_the_weights_of_one(command: Commands, one_device_run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    outcome = command("train", "slot_filling", *SMALL, *NO_DROPOUT, "--strategy", "mirrored", "--run_dir", folder)
    assert outcome.status == 0
    assert "mirrored over 2 CPU devices" in outcome.err
    alike(one_device_run, folder)


@pytest.mark.parametrize(
    ("roles", "role", "index", "chief", "count"),
    [
        (WORKERS, "worker", 0, True, 2),
        (WORKERS, "worker", 1, False, 2),
        (WORKERS, "worker", "1", False, 2),
        (CHIEF, "chief", 0, True, 3),
        (CHIEF, "worker", 0, False, 3),
        ({**CHIEF, "evaluator": ["d:1"], "ps": ["e:1"]}, "worker", 1, False, 3),
        ({"master": ["a:1"], "worker": ["b:1"]}, "master", 0, True, 2),
        ({"worker": ["a:1"]}, "worker", 0, True, 1),
    ],
)
def test_tf_config_says_who_writes(
    monkeypatch: pytest.MonkeyPatch, roles: dict[str, list[str]], role: str, index: int | str, chief: bool, count: int
) -> None:
    cluster(monkeypatch, {"cluster": roles, "task": {"type": role, "index": index}})
    assert distribution.is_chief() is chief
    assert distribution.worker_count() == count


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_without_tf_config_there_is_one_process(monkeypatch: pytest.MonkeyPatch, empty: str | None) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if empty is not None:
        cluster(monkeypatch, empty)
    assert distribution.is_chief()
    assert distribution.worker_count() == 1
    assert distribution.describe(distribution.make_strategy("auto")) == "one CPU"


@pytest.mark.parametrize(
    "broken",
    [
        "{",
        "[]",
        '"worker"',
        {},
        {"cluster": WORKERS},
        {"task": {"type": "worker", "index": 0}},
        {"cluster": WORKERS, "task": {"type": "worker"}},
        {"cluster": WORKERS, "task": {"index": 0}},
        {"cluster": WORKERS, "task": {"type": "worker", "index": "first"}},
        {"cluster": {"worker": "a:1"}, "task": {"type": "worker", "index": 0}},
        {"cluster": {"worker": [1]}, "task": {"type": "worker", "index": 0}},
        {"cluster": ["a:1"], "task": {"type": "worker", "index": 0}},
        {"cluster": WORKERS, "task": {"type": "worker", "index": 2}},
        {"cluster": WORKERS, "task": {"type": "worker", "index": -1}},
        {"cluster": WORKERS, "task": {"type": "chief", "index": 0}},
        {"cluster": CHIEF, "task": {"type": "evaluator", "index": 0}},
    ],
)
def test_a_malformed_tf_config_is_named(monkeypatch: pytest.MonkeyPatch, broken: object) -> None:
    cluster(monkeypatch, broken)
    with pytest.raises(UserError, match="TF_CONFIG must"):
        distribution.make_strategy("auto")


def test_a_malformed_tf_config_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, command: Commands, tmp_path: Path
) -> None:
    cluster(monkeypatch, "{")
    command("train", "slot_filling", "--run_dir", tmp_path / "run").refused("TF_CONFIG must be JSON", "got '{'")
    assert not (tmp_path / "run").exists()


def test_several_workers_need_a_cluster(monkeypatch: pytest.MonkeyPatch, command: Commands, tmp_path: Path) -> None:
    monkeypatch.delenv("TF_CONFIG", raising=False)
    refusal = command("train", "slot_filling", "--strategy", "multi_worker", "--run_dir", tmp_path / "run")
    refusal.refused("multi_worker needs TF_CONFIG", "seqloom launch --workers N")
    assert not (tmp_path / "run").exists()


def test_one_process_agrees_with_itself() -> None:
    assert distribution.agree(tf.distribute.get_strategy(), 3)
    assert distribution.agree(distribution.make_strategy("mirrored"), 3)


def test_only_workers_lose_workers() -> None:
    lost = tf.errors.UnavailableError(None, None, "socket closed")
    with pytest.raises(tf.errors.UnavailableError), distribution.lost_workers(tf.distribute.get_strategy()):
        raise lost


def test_models_of_different_sizes_train_one_after_the_other_in_one_process() -> None:
    for units in (4, 9):
        _, losses = fit(strategy=make_strategy("mirrored"), units=units, epochs=1)
        assert np.isfinite(losses).all()
