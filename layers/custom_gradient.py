"""Gradients that are written out, and left out where nothing is differentiated."""

import contextlib
import contextvars
import functools

import tensorflow as tf

_LEFT_OUT = contextvars.ContextVar("left_out", default=False)


def custom_gradient(function):
    """Decorates a function as `tf.custom_gradient` does, whose gradient `inference_only` leaves out.

    Args:
        function: takes tensors, returns the outputs and a function that makes the gradients with respect to the
            arguments of those with respect to the outputs.

    Returns:
        a function that returns the outputs.

    Example:
        >>> twice = custom_gradient(lambda x: (2 * x, lambda upstream: 2 * upstream))
        >>> float(twice(tf.constant(3.0)))
        6.0
    """
    with_gradient = tf.custom_gradient(function)  # noqa: TID251

    @functools.wraps(function)
    def call(*tensors):
        return function(*tensors)[0] if _LEFT_OUT.get() else with_gradient(*tensors)

    return call


@contextlib.contextmanager
def inference_only():
    """Inside, layers compute their outputs alone: nothing of them may be differentiated.

    TensorFlow keeps the graph of each written out gradient with what it exports, and all graphs that have one for as
    long as the process lives. Without them an export is smaller, and sooner written.

    Example:
        >>> from seqloom.layers import GRU
        >>> layer = GRU(4)
        >>> with inference_only():
        ...     graph = tf.function(layer).get_concrete_function(tf.TensorSpec([None, 5, 3])).graph
        >>> any("_gradient_op_type" in operation.node_def.attr for operation in graph.get_operations())
        False
    """
    token = _LEFT_OUT.set(True)
    try:
        yield
    finally:
        _LEFT_OUT.reset(token)
