"""Tree sentiment from end to end: a tiny run, what it serves, its baselines, and the user's own trees."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from commands import Commands, tiny

from seqloom.datasets import opinions
from seqloom.datasets.brackets import parse, to_brackets
from seqloom.datasets.corpus import DataError
from seqloom.datasets.labelled_tree import NO_LABEL
from seqloom.pipelines.config import load_config
from seqloom.pipelines.corpora import load_splits
from seqloom.pipelines.registry import find_task
from seqloom.pipelines.run import Run
from seqloom.pipelines.tree_sentiment.baselines import baselines
from seqloom.pipelines.tree_sentiment.config import Config
from seqloom.pipelines.tree_sentiment.sequential import SequentialModel, units_for
from seqloom.pipelines.tree_sentiment.task import TreeSentiment


@pytest.fixture(scope="module")
def run(tree_run: Path) -> Run:
    """The finished run, opened once, so that its export is loaded once."""
    return Run.open(tree_run)


@pytest.fixture(scope="module")
def trees() -> list[str]:
    return [to_brackets(tree, labels=False) for tree in opinions.load().test[:40]]


def test_it_composes_what_a_bag_of_words_cannot(tree_run: Path) -> None:
    metrics = json.loads((tree_run / "metrics.json").read_text())
    ours, words = metrics["metrics"], metrics["baselines"]["bag of words, logistic regression"]
    assert {"root_accuracy_fine", "node_accuracy"} <= set(ours)
    assert set(metrics["baselines"]) == {"majority class", "bag of words, logistic regression", "sequential LSTM"}
    assert ours["root_accuracy_fine"] > words["root_accuracy_fine"] + 0.1
    assert ours["node_accuracy"] > words["node_accuracy"] + 0.1


def test_the_report_draws_trees(tree_run: Path) -> None:
    report = (tree_run / "report.html").read_text()
    assert report.count("<svg") > 5
    assert "not comparable" in report


def test_an_answer_does_not_depend_on_its_batch_nor_on_labels(run: Run, trees: list[str]) -> None:
    together = run.predict(trees)
    for text, answer in zip(trees[:8], together, strict=False):
        labelled = to_brackets(replace(parse(_labelled(text)), labels=(1,) * len(answer["node_labels"])))
        for other in run.predict([text]), run.predict([labelled]):
            assert other[0]["node_labels"] == answer["node_labels"]
            np.testing.assert_allclose(other[0]["node_probabilities"], answer["node_probabilities"], atol=1e-4)


def _labelled(text: str) -> str:
    return text.replace("(", "(0 ")


def test_the_root_is_the_last_node(run: Run, trees: list[str]) -> None:
    for text, answer in zip(trees, run.predict(trees), strict=True):
        assert len(answer["node_labels"]) == text.count("(")
        assert answer["label"] == answer["node_labels"][-1]
        np.testing.assert_allclose(answer["probabilities"], answer["node_probabilities"][-1])
        np.testing.assert_allclose(np.sum(answer["node_probabilities"], axis=-1), 1, atol=1e-5)


def left_branching(words: int) -> str:
    return "(" * (words - 1) + "(film)" + " (good))" * (words - 1)


@pytest.mark.parametrize(
    ("tree", "nodes"),
    [("(film)", 1), ("(not (very good))", 5), (left_branching(250), 499), ("((好) (看))", 3), ("(<b> </b>)", 3)],
    ids=["one word", "bare words", "deeper than any in train", "chinese", "html"],
)
def test_any_tree_is_answered(run: Run, tree: str, nodes: int) -> None:
    [answer] = run.predict([tree])
    assert answer["error"] == ""
    assert len(answer["node_labels"]) == nodes


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not bad at all",
        "((not) (bad)",
        "((not) (bad)))",
        "(3 (2 good))",
        "((a) (b) (c))",
        "(7 (2 not) (3 bad))",
        "()",
    ],
)
def test_what_is_no_tree_is_told_and_harms_no_other(run: Run, trees: list[str], text: str) -> None:
    one, wrong, other = run.predict([trees[0], text, trees[1]])
    assert wrong["error"]
    assert (wrong["label"], wrong["node_labels"], wrong["node_probabilities"]) == ("", [], [])
    assert not any(wrong["probabilities"])
    for answer, tree in ((one, trees[0]), (other, trees[1])):
        assert answer["error"] == ""
        assert answer["node_labels"] == run.predict([tree])[0]["node_labels"]


def test_predict_ends_with_2_where_a_tree_cannot_be_read(command: Commands, tree_run: Path) -> None:
    outcome = command("predict", tree_run, "((not) (bad))", "not bad")
    assert outcome.status == 2
    first, second = map(json.loads, outcome.out.splitlines())
    assert first["error"] == ""
    assert "brackets" in second["error"]


@pytest.mark.parametrize(
    "settings",
    [
        {"encoder": "recursive"},
        {"encoder": "tensor", "recurrent_dropout": 0.2},
        {"encoder": "tree_lstm", "bidirectional": True, "word_dropout": 0.1},
        {"encoder": "child_sum_lstm", "bidirectional": True, "l2": 1e-4, "label_smoothing": 0.1},
        {"classes": 2, "root_weight": 3.0, "members": 2},
    ],
    ids=["recursive", "tensor", "nary", "child sum", "binary, members"],
)
def test_every_kind_of_network_trains_and_is_served(settings: dict) -> None:
    config = Config(units=4, embedding_dim=4, **settings)
    corpus = config.chosen(opinions.generate(seed=0, train=40, valid=2, test=2))
    pipeline = TreeSentiment(config)
    preprocessor = pipeline.fit_preprocessor(corpus.train, None)
    data = pipeline.training_data(corpus.train, preprocessor)
    model = pipeline.build_model(preprocessor)
    rows = tf.range(len(corpus.train), dtype=tf.int64)
    inputs, targets, weights = data.batch(rows, tf.constant(0, tf.int64))
    labelled = sum(label != NO_LABEL for tree in corpus.train for label in tree.taught)
    root = config.root_weight - 1
    assert float(tf.reduce_sum(weights["labels"])) == labelled + root * len(corpus.train)
    with tf.GradientTape() as tape:
        losses = model.step_losses(inputs, targets, model(inputs, training=True))["labels"]
        loss = tf.reduce_sum(losses * weights["labels"])
    gradients = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
    assert all(np.any(tf.convert_to_tensor(gradient)) for gradient in gradients)
    server = pipeline.build_server(model, preprocessor)
    answer = server.answer(tf.constant(["((not) (bad))", "not", "((a) (b) (c))"]))
    any_arity = config.encoder == "child_sum_lstm"
    assert [bool(error) for error in answer["error"].numpy()] == [False, True, not any_arity]


def test_two_classes_are_made_of_five(data_dir_or_sample: str) -> None:
    """Trees with a neutral root are left out of every split and counted; neutral nodes have no label."""
    entry = find_task("tree_sentiment")
    five = load_splits(entry, load_config(entry, Config, settings={"dataset": data_dir_or_sample}))
    two = load_splits(entry, load_config(entry, Config, settings={"dataset": data_dir_or_sample, "classes": 2}))
    for split in ("train", "valid", "test"):
        before, after = five.split(split), two.split(split)
        left_out = two.notes[f"{split} trees left out because their root is neutral"]
        assert len(after) == len(before) - left_out == sum(tree.labels[-1] != 2 for tree in before)
        assert {label for tree in after for label in tree.labels} <= {NO_LABEL, 0, 1}
        assert [tree.taught for tree in after] == [tree.labels for tree in before if tree.labels[-1] != 2]
    if data_dir_or_sample == "sst":
        assert two.counts() == {"train": 6920, "valid": 872, "test": 1821}


@pytest.fixture(params=["sample", pytest.param("sst", marks=pytest.mark.real_data)])
def data_dir_or_sample(request: pytest.FixtureRequest) -> str:
    return request.param


def test_two_classes_of_five_are_the_sums_of_their_degrees() -> None:
    config = Config(classes=2, units=4, embedding_dim=4)
    corpus = config.chosen(opinions.generate(seed=0, train=40, valid=2, test=2))
    pipeline = TreeSentiment(config)
    preprocessor = pipeline.fit_preprocessor(corpus.train, None)
    model = pipeline.build_model(preprocessor)
    inputs, *_ = pipeline.training_data(corpus.train, preprocessor).batch(tf.range(8, dtype=tf.int64), tf.constant(0))
    learnt = tf.nn.softmax(model(inputs)[0]).numpy()
    positive = (learnt[..., 3] + learnt[..., 4]) / (1 - learnt[..., 2])
    np.testing.assert_allclose(model.decode(inputs), np.stack([1 - positive, positive], axis=-1), atol=1e-5)


def test_the_number_of_classes_is_that_of_train(command: Commands, tmp_path: Path) -> None:
    folder = write_trees(tmp_path / "own", ["(2 (0 bad) (1 so))", "(0 (1 well) (2 good))"])
    outcome = command("run", "tree_sentiment", "--dataset", folder, "--run_dir", tmp_path / "run")
    outcome.refused("got classes=5 where own has 3; say --set classes=3")
    assert not (tmp_path / "run").exists()


def test_two_classes_of_labels_that_are_not_five() -> None:
    corpus = opinions.generate(seed=0, train=4, valid=2, test=2)
    six = replace(corpus.train[0], labels=(5,) * corpus.train[0].num_nodes)
    with pytest.raises(DataError, match="classes=2 makes two classes of five"):
        Config(classes=2).chosen(replace(corpus, train=[six]))


def test_two_classes_that_leave_nothing() -> None:
    corpus = opinions.generate(seed=0, train=4, valid=2, test=2)
    with pytest.raises(DataError, match="classes=2 leaves no tree in valid of sample, where every root is neutral"):
        Config(classes=2).chosen(replace(corpus, valid=[parse("(2 (4 good) (0 bad))")]))


def test_own_trees_of_three_children_and_three_classes(command: Commands, tmp_path: Path) -> None:
    lines = ["(2 (0 bad) (1 so) (2 good))", "(0 (1 well) (0 (1 not) (2 good)))", "(1 fine)"]
    folder = write_trees(tmp_path / "own", lines)
    settings = ["--config", tiny("tree_sentiment"), "--dataset", folder, "--set", "classes=3", "--epochs", 2]
    outcome = command("run", "tree_sentiment", *settings, "--run_dir", tmp_path / "run")
    assert outcome.status == 0, outcome.err
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert "root_accuracy" in metrics["metrics"]
    [answer] = Run.open(tmp_path / "run").predict(["((a) (b) (c) (d))"])
    assert "3" in answer["error"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("(3 (2 not) (1 bad)", "brackets must be balanced"),
        ("()", "line 2"),
        ("(3 (2 good))", "a node must hold a word or at least two children, got 1"),
        ("(-1 (2 not) (1 bad))", "a label must be at least 0, got -1"),
    ],
)
def test_a_bad_line_is_named(command: Commands, tmp_path: Path, line: str, message: str) -> None:
    folder = write_trees(tmp_path / "own", ["(3 (2 not) (1 bad))", line])
    command("list", "tree_sentiment", "--dataset", folder).refused("train.txt, line 2", message)


def write_trees(folder: Path, lines: list[str]) -> Path:
    folder.mkdir()
    for split in ("train", "valid", "test"):
        (folder / f"{split}.txt").write_text("".join(line + "\n" for line in lines))
    return folder


class TestSequentialBaseline:
    def test_it_has_about_as_many_parameters_as_the_tree_model(self) -> None:
        config = Config(units=64, embedding_dim=50)
        corpus = opinions.generate(seed=0, train=20, valid=2, test=2)
        pipeline = TreeSentiment(config)
        [member] = pipeline.build_model(pipeline.fit_preprocessor(corpus.train, None)).members
        sequential = SequentialModel(config.model_dump(), 10, 5, units_for(member.recursion.count_params(), 50))
        assert sequential.encoder.count_params() == pytest.approx(member.recursion.count_params(), rel=0.05)

    def test_a_sentence_is_the_last_states_of_both_directions(self) -> None:
        model = SequentialModel(Config(units=4, embedding_dim=3).model_dump(), 9, 5, units=5)
        words = tf.constant([[4, 5, 6, 0], [7, 8, 4, 5]])
        spans = {"first": tf.constant([[0], [0]]), "last": tf.constant([[2], [3]])}
        inputs = {"words": words, "lengths": tf.constant([3, 4]), **spans}
        states = model.encoder(model.embedding(words), lengths=inputs["lengths"])
        last = (states[0, 2, :5], states[0, 0, 5:]), (states[1, 3, :5], states[1, 0, 5:])
        root = tf.stack([tf.concat(both, axis=0) for both in last])
        np.testing.assert_allclose(model(inputs)[:, 0], model.scores(root), atol=1e-6)


def test_baselines_answer_every_node_of_words_that_train_lacks() -> None:
    corpus = opinions.generate(seed=0, train=30, valid=2, test=5)
    unseen = parse("(3 (2 never) (1 (4 seen) (0 before)))")
    rows = baselines(corpus.train, [*corpus.test, unseen], Config(units=4, embedding_dim=4))
    assert len(rows) == 3
    for answers in rows.values():
        assert [row["tree"] for row in answers] == [to_brackets(tree) for tree in (*corpus.test, unseen)]
        for row in answers:
            assert len(row["predicted"]["node_labels"]) == parse(row["tree"]).num_nodes
            assert sum(row["predicted"]["probabilities"]) == pytest.approx(1, abs=1e-5)
