"""What a worker process does when it is its turn; each holds one model of one contender."""

from __future__ import annotations

import time
from typing import Any

import contenders
import numpy as np

SECONDS = 0.2  # that a turn lasts at least
WARM_UP = 2  # calls before the clock starts

_held: dict[str, Any] = {}


def prepare(contender: str, case: contenders.Case) -> None:
    """Builds the model that this process holds."""
    _held["model"] = contenders.build(contender, case)


def first_call(kind: str) -> tuple[float, np.ndarray]:
    """Seconds of the first call, and what was computed: the logits, or the losses of the first two training steps."""
    call = getattr(_held["model"], kind)
    started = time.perf_counter()
    value = call()
    seconds = time.perf_counter() - started
    return seconds, np.array([value, call()] if kind == "train" else value)


def turn(kind: str) -> float:
    """Seconds of one call, the mean over a turn."""
    call = getattr(_held["model"], kind)
    for _ in range(WARM_UP):
        call()
    calls, started = 0, time.perf_counter()
    while (passed := time.perf_counter() - started) < SECONDS:
        call()
        calls += 1
    return passed / calls


def matrix_product_peak(framework: str, threads: int, size: int = 2048, repeats: int = 15) -> float:
    """GFLOP/s of a product of two square float32 matrices, the median; sets the threads of this process."""
    if framework == "torch":
        import torch

        torch.set_num_threads(threads)
        left, right = torch.rand(size, size), torch.rand(size, size)
        product = torch.matmul
    else:
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(threads)
        left, right = tf.random.uniform((size, size)), tf.random.uniform((size, size))
        product = tf.matmul
    seconds = []
    for _ in range(WARM_UP + repeats):
        started = time.perf_counter()
        product(left, right)
        seconds.append(time.perf_counter() - started)
    return 2e-9 * size**3 / float(np.median(seconds[WARM_UP:]))
