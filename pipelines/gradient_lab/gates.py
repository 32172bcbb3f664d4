"""An LSTM that learns to predict the next character of generated text, and the values of its gates."""

from __future__ import annotations

import logging
from typing import NamedTuple

import keras
import numpy as np

from ...datasets import travel_requests
from ...layers import LSTM

_log = logging.getLogger(__name__)

GATES = ("input", "forget", "output")
TRAIN_ROWS, TEST_ROWS = 2000, 100
_CHARACTERS_A_SENTENCE = 50  # fewer than there are on average, so that the text is long enough


class GateRecord(NamedTuple):
    """What is seen of an LSTM on text that it was not trained on.

    Attributes:
        values: `(gates, rows, steps, units)`, in the order of `GATES`.
        bits: mean of `-log2` of the probability of each next character.
    """

    values: np.ndarray
    bits: float


class Text(NamedTuple):
    """Rows of characters, each with its successor.

    Attributes:
        inputs: one-hot `(rows, length, characters)`.
        targets: integers `(rows, length)`.
    """

    inputs: np.ndarray
    targets: np.ndarray


def texts(seed: int, length: int) -> tuple[Text, Text]:
    """Generated travel requests, one after the other, cut into rows: those to train on, and others."""
    wanted = (TRAIN_ROWS + TEST_ROWS) * length + 1
    corpus = travel_requests.generate(seed=seed, train=wanted // _CHARACTERS_A_SENTENCE + 1, valid=1, test=1)
    text = "\n".join(" ".join(sentence.tokens) for sentence in corpus.train)
    known = sorted(set(text))
    ids = np.array([known.index(character) for character in text[:wanted]])
    inputs, targets = (ids[at : at + wanted - 1].reshape(-1, length) for at in (0, 1))
    inputs = np.eye(len(known), dtype="float32")[inputs]
    return Text(inputs[:TRAIN_ROWS], targets[:TRAIN_ROWS]), Text(inputs[TRAIN_ROWS:], targets[TRAIN_ROWS:])


def trained_gates(
    seed: int, units: int, length: int, updates: int, batch_size: int, learning_rate: float = 0.01
) -> tuple[GateRecord, GateRecord]:
    """Trains an LSTM to predict the next character; its gates on the same new text before and after."""
    train, test = texts(seed, length)
    model = character_model(units, train.inputs.shape[-1])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(learning_rate, clipnorm=1.0), loss)
    before = record(model, test)
    rng = np.random.default_rng([seed, 3])
    for _ in range(updates):
        rows = rng.integers(len(train.targets), size=batch_size)
        model.train_on_batch(train.inputs[rows], train.targets[rows])
    after = record(model, test)
    _log.info("LSTM on characters: %.2f bits a character before training, %.2f after", before.bits, after.bits)
    return before, after


def character_model(units: int, characters: int) -> keras.Model:
    """An LSTM that scores the next character at each step."""
    inputs = keras.Input((None, characters))
    states = LSTM(units, return_sequences=True, name="lstm")(inputs)
    return keras.Model(inputs, keras.layers.Dense(characters)(states))


def record(model: keras.Model, text: Text) -> GateRecord:
    """The model's gates and its bits a character."""
    weights = [np.asarray(weight) for weight in model.get_layer("lstm").get_weights()]
    nats = model.evaluate(*text, verbose=0)
    return GateRecord(gate_values(weights, text.inputs)[0], float(nats) / float(np.log(2)))


def gate_values(weights: list[np.ndarray], inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The gates of an LSTM `(gates, rows, steps, units)` and its last output `(rows, units)`, from its equations.

    i, f, o = s(x K + h R + b), g = tanh(x K + h R + b), c' = f c + i g, h' = o tanh(c'); the columns of the weights are
    those of i, f, g, o.

    Args:
        weights: kernel, recurrent kernel, bias.
        inputs: `(rows, steps, features)`.
    """
    kernel, recurrent_kernel, bias = weights
    h = c = np.zeros((len(inputs), recurrent_kernel.shape[0]))
    values = []
    for x in inputs.swapaxes(0, 1):
        z_i, z_f, z_g, z_o = np.split(x @ kernel + h @ recurrent_kernel + bias, 4, axis=1)
        i, f, o = (0.5 * (1 + np.tanh(0.5 * z)) for z in (z_i, z_f, z_o))
        c = f * c + i * np.tanh(z_g)
        h = o * np.tanh(c)
        values.append([i, f, o])
    return np.array(values).transpose(1, 2, 0, 3), h
