from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from seqloom.datasets.sentence_groups import groups, normal_form


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It's 5 o'clock!", "its5oclock"),
        ("  ＨＥＬＬＯ　Ⅳ ", "helloiv"),
        ("你好，世界。", "你好世界"),
        ("Cafe\u0301", "caf\u00e9"),
        ("\u0085?", "\u0085?"),
        ("😀", "😀"),
    ],
)
def test_a_normal_form_has_letters_and_digits_alone(text, expected):
    assert normal_form(text) == expected


@given(st.text())
def test_neither_case_nor_punctuation_changes_a_normal_form(text):
    form = normal_form(text)
    if form != text:
        assert all(unicodedata.category(character)[0] in "LN" for character in form)
        assert normal_form(f"- {text} !") == form


# Few sides, so that long chains come about: of names that do not sort as they are drawn.
sides = st.integers(0, 15).map(lambda number: f"{number * 7 % 16:x}")


@given(st.lists(st.tuples(sides, sides), max_size=30))
def test_groups_are_the_connected_components(pairs):
    rows = np.arange(len(pairs))
    nodes = [("source", source) for source, _ in pairs] + [("target", target) for _, target in pairs]
    numbers = {node: len(pairs) + index for index, node in enumerate(dict.fromkeys(nodes))}
    links = coo_array(
        (np.ones(len(nodes)), (np.concatenate([rows, rows]), [numbers[node] for node in nodes])),
        shape=(len(pairs) + len(numbers),) * 2,
    )
    _, components = connected_components(links, directed=False)
    of_pair = components[: len(pairs)]
    smallest = {
        component: min(source for (source, _), other in zip(pairs, of_pair, strict=True) if other == component)
        for component in of_pair
    }
    assert groups(pairs) == [smallest[component] for component in of_pair]


def test_sides_are_compared_by_their_normal_form_and_never_crosswise():
    assert groups([("Hi.", "嗨。"), ("hi!", "你好。"), ("嗨", "Hi.")]) == ["hi", "hi", "嗨"]
    assert groups([("...", "😀"), ("!!!", "😢")]) == ["...", "!!!"]
    assert groups([]) == []


def test_a_long_chain_is_one_group():
    chain = [(f"{index:05}", f"t{(index + 1) // 2}") for index in range(0, 20_000)]
    chain += [(f"{index:05}", f"t{index // 2}") for index in range(0, 20_000)]
    assert set(groups(reversed(chain))) == {"00000"}
