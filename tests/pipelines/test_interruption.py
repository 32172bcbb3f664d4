"""Ctrl-C while TensorFlow computes, and while it fails."""

from __future__ import annotations

import os
import signal
from typing import NoReturn

import pytest
import tensorflow as tf

from seqloom.pipelines.interruption import interruptible


def fail_after(interrupt: bool) -> NoReturn:
    """An operation that fails in native code, where Ctrl-C was pressed before or not."""

    def work() -> None:
        if interrupt:
            os.kill(os.getpid(), signal.SIGINT)  # pending: the main thread waits in native code
        raise ValueError("an error of its own")

    tf.function(lambda: tf.numpy_function(work, [], tf.int32))()
    raise AssertionError("it did not fail")


def test_an_interruption_that_collides_with_an_error_is_one() -> None:
    with pytest.raises(RuntimeError, match="KeyboardInterrupt"):
        fail_after(interrupt=True)  # what TensorFlow makes of it
    with pytest.raises(KeyboardInterrupt), interruptible():
        fail_after(interrupt=True)


def test_other_errors_pass() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError, match="an error of its own"), interruptible():
        fail_after(interrupt=False)
    with pytest.raises(RuntimeError, match="no interruption"), interruptible():
        raise RuntimeError("no interruption")
