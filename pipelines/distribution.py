"""Where a model trains: one device, all devices of a machine, or several machines, through tf.distribute.

`batch_size` is global. Each batch is made whole, its weights are divided by their sum, and then its rows are handed out
in equal parts; losses and gradients are summed. So the number of replicas changes neither the loss nor the update.
"""

from __future__ import annotations

import contextlib
import functools
import json
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import keras
import tensorflow as tf

from .errors import UserError

_log = logging.getLogger(__name__)

_ROLES = ("chief", "master", "worker")
_LOST = (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.DeadlineExceededError)


class MultiWorkerStrategy(tf.distribute.MultiWorkerMirroredStrategy):
    """`MultiWorkerMirroredStrategy` whose `reduce` takes what Keras 3 hands to it.

    Keras 3.15 reduces a whole structure in one call, and scalars along axis 0; `tf.distribute` refuses both, so
    `fit` dies at its first batch (https://github.com/keras-team/keras/issues/20585).
    """

    def reduce(self, reduce_op: Any, value: Any, axis: int | None) -> Any:
        """Reduces each part of a structure by itself, and scalars without an axis."""

        def reduce_one(part: Any) -> Any:
            local = self.experimental_local_results(part)[0]
            scalar = axis is not None and len(local.shape) == 0
            return super(MultiWorkerStrategy, self).reduce(reduce_op, part, axis=None if scalar else axis)

        return keras.tree.map_structure(reduce_one, value)


def make_strategy(name: str) -> tf.distribute.Strategy:
    """The strategy of that name.

    Args:
        name: `one_device` (the first GPU, or the CPU), `mirrored` (all GPUs of this machine, or all logical CPU
            devices), `multi_worker` (the processes that `TF_CONFIG` names), or `auto`: several workers where
            `TF_CONFIG` names them, all GPUs where there are several, one device elsewhere.

    Raises:
        UserError: if `TF_CONFIG` is missing or wrong.
    """
    if name == "multi_worker" or (name == "auto" and worker_count() > 1):
        return _multi_worker()  # before anything asks for a device: TensorFlow connects the workers as it starts
    gpus = tf.config.list_logical_devices("GPU")
    if name == "mirrored" or (name == "auto" and len(gpus) > 1):
        devices = gpus or tf.config.list_logical_devices("CPU")
        return _mirrored(tuple(device.name for device in devices))
    return tf.distribute.get_strategy()


def tf_config() -> dict[str, Any]:
    """The content of `TF_CONFIG`, empty if it is not set.

    Raises:
        UserError: if it is not JSON, or has no cluster of workers, or no task in it that trains.
    """
    text = os.environ.get("TF_CONFIG", "")
    if not text.strip():
        return {}
    try:
        config = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        addresses, index = cluster[task["type"]], int(task["index"])
        usable = task["type"] in _ROLES and isinstance(addresses, list) and 0 <= index < len(addresses)
        usable = usable and all(isinstance(address, str) for role in _ROLES for address in cluster.get(role, []))
    except (ValueError, KeyError, TypeError, AttributeError):
        usable = False
    if not usable:
        raise UserError(
            'TF_CONFIG must be JSON like {"cluster": {"worker": ["host:port", ...]}, '
            '"task": {"type": "worker", "index": 0}} with a task that stands in the cluster as chief or worker, '
            f"got {text!r}"
        )
    return config


def worker_count() -> int:
    """How many processes train together by `TF_CONFIG`; 1 if it is not set."""
    cluster = tf_config().get("cluster", {})
    return max(1, sum(len(addresses) for role, addresses in cluster.items() if role in _ROLES))


def is_chief() -> bool:
    """Whether this process writes the run directory: the chief, or worker 0 where there is none."""
    config = tf_config()
    if not config:
        return True
    role, index = config["task"]["type"], int(config["task"]["index"])
    has_chief = any(role in ("chief", "master") for role in config["cluster"])
    return role in ("chief", "master") or (role == "worker" and index == 0 and not has_chief)


def agree(strategy: tf.distribute.Strategy, number: int = 0) -> bool:
    """Waits until every worker has come here, and says whether all of them brought the same number."""
    if not isinstance(strategy, MultiWorkerStrategy):
        return True

    @tf.function
    def sums() -> tf.Tensor:
        each = strategy.run(lambda: tf.constant([1, number, number * number], tf.int64))
        return strategy.reduce(tf.distribute.ReduceOp.SUM, each, axis=None)

    replicas, total, squares = sums().numpy().tolist()
    return total * total == replicas * squares


@contextlib.contextmanager
def lost_workers(strategy: tf.distribute.Strategy) -> Iterator[None]:
    """Turns the end of another worker into a sentence that says what to do."""
    try:
        yield
    except _LOST:
        if not isinstance(strategy, MultiWorkerStrategy):
            raise
        raise UserError(
            "another worker cannot be reached any more; "
            "start all workers again with the same command to go on after the last whole epoch"
        ) from None


def describe(strategy: tf.distribute.Strategy) -> str:
    """Device and strategy in a few words."""
    kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
    if isinstance(strategy, MultiWorkerStrategy):
        return f"{worker_count()} workers, {strategy.num_replicas_in_sync} {kind} replicas"
    if isinstance(strategy, tf.distribute.MirroredStrategy):
        return f"mirrored over {strategy.num_replicas_in_sync} {kind} devices"
    return f"one {kind}"


def distribute(
    strategy: tf.distribute.Strategy, make_dataset: Callable[[int, int, int], tf.data.Dataset]
) -> tf.data.Dataset | tf.distribute.DistributedDataset:
    """A data set whose elements go to the replicas of this worker one after the other.

    Args:
        strategy: of the training.
        make_dataset: takes the number of this worker, the number of workers and the replicas on each worker.
    """
    if strategy.num_replicas_in_sync == 1 and not isinstance(strategy, MultiWorkerStrategy):
        return make_dataset(0, 1, 1)

    def worker_dataset(context: tf.distribute.InputContext) -> tf.data.Dataset:
        workers = context.num_input_pipelines
        return make_dataset(context.input_pipeline_id, workers, strategy.num_replicas_in_sync // workers)

    return strategy.distribute_datasets_from_function(worker_dataset)


@functools.cache
def _mirrored(devices: tuple[str, ...]) -> tf.distribute.Strategy:
    """The one strategy over these devices: a second one in the same process would number its collective operations from
    the start again, and TensorFlow would take them for those of the first."""
    return tf.distribute.MirroredStrategy(list(devices))


def _multi_worker() -> tf.distribute.Strategy:
    if worker_count() < 2:
        raise UserError(
            "strategy multi_worker needs TF_CONFIG to name at least two workers; "
            "`seqloom launch --workers N -- run ...` sets it for processes on this machine"
        )
    _log.info("waiting for %d workers", worker_count())
    with _own_signals():
        return MultiWorkerStrategy()


@contextlib.contextmanager
def _own_signals() -> Iterator[None]:
    """Lets Ctrl-C end the process while TensorFlow waits for workers, where no Python handler is called.

    TensorFlow takes SIGTERM for itself as it connects, as a notice of preemption; afterwards it is ours again.
    """
    handlers: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
