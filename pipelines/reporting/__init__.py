"""The report of a run: one self-contained HTML page.

A task describes what it has to show with the small classes of `page`; `figures` draws, `render` writes the page. Only
`page` is imported here: it needs neither jinja2 nor matplotlib.
"""

from .page import (
    Cell,
    Figure,
    Html,
    RunPage,
    Section,
    StudyPage,
    Table,
    badge,
    format_metric,
    prose,
    readable_name,
    span,
)

__all__ = [
    "Cell",
    "Figure",
    "Html",
    "RunPage",
    "Section",
    "StudyPage",
    "Table",
    "badge",
    "format_metric",
    "prose",
    "readable_name",
    "span",
]
