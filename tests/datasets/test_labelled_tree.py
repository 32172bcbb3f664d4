from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trees import nodes_of, trees

from seqloom.datasets.labelled_tree import NO_LABEL, LabelledTree, binary, num_classes

# (4 (2 It) (3 (1 's) (0 fine) (2 .)))
SMALL = LabelledTree(("It", "'s", "fine", ".", "", ""), ((), (), (), (), (1, 2, 3), (0, 4)), (2, 1, 0, 2, 3, 4))


def test_what_a_tree_says_of_itself():
    assert (SMALL.num_nodes, SMALL.root, SMALL.depth) == (6, 5, 2)
    assert SMALL.tokens == ("It", "'s", "fine", ".")
    assert SMALL.group == "It 's fine ."
    assert SMALL.heights() == (0, 0, 0, 0, 1, 2)
    assert SMALL.spans() == ((0, 1), (1, 2), (2, 3), (3, 4), (1, 4), (0, 4))
    assert [SMALL.phrase(node) for node in (0, 3, 4, 5)] == ["It", ".", "'s fine .", "It 's fine ."]


def test_a_tree_can_be_one_word():
    tree = LabelledTree(("fine",), ((),), (3,))
    assert (tree.num_nodes, tree.root, tree.depth, tree.tokens) == (1, 0, 0, ("fine",))
    assert (tree.heights(), tree.spans(), tree.phrase(0)) == ((0,), ((0, 1),), "fine")


@given(trees())
def test_heights_spans_and_phrases_agree_with_their_definition(tree):
    def height(node: int) -> int:
        return 1 + max(map(height, tree.children[node])) if tree.children[node] else 0

    def words_under(node: int) -> list[str]:
        if not tree.children[node]:
            return [tree.words[node]]
        return [word for child in tree.children[node] for word in words_under(child)]

    nodes = range(tree.num_nodes)
    assert tree.heights() == tuple(map(height, nodes))
    assert tree.depth == height(tree.root)
    assert list(tree.tokens) == words_under(tree.root)
    for node, (first, end) in enumerate(tree.spans()):
        assert list(tree.tokens[first:end]) == words_under(node)
        assert tree.phrase(node) == " ".join(words_under(node))


@given(trees(), st.data())
def test_another_order_of_the_nodes_is_refused(tree, data):
    """Two entries of `children` are exchanged; what a walk from the root meets then tells whether it is a tree."""
    children = list(tree.children)
    first, second = (data.draw(st.integers(0, tree.num_nodes - 1)) for _ in range(2))
    children[first], children[second] = children[second], children[first]
    words = tuple("" if parts else "word" for parts in children)

    def walk(node: int) -> list[int]:
        return [below for child in children[node] if child < node for below in walk(child)] + [node]

    if walk(tree.root) == list(range(tree.num_nodes)):
        assert LabelledTree(words, tuple(children), tree.labels).children == tuple(children)
    else:
        with pytest.raises(ValueError, match=r"^children must"):
            LabelledTree(words, tuple(children), tree.labels)


@pytest.mark.parametrize("arity", [1, 2])
def test_a_tree_may_be_very_deep(arity):
    tree = nodes_of(10_000, arity)
    assert tree.depth == 10_000
    assert tree.heights()[-1] == 10_000
    assert tree.spans()[tree.root] == (0, len(tree.tokens))
    assert tree.phrase(tree.root) == tree.group
    assert hash(tree) == hash(nodes_of(10_000, arity))
    assert tree == nodes_of(10_000, arity)
    assert binary(tree).labels[0] == 1
    assert len(repr(tree)) > 10_000


@pytest.mark.parametrize(
    ("words", "children", "labels", "message"),
    [
        ((), (), (), "words must name at least one node, got none"),
        (("a",), ((),), (), "words, children and labels must have one entry for each node, got 1, 1 and 0"),
        (("a",), ((), ()), (1,), "must have one entry for each node, got 1, 2 and 1"),
        (("a", "b"), ((), ()), (1, 1), "children must place every node below the last one, the root; got 2 nodes"),
        (("", "a"), ((1,), ()), (1, 1), r"in post-order, each below one parent; got \(1,\) at node 0, where \(\) end"),
        (("a", "b", ""), ((), (), (1, 0)), (1, 1, 1), r"post-order.*got \(1, 0\) at node 2, where \(0, 1\) end"),
        (("a", "", ""), ((), (0,), (0,)), (1, 1, 1), r"post-order.*got \(0,\) at node 2, where \(1,\) end"),
        (("a", ""), ((), (0, 0)), (1, 1), r"got \(0, 0\) at node 1"),
        (("a", ""), ((), (-1,)), (1, 1), r"got \(-1,\) at node 1"),
        (("",), ((),), (1,), "words must hold a word at a leaf, got '' at node 0"),
        (("a", "b"), ((), (0,)), (1, 1), "words must hold '' at an inner node, got 'b' at node 1"),
        (("a", "b c", ""), ((), (), (0, 1)), (1, 1, 1), "words must hold no bracket and no white space, got 'b c' at"),
        (("(",), ((),), (1,), r"no bracket and no white space, got '\(' at node 0"),
        (("a",), ((),), (-2,), "labels must be integers from -1, got -2 at node 0"),
        (("a",), ((),), (1.0,), "labels must be integers from -1, got 1.0 at node 0"),
        (("a",), ((),), (None,), "labels must be integers from -1, got None at node 0"),
    ],
)
def test_what_is_no_tree_is_named(words, children, labels, message):
    with pytest.raises(ValueError, match=message):
        LabelledTree(words, children, labels)


@pytest.mark.parametrize("node", [-1, 6])
def test_a_phrase_needs_a_node(node):
    with pytest.raises(IndexError, match=f"node must lie in 0 to 5, got node={node}"):
        SMALL.phrase(node)


def test_white_space_that_is_not_ascii_belongs_to_a_word():
    assert LabelledTree(("8\u00a01/2",), ((),), (2,)).tokens == ("8\u00a01/2",)


def test_the_number_of_classes():
    assert num_classes([SMALL]) == 5
    assert num_classes([SMALL, LabelledTree(("odd",), ((),), (7,))]) == 8
    assert num_classes([]) == 0
    assert num_classes([LabelledTree(("odd",), ((),), (NO_LABEL,))]) == 0


@given(trees(labels=st.integers(-1, 4)))
def test_binary_drops_neutral_roots_and_keeps_the_rest(tree):
    reduced = binary(tree)
    if tree.labels[-1] in (NO_LABEL, 2):
        assert reduced is None
        return
    assert (reduced.words, reduced.children) == (tree.words, tree.children)
    expected = {NO_LABEL: NO_LABEL, 0: 0, 1: 0, 2: NO_LABEL, 3: 1, 4: 1}
    assert list(reduced.labels) == [expected[label] for label in tree.labels]
    assert reduced.taught == tree.taught == tree.labels


def test_finer_labels_are_as_many_as_nodes():
    with pytest.raises(ValueError, match="finer must have one label for each node, got 1 of 3"):
        LabelledTree(("not", "bad", ""), ((), (), (0, 1)), (-1, 0, 1), finer=(3,))


def test_binary_knows_five_classes():
    with pytest.raises(ValueError, match="labels must lie in 0 to 4 to be made binary, got 5 at node 0"):
        binary(LabelledTree(("odd",), ((),), (5,)))
