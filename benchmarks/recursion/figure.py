"""The picture of the speed benchmark of recursive layers."""

from __future__ import annotations

from itertools import cycle
from pathlib import Path
from typing import Any

from tables import NAMES

STYLE = {"axes.spines.top": False, "axes.spines.right": False, "axes.titlelocation": "left", "font.size": 9.5}
GRID = {"axes.grid": True, "grid.color": "#ddd", "legend.frameon": False}


def draw(results: dict[str, Any], path: Path) -> None:
    """Draws the first cell: trees a second over the batch size, and milliseconds a tree over the depth."""
    import matplotlib
    from matplotlib.figure import Figure

    cell = results["rows"][0]["cell"]
    rows = [row for row in results["rows"] if row["cell"] == cell]
    sizes = sorted((row for row in rows if row["depth"] is None), key=lambda row: row["batch"])
    depths = sorted((row for row in rows if row["depth"] is not None), key=lambda row: row["mean_depth"])
    with matplotlib.rc_context({**STYLE, **GRID}):
        figure = Figure(figsize=(8.6, 3.9), layout="constrained")
        left, right = figure.subplots(1, 2)
        _lines(left, sizes, "batch", "trees_per_second")
        left.set(xlabel="batch size", ylabel="trees a second", xscale="log", yscale="log")
        left.set_xticks([row["batch"] for row in sizes], [str(row["batch"]) for row in sizes], minor=False)
        left.set_xticks([], minor=True)
        left.set_title(f"Training of a {cell} of {results['units'][cell]} units", weight="bold")
        _lines(right, depths, "mean_depth", "milliseconds_of_a_tree")
        right.set(xlabel="depth of the tree, mean of each group", ylabel="milliseconds a tree", yscale="log")
        right.set_title("By depth" + (f", batch of {depths[0]['batch']}" if depths else ""), weight="bold")
        for axes in (left, right):
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_formatter("")
        handles, labels = left.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=3)
        figure.savefig(path, dpi=160)


def _lines(axes: Any, rows: list[dict[str, Any]], x: str, y: str) -> None:
    """One line for each contender, with the name at its legend."""
    from seqloom.pipelines.reporting.figures import LINE_STYLES, PALETTE

    names = list(rows[0][y]) if rows else []
    for name, colour, style in zip(names, PALETTE, cycle(LINE_STYLES), strict=False):
        values = [row[y][name] for row in rows]
        axes.plot([row[x] for row in rows], values, style, color=colour, marker="o", markersize=3.5, label=NAMES[name])
