"""The same model from seqloom's, Keras' and PyTorch's recurrent layers: embedding, layer, dense.

Each contender offers `infer()` and `train()`, one call each on one batch in memory, and starts at the same weights.
Nothing heavy is imported before a contender is built, so that a process holds one framework only.
"""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np

VOCABULARY = 5_000
CLASSES = 10
GATES = {"LSTM": 4, "GRU": 3}


@dataclass(frozen=True)
class Case:
    """A recurrent layer and the batch it is given."""

    cell: str
    batch: int
    time: int
    inputs: int
    units: int
    directions: int = 1

    @property
    def shape(self) -> str:
        """As in `64x25x128x256`."""
        return f"{self.batch}x{self.time}x{self.inputs}x{self.units}"

    def operations(self, kind: str) -> int:
        """Floating-point operations of the recurrent layer's own products.

        A step multiplies inputs and state, `inputs + units` numbers, with a matrix of `gates * units` columns, which
        takes two operations for each element and row. The backward pass has two products for each of the forward
        pass, with respect to what is multiplied and to the matrix.
        """
        matrix = (self.inputs + self.units) * GATES[self.cell] * self.units
        return (3 if kind == "train" else 1) * 2 * self.batch * self.time * self.directions * matrix


def installed() -> list[str]:
    """Who is measured; PyTorch where it is installed."""
    return ["seqloom", "keras", *(["torch"] if importlib.util.find_spec("torch") else [])]


def build(contender: str, case: Case) -> Any:
    """The model of a contender with everything in place for the first call."""
    if contender == "torch":
        return TorchModel(case)
    if contender == "seqloom":
        from seqloom.layers import recurrence as layers
    else:
        from keras import layers
    return TensorFlowModel(case, layers)


def batch(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Word numbers and labels, int32 `(batch, time)`."""
    generator = np.random.default_rng(1)
    size = (case.batch, case.time)
    return tuple(generator.integers(0, end, size, dtype=np.int32) for end in (VOCABULARY, CLASSES))


def initial_weights(case: Case) -> list[np.ndarray]:
    """Embedding; kernel, recurrent kernel and bias for each direction; matrix and bias of the dense layer."""
    generator = np.random.default_rng(0)
    size = GATES[case.cell] * case.units
    bias = (2, size) if case.cell == "GRU" else (size,)
    recurrent = [(case.inputs, size), (case.units, size), bias] * case.directions
    shapes = [(VOCABULARY, case.inputs), *recurrent, (case.directions * case.units, CLASSES), (CLASSES,)]
    scales = [1.0, *[case.inputs**-0.5, case.units**-0.5, 0.1] * case.directions, case.units**-0.5, 0.1]
    return [generator.normal(0, scale, shape).astype("float32") for shape, scale in zip(shapes, scales, strict=True)]


class TensorFlowModel:
    """The model of the recurrent layers in a module that follows Keras, in `tf.function` without XLA."""

    def __init__(self, case: Case, layers: Any) -> None:
        import keras
        import tensorflow as tf

        layer = getattr(layers, case.cell)(case.units, return_sequences=True)
        layer = layers.Bidirectional(layer) if case.directions == 2 else layer
        model = keras.Sequential([keras.layers.Embedding(VOCABULARY, case.inputs), layer, keras.layers.Dense(CLASSES)])
        model.build((case.batch, case.time))
        for variable, value in zip(model.trainable_variables, initial_weights(case), strict=True):
            variable.assign(value)
        optimizer = keras.optimizers.Adam()
        optimizer.build(model.trainable_variables)
        self._words, self._labels = (tf.constant(each) for each in batch(case))

        @tf.function(autograph=False)
        def infer(words):
            return model(words, training=False)

        @tf.function(autograph=False)
        def train(words, labels):
            with tf.GradientTape() as tape:
                logits = model(words, training=True)
                losses = keras.losses.sparse_categorical_crossentropy(labels, logits, from_logits=True)
                loss = keras.ops.mean(losses)
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply(gradients, model.trainable_variables)
            return loss

        self._infer, self._train = infer, train

    def infer(self) -> np.ndarray:
        """The logits, float32 `(batch, time, classes)`."""
        return self._infer(self._words).numpy()

    def train(self) -> float:
        """One step of Adam; the loss before it."""
        return float(self._train(self._words, self._labels))


class TorchModel:
    """The model of PyTorch's layers, run eagerly, on as many threads as there are cores."""

    def __init__(self, case: Case) -> None:
        import torch

        torch.set_num_threads(os.cpu_count() or 1)
        self._embedding = torch.nn.Embedding(VOCABULARY, case.inputs)
        make_layer = getattr(torch.nn, case.cell)
        self._layer = make_layer(case.inputs, case.units, batch_first=True, bidirectional=case.directions == 2)
        self._dense = torch.nn.Linear(case.directions * case.units, CLASSES)
        self._model = torch.nn.ModuleList([self._embedding, self._layer, self._dense])
        with torch.no_grad():
            for parameter, value in zip(self._model.parameters(), torch_weights(case), strict=True):
                parameter.copy_(torch.from_numpy(value))
        self._optimizer = torch.optim.Adam(self._model.parameters())
        self._words, self._labels = (torch.from_numpy(each).long() for each in batch(case))
        self._torch = torch

    def _logits(self) -> Any:
        return self._dense(self._layer(self._embedding(self._words))[0])

    def infer(self) -> np.ndarray:
        """The logits, float32 `(batch, time, classes)`."""
        self._model.eval()
        with self._torch.inference_mode():
            return self._logits().numpy()

    def train(self) -> float:
        """One step of Adam; the loss before it."""
        self._model.train()
        self._optimizer.zero_grad()
        cross_entropy = self._torch.nn.functional.cross_entropy
        loss = cross_entropy(self._logits().flatten(0, 1), self._labels.flatten())
        loss.backward()
        self._optimizer.step()
        return loss.item()


def torch_weights(case: Case) -> list[np.ndarray]:
    """The initial weights as PyTorch arranges them: matrices transposed, two biases, a GRU's gates r, z, n."""
    embedding, *recurrent, dense, dense_bias = initial_weights(case)
    order = [1, 0, 2] if case.cell == "GRU" else [0, 1, 2, 3]

    def arranged(values: np.ndarray) -> np.ndarray:
        gates = np.split(values, len(order), axis=-1)
        return np.ascontiguousarray(np.concatenate([gates[i] for i in order], axis=-1).T)

    weights = [embedding]
    for kernel, recurrent_kernel, bias in zip(*[iter(recurrent)] * 3, strict=True):
        biases = bias if case.cell == "GRU" else (bias, np.zeros_like(bias))
        weights += [arranged(kernel), arranged(recurrent_kernel), *map(arranged, biases)]
    return [*weights, np.ascontiguousarray(dense.T), dense_bias]
