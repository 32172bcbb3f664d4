"""Matrices as tables of shaded cells."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqloom.pipelines.reporting.matrices import FAINTEST, shaded_table, stretched


def cells(html):
    return list(ElementTree.fromstring(str(html.markup)).iter("td"))


def test_attention_is_a_table_of_empty_cells_with_their_weights():
    html = shaded_table(["猫", "。"], ["the", "cat"], [[0.25, 0.75], [0.996, 0.004]])
    root = ElementTree.fromstring(str(html.markup))
    assert [head.text for head in root.iter("th")] == [None, "the", "cat", "猫", "。"]
    assert [cell.get("title") for cell in cells(html)] == ["0.25", "0.75", "1.00", "0.00"]
    assert [cell.get("style") for cell in cells(html)] == ["--value: 0.25", "--value: 0.75", "--value: 1.00", None]
    assert not any(cell.text for cell in cells(html))
    assert 'class="matrix bare"' in html.markup


def test_a_grid_has_its_numbers_and_a_frame_around_the_chosen_one():
    html = shaded_table(["1", "5"], ["0", "1"], [[0.1, 0.2], [0.3, 1.0]], [["a", "b"], ["c", "<d>"]], chosen=(1, 0))
    assert [cell.text for cell in cells(html)] == ["a", "b", "c", "<d>"]
    assert [cell.get("class") for cell in cells(html)] == [None, None, "chosen", None]
    assert 'class="matrix"' in html.markup
    assert "title" not in html.markup


def test_names_are_escaped():
    html = shaded_table(["<b>"], ['"&<script>'], [[0.5]], corner="<i>")
    assert set(re.findall(r"<(\w+)", html.markup)) == {"div", "table", "thead", "tbody", "tr", "th", "td"}


def test_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"shades must have shape \(1, 2\), got \(2, 1\)"):
        shaded_table(["a"], ["b", "c"], [[0.0], [1.0]])


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_stretched_numbers_keep_their_order_and_use_the_whole_range(values):
    shades = stretched(values)
    assert ((shades > FAINTEST) & (shades <= 1 + 1e-9)).all()
    assert (np.diff(shades[np.argsort(values)]) >= -1e-9).all()
    assert np.ptp(values) == 0 or (shades.max() == pytest.approx(1) and shades[np.argmin(values)] < 0.1)
