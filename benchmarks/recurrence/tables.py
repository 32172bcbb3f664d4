"""The results of the speed benchmark as lines of a terminal and as Markdown."""

from __future__ import annotations

from typing import Any

KINDS = {"train": "Training step", "infer": "Inference"}
MEANS = {"train": "training", "infer": "inference", "all": "all rows"}
DIRECTIONS = {1: "one", 2: "both"}


def peak(results: dict[str, Any]) -> float:
    """GFLOP/s of the fastest matrix product measured."""
    return max(max(each.values()) for each in results["peak_gflops"].values())


def header(results: dict[str, Any]) -> str:
    """Machine, versions, date and what can be said before the first row."""
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    products = "; ".join(
        f"{name} {each['all_threads']:.0f} GFLOP/s on all threads, {each['one_thread']:.0f} on one"
        for name, each in results["peak_gflops"].items()
    )
    lines = [
        f"{results['processor']}, {results['cores']} cores; {versions}; {results['date']}.",
        f"Medians over {results['rounds']} rounds of {results['seconds_of_a_turn']} s each.",
        f"Product of two 2048 x 2048 float32 matrices: {products}.",
    ]
    if "torch" not in results["contenders"]:
        lines.append("PyTorch is not installed, so it is left out.")
    return "\n".join(lines)


def line(row: dict[str, Any], results: dict[str, Any]) -> str:
    """A row for the terminal."""
    times = "  ".join(f"{name} {each:.2f} ms" for name, each in row["milliseconds"].items())
    ratios = "  ".join(f"{name}/seqloom {each:.2f}" for name, each in row["times_seqloom"].items())
    name = f"{row['cell']}:{row['kind']}:{row['shape']}:{DIRECTIONS[row['directions']]}"
    return f"{name:<34}{times}  {ratios}  {_share(row, results)}"


def page(results: dict[str, Any]) -> str:
    """The whole of `results.md`."""
    parts = ["# Speed of the recurrent layers", header(results)]
    for kind, title in KINDS.items():
        rows = [row for row in results["rows"] if row["kind"] == kind]
        parts += [f"## {title}", _table(rows, results)] if rows else []
    return "\n\n".join([*parts, "## Geometric means", _means(results)]) + "\n"


def _table(rows: list[dict[str, Any]], results: dict[str, Any]) -> str:
    names = results["contenders"]
    titles = ["layer", "directions", "batch x time x inputs x units", *(f"{name}, ms" for name in names)]
    titles += [*(f"{name} / seqloom" for name in names[1:]), "GFLOP/s of seqloom (of the peak)"]
    titles += [f"first call, s ({' / '.join(names)})"]
    lines = [titles, ["---"] * 3 + ["---:"] * (len(titles) - 3)]
    for row in rows:
        cells = [row["cell"], DIRECTIONS[row["directions"]], row["shape"].replace("x", " x ")]
        cells += [f"{row['milliseconds'][name]:.2f}" for name in names]
        cells += [f"{row['times_seqloom'][name]:.2f}" for name in names[1:]]
        cells += [_share(row, results), " / ".join(f"{row['first_call_seconds'][name]:.2f}" for name in names)]
        lines.append(cells)
    return _markdown(lines)


def _means(results: dict[str, Any]) -> str:
    names = results["contenders"][1:]
    lines = [["rows", *(f"{name} / seqloom (least to greatest)" for name in names)], ["---"] + ["---:"] * len(names)]
    for kind, means in results["geometric_means"].items():
        cells = ["{mean:.2f} ({least:.2f} to {greatest:.2f})".format(**means[name]) for name in names]
        lines.append([MEANS[kind], *cells])
    return _markdown(lines)


def _share(row: dict[str, Any], results: dict[str, Any]) -> str:
    gflops = row["gflops"]["seqloom"]
    return f"{gflops:.1f} ({100 * gflops / peak(results):.0f} %)"


def _markdown(lines: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
