"""The filter of the native log, in real processes: file descriptor 2 and the end of a process are the point."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

BEGIN = """
import ctypes, os, signal, sys
from seqloom.pipelines.native_log import quiet_native_log

def native(line):  # as native code does that never gives the lock of the interpreter back
    ctypes.PyDLL(None).write(2, line, len(line))

sys.setswitchinterval(100)
with quiet_native_log():
"""


def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name != "SEQLOOM_NATIVE_LOG"}
    return subprocess.run(
        [sys.executable, "-c", BEGIN + script], env={**kept, **environment}, capture_output=True, text=True, timeout=30
    )


TALK = """
    native(b"I0000 00:00:1.2 3 port.cc:153] oneDNN custom operations are on\\n")
    native(b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\\n")
    native(b"E0000 00:00:1.2 3 cuda_platform.cc:51] failed call to cuInit: INTERNAL\\n")
    native(b"E0000 00:00:1.2 3 other.cc:1] an error\\n")
    print("answer")
    native(b"a line without an end")
native(b"; afterwards\\n")
"""


def test_chatter_is_dropped_and_the_rest_arrives() -> None:
    finished = run(TALK)
    assert (finished.returncode, finished.stdout) == (0, "answer\n")
    assert finished.stderr == "E0000 00:00:1.2 3 other.cc:1] an error\na line without an end; afterwards\n"


def test_everything_is_shown_where_that_is_asked_for() -> None:
    assert len(run(TALK, SEQLOOM_NATIVE_LOG="1").stderr.splitlines()) == 5


def test_python_speaks_without_the_filter() -> None:
    assert run('    print("I0000 00:00:1.2 3 ours", file=sys.stderr)').stderr == "I0000 00:00:1.2 3 ours\n"


def test_the_last_words_of_native_code_that_aborts_arrive() -> None:
    finished = run("""
    native(b"F0000 00:00:1.2 3 tensor.cc:1] Check failed: the reason\\n")
    ctypes.PyDLL(None).abort()
""")
    assert finished.returncode == -signal.SIGABRT
    assert finished.stderr == "F0000 00:00:1.2 3 tensor.cc:1] Check failed: the reason\n"


def test_ctrl_c_leaves_the_filter_alone() -> None:
    script = """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.killpg(0, signal.SIGINT)
    native(b"still here\\n")
"""
    process = subprocess.Popen(
        [sys.executable, "-c", BEGIN + script], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.communicate(timeout=30)[1] == "still here\n"
