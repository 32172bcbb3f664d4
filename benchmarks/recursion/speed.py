"""How fast recursive layers train: seqloom, and the same cells node by node in TensorFlow and in PyTorch.

    python benchmarks/recursion/speed.py --output benchmarks/recursion
    python benchmarks/recursion/speed.py --rounds 1 --cells TreeLSTM --batches 16 64 --depths

Each contender has a process of its own; only one works at a time, and they take turns, in a new order in each round.
All train on the same trees of the Stanford Sentiment Treebank, on others in each round. Before the clock starts it is
checked that all compute the same. With `--output` it writes `results.json`, `results.md` and `speed.png`.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import os
import platform
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import contenders
import figure
import numpy as np
import tables
import trees
import turns
from trees import Tree

from seqloom import __version__
from seqloom.datasets.corpus import DataError
from seqloom.datasets.prepared import DATA_DIR_VARIABLE
from seqloom.pipelines.environment import processor
from seqloom.pipelines.native_log import quiet_native_log
from seqloom.pipelines.run_directory import write_json, write_text, write_whole

ROUNDS = 5
BATCHES = (1, 4, 16, 64, 256)
DEPTHS = {"1-5": (1, 5), "6-10": (6, 10), "11-15": (11, 15), "16-": (16, sys.maxsize)}
USUAL_BATCH = 64  # of the rows by depth, and of the cells other than the first
TREES = 64  # of a pass, or one batch where that is more
TOLERANCE = 1e-4  # of the losses, relative; float32 sums in another order differ by less
CHECKED_STEPS, CHECKED_TREES = 3, 16

Row = dict[str, Any]
Processes = dict[str, ProcessPoolExecutor]


class Case(NamedTuple):
    """What a row measures; `depth` names the trees it takes, and `None` all."""

    cell: str
    batch: int
    depth: str | None = None


def main() -> None:
    """Measures, prints each row when it is done, and writes the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=positive, default=ROUNDS, help=f"turns of each contender (default {ROUNDS})")
    parser.add_argument("--cells", nargs="+", choices=contenders.UNITS, default=[*contenders.UNITS], help="which cells")
    parser.add_argument("--batches", type=positive, nargs="+", default=BATCHES, help="batch sizes of the first cell")
    parser.add_argument("--depths", nargs="*", choices=DEPTHS, default=[*DEPTHS], help="depths of trees, or none")
    parser.add_argument("--threads", type=positive, default=contenders.THREADS, help="threads of each contender")
    parser.add_argument("--data", type=Path, help=f"folder of the treebank (default ${DATA_DIR_VARIABLE}/sst)")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="where to write the results")
    arguments = parser.parse_args()
    try:
        treebank = trees.read((arguments.data or default_folder()) / "train.txt")
    except DataError as error:
        parser.error(str(error))

    header = describe(arguments)
    print(tables.header(header), flush=True)
    rows: list[Row] = []
    checks = {}
    for cell in dict.fromkeys(arguments.cells):
        with ExitStack() as stack:
            processes = {name: stack.enter_context(worker()) for name in header["contenders"]}
            start(cell, processes, arguments.threads)
            checks[cell] = check_same(cell, processes, trees.sample(treebank, CHECKED_TREES, seed=0))
            for case in cases(cell, arguments):
                rows.append(measure(case, processes, treebank, arguments.rounds))
                print(tables.line(rows[-1]), flush=True)
    results = {**header, "checks": checks, "rows": rows}
    print("\n" + tables.page(results))
    if arguments.output:
        write_json(arguments.output / "results.json", results)
        write_text(arguments.output / "results.md", tables.page(results))
        write_whole(arguments.output / "speed.png", lambda path: figure.draw(results, path))


def positive(argument: str) -> int:
    """A positive integer of the command line."""
    if not argument.isdecimal() or not int(argument):
        raise argparse.ArgumentTypeError(f"must be a positive integer, got {argument}")
    return int(argument)


def default_folder() -> Path:
    """The folder of the treebank in the folder of all corpora."""
    if not os.environ.get(DATA_DIR_VARIABLE):
        raise DataError(f"--data must name the folder of the treebank where {DATA_DIR_VARIABLE} is not set")
    return Path(os.environ[DATA_DIR_VARIABLE]) / "sst"


def describe(arguments: argparse.Namespace) -> dict[str, Any]:
    """The command, the machine and the versions."""
    names = contenders.installed()
    packages = ["tensorflow", "keras", "numpy", *(["torch"] if "torch" in names else [])]
    return {
        "command": " ".join(["python benchmarks/recursion/speed.py", *sys.argv[1:]]),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "processor": processor(),
        "cores": os.cpu_count(),
        "load_at_start": round(os.getloadavg()[0], 2),
        "versions": {
            "seqloom": __version__,
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in packages},
        },
        "threads": arguments.threads,
        "rounds": arguments.rounds,
        "seconds_of_a_turn": turns.SECONDS,
        "units": contenders.UNITS,
        "vocabulary": trees.VOCABULARY,
        "contenders": names,
    }


def worker() -> ProcessPoolExecutor:
    """A process that waits for work."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def cases(cell: str, arguments: argparse.Namespace) -> list[Case]:
    """The rows of a cell: all batch sizes and depths for the first one, the usual batch for the others."""
    if cell != arguments.cells[0]:
        return [Case(cell, USUAL_BATCH)]
    sizes = [Case(cell, size) for size in arguments.batches]
    return sizes + [Case(cell, USUAL_BATCH, depth) for depth in arguments.depths]


def start(cell: str, processes: Processes, threads: int) -> None:
    """Builds the models, all at the same time."""
    started = [process.submit(turns.prepare, name, cell, threads) for name, process in processes.items()]
    for each in started:
        each.result()


def check_same(cell: str, processes: Processes, batch: list[Tree]) -> dict[str, Any]:
    """Compares the losses of the first steps; an error where it is no matter of rounding.

    The loss after a step depends on the gradients of the one before, so that these are compared as well.
    """
    first = {name: each.submit(turns.first_steps, batch, CHECKED_STEPS).result() for name, each in processes.items()}
    losses = {name: np.array(values) for name, (_, values) in first.items()}
    differences = {name: float(np.max(np.abs(each / losses["seqloom"] - 1))) for name, each in losses.items()}
    for name, difference in differences.items():
        if not difference < TOLERANCE:
            raise RuntimeError(f"{name} and seqloom must have the same losses, got {difference:.2g} apart in {cell}")
    return {
        "losses": {name: each.tolist() for name, each in losses.items()},
        "largest_relative_difference": {name: each for name, each in differences.items() if name != "seqloom"},
        "first_step_seconds": {name: seconds for name, (seconds, _) in first.items()},
    }


def measure(case: Case, processes: Processes, treebank: Sequence[Tree], rounds: int) -> Row:
    """The row of a case, with all contenders taking turns, on the same trees within a round."""
    low, high = DEPTHS[case.depth] if case.depth else (0, sys.maxsize)
    suitable = [tree for tree in treebank if low <= tree.depth <= high]
    milliseconds: dict[str, list[float]] = {name: [] for name in processes}
    taken: list[Tree] = []
    for number in range(rounds):
        sample = trees.sample(suitable, max(TREES, case.batch), seed=number)
        taken += sample
        batches = trees.batches(sample, case.batch)
        for name in np.random.default_rng(number).permutation(list(processes)).tolist():
            seconds = processes[name].submit(turns.turn, batches).result()
            milliseconds[name].append(1e3 * seconds / sum(map(len, batches)))
    return {**case._asdict(), **statistics(taken), **summary(milliseconds)}


def statistics(taken: Sequence[Tree]) -> dict[str, float]:
    """What the trees are like that were trained on."""
    return {
        "nodes_of_a_tree": float(np.mean([len(tree.words) for tree in taken])),
        "mean_depth": float(np.mean([tree.depth for tree in taken])),
        "greatest_depth": max(tree.depth for tree in taken),
    }


def summary(milliseconds: dict[str, list[float]]) -> dict[str, Any]:
    """Medians over the rounds, of times of a tree and of their ratios to seqloom's within a round.

    A framework stands for the faster of its two ways, as the medians have it.
    """
    medians = {name: float(np.median(each)) for name, each in milliseconds.items()}
    faster = {
        framework: min(names, key=medians.__getitem__)
        for framework, names in contenders.FRAMEWORKS.items()
        if medians.keys() >= set(names)
    }
    others = {name: name for name in milliseconds if name != "seqloom"} | faster
    ratios = {name: np.divide(milliseconds[own], milliseconds["seqloom"]) for name, own in others.items()}
    return {
        "milliseconds_of_a_tree": medians,
        "trees_per_second": {name: 1e3 / median for name, median in medians.items()},
        "rounds_milliseconds": milliseconds,
        "faster": faster,
        "times_seqloom": {
            name: {"median": float(np.median(each)), "least": float(each.min()), "greatest": float(each.max())}
            for name, each in ratios.items()
        },
    }


if __name__ == "__main__":
    with quiet_native_log():
        main()
