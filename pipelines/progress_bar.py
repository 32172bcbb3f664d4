"""How far long work is, for those who look at a terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def progress_bar(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A function that is told how many things are done: a bar where standard error is a terminal, nothing elsewhere.

    Args:
        title: what stands before the bar.
        total: how many things there are.

    Example:
        >>> with progress_bar("recordings", total=2) as show:
        ...     show(1)
    """
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    import rich.console
    import rich.progress

    columns = (*rich.progress.Progress.get_default_columns(), rich.progress.MofNCompleteColumn())
    with rich.progress.Progress(*columns, console=rich.console.Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda done: bar.update(task, completed=done)
