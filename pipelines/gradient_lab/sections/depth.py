"""Stacks of recurrent layers: what arrives at the lowest one, and what shortcuts between layers do for it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ....layers.encoder import Encoder
from ...reporting import page
from ...reporting.figures import lines
from ...run_directory import read_json, write_json
from ...study import Block
from ..config import Config
from ..section import Section
from ..tasks import ORDER
from ..training import Schedule, task_loss, test_loss, train

_log = logging.getLogger(__name__)
_NUMBER = 8  # of the section, for its random numbers
CONNECTIONS = {"plain": "none", "residual": "residual", "highway": "highway", "dense": "dense"}


class Depth(Section):
    """Gradient at the lowest layer and loss after a short training, against the number of layers."""

    name = "depth"
    title = "Depth"
    claim = (
        "A gradient has to come down through the layers as well as back through time. In a stack of untrained LSTM "
        "layers less of it arrives at the lowest layer the more layers there are; residual connections carry it down."
    )

    def compute(self, config: Config, folder: Path) -> dict[str, Any]:
        stacks = []
        for layers in config.depth_layers:
            for name in CONNECTIONS:
                kept = folder / f"{name}-{layers}.json"
                if not kept.is_file():
                    write_json(kept, measured(config, name, layers))
                stacks.append(read_json(kept))
                _log.info("%d layers, %s: loss %.3f", layers, name, stacks[-1]["loss"])
        return {
            "stacks": stacks,
            "layers": config.depth_layers,
            "encoder": config.depth_encoder,
            "units": config.depth_units,
            "length": config.depth_length,
            "updates": config.depth_updates,
            "baseline": ORDER.baseline(config.depth_length),
        }

    def render(self, results: dict[str, Any]) -> list[Block]:
        layers = results["layers"]
        norms = {name: _column(results, name, "lowest") for name in CONNECTIONS}
        losses = {name: _column(results, name, "loss") for name in CONNECTIONS}
        losses["a guess"] = [results["baseline"]] * len(layers)
        labels: dict[str, Any] = {"xlabel": "layers", "log_x": True, "log_y": True}
        return [
            page.prose(_text(results)),
            lines(layers, norms, title="Gradient at the lowest layer", ylabel="norm, before training", **labels),
            lines(layers, losses, title="Loss after training", ylabel="cross-entropy (nats)", **labels),
            _table(results),
        ]

    def metric(self, results: dict[str, Any]) -> tuple[str, float]:
        plain, shortcut = (_column(results, name, "lowest")[-1] for name in ("plain", "residual"))
        return "depth_gradient_residual_to_plain", shortcut / max(plain, 1e-300)


def measured(config: Config, name: str, layers: int) -> dict[str, Any]:
    """One stack: its gradients before training, and its loss after it."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(config.seed)
    model = stack(config, name, layers)
    lowest, highest = gradient_norms(model, config)
    schedule = Schedule(config.depth_updates, config.depth_batch, config.depth_rate)
    train(model, ORDER, config.depth_length, schedule, config.seed)
    return {
        "connections": name,
        "layers": layers,
        "lowest": lowest,
        "highest": highest,
        "loss": test_loss(model, ORDER, config.depth_length, schedule, config.seed),
        "parameters": model.count_params(),
    }


def stack(config: Config, name: str, layers: int) -> keras.Model:
    """An encoder that reads forwards, and a linear read-out of its last step."""
    inputs = keras.Input((config.depth_length, ORDER.features))
    lengths = ops.sum(ops.ones_like(inputs[..., 0], dtype="int32"), axis=1)
    encoder = Encoder(
        config.depth_encoder,
        config.depth_units,
        num_layers=layers,
        connections=CONNECTIONS[name],
        bidirectional=False,
        name="encoder",
    )
    outputs = encoder(inputs, lengths=lengths)  # (batch, time, units)
    return keras.Model(inputs, keras.layers.Dense(ORDER.outputs)(outputs[:, -1]))


def gradient_norms(model: keras.Model, config: Config) -> tuple[float, float]:
    """Norms of the gradient with respect to the weights of the lowest and of the highest layer."""
    random = np.random.default_rng([config.seed, _NUMBER])
    inputs, targets = ORDER.draw(random, config.depth_batch, config.depth_length)
    layers = model.get_layer("encoder").forward_layers
    with tf.GradientTape() as tape:
        loss = task_loss(ORDER)(targets, model(inputs, training=True))
    gradients = tape.gradient(loss, [layers[0].trainable_variables, layers[-1].trainable_variables])
    return float(tf.linalg.global_norm(gradients[0])), float(tf.linalg.global_norm(gradients[1]))


def _column(results: dict[str, Any], name: str, what: str) -> list[float]:
    return [each[what] for each in results["stacks"] if each["connections"] == name]


def _text(results: dict[str, Any]) -> str:
    deepest = results["layers"][-1]
    arrived = ", ".join(f"{_column(results, name, 'lowest')[-1]:.1g} ({name})" for name in CONNECTIONS)
    return (
        f"Layers of {results['units']} units (the cell is {results['encoder']}) are stacked, and learn the temporal "
        f"order problem over {results['length']} steps for {results['updates']:,} updates: few steps, so that depth is "
        "the difficulty. A residual layer adds its input to its output, a highway layer chooses between them by a "
        "gate, and a dense one reads the outputs of all layers below. Before training, the norm of the gradient at the "
        f"weights of the lowest of {deepest} layers is {arrived}. A guess among the four answers costs "
        f"{results['baseline']:.3f}."
    )


def _table(results: dict[str, Any]) -> page.Table:
    rows: list[list[page.Cell]] = [
        [
            each["connections"],
            each["layers"],
            each["parameters"],
            f"{each['lowest']:.1e}",
            f"{each['highest']:.1e}",
            each["loss"],
        ]
        for each in results["stacks"]
    ]
    columns = ("connections", "layers", "weights", "gradient, lowest layer", "gradient, highest layer", "loss")
    return page.Table(columns, rows, "Every stack: gradients before training, loss on new sequences after it")
