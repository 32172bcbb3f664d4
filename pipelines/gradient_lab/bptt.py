"""The textbook's recurrent network and its gradients, written out and by automatic differentiation.

For each step, with one-hot inputs x and integer targets y:

    a_t = b + W h_{t-1} + U x_t      h_t = tanh(a_t)      o_t = c + V h_t      p_t = softmax(o_t)
    L = sum_t -log p_t[y_t]

References:
    Goodfellow, Bengio and Courville, *Deep Learning*, 2016, section 10.2.2, equations 10.17 to 10.28.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

Parameters: TypeAlias = dict[str, np.ndarray]


def forward(parameters: Parameters, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The states `(rows, steps, units)` and the probabilities `(rows, steps, symbols)`; the first state is zero.

    Args:
        parameters: `b` `(units,)`, `c` `(symbols,)`, `U` `(units, features)`, `V` `(symbols, units)`, `W`
            `(units, units)`.
        inputs: `(rows, steps, features)`.
    """
    b, c, U, V, W = (parameters[name] for name in "bcUVW")
    h = np.zeros((len(inputs), len(b)))
    states = []
    for x in inputs.swapaxes(0, 1):
        h = np.tanh(b + h @ W.T + x @ U.T)
        states.append(h)
    h = np.stack(states, axis=1)
    o = c + h @ V.T
    p = np.exp(o - o.max(axis=-1, keepdims=True))
    return h, p / p.sum(axis=-1, keepdims=True)


def gradients(
    parameters: Parameters, inputs: np.ndarray, targets: np.ndarray, length: int | None = None, by_blocks: bool = False
) -> Parameters:
    """The gradients of the loss by all parameters and by the states `h` `(rows, steps, units)`, written out.

    Args:
        parameters: as in `forward`.
        inputs: `(rows, steps, features)`.
        targets: integers `(rows, steps)`.
        length: through how many states a loss is carried back, its own included; through all if not given.
        by_blocks: cut the sequence into blocks of `length` steps, and carry nothing back from one into another.
    """
    W, V = parameters["W"], parameters["V"]
    h, p = forward(parameters, inputs)
    steps = inputs.shape[1]
    by_o = p - np.eye(p.shape[-1])[targets]  # (10.18)
    by_h = np.zeros_like(h)
    ages = np.zeros((0, *h[:, 0].shape))  # what reaches the state, apart by the age of the losses it comes from
    for t in reversed(range(steps)):
        if length is not None and by_blocks and (t + 1) % length == 0:
            ages = ages[:0]
        if t + 1 < steps:
            ages = (ages * (1 - h[:, t + 1] ** 2)) @ W  # (10.21), first term
        own = by_o[:, t] @ V  # (10.19), and the second term of (10.21)
        ages = np.concatenate([own[None], ages])
        ages = ages.sum(axis=0, keepdims=True) if length is None or by_blocks else ages[:length]
        by_h[:, t] = ages.sum(axis=0)
    by_a = by_h * (1 - h**2)
    before = np.concatenate([np.zeros_like(h[:, :1]), h[:, :-1]], axis=1)
    return {
        "b": by_a.sum(axis=(0, 1)),  # (10.23)
        "c": by_o.sum(axis=(0, 1)),  # (10.22)
        "U": np.einsum("rti,rtj->ij", by_a, inputs),  # (10.28)
        "V": np.einsum("rti,rtj->ij", by_o, h),  # (10.24)
        "W": np.einsum("rti,rtj->ij", by_a, before),  # (10.26)
        "h": by_h,
    }


def tape_gradients(parameters: Parameters, inputs: np.ndarray, targets: np.ndarray) -> Parameters:
    """The same gradients as `gradients`, by TensorFlow's automatic differentiation."""
    import tensorflow as tf

    variables = {name: tf.Variable(value) for name, value in parameters.items()}
    b, c, U, V, W = (variables[name] for name in "bcUVW")
    states = []
    with tf.GradientTape() as tape:
        h = tf.zeros((len(inputs), b.shape[0]), tf.float64)
        loss = tf.zeros((), tf.float64)
        for t in range(inputs.shape[1]):
            h = tf.tanh(b + tf.matmul(h, W, transpose_b=True) + tf.matmul(inputs[:, t], U, transpose_b=True))
            states.append(h)
            o = c + tf.matmul(h, V, transpose_b=True)
            loss += tf.reduce_sum(tf.nn.sparse_softmax_cross_entropy_with_logits(targets[:, t], o))
    found = tape.gradient(loss, [*variables.values(), *states])
    named = {name: gradient.numpy() for name, gradient in zip(variables, found, strict=False)}
    return {**named, "h": np.stack([gradient.numpy() for gradient in found[len(variables) :]], axis=1)}
