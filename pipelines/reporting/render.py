"""Writes the pages: `render_run` for one run, `render_comparison` for several, `render_study` for a study."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import scores
from .page import (
    DASH,
    Cell,
    Figure,
    Html,
    RunPage,
    Section,
    StudyPage,
    Table,
    format_column,
    format_number,
    format_seconds,
    is_fraction,
    is_score,
    readable_name,
)

if TYPE_CHECKING:
    import jinja2

__all__ = ["RunPage", "StudyPage", "render_comparison", "render_run", "render_study"]

SYNTHETIC = (
    "The examples were generated, not collected: scores on generated data are not comparable with published ones, "
    "nor with scores on any real data set."
)
_COMMON = {"Task": "task", "Data set": "dataset", "Split": "split", "Examples": "examples"}
_INTERVALS = "Brackets hold 95 % intervals, from a bootstrap over the scored examples."
_PUBLISHED = "Published figures come from other programs, whose preparation of the data and scorer may differ."
_PERCENT = "Columns with a % sign are fractions, shown as percent."


@dataclass(frozen=True)
class Setting:
    """A row of the table of settings; `None` is printed as "not set"."""

    name: str
    cells: list[str | None]
    changed: bool = False


def render_run(page: RunPage) -> str:
    """The report of one run.

    Args:
        page: what it shows. All strings are escaped, except `Html` and the SVG of a `Figure`.

    Returns:
        The text of a self-contained HTML file; the same page gives the same text.
    """
    from .figures import learning_curves

    sections = list(zip(_anchors(page.sections), page.sections, strict=True))
    figure = scores.run_figure(page.metrics, page.published)
    synthetic = bool(page.data.get("synthetic"))
    return (
        _templates()
        .get_template("report.html.j2")
        .render(
            data={"description": "", "synthetic": False} | dict(page.data),
            summary=page.summary,
            title=page.title,
            overline=" \N{MIDDLE DOT} ".join(filter(None, ("seqloom report", readable_name(page.task), page.dataset))),
            contents=[
                *(("results", "Results"), ("data", "Data"), ("training", "Training")),
                *((anchor, section.title) for anchor, section in sections),
                *(("settings", "Settings"), ("environment", "Environment")),
            ],
            warnings=[*([SYNTHETIC] if synthetic else []), *page.warnings],
            facts=_facts(page),
            command=page.command,
            tiles=scores.tiles(page.metrics, page.published),
            no_scores=scores.missing_scores(page.data),
            scores=scores.run_table("This run", page.metrics, page.published),
            scores_note=_scores_note(page),
            results_figures=[figure] if figure else [],
            synthetic=SYNTHETIC,
            data_tables=_data_tables(page.data),
            data_terms=[
                (key.capitalize(), page.data[key]) for key in ("source", "licence", "citation") if page.data.get(key)
            ],
            curves=learning_curves(page.history),
            times=_times(page.metrics.get("seconds", {})),
            counts=_counts(page.metrics.get("counts", {})),
            sections=sections,
            **_ending(page),
        )
    )


def render_study(page: StudyPage) -> str:
    """The report of a study.

    Args:
        page: what it shows. All strings are escaped, except `Html` and the SVG of a `Figure`.

    Returns:
        The text of a self-contained HTML file; the same page gives the same text.
    """
    anchors = _anchors([section for section, _, _ in page.parts])
    sections = [(anchor, section) for anchor, (section, _, _) in zip(anchors, page.parts, strict=True)]
    facts = {
        "Study": str(page.config.get("study", "")),
        "Seed": str(page.config.get("seed", "")),
        "Wall time": format_seconds(sum(page.seconds.values())),
    }
    return (
        _templates()
        .get_template("study.html.j2")
        .render(
            title=page.title,
            overline=f"seqloom report \N{MIDDLE DOT} {readable_name(page.task)}",
            summary=page.summary,
            warnings=[],
            facts=[(name, text) for name, text in facts.items() if text],
            command=page.command,
            contents=[
                ("results", "Results"),
                *((anchor, section.title) for anchor, section in sections),
                *(("settings", "Settings"), ("environment", "Environment")),
            ],
            numbers=[
                (anchor, section.title, readable_name(name), format_number(value), format_seconds(seconds))
                for anchor, (section, name, value), seconds in zip(
                    anchors, page.parts, page.seconds.values(), strict=True
                )
            ],
            sections=sections,
            **_ending(page),
        )
    )


def _ending(page: RunPage | StudyPage) -> dict[str, Any]:
    """What the last sections of a page show: settings and environment."""
    settings = _settings(page.config, page.defaults)
    return {
        "settings": settings,
        "changed": [setting for setting in settings if setting.changed],
        "environment": [(name, _written(value) or "not set") for name, value in _flat(page.environment)],
    }


def render_comparison(title: str, command: str, pages: Sequence[Mapping[str, Any]]) -> str:
    """The comparison of several runs or seeds.

    Args:
        title: the heading of the page.
        command: the command that repeats the comparison.
        pages: one dict for each run: `name` (its folder, relative to the page: the report is linked as
            `name/report.html`), `metrics` (the content of its `metrics.json`), `config`, `history`.

    Returns:
        The text of a self-contained HTML file; the same runs give the same text.
    """
    figure = scores.comparison_figure(pages)
    differences = _differences([page.get("config") or {} for page in pages])
    scored_on = {tuple(str(page["metrics"].get(key)) for key in ("task", "dataset", "split")) for page in pages}
    return (
        _templates()
        .get_template("comparison.html.j2")
        .render(
            title=title,
            overline="seqloom report \N{MIDDLE DOT} comparison",
            contents=[("results", "Results"), ("differences", "Differences"), ("training", "Training")],
            warnings=["These runs were scored on different data; do not read their figures against each other."]
            if len(scored_on) > 1
            else [],
            facts=[(name, _common(pages, key)) for name, key in _COMMON.items()] + [("Runs", str(len(pages)))],
            command=command,
            scores=scores.comparison_table(pages),
            scores_note=f"{_PERCENT} The standard deviation (sd) is that of a sample, with n \N{MINUS SIGN} 1.",
            results_figures=[figure] if figure else [],
            names=[str(page["name"]) for page in pages],
            differences=[setting for setting in differences if setting.name != "seed"],
            no_differences="The runs differ in their seed only." if differences else "All runs have the same settings.",
            curves=_overlaid(pages),
            costs=_costs(pages),
        )
    )


@cache
def _templates() -> jinja2.Environment:
    import jinja2

    loader = jinja2.FileSystemLoader(Path(__file__).parent / "templates")
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    environment.filters |= {
        "grouped": _grouped,
        "paragraphs": lambda text: [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()],
        "table_view": _table_view,
        "is_broad": _is_broad,
        "words": str.split,
    }
    return environment


def _grouped(blocks: Sequence[Table | Figure | Html]) -> Iterator[tuple[str, list[Table | Figure | Html]]]:
    return ((kind, list(group)) for kind, group in groupby(blocks, key=lambda block: type(block).__name__))


def _is_broad(figure: Figure) -> bool:
    found = re.search(r"--width: (\d+)px", figure.svg[:200])
    return found is not None and int(found[1]) > 500


def _table_view(table: Table) -> dict[str, Any]:
    """Headings with whether their column holds numbers, and the rows as they are printed."""
    columns: list[tuple[str, bool]] = []
    printed = []
    for place, name in enumerate(table.columns):
        cells = [row[place] for row in table.rows]
        kinds = {type(cell) for cell in cells if cell is not None}
        metric = float in kinds and is_score(name)
        columns.append((scores.heading_of(name) if metric else name, bool(kinds) and kinds <= {int, float}))
        printed.append(format_column(name, cells))
    return {"columns": columns, "rows": [list(row) for row in zip(*printed, strict=True)] if table.rows else []}


def _anchors(sections: Sequence[Section]) -> list[str]:
    """A readable and unique fragment for each section."""
    taken: set[str] = {"results", "data", "training", "settings", "environment"}
    anchors = []
    for number, section in enumerate(sections, start=1):
        anchor = re.sub(r"[^a-z0-9]+", "-", section.title.lower()).strip("-")
        anchor = f"{anchor or 'section'}-{number}" if anchor in taken or not anchor else anchor
        taken.add(anchor)
        anchors.append(anchor)
    return anchors


def _facts(page: RunPage) -> list[tuple[str, str]]:
    metrics = page.metrics
    seconds = sum(metrics.get("seconds", {}).values())
    facts = {
        "Data set": page.dataset,
        "Scored on": f"{metrics.get('examples', 0):,} {metrics.get('split', 'test')} examples"
        if metrics.get("metrics")
        else "",
        "Seed": "" if metrics.get("seed") is None else str(metrics["seed"]),
        "Epochs": f"{metrics['epochs']:,}" if metrics.get("epochs") is not None else "",
        "Parameters": f"{metrics['parameters']:,}" if metrics.get("parameters") is not None else "",
        "Wall time": format_seconds(seconds) if seconds else "",
    }
    return [(name, text) for name, text in facts.items() if text]


def _scores_note(page: RunPage) -> str:
    intervals = _INTERVALS if page.metrics.get("confidence") and page.metrics.get("metrics") else ""
    notes = page.metrics.get("notes", {})
    computed = f"Computed as {', '.join(notes.values())}." if notes else ""
    return " ".join(filter(None, (intervals, _PERCENT, computed, _PUBLISHED if page.published else "")))


def _common(pages: Sequence[Mapping[str, Any]], key: str) -> str:
    values = list(dict.fromkeys(str(page["metrics"].get(key, DASH)) for page in pages))
    return readable_name(values[0]) if key == "task" and len(values) == 1 else ", ".join(values)


def _data_tables(data: Mapping[str, Any]) -> list[Table]:
    tables = []
    if data.get("counts"):
        rows = list(data["counts"].items())
        tables.append(Table(("Split", "Examples"), rows, "Examples in each split"))
    if data.get("notes"):
        rows = list(data["notes"].items())
        tables.append(Table(("Note", "Count"), rows, "Filtered, repaired or noticed while reading"))
    return tables


def _counts(counts: Mapping[str, Any]) -> Table | None:
    rows: list[Sequence[Cell]] = [(readable_name(name), value) for name, value in counts.items()]
    return Table(("Counted", "Number"), rows, "Counts of the evaluation") if rows else None


def _times(seconds: Mapping[str, float]) -> list[tuple[str, str, str]]:
    longest = max(seconds.values(), default=0.0) or 1.0
    return [(readable_name(k), format_seconds(v), f"{100 * v / longest:.1f}") for k, v in seconds.items()]


def _costs(pages: Sequence[Mapping[str, Any]]) -> Table:
    rows: list[Sequence[Cell]] = []
    for page in pages:
        metrics = page["metrics"]
        train = metrics.get("seconds", {}).get("train")
        duration = None if train is None else format_seconds(train)
        rows.append((str(page["name"]), metrics.get("epochs"), metrics.get("parameters"), duration))
    return Table(("Run", "Epochs", "Parameters", "Time of training"), rows, "What the runs cost")


def _overlaid(pages: Sequence[Mapping[str, Any]]) -> list[Figure]:
    """One figure for each column of validation, with a line for each run."""
    from .figures import lines

    columns = dict.fromkeys(key for page in pages for row in page.get("history") or () for key in row)
    epochs = list(range(1, 1 + max((len(page.get("history") or ()) for page in pages), default=0)))
    figures = []
    for column in (name for name in columns if name.startswith("val_")):
        series = {}
        for page in pages:
            values = [row.get(column) for row in page.get("history") or ()]
            series[str(page["name"])] = values + [None] * (len(epochs) - len(values))
        percent = is_fraction(column)
        title = readable_name(column) + (" (%)" if percent else "")
        figures.append(lines(epochs, series, title=title, xlabel="epoch", percent=percent))
    return figures


def _flat(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """The leaves of nested dicts under dotted names."""
    leaves: list[tuple[str, Any]] = []
    for key, value in tree.items():
        nested = isinstance(value, Mapping) and value
        leaves += _flat(value, f"{prefix}{key}.") if nested else [(f"{prefix}{key}", value)]
    return leaves


def _written(value: Any) -> str | None:
    """A setting as one would write it in YAML; `None` where nothing is set."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        ordered = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return "[" + ", ".join(_written(item) or "null" for item in ordered) + "]"
    if isinstance(value, bool | int | float | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _settings(config: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[Setting]:
    usual = dict(_flat(defaults))
    rows = []
    for name, value in _flat(config):
        default = _written(usual.get(name))
        changed = bool(usual) and (name not in usual or _written(value) != default)
        rows.append(Setting(name, [_written(value), default], changed))
    return rows


def _differences(configs: Sequence[Mapping[str, Any]]) -> list[Setting]:
    flat = [dict(_flat(config)) for config in configs]
    rows = []
    for name in dict.fromkeys(key for config in flat for key in config):
        cells = [_written(config.get(name)) for config in flat]
        if len(set(cells)) > 1:
            rows.append(Setting(name, cells))
    return rows
