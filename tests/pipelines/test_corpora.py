"""From the name of a data set, or a folder of the user's own, to the splits of a run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from commands import TINY, Commands, history, read, write_corpus

from seqloom.datasets.corpus import Corpus, DataError
from seqloom.datasets.labelled_text import LabelledText
from seqloom.pipelines import corpora
from seqloom.pipelines.config import TaskConfig
from seqloom.pipelines.registry import find_task

ENTRY = find_task("slot_filling")


def corpus_of(train: int, valid: int | None = None, test: int | None = None) -> Corpus[str]:
    named = {"train": train, "valid": valid, "test": test}
    splits = {
        name: None if count is None else [f"{name} {number}" for number in range(count)]
        for name, count in named.items()
    }
    return Corpus("made", **splits, description="", licence="", citation="", source="", notes={"mended": 2})


class TestCut:
    def test_splits_that_exist_are_taken_as_they_are(self) -> None:
        splits = corpora.cut(corpus_of(5, 3, 2), TaskConfig())
        assert splits.counts() == {"train": 5, "valid": 3, "test": 2}
        assert splits.train == [f"train {number}" for number in range(5)]
        assert splits.notes == {"mended": 2}

    def test_a_missing_valid_is_cut_from_train_by_the_seed(self) -> None:
        corpus = corpus_of(40)
        splits = corpora.cut(corpus, TaskConfig())
        assert splits.counts() == {"train": 36, "valid": 4}
        assert splits.notes == {"mended": 2, "examples cut from train for validation": 4}
        assert sorted([*splits.train, *splits.valid]) == sorted(corpus.train)
        assert [example for example in corpus.train if example in splits.train] == splits.train
        assert corpora.cut(corpus, TaskConfig()).valid == splits.valid
        assert corpora.cut(corpus, TaskConfig(seed=1)).valid != splits.valid
        assert corpora.cut(corpus, TaskConfig(validation_fraction=0.5)).counts() == {"train": 20, "valid": 20}

    def test_at_least_one_example_is_cut(self) -> None:
        assert corpora.cut(corpus_of(2), TaskConfig()).counts() == {"train": 1, "valid": 1}

    @pytest.mark.parametrize(("train", "fraction"), [(1, 0.1), (3, 0.9)])
    def test_train_keeps_at_least_one_example(self, train: int, fraction: float) -> None:
        with pytest.raises(DataError, match=f"made has {train} training examples, too few"):
            corpora.cut(corpus_of(train), TaskConfig(validation_fraction=fraction))

    def test_what_belongs_together_is_not_cut_apart(self) -> None:
        corpus = Corpus("made", [LabelledText("same", "a")] * 9, None, None, "", "", "", "")
        with pytest.raises(DataError, match="all training examples of made belong together"):
            corpora.cut(corpus, TaskConfig())

    def test_a_limit_takes_the_first_examples_after_the_cut(self) -> None:
        whole, limited = (corpora.cut(corpus_of(40), TaskConfig(limit=limit)) for limit in (None, 10))
        assert limited.train == whole.train[:10]
        assert limited.valid == whole.valid
        assert limited.notes["training examples left out by limit"] == 26

    @pytest.mark.parametrize("limit", [5, 6])
    def test_a_limit_that_limits_nothing_is_not_told(self, limit: int) -> None:
        assert "training examples left out by limit" not in corpora.cut(corpus_of(5, 1), TaskConfig(limit=limit)).notes

    def test_an_unknown_split_names_the_nearest(self) -> None:
        splits = corpora.cut(corpus_of(5, 3, 2), TaskConfig())
        with pytest.raises(
            DataError, match="made has no split 'tets', did you mean 'test'\\?; it has train, valid, test"
        ):
            splits.split("tets")


class TestRead:
    def test_a_registered_name_wins_over_a_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write_corpus(tmp_path / "sample")
        monkeypatch.chdir(tmp_path)
        assert corpora.read_corpus(ENTRY, "sample", None).synthetic
        assert corpora.read_corpus(ENTRY, "./sample", None).counts() == {"train": 12}

    def test_a_tilde_is_the_home_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        write_corpus(tmp_path / "mine")
        monkeypatch.setenv("HOME", str(tmp_path))
        assert corpora.read_corpus(ENTRY, "~/mine", None).name == "mine"

    def test_neither_name_nor_folder(self) -> None:
        with pytest.raises(DataError, match=r"'smaple' is neither .* did you mean 'sample'"):
            corpora.read_corpus(ENTRY, "smaple", None)

    def test_the_cache_folder_is_the_one_that_is_set(self, cache: Path) -> None:
        assert corpora.cache_dir() == cache
        assert any(cache.iterdir()) or corpora.read_corpus(ENTRY, "sample", None)

    @pytest.mark.real_data
    def test_a_corpus_folder_can_be_named_itself(self, data_dir: Path) -> None:
        counts = {"train": 4478, "valid": 500, "test": 893}
        for folder in (data_dir, data_dir / "atis"):
            assert corpora.read_corpus(ENTRY, "atis", str(folder)).counts() == counts


def test_own_files_without_intents_and_without_test(command: Commands, tmp_path: Path) -> None:
    """No intent head and no evaluation; the report says why, and what was cut is counted."""
    corpus = write_corpus(tmp_path / "mine", sentences=40, intents=False)
    run_dir = tmp_path / "run"
    flags = ("--config", TINY, "--epochs", 2, "--limit", 20, "--dataset", corpus, "--run_dir", run_dir)
    outcome = command("run", "slot_filling", *flags)
    assert outcome.status == 0, outcome.err
    assert "data set mine: 20 train, 4 valid\n" in outcome.err
    assert "examples cut from train for validation: 4" in outcome.err
    assert "training examples left out by limit: 16" in outcome.err
    assert "mine has no test split: the evaluation is skipped" in outcome.err
    assert "no test split" in outcome.out

    metrics = read(run_dir / "metrics.json")
    assert (metrics["examples"], metrics["metrics"], metrics["baselines"]) == (0, {}, {})
    assert (run_dir / "predictions.jsonl").read_text(encoding="utf-8") == ""
    page = (run_dir / "report.html").read_text(encoding="utf-8")
    assert "no test" in page
    assert "ntent accuracy" not in page
    assert not (run_dir / "preprocessor" / "intents.txt").exists()
    assert "val_intent_accuracy" not in history(run_dir)[0]

    # Another folder with a test split scores it.
    other = write_corpus(tmp_path / "other", splits=("train", "test"), intents=False)
    assert command("evaluate", run_dir, "--dataset", other).status == 0
    scored = read(run_dir / "evaluations" / "other-test" / "metrics.json")["metrics"]
    assert set(scored) == {"slot_precision", "slot_recall", "slot_f1", "sentence_accuracy"}
    answer = json.loads(command("predict", run_dir, "fly to boston").out)
    assert answer["tokens"] == ["fly", "to", "boston"]
    assert answer.get("intent", "") == ""


def test_a_tiny_network_learns_a_few_sentences(command: Commands, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "mine", splits=("train", "valid", "test"))
    flags = ("--config", TINY, "--epochs", 60, "--batch_size", 4, "--set", "patience=15", "--set", "schedule=constant")
    outcome = command("run", "slot_filling", *flags, "--dataset", corpus, "--run_dir", tmp_path / "run")
    assert outcome.status == 0, outcome.err
    metrics = read(tmp_path / "run" / "metrics.json")["metrics"]
    assert metrics["slot_f1"] == 1.0
    assert np.isfinite([float(row["loss"]) for row in history(tmp_path / "run")]).all()
