"""What a run says while it works: lines on standard error, and the same lines in `train.log`."""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

LOGGER = logging.getLogger(__name__.partition(".")[0])


class _StandardError(logging.StreamHandler):
    """Writes to whatever `sys.stderr` is at the moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr


def show_log() -> None:
    """Prints the lines of seqloom, and of nobody else, on standard error."""
    if not any(isinstance(handler, _StandardError) for handler in LOGGER.handlers):
        LOGGER.addHandler(_StandardError())
        LOGGER.setLevel(logging.INFO)
        LOGGER.propagate = False


class _LogFile(logging.FileHandler):
    """A file that is given up at the first line that cannot be written: what matters is written elsewhere too."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        LOGGER.removeHandler(self)
        LOGGER.warning("train.log cannot be written any more")


@contextlib.contextmanager
def log_file(path: Path) -> Iterator[None]:
    """Appends the lines to a file, with the time before each."""
    handler = _LogFile(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    LOGGER.addHandler(handler)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        with contextlib.suppress(OSError):
            handler.close()
