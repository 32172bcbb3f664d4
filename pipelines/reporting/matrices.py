"""A matrix as a table whose cells are shaded: numbers of a grid, or weights such as those of attention.

Names stand as HTML text, in whatever script they are; the ground of a cell takes the page's light or dark colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from .page import Html

FAINTEST = 0.01  # shade below which a cell is left as it is
_LEAST = 0.08  # shade of the least of stretched values, so that it can be told from an empty cell


def stretched(values: Any) -> np.ndarray:
    """Numbers as shades that use the whole range: the least is the faintest and the greatest the darkest.

    Args:
        values: float array of any shape.

    Example:
        >>> stretched([[30.0, 32.0, 34.0]]).round(2).tolist()
        [[0.08, 0.54, 1.0]]
    """
    numbers = np.asarray(values, dtype=float)
    spread = numbers.max() - numbers.min()
    return _LEAST + (1 - _LEAST) * (numbers - numbers.min()) / (spread if spread > 0 else 1.0)


def shaded_table(
    rows: Sequence[str],
    columns: Sequence[str],
    shades: Any,
    texts: Sequence[Sequence[str]] | None = None,
    *,
    corner: str = "",
    chosen: tuple[int, int] | None = None,
) -> Html:
    """Draws a matrix of shades.

    Args:
        rows: the names of the rows.
        columns: the names of the columns.
        shades: `(rows, columns)`, in [0, 1].
        texts: what stands in each cell; without it cells are small and empty, and their shade is their title.
        corner: what rows and columns are.
        chosen: row and column of a cell that gets a frame.

    Returns:
        Markup; it scrolls where the page is too narrow.

    Raises:
        ValueError: if the shape of `shades` does not fit the names.

    Example:
        >>> print(shaded_table(["猫"], ["the", "cat"], [[0.0, 1.0]]).markup)
        <div class="scroll"><table class="matrix bare"><thead><tr><th></th><th scope="col">the</th><th scope="col">cat</th></tr></thead><tbody><tr><th scope="row">猫</th><td title="0.00"></td><td style="--value: 1.00" title="1.00"></td></tr></tbody></table></div>
    """  # noqa: E501
    values = np.asarray(shades, dtype=float)
    if values.shape != (len(rows), len(columns)):
        raise ValueError(f"shades must have shape {(len(rows), len(columns))}, got {values.shape}")
    heads = [Markup('<th scope="col">{}</th>').format(name) for name in columns]
    lines = [
        Markup('<tr><th scope="row">{}</th>{}</tr>').format(
            name,
            Markup("").join(
                _cell(value, None if texts is None else texts[row][column], (row, column) == chosen)
                for column, value in enumerate(values[row])
            ),
        )
        for row, name in enumerate(rows)
    ]
    head = Markup("<thead><tr><th>{}</th>{}</tr></thead>").format(corner, Markup("").join(heads))
    table = Markup('<div class="scroll"><table class="matrix{}">{}<tbody>{}</tbody></table></div>')
    return Html(table.format("" if texts else " bare", head, Markup("").join(lines)))


def _cell(shade: float, text: str | None, is_chosen: bool) -> Markup:
    attributes = [Markup(' class="chosen"')] if is_chosen else []
    attributes += [Markup(' style="--value: {:.2f}"').format(shade)] if shade >= FAINTEST else []
    attributes += [Markup(' title="{:.2f}"').format(shade)] if text is None else []
    return Markup("<td{}>{}</td>").format(Markup("").join(attributes), text or "")
