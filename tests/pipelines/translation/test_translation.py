"""Translation from end to end: a tiny run, what it serves, and the user's own sentences."""

from __future__ import annotations

import json
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from commands import Commands, tiny

from seqloom.pipelines.inference import answer_all, load_signatures
from seqloom.pipelines.run import Run

TINY = tiny("translation")
TEXTS = ["Are you reading two books?", "I did not buy a cup of tea.", "She has three cats."]


@pytest.fixture(scope="module")
def run(translation_run: Path) -> Run:
    """The finished run, opened once, so that its export is loaded once."""
    return Run.open(translation_run)


@pytest.fixture(scope="module")
def sources(run: Run) -> list[str]:
    return [example.source for example in run.splits.test[:40]]


@pytest.fixture(scope="module")
def signatures(run: Run) -> Any:
    return load_signatures(run.directory.saved_model)


@pytest.fixture(scope="module")
def server(run: Run) -> Any:
    """What the export was traced from."""
    model = run.pipeline.build_model(run.preprocessor)
    model.load_weights(run.directory.best)
    return run.pipeline.build_server(model, run.preprocessor)


def searched(run: Run, signatures: Any, search: str, texts: list[str]) -> list[dict[str, Any]]:
    requests = [{"text": text} for text in texts]
    return answer_all(signatures[search], requests, run.pipeline.server_class.others[search])


def test_it_learns_to_translate(translation_run: Path) -> None:
    metrics = json.loads((translation_run / "metrics.json").read_text())
    measured = metrics["metrics"]
    assert {"bleu", "chrf", "exact_match"} <= set(measured)
    for name, baseline in metrics["baselines"].items():
        assert measured["bleu"] > 1.2 * baseline["bleu"], name
    low, high = metrics["confidence"]["bleu"]
    assert low < measured["bleu"] < high


def test_an_answer_does_not_depend_on_its_batch(run: Run, sources: list[str]) -> None:
    together = run.answer([{"text": text} for text in sources])
    for text, answer in zip(sources, together, strict=True):
        [alone] = run.answer([{"text": text}])
        np.testing.assert_allclose(alone.pop("scores"), answer.pop("scores"), atol=1e-4)
        assert alone == answer


def test_translations_come_best_first(run: Run, sources: list[str]) -> None:
    for answer in run.answer([{"text": text} for text in sources]):
        assert answer["scores"] == sorted(answer["scores"], reverse=True)
        assert len(set(answer["translations"])) == len(answer["translations"]) <= 2
        assert "".join(answer["symbols"]) == answer["translations"][0]
        assert len(answer["alignments"]) == len(answer["symbols"])
        assert all(0 <= place < len(answer["tokens"]) for place in answer["alignments"])


def test_a_wider_beam_finds_no_worse_translations(server: Any, sources: list[str]) -> None:
    """The mean score does not fall from beam 1 to 5, and no row of a beam of one differs from the greedy search."""
    source, lengths, *_ = server._read(tf.constant(sources))

    def found(width: int, penalty: float) -> Any:
        return tf.function(lambda: server._beam(source, lengths, width, penalty))()

    means = [float(np.mean(found(width, 1.0).scores[:, 0])) for width in (1, 2, 3, 5)]
    assert all(later >= earlier - 1e-6 for earlier, later in pairwise(means)), means
    greedy = tf.function(lambda: server._search("greedy", source, lengths))()
    np.testing.assert_array_equal(found(1, 0.0).symbols, greedy.symbols)


def test_both_searches_are_signatures(run: Run, signatures: Any, sources: list[str]) -> None:
    assert set(signatures) == {"serving_default", "greedy", "beam", "attention"}
    beam = searched(run, signatures, "beam", sources)
    assert [answer["translations"] for answer in beam] == [
        answer["translations"] for answer in run.answer([{"text": text} for text in sources])
    ]
    greedy = searched(run, signatures, "greedy", sources)
    assert all(len(answer["translations"]) <= 1 for answer in greedy)


def test_attention_is_a_distribution_over_tokens(run: Run, signatures: Any) -> None:
    [answer] = run.answer([{"text": TEXTS[0]}])
    request = {"text": TEXTS[0], "translation": answer["translations"][0]}
    [seen] = answer_all(signatures["attention"], [request], run.pipeline.server_class.others["attention"])
    weights = np.array(seen["weights"])
    assert weights.shape == (len(answer["symbols"]), len(answer["tokens"]))
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
    assert weights.argmax(axis=1).tolist() == answer["alignments"]


def test_what_cannot_be_translated_is_answered_with_a_reason(command: Commands, translation_run: Path) -> None:
    given = ["", "   ", "x " * 500, "你好", "She has three cats."]
    outcome = command("predict", translation_run, *given)
    assert outcome.status == 2
    answers = [json.loads(line) for line in outcome.out.splitlines()]
    reasons = [answer["error"] for answer in answers]
    assert reasons[0] == reasons[1] == "the text has no words"
    assert reasons[2] == "the text has 500 words, at most 100 can be read"
    assert reasons[3] == "the text has no word that the model knows"
    assert reasons[4] == ""
    assert all(not answer["translations"] for answer in answers[:4])
    assert answers[4]["translations"]


def test_control_characters_and_punctuation_end_somewhere(command: Commands, translation_run: Path) -> None:
    outcome = command("predict", translation_run, "she \x01 has\x7f cats", "?!...", "cats " * 90)
    answers = [json.loads(line) for line in outcome.out.splitlines()]
    assert len(answers) == 3
    assert all(len(text) <= 4 * 90 + 10 for answer in answers for text in answer["translations"])


def test_an_endless_translation_is_cut_off_and_marked(run: Run, server: Any) -> None:
    short = type(server)(server.model, run.preprocessor, run.config.model_copy(update={"max_symbols": 2}))
    found = short.function()(text=tf.constant(TEXTS))
    assert all(len(text.decode()) <= 2 for text in found["translations"].numpy()[:, 0])
    assert found["truncated"].numpy()[:, 0].all()


def folder(path: Path, **splits: str) -> Path:
    path.mkdir()
    for name, text in splits.items():
        (path / f"{name}.tsv").write_text(text, encoding="utf-8")
    return path


WORDS = ["red", "blue", "green", "big", "small", "old", "new", "good", "bad", "long"]
LETTERS = "".join(f"{one} {two}\t{two.upper()} , {one.upper()}\n" for one in WORDS for two in WORDS if one != two)


def test_words_of_any_language_are_written(command: Commands, tmp_path: Path) -> None:
    corpus = folder(tmp_path / "mine", train=LETTERS, test=LETTERS[:200].rpartition("\n")[0] + "\n")
    settings = ("--set", "target_level=word", "--set", "bleu_tokenize=13a", "--set", "min_count=1", "--epochs", 40)
    settings += ("--set", "select_by=chrf", "--batch_size", 8, "--set", "average_decay=0.9")
    outcome = command(
        "run", "translation", "--config", TINY, "--dataset", corpus, *settings, "--run_dir", tmp_path / "run"
    )
    assert outcome.status == 0, outcome.err
    answer = json.loads(command("predict", tmp_path / "run", "old red").out)
    assert answer["translations"][0] == "RED, OLD"
    assert answer["symbols"] == ["RED", ",", "OLD"]


def test_what_is_not_translated_is_left_out_and_counted(command: Commands, tmp_path: Path) -> None:
    corpus = folder(tmp_path / "mine", train=LETTERS + "OK\tOK\n" + "go " * 150 + "\tWEIT\n")
    outcome = command(
        "train", "translation", "--config", TINY, "--dataset", corpus, "--epochs", 1, "--run_dir", tmp_path / "run"
    )
    assert outcome.status == 0, outcome.err
    assert "both sides are the same: 1" in outcome.out + outcome.err
    assert "longer than max_tokens: 1" in outcome.out + outcome.err


@pytest.mark.parametrize(
    ("line", "reason"),
    [("no tab here\n", "tab"), ("two\ttabs\there\n", "tab"), ("\tempty\n", "empty"), ("empty\t\n", "empty")],
)
def test_a_malformed_line_is_named(command: Commands, tmp_path: Path, line: str, reason: str) -> None:
    corpus = folder(tmp_path / "mine", train=LETTERS + line)
    outcome = command("train", "translation", "--dataset", corpus, "--run_dir", tmp_path / "run")
    assert outcome.status == 2
    assert "train.tsv, line 91" in outcome.err
    assert reason in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        (("access=input", "coverage_penalty=0.5"), "coverage_penalty needs access=attention"),
        (("n_best=9", "beam_width=3"), "n_best must be at most beam_width=3"),
        (("source_level=subword", "source_pieces=5"), "source_pieces: the size"),
        (("ending=never",), "ending"),
    ],
)
def test_wrong_settings_end_in_one_sentence(
    command: Commands, tmp_path: Path, settings: tuple[str, ...], reason: str
) -> None:
    flags = [flag for setting in settings for flag in ("--set", setting)]
    outcome = command("train", "translation", "--limit", 50, *flags, "--run_dir", tmp_path / "run")
    assert outcome.status == 2
    assert reason in outcome.err.strip().splitlines()[-1]
    assert "Traceback" not in outcome.err


def test_a_run_goes_on_from_another_with_more_words(command: Commands, translation_run: Path, tmp_path: Path) -> None:
    corpus = folder(tmp_path / "mine", train=LETTERS)
    flags = ("--config", TINY, "--dataset", corpus, "--set", "min_count=1", "--epochs", 1)
    outcome = command("train", "translation", *flags, "--init_from", translation_run, "--run_dir", tmp_path / "run")
    assert outcome.status == 0, outcome.err
    before, after = (
        (where / "preprocessor" / "target.txt").read_text().splitlines()
        for where in (translation_run, tmp_path / "run")
    )
    assert after[: len(before)] == before
    assert len(after) > len(before)
    shutil.rmtree(tmp_path / "run")
