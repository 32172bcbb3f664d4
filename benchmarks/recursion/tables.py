"""The results of the speed benchmark of recursive layers as lines of a terminal and as Markdown."""

from __future__ import annotations

from typing import Any

NAMES = {
    "seqloom": "seqloom",
    "eager": "TensorFlow, recursion",
    "loop": "TensorFlow, loop",
    "torch": "PyTorch, recursion",
    "torch_one": "PyTorch, recursion, one thread",
}
FRAMEWORKS = {"tensorflow": "TensorFlow", "pytorch": "PyTorch"}


def header(results: dict[str, Any]) -> str:
    """Machine, versions, date and what can be said before the first row."""
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    units = ", ".join(f"{number} in {cell}" for cell, number in results["units"].items())
    lines = [
        f"{results['processor']}, {results['cores']} cores, {results['threads']} threads for each contender; "
        f"load {results['load_at_start']} at the start; {versions}; {results['date']}.",
        f"Units, and features of a word: {units}; {results['vocabulary']} words.",
        f"Medians over {results['rounds']} rounds of {results['seconds_of_a_turn']} s or one pass each.",
    ]
    if "torch" not in results["contenders"]:
        lines.append("PyTorch is not installed, so it is left out.")
    return "\n".join(lines)


def line(row: dict[str, Any]) -> str:
    """A row for the terminal."""
    speeds = "  ".join(f"{name} {each:.1f}/s" for name, each in row["trees_per_second"].items())
    ratios = "  ".join(f"{name} {row['times_seqloom'][name]['median']:.1f}x" for name in compared(row))
    name = f"{row['cell']}:{row['batch']}:{row['depth'] or 'all'}"
    return f"{name:<26}{speeds}  {ratios}"


def compared(row: dict[str, Any]) -> list[str]:
    """Whose ratio to seqloom counts: the faster way in each framework."""
    return list(row["faster"])


def page(results: dict[str, Any]) -> str:
    """The whole of `results.md`."""
    parts = ["# Speed of the recursive layers", header(results), f"```\n{results['command']}\n```"]
    sizes = [row for row in results["rows"] if row["depth"] is None]
    depths = [row for row in results["rows"] if row["depth"] is not None]
    parts += ["## Training, trees a second", _speeds(sizes)]
    parts += ["## By depth of the trees, milliseconds a tree", _times(depths)] if depths else []
    return "\n\n".join([*parts, "## The same losses", _checks(results["checks"])]) + "\n"


def _speeds(rows: list[dict[str, Any]]) -> str:
    names = list(rows[0]["trees_per_second"])
    lines = [["cell", "batch", "nodes of a tree", *(NAMES[name] for name in names), *_ratio_titles(rows)]]
    for row in rows:
        speeds = [_rounded(row["trees_per_second"][name]) for name in names]
        lines.append([row["cell"], str(row["batch"]), f"{row['nodes_of_a_tree']:.1f}", *speeds, *_ratios(row)])
    return _markdown(lines, text=1)


def _times(rows: list[dict[str, Any]]) -> str:
    names = list(rows[0]["milliseconds_of_a_tree"])
    titles = ["cell", "depth", "batch", "nodes of a tree", *(NAMES[name] for name in names), *_ratio_titles(rows)]
    lines = [titles]
    for row in rows:
        depth = f"{row['depth']}{row['greatest_depth']}" if row["depth"].endswith("-") else row["depth"]
        times = [_rounded(row["milliseconds_of_a_tree"][name]) for name in names]
        cells = [row["cell"], depth, str(row["batch"]), f"{row['nodes_of_a_tree']:.1f}"]
        lines.append([*cells, *times, *_ratios(row)])
    return _markdown(lines, text=2)


def _ratio_titles(rows: list[dict[str, Any]]) -> list[str]:
    return [f"seqloom to the faster in {FRAMEWORKS[name]} (least to greatest)" for name in compared(rows[0])]


def _ratios(row: dict[str, Any]) -> list[str]:
    ratios = [row["times_seqloom"][name] for name in compared(row)]
    return ["{median:.1f} ({least:.1f} to {greatest:.1f})".format(**each) for each in ratios]


def _checks(checks: dict[str, Any]) -> str:
    others = list(next(iter(checks.values()))["largest_relative_difference"])
    first = ["seqloom", *others]
    lines = [["cell", *(f"{NAMES[name]}, difference" for name in others), *(f"{NAMES[name]}, s" for name in first)]]
    for cell, check in checks.items():
        differences = [f"{check['largest_relative_difference'][name]:.0e}" for name in others]
        lines.append([cell, *differences, *(f"{check['first_step_seconds'][name]:.2f}" for name in first)])
    text = "The largest relative difference from seqloom's loss in the first three steps on one batch of 16 trees, and"
    return f"{text}\nthe time of the first of them, in which graphs are traced.\n\n{_markdown(lines, text=1)}"


def _rounded(value: float) -> str:
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _markdown(lines: list[list[str]], text: int) -> str:
    titles, *cells = lines
    rule = ["---"] * text + ["---:"] * (len(titles) - text)
    return "\n".join(f"| {' | '.join(each)} |" for each in [titles, rule, *cells])
