"""The scores of a run, of its baselines and of the literature, made ready for the page: tiles, table, figure."""

from __future__ import annotations

import math
import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ..evaluation import is_description, lower_is_better
from .page import Figure, format_interval, format_metric, is_fraction, readable_name

HEADLINES = 4  # metrics with a tile of their own
BROADEST = 7  # metrics that stand beside each other without scrolling


@dataclass(frozen=True)
class Tile:
    """A metric in large print; `margin` is what the run gains over the best of its baselines."""

    name: str
    value: str
    unit: str
    interval: str = ""
    margin: str = ""
    kind: str = ""
    baseline: str = ""


@dataclass(frozen=True)
class ScoreRow:
    """One system: a cell is its value and its interval as they are printed."""

    name: str
    cells: list[tuple[str, str]]
    remark: str = ""
    own: bool = False
    link: str = ""


@dataclass(frozen=True)
class ScoreGroup:
    """Rows under a common title."""

    title: str
    rows: list[ScoreRow]


@dataclass(frozen=True)
class ScoreTable:
    """A column for each metric, systems in groups of rows."""

    heading: str
    columns: list[str]
    groups: list[ScoreGroup]


def heading_of(metric: str) -> str:
    """A metric's name over a column, with the unit."""
    return readable_name(metric) + ("\N{NO-BREAK SPACE}%" if is_fraction(metric) else "")


def _title_of(metric: str) -> str:
    return readable_name(metric) + (" (%)" if is_fraction(metric) else "")


def decimals_of(metric: str, metrics: Mapping[str, Any], others: Sequence[Mapping[str, float]] = ()) -> int:
    """One digit after the point; two where the interval is narrower than half a point or a published figure has two."""
    low, high = metrics.get("confidence", {}).get(metric) or (0.0, 1.0)
    fine = [other[metric] for other in others if other.get(metric) is not None]
    two = is_fraction(metric) and (high - low < 0.005 or any(abs(round(1000 * x) - 1000 * x) > 0.01 for x in fine))
    return 2 if two else 1


def ranked(metrics: Mapping[str, Any], published: Sequence[Mapping[str, Any]] = ()) -> list[str]:
    """The names of a run's metrics, those first that the literature reports, and F1 before its two parts."""
    own = list(metrics.get("metrics", {}))
    reported = {name: sum(item["metrics"].get(name) is not None for item in published) for name in own}
    return sorted(own, key=lambda name: (_is_part(name, own), -reported[name]))


def _is_part(name: str, names: Sequence[str]) -> bool:
    """Whether a metric is the precision or recall of an F1 that is there too."""
    return re.sub("(precision|recall)$", "f1", name) in set(names) - {name}


def _is_variant(name: str, names: Sequence[str]) -> bool:
    return any(name.startswith(f"{other}_") for other in names)


def tiles(metrics: Mapping[str, Any], published: Sequence[Mapping[str, Any]] = ()) -> list[Tile]:
    """The foremost metrics of a run in large print, each against its best baseline."""
    made = []
    names = [name for name in ranked(metrics, published) if not is_description(name)]
    for metric in [name for name in names if not _is_part(name, names)][:HEADLINES]:
        value = metrics["metrics"][metric]
        interval = metrics.get("confidence", {}).get(metric)
        decimals = decimals_of(metric, metrics)
        bounds = format_interval(metric, value, interval, decimals).partition(" ")[2]
        unit = "%" if is_fraction(metric) else ""
        tile = Tile(readable_name(metric), format_metric(metric, value, decimals), unit, bounds)
        made.append(_with_margin(tile, metric, value, metrics.get("baselines", {}), decimals))
    return made


def _with_margin(tile: Tile, metric: str, value: float | None, baselines: Mapping[str, Any], decimals: int) -> Tile:
    scored = [(scores[metric], name) for name, scores in baselines.items() if scores.get(metric) is not None]
    if not scored or value is None or not math.isfinite(value):
        return tile
    best, name = (min if lower_is_better(metric) else max)(scored, key=lambda pair: pair[0])
    difference = float(value - best)
    kind = "" if difference == 0 else "worse" if (difference > 0) == lower_is_better(metric) else "better"
    sign = "+" if difference >= 0 else "\N{MINUS SIGN}"
    margin = sign + format_metric(metric, abs(difference), decimals)
    baseline = f"{readable_name(name)} ({format_metric(metric, best, decimals)})"
    return Tile(tile.name, tile.value, tile.unit, tile.interval, margin, kind, baseline)


def run_table(title: str, metrics: Mapping[str, Any], published: Sequence[Mapping[str, Any]]) -> ScoreTable:
    """This run, its baselines and the figures of the literature, in one table.

    A table that would be too broad leaves out variants of a metric, as `wer_greedy` is of `wer`, that this run alone
    has: the sections of the task show them.
    """
    systems = [metrics, *({"metrics": scores} for scores in metrics.get("baselines", {}).values()), *published]
    every = (name for system in systems for name in system.get("metrics", {}))
    columns = list(dict.fromkeys([*ranked(metrics, published), *every]))
    if len(columns) > BROADEST:
        shared = {name for system in systems[1:] for name in system["metrics"]}
        columns = [name for name in columns if name in shared or not _is_variant(name, columns)]
    literature = [system["metrics"] for system in published]
    digits = max((decimals_of(name, metrics, literature) for name in columns), default=1)

    def row(name: str, scores: Mapping[str, Any], remark: str = "", own: bool = False) -> ScoreRow:
        intervals = metrics.get("confidence", {}) if own else {}
        texts = [format_interval(key, scores.get(key), intervals.get(key), digits) for key in columns]
        cells = [(text.partition(" ")[0], text.partition(" ")[2]) for text in texts]
        return ScoreRow(name, cells, remark, own)

    groups = []
    if metrics.get("metrics"):
        groups.append(ScoreGroup("", [row(title, metrics["metrics"], own=True)]))
    if metrics.get("baselines"):
        rows = [row(readable_name(name), scores) for name, scores in metrics["baselines"].items()]
        groups.append(ScoreGroup("Baselines, on the same examples", rows))
    if published:
        rows = [row(item["system"], item["metrics"], item.get("source", "")) for item in published]
        groups.append(ScoreGroup("Published", rows))
    return ScoreTable("System", [heading_of(name) for name in columns], groups)


def run_figure(metrics: Mapping[str, Any], published: Sequence[Mapping[str, Any]]) -> Figure | None:
    """The first metric of the run against the systems that have it too; nothing if there is none."""
    from .figures import dots

    metric = next(iter(ranked(metrics, published)), "")
    systems = [("this run", "this run", metrics.get("metrics", {}).get(metric))]
    systems += [(readable_name(n), "baseline", s.get(metric)) for n, s in metrics.get("baselines", {}).items()]
    systems += [(item["system"], "published", item["metrics"].get(metric)) for item in published]
    systems = [system for system in systems if system[2] is not None and math.isfinite(system[2])]
    if len(systems) < 2:
        return None
    systems[1:] = sorted(systems[1:], key=lambda system: system[2], reverse=not lower_is_better(metric))
    labels, groups, values = zip(*systems, strict=True)
    own = metrics.get("confidence", {}).get(metric)
    intervals = [own if group == "this run" else None for group in groups]
    return dots(
        labels,
        values,
        intervals=intervals,
        groups=groups,
        title=_title_of(metric),
        caption="The line through this run's dot is its 95 % interval." if own else "",
        percent=is_fraction(metric),
    )


def comparison_table(pages: Sequence[Mapping[str, Any]]) -> ScoreTable:
    """All runs with a link to each, then mean, standard deviation and range, then their baselines."""
    columns = list(dict.fromkeys(name for page in pages for name in ranked(page["metrics"])))

    def row(name: str, scores: Mapping[str, Any], remark: str = "", link: str = "", own: bool = False) -> ScoreRow:
        return ScoreRow(name, [(format_metric(key, scores.get(key), 2), "") for key in columns], remark, own, link)

    runs = []
    for page in pages:
        name, metrics = str(page["name"]), page["metrics"]
        seed = metrics.get("seed")
        remark = "" if seed is None or name == f"seed-{seed}" else f"seed {seed}"
        runs.append(row(name, metrics.get("metrics", {}), remark, quote(f"{name}/report.html")))
    groups = [ScoreGroup("", runs)]
    if len(pages) > 1 and columns:
        values = {key: _values([page["metrics"].get("metrics", {}) for page in pages], key) for key in columns}
        summaries: dict[str, Callable[[list[float]], float | None]] = {
            "mean": statistics.fmean,
            "sd": lambda numbers: statistics.stdev(numbers) if len(numbers) > 1 else None,
            "min": min,
            "max": max,
        }
        rows = [row(n, {k: f(v) for k, v in values.items() if v}, own=n == "mean") for n, f in summaries.items()]
        groups.append(ScoreGroup(f"Over {len(pages)} runs", rows))
    baselines = _baselines(pages, columns)
    if baselines:
        rows = [row(readable_name(name), scores) for name, scores in baselines.items()]
        groups.append(ScoreGroup("Baselines, mean over the runs that have them", rows))
    return ScoreTable("Run", [heading_of(name) for name in columns], groups)


def _values(scores: Sequence[Mapping[str, Any]], metric: str) -> list[float]:
    return [float(each[metric]) for each in scores if each.get(metric) is not None and math.isfinite(each[metric])]


def _baselines(pages: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> dict[str, dict[str, float]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for page in pages:
        for name, scores in page["metrics"].get("baselines", {}).items():
            found.setdefault(name, []).append(scores)
    return {
        name: {key: statistics.fmean(numbers) for key in columns if (numbers := _values(scores, key))}
        for name, scores in found.items()
    }


def comparison_figure(pages: Sequence[Mapping[str, Any]]) -> Figure | None:
    """The first metric of each run with its interval; nothing for a single run."""
    from .figures import dots

    metric = next((name for page in pages for name in ranked(page["metrics"])), "")
    scored = [page for page in pages if _values([page["metrics"].get("metrics", {})], metric)]
    if len(scored) < 2:
        return None
    intervals = [page["metrics"].get("confidence", {}).get(metric) for page in scored]
    return dots(
        [str(page["name"]) for page in scored],
        [page["metrics"]["metrics"][metric] for page in scored],
        intervals=intervals,
        title=_title_of(metric),
        caption="Lines are the 95 % intervals of each run." if any(intervals) else "",
        percent=is_fraction(metric),
    )


def missing_scores(data: Mapping[str, Any]) -> str:
    """Why a run has no scores, as far as the data can tell."""
    if data.get("counts") and not data["counts"].get("test"):
        return "The data set has no test split, so the model was not scored."
    return "This run has not been scored."
