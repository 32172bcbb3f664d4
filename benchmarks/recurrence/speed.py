"""How long a recurrent layer takes to train and to answer: seqloom, Keras and PyTorch side by side.

    python benchmarks/recurrence/speed.py
    python benchmarks/recurrence/speed.py --rounds 1 --only LSTM:train:64x25x128x256:one

Each contender has a process of its own, since TensorFlow and PyTorch in one would disturb each other's threads; only
one works at a time, and they take turns: A B C A B C. Before the clock starts it is checked that all compute the same.
A run of all rows writes `results.json` and `results.md` beside this file; one with `--only` just prints.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import os
import platform
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import contenders
import numpy as np
import tables
import turns
from contenders import Case

from seqloom import __version__
from seqloom.pipelines.environment import processor
from seqloom.pipelines.native_log import quiet_native_log
from seqloom.pipelines.run_directory import write_json, write_text

HERE = Path(__file__).parent
ROUNDS = 7
SHAPES = [(16, 25, 128, 128), (64, 25, 128, 256), (64, 200, 128, 128), (32, 50, 256, 256), (64, 100, 256, 512)]
SENTENCE = (1, 25, 128, 128)
DIRECTIONS = {"one": 1, "both": 2}
TOLERANCE = 1e-3  # of logits and losses between contenders; float32 sums in another order differ by less

Row = dict[str, Any]


def main() -> None:
    """Measures, prints each row when it is done, and writes the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"turns of each contender (default {ROUNDS})")
    parser.add_argument("--only", action="append", metavar="FIELDS", help="rows with these fields, separated by colons")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where to write the results")
    arguments = parser.parse_args()

    header = describe(arguments.rounds)
    print(tables.header(header), flush=True)
    rows = []
    for case, kinds in selected(arguments.only):
        for row in measure(case, kinds, arguments.rounds):
            rows.append(row)
            print(tables.line(row, header), flush=True)
    if not rows:
        parser.error(f"there is no row with the fields {' or '.join(arguments.only)}")
    results = {**header, "rows": rows, "geometric_means": geometric_means(rows)}
    print("\n" + tables.page(results))
    folder = arguments.output or (None if arguments.only else HERE)
    if folder:
        write_json(folder / "results.json", results)
        write_text(folder / "results.md", tables.page(results))


def describe(rounds: int) -> dict[str, Any]:
    """The machine, the versions and how fast the machine multiplies matrices."""
    names = contenders.installed()
    packages = ["tensorflow", "keras", "numpy", *names[2:]]
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "processor": processor(),
        "cores": os.cpu_count(),
        "load_at_start": round(os.getloadavg()[0], 2),
        "versions": {
            "seqloom": __version__,
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in packages},
        },
        "rounds": rounds,
        "seconds_of_a_turn": turns.SECONDS,
        "contenders": names,
        "peak_gflops": peaks(["tensorflow", *names[2:]]),
    }


def peaks(frameworks: list[str]) -> dict[str, dict[str, float]]:
    """GFLOP/s of large matrix products, of each framework with all threads and with one."""
    return {
        framework: {
            name: round(alone(turns.matrix_product_peak, framework, threads), 1)
            for name, threads in (("all_threads", os.cpu_count() or 1), ("one_thread", 1))
        }
        for framework in frameworks
    }


def alone(function: Any, *arguments: Any) -> Any:
    """What a function returns in a process of its own."""
    with worker() as process:
        return process.submit(function, *arguments).result()


def worker() -> ProcessPoolExecutor:
    """A process that waits for work."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def selected(only: list[str] | None) -> list[tuple[Case, list[str]]]:
    """Layers and what to measure of them: those with all fields of one of the filters."""
    chosen = []
    for cell in contenders.GATES:
        for direction, number in DIRECTIONS.items():
            for shape in (SENTENCE, *SHAPES):
                case = Case(cell, *shape, directions=number)
                kinds = ["infer"] if shape == SENTENCE else ["infer", "train"]
                fields = {kind: {cell, direction, case.shape, kind} for kind in kinds}
                filters = [set(each.split(":")) for each in only or [cell]]
                kinds = [kind for kind in kinds if any(each <= fields[kind] for each in filters)]
                chosen += [(case, kinds)] if kinds else []
    return chosen


def measure(case: Case, kinds: list[str], rounds: int) -> list[Row]:
    """A row of results for each kind, with all contenders taking turns."""
    with ExitStack() as stack:
        processes = {name: stack.enter_context(worker()) for name in contenders.installed()}
        started = [process.submit(turns.prepare, name, case) for name, process in processes.items()]
        for each in started:
            each.result()
        return [measure_kind(case, kind, processes, rounds) for kind in kinds]


def measure_kind(case: Case, kind: str, processes: dict[str, ProcessPoolExecutor], rounds: int) -> Row:
    """The row of one layer in training or inference."""
    first = {name: process.submit(turns.first_call, kind).result() for name, process in processes.items()}
    difference = check_same(case, kind, {name: value for name, (_, value) in first.items()})
    seconds: dict[str, list[float]] = {name: [] for name in processes}
    for _ in range(rounds):
        for name, process in processes.items():
            seconds[name].append(process.submit(turns.turn, kind).result())
    operations = case.operations(kind)
    medians = {name: float(np.median(each)) for name, each in seconds.items()}
    return {
        "kind": kind,
        "cell": case.cell,
        "directions": case.directions,
        "shape": case.shape,
        "gflop": operations / 1e9,
        "milliseconds": {name: 1e3 * median for name, median in medians.items()},
        "rounds_milliseconds": {name: [1e3 * each for each in every] for name, every in seconds.items()},
        "gflops": {name: operations / 1e9 / median for name, median in medians.items()},
        "times_seqloom": {name: median / medians["seqloom"] for name, median in medians.items() if name != "seqloom"},
        "first_call_seconds": {name: each for name, (each, _) in first.items()},
        "largest_difference": difference,
    }


def check_same(case: Case, kind: str, values: dict[str, np.ndarray]) -> dict[str, float]:
    """The largest difference from seqloom in logits or losses; an error where it is no matter of rounding.

    PyTorch's LSTM trains two biases, and its Adam has another epsilon, so only its first loss can be the same.
    """
    differences = {}
    for name, value in values.items():
        count = 1 if kind == "train" and name == "torch" else len(value)
        difference = float(np.max(np.abs(value - values["seqloom"])[:count]))
        if not difference < TOLERANCE:
            raise RuntimeError(f"{name} and seqloom must compute the same, got {difference:.2g} apart in {kind} {case}")
        differences[name] = difference
    del differences["seqloom"]
    return differences


def geometric_means(rows: list[Row]) -> dict[str, dict[str, Any]]:
    """Mean, least and greatest of the ratios to seqloom, over the rows of each kind and over all."""
    kinds = {kind: [row for row in rows if row["kind"] == kind] for kind in ("train", "infer")}
    means: dict[str, dict[str, Any]] = {}
    for kind, those in {**kinds, "all": rows}.items():
        for name in those[0]["times_seqloom"] if those else ():
            ratios = np.array([row["times_seqloom"][name] for row in those])
            summary = {"mean": np.exp(np.mean(np.log(ratios))), "least": ratios.min(), "greatest": ratios.max()}
            means.setdefault(kind, {})[name] = {key: float(value) for key, value in summary.items()}
    return means


if __name__ == "__main__":
    with quiet_native_log():
        main()
