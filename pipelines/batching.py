"""Which examples stand in which batch: length buckets with a token budget, in an order that is a function of
(seed, epoch), so that a resumed run sees what an uninterrupted one would have seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import tensorflow as tf

Tensors = dict[str, Any]


@dataclass(frozen=True)
class TrainingData:
    """The training examples as a task hands them to the machinery.

    Attributes:
        sizes: `(examples,)` int. The length of each example, which decides its bucket.
        batch: turns row numbers `(rows,)` int64 and the epoch (int64 scalar) into `(inputs, targets, weights)`,
            dictionaries of tensors whose first axis is the row; runs inside tf.data, so TF operations only, and any
            randomness stateless. `weights` are 1 for what counts in a loss and 0 elsewhere; they are divided by their
            sum over the global batch afterwards.
    """

    sizes: np.ndarray
    batch: Callable[[tf.Tensor, tf.Tensor], tuple[Tensors, Tensors, Tensors]]


class BatchPlan:
    """Draws the batches of an epoch.

    Examples are put in buckets of similar length. A bucket's batches have `batch_size * median length` tokens, so
    `batch_size` is the number of rows at median length; what does not fill a batch goes on to the next longer bucket.
    Every epoch has the same number of batches. A batch is filled up to a multiple of `multiple` by repeated rows that
    do not count, so that the number of replicas changes neither which rows stand together nor what they weigh.

    Args:
        sizes: `(examples,)` int, at least 1. Length of each example.
        batch_size: int. Rows at median length, over all replicas.
        growth: float above 1. Ratio of the longest to the shortest length in a bucket.
        seed: int. Of the order.
        multiple: int. The number of replicas.

    Example:
        >>> plan = BatchPlan(np.array([3, 3, 4, 9, 9]), batch_size=2, growth=1.5, seed=0)
        >>> len(plan), sorted(int(row) for rows, _ in plan.epoch(0) for row in rows)
        (4, [0, 1, 2, 3, 4])
    """

    def __init__(self, sizes: np.ndarray, batch_size: int, growth: float, seed: int, multiple: int = 1) -> None:
        if len(sizes) == 0 or np.min(sizes) < 1:
            raise ValueError("sizes must hold at least one example, none of length 0")
        self._seed, self._multiple = seed, multiple
        bucket = np.floor(np.log(np.asarray(sizes, np.float64)) / np.log(growth) + 1e-9).astype(np.int64)
        self._members = [np.flatnonzero(bucket == number) for number in np.unique(bucket)]
        budget = batch_size * float(np.median(sizes))
        self._rows = [max(1, int(budget / np.max(sizes[members]))) for members in self._members]
        self.steps = len(self.epoch(0))

    def __len__(self) -> int:
        return self.steps

    def epoch(self, epoch: int) -> list[tuple[np.ndarray, int]]:
        """The batches of an epoch: row numbers, and how many of them (the first ones) count."""
        order = np.random.default_rng((self._seed, epoch))
        batches, carried = [], np.array([], np.int64)
        for members, rows in zip(self._members, self._rows, strict=True):
            pool = np.concatenate([carried, order.permutation(members)])
            whole = len(pool) // rows * rows
            batches += list(pool[:whole].reshape(-1, rows))
            carried = pool[whole:]
        order.shuffle(batches)
        if len(carried):
            batches.append(carried)
        return [(np.resize(batch, len(batch) + -len(batch) % self._multiple), len(batch)) for batch in batches]


def training_batches(
    data: TrainingData, plan: BatchPlan, first_epoch: int, part: int = 0, parts: int = 1, replicas: int = 1
) -> tf.data.Dataset:
    """The batches of `first_epoch` and all later epochs as `(inputs, targets, weights)`.

    Args:
        data: the examples.
        plan: the batches of each epoch; made with `multiple = parts * replicas`.
        first_epoch: int. Where to start.
        part: int. Which worker this is, of `parts`; it gets its own rows of each global batch.
        parts: int. Number of workers.
        replicas: int. Replicas on this worker; with more than one each element holds the rows of one replica, and
            the replicas' elements follow each other.
    """
    import tensorflow as tf

    def batches_of(epoch: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        batches = plan.epoch(int(epoch))
        rows = np.concatenate([rows for rows, _ in batches]).astype(np.int64)
        return rows, np.array([len(rows) for rows, _ in batches]), np.array([real for _, real in batches])

    def indices(epoch: tf.Tensor) -> tf.data.Dataset:
        rows, lengths, real = tf.numpy_function(batches_of, [epoch], [tf.int64, tf.int64, tf.int64])
        ragged = tf.RaggedTensor.from_row_lengths(tf.ensure_shape(rows, [None]), tf.ensure_shape(lengths, [None]))
        batches = tf.data.Dataset.from_tensor_slices((ragged, tf.ensure_shape(real, [None])))
        return batches.map(lambda rows, real: (rows, real, epoch))

    def whole_batch(rows: tf.Tensor, real: tf.Tensor, epoch: tf.Tensor) -> tuple[Tensors, Tensors, Tensors]:
        inputs, targets, weights = data.batch(rows, epoch)
        counts = tf.cast(tf.range(tf.shape(rows)[0], dtype=tf.int64) < real, tf.float32)
        return inputs, targets, {name: _normalised(weight, counts) for name, weight in weights.items()}

    def own_part(*batch: Tensors) -> tf.data.Dataset:
        slices = tf.nest.map_structure(lambda tensor: _slices(tensor, part, parts, replicas), batch)
        return tf.data.Dataset.from_tensor_slices(slices)

    dataset = tf.data.Dataset.range(first_epoch, np.iinfo(np.int64).max).flat_map(indices)
    dataset = dataset.map(whole_batch, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    if parts * replicas > 1:
        dataset = dataset.flat_map(own_part)
    return dataset.prefetch(tf.data.AUTOTUNE)


def _normalised(weight: tf.Tensor, counts: tf.Tensor) -> tf.Tensor:
    """Weights that sum to one over the rows that count."""
    import tensorflow as tf

    weight = tf.cast(weight, tf.float32)
    weight *= tf.reshape(counts, tf.concat([tf.shape(counts), tf.ones([tf.rank(weight) - 1], tf.int32)], axis=0))
    return tf.math.divide_no_nan(weight, tf.reduce_sum(weight))


def _slices(tensor: tf.Tensor, part: int, parts: int, replicas: int) -> tf.Tensor:
    """`(rows, ...)` as `(replicas, rows of a replica, ...)` for the replicas of one worker."""
    import tensorflow as tf

    shape = tf.shape(tensor)
    split = tf.reshape(tensor, tf.concat([[parts * replicas, shape[0] // (parts * replicas)], shape[1:]], axis=0))
    return tf.ensure_shape(split, [None, None, *tensor.shape[1:]])[part * replicas : (part + 1) * replicas]
