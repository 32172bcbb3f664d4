"""The language model before sentiment: its streams, its states, what it may see, and what it hands over."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.datasets.labelled_text import LabelledText
from seqloom.pipelines.config import validate
from seqloom.pipelines.errors import UserError
from seqloom.pipelines.pretraining import pretrain
from seqloom.pipelines.run_directory import RunDirectory
from seqloom.pipelines.sentiment.config import Config
from seqloom.pipelines.sentiment.language_model import LanguageModel, perplexity
from seqloom.pipelines.sentiment.streams import Streams
from seqloom.pipelines.sentiment.task import Sentiment

BOTH = ("forward", "backward")
WORDS = 9
END = 3

ENCODERS: dict[str, dict[str, Any]] = {
    "lstm": {},
    "one direction": {"encoder": "gru", "bidirectional": False, "num_layers": 2, "connections": "residual"},
    "residual": {"encoder": "gru", "connections": "residual"},
    "highway": {"encoder": "simple", "connections": "highway"},
    "dense": {"encoder": "peephole", "connections": "dense"},
    "dense stack": {"encoder": "gru", "bidirectional": False, "num_layers": 2, "connections": "dense"},
    "gated feedback": {"encoder": "gated_feedback", "num_layers": 2},
    "clockwork": {"encoder": "clockwork", "units": 8},
}


def made(rows: int = 2, **changes: Any) -> LanguageModel:
    """A model with random weights that are the same at each call."""
    config = Config(**{"units": 4, "embedding_dim": 3, "pretraining_rows": rows, "dropout": 0.0, **changes})
    model = LanguageModel(config.model_dump(), WORDS)
    model.build()
    rng = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(scale=0.5, size=weight.shape))
    return model


def inputs_of(model: LanguageModel, words: np.ndarray, starts: np.ndarray | None = None) -> dict[str, tf.Tensor]:
    reset = np.zeros(words.shape, bool) if starts is None else starts
    both = {direction: tf.constant(words, tf.int32) for direction in model.directions}
    return both | {f"{direction}_reset": tf.constant(reset) for direction in model.directions}


def read(model: LanguageModel, words: np.ndarray, starts: np.ndarray | None = None) -> dict[str, np.ndarray]:
    return {name: each.numpy() for name, each in model(inputs_of(model, words, starts)).items()}


@pytest.fixture(params=ENCODERS.values(), ids=ENCODERS)
def encoder(request: pytest.FixtureRequest) -> dict[str, Any]:
    return request.param


@settings(max_examples=12, deadline=None)
@given(
    texts=st.lists(st.lists(st.integers(4, 8), min_size=1, max_size=9), min_size=1, max_size=6),
    rows=st.integers(1, 5),
    steps=st.integers(1, 7),
)
def test_every_word_is_a_target_once_in_each_direction(texts: list[list[int]], rows: int, steps: int) -> None:
    streams = Streams(tf.ragged.constant(texts, tf.int32), BOTH, rows, steps, seed=1)
    windows = list(streams.windows(0).take(len(streams)).as_numpy_iterator())
    for direction in BOTH:
        parts = [(inputs[direction], inputs[f"{direction}_reset"], targets[direction], weights[direction])
                 for inputs, targets, weights in windows]  # fmt: skip
        assert all(part[0].shape[1] <= steps for part in parts)
        for _, _, _, weights in parts:
            assert weights.sum() in (0, pytest.approx(0.5))  # nothing may count in a window of padding alone
            assert len(np.unique(weights[weights > 0])) <= 1
        words, reset, targets, weights = (np.concatenate(column, axis=1).ravel() for column in zip(*parts, strict=True))
        counted = targets[weights > 0]
        assert np.array_equal(weights > 0, np.arange(len(weights)) < len(counted))
        assert np.array_equal(words[: len(counted)], [END, *counted[:-1]])
        first_of_epoch = np.arange(len(words)) % (len(words) // rows) == 0
        assert np.array_equal(reset, (words == END) | first_of_epoch)
        found, text = [], []
        for word in counted:
            if word == END:
                found.append(text[:: 1 if direction == "forward" else -1])
                text = []
            else:
                text.append(word)
        assert not text
        assert sorted(found) == sorted(texts)


def test_the_order_of_the_texts_is_a_function_of_seed_and_epoch() -> None:
    texts = tf.ragged.constant([[number] for number in range(4, 40)], tf.int32)

    def order(seed: int | None, first_epoch: int, epoch: int) -> list[int]:
        streams = Streams(texts, ("forward",), rows=1, steps=100, seed=seed)
        window = next(iter(streams.windows(first_epoch).skip(epoch - first_epoch)))
        return window[1]["forward"].numpy()[0, ::2].tolist()

    assert order(1, 0, 2) == order(1, 2, 2)
    assert len({tuple(order(*each)) for each in ((1, 0, 0), (1, 0, 1), (2, 0, 0), (None, 0, 0))}) == 4
    assert order(None, 0, 1) == list(range(4, 40))


def test_two_windows_are_one_long_window(encoder: dict[str, Any]) -> None:
    words = np.random.default_rng(1).integers(4, WORDS, (2, 10))
    starts = np.zeros((2, 10), bool)
    starts[1, 3] = True
    whole, cut = made(**encoder), made(**encoder)
    expected = read(whole, words, starts)
    parts = [read(cut, words[:, part], starts[:, part]) for part in (slice(0, 4), slice(4, 10))]
    for direction in whole.directions:
        together = np.concatenate([part[direction] for part in parts], axis=1)
        np.testing.assert_allclose(together, expected[direction], atol=1e-6)
    for one, other in zip(whole.weights, cut.weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6, err_msg=one.path)
    again = read(cut, words, starts)
    assert not np.allclose(again["forward"][0], expected["forward"][0])  # the state was carried indeed
    np.testing.assert_allclose(again["forward"][1, 3:], expected["forward"][1, 3:], atol=1e-6)  # but not into a text


def test_a_text_in_a_stream_is_read_as_the_classifier_reads_it(encoder: dict[str, Any]) -> None:
    model = made(rows=1, **encoder)
    text = np.array([[END, 4, 7, 5, 8]])
    vectors = model.embedding(tf.constant(text)[..., None])
    expected = model.encoder(vectors, lengths=tf.constant([5])).numpy()
    before = np.random.default_rng(2).integers(4, WORDS, (1, 6))
    halves = {}
    for direction, own in (("forward", text), ("backward", text[:, ::-1])):
        if direction in model.directions:
            words = np.concatenate([before, own], axis=1)
            starts = np.arange(11)[None] == 6
            states = [[tf.convert_to_tensor(state) for state in layer] for layer in model.states[direction]]
            outputs, _ = model.encoder.read_on(
                model.embedding(tf.constant(words)[..., None]), states, tf.constant(starts), direction == "backward"
            )
            halves[direction] = outputs.numpy()[:, 6:]
    if "backward" in halves:
        halves["backward"] = halves["backward"][:, ::-1]
    np.testing.assert_allclose(np.concatenate(list(halves.values()), axis=-1), expected, atol=1e-5)


def test_no_word_that_follows_is_seen(encoder: dict[str, Any]) -> None:
    words = np.random.default_rng(1).integers(4, WORDS, (2, 8))
    changed = words.copy()
    changed[:, 5] = (changed[:, 5] - 3) % 5 + 4
    assert np.all(changed[:, 5] != words[:, 5])
    one, other = read(made(**encoder), words), read(made(**encoder), changed)
    for direction in one:
        np.testing.assert_array_equal(one[direction][:, :5], other[direction][:, :5])
        assert not np.allclose(one[direction][:, 5], other[direction][:, 5])


def test_perplexity_is_that_of_the_counted_words() -> None:
    """Without the encoder the softmax is that of the biases, so that each word costs what it costs anywhere."""
    model = made(rows=3, pretraining_steps=4)
    biases = np.random.default_rng(4).normal(size=WORDS)
    model.biases.assign(biases)
    for projection in model.projections.values():
        projection.kernel.assign(np.zeros(projection.kernel.shape))
    texts = [[4, 5, 5], [8], [6, 7, 4, 4, 4, 5, 6]]
    words = [word for text in texts for word in (*text, END)]
    costs = np.log(np.exp(biases).sum()) - biases[words]
    streams = Streams(tf.ragged.constant(texts, tf.int32), BOTH, rows=3, steps=4)
    assert perplexity(model, streams) == pytest.approx(np.exp(costs.mean()), rel=1e-5)


def test_a_grammar_is_learnt_and_the_weights_are_handed_over(tmp_path: Path) -> None:
    """What follows a word here depends on how often it came before: neither direction can do without its state."""
    texts = [LabelledText("a b a c a d b b e", label) for label in ("x", "y") * 48]
    changes = {"encoder": "simple", "units": 24, "embedding_dim": 16, "dropout": 0.0}
    pretraining = {"pretraining_epochs": 12, "pretraining_rows": 4, "pretraining_steps": 15}
    pipeline = Sentiment(Config(**changes, **pretraining, pretraining_learning_rate=0.03, sampled_words=4))
    preprocessor = pipeline.fit_preprocessor(texts, None)
    model = pipeline.build_model(preprocessor)
    before = {weight.path: weight.numpy() for weight in model.weights}
    work = pipeline.pretraining(texts, texts[:4], preprocessor)
    assert work is not None
    directory = RunDirectory(tmp_path).pretraining
    shared = [*model.embedding.weights, *model.encoder.weights]
    assert pretrain(work, model, directory) == {"weights from the pretraining": len(shared)}

    language_model = work.build_model()
    assert work.score(language_model)["perplexity"] > 4
    language_model.load_weights(directory.best)
    assert work.score(language_model)["perplexity"] < 1.1
    theirs = {weight.path.partition("/")[2]: weight.numpy() for weight in language_model.weights}
    ids = {id(weight) for weight in shared}
    for weight in model.weights:
        if id(weight) in ids:
            np.testing.assert_array_equal(weight, theirs[weight.path.partition("/")[2]], err_msg=weight.path)
            assert np.any(weight.numpy() != before[weight.path]), weight.path
        else:
            np.testing.assert_array_equal(weight, before[weight.path], err_msg=weight.path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"regions": [2]}, "pretraining_epochs=1 needs regions=\\[\\] and ratios=false"),
        ({"ratios": True}, "pretraining_epochs=1 needs regions=\\[\\] and ratios=false"),
        ({"encoder": "echo_state"}, "pretraining_epochs=1 needs another encoder than echo_state"),
        ({"num_layers": 2}, "needs num_layers=1 or bidirectional=false, got num_layers=2"),
        ({"sampled_words": 0}, "sampled_words must be greater than or equal to 1, got 0"),
        ({"pretraining_steps": 0}, "pretraining_steps must be greater than or equal to 1, got 0"),
    ],
)
def test_settings_that_do_not_fit(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        validate(Config, {**changes, "pretraining_epochs": 1})


@pytest.mark.parametrize("changes", [{"num_layers": 2, "bidirectional": False}, {"level": "characters"}])
def test_settings_that_fit(changes: dict[str, Any]) -> None:
    assert validate(Config, {**changes, "pretraining_epochs": 1}).pretraining_epochs == 1
