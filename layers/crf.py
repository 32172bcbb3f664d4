"""Linear-chain conditional random field over IOB2 tags."""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from .custom_gradient import custom_gradient
from .masking import sequence_mask

# the score of what cannot happen: finite, so that the difference of two of them is not NaN
_IMPOSSIBLE = -1e30
# what a forbidden step costs in the loss of a gold path that breaks the scheme
_FORBIDDEN = -1e4
# transition scores into one tag that lie further apart than this count as this far apart in the sums
_WIDEST = 60.0


@keras.saving.register_keras_serializable(package="seqloom")
class LinearChainCRF(keras.layers.Layer):
    """Scores whole tag sequences and finds the best one that the IOB2 scheme allows.

    `log p(y | x) = start[y_1] + sum_t x_t[y_t] + sum_t T[y_{t-1}, y_t] + end[y_n] - log Z(x)` (Lafferty et
    al., 2001). `I-x` follows only `B-x` or `I-x` and starts no sequence; paths that break this have no part in
    `Z` and are never decoded. Everything is computed in float32 under every mixed precision policy.

    Args:
        tags: list of str. Names in the order of their ids, each `O`, `B-x` or `I-x`, without special symbols.
        **kwargs: passed on to `keras.layers.Layer`.

    Call arguments:
        logits: float tensor `(batch, time, num_tags)`.
        lengths: int32 tensor `(batch,)`, valid steps of each row, at least 1.

    Returns:
        int32 tensor `(batch, time)`, ids of the best path; 0 past `lengths`.

    Raises:
        ValueError: if `tags` holds a name twice, a name that is not IOB2, or no tag that may start a sequence.

    Example:
        >>> crf = LinearChainCRF(["O", "B-city", "I-city"])
        >>> logits = keras.ops.array([[[2.0, 1.0, 0.0], [0.0, 0.0, 3.0]]])
        >>> crf(logits, lengths=keras.ops.array([2])).numpy().tolist()
        [[1, 2]]
        >>> loss = crf.negative_log_likelihood(logits, keras.ops.array([[1, 2]]), keras.ops.array([2]))
        >>> round(float(loss[0]), 4)
        0.315

    References:
        Lafferty, McCallum and Pereira (2001), Conditional random fields.
        Rabiner (1989), A tutorial on hidden Markov models, for Viterbi and forward-backward.
    """

    def __init__(self, tags, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.tags = list(tags)
        for tag in self.tags:
            if not isinstance(tag, str) or (tag != "O" and not (tag[:2] in ("B-", "I-") and tag[2:])):
                raise ValueError(f"tags must be named O, B-x or I-x, got {tag!r}")
        if len(set(self.tags)) != len(self.tags):
            raise ValueError(f"tags must differ from each other, got tags={self.tags}")
        if all(tag.startswith("I-") for tag in self.tags):
            raise ValueError(f"tags must hold O or a B-x, with which a sequence can start, got tags={self.tags}")
        self._scheme = _Scheme(self.tags)
        self._score_dtype = "float64" if self.variable_dtype == "float64" else "float32"

    def build(self, logits_shape):
        size = len(self.tags)
        if logits_shape[-1] != size:
            raise ValueError(f"logits must hold one score for each of {size} tags, got shape {tuple(logits_shape)}")
        self.transitions = self.add_weight(name="transitions", shape=(size, size), initializer="zeros", autocast=False)
        self.start = self.add_weight(name="start", shape=(size,), initializer="zeros", autocast=False)
        self.end = self.add_weight(name="end", shape=(size,), initializer="zeros", autocast=False)

    def call(self, logits, lengths):
        logits = ops.cast(logits, self._score_dtype)
        time = ops.shape(logits)[1]
        emissions = ops.transpose(logits, (1, 0, 2))  # (time, batch, num_tags)
        into = ops.transpose(ops.where(self._scheme.legal, self.transitions, _IMPOSSIBLE))  # a row per destination
        start = ops.where(self._scheme.is_inside, _IMPOSSIBLE, self.start)
        end = tf.convert_to_tensor(self.end)

        scheme = self._scheme
        into_open, enter, stay = (
            tf.gather(into, scheme.open),  # any tag may come before
            tf.gather_nd(into, np.stack([scheme.inside, scheme.begin_of[scheme.inside]], axis=1)),
            tf.gather_nd(into, np.stack([scheme.inside, scheme.inside], axis=1)),
        )

        def extend(best, emission):
            to_open = tf.reduce_max(best[:, None] + into_open, axis=-1)
            begun = tf.gather(best, scheme.begin_of[scheme.inside], axis=-1) + enter
            to_inside = tf.maximum(begun, tf.gather(best, scheme.inside, axis=-1) + stay)
            return tf.gather(tf.concat([to_open, to_inside], axis=-1), scheme.place, axis=-1) + emission

        best = _recur(extend, start + emissions[0], emissions[1:])  # (time, batch, num_tags)
        is_last = ops.expand_dims(_is_last(lengths, time), -1)

        def trace_back(following, elements):
            scores, last = elements
            leaving = tf.where(last, end, tf.gather(into, following))
            return tf.argmax(scores + leaving, axis=-1, output_type=tf.int32)

        latest = tf.argmax(best[-1] + end, axis=-1, output_type=tf.int32)
        path = _recur(trace_back, latest, (best[:-1], is_last[:-1]), reverse=True)  # (time, batch)
        return ops.where(sequence_mask(lengths, time), ops.transpose(path), 0)

    def compute_output_shape(self, logits_shape):
        return tuple(logits_shape[:2])

    def compute_output_spec(self, logits, lengths):
        return keras.KerasTensor(tuple(logits.shape[:2]), dtype="int32")

    def negative_log_likelihood(self, logits, tags, lengths):
        """Computes `-log p(tags | logits)` of each row.

        Args:
            logits: float tensor `(batch, time, num_tags)`.
            tags: int tensor `(batch, time)`, gold ids; what stands past `lengths` does not count.
            lengths: int32 tensor `(batch,)`, valid steps of each row, at least 1.

        Returns:
            float32 tensor `(batch,)` (float64 in a float64 layer). Each step of a gold path that breaks the
            scheme costs 10,000: it can be seen, and no weight learns from it.
        """
        return self.log_partition(logits, lengths) - self._path_score(logits, tags, lengths)

    def log_partition(self, logits, lengths):
        """Computes `log Z`, which sums over all legal paths, as a float tensor `(batch,)`."""

        @custom_gradient
        def log_partition(logits, transitions, start, end):
            chain = _Chain(self._scheme, logits, transitions, start, end, lengths)
            return chain.log_partition, chain.gradient

        return log_partition(*self._scores(logits))

    def marginals(self, logits, lengths):
        """Computes `p(y_t = tag | logits)`: float tensor `(batch, time, num_tags)`, zeros past `lengths`."""
        chain = _Chain(self._scheme, *self._scores(logits), lengths)
        return ops.transpose(chain.marginals(chain.backward()), (2, 0, 1))

    def _scores(self, logits):
        if not self.built:
            self.build(tuple(logits.shape))
        weights = (self.transitions, self.start, self.end)
        return ops.cast(logits, self._score_dtype), *(tf.convert_to_tensor(weight) for weight in weights)

    def _path_score(self, logits, tags, lengths):
        logits, transitions, start, end = self._scores(logits)
        mask = sequence_mask(lengths, ops.shape(logits)[1])
        tags = ops.where(mask, ops.cast(tags, "int32"), 0)
        emissions = ops.sum(logits * ops.one_hot(tags, len(self.tags), dtype=logits.dtype), axis=-1)
        transitions = ops.reshape(ops.where(self._scheme.legal, transitions, _FORBIDDEN), (-1,))
        steps = ops.take(transitions, tags[:, :-1] * len(self.tags) + tags[:, 1:])
        start = ops.take(ops.where(self._scheme.is_inside, _FORBIDDEN, start), tags[:, 0])
        last = ops.take_along_axis(tags, ops.expand_dims(lengths - 1, -1), axis=1)[:, 0]
        counted = ops.where(mask, emissions, 0), ops.where(mask[:, 1:], steps, 0)
        return start + sum(ops.sum(scores, axis=-1) for scores in counted) + ops.take(end, last)

    def get_config(self):
        return {**super().get_config(), "tags": self.tags}


class _Scheme:
    """What IOB2 allows, as constant arrays with a row per tag and, in matrices, a column per following tag."""

    def __init__(self, tags):
        ids = {tag: position for position, tag in enumerate(tags)}
        itself = np.arange(len(tags))
        self.is_inside = np.array([tag.startswith("I-") for tag in tags])
        # the tag before the first I-x, and the inside tag after a B-x or I-x; the tag itself where there is none
        self.begin_of = np.array([ids.get("B-" + tag[2:], ids[tag]) for tag in tags], "int32")
        self.begin_of = np.where(self.is_inside, self.begin_of, itself).astype("int32")
        self.has_inside = np.array([tag[0] == "B" and "I-" + tag[2:] in ids for tag in tags])
        self.inside_of = np.array([ids.get("I-" + tag[2:], ids[tag]) for tag in tags], "int32")
        self.open, self.inside = (
            np.flatnonzero(chosen).astype("int32") for chosen in (~self.is_inside, self.is_inside)
        )
        self.place = np.argsort(np.concatenate([self.open, self.inside])).astype("int32")  # of each tag behind them
        self.from_begin = (itself[:, None] == self.begin_of) & (self.begin_of != itself)
        self.from_inside = np.diag(self.is_inside)
        self.legal = self.from_begin | self.from_inside | ~self.is_inside


class _Chain:
    """Forward-backward over the legal paths, in log space (Rabiner, 1989, section III).

    An outside or begin tag may follow every tag: its sum over them is one matrix product,
    `log(exp(alpha - max alpha) exp(T)) + max alpha`. An inside tag has two predecessors, both of which may lie
    so far below `max alpha` that `exp` is zero there: their sum is taken directly.
    """

    def __init__(self, scheme, logits, transitions, start, end, lengths):
        self.scheme, self.lengths = scheme, lengths
        self.is_inside = ops.expand_dims(scheme.is_inside, -1)  # (num_tags, 1), as all that belongs to tags
        first_inside = _only(transitions, scheme.from_begin)  # T[B-x, I-x]
        next_inside = _only(transitions, scheme.from_inside)  # T[I-x, I-x]
        largest = ops.expand_dims(ops.max(transitions, axis=0), -1)
        self.enter = ops.where(self.is_inside, first_inside, largest)
        self.stay = ops.where(first_inside > _IMPOSSIBLE, next_inside - first_inside, 0)
        self.follow = ops.where(scheme.has_inside[:, None], 0, ops.where(self.is_inside, self.stay, _IMPOSSIBLE))
        factors = ops.exp(ops.maximum(ops.transpose(transitions) - largest, -_WIDEST))  # a row per destination
        self.factors = ops.where(self.is_inside, 0, factors)
        self.end = ops.expand_dims(end, -1)
        emissions = ops.transpose(logits, (1, 2, 0))  # (time, num_tags, batch)
        first = ops.where(self.is_inside, _IMPOSSIBLE, ops.expand_dims(start, -1)) + emissions[0]
        self.arrivals = emissions[1:] + self.enter
        self.alphas = _recur(self._extend, first, self.arrivals)  # (time, num_tags, batch)
        self.is_last = ops.expand_dims(_is_last(lengths, ops.shape(logits)[1]), 1)  # (time, 1, batch)
        last = ops.sum(ops.where(self.is_last, self.alphas, 0), axis=0)
        self.log_partition = ops.logsumexp(last + self.end, axis=0)

    def _extend(self, alpha, arrival):
        top = tf.reduce_max(alpha, axis=0)
        from_any = tf.math.log(tf.matmul(self.factors, tf.exp(alpha - top))) + top
        begin = tf.gather(alpha, self.scheme.begin_of)
        from_inside = begin + tf.nn.softplus(alpha - begin + self.stay)
        return tf.where(self.is_inside, from_inside, from_any) + arrival

    def _retreat(self, beta, elements):
        arrival, is_last = elements
        ahead = beta + arrival
        open_ahead = tf.where(self.is_inside, tf.cast(_IMPOSSIBLE, ahead.dtype), ahead)
        top = tf.reduce_max(open_ahead, axis=0)
        to_any = tf.math.log(tf.matmul(self.factors, tf.exp(open_ahead - top), transpose_a=True)) + top
        to_inside = tf.gather(ahead, self.scheme.inside_of) + self.follow
        return tf.where(is_last, self.end, to_any + tf.nn.softplus(to_inside - to_any))

    def backward(self):
        latest = ops.zeros_like(self.alphas[-1]) + self.end
        return _recur(self._retreat, latest, (self.arrivals, self.is_last[:-1]), reverse=True)

    def marginals(self, betas):
        mask = ops.transpose(sequence_mask(self.lengths, ops.shape(betas)[0]))[:, None]
        return ops.where(mask, ops.exp(self.alphas + betas - self.log_partition), 0)

    def gradient(self, upstream):
        """`d log Z` is the expected count of each emission, transition, start and end."""
        betas = self.backward()
        marginals = self.marginals(betas) * upstream
        end = ops.sum(ops.where(self.is_last, marginals, 0), axis=(0, 2))
        transitions = self._expected_transitions(betas, marginals, upstream)
        return ops.transpose(marginals, (2, 0, 1)), transitions, ops.sum(marginals[0], axis=-1), end

    def _expected_transitions(self, betas, marginals, upstream):
        alphas = self.alphas[:-1]
        mask = ops.transpose(sequence_mask(self.lengths - 1, ops.shape(alphas)[0]))[:, None]
        top = ops.max(alphas, axis=1, keepdims=True)
        ahead = betas[1:] + self.arrivals + (top - self.log_partition)
        # the bound keeps inside tags, whose factor is 0, from reaching infinity
        targets = ops.exp(ops.minimum(ahead, _WIDEST)) * ops.where(mask, upstream, 0)
        from_any = tf.tensordot(ops.exp(alphas - top), targets, [[0, 2], [0, 2]]) * ops.transpose(self.factors)
        begin = tf.gather(alphas, self.scheme.begin_of, axis=1)
        stayed = ops.sum(marginals[1:] * ops.sigmoid(alphas - begin + self.stay), axis=(0, 2))
        begun = ops.sum(marginals[1:], axis=(0, 2)) - stayed
        return from_any + ops.where(self.scheme.from_begin, begun, 0) + ops.where(self.scheme.from_inside, stayed, 0)


def _recur(step, first, elements, reverse=False):
    """Stacks `first`, `step(first, elements[0])` and so on along a new first axis; right to left if `reverse`."""
    arrays = [tf.TensorArray(part.dtype, tf.shape(part)[0]).unstack(part) for part in tf.nest.flatten(elements)]
    steps = tf.shape(tf.nest.flatten(elements)[0])[0]
    states = tf.TensorArray(first.dtype, steps + 1, element_shape=first.shape)
    states = states.write(steps if reverse else 0, first)

    def body(position, state, states):
        index = steps - 1 - position if reverse else position
        state = step(state, tf.nest.pack_sequence_as(elements, [array.read(index) for array in arrays]))
        state = tf.ensure_shape(state, first.shape)
        return position + 1, state, states.write(index if reverse else index + 1, state)

    return tf.while_loop(lambda position, *_: position < steps, body, (0, first, states))[2].stack()


def _is_last(lengths, time):
    return ops.expand_dims(ops.arange(time, dtype="int32"), -1) == ops.cast(lengths, "int32") - 1  # (time, batch)


def _only(scores, places):
    """The one score of each column that `places` marks, or impossible where it marks none: `(num_tags, 1)`."""
    marked = ops.where(np.any(places, axis=0), ops.sum(ops.where(places, scores, 0), axis=0), _IMPOSSIBLE)
    return ops.expand_dims(marked, -1)
