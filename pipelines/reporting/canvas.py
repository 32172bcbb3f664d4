"""The sheet that every figure is drawn on: one quiet style, and SVG that becomes part of a page.

Nothing here touches pyplot or keeps state between calls; the same drawing gives the same text. Text stays text, so that
it can be searched, and is set in the page's own font; ink and grid take the page's light or dark colours.
"""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Colours that stand for the page's own: replaced by CSS variables in the SVG.
INK, QUIET, GRID = "#010203", "#040506", "#070809"
_VARIABLES = {INK: "var(--ink,#222)", QUIET: "var(--quiet,#666)", GRID: "var(--line,#ddd)"}
_STYLE: dict[Any, Any] = {
    "font.size": 9.5,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": GRID,
    "axes.labelcolor": QUIET,
    "axes.titlecolor": INK,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.facecolor": "none",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.unicode_minus": True,
    "image.composite_image": False,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "figure.facecolor": "none",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "legend.handlelength": 1.8,
    "lines.linewidth": 1.7,
    "lines.markersize": 3.5,
    "savefig.facecolor": "none",
    "svg.fonttype": "none",
    "svg.hashsalt": "seqloom",
    "xtick.color": GRID,
    "xtick.labelcolor": QUIET,
    "ytick.color": GRID,
    "ytick.labelcolor": QUIET,
    "ytick.major.size": 0,
}


class Canvas:
    """Axes to draw on, one above the other if there are several, and the SVG text once the drawing is done."""

    rows: Sequence[Axes]
    svg: str = ""

    @property
    def axes(self) -> Axes:
        """The uppermost ones."""
        return self.rows[0]


@contextmanager
def canvas(width: float, height: float, shares: Sequence[float] = (1,)) -> Iterator[Canvas]:
    """Axes of so many inches; after the `with` block `svg` holds what was drawn on them.

    Args:
        width: inches.
        height: inches.
        shares: of the height, for each of several axes that have their abscissa in common.
    """
    import matplotlib
    from matplotlib.figure import Figure as Drawing

    sheet, stream = Canvas(), io.StringIO()
    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():
        # The browser's fonts have the characters that matplotlib's own font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        drawing = Drawing(figsize=(width, height), layout="constrained")
        grid = drawing.subplots(len(shares), sharex=True, squeeze=False, height_ratios=shares)
        sheet.rows = list(grid[:, 0])
        yield sheet
        drawing.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    sheet.svg = _inline(stream.getvalue(), width)


def _inline(svg: str, width: float) -> str:
    """Makes a stand-alone SVG file part of a page: ids of its own, the page's colours and font, no clutter."""
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    root = ElementTree.fromstring(svg[svg.index("<svg") :])
    used = set(re.findall(r"(?:url\(|href=\")#([\w-]+)", svg))
    prefix = "f" + hashlib.sha256(svg.encode()).hexdigest()[:8] + "-"
    _simplify(root, used, prefix)
    root.attrib = {"viewBox": root.get("viewBox", ""), "style": f"--width: {96 * width:.0f}px", "aria-hidden": "true"}
    return ElementTree.tostring(root, encoding="unicode")


def _simplify(element: ElementTree.Element, used: set[str], prefix: str) -> None:
    """Drops what is never seen, unwraps groups without a meaning, shortens numbers, renames the ids in use."""
    element.tag = element.tag.rpartition("}")[2]
    element.text = None if element.tag not in ("text", "tspan") else element.text
    element.tail = None
    element.attrib = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}
    for key, value in list(element.attrib.items()):
        element.attrib[key] = _shortened(key, value, prefix)
    if element.get("id", "").removeprefix(prefix) not in used:
        element.attrib.pop("id", None)
    if element.get("transform", "").startswith("rotate(-0 "):
        del element.attrib["transform"]
    kept: list[ElementTree.Element] = []
    for child in element:
        _simplify(child, used, prefix)
        if child.tag in ("metadata", "style") or child.get("style") == "fill: none":
            continue
        hollow = child.tag in ("g", "defs") and (not child.attrib or len(child) == 0)
        kept.extend(child if hollow and child.tag == "g" else [child] if not hollow or len(child) else [])
    element[:] = kept


def _shortened(key: str, value: str, prefix: str) -> str:
    if key == "id":
        return prefix + value
    if key == "style":
        value = re.sub(r"font: (?:(bold|\d+) )?([\d.]+)px [^;]*", _font, value)
        value = re.sub(r"font-family: [^;]*;? ?", "", value)
    if key == "href" and value.startswith("data:"):
        return value.replace("\n", "")
    value = re.sub(r"(^|url\()#(?=[\w-])", rf"\1#{prefix}", value) if key in ("href", "clip-path", "style") else value
    value = re.sub(r"-?\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}".rstrip("0").rstrip("."), value)
    return " ".join(value.split())


def _font(found: re.Match[str]) -> str:
    return (f"font-weight: {found[1]}; " if found[1] else "") + f"font-size: {found[2]}px"
