"""Spoken term search from end to end: a tiny run, what it serves, and the search in one's own recordings."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from commands import Commands, tiny

from seqloom.datasets import synthetic_terms
from seqloom.datasets.audio import Waveform
from seqloom.datasets.corpus import DataError
from seqloom.datasets.spoken_term import SpokenTerm
from seqloom.pipelines.corpora import Splits
from seqloom.pipelines.inference import load_signatures
from seqloom.pipelines.run import Run
from seqloom.pipelines.spoken_term_search.config import Config
from seqloom.pipelines.spoken_term_search.task import SpokenTermSearch

RATE = 8000
TINY = tiny("spoken_term_search")


@pytest.fixture(scope="module")
def run(terms_run: Path) -> Run:
    """The finished run, opened once, so that its export is loaded once."""
    return Run.open(terms_run)


@pytest.fixture(scope="module")
def terms() -> list[SpokenTerm]:
    return synthetic_terms.generate(seed=2, train=24, valid=1, test=1).train


def write(path: Path, samples: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, RATE, subtype="FLOAT")
    return path


def requests(terms: Sequence[SpokenTerm]) -> list[dict[str, Any]]:
    return [{"waveform": term.sound.samples, "lengths": np.int32(len(term.sound.samples))} for term in terms]


def test_it_learns_vectors_that_find_more_than_those_of_frames(terms_run: Path) -> None:
    metrics = json.loads((terms_run / "metrics.json").read_text())
    measured, baselines = metrics["metrics"], metrics["baselines"]
    assert set(baselines) == {"dynamic time warping", "ten frames", "mean frame"}
    for name in ("mean_average_precision", "precision_at_10", "average_precision"):
        assert measured[name] > baselines["mean frame"][name] + 0.1
    assert measured["mean_average_precision"] > baselines["ten frames"]["mean_average_precision"]
    assert measured["restoration_error"] < 0.9


def test_pairs_were_discovered_without_labels(terms_run: Path) -> None:
    lines = (terms_run / "preprocessor" / "pairs.tsv").read_text().splitlines()
    assert len(lines) > 50
    labels = {term.name: (term.label, term.speaker) for term in synthetic_terms.load().train}
    pairs = [(labels[one], labels[other]) for one, other, _ in (line.split("\t") for line in lines)]
    assert all(one[1] != other[1] for one, other in pairs)
    assert np.mean([one[0] == other[0] for one, other in pairs]) > 0.5


def test_vectors_do_not_depend_on_their_batch(run: Run, terms: list[SpokenTerm]) -> None:
    assert set(load_signatures(run.directory.saved_model)) == {"serving_default", "encoded", "restored", "raw"}
    together = run.answer(requests(terms))
    for term, answer in zip(terms, together, strict=True):
        (alone,) = run.answer(requests([term]))
        np.testing.assert_allclose(alone["embedding"], answer["embedding"], atol=1e-4)
        assert np.linalg.norm(answer["embedding"]) == pytest.approx(1, abs=1e-4)


def test_what_was_indexed_is_found(command: Commands, terms_run: Path, terms: list[SpokenTerm], tmp_path: Path) -> None:
    """A term is found in the middle of a longer recording; a second time nothing is added."""
    folder = tmp_path / "run"
    shutil.copytree(terms_run, folder)
    pause = np.random.default_rng(0).normal(scale=1e-4, size=RATE // 2).astype("float32")
    for place in range(0, 12, 3):
        parts = [part for term in terms[place : place + 3] for part in (pause, term.sound.samples)]
        write(tmp_path / "archive" / f"{place}.wav", np.concatenate([*parts, pause]))
    first = command("index", folder, tmp_path / "archive")
    assert first.status == 0, first.err
    assert "4 recordings" in first.out
    assert "4 known before" in command("index", folder, tmp_path / "archive").out
    query = write(tmp_path / "query.wav", terms[4].sound.samples)
    found = command("search", folder, query, "--json", "--top", 3)
    assert found.status == 0, found.err
    hits = [json.loads(line) for line in found.out.splitlines()]
    assert len(hits) == 3
    assert [hit["score"] for hit in hits] == sorted((hit["score"] for hit in hits), reverse=True)
    start = (2 * len(pause) + len(terms[3].sound.samples)) / RATE
    end = start + len(terms[4].sound.samples) / RATE
    assert any(Path(hit["file"]).name == "3.wav" and hit["start"] < end and hit["end"] > start for hit in hits)
    table = command("search", folder, query).out
    assert "score" in table
    assert ".wav" in table


def test_segments_are_indexed_as_they_are(
    command: Commands, terms_run: Path, terms: list[SpokenTerm], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(terms_run, folder)
    lines = []
    for place, term in enumerate(terms):
        path = write(tmp_path / "archive" / f"{place}.wav", term.sound.samples)
        lines.append(f"{path.name}\t0\t{len(term.sound.samples) / RATE}\n")
    (tmp_path / "archive" / "segments.tsv").write_text("".join(lines))
    assert command("index", folder, tmp_path / "archive", "--approximate").status == 0
    hits = command("search", folder, tmp_path / "archive" / "7.wav", "--json").out.splitlines()
    best = json.loads(hits[0])
    assert Path(best["file"]).name == "7.wav"
    assert best["score"] == pytest.approx(1, abs=1e-3)


def test_what_cannot_be_searched_is_said_in_a_sentence(
    command: Commands, terms_run: Path, tiny_run: Path, terms: list[SpokenTerm], tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(terms_run, folder)
    query = write(tmp_path / "query.wav", terms[0].sound.samples)
    command("search", folder, query).refused("has no index yet", "seqloom index")
    command("search", tiny_run, query).refused("search needs a run of spoken_term_search", "slot_filling")
    command("index", folder, tmp_path / "nothing").refused("nothing")
    (tmp_path / "empty").mkdir()
    command("index", folder, tmp_path / "empty").refused("holds no recordings")

    archive = write(tmp_path / "archive" / "a.wav", terms[1].sound.samples).parent
    (archive / "text.wav").write_text("go left")
    write(archive / "silent.wav", np.zeros(RATE, np.float32))
    mixed = command("index", folder, archive)
    assert mixed.status == 2
    assert "text.wav" in mixed.err
    assert "2 recordings" in mixed.out
    assert "1 silent, 1 skipped" in mixed.out

    for name, samples, reason in (
        ("silent.wav", np.zeros(RATE, np.float32), "silent"),
        ("short.wav", np.ones(50, np.float32) / 2, "shorter than one window"),
        ("long.wav", np.ones(RATE * 20, np.float32) / 2, "longer than"),
        ("muted.wav", np.random.default_rng(0).integers(-1, 2, RATE) / 32768, "silent"),
        ("huge.wav", np.full(RATE, 1e20, np.float32), "far outside of [-1, 1]"),
    ):
        command("search", folder, write(tmp_path / name, samples)).refused(name, reason)
    command("search", folder, archive / "text.wav").refused("text.wav")
    command("search", folder, tmp_path / "gone.wav").refused("gone.wav is missing")
    command("search", folder, query, "--top", 0).refused("top")

    shutil.rmtree(folder / "index")
    shutil.copytree(terms_run, tmp_path / "other")
    assert command("index", tmp_path / "other", archive).status == 2
    shutil.copytree(tmp_path / "other" / "index", folder / "index")
    assert command("search", folder, query).status == 0, "the same weights make the same vectors"
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("lowest_frequency: 0.0", "lowest_frequency: 60.0"))
    command("search", folder, query).refused("another model")
    config.write_text(config.read_text().replace("lowest_frequency: 60.0", "lowest_frequency: 0.0"))
    assert command("search", folder, query).status == 0
    (weights,) = (folder / "export" / "1" / "variables").glob("variables.data-*")
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    command("search", folder, query).refused("another model")


def test_settings_that_do_not_fit_are_refused(command: Commands, tmp_path: Path) -> None:
    for settings, parts in (
        (("variant=siamese", "vector=mean", "keep=last"), ("variant=siamese needs vector=recurrent",)),
        (("variant=siamese", "keep=best"), ("select_by=average_precision",)),
        (("vector=mean",), ("normalisation=global",)),
        (("window_hop=1",), ("window_hop must be at most the shortest of window_seconds",)),
        (("window_hop=0.001",), ("window_hop must be at least hop_ms=10 ms",)),
        (("window_seconds=[0.5,6]",), ("window_seconds must be at most max_seconds=5, got 6",)),
        (("held_out_speaker=nobody",), ("held_out_speaker must be a speaker",)),
    ):
        flags = [part for setting in settings for part in ("--set", setting)]
        command("train", "spoken_term_search", *flags, "--run_dir", tmp_path / "x").refused(*parts)
    assert not (tmp_path / "x").exists()


def test_a_folder_without_labels_is_trained_on_and_not_scored(
    command: Commands, terms: list[SpokenTerm], tmp_path: Path
) -> None:
    for place, term in enumerate(terms):
        write(tmp_path / "mine" / f"{place}.wav", term.sound.samples)
    settings = ("--config", TINY, "--epochs", 1, "--set", "whitening=true", "--run_dir", tmp_path / "run")
    outcome = command("run", "spoken_term_search", "--dataset", tmp_path / "mine", *settings)
    assert outcome.status == 0, outcome.err
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["metrics"] == {}
    assert command("index", tmp_path / "run", tmp_path / "mine").status == 0
    assert command("search", tmp_path / "run", tmp_path / "mine" / "0.wav").status == 0

    settings = ("--config", TINY, "--epochs", 2, "--dataset", tmp_path / "mine", "--set", "variant=siamese")
    kept = command("train", "spoken_term_search", *settings, "--set", "keep=last", "--run_dir", tmp_path / "last")
    assert kept.status == 0, kept.err
    finished = json.loads((tmp_path / "last" / "checkpoints" / "finished.json").read_text())
    assert (finished["best"], finished["best_epoch"]) == (None, 2)
    best = ("--set", "select_by=average_precision", "--run_dir", tmp_path / "best")
    command("train", "spoken_term_search", *settings, *best).refused("average_precision decides", "keep=last")


@pytest.mark.parametrize("features", ["mfcc", "log_mel"])
def test_silent_terms_are_left_out_and_counted(terms: list[SpokenTerm], features: str) -> None:
    silent = SpokenTerm("silent", Waveform(np.zeros(3000, np.float32), RATE))
    task = SpokenTermSearch(Config(sampling_rate=RATE, features=features))
    usable, notes = task.usable([terms[0], silent, *terms[1:4]])
    assert usable == terms[:4]
    assert notes == {"training terms left out because they are silent": 1}


def test_a_query_is_not_searched_in_itself(terms: list[SpokenTerm]) -> None:
    """Other sounds may have its name, in another folder."""
    task = SpokenTermSearch(Config(sampling_rate=RATE))
    corpus = synthetic_terms.generate(seed=2, train=24, valid=1, test=1)
    splits = Splits(corpus, terms[:3], terms[3:4], None)
    other = {terms[1].name: task.request(terms[5]), terms[2].name: task.request(terms[2])}
    assert task.archive(splits, other) == [terms[0], terms[1], terms[3]]
    with pytest.raises(DataError, match="all 4 terms of train and valid are queries"):
        task.archive(splits, {term.name: task.request(term) for term in terms[:4]})
