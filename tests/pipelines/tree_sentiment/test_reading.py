"""Trees in brackets, read in the graph: the same nodes as `datasets.brackets` finds, and no row disturbs another."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st
from trees import nodes_of, trees

from seqloom.datasets.brackets import parse, to_brackets
from seqloom.datasets.labelled_tree import LabelledTree
from seqloom.pipelines.tree_sentiment.reading import TreeReader
from seqloom.pipelines.vocabulary import PADDING, SPECIAL, UNKNOWN, Vocabulary
from seqloom.pipelines.words import normal_forms

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
VOCABULARY = Vocabulary([*SPECIAL, "it", "'s", "good", "Good", "-LRB-", "12", REPLACEMENT])
LABELS = st.integers(-1, 4)
ARITY = 4
READER = TreeReader(VOCABULARY, lowercase=False, arity=ARITY, classes=5, max_tokens=30)
IN_GRAPH = tf.function(READER, input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)

# What is read of a text with an error: words, ids, children, levels, labels.
NO_TREE = ([REPLACEMENT], [UNKNOWN], [()], [0], [-1])

TEXTS = st.one_of(
    st.text(st.sampled_from("() 12a-"), max_size=16),
    st.text(st.sampled_from("() ab"), max_size=12).map("({})".format),
    trees(LABELS, fewest=2).map(to_brackets),
    st.binary(max_size=12).map(lambda some: b"(1 (2 " + some + b") b)"),
)


def rows_of(read):
    """What was read, row by row, as `NO_TREE` has it, and the errors."""
    words, ids, children, levels, labels, errors = read
    rows = zip(*(field.to_list() for field in (words, ids, children, levels, labels)), strict=True)
    plain = [
        ([word.decode() for word in row[0]], row[1], [tuple(child for child in some if child >= 0) for some in row[2]])
        + row[3:]
        for row in rows
    ]
    return plain, [error.decode() for error in errors.numpy()]


def row_of(tree, vocabulary=VOCABULARY):
    """What should be read of a tree."""
    words = [re.sub(r"[\x00-\x08\x0e-\x1f\x7f]", REPLACEMENT, word) for word in tree.words]
    ids = [vocabulary.id(word) if word else PADDING for word in words]
    return words, ids, list(tree.children), list(tree.heights()), list(tree.labels)


def right_branching(depth):
    """A tree whose right children alone have children."""
    return parse("(1 (0 word) " * depth + "(2 last)" + ")" * depth)


@settings(max_examples=100, deadline=None)
@given(st.lists(trees(LABELS, fewest=2, most=ARITY), min_size=1, max_size=4))
@example([parse("(2 (3 8\u00a01/2) (-1 -1) (0 -LRB-) (4 12))"), parse("(0 🛫\u2003)"), parse("(1 (0 \x1c) (2 it))")])
def test_the_nodes_are_those_of_the_tree(written):
    rows, errors = rows_of(IN_GRAPH(tf.constant([to_brackets(tree) for tree in written])))
    assert errors == [""] * len(written)
    assert rows == [row_of(tree) for tree in written]


@settings(max_examples=50, deadline=None)
@given(trees(LABELS, fewest=2), st.data())
def test_white_space_means_nothing(tree, data):
    spaces = st.text(st.sampled_from(" \t\n\v\f\r"), max_size=2)
    tokens = to_brackets(tree).replace("(", " ( ").replace(")", " ) ").split(" ")
    text = "".join(data.draw(spaces) + " " * (token not in "()") + token for token in tokens if token)
    assert rows_of(IN_GRAPH(tf.constant([text + data.draw(spaces)]))) == ([row_of(tree)], [""])


@settings(max_examples=80, deadline=None)
@given(trees(LABELS, fewest=2), st.data())
def test_labels_can_be_left_out_and_so_can_brackets_around_a_word(tree, data):
    labels = list(tree.labels)

    def text_of(node, first):
        """A node as text; a number that stands first in brackets would be read as a label without its own."""
        word = tree.words[node]
        bare = word and node != tree.root and not (first and re.fullmatch("-?[0-9]{1,9}", word))
        form = data.draw(st.sampled_from(["labelled", "unlabelled", *["bare"] * bool(bare)]))
        label = f"{labels[node]} " if form == "labelled" else ""
        if form != "labelled":
            labels[node] = -1
        if form == "bare":
            return word
        parts = [text_of(child, not label and not place) for place, child in enumerate(tree.children[node])]
        return f"({label}{word or ' '.join(parts)})"

    text = text_of(tree.root, False)
    assert rows_of(IN_GRAPH(tf.constant([text]))) == ([(*row_of(tree)[:4], labels)], [""])
    unlabelled = IN_GRAPH(tf.constant([to_brackets(tree, labels=False)]))
    assert rows_of(unlabelled) == ([(*row_of(tree)[:4], [-1] * tree.num_nodes)], [""])


def read_by_hand(text):
    """A tree in brackets, read one token after another: its row, or `NO_TREE`."""
    tokens = re.findall(r"[()]|[^() \t\n\v\f\r]+", text)
    words, children, labels, path = [], [], [], []

    def add(word, below, label):
        words.append(word)
        children.append(tuple(below))
        labels.append(label)
        if path:
            path[-1]["children"].append(len(words) - 1)

    for before, token, after in zip(["", *tokens[:-1]], tokens, [*tokens[1:], ""], strict=True):
        if not path and (words or token != "("):
            return NO_TREE
        if token == "(":
            path.append({"label": -1, "children": [], "words": 0})
        elif token == ")":
            node = path.pop()
            if node["words"] == 1 == len(node["children"]):  # the word is this node's
                word = words.pop()
                children.pop()
                labels.pop()
                add(word, (), node["label"])
            elif not 2 <= len(node["children"]) <= ARITY:
                return NO_TREE
            else:
                add("", node["children"], node["label"])
        elif before == "(" and after != ")" and re.fullmatch("-?[0-9]{1,9}", token):
            if not -1 <= int(token) < 5:
                return NO_TREE
            path[-1]["label"] = int(token)
        else:
            path[-1]["words"] += 1
            add(token, (), -1)
    return row_of(LabelledTree(tuple(words), tuple(children), tuple(labels))) if words and not path else NO_TREE


@settings(max_examples=250, deadline=None)
@given(st.lists(st.text(st.sampled_from("(())) 12a-"), max_size=14).map("({})".format), min_size=1, max_size=12))
@example(["(3)", "(3 )", "(3 4)", "(3 4 5)", "((a) 3)", "(-2 a)", "(-2)", "(1234567890 a)", "(2.0 a)", "(+1 a)"])
@example(["(1(2 a)(3 b))", "(1 2 (3 4) 5)", "(a (b c) 1)", "((a b) (c d))", "(1 1 1 1 1)", "(1 1 1 1 1 1)", "((a))"])
def test_any_text_is_read_as_by_hand_or_refused(texts):
    rows, errors = rows_of(IN_GRAPH(tf.constant(texts)))
    assert rows == [read_by_hand(text) for text in texts]
    assert [bool(error) for error in errors] == [row == NO_TREE for row in rows]


@settings(max_examples=60, deadline=None)
@given(st.lists(TEXTS, min_size=2, max_size=5))
@example(["(a b", "(a b)", "))", "(2 it)", ") (", "(", "(3 'a (b c))"])
@example([b"(a \xe2\x82) (\xff", b"(a \xe2\x82)", b"(\xff b)", b"(\xed\xa0\x80)", b"\xef\xbb\xbf(a b)"])
def test_a_row_is_read_alone_as_beside_others_and_errors_stay_where_they_are(texts):
    together, errors = rows_of(IN_GRAPH(tf.constant(texts)))
    for text, row, error in zip(texts, together, errors, strict=True):
        assert rows_of(IN_GRAPH(tf.constant([text]))) == ([row], [error])
        assert (row == NO_TREE) == bool(error)
        assert "\n" not in error


HOLDS = "a node must hold one word or at least two nodes, got"
ONE_TREE = "expected one tree in brackets such as (3 (2 not) (1 bad)), got"
NOTHING_OUTSIDE = "expected nothing outside of the brackets of the tree, got"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the tree is empty, expected one in brackets such as (3 (2 not) (1 bad))"),
        (" \t\n", "the tree is empty, expected one in brackets such as (3 (2 not) (1 bad))"),
        ("not bad", "expected a tree in brackets such as (3 (2 not) (1 bad)), got a text without brackets"),
        (")", "brackets must be balanced, got a closing one that closes nothing"),
        ("(a b)) (", "brackets must be balanced, got a closing one that closes nothing"),
        ("(", "brackets must be balanced, got 1 never closed"),
        ("((a) (b c", "brackets must be balanced, got 2 never closed"),
        ("(a b) good", f"{NOTHING_OUTSIDE} 'good'"),
        ("very (a b) good", f"{NOTHING_OUTSIDE} 'very'"),
        ("(a b) " + 1000 * "ü", f"{NOTHING_OUTSIDE} '{40 * 'ü'}'"),
        ("(a b) (c) (d)", f"{ONE_TREE} 3 trees"),
        ("()", f"{HOLDS} empty brackets"),
        ("(3 (2 a) ( ))", f"{HOLDS} empty brackets"),
        ("(3 (2 good))", f"{HOLDS} a single node in brackets"),
        ("((a b))", f"{HOLDS} a single node in brackets"),
        ("(1 2 3 4 5 (6 7))", "a node must have at most 4 children, as in training, got 5"),
        ("(5 a)", "a label must lie in 0 to 4, or be -1 or left out, got 5"),
        ("(3 (-2 a) (7 b))", "a label must lie in 0 to 4, or be -1 or left out, got -2"),
        ("(3 (999999999 a) b)", "a label must lie in 0 to 4, or be -1 or left out, got 999999999"),
        (to_brackets(nodes_of(30, 2)), "a tree must have at most 30 words, got 31"),
    ],
)
def test_what_is_no_tree_is_said_in_one_sentence(text, message):
    rows, errors = rows_of(IN_GRAPH(tf.constant([text, "(2 it)"])))
    assert errors == [message, ""]
    assert rows == [NO_TREE, row_of(parse("(2 it)"))]


def test_a_tree_of_as_many_words_as_allowed_is_read():
    tree = nodes_of(29, 2)
    assert rows_of(IN_GRAPH(tf.constant([to_brackets(tree)]))) == ([row_of(tree)], [""])


@pytest.mark.parametrize("tree", [nodes_of(250, 2), right_branching(250)], ids=["left", "right"])
def test_a_chain_of_500_nodes_is_read(tree):
    reader = TreeReader(VOCABULARY, lowercase=False, arity=2, classes=5, max_tokens=512)
    assert rows_of(reader(tf.constant([to_brackets(tree)]))) == ([row_of(tree)], [""])


@pytest.mark.parametrize("text", ["(" + "(a " * 25_000 + "b" + ")" * 25_000, "(a " * 24_999 + "b" + ")" * 24_999])
def test_a_very_long_text_is_read_or_refused_at_once(text):
    reader = TreeReader(VOCABULARY, lowercase=False, arity=2, classes=5, max_tokens=50_000)
    start = time.perf_counter()
    read = reader(tf.constant([text, "(2 it)"]))
    assert time.perf_counter() - start < 5
    balanced = text.count("(") == text.count(")")
    assert read.levels[0].numpy().tolist()[-3:] == ([24_997, 24_998, 24_999] if balanced else [0])
    assert (read.errors[0] == "") == balanced
    assert read.words[1].numpy().tolist() == [b"it"]


def test_words_are_looked_up_in_the_case_that_is_wanted():
    text = tf.constant(["(3 (2 It) (4 'S (3 Good)))"])
    lower = TreeReader(VOCABULARY, lowercase=True, arity=2, classes=5, max_tokens=9)(text)
    assert lower.words.to_list() == IN_GRAPH(text).words.to_list() == [[b"It", b"'S", b"Good", b"", b""]]
    assert lower.ids.to_list() == [[VOCABULARY.id(word) for word in ("it", "'s", "good")] + [PADDING, PADDING]]
    assert IN_GRAPH(text).ids.to_list() == [[UNKNOWN, UNKNOWN, VOCABULARY.id("Good"), PADDING, PADDING]]


def test_what_is_no_text_is_replaced():
    (words, ids, *_), *_ = rows_of(IN_GRAPH(tf.constant([b"(a\x00 \x7f \xff\xfe)"])))[0]
    assert words == ["a" + REPLACEMENT, REPLACEMENT, 2 * REPLACEMENT, ""]
    assert ids == [UNKNOWN, VOCABULARY.id(REPLACEMENT), UNKNOWN, PADDING]


def test_any_number_of_children_is_read_where_that_is_wanted():
    reader = TreeReader(VOCABULARY, lowercase=False, arity=None, classes=5, max_tokens=30)
    wide = parse("(1 (0 a) (0 b) (0 c) (0 d) (0 e) (0 f))")
    read = reader(tf.constant([to_brackets(wide), "(2 it)"]))
    assert rows_of(read) == ([row_of(wide), row_of(parse("(2 it)"))], ["", ""])
    assert read.children.values.shape == (8, 6)
    read = reader(tf.constant(["(2 it)", "(9 (0 a) (0 b) (0 c))"]))  # what is refused takes no place
    assert read.children.to_list() == [[[-1, -1]], [[-1, -1]]]


def test_shapes_and_types_are_known_before_anything_is_read():
    fields = IN_GRAPH.get_concrete_function().structured_outputs
    types = [tf.string, tf.int32, tf.int32, tf.int32, tf.int32, tf.string]
    assert [field.dtype for field in fields] == types
    assert fields.children.values.shape.as_list() == [None, ARITY]
    assert [field.shape.rank for field in fields] == [2, 2, 3, 2, 2, 1]


def test_a_batch_without_rows_is_read():
    read = IN_GRAPH(tf.constant([], tf.string))
    assert rows_of(read) == ([], [])
    assert read.children.to_tensor(-1).shape == (0, 0, ARITY)


def test_the_saved_reader_and_tf_data_read_the_same(tmp_path):
    texts = tf.constant(["(3 (2 it) ('s good))", "not bad", "(12)", "(a (b c) d e)"])
    module = tf.Module()
    module.reader, module.read = READER, IN_GRAPH
    tf.saved_model.save(module, str(tmp_path))
    expected = rows_of(READER(texts))
    assert expected[1] != [""] * 4
    assert rows_of(tf.saved_model.load(str(tmp_path)).read(texts)) == expected
    (read,) = tf.data.Dataset.from_tensors(texts).map(READER)
    assert rows_of(read) == expected


@pytest.mark.real_data
def test_the_trees_of_the_treebank(data_dir):
    lines = (data_dir / "sst" / "dev.txt").read_text(encoding="utf-8").split("\n")[:-1]
    written = [parse(line) for line in lines]
    words = Vocabulary.count([normal_forms(tree.tokens, True) for tree in written], min_count=2, split=list)
    reader = TreeReader(words, lowercase=True, arity=2, classes=5, max_tokens=100)
    rows, errors = rows_of(reader(tf.constant(lines)))
    assert len(rows) == 1101
    assert set(errors) == {""}
    for tree, (*row, labels) in zip(written, rows, strict=True):
        ids = [words.id(word) if word else PADDING for word in normal_forms(tree.words, True)]
        assert row == [list(tree.words), ids, list(tree.children), list(tree.heights())]
        assert labels == list(tree.labels)
    assert 0.01 < np.mean([word == UNKNOWN for row in rows for word in row[1]]) < 0.5
