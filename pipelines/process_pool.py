"""Work that is spread over processes of its own: spawned, so that nothing of this process is copied into them."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import types
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from .errors import UserError

Item = TypeVar("Item")
Result = TypeVar("Result")


def spread(function: Callable[[Item], Result], items: Sequence[Item], processes: int) -> Generator[Result, None, None]:
    """Applies a function to each item, in several processes at once, and gives the results in the order of the items.

    A process imports the module of the function and what that imports, and nothing of the main program: it needs no
    `if __name__ == "__main__"`, and brings in no TensorFlow. Each one multiplies matrices in a single thread. They
    leave Ctrl-C to this process, and end with it however it ends.

    Args:
        function: found by its name in a module that can be imported, as pickle wants it.
        items: what it is applied to.
        processes: how many there are; with 1 the function runs in this process.

    Raises:
        UserError: if a process dies.
        Exception: the first one that the function raises; the items that wait are then left out.

    Example:
        >>> list(spread(abs, [-1, 2], processes=1))
        [1, 2]
    """
    if processes == 1:
        with threadpool_limits(1, user_api="blas"):
            yield from map(function, items)
        return
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer=_begin)
    try:
        with _no_main_program():
            results = pool.map(function, items)  # starts a process at each of the first items
        yield from results
    except BrokenProcessPool:
        raise UserError(
            f"one of {processes} processes died at its work, as they do where memory is short; the same command again "
            "makes a new attempt"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _begin() -> None:
    """What a process does first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    import numpy  # noqa: F401  (brings the threads that are limited)

    threadpool_limits(1, user_api="blas")


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


@contextlib.contextmanager
def _no_main_program() -> Iterator[None]:
    """Processes that are spawned meanwhile find no main program that they would have to import."""
    program = sys.modules["__main__"]
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = program
