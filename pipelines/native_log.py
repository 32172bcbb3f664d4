"""Keeps TensorFlow's C++ chatter off the terminal: it reaches standard error before any setting of ours can stop it."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import threading
from collections.abc import Iterator

# Lines of absl's log: information, warnings, and the two errors that every machine without a GPU prints.
_CHATTER = re.compile(
    rb"WARNING: All log messages before absl::InitializeLog|[IW]\d{4} [\d:. ]+|"
    rb"E\d{4} .*(failed call to cuInit|oneDNN supports DT_)"
)


@contextlib.contextmanager
def quiet_native_log() -> Iterator[None]:
    """Filters what native code writes to file descriptor 2; what Python writes to `sys.stderr` goes straight through.

    `SEQLOOM_NATIVE_LOG=1` leaves everything as it is.
    """
    if os.environ.get("SEQLOOM_NATIVE_LOG") == "1":
        yield
        return
    terminal, python_stderr = os.dup(2), sys.stderr
    reader, writer = os.pipe()
    os.dup2(writer, 2)
    os.close(writer)
    sys.stderr = os.fdopen(
        os.dup(terminal), "w", buffering=1, encoding=python_stderr.encoding, errors="backslashreplace"
    )
    thread = threading.Thread(target=_forward, args=(reader, terminal), daemon=True)
    thread.start()
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)  # closes the last end of the pipe that this process writes to
        thread.join(timeout=1.0)
        sys.stderr = python_stderr


def _forward(reader: int, terminal: int) -> None:
    with os.fdopen(reader, "rb") as lines:
        for line in lines:
            if not _CHATTER.match(line):
                os.write(terminal, line)
