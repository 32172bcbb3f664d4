"""What a report consists of, and how names and numbers are written in it."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any, TypeAlias

SPAN_COLOURS = 8  # the classes colour-0 ... colour-7 of templates/style.css.j2
DASH = "\N{EN DASH}"  # stands where there is no value

# Words of a metric's name that say how it is measured. Any other metric is printed as it is.
_FRACTIONS = frozenset(
    ("accuracy", "f1", "precision", "recall", "map", "wer", "cer", "ser", "auc", "ece", "match", "share", "coverage")
)
# Such words of metrics that go from 0 to 100 where they come from.
_HUNDREDTHS = frozenset(("bleu", "chrf"))
_ACRONYMS = (
    "wer",
    "cer",
    "ser",
    "ter",
    "f1",
    "bleu",
    "ece",
    "roc",
    "auc",
    "map",
    "crf",
    "ctc",
    "lm",
    "oov",
    "lstm",
    "gru",
    "rnn",
    "bptt",
)
_SPELLINGS = {**{word: word.upper() for word in _ACRONYMS}, "chrf": "chrF", "val": "validation"}


@dataclass(frozen=True)
class Html:
    """Trusted markup of a task's own making; it goes into the page as it is.

    Every string that comes from data has to be escaped by whoever makes it, with `markupsafe.escape` or `html.escape`;
    `span` and `badge` below do so. The classes that the page styles are listed at the head of
    `templates/style.css.j2`.

    Args:
        markup: HTML with balanced tags and no reference to another file.
    """

    markup: str

    def __html__(self) -> str:
        """The markup; the name is what jinja2 and markupsafe ask for before they escape."""
        return self.markup


Cell: TypeAlias = str | float | int | Html | None


@dataclass(frozen=True)
class Table:
    """A table; more than about fifteen rows scroll under a fixed head.

    Numbers are right-aligned and printed by the renderer with the same decimals in a whole column. A column that is
    named as a metric (`precision`, `slot_f1`, `wer`) is headed by its readable name, and its floats, which must then be
    fractions, are shown as percent; those of `bleu` and `chrf` are from 0 to 100 and shown as they are. Strings are
    escaped; `None` is shown as a dash.

    Args:
        columns: one heading for each column.
        rows: one sequence of cells for each row, as long as `columns`.
        caption: a plain sentence above the table.

    Raises:
        ValueError: if a row has another length than `columns`.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    caption: str = ""

    def __post_init__(self) -> None:
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(f"row {number} must have {len(self.columns)} cells as `columns`, got {len(row)} cells")


@dataclass(frozen=True)
class Figure:
    """A drawing made by `figures`.

    Args:
        svg: inline `<svg>` markup, trusted.
        caption: a plain sentence below the figure.
        alt: what the figure shows, for those who do not see it.
    """

    svg: str
    caption: str
    alt: str


@dataclass(frozen=True)
class Section:
    """A part of the report with a heading of its own and an entry in the table of contents.

    Args:
        title: the heading.
        text: plain text; an empty line starts a new paragraph.
        blocks: shown in this order below the text; neighbouring figures stand side by side where there is room.
    """

    title: str
    text: str = ""
    blocks: Sequence[Table | Figure | Html] = ()


@dataclass(frozen=True)
class RunPage:
    """Everything that the report of one run shows; `render.render_run` turns it into HTML.

    Args:
        title: the heading of the page.
        task: name of the task.
        dataset: name of the data set.
        command: the command that repeats the run.
        summary: one or two plain sentences under the heading.
        config: the effective settings.
        defaults: the settings as they are without any choice of the user; what differs is highlighted.
        environment: versions, devices and the like; may be nested.
        data: `description`, `licence`, `citation`, `source`, `counts` (examples of each split), `notes` (what was
            filtered or repaired, counted) and `synthetic`; each may be missing.
        metrics: the content of `metrics.json`; without a test split its `metrics` is empty.
        published: `{"system", "metrics": {name: value}, "source"}` for each figure of the literature.
        history: one dict for each epoch, as in `history.csv`.
        sections: the task's own sections.
        warnings: plain sentences, shown at the top.
    """

    title: str
    task: str
    dataset: str
    command: str
    summary: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    data: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    published: Sequence[Mapping[str, Any]] = ()
    history: Sequence[Mapping[str, float]] = ()
    sections: Sequence[Section] = ()
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class StudyPage:
    """Everything that the report of a study shows; `render.render_study` turns it into HTML.

    Args:
        title: the heading of the page.
        task: name of the study.
        command: the command that repeats it.
        summary: one or two plain sentences under the heading.
        config: the effective settings.
        defaults: the settings as they are without any choice of the user; what differs is highlighted.
        environment: versions, devices and the like; may be nested.
        seconds: what each section took.
        parts: each section, with the name and the value of its number.
    """

    title: str
    task: str
    command: str
    summary: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    parts: Sequence[tuple[Section, str, float]] = ()


def readable_name(name: str) -> str:
    """The name of a metric or a setting as one writes it in a text.

    Example:
        >>> readable_name("slot_f1"), readable_name("val_wer"), readable_name("chrf")
        ('Slot F1', 'Validation WER', 'chrF')
    """
    words = [_SPELLINGS.get(word, word) for word in name.split("_") if word]
    if words and words[0].split(" ")[0].islower():
        words[0] = words[0][0].upper() + words[0][1:]
    return " ".join(words) or name


def is_fraction(name: str) -> bool:
    """Whether a metric of this name is a fraction, which the report shows as percent.

    Example:
        >>> is_fraction("root_accuracy_fine"), is_fraction("bleu"), is_fraction("log_loss")
        (True, False, False)
    """
    return not _FRACTIONS.isdisjoint(name.lower().split("_")) or name.endswith("error_rate")


def is_of_a_hundred(name: str) -> bool:
    """Whether a metric of this name goes from 0 to 100, as sacrebleu gives BLEU and chrF.

    Example:
        >>> is_of_a_hundred("bleu"), is_of_a_hundred("exact_match")
        (True, False)
    """
    return not _HUNDREDTHS.isdisjoint(name.lower().split("_"))


def format_metric(name: str, value: float | None, decimals: int = 1) -> str:
    """A metric's value as the report prints it: fractions as percent (without the sign), counts with separators.

    Args:
        name: the metric's name, which says what the value is.
        value: the value as in `metrics.json`.
        decimals: digits after the point; a metric on a small scale of its own, such as `log_loss`, gets two more.

    Example:
        >>> format_metric("slot_f1", 0.9538), format_metric("bleu", 7.312), format_metric("log_loss", 0.1234)
        ('95.4', '7.3', '0.123')
    """
    if value is None:
        return DASH
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{100 * value:.{decimals}f}" if is_fraction(name) else f"{value:,}"
    if not math.isfinite(value):
        return str(value)
    if is_fraction(name):
        return f"{100 * value:.{decimals}f}"
    return f"{value:,.{decimals if abs(value) >= 10 or is_of_a_hundred(name) else decimals + 2}f}"


def format_interval(name: str, value: float | None, interval: Sequence[float] | None, decimals: int = 1) -> str:
    """A value with its interval.

    Example:
        >>> format_interval("slot_f1", 0.9538, (0.9452, 0.9618))
        '95.4 [94.5, 96.2]'
    """
    text = format_metric(name, value, decimals)
    if value is None or interval is None:
        return text
    low, high = (format_metric(name, float(bound), decimals) for bound in interval)
    return f"{text} [{low}, {high}]"


def format_number(value: float, digits: int = 3) -> str:
    """A number of any size with so many significant digits, very large and very small ones with a power of ten.

    Example:
        >>> format_number(0.22474), format_number(20751.2), format_number(-4.66452e8), format_number(1e-15)
        ('0.225', '20,800', '\u22124.66 × 10⁸', '10⁻¹⁵')
    """
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    sign = "\N{MINUS SIGN}" if value < 0 else ""
    mantissa, exponent = f"{abs(value):.{digits - 1}e}".split("e")
    power = int(exponent)
    if -4 <= power < 5:
        rounded = float(f"{mantissa}e{exponent}")
        text = f"{rounded:,.{max(0, digits - 1 - power)}f}"
        return sign + (text.rstrip("0").rstrip(".") if "." in text else text)
    mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{sign}{'' if mantissa == '1' else f'{mantissa} × '}10{superscript(power)}"


def superscript(power: int) -> str:
    """An exponent in raised digits.

    Example:
        >>> superscript(-12)
        '⁻¹²'
    """
    return str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def format_seconds(seconds: float) -> str:
    """A duration as one says it.

    Example:
        >>> format_seconds(4.23), format_seconds(192), format_seconds(7300)
        ('4.2 s', '3 min 12 s', '2 h 01 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def is_score(column: str) -> bool:
    """Whether a column of a table is named as a metric whose values are printed with a digit after the point."""
    return re.fullmatch(r"\w+", column) is not None and (is_fraction(column) or is_of_a_hundred(column))


def format_column(name: str, values: Sequence[Cell]) -> list[Cell]:
    """The cells of one column of a `Table`, numbers written with common decimals, all else left as it is."""
    numbers = [value for value in values if isinstance(value, float) and math.isfinite(value)]
    largest = max(map(abs, numbers), default=0.0)
    scored = is_score(name)
    decimals = next((digits for bound, digits in ((1000, 0), (100, 1), (10, 2)) if largest >= bound), 3)
    if all(number.is_integer() for number in numbers):
        decimals = 0

    def written(value: Cell) -> Cell:
        if value is None:
            return DASH
        if isinstance(value, bool) or not isinstance(value, int | float):
            return value if isinstance(value, Html) else str(value)
        if isinstance(value, int):
            return f"{value:,}"
        if scored:
            return format_metric(name, value)
        return f"{value:.3g}" if 0 < largest < 0.01 else f"{value:,.{decimals}f}"

    return [written(value) for value in values]


def span(text: str, label: str, state: str = "") -> Html:
    """A stretch of a sentence on a coloured ground with its label; the same label always has the same colour.

    Args:
        text: the words of the span.
        label: its label.
        state: `""`, `"right"` or `"wrong"`; a wrong one is underlined in red.

    Example:
        >>> span("new york", "city", "wrong").markup
        '<mark class="span colour-4 wrong" data-label="city">new york</mark>'
    """
    classes = f"span colour-{zlib.crc32(label.encode()) % SPAN_COLOURS} {escape(state)}".strip()
    return Html(f'<mark class="{classes}" data-label="{escape(label)}">{escape(text)}</mark>')


def prose(text: str, title: str = "") -> Html:
    """Plain text between figures and tables; an empty line starts a new paragraph, a title stands above.

    Example:
        >>> prose("It falls.", "Norms").markup
        '<h3>Norms</h3><p>It falls.</p>'
    """
    parts = [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]
    heading = f"<h3>{escape(title)}</h3>" if title else ""
    return Html(heading + "".join(f"<p>{escape(part)}</p>" for part in parts))


def embedded(figure: Figure) -> Html:
    """A figure as markup, for an example that consists of more than a drawing.

    Example:
        >>> embedded(Figure("<svg></svg>", "", "a wave & more")).markup
        '<figure><div role="img" aria-label="a wave &amp; more"><svg></svg></div></figure>'
    """
    caption = f"<figcaption>{escape(figure.caption)}</figcaption>" if figure.caption else ""
    return Html(f'<figure><div role="img" aria-label="{escape(figure.alt)}">{figure.svg}</div>{caption}</figure>')


def badge(text: str, kind: str = "note") -> Html:
    """A word in a small coloured frame; `kind` is `"right"`, `"wrong"` or `"note"`."""
    return Html(f'<span class="badge {escape(kind)}">{escape(text)}</span>')
