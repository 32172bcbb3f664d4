"""Training against the worst small change: that it is the worst, what a step makes of it, and what it is good for."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from seqloom.pipelines.adversarial import AdversarialModel, worst_change

TIME, FEATURES, SHARE = 4, 3, 0.2


class Toy(AdversarialModel):
    """Scores a text by the states of a small recurrence over its vectors, which are its inputs."""

    def __init__(self, adversarial: float) -> None:
        super().__init__()
        self.adversarial = adversarial
        self.bend = keras.layers.Dense(8, activation="tanh")
        self.dense = keras.layers.Dense(2)
        self.bend.build((None, None, FEATURES))
        self.dense.build((None, 8))
        self.built = True

    def vectors(self, inputs: Any, training: bool | None = None) -> Any:
        return [inputs["vectors"]]

    def scored(self, inputs: Any, vectors: Any, training: bool | None = None) -> Any:
        real = tf.sequence_mask(inputs["lengths"], tf.shape(vectors[0])[1], tf.float32)
        return self.dense(tf.reduce_sum(self.bend(vectors[0]) * real[..., None], axis=1))

    def step_losses(self, inputs: Any, targets: Any, outputs: Any) -> dict[str, tf.Tensor]:
        return {"label": tf.nn.sparse_softmax_cross_entropy_with_logits(targets["label"], outputs)}


def batch(rows: int, seed: int = 0) -> tuple[dict[str, tf.Tensor], dict[str, tf.Tensor], dict[str, tf.Tensor]]:
    """Vectors whose first feature tells the class by a small margin, and whose others say little by a large one."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, rows)
    vectors = rng.normal(size=(rows, TIME, FEATURES)).astype("float32")
    vectors[:, :, 0] = 0.3 * (2 * labels[:, None] - 1) + 0.01 * vectors[:, :, 0]
    inputs = {"vectors": tf.constant(vectors), "lengths": tf.constant(rng.integers(1, TIME + 1, rows), tf.int32)}
    return inputs, {"label": tf.constant(labels, tf.int32)}, {"label": tf.fill([rows], 1.0 / rows)}


def losses(model: Toy, inputs: Any, targets: Any, noise: Any = 0.0) -> np.ndarray:
    """What each row costs with a change to its vectors."""
    return model.step_losses(inputs, targets, model.scored(inputs, [inputs["vectors"] + noise]))["label"].numpy()


@pytest.fixture
def model() -> Toy:
    """A model with the weights of seed 0."""
    keras.utils.set_random_seed(0)
    return Toy(SHARE)


def noise_of(model: Toy, *data: Any) -> np.ndarray:
    """The change that is trained on."""
    return model._noise(*data)[0].numpy()


def test_no_change_of_that_length_is_worse(model: Toy) -> None:
    model.adversarial = 1e-3  # where the loss is straight
    inputs, targets, weights = batch(8)
    noise = noise_of(model, inputs, targets, weights)
    worst = losses(model, inputs, targets, noise)
    assert (worst > losses(model, inputs, targets)).all()
    lengths = np.linalg.norm(noise.reshape(8, -1), axis=1)[:, None, None]
    rng = np.random.default_rng(1)
    for _ in range(200):
        other = rng.normal(size=noise.shape) * (noise != 0)
        other *= lengths / np.linalg.norm(other.reshape(8, -1), axis=1)[:, None, None]
        assert (losses(model, inputs, targets, other.astype("float32")) <= worst + 1e-6).all()


def test_its_length_is_the_share_of_what_is_read(model: Toy) -> None:
    inputs, targets, weights = batch(8)
    noise = noise_of(model, inputs, targets, weights)
    for row, length in enumerate(inputs["lengths"].numpy()):
        assert not noise[row, length:].any()
        read = np.linalg.norm(inputs["vectors"][row, :length])
        np.testing.assert_allclose(np.linalg.norm(noise[row]), SHARE * read, rtol=1e-5)


def test_neither_padding_nor_other_rows_change_it(model: Toy) -> None:
    inputs, targets, weights = batch(6)
    together = noise_of(model, inputs, targets, weights)
    for row in range(6):
        length = int(inputs["lengths"][row])
        alone = {"vectors": inputs["vectors"][row : row + 1, :length], "lengths": inputs["lengths"][row : row + 1]}
        label = {"label": targets["label"][row : row + 1]}
        noise = noise_of(model, alone, label, {"label": tf.ones([1])})
        np.testing.assert_allclose(noise[0], together[row, :length], atol=1e-6)


def test_a_row_of_weight_0_has_none(model: Toy) -> None:
    inputs, targets, _ = batch(2)
    noise = noise_of(model, inputs, targets, {"label": tf.constant([1.0, 0.0])})
    assert noise[0].any()
    assert not noise[1].any()
    assert not np.isnan(noise).any()
    assert not worst_change(tf.zeros([1, 2, 3]), tf.ones([1, 2, 3]), SHARE).numpy().any()


def test_a_step_descends_the_mean_of_both_losses(model: Toy) -> None:
    data = batch(8)
    noise = noise_of(model, *data)
    with tf.GradientTape() as tape:
        each = [
            model.step_losses(data[0], data[1], model.scored(data[0], [data[0]["vectors"] + change]))["label"]
            for change in (0.0, noise)
        ]
        mean = tf.reduce_mean(each)
    expected = [
        weight.numpy() - 0.5 * gradient.numpy()
        for weight, gradient in zip(model.trainable_weights, tape.gradient(mean, model.trainable_weights), strict=True)
    ]
    model.compile(keras.optimizers.SGD(0.5), jit_compile=False)
    model.fit(tf.data.Dataset.from_tensors(data), epochs=1, shuffle=False, verbose=0)
    for weight, value in zip(model.trainable_weights, expected, strict=True):
        np.testing.assert_allclose(weight.numpy(), value, atol=1e-6)
    np.testing.assert_allclose(model.mean_loss.result(), mean, rtol=1e-5)


def test_what_is_trained_so_stands_the_worst_change_better() -> None:
    train, (inputs, targets, weights) = batch(256), batch(256, seed=1)
    attacked = {}
    for share in (0.0, SHARE):
        keras.utils.set_random_seed(0)
        model = Toy(share)
        model.compile(keras.optimizers.Adam(0.02), jit_compile=False)
        model.fit(
            tf.data.Dataset.from_tensors(train).repeat(300), steps_per_epoch=300, epochs=1, shuffle=False, verbose=0
        )
        model.adversarial = SHARE
        attacked[share] = losses(model, inputs, targets, noise_of(model, inputs, targets, weights)).mean()
    assert attacked[SHARE] < 0.8 * attacked[0.0], attacked
