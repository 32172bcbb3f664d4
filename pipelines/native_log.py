"""Keeps TensorFlow's C++ chatter off the terminal: it reaches standard error before any setting of ours can stop it.

Run as a program, this file is the filter: a process of its own, so that the last words of native code that aborts, at
which every thread of its process stops, still reach the terminal.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterator
from typing import BinaryIO

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
    import subprocess  # not above: the filter starts twice as fast without

    terminal, python_stderr = os.dup(2), sys.stderr
    # isolated, so that no module of this folder hides one of the library; in a session of its own, so that Ctrl-C
    # leaves it alone: it ends when the last process that holds the pipe does
    child = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__], stdin=subprocess.PIPE, stdout=terminal, start_new_session=True
    )
    assert child.stdin is not None
    os.dup2(child.stdin.fileno(), 2)
    child.stdin.close()
    sys.stderr = os.fdopen(
        os.dup(terminal), "w", buffering=1, encoding=python_stderr.encoding, errors="backslashreplace"
    )
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)  # closes the last end of the pipe that this process writes to
        os.close(terminal)
        sys.stderr = python_stderr
        with contextlib.suppress(subprocess.TimeoutExpired):  # a child of ours still holds the pipe
            child.wait(timeout=1.0)


def forward(lines: BinaryIO, terminal: BinaryIO) -> None:
    """Passes on what is not chatter, line by line, until the last writer has gone."""
    for line in lines:
        if not _CHATTER.match(line):
            terminal.write(line)
            terminal.flush()


if __name__ == "__main__":
    with contextlib.suppress(OSError):  # the terminal has gone
        forward(sys.stdin.buffer, sys.stdout.buffer)
