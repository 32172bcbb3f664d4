"""Several worker processes on this machine, each with `TF_CONFIG` set; when one dies the others are ended."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import IO

from .errors import UserError

GRACE_SECONDS = 10.0
_COMMANDS = ("run", "train")


def launch(arguments: Sequence[str], workers: int) -> int:
    """Runs `seqloom ARGUMENTS` in every worker and waits for all of them.

    Worker 0 is the chief: it writes the run directory. What workers say on standard error is printed with their number
    before it.

    Returns:
        0 if all workers ended well; else the status of the first that did not (1 if it was killed).

    Raises:
        UserError: if the command is not one that trains.
    """
    if not arguments or arguments[0] not in _COMMANDS:
        raise UserError(f"launch must be followed by -- and one of {', '.join(_COMMANDS)}, got {' '.join(arguments)!r}")
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(workers)]
    processes = [_start(arguments, addresses, index) for index in range(workers)]
    forwarders = [
        threading.Thread(target=_forward, args=(process.stderr, index), daemon=True)
        for index, process in enumerate(processes)
    ]
    for thread in forwarders:
        thread.start()
    try:
        failed = _wait(processes)
    finally:
        _end(processes)
        for thread in forwarders:
            thread.join(timeout=1.0)
    if failed is None:
        return 0
    status = processes[failed].returncode
    reason = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
    print(
        f"seqloom: worker {failed} {reason}, so the other workers were ended; "
        "the same command again goes on after the last whole epoch",
        file=sys.stderr,
    )
    return max(status, 1)


def _start(arguments: Sequence[str], addresses: Sequence[str], index: int) -> subprocess.Popen[str]:
    task = {"type": "worker", "index": index}
    config = json.dumps({"cluster": {"worker": list(addresses)}, "task": task})
    package = __name__.partition(".")[0]
    return subprocess.Popen(
        [sys.executable, "-m", package, *arguments],
        env={**os.environ, "TF_CONFIG": config},
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def _wait(processes: Sequence[subprocess.Popen[str]]) -> int | None:
    """Waits until all workers ended well (`None`), or for the first one that did not (its number)."""
    while True:
        statuses = [process.poll() for process in processes]
        failed = {index: status for index, status in enumerate(statuses) if status}
        if failed:
            return min(failed, key=failed.__getitem__)  # killed ones first: the others follow from them
        if all(status == 0 for status in statuses):
            return None
        time.sleep(0.2)


def _end(processes: Sequence[subprocess.Popen[str]]) -> None:
    """Asks the workers to stop, and stops those that hang in a collective operation."""
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _forward(stream: IO[str], index: int) -> None:
    for line in stream:
        sys.stderr.write(f"[worker {index}] {line}")


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at the moment."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()
