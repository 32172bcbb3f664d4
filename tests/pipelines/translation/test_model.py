"""The translator by itself: its losses, its ways to see the source and to end, and what padding may not change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from seqloom.datasets import bilingual_sentences
from seqloom.datasets.translated_sentence import TranslatedSentence
from seqloom.pipelines.exporting import export_server
from seqloom.pipelines.translation.config import Config
from seqloom.pipelines.translation.data import Preprocessor, training_data
from seqloom.pipelines.translation.model import TranslationModel
from seqloom.pipelines.translation.serving import TranslationServer
from seqloom.pipelines.vocabulary import END, PADDING, START, UNKNOWN

KINDS: list[dict[str, Any]] = [
    {"access": "initial_state", "encoder": "lstm", "ending": "bernoulli"},
    {"access": "both", "encoder": "simple", "decoder_layers": 2, "connections": "residual"},
    {"access": "input", "ending": "predicted_length", "tied_embeddings": False},
    {"attention": "multiplicative", "input_feeding": False, "coverage_penalty": 0.2},
    {"source_level": "subword", "source_pieces": 200, "scheduled_sampling": 0.5, "adversarial": 0.1},
    {"search": "greedy", "n_best": 1, "bidirectional": False, "num_layers": 2, "embedding_dim": 12},
]


@pytest.fixture(scope="module")
def sentences() -> list[TranslatedSentence]:
    return bilingual_sentences.generate(seed=1, train=60, valid=1, test=1).train


def made(
    sentences: list[TranslatedSentence], **settings: Any
) -> tuple[Config, Preprocessor, TranslationModel, TranslationServer]:
    tf.keras.utils.set_random_seed(0)
    small = {"units": 8, "embedding_dim": 8, "beam_width": 3, "n_best": 2, "max_symbols": 30, "min_count": 1}
    config = Config(**{**small, **settings})
    preprocessor = Preprocessor.fit(sentences, config)
    sizes = {"source": len(preprocessor.source), "target": len(preprocessor.target)}
    model = TranslationModel(config=config.model_dump(), sizes=sizes)
    model.build()
    return config, preprocessor, model, TranslationServer(model, preprocessor, config)


def batch(sentences: list[TranslatedSentence], preprocessor: Preprocessor, config: Config, rows: list[int]) -> Any:
    data = training_data(sentences, preprocessor, config)
    inputs, targets, weights = data.batch(tf.constant(rows, tf.int64), tf.constant(5, tf.int64))
    return inputs, targets, {name: weight / tf.reduce_sum(weight) for name, weight in weights.items()}


@pytest.mark.parametrize("settings", KINDS, ids=lambda kind: "-".join(f"{k}={v}" for k, v in kind.items()) or "plain")
def test_every_kind_learns_and_answers(sentences: list[TranslatedSentence], settings: dict[str, Any]) -> None:
    config, preprocessor, model, server = made(sentences, **settings)
    inputs, targets, weights = batch(sentences, preprocessor, config, [3, 5, 20, 41])
    model.compile(optimizer=tf.keras.optimizers.Adam(0.02))
    steps = [model.train_on_batch(inputs, targets, sample_weight=weights, return_dict=True) for _ in range(8)]
    losses = [step["mean_loss"] for step in steps]
    assert np.all(np.isfinite(losses))
    assert losses[-1] < losses[0]
    found = server.function()(text=tf.constant([sentences[3].source, "", "§§§", sentences[5].source]))
    errors = [error.decode() for error in found["error"].numpy()]
    assert errors == ["", "the text has no words", "the text has no word that the model knows", ""]
    assert not found["translations"][1:3].numpy().astype(bool).any()
    assert np.all(np.isfinite(found["scores"]))
    lengths = [len([symbol for symbol in row if symbol]) for row in found["symbols"].numpy()]
    assert lengths[1] == lengths[2] == 0
    alignments = found["alignments"].numpy()[0, : lengths[0]]
    assert np.all(alignments >= 0) if config.access == "attention" else np.all(alignments == -1)


def test_an_export_ends_as_the_model_does(sentences: list[TranslatedSentence], tmp_path: Path) -> None:
    *_, server = made(sentences, ending="bernoulli", access="both")
    texts = tf.constant([each.source for each in sentences[:6]])
    expected = server.function()(text=texts)
    export_server(server, tmp_path / "1", {"text": sentences[0].source})
    answer = tf.saved_model.load(str(tmp_path / "1")).signatures["serving_default"]
    np.testing.assert_array_equal(answer(text=texts)["translations"], expected["translations"])
    np.testing.assert_allclose(answer(text=texts)["scores"], expected["scores"], atol=1e-4)
    assert answer(text=tf.constant([], tf.string))["translations"].shape[0] == 0


def test_the_loss_is_the_smoothed_cross_entropy(sentences: list[TranslatedSentence]) -> None:
    config, preprocessor, model, _ = made(sentences, label_smoothing=0.2)
    inputs, targets, _ = batch(sentences, preprocessor, config, [3, 5])
    outputs = model(inputs)
    classes = len(preprocessor.target)
    smooth = 0.8 * np.eye(classes)[targets["symbols"].numpy()] + 0.2 / classes
    logits = outputs["symbols"].numpy().astype(np.float64)
    log_probs = logits - np.log(np.exp(logits).sum(axis=-1, keepdims=True))
    expected = -(smooth * log_probs).sum(axis=-1)
    np.testing.assert_allclose(model.step_losses(inputs, targets, outputs)["symbols"], expected, rtol=1e-4)


def test_padding_is_invisible(sentences: list[TranslatedSentence]) -> None:
    config, preprocessor, model, _ = made(sentences)
    inputs, _, _ = batch(sentences, preprocessor, config, [3, 5])
    expected = model(inputs)["symbols"].numpy()
    padded = {name: tf.pad(each, [[0, 0], [0, 4]], constant_values=7) if each.shape.rank == 2 else each
              for name, each in inputs.items()}  # fmt: skip
    actual = model(padded)["symbols"].numpy()
    for row, length in enumerate(inputs["target_lengths"].numpy()):
        np.testing.assert_allclose(actual[row, :length], expected[row, :length], atol=1e-5)


@pytest.mark.parametrize("ending", ["end_symbol", "bernoulli", "predicted_length"])
def test_the_decoder_reads_what_it_wrote_one_step_before(sentences: list[TranslatedSentence], ending: str) -> None:
    config, preprocessor, *_ = made(sentences, ending=ending)
    inputs, targets, _ = batch(sentences, preprocessor, config, [7])
    writer = preprocessor.writer(config)
    pairs = [target for sentence in sentences for target in sentence.targets]
    [content] = writer.ids(writer.symbols(tf.constant(pairs[7:8])).to_tensor("")).numpy().tolist()
    if ending == "end_symbol":
        assert inputs["target"].numpy().tolist() == [[START, *content]]
        assert targets["symbols"].numpy().tolist() == [[*content, END]]
    else:
        assert inputs["target"].numpy().tolist() == [[START, *content[:-1]]]
        assert targets["symbols"].numpy().tolist() == [content]


@pytest.mark.parametrize("ending", ["end_symbol", "bernoulli", "predicted_length"])
def test_a_step_is_a_distribution_over_what_may_be_written(sentences: list[TranslatedSentence], ending: str) -> None:
    """Probabilities add up to one at every step, and padding, start and unknown have none."""
    *_, model, server = made(sentences, ending=ending)
    source, lengths, *_ = server._read(tf.constant([each.source for each in sentences[:4]]))
    step, states = model.generation(source, lengths, 1)
    symbols = tf.fill([4], START)
    for _ in range(3):
        log_probs, states, _ = step(symbols, states)
        np.testing.assert_allclose(np.exp(log_probs).sum(axis=-1), 1, atol=1e-5)
        assert np.all(np.isneginf(log_probs.numpy()[:, [PADDING, UNKNOWN, START]]))
        symbols = tf.argmax(log_probs, axis=-1, output_type=tf.int32)


def test_generation_scores_as_training_does(sentences: list[TranslatedSentence]) -> None:
    """The log probability of a target, symbol by symbol, is what teacher forcing says of all at once."""
    config, preprocessor, model, _ = made(sentences, label_smoothing=0.0)
    inputs, targets, _ = batch(sentences, preprocessor, config, [3])
    forced = model(inputs)["symbols"] + model._never_written
    expected = tf.gather(tf.nn.log_softmax(forced), targets["symbols"], axis=-1, batch_dims=2).numpy()[0]
    step, states = model.generation(inputs["source"], inputs["source_lengths"], 1)
    actual = []
    for read, written in zip(inputs["target"][0], targets["symbols"][0], strict=True):
        log_probs, states, _ = step(read[None], states)
        actual.append(float(log_probs[0, written]))
    np.testing.assert_allclose(actual, expected, atol=1e-5)


def test_scheduled_sampling_starts_with_the_symbols_of_train(sentences: list[TranslatedSentence]) -> None:
    config, preprocessor, *_ = made(sentences, scheduled_sampling=0.9, epochs=10)
    data = training_data(sentences, preprocessor, config)
    rows = tf.constant(range(40), tf.int64)
    shares = []
    for epoch in (0, 4, 9):
        inputs, _, _ = data.batch(rows, tf.constant(epoch, tf.int64))
        shares.append(float(tf.reduce_mean(tf.cast(inputs["sampled"], tf.float32))))
    assert shares[0] == 0
    assert shares[1] == pytest.approx(0.4, abs=0.1)
    assert shares[2] == pytest.approx(0.9, abs=0.1)
