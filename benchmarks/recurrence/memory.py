"""How much memory a training step of an LSTM takes, over the number of time steps: seqloom, Keras and PyTorch.

    python benchmarks/recurrence/memory.py

Each point is a process of its own: it builds the model, notes the peak of its resident memory, trains for a few steps
on one batch, and notes the peak again. The difference is what training took. Writes `memory.json` and `memory.png`
beside this file.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import contenders
from contenders import Case

from seqloom import __version__
from seqloom.pipelines.environment import processor
from seqloom.pipelines.native_log import quiet_native_log
from seqloom.pipelines.run_directory import write_json, write_whole

HERE = Path(__file__).parent
TIMES = (100, 200, 400, 800, 1600, 3200)
BATCH, INPUTS, UNITS = 32, 128, 128
STEPS = 2
MIB = 2**20


def main() -> None:
    """Measures all points, prints them, and writes and draws the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--point", nargs=2, metavar=("CONTENDER", "TIME"), help="measure one point in this process")
    parser.add_argument("--times", type=int, nargs="+", default=TIMES, help="numbers of time steps")
    parser.add_argument("--output", type=Path, default=HERE, metavar="FOLDER", help="where to write the results")
    arguments = parser.parse_args()
    if arguments.point:
        contender, time = arguments.point
        print(json.dumps(measure(contender, int(time))))
        return

    points = []
    for time in arguments.times:
        for contender in contenders.installed():
            points.append({"contender": contender, "time": time, **in_a_process(contender, time)})
            print(
                "{contender:<8} {time:>5} steps: {model_mib:6.0f} MiB, training {training_mib:+7.0f} MiB".format_map(
                    points[-1]
                ),
                flush=True,
            )
    write_json(arguments.output / "memory.json", {**describe(), "points": points})
    write_whole(arguments.output / "memory.png", lambda path: draw(points, path))


def describe() -> dict[str, Any]:
    """What was measured, and with what."""
    packages = ["tensorflow", "keras", *contenders.installed()[2:]]
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "processor": processor(),
        "versions": {"seqloom": __version__, **{name: importlib.metadata.version(name) for name in packages}},
        "layer": {"cell": "LSTM", "batch": BATCH, "inputs": INPUTS, "units": UNITS},
        "training_steps": STEPS,
    }


def in_a_process(contender: str, time: int) -> dict[str, float]:
    """What `measure` finds in a process of its own."""
    command = [sys.executable, __file__, "--point", contender, str(time)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def measure(contender: str, time: int) -> dict[str, float]:
    """Peaks of the resident memory in MiB: with the model alone, after training, and what is between them."""
    model = contenders.build(contender, Case("LSTM", BATCH, time, INPUTS, UNITS))
    before = peak()
    for _ in range(STEPS):
        model.train()
    after = peak()
    return {"model_mib": before, "peak_mib": after, "training_mib": after - before}


def peak() -> float:
    """MiB of resident memory at its highest since the process started."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MIB


def draw(points: list[dict[str, Any]], path: Path) -> None:
    """Draws what training took over the number of time steps, one line for each contender."""
    import matplotlib
    from matplotlib.figure import Figure

    from seqloom.pipelines.reporting.figures import LINE_STYLES, PALETTE

    style = {"axes.spines.top": False, "axes.spines.right": False, "axes.titlelocation": "left", "font.size": 9.5}
    with matplotlib.rc_context({**style, "axes.grid": True, "grid.color": "#ddd", "legend.frameon": False}):
        figure = Figure(figsize=(6.4, 3.6), layout="constrained")
        axes = figure.add_subplot()
        names = list(dict.fromkeys(point["contender"] for point in points))
        for name, colour, line in zip(names, PALETTE, LINE_STYLES, strict=False):
            own = [(point["time"], point["training_mib"]) for point in points if point["contender"] == name]
            axes.plot(*zip(*own, strict=True), line, color=colour, marker="o", markersize=3.5, label=name)
        axes.set(xlabel="time steps", ylabel="MiB", xlim=(0, None), ylim=(0, None))
        axes.set_title(f"Memory of a training step, LSTM of {UNITS} units, batch of {BATCH}", weight="bold")
        axes.legend()
        figure.savefig(path, dpi=160)


if __name__ == "__main__":
    with quiet_native_log():
        main()
