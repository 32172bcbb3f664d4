"""seqloom as a library: `load` and `run`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import TINY, Commands, history, read, write_corpus

import seqloom
from seqloom.pipelines.config import read_yaml
from seqloom.pipelines.errors import UserError


def test_a_run_answers_in_three_lines(tiny_run: Path, command: Commands) -> None:
    loaded = seqloom.load(tiny_run)
    answers = loaded.predict(["fly to boston", "", "show me hotels"])
    assert [answer["tokens"] for answer in answers] == [["fly", "to", "boston"], [], ["show", "me", "hotels"]]

    printed = command("predict", tiny_run, "fly to boston", "", "show me hotels").out.splitlines()
    assert [json.loads(line) for line in printed] == answers
    assert seqloom.load(str(tiny_run)).predict(["fly to boston"])[0]["tags"] == answers[0]["tags"]
    assert loaded.predict([]) == []
    with pytest.raises(TypeError, match=r"must be a list of inputs, got one: 'fly'; write predict\(\[...\]\)"):
        loaded.predict("fly")


def test_a_run_trains_and_returns_its_metrics(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "mine", splits=("train", "test"))
    settings = {**read_yaml(TINY), "epochs": 1, "dataset": str(corpus), "seed": 3}
    metrics = seqloom.run("slot-filling", tmp_path / "run", **settings)
    assert json.loads(json.dumps(metrics)) == read(tmp_path / "run" / "metrics.json")
    assert metrics["seed"] == 3
    assert len(history(tmp_path / "run")) == 1


def test_mistakes_are_exceptions_with_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="did you mean 'slot_filling'"):
        seqloom.run("slot_filing")
    with pytest.raises(UserError, match="no setting 'unit', did you mean 'units'"):
        seqloom.run("slot_filling", tmp_path / "run", unit=3)
    with pytest.raises(UserError, match="is not a run directory"):
        seqloom.load(tmp_path / "none")
