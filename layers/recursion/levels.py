"""The computation of trees level by level, with a gradient of its own.

All nodes of a level, over the whole batch, are one matrix product. Their states stand in buffers in the order of the
levels, so that a level writes one piece of each. Two things keep the work of a level in proportion to its own nodes:

- The buffers are written in place; `tf.tensor_scatter_nd_update` copies the whole buffer at every turn of a loop. No
  level reads the rows that it writes, so that the order of its operations does not matter.
- The way back is written out as one walk down the levels, in which a level adds to the gradients of its children
  only. The gradients of the weights are products over all nodes after it. Automatic differentiation adds up gradients
  of whole buffers at every level.
"""

import tensorflow as tf

from ..custom_gradient import custom_gradient


def level_by_level(cell, forest, leaves, weights, projected=None, mask=None):
    """Computes the output of each node from its children.

    Args:
        cell: has `compose(weights, h, mask) -> total`, what matrices make of the children's outputs, and
            `step(total, states, mask) -> states`, which has no weights; both in TensorFlow operations, whose
            gradients are found by automatic differentiation.
        forest: `Forest`.
        leaves: tuple of float tensors `(leaves, size)`, the states of the nodes of level 0.
        weights: tuple of float tensors, as `compose` takes them.
        projected: float tensor `(real - leaves, n)` to add to what `compose` gives for the nodes of higher levels,
            or `None`.
        mask: float tensor `(real, units)` for `cell`, or `None`.

    Returns:
        float tensor `(batch * nodes, units)`, the first state of each node, zeros at padding.
    """
    given = () if projected is None else (projected,)

    @custom_gradient
    def run(*tensors):
        leaves, tensors = tensors[: len(cell.state_sizes)], tensors[len(cell.state_sizes) :]
        walk = _Walk(cell, forest, tensors[len(given) :], tensors[0] if given else None, mask)
        states, totals = walk.up(leaves)

        def gradient(outputs):
            leaves, projected, weights = walk.down(outputs, states, totals)
            return (*leaves, *([projected] if given else []), *weights)

        return tf.gather(states[0], forest.places), gradient

    return run(*leaves, *given, *weights)


class _Walk:
    """The way up through the levels of a forest, and the way down with the gradients."""

    def __init__(self, cell, forest, weights, projected, mask):
        self.cell, self.forest, self.weights, self.projected, self.mask = cell, forest, weights, projected, mask
        self.levels = tf.size(forest.starts) - 1
        self.real, self.leaves = tf.size(forest.order), forest.starts[1]

    def up(self, leaves):
        """Returns a buffer of each state `(real + 1, size)`, zeros at its end, and one of the totals."""
        cell = self.cell

        def turn(level, buffers, totals):
            begin, end = self.forest.starts[level], self.forest.starts[level + 1]
            states = self._children(buffers, begin, end)
            total = cell.compose(self.weights, states[0], self._mask(begin, end))
            if self.projected is not None:
                total += self.projected[begin - self.leaves : end - self.leaves]
            new = cell.step(total, states, self._mask(begin, end))
            nodes = tf.range(begin, end)
            buffers = [_written(*each, nodes) for each in zip(buffers, new, strict=True)]
            return level + 1, buffers, _written(totals, total, nodes - self.leaves)

        nodes = tf.range(self.leaves)
        buffers = [_written(self._buffer(state.shape[1]), state, nodes) for state in leaves]
        _, buffers, totals = tf.while_loop(
            lambda level, *_: level < self.levels, turn, (tf.constant(1), buffers, self._totals(buffers))
        )
        return buffers, totals

    def down(self, outputs, buffers, totals):
        """Returns the gradients with respect to the leaves, the projected inputs and the weights."""
        cell = self.cell
        slopes = [self._buffer(buffer.shape[1]) for buffer in buffers]
        slopes[0] = _written(slopes[0], tf.gather(outputs, self.forest.order), tf.range(self.real))

        def turn(level, slopes, products):
            begin, end = self.forest.starts[level], self.forest.starts[level + 1]
            mask, states = self._mask(begin, end), self._children(buffers, begin, end)
            total = totals[begin - self.leaves : end - self.leaves]
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch((total, states))
                new = cell.step(total, states, mask)
            above = [tf.cast(slope[begin:end], cell.compute_dtype) for slope in slopes]
            total, below = tape.gradient(new, (total, states), above)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(states[0])
                product = cell.compose(self.weights, states[0], mask)
            h = tape.gradient(product, states[0], total)
            below = (h if below[0] is None else below[0] + h, *below[1:])
            children = tf.reshape(self.forest.children[begin:end], [-1])
            slopes = [_added(*each, children) for each in zip(slopes, below, strict=True)]
            return level - 1, slopes, _written(products, total, tf.range(begin, end) - self.leaves)

        _, slopes, products = tf.while_loop(
            lambda level, *_: level > 0, turn, (self.levels - 1, slopes, self._totals(buffers))
        )
        leaves = [tf.cast(slope[: self.leaves], cell.compute_dtype) for slope in slopes]
        return leaves, products, self._sums(buffers, products)

    def _sums(self, buffers, products):
        """The gradients with respect to the weights, from those with respect to the totals of all nodes."""
        h = self._children(buffers[:1], self.leaves, self.real)[0]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(self.weights)
            total = self.cell.compose(self.weights, h, self._mask(self.leaves, self.real))
        return tape.gradient(total, self.weights, products)

    def _children(self, buffers, begin, end):
        """The states of the children of some nodes, a tuple of `(end - begin, arity, size)`."""
        children = self.forest.children[begin:end]
        return tuple(tf.cast(tf.gather(buffer, children), self.cell.compute_dtype) for buffer in buffers)

    def _mask(self, begin, end):
        return None if self.mask is None else self.mask[begin:end]

    def _buffer(self, size):
        """Zeros for a state of all nodes and, at the end, of a child that is missing.

        What is written in place is made by an operation that counts as stateful, so that no optimizer of graphs takes
        two buffers for one.
        """
        buffer = tf.raw_ops.Empty(shape=[self.real + 1, size], dtype=self.cell.variable_dtype, init=True)
        return tf.ensure_shape(buffer, [None, size])

    def _totals(self, buffers):
        """A place for what the matrices make of all nodes but the leaves."""
        total = self.cell.compose(self.weights, self._children(buffers, 0, 0)[0], self._mask(0, 0))  # of no node
        buffer = tf.raw_ops.Empty(shape=[self.real - self.leaves, tf.shape(total)[1]], dtype=total.dtype)
        return tf.ensure_shape(buffer, [None, total.shape[1]])


def _written(buffer, values, rows):
    """The same buffer, with some of its rows replaced."""
    values = tf.cast(values, buffer.dtype)
    if _on_gpu():
        return tf.tensor_scatter_nd_update(buffer, rows[:, None], values)
    return tf.raw_ops.InplaceUpdate(x=buffer, i=rows, v=values)


def _added(buffer, values, rows):
    """The same buffer, with something added to some of its rows, to some of them repeatedly."""
    values = tf.cast(tf.reshape(values, [-1, buffer.shape[1]]), buffer.dtype)
    if _on_gpu():
        return tf.tensor_scatter_nd_add(buffer, rows[:, None], values)
    return tf.raw_ops.InplaceAdd(x=buffer, i=rows, v=values)


def _on_gpu():
    """bool, whether there is a GPU, which adds to repeated rows in place at the same time, and copies fast."""
    return bool(tf.config.list_logical_devices("GPU"))
