"""The same classifier of all nodes of a tree in several ways: embedding, recursive cell, dense layer, Adam.

- `seqloom`: the layer of this package, level by level over the whole batch, in a `tf.function`.
- `eager`: TensorFlow, a Python recursion that computes each node as soon as its children are known.
- `loop`: TensorFlow, a `tf.while_loop` over the nodes of one tree at a time, in a `tf.function`.
- `torch`: PyTorch, the same recursion as in `eager`.
- `torch_one`: the same on one thread; where operations are as small as here, a second one can cost more than it brings.

Each offers `load(batches)` and `train(number)`, a training step on a batch in memory, and starts at the same weights.
Nothing heavy is imported before a contender is built, so that a process holds one framework only.
"""

from __future__ import annotations

import importlib.util
import os
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import numpy as np
from trees import CLASSES, VOCABULARY

FRAMEWORKS = {"tensorflow": ("eager", "loop"), "pytorch": ("torch", "torch_one")}
THREADS = 2  # of each contender, if nothing else is said
EPSILON = 1e-12  # of Adam: so small that it does not matter that Keras and PyTorch add it in different places
# Also the features of a word. Tai et al. (2015) take 150 units for these trees, Socher et al. (2013) 25 to 35.
UNITS = {"TreeLSTM": 150, "RecursiveNet": 30, "RecursiveTensorNet": 30}


def installed() -> list[str]:
    """Who is measured; PyTorch where it is installed."""
    return ["seqloom", "eager", "loop", *(["torch", "torch_one"] if importlib.util.find_spec("torch") else [])]


def build(contender: str, cell: str, threads: int = THREADS) -> Any:
    """The model of a contender, at the initial weights, in a process that has run nothing yet."""
    if contender in FRAMEWORKS["pytorch"]:
        from recursive_torch import TorchModel

        return TorchModel(cell, 1 if contender == "torch_one" else threads)
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    if contender == "seqloom":
        from level_by_level import SeqloomModel

        return SeqloomModel(cell)
    from node_by_node import EagerModel, LoopModel

    return {"eager": EagerModel, "loop": LoopModel}[contender](cell)


def initial_weights(cell: str) -> dict[str, np.ndarray]:
    """The weights under seqloom's names and in its order: embedding, those of the cell, dense layer."""
    units, arity = UNITS[cell], 2
    shapes = {"embedding": (VOCABULARY, units)}
    if cell == "TreeLSTM":
        shapes |= {"kernel": (units, 3 * units), "recurrent_kernel": (arity * units, (3 + arity) * units)}
        shapes |= {"bias": (4 * units,)}
    else:
        shapes |= {"recurrent_kernel": (arity * units, units), "bias": (units,)}
    if cell == "RecursiveTensorNet":
        shapes |= {"tensor": (arity * units, units, arity * units)}
    shapes |= {"dense_kernel": (units, CLASSES), "dense_bias": (CLASSES,)}
    generator = np.random.default_rng(0)
    return {name: generator.normal(0, scale(name, shape), shape).astype("float32") for name, shape in shapes.items()}


def scale(name: str, shape: tuple[int, ...]) -> float:
    """The spread of the weights: so that a node is about as large as its children, and all gates are at work."""
    if name == "embedding":
        return 0.5
    if len(shape) == 1:
        return 0.1
    return 1 / shape[0] if name == "tensor" else shape[0] ** -0.5
