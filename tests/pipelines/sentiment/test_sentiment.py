"""Sentiment from end to end: a tiny run, what it serves, and the user's own files."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from commands import Commands, same_run, tiny

from seqloom.datasets import reviews
from seqloom.pipelines.inference import load_export
from seqloom.pipelines.run import Run
from seqloom.pipelines.sentiment.config import Config
from seqloom.pipelines.sentiment.task import Sentiment

TINY = tiny("sentiment")


@pytest.fixture(scope="module")
def run(sentiment_run: Path) -> Run:
    """The finished run, opened once, so that its export is loaded once."""
    return Run.open(sentiment_run)


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return [review.text for review in reviews.load().test[:40]]


def test_it_learns_what_a_bag_of_words_cannot(sentiment_run: Path) -> None:
    metrics = json.loads((sentiment_run / "metrics.json").read_text())
    assert set(metrics["metrics"]) == {"accuracy", "f1", "roc_auc", "log_loss", "ece"}
    words = metrics["baselines"]["bag of words, logistic regression"]
    assert metrics["metrics"]["accuracy"] > words["accuracy"] + 0.05


def test_the_report_explains_the_worst_errors(sentiment_run: Path) -> None:
    rows = [json.loads(line) for line in (sentiment_run / "predictions.jsonl").read_text().splitlines()]
    assert len(rows) == 500
    explained = [row for row in rows if "explanation" in row]
    assert explained
    for row in explained:
        assert len(row["explanation"]) == row["tokens"]
    report = (sentiment_run / "report.html").read_text()
    assert "Calibration" in report
    assert 'class="heat' in report


def test_an_answer_does_not_depend_on_its_batch(run: Run, texts: list[str]) -> None:
    together = run.predict([*texts, "", "a single line"])
    for text, answer in zip(texts[:8], together, strict=False):
        [alone] = run.predict([text])
        assert alone["label"] == answer["label"]
        np.testing.assert_allclose(alone["probabilities"], answer["probabilities"], atol=1e-4)
    assert together[-2] == {"label": "", "probabilities": [0.0, 0.0], "error": "the text has no words"}


def test_an_explanation_is_of_the_answer(run: Run, texts: list[str]) -> None:
    for answer, explained in zip(run.predict(texts[:9]), run.predict(texts[:9], explain=True), strict=True):
        assert explained["label"] == answer["label"]
        np.testing.assert_allclose(explained["probabilities"], answer["probabilities"], atol=1e-4)
        assert len(explained["tokens"]) == len(explained["contributions"])


def test_contributions_of_the_linear_classifier_add_up(run: Run) -> None:
    """Each unit once, in a text without repeats: the score of the label above that of the other, but for the bias."""
    model = run.pipeline.build_model(run.preprocessor)
    model.load_weights(run.directory.best)
    server = run.pipeline.build_server(model, run.preprocessor)
    ids = server.reader.ids(server.reader.words(tf.constant(["the acting was good but the plot ruined it"])))
    ids = tf.RaggedTensor.from_tensor(tf.unique(ids.values).y[None])
    label = tf.constant([1], tf.int64)
    shares = model.linear_contributions(server.reader.units_of_words(ids), label)
    scores = model.linear(server.reader.units(ids))[0] - model.linear.bias
    np.testing.assert_allclose(tf.reduce_sum(shares), (scores[1] - scores[0]) / 2, rtol=1e-4, atol=1e-5)


def test_the_export_has_both_signatures_and_no_python(sentiment_run: Path) -> None:
    export = sentiment_run / "export" / "1"
    explained = load_export(export, "explain")(text=tf.constant(["good", ""]))
    assert set(explained) == {"label", "probabilities", "error", "tokens", "contributions"}
    assert next(iter(tf.saved_model.load(str(export)).signatures)) == "serving_default"


@pytest.mark.parametrize(
    "text",
    [
        "word " * 100_000,
        "<p>Good <b>film</b></p>",
        "Ein guter Film, den ich gern gesehen habe.",
        "好看",
        "!!!",
        "\x00 bad",
    ],
    ids=["long", "html", "german", "chinese", "punctuation", "control"],
)
def test_any_text_is_answered(run: Run, text: str) -> None:
    [answer] = run.predict([text])
    assert answer["error"] == ""
    assert answer["label"] in ("negative", "positive")
    assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5)


def test_predict_explains_on_request(command: Commands, sentiment_run: Path) -> None:
    outcome = command("predict", str(sentiment_run), "--explain", "not bad at all")
    assert outcome.status == 0
    assert json.loads(outcome.out)["tokens"] == ["not", "bad", "at", "all"]


def test_a_task_that_cannot_explain_says_so(command: Commands, tiny_run: Path) -> None:
    outcome = command("predict", str(tiny_run), "--explain", "to boston")
    outcome.refused("slot_filling does not explain its answers")


def write_files(folder: Path, labels: str = "abc") -> Path:
    folder.mkdir()
    for split, count in (("train", 30), ("valid", 6), ("test", 6)):
        lines = [f"{labels[row % len(labels)]}\tthis is {labels[row % len(labels)]} {row}\n" for row in range(count)]
        (folder / f"{split}.tsv").write_text("".join(lines))
    return folder


def test_own_texts_with_three_classes_and_a_resumed_training(command: Commands, tmp_path: Path) -> None:
    folder = write_files(tmp_path / "own")
    with (folder / "test.tsv").open("a") as file:
        file.write("other\tthis is other\n")
    settings = ["sentiment", "--config", str(TINY), "--dataset", str(folder), "--set", "encoder=gru"]
    assert command("run", *settings, "--run_dir", str(tmp_path / "a"), "--epochs", "4").status == 0
    metrics = json.loads((tmp_path / "a" / "metrics.json").read_text())
    assert metrics["counts"]["labels_unknown_to_train"] == 1
    assert metrics["metrics"]["accuracy"] < 1
    for epochs in ("2", "4"):
        assert command("train", *settings, "--run_dir", str(tmp_path / "b"), "--epochs", epochs).status == 0
    same_run(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["level=characters", "linear=[2]"], "level=characters reads no words"),
        (["regions=[1]"], "regions.0 must be greater than or equal to 2, got 1"),
        (["pooling=[sum]"], "pooling.0 must"),
    ],
)
def test_settings_that_do_not_fit(command: Commands, tmp_path: Path, settings: list[str], message: str) -> None:
    flags = [flag for setting in settings for flag in ("--set", setting)]
    outcome = command("run", "sentiment", "--run_dir", str(tmp_path / "run"), *flags)
    outcome.refused(message)


@pytest.mark.parametrize(
    "settings",
    [
        {"level": "characters", "pooling": ["last"], "bidirectional": False},
        {"pooling": ["attention", "mean"], "regions": [2], "embedding_dropout": 0.2, "word_dropout": 0.1},
        {"encoder": "gru", "linear": [2], "ratios": True, "recurrent_dropout": 0.2, "num_layers": 2},
    ],
    ids=["characters", "attention", "linear"],
)
def test_every_kind_of_model_builds_trains_and_is_served(settings: dict) -> None:
    examples = reviews.generate(seed=0, train=24, valid=2, test=2).train
    pipeline = Sentiment(Config(units=4, embedding_dim=4, max_tokens=30, ngram_min_count=1, **settings))
    preprocessor = pipeline.fit_preprocessor(examples, None)
    data = pipeline.training_data(examples, preprocessor)
    model = pipeline.build_model(preprocessor)
    pipeline.initialise(model, preprocessor)
    inputs, targets, _ = data.batch(tf.range(24, dtype=tf.int64), tf.constant(0, tf.int64))
    with tf.GradientTape() as tape:
        losses = model.step_losses(inputs, targets, model(inputs, training=True))["label"]
    gradients = tape.gradient(losses, [variable.value for variable in model.trainable_variables])
    assert all(np.any(tf.convert_to_tensor(gradient)) for gradient in gradients)
    server = pipeline.build_server(model, preprocessor)
    explained = server.explain(tf.constant([examples[0].text, ""]))
    np.testing.assert_allclose(
        explained["probabilities"], server.answer(tf.constant([examples[0].text, ""]))["probabilities"], atol=1e-5
    )
