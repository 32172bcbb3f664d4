"""The checks that every public layer passes.

A `LayerCase` says how to make a layer and its inputs; each `check_...` function takes one and asserts one property.
Run as a program, this file is the fresh process that loads what `save_models` wrote.
"""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from seqloom.layers.custom_gradient import inference_only
from seqloom.pipelines.distribution import make_strategy

Inputs = dict[str, np.ndarray]


def call(layer: keras.layers.Layer, inputs: dict) -> tf.Tensor:
    return layer(**inputs)


def mean_square(layer: keras.layers.Layer, inputs: dict) -> tf.Tensor:
    outputs = layer(**inputs)
    return tf.reduce_mean(tf.square(tf.cast(outputs, layer.variable_dtype)), axis=range(1, len(outputs.shape)))


@dataclass(frozen=True)
class LayerCase:
    """A layer with the inputs on which it is checked.

    Args:
        name: of the case, as tests print it.
        make: returns the layer; `make(dtype=...)` in another precision. Dropout off, unless it makes no difference.
        inputs: `inputs(padding)` returns the call arguments by name, at least two rows with different lengths, the
            same for every `padding` except for that many more steps on each padded axis, which hold anything but zeros.
        outputs: computes from layer and inputs what is compared. Defaults to calling the layer.
        objective: computes from layer and inputs one number for each row, differentiable. Defaults to the mean square.
        tolerance: largest difference, absolute and relative, that counts as none in float32.
        mixed_tolerance: the same between half precision and float32.
        mixed_dtype: dtype of the outputs under mixed precision; `None` is the compute dtype.
        time_last: names of float inputs whose last axis is time and not features.
    """

    name: str
    make: Callable[..., keras.layers.Layer]
    inputs: Callable[[int], Inputs]
    outputs: Callable[[keras.layers.Layer, dict], tf.Tensor] = call
    objective: Callable[[keras.layers.Layer, dict], tf.Tensor] = mean_square
    tolerance: float = 1e-5
    mixed_tolerance: float = 0.05
    mixed_dtype: str | None = None
    time_last: tuple[str, ...] = ()

    def made(self, dtype: str | None = None) -> keras.layers.Layer:
        """The layer, built, with random weights that are the same at each call."""
        layer = self.make(**({} if dtype is None else {"dtype": dtype}))
        self.outputs(layer, self.tensors(layer))
        rng = np.random.default_rng(1)
        for weight in layer.trainable_weights:
            weight.assign(rng.normal(scale=0.5, size=weight.shape))
        return layer

    def tensors(self, layer: keras.layers.Layer, padding: int = 0) -> dict[str, tf.Tensor]:
        return {
            name: tf.convert_to_tensor(array, layer.variable_dtype if is_float(array) else array.dtype)
            for name, array in self.inputs(padding).items()
        }

    def module(self, layer: keras.layers.Layer) -> tf.Module:
        """Something to export: the layer behind a function whose axes all have unknown sizes, except features."""
        module = tf.Module()
        module.layer = layer
        names = list(self.inputs(0))
        module.serve = tf.function(
            lambda *tensors: self.outputs(layer, dict(zip(names, tensors, strict=True))),
            input_signature=[
                tf.TensorSpec(self.free_shape(name, array), array.dtype) for name, array in self.inputs(0).items()
            ],
        )
        return module

    def free_shape(self, name: str, array: np.ndarray) -> tuple[int | None, ...]:
        """The shape of an input with no known sizes, except that of features."""
        has_features = is_float(array) and name not in self.time_last
        return (*(None for _ in array.shape[:-1]), array.shape[-1] if has_features else None)

    def symbolic_inputs(self, free: bool = True) -> dict[str, keras.KerasTensor]:
        return {
            name: keras.Input(
                batch_shape=self.free_shape(name, array) if free else array.shape, dtype=array.dtype.name, name=name
            )
            for name, array in self.inputs(0).items()
        }


def is_float(array: np.ndarray) -> bool:
    return np.issubdtype(array.dtype, np.floating)


def assert_close(actual: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    if is_float(np.asarray(expected)):
        np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)
    else:
        np.testing.assert_array_equal(actual, expected)


def check_config_round_trip(case: LayerCase) -> None:
    """A layer made from its config, through JSON, has this config, all its arguments and weights of equal shapes."""
    layer = case.made()
    config = layer.get_config()
    arguments = inspect.signature(type(layer).__init__).parameters.values()
    names = {argument.name for argument in arguments if argument.kind is argument.POSITIONAL_OR_KEYWORD} - {"self"}
    assert names <= set(config)
    twin = keras.saving.deserialize_keras_object(json.loads(json.dumps(keras.saving.serialize_keras_object(layer))))
    assert type(twin) is type(layer)
    assert keras.saving.get_registered_name(type(layer)) == f"seqloom>{type(layer).__name__}"
    assert json.dumps(twin.get_config()) == json.dumps(config)
    case.outputs(twin, case.tensors(twin))
    assert [weight.shape for weight in twin.weights] == [weight.shape for weight in layer.weights]


def check_symbolic_shape(case: LayerCase) -> None:
    """The shape and dtype of a symbolic call are those of a real one, also where axes have no known size."""
    layer, inputs = case.made(), case.inputs(0)
    real = layer(**case.tensors(layer))
    for free in (False, True):
        symbolic = layer(**case.symbolic_inputs(free))
        assert keras.backend.standardize_dtype(symbolic.dtype) == keras.backend.standardize_dtype(real.dtype)
        assert len(symbolic.shape) == len(real.shape)
        sizes = zip(symbolic.shape, real.shape, strict=True)
        assert all(size == true or (free and size is None) for size, true in sizes), symbolic.shape
    assert layer.compute_output_shape(next(iter(inputs.values())).shape) == tuple(real.shape)


class ObjectiveModel(keras.Model):
    """Trains a layer on its objective, with one weight of its own for layers that have none."""

    def __init__(self, case: LayerCase) -> None:
        super().__init__()
        self.case, self.layer = case, case.made()
        self.offset = self.add_weight(name="offset", initializer="ones")

    def build(self, inputs_shape: object) -> None:
        pass

    def call(self, inputs: dict) -> tf.Tensor:
        return self.case.objective(self.layer, inputs) + self.offset


def check_fit_step(case: LayerCase) -> None:
    """One step of `fit` moves every weight that has a gradient, to a finite value."""
    model = ObjectiveModel(case)
    before = [weight.numpy() for weight in model.trainable_weights]
    inputs = case.inputs(0)
    rows = len(next(iter(inputs.values())))
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=lambda targets, outputs: keras.ops.mean(outputs))
    model.fit(inputs, np.zeros(rows), batch_size=rows, verbose=0)
    for old, weight in zip(before, model.trainable_weights, strict=True):
        assert np.all(np.isfinite(weight.numpy())), weight.path
        assert np.any(old != weight.numpy()), weight.path


def check_mixed_precision(case: LayerCase) -> None:
    """In half precision the outputs stay close to those in float32, and gradients stay finite."""
    plain = case.made()
    expected = case.outputs(plain, case.tensors(plain)).numpy()
    for policy in ("mixed_bfloat16", "mixed_float16"):
        layer = case.made(policy)
        inputs = case.tensors(layer)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(case.objective(layer, inputs))
        outputs = case.outputs(layer, inputs)
        assert outputs.dtype.name == (case.mixed_dtype or layer.compute_dtype)
        assert_close(tf.cast(outputs, expected.dtype).numpy(), expected, case.mixed_tolerance)
        for gradient in gradients(tape, loss, layer):
            assert gradient.dtype == tf.float32
            assert np.all(np.isfinite(gradient))


def gradients(tape: tf.GradientTape, loss: tf.Tensor, layer: keras.layers.Layer) -> list[tf.Tensor]:
    if not layer.trainable_weights:
        return []
    return [tf.convert_to_tensor(each) for each in tape.gradient(loss, [w.value for w in layer.trainable_weights])]


def check_padding_invariance(case: LayerCase) -> None:
    """More padding changes no output of a real step."""
    layer = case.made()
    serve = case.module(layer).serve
    expected = serve(*case.tensors(layer).values()).numpy()
    padded = serve(*case.tensors(layer, padding=3).values()).numpy()
    assert_close(padded[tuple(slice(size) for size in expected.shape)], expected, case.tolerance)


def check_batch_of_one(case: LayerCase) -> None:
    """A row alone gives what it gives in a batch."""
    layer = case.made()
    serve = case.module(layer).serve
    inputs = case.tensors(layer)
    expected = serve(*inputs.values()).numpy()
    for row in range(len(expected)):
        alone = serve(*(tensor[row : row + 1] for tensor in inputs.values())).numpy()
        assert_close(alone, expected[row : row + 1], case.tolerance)


def check_gradients(case: LayerCase, step: float = 1e-6) -> None:
    """In float64 the slope along a random direction is the one that finite differences give, for each weight."""
    layer = case.made("float64")
    inputs = case.tensors(layer)
    weights = [weight.value for weight in layer.trainable_weights]
    sources = weights + [tensor for tensor in inputs.values() if tensor.dtype.is_floating]
    rng = np.random.default_rng(2)

    def total(*offsets: tf.Tensor) -> tf.Tensor:
        shifted = iter(offsets)
        moved = {name: each + next(shifted) if each.dtype.is_floating else each for name, each in inputs.items()}
        return tf.reduce_sum(case.objective(layer, moved))

    @tf.function
    def slopes(offsets: list[tf.Tensor]) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(offsets)
            loss = total(*offsets)
        return [tf.convert_to_tensor(each) for each in tape.gradient(loss, [*weights, *offsets])]

    if not sources:
        return
    value = tf.function(total)
    offsets = [tf.zeros_like(tensor) for tensor in sources[len(weights) :]]
    for position, gradient in enumerate(slopes(offsets)):
        direction = rng.normal(size=gradient.shape)
        differences = []
        for sign in (1, -1):
            if position < len(weights):
                original = weights[position].numpy()
                weights[position].assign(original + sign * step * direction)
                differences.append(sign * float(value(*offsets)))
                weights[position].assign(original)
            else:
                moved = list(offsets)
                moved[position - len(weights)] = tf.constant(sign * step * direction)
                differences.append(sign * float(value(*moved)))
        expected = sum(differences) / (2 * step)
        np.testing.assert_allclose(np.sum(gradient * direction), expected, rtol=1e-5, atol=1e-7)


def check_saved_model(case: LayerCase, folder: Path) -> None:
    """An exported layer gives the same after loading, with no operation that a plain server lacks."""
    layer = case.made()
    inputs = case.tensors(layer)
    expected = case.outputs(layer, inputs).numpy()
    tf.saved_model.save(case.module(layer), folder)
    loaded = tf.saved_model.load(folder)
    assert_close(loaded.serve(*inputs.values()).numpy(), expected, case.tolerance)
    assert not [name for name in operations(loaded.serve) if any(bad in name for bad in ("PyFunc", "Xla", "Cudnn"))]


def operations(function: tf.types.experimental.PolymorphicFunction) -> set[str]:
    return {node.op for node in nodes(function.concrete_functions[0])}


def nodes(function: tf.types.experimental.ConcreteFunction) -> list:
    graph = function.graph.as_graph_def()
    return [*graph.node, *(node for library in graph.library.function for node in library.node_def)]


def check_inference_only(case: LayerCase) -> None:
    """Traced as for an export of a pipeline, a layer gives the same, and its graph has no written out gradient."""
    layer = case.made()
    inputs = case.tensors(layer)
    with inference_only():
        serve = case.module(layer).serve.get_concrete_function()
    assert_close(serve(*inputs.values()).numpy(), case.outputs(layer, inputs).numpy(), case.tolerance)
    assert not [node.name for node in nodes(serve) if "_gradient_op_type" in node.attr]


def check_mirrored(case: LayerCase) -> None:
    """Two replicas with a part of the rows each have the summed gradients of one device with all rows."""
    strategy = make_strategy("mirrored")
    plain = case.made()
    inputs = case.tensors(plain)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(case.objective(plain, inputs))
    expected = [loss, *gradients(tape, loss, plain)]
    with strategy.scope():
        layer = case.made()
    parts = strategy.experimental_distribute_values_from_function(
        lambda context: {
            name: tensor[:1] if context.replica_id_in_sync_group == 0 else tensor[1:] for name, tensor in inputs.items()
        }
    )

    def step(part: dict) -> list[tf.Tensor]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(case.objective(layer, part))
        return [loss, *gradients(tape, loss, layer)]

    @tf.function
    def run() -> list[tf.Tensor]:
        return [strategy.reduce("SUM", each, axis=None) for each in strategy.run(step, [parts])]

    for actual, each in zip(run(), expected, strict=True):
        np.testing.assert_allclose(actual, each, rtol=1e-4, atol=1e-5)


def save_models(cases: Iterable[LayerCase], folder: Path) -> dict[str, np.ndarray]:
    """Writes each case as a `.keras` file with its inputs, and returns what the layers answer."""
    outputs = {}
    for case in cases:
        layer = case.made()
        symbols = case.symbolic_inputs()
        keras.Model(symbols, layer(**symbols)).save(folder / f"{case.name}.keras")
        np.savez(folder / f"{case.name}.inputs.npz", **case.inputs(0))
        outputs[case.name] = layer(**case.tensors(layer)).numpy()
    return outputs


def load_in_fresh_process(folder: Path) -> dict[str, np.ndarray]:
    """Loads and calls what `save_models` wrote, in one process that has imported nothing but the layers."""
    subprocess.run([sys.executable, __file__, folder], check=True)
    return {path.stem: np.load(path) for path in folder.glob("*.npy")}


def main(folder: Path) -> None:
    import seqloom.layers  # noqa: F401  (registers the classes)

    for path in folder.glob("*.keras"):
        model = keras.saving.load_model(path)
        with np.load(folder / f"{path.stem}.inputs.npz") as inputs:
            np.save(folder / f"{path.stem}.npy", model({name: tf.constant(inputs[name]) for name in inputs}).numpy())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
