from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trees import nodes_of, trees

from seqloom.datasets.brackets import BracketsError, node_offset, parse, to_brackets
from seqloom.datasets.labelled_tree import LabelledTree

TEXT = "(3 (2 It) (4 (2 's) (3 good)))"


def test_a_tree_is_read_in_post_order():
    tree = parse(TEXT)
    assert tree.words == ("It", "'s", "good", "", "")
    assert tree.children == ((), (), (), (1, 2), (0, 3))
    assert tree.labels == (2, 2, 3, 4, 3)
    assert to_brackets(tree) == TEXT


@given(trees(labels=st.integers(-1, 999_999_999)))
def test_what_is_written_is_read_back(tree):
    assert parse(to_brackets(tree)) == tree


@given(trees(), st.data())
def test_white_space_means_nothing(tree, data):
    spaces = st.text(st.sampled_from(" \t\n\v\f\r"), max_size=2)
    tokens = to_brackets(tree).replace("(", " ( ").replace(")", " ) ").split(" ")
    text = "".join(data.draw(spaces) + " " * (token not in "()") + token for token in tokens if token)
    assert parse(text + data.draw(spaces)) == tree


@given(trees())
def test_every_node_is_found_in_the_text(tree):
    text = to_brackets(tree)
    for node in range(tree.num_nodes):
        rest = text[node_offset(text, node) :]
        assert rest.startswith(f"({tree.labels[node]} {tree.words[node] or '('}")
    assert node_offset(text, tree.root) == 0
    with pytest.raises(IndexError, match=f"node must lie in 0 to {tree.root}, got node={tree.num_nodes}"):
        node_offset(text, tree.num_nodes)


@given(st.text("() 12ab", max_size=30))
def test_any_text_is_read_or_refused_in_one_sentence(text):
    try:
        tree = parse(text)
    except BracketsError as error:
        tree, message = None, str(error)
    if tree is None:
        assert "at character offset " in message
        assert "\n" not in message
    else:
        assert "".join(to_brackets(tree).split()) == "".join(text.split())


@given(trees(), st.data())
def test_a_tree_that_lacks_or_repeats_a_bracket_is_refused(tree, data):
    text = to_brackets(tree)
    place = data.draw(st.sampled_from([place for place, character in enumerate(text) if character in "()"]))
    with pytest.raises(BracketsError):
        parse(text[:place] + text[place + 1 :])
    with pytest.raises(BracketsError):
        parse(text[:place] + text[place] + text[place:])


def test_brackets_as_words_stay_as_they_are():
    text = "(2 (2 -LRB-) (2 (2 sic) (2 -RRB-)))"
    assert parse(text).tokens == ("-LRB-", "sic", "-RRB-")
    assert to_brackets(parse(text)) == text


def test_any_number_of_children_is_read():
    assert parse("(1 (1 (1 (0 alone))))").children == ((), (0,), (1,), (2,))
    assert parse("(1 (0 a) (0 b) (0 c))").children == ((), (), (), (0, 1, 2))


def test_numbers_can_be_words_and_nodes_can_be_left_unscored():
    assert parse("(2 1984)") == LabelledTree(("1984",), ((),), (2,))
    assert parse("(-1 -1)") == LabelledTree(("-1",), ((),), (-1,))
    assert parse("(2 8\u00a01/2)").tokens == ("8\u00a01/2",)


@pytest.mark.parametrize("arity", [1, 2])
def test_a_tree_may_be_very_deep(arity):
    tree = nodes_of(10_000, arity)
    text = to_brackets(tree)
    assert parse(text) == tree
    assert node_offset(text, 0) == len("(3 ") * 10_000
    with pytest.raises(BracketsError, match="no closing bracket for the one at character offset 0"):
        parse(text[:-1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a tree such as (1 (2 not) (3 good)), got no text at character offset 0"),
        (" \t", "expected a tree such as (1 (2 not) (3 good)), got no text at character offset 0"),
        ("good", "expected a tree, which begins with an opening bracket, got 'good' at character offset 0"),
        (")", "brackets must be balanced, got a closing one at character offset 0 that closes nothing"),
        ("(2 a))", "brackets must be balanced, got a closing one at character offset 5 that closes nothing"),
        ("(2 a) (2 b)", "expected nothing after the tree, got '(' at character offset 6"),
        ("(2 a) b", "expected nothing after the tree, got 'b' at character offset 6"),
        (
            "(2 (2 a) (2 b)",
            "brackets must be balanced, got no closing bracket for the one at character offset 0",
        ),
        (
            "(2 (2 a) (2 b",
            "brackets must be balanced, got no closing bracket for the one at character offset 9",
        ),
        ("(", "brackets must be balanced, got no closing bracket for the one at character offset 0"),
        ("()", "a node must hold a label, got empty brackets at character offset 0"),
        ("(2 (2 a) ( ))", "a node must hold a label, got empty brackets at character offset 9"),
        ("(2)", "a node must hold a word or nodes after its label, got (2) at character offset 0"),
        ("(2 (2 a) (3))", "a node must hold a word or nodes after its label, got (3) at character offset 9"),
        (
            "((2 a) (2 b))",
            "a node must begin with its label, got a bracket first in the node at character offset 0",
        ),
        (
            "(2 (good) (2 b))",
            "a node must begin with its label, an integer from 0 (or -1 for a node that is not scored), "
            "got 'good' at character offset 4",
        ),
        (
            "(2.0 a)",
            "a node must begin with its label, an integer from 0 (or -1 for a node that is not scored), "
            "got '2.0' at character offset 1",
        ),
        (
            "(+1 a)",
            "a node must begin with its label, an integer from 0 (or -1 for a node that is not scored), "
            "got '+1' at character offset 1",
        ),
        (
            "(-2 a)",
            "a node must begin with its label, an integer from 0 (or -1 for a node that is not scored), "
            "got '-2' at character offset 1",
        ),
        (
            "(1234567890 a)",
            "a node must begin with its label, an integer from 0 (or -1 for a node that is not scored), "
            "got '1234567890' at character offset 1",
        ),
        (
            "(\u0664 a)",
            "a node must begin with its label, an integer from 0 (or -1 for a node that is not scored), "
            "got '\u0664' at character offset 1",
        ),
        (
            "(3 It 's good)",
            "a leaf must hold one word, got 'It' and \"'s\" in the node at character offset 0; "
            "each word needs brackets and a label of its own, such as (2 's)",
        ),
        (
            "(3 (2 It) (3 's good))",
            "a leaf must hold one word, got \"'s\" and 'good' in the node at character offset 10; "
            "each word needs brackets and a label of its own, such as (2 good)",
        ),
        (
            "(3 It (2 good))",
            "a node must hold one word or only nodes, got the word 'It' beside nodes in the node at character "
            "offset 0; each word needs brackets and a label of its own, such as (2 It)",
        ),
        (
            "(3 (2 good) It)",
            "a node must hold one word or only nodes, got the word 'It' beside nodes in the node at character "
            "offset 0; each word needs brackets and a label of its own, such as (2 It)",
        ),
    ],
)
def test_what_is_no_tree_is_named_with_its_place(text, message):
    with pytest.raises(BracketsError) as caught:
        parse(text)
    assert str(caught.value) == message


def test_long_texts_are_read_in_a_time_that_grows_with_them():
    text = to_brackets(nodes_of(100_000, 2))
    start = time.perf_counter()
    assert parse(text).num_nodes == 200_001
    assert time.perf_counter() - start < 20
