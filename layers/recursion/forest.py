"""The trees of a batch as one list of nodes, sorted by level."""

from collections import namedtuple

import tensorflow as tf

Forest = namedtuple("Forest", "order rows children starts places")
Forest.__doc__ = """The real nodes of a batch, all nodes of a level standing together.

Fields:
    order: int32 `(real,)`. Number of each real node in the flat `(batch * nodes,)`, lower levels first.
    rows: int32 `(real,)`. The row that each comes from.
    children: int32 `(real, arity)`. Where in `order` the children of each stand; `real` where there is none.
    starts: int32 `(levels + 1,)`. Where in `order` each level begins; the last one is where the last level ends.
    places: int32 `(batch * nodes,)`. Where in `order` each node stands; `real` at padding.
"""


def sorted_by_level(children, levels):
    """Sorts the nodes of a batch by level, and refuses what is no tree.

    Args:
        children: int32 tensor `(batch, nodes, arity)`, numbers of the children of each node, -1 where there is none.
        levels: int32 tensor `(batch, nodes)`, 0 without children, else 1 more than the highest child; -1 at padding.

    Returns:
        `Forest`; in a graph, only after the checks.

    Raises:
        ValueError: if a child is no real node of its row, or a level does not fit; `tf.errors.InvalidArgumentError`
            where a graph runs.

    Example:
        >>> forest = sorted_by_level(tf.constant([[[1, 2], [-1, -1], [-1, -1]]]), tf.constant([[1, 0, 0]]))
        >>> forest.order.numpy().tolist(), forest.starts.numpy().tolist(), forest.children[2].numpy().tolist()
        ([1, 2, 0], [0, 2, 3], [0, 1])
    """
    batch, nodes = tf.unstack(tf.shape(levels))
    flat = tf.reshape(levels, [-1])
    present = tf.cast(tf.where(flat >= 0)[:, 0], tf.int32)
    order = tf.gather(present, tf.argsort(tf.gather(flat, present), stable=True))
    level = tf.gather(flat, order)
    rows = order // tf.maximum(nodes, 1)
    real = tf.size(order)

    children = tf.gather(tf.reshape(children, [batch * nodes, tf.shape(children)[-1]]), order)
    missing = children < 0
    outside = tf.logical_or(children < -1, children >= nodes)
    places = tf.tensor_scatter_nd_update(tf.fill([batch * nodes], real), order[:, None], tf.range(real))
    found = tf.gather(places, tf.where(tf.logical_or(missing, outside), 0, rows[:, None] * nodes + children))
    found = tf.where(missing, real, found)

    no_node = tf.logical_or(outside, tf.logical_and(tf.equal(found, real), tf.logical_not(missing)))
    fitting = 1 + tf.reduce_max(tf.gather(tf.concat([level, [-1]], axis=0), found), axis=1)
    highest = tf.minimum(tf.reduce_max(tf.concat([level, [0]], axis=0)), nodes)  # a higher one is refused
    forest = Forest(order, rows, found, tf.searchsorted(level, tf.range(highest + 2)), places)
    numbers = order - rows * nodes
    expected = "children must be numbers of real nodes of their row, or -1 where there is none, got"
    forest = _checked(forest, tf.reduce_any(no_node, axis=1), expected, children, numbers)
    expected = "levels must be 0 without children, else 1 more than the level of the highest child, got"
    return _checked(forest, tf.not_equal(level, fitting), expected, level, numbers)


def _checked(forest, wrong, expected, got, numbers):
    """The forest, unless one of its nodes is wrong, `(real,)`; then an error that names the first."""
    first = tf.where(wrong)[:1, 0]  # none where all are right
    got, number, row = (tf.gather(each, first) for each in (got, numbers, forest.rows))
    if tf.executing_eagerly():
        for what, node, where in zip(got.numpy().tolist(), number.numpy(), row.numpy(), strict=True):
            raise ValueError(f"{expected} {what} at node {node} in row {where}")
        return forest
    message = [expected, got, "at node", number, "in row", row]
    with tf.control_dependencies([tf.debugging.Assert(tf.equal(tf.size(first), 0), message)]):
        return Forest(*map(tf.identity, forest))
