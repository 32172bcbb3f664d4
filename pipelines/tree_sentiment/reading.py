"""Trees in brackets turned into tensors, in TF operations: training and the export both call it."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow as tf

from ...datasets.labelled_tree import NO_LABEL
from ..vocabulary import UNKNOWN, Vocabulary
from ..words import WordReader, split_texts

_NO_CHILD = -1
_EXAMPLE = "such as (3 (2 not) (1 bad))"
_SHOWN = 40  # characters of a word that an error shows

# What is computed in the place of a text that is no tree: one word, which is unknown.
_NOTHING = "\N{REPLACEMENT CHARACTER}"


class ReadTrees(NamedTuple):
    """The nodes of a batch of trees, in post-order: children before their parents, the root last.

    Attributes:
        words: string `(batch, None)`, ragged. The word of each leaf, `""` at inner nodes.
        ids: int32 `(batch, None)`, ragged. The id of each word, 0 at inner nodes.
        children: int32 `(batch, None, arity)`, ragged in the second axis. The numbers of each node's children in its
            row, -1 in the last places where there are fewer.
        levels: int32 `(batch, None)`, ragged. The height of each node: 0 at leaves, else 1 more than that of the
            highest child.
        labels: int32 `(batch, None)`, ragged. The label that is written at each node, -1 where there is none.
        errors: string `(batch,)`. What is wrong with a text, in one sentence; `""` where nothing is. A text with an
            error is read as one unknown word.
    """

    words: tf.RaggedTensor
    ids: tf.RaggedTensor
    children: tf.RaggedTensor
    levels: tf.RaggedTensor
    labels: tf.RaggedTensor
    errors: tf.Tensor


class TreeReader(tf.Module):
    """Reads trees in brackets such as `(3 (2 It) (4 (2 's) (3 good)))`, all texts of a batch at once.

    A node is `(LABEL WORD)` or `(LABEL NODE NODE ...)`, and every label may be left out. An integer right after an
    opening bracket is a label, unless nothing else stands in the bracket. A word that stands beside others needs no
    brackets of its own: `(not (very good))` has three leaves. White space is ASCII white space; `-LRB-` and `-RRB-`
    stay as they are; invalid bytes and control characters are replaced.

    Args:
        words: vocabulary of words.
        lowercase: bool. Whether words are looked up in lower case.
        arity: int or `None`. The most children that a node may have; `None` for any number, where `children` is as
            wide as the batch needs, and at least 2.
        classes: int. Labels lie in 0 to `classes - 1`, or are -1, which is the same as none.
        max_tokens: int. The most words that a tree may have.

    Example:
        >>> words = Vocabulary.count(["not bad"], min_count=1, split=str.split)
        >>> read = TreeReader(words, lowercase=True, arity=2, classes=5, max_tokens=100)(tf.constant(["(3 Not bad)"]))
        >>> read.ids.to_list(), read.children.to_list(), read.levels.to_list(), read.labels.to_list()
        ([[5, 4, 0]], [[[-1, -1], [-1, -1], [0, 1]]], [[0, 0, 1]], [[-1, -1, 3]])
    """

    def __init__(self, words: Vocabulary, lowercase: bool, arity: int | None, classes: int, max_tokens: int) -> None:
        super().__init__(name="tree_reader")
        self._words = WordReader(words, None, lowercase)
        self._arity, self._classes, self._max_tokens = arity, classes, max_tokens

    def __call__(self, texts: tf.Tensor) -> ReadTrees:
        """Reads texts `(batch,)`."""
        tokens = split_texts(tf.strings.regex_replace(texts, r"[()]", r" \0 "), "spaces")
        brackets_errors = _brackets_errors(tokens)
        tokens = _replaced(tokens, brackets_errors != "", tf.constant(["(", _NOTHING, ")"]))
        nodes = _nodes(tokens)
        errors = _first_error((brackets_errors != "", brackets_errors), *self._wrong_nodes(nodes))
        wrong = errors != ""
        width = self._width(nodes, wrong)
        fields = {
            "words": (nodes.words.values, [_NOTHING]),
            "ids": (self._words.ids(nodes.words.values), [UNKNOWN]),
            "children": (_children(nodes, width), tf.fill([1, width], _NO_CHILD)),
            "levels": (_heights(nodes.parents), [0]),
            "labels": (nodes.labels, [NO_LABEL]),
        }
        read = {
            name: _replaced(nodes.words.with_values(values), wrong, tf.convert_to_tensor(instead))
            for name, (values, instead) in fields.items()
        }
        return ReadTrees(**read, errors=errors)

    def _wrong_nodes(self, nodes: _Nodes) -> list[tuple[tf.Tensor, tf.Tensor]]:
        """Which rows `(batch,)` have a node that may not be, and the sentences `(batch,)` or `()` that say so."""
        leaf, counts = nodes.words.values != "", nodes.counts
        per_row = nodes.words.with_values
        num_words = tf.reduce_sum(per_row(tf.cast(leaf, tf.int32)), axis=1)
        most = tf.reduce_max(per_row(counts), axis=1)
        strange = (nodes.labels < NO_LABEL) | (nodes.labels >= self._classes)
        label = _first(per_row(nodes.labels), strange)
        expected = "a node must hold one word or at least two nodes, got"
        return [
            (tf.reduce_any(per_row(~leaf & (counts == 0)), axis=1), tf.constant(f"{expected} empty brackets")),
            (tf.reduce_any(per_row(counts == 1), axis=1), tf.constant(f"{expected} a single node in brackets")),
            (
                most > (self._arity or tf.int32.max),
                _sentence(f"a node must have at most {self._arity} children, as in training, got ", most),
            ),
            (
                tf.reduce_any(per_row(strange), axis=1),
                _sentence(f"a label must lie in 0 to {self._classes - 1}, or be -1 or left out, got ", label),
            ),
            (
                num_words > self._max_tokens,
                _sentence(f"a tree must have at most {self._max_tokens} words, got ", num_words),
            ),
        ]

    def _width(self, nodes: _Nodes, wrong: tf.Tensor) -> int | tf.Tensor:
        """Places for children, of which rows that are wrong take none."""
        if self._arity is not None:
            return self._arity
        counts = tf.where(tf.gather(wrong, nodes.words.value_rowids()), 0, nodes.counts)
        return tf.maximum(tf.reduce_max(counts), 2)


class _Nodes(NamedTuple):
    """The nodes of a batch in one list, row after row, each row in post-order.

    Attributes:
        words: string `(batch, None)`, ragged. The word of each leaf, `""` at inner nodes.
        labels: int32 `(nodes,)`, `NO_LABEL` where none is written.
        parents: int64 `(nodes,)`. Where the parent of each node stands; `nodes` for a root.
        slots: int64 `(nodes,)`. How many siblings stand before each node.
        counts: int32 `(nodes,)`. How many children each has.
    """

    words: tf.RaggedTensor
    labels: tf.Tensor
    parents: tf.Tensor
    slots: tf.Tensor
    counts: tf.Tensor


def _brackets_errors(tokens: tf.RaggedTensor) -> tf.Tensor:
    """What is wrong with the brackets of each row of tokens, string `(batch,)`; `""` where there is one tree."""
    opens, closes = tokens.values == "(", tokens.values == ")"
    depth = tf.cumsum(tf.cast(opens, tf.int32) - tf.cast(closes, tf.int32))
    between = tf.concat([[0], depth], axis=0)
    start = tf.gather(between, tokens.row_starts())  # what earlier rows left open
    depth -= tf.gather(start, tokens.value_rowids())
    left_open = tf.gather(between, tokens.row_limits()) - start
    outside = ~opens & ~closes & (depth == 0)
    trees = tf.reduce_sum(tokens.with_values(tf.cast(opens & (depth == 1), tf.int32)), axis=1)
    word = tf.strings.substr(_first(tokens, outside), 0, _SHOWN, unit="UTF8_CHAR")
    return _first_error(
        (tokens.row_lengths() == 0, tf.constant(f"the tree is empty, expected one in brackets {_EXAMPLE}")),
        (
            ~tf.reduce_any(tokens.with_values(opens | closes), axis=1),
            tf.constant(f"expected a tree in brackets {_EXAMPLE}, got a text without brackets"),
        ),
        (
            tf.reduce_any(tokens.with_values(depth < 0), axis=1),
            tf.constant("brackets must be balanced, got a closing one that closes nothing"),
        ),
        (left_open > 0, _sentence("brackets must be balanced, got ", left_open, " never closed")),
        (
            tf.reduce_any(tokens.with_values(outside), axis=1),
            _sentence("expected nothing outside of the brackets of the tree, got '", word, "'"),
        ),
        (trees > 1, _sentence(f"expected one tree in brackets {_EXAMPLE}, got ", trees, " trees")),
    )


def _nodes(tokens: tf.RaggedTensor) -> _Nodes:
    """Finds the nodes in rows of tokens, each of which is one tree.

    A node ends at its closing bracket, or is a word that needs none: in the order of these ends the nodes stand in
    post-order. The nesting of a node is 1 for a root and 1 more than that of the parent otherwise. The bracket around
    a place is the first node that ends from there on with the nesting of that bracket, so one sorted list of pairs
    (nesting, number), each written as one integer, finds all parents by binary search.
    """
    flat = tokens.values
    opens, closes = flat == "(", flat == ")"
    # Rows begin with an opening bracket and end with a closing one, so that neighbours are those of the same row.
    after_opening, before_closing = tf.roll(opens, 1, axis=0), tf.roll(closes, -1, axis=0)
    label = after_opening & ~before_closing & tf.strings.regex_full_match(flat, "-?[0-9]{1,9}")
    word = ~(opens | closes | label)
    alone = word & before_closing & (after_opening | tf.roll(label, 1, axis=0))
    end = closes | (word & ~alone)
    depth = tf.cumsum(tf.cast(opens, tf.int64) - tf.cast(closes, tf.int64))

    ends = tf.where(end)[:, 0]
    count = tf.size(ends, tf.int64)
    numbers = tf.range(count)
    nesting = tf.gather(depth, ends) + 1
    pairs = tf.sort(nesting * count + numbers)

    def around(depth: tf.Tensor, number: tf.Tensor) -> tf.Tensor:
        return tf.gather(pairs, tf.searchsorted(pairs, depth * count + number)) % tf.maximum(count, 1)

    parents = tf.where(nesting == 1, count, around(nesting - 1, numbers))
    written = tf.where(label)[:, 0]
    labelled = around(tf.gather(depth, written), tf.gather(tf.cumsum(tf.cast(end, tf.int64)), written))
    values = tf.strings.to_number(tf.gather(flat, written), tf.int32)
    words = tf.gather(tf.where(word, flat, ""), tf.where(tf.gather(alone, ends - 1), ends - 1, ends))
    return _Nodes(
        tf.RaggedTensor.from_value_rowids(words, tf.gather(tokens.value_rowids(), ends), tokens.nrows()),
        tf.tensor_scatter_nd_update(tf.fill([count], NO_LABEL), labelled[:, None], values),
        parents,
        _slots(parents, pairs % tf.maximum(count, 1)),
        tf.math.unsorted_segment_sum(tf.ones_like(parents, tf.int32), parents, count + 1)[:-1],
    )


def _slots(parents: tf.Tensor, order: tf.Tensor) -> tf.Tensor:
    """How many siblings stand before each node, int64 `(nodes,)`, by an order `(nodes,)` that keeps them together."""
    count = tf.size(order, tf.int64)
    of = tf.gather(parents, order)
    first = tf.math.unsorted_segment_min(tf.range(count), of, count + 1)
    return tf.scatter_nd(order[:, None], tf.range(count) - tf.gather(first, of), [count])


def _children(nodes: _Nodes, width: int | tf.Tensor) -> tf.Tensor:
    """The numbers of each node's children in its row, int32 `(nodes, width)`; those beyond `width` are left out."""
    count = tf.size(nodes.parents, tf.int64)
    child = tf.where((nodes.parents < count) & (nodes.slots < tf.cast(width, tf.int64)))[:, 0]
    places = tf.stack([tf.gather(nodes.parents, child), tf.gather(nodes.slots, child)], axis=1)
    own = child - tf.gather(nodes.words.row_starts(), tf.gather(nodes.words.value_rowids(), child))
    nothing = tf.fill([tf.size(nodes.parents), width], _NO_CHILD)
    return tf.tensor_scatter_nd_update(nothing, places, tf.cast(own, tf.int32))


def _heights(parents: tf.Tensor) -> tf.Tensor:
    """The height of each node, int32 `(nodes,)`: 0 without children, else 1 more than that of the highest child.

    After `i` turns a node knows the part of its height below which less than `2^i` steps lead, and its ancestor `2^i`
    steps up: the turns are as many as the binary digits of the greatest height.

    Args:
        parents: int64 `(nodes,)`; `nodes` for a root, as if all roots were below one more node.

    Example:
        >>> _heights(tf.constant([2, 2, 4, 4, 5], tf.int64)).numpy().tolist()
        [0, 0, 1, 0, 2]
    """
    count = tf.size(parents, tf.int64)

    def unfinished(steps: tf.Tensor, ancestors: tf.Tensor, heights: tf.Tensor) -> tf.Tensor:
        return tf.reduce_any(ancestors < count)

    def twice_as_far(steps: tf.Tensor, ancestors: tf.Tensor, heights: tf.Tensor) -> tuple[tf.Tensor, ...]:
        below = tf.math.unsorted_segment_max(heights, ancestors, count + 1)
        return 2 * steps, tf.gather(ancestors, ancestors), tf.maximum(heights, below + steps)

    ancestors = tf.concat([parents, [count]], axis=0)
    *_, heights = tf.while_loop(unfinished, twice_as_far, (1, ancestors, tf.zeros_like(ancestors, tf.int32)))
    return heights[:-1]


def _replaced(rows: tf.RaggedTensor, wrong: tf.Tensor, instead: tf.Tensor) -> tf.RaggedTensor:
    """Puts other values in the place of rows that are wrong.

    Example:
        >>> rows = tf.ragged.constant([[1, 2], [], [3]])
        >>> _replaced(rows, tf.constant([False, True, True]), tf.constant([7, 8])).to_list()
        [[1, 2], [7, 8], [7, 8]]
    """
    end = rows.row_splits[-1]
    starts = tf.where(wrong, end, rows.row_starts())
    taken = tf.ragged.range(starts, tf.where(wrong, end + tf.shape(instead, tf.int64)[0], rows.row_limits()))
    return taken.with_values(tf.gather(tf.concat([rows.values, instead], axis=0), taken.values))


def _first(rows: tf.RaggedTensor, chosen: tf.Tensor) -> tf.Tensor:
    """The first value of each row that is chosen, `(batch,)`, of the flat values; `""` or 0 where none is."""
    return tf.ragged.boolean_mask(rows, rows.with_values(chosen)).to_tensor(shape=[None, 1])[:, 0]


def _first_error(*errors: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
    """The sentence of the first error `(rows that have it, sentence)` of each row, string `(batch,)`; `""` for none."""
    found = tf.constant("")
    for wrong, sentence in reversed(errors):
        found = tf.where(wrong, sentence, found)
    return found


def _sentence(beginning: str, values: tf.Tensor, end: str = "") -> tf.Tensor:
    """A sentence for each row, which holds what was found there."""
    values = values if values.dtype == tf.string else tf.strings.as_string(values)
    return tf.strings.join([beginning, values, end])
