"""Work in spawned processes: what they import, how they end, and what is said when they die."""

import os
import signal
import subprocess
import sys
import time

import pytest

from seqloom.pipelines.errors import UserError
from seqloom.pipelines.process_pool import spread

PROCESS = "__import__('os').getpid()"
AFTER_A_WHILE = f"[{PROCESS}, __import__('time').sleep(0.5)][0]"


@pytest.mark.parametrize("processes", [1, 2])
def test_results_come_in_the_order_of_the_items(processes):
    items = [f"{number} * 2" for number in range(30)]
    assert list(spread(eval, items, processes)) == list(range(0, 60, 2))


def test_one_process_is_this_one_and_several_are_others():
    assert set(spread(eval, [PROCESS] * 3, 1)) == {os.getpid()}
    others = set(spread(eval, [AFTER_A_WHILE] * 8, 2))
    assert len(others) == 2
    assert os.getpid() not in others


EXTRACT = """[
    __import__("seqloom.pipelines.audio").pipelines.audio.extract_features(
        __import__("numpy").zeros(8000, "float32"), __import__("seqloom").pipelines.audio_config.AudioConfig()
    ).shape,
    set(__import__("sys").modules),
    __import__("__main__").__dict__.get("__file__"),
]"""


def test_a_process_has_neither_tensorflow_nor_the_main_program():
    """Of which there are: this one is pytest, and has imported TensorFlow."""
    import tensorflow  # noqa: F401

    import __main__

    main = vars(__main__).get("__file__")  # a worker of pytest-xdist has none
    ((shape, modules, program),) = spread(eval, [EXTRACT], 2)
    assert shape == (51, 40)
    assert {"seqloom.pipelines.audio", "librosa"} <= modules
    assert not {"tensorflow", "keras", "pytest"} & modules
    assert vars(__main__).get("__file__") == main
    assert program is None


@pytest.mark.parametrize("processes", [1, 2])
def test_the_first_exception_comes_out(processes):
    items = ["1", "1 / 0", *["__import__('time').sleep(0.05)"] * 200]
    started = time.perf_counter()
    results = spread(eval, items, processes)
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert time.perf_counter() - started < 8, "what waits is left out"


def test_a_process_that_dies_is_a_sentence():
    with pytest.raises(UserError, match=r"^one of 2 processes died at its work"):
        list(spread(eval, ["1", "__import__('os')._exit(1)", "1"], 2))


def test_ctrl_c_is_left_to_the_parent():
    handler = "__import__('signal').getsignal(2) == __import__('signal').SIG_IGN"
    assert list(spread(eval, [handler], 2)) == [True]


SCRIPT = f"""
import sys
from seqloom.pipelines.process_pool import spread
print("started", flush=True)
for each in spread(eval, [{PROCESS!r}, {PROCESS!r}, "__import__('time').sleep(60)"], 2):
    print(each, flush=True)
"""


@pytest.mark.parametrize("program", ["script", "standard input"])
def test_processes_of_a_program_without_a_guard_end_with_it(program, tmp_path):
    """A script that says no `if __name__`, or comes through a pipe, is not run again; its processes die with it."""
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    arguments = [path] if program == "script" else ["-"]
    process = subprocess.Popen(
        [sys.executable, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    if program != "script":
        process.stdin.write(SCRIPT)
    process.stdin.close()
    assert process.stdout.readline() == "started\n"
    workers = {int(process.stdout.readline()) for _ in range(2)}
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 20
    while workers and time.monotonic() < deadline:
        workers = {worker for worker in workers if runs(worker)}
        time.sleep(0.05)
    assert not workers
    assert process.stdout.read() == ""


def runs(process):
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
