import re
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.datasets.brackets import parse
from seqloom.datasets.labelled_tree import NO_LABEL, LabelledTree
from seqloom.pipelines.reporting.shading import ELLIPSIS
from seqloom.pipelines.reporting.trees import FONT, SHOWN_LETTERS, WORD_GAP, Scale, drawn, layout, legend, word_width

FIVE = Scale(("very bad", "bad", "neutral", "good", "very good"), ("−−", "−", "0", "+", "++"))
WORDS = st.one_of(
    st.sampled_from(["<b>&\"'", "</svg>", "電影", "WWWWWWWWWW", "a", "]]>", "&amp;", "x" * 40]),
    st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="()"), min_size=1, max_size=12),
)


@st.composite
def labelled_trees(draw):
    """Trees of any shape: words are shifted, and any number of the last phrases becomes one."""
    words, children, roots = [], [], []

    def add(word, below):
        del roots[len(roots) - len(below) :]
        roots.append(len(words))
        words.append(word)
        children.append(tuple(below))

    for word in draw(st.lists(WORDS, min_size=1, max_size=14)):
        add(word, ())
        for count in draw(st.lists(st.integers(1, 4), max_size=3)):
            add("", roots[-min(count, len(roots)) :])
    if len(roots) > 1:
        add("", roots[:])
    labels = draw(st.lists(st.integers(NO_LABEL, 6), min_size=len(words), max_size=len(words)))
    return LabelledTree(tuple(words), tuple(children), tuple(labels))


@st.composite
def answered_trees(draw):
    tree = draw(labelled_trees())
    return tree, draw(st.lists(st.integers(-1, 4), min_size=tree.num_nodes, max_size=tree.num_nodes))


def svg(tree, predicted, confidences=None, description="a tree"):
    html = drawn(tree, predicted, confidences or [0.5] * tree.num_nodes, FIVE, description).markup
    return ElementTree.fromstring(html)[0]


def nodes(drawing):
    return drawing.findall("g[@class='node']")


def boxes(drawing):
    """Left, top, right and bottom of the badge of each node."""
    found = []
    for node in nodes(drawing):
        x, y = map(float, re.findall(r"[\d.]+", node.get("transform")))
        cells = [[float(cell.get(name)) for name in ("x", "y", "width", "height")] for cell in node.iter("rect")]
        found.append(
            (
                x + min(cell[0] for cell in cells),
                y + min(cell[1] for cell in cells),
                x + max(cell[0] + cell[2] for cell in cells),
                y + max(cell[1] + cell[3] for cell in cells),
            )
        )
    return found


def overlap(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def badge(label, predicted):
    """The marks, kind and values of the badge of one node."""
    tree = LabelledTree(("fine",), ((),), (label,))
    [node] = nodes(svg(tree, [predicted]))
    [group] = node.findall("g")
    signed = [
        (-1 if "negative" in cell.get("class") else 1) * float(cell.get("style").removeprefix("--value: "))
        for cell in group.findall("rect")
        if cell.get("style")
    ]
    return group.get("class"), [text.text for text in group.findall("text")], signed


@given(answered_trees())
@settings(max_examples=60, deadline=None)
def test_badges_lie_apart_and_inside_the_drawing(answered):
    drawing = svg(*answered)
    _, _, width, height = map(float, drawing.get("viewBox").split())
    found = boxes(drawing)
    assert not any(overlap(one, other) for one, other in combinations(found, 2))
    assert all(left >= 0 and top >= 0 and right <= width and bottom <= height for left, top, right, bottom in found)


@given(labelled_trees())
@settings(max_examples=60, deadline=None)
def test_parents_stand_above_their_children_and_words_in_order_at_the_bottom(tree):
    placed = layout(tree)
    for node, children in enumerate(tree.children):
        assert all(placed.y[child] > placed.y[node] for child in children)
        if children:
            middle = (placed.x[children[0]] + placed.x[children[-1]]) / 2
            assert placed.x[node] == pytest.approx(middle)
    leaves = [node for node, children in enumerate(tree.children) if not children]
    assert {placed.y[leaf] for leaf in leaves} == {max(placed.y)}
    for left, right in pairwise(leaves):
        half = sum(min(word_width(tree.words[leaf]), word_width("x" * SHOWN_LETTERS)) / 2 for leaf in (left, right))
        assert placed.x[right] - placed.x[left] >= half


@given(answered_trees())
@settings(max_examples=40, deadline=None)
def test_lines_join_each_child_with_its_parent_and_meet_no_other_badge(answered):
    tree, predicted = answered
    drawing, placed = svg(tree, predicted), layout(tree)
    lines = re.findall(r"M([\d.]+) ([\d.]+)H([\d.]+)V([\d.]+)", drawing.find("path").get("d"))
    pairs = [(node, child) for node, children in enumerate(tree.children) for child in children]
    assert len(lines) == len(pairs)
    found = boxes(drawing)
    for (node, child), line in zip(pairs, lines, strict=True):
        x, y, to_x, to_y = map(float, line)
        expected = (placed.x[node], placed.y[node], placed.x[child], placed.y[child])
        assert (x, y, to_x, to_y) == pytest.approx(expected, abs=0.06)
        for place, box in enumerate(found):
            if place not in (node, child):
                assert not overlap((min(x, to_x), y, max(x, to_x), y), box)
                assert not overlap((to_x, y, to_x, to_y), box)


@given(answered_trees())
@settings(max_examples=60, deadline=None)
def test_words_are_escaped_and_shown_in_order(answered):
    tree, predicted = answered
    drawing = svg(tree, predicted, description=tree.group)
    assert drawing.get("aria-label") == tree.group
    assert drawing.get("role") == "img"
    shown = [text.text for text in drawing.iter("text") if text.get("class") == "word"]
    assert len(shown) == len(tree.tokens)
    for text, word in zip(shown, tree.tokens, strict=True):
        assert text == word or (text[-1] == ELLIPSIS and word.startswith(text[:-1]) and len(text) == SHOWN_LETTERS)
    assert {element.tag for element in drawing.iter()} <= {"svg", "path", "g", "title", "rect", "text"}


@pytest.mark.parametrize(
    "word", ["film", "WWWWWW", "mmmmmm", "illegible", "Schwarzenegger", "self-congratulatory", "@%&"]
)
def test_words_fit_their_columns_in_a_broad_font(word):
    from matplotlib.textpath import TextPath

    real = TextPath((0, 0), word, size=FONT).get_extents().width  # of DejaVu Sans, broader than most
    assert real < word_width(word) + WORD_GAP
    assert word_width(word) < 1.8 * real


def test_a_right_answer_has_one_cell_and_a_wrong_one_has_gold_beside_it():
    assert badge(4, 4) == ("single", ["++"], [1.0])
    assert badge(0, 3) == ("wrong", ["+", "−−"], [0.5, -1.0])
    assert badge(NO_LABEL, 1) == ("single unscored", ["−"], [-0.5])
    assert badge(2, -1) == ("wrong", ["–", "0"], [0.0, 0.0])
    assert badge(7, 2) == ("wrong", ["0", "7"], [0.0, 0.0])
    assert badge(7000, 2) == ("wrong", ["0", ELLIPSIS], [0.0, 0.0])


def test_colours_run_from_one_pole_to_the_other():
    assert [FIVE.value(label) for label in range(5)] == [-1, -0.5, 0, 0.5, 1]
    assert [Scale(("-", "+"), ("-", "+")).value(label) for label in range(2)] == [-1, 1]
    assert Scale(("only",), ("o",)).value(0) == 0


def test_pointing_at_a_badge_tells_phrase_answer_and_gold():
    tree = parse("(1 (2 not) (-1 (4 <b>) (3 film)))")
    titles = [node.find("title").text for node in nodes(svg(tree, [2, 4, -1, 3, 0], [0.5, 0.25, 0.0, 1.0, 0.875]))]
    assert titles == [
        "not: predicted neutral (0.50), gold neutral",
        "<b>: predicted very good (0.25), gold very good",
        "film: no answer, gold good",
        "<b> film: predicted good (1.00), not scored",
        "not <b> film: predicted very bad (0.88), gold bad",
    ]


def test_unknown_confidences_are_not_told():
    tree = parse("(1 fine)")
    assert nodes(svg(tree, [1], [None]))[0].find("title").text == "fine: predicted bad, gold bad"


@pytest.mark.parametrize("left", [True, False])
def test_a_tree_may_be_deeper_than_python_may_recurse(left):
    text = "(2 w)"
    for _ in range(1200):
        text = f"(2 {text} (2 w))" if left else f"(2 (2 w) {text})"
    tree = parse(text)
    drawing = svg(tree, [2] * tree.num_nodes)
    assert len(nodes(drawing)) == 2401
    assert max(len(node.find("title").text) for node in nodes(drawing)) < 200


def test_a_tree_without_an_answer_for_each_node_is_refused():
    tree = parse("(1 (2 not) (3 bad))")
    with pytest.raises(ValueError, match="predicted must hold one entry for each of 3 nodes, got 1"):
        drawn(tree, [1], [0.5] * 3, FIVE, "")
    with pytest.raises(ValueError, match="confidences must hold one entry for each of 3 nodes, got 0"):
        drawn(tree, [1] * 3, [], FIVE, "")


def test_the_legend_names_all_classes_and_explains_badges():
    entries = ElementTree.fromstring(legend(FIVE).markup).findall("span")
    texts = ["".join(entry.itertext()).split() for entry in entries]
    assert [" ".join(words[1:]) for words in texts[:5]] == list(FIVE.names)
    assert [words[0] for words in texts[:5]] == list(FIVE.marks)
    assert " ".join(texts[5]).endswith("wrong: left predicted, right gold")
    assert " ".join(texts[6]).endswith("not scored: gold has no label")
