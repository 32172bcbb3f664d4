"""Prefix beam search over CTC outputs as a loop of tensor operations, with or without a language model."""

from collections import namedtuple

import numpy as np
import tensorflow as tf

from .best_path import compact
from .frames import IMPOSSIBLE, LOWEST_POSSIBLE, log_posteriors

# the multiplier of Knuth's MMIX generator, for the numbers that stand for prefixes
_MULTIPLIER = 6364136223846793005

# Each is `(batch, beams)`: log probabilities of the alignments that end in the last label, in a blank, and of both; the
# last label; numbers that stand for the prefix and for the prefix without its last label; what the language model adds
# to the score, and its states `(batch, beams, state_size)`, both of them `()` without a model.
_Beams = namedtuple("_Beams", "label blank total last key parent_key model_score model_states")


def prefix_beam_search(logits, lengths, beam_width, scorer=None, weight=0.0, bonus=0.0):
    """Finds the likeliest texts: the alignments of a text are summed while it grows (Graves and Jaitly, 2014).

    `score = log p_ctc(text) + weight * log p_lm(text) + bonus * words(text)`. At each frame the `beam_width` best
    prefixes are kept; an extension that equals another kept prefix is merged with it. The whole search is one loop
    of TensorFlow operations, for all rows at once: it can be exported, and it is fast inside a `tf.function` only.

    Args:
        logits: float tensor `(batch, time, n + 1)`, scores before the softmax, the blank last; `n + 1` is known when
            the graph is built.
        lengths: int32 tensor `(batch,)`, valid frames of each row.
        beam_width: int. How many prefixes are kept.
        scorer: a scorer over `n` labels (see `seqloom.layers.ctc.scorers`), or None.
        weight: float or scalar float tensor. Weight of the language model. Defaults to `0.0`.
        bonus: float or scalar float tensor. What each word adds to the score. Defaults to `0.0`.

    Returns:
        labels: int32 tensor `(batch, beam_width, longest)`, best text first, -1 past its labels.
        label_lengths: int32 tensor `(batch, beam_width)`.
        scores: float32 tensor `(batch, beam_width)`; `-inf`, with a text of no labels, where there are fewer texts.

    Raises:
        ValueError: if `beam_width` is not positive, if the number of classes is not known, or if `scorer` has another
            number of labels.

    Example:
        >>> logits = tf.math.log([[[0.4, 0.6], [0.4, 0.6]]])  # best path: two blanks, 0.36
        >>> labels, label_lengths, scores = prefix_beam_search(logits, tf.constant([2]), beam_width=2)
        >>> labels.numpy().tolist(), label_lengths.numpy().tolist()
        ([[[0], [-1]]], [[1, 0]])
        >>> [round(float(probability), 2) for probability in tf.exp(scores)[0]]
        [0.64, 0.36]

    References:
        Graves and Jaitly (2014), Towards end-to-end speech recognition with recurrent neural networks.
        Hannun et al. (2014), First-pass large vocabulary continuous speech recognition using bi-directional
        recurrent DNNs, whose score has the same three terms.
    """
    if beam_width < 1:
        raise ValueError(f"beam_width must be a positive integer, got beam_width={beam_width}")
    frames = log_posteriors(logits, lengths)
    time, batch = tf.unstack(tf.shape(frames)[:2])
    model = None if scorer is None else _Model(scorer, weight, bonus, labels=frames.shape[-1] - 1)
    search = _Search(batch, beam_width, frames.shape[-1] - 1, model)
    choices = tf.TensorArray(tf.int32, time, element_shape=(None, beam_width))

    def body(step, beams, choices):
        beams, chosen = search.extend(beams, tf.gather(frames, step))
        return step + 1, beams, choices.write(step, chosen)

    state = (0, search.first(), choices)
    shapes = (
        tf.TensorShape([]),
        tf.nest.map_structure(lambda part: tf.TensorShape([None, *part.shape[1:]]), state[1]),
        tf.TensorShape(None),
    )
    _, beams, choices = tf.while_loop(lambda step, *_: step < time, body, state, shape_invariants=shapes)
    scores = beams.total if model is None else beams.total + beams.model_score + model.finish(beams.model_states)
    scores, order = tf.math.top_k(scores, beam_width)
    labels, label_lengths = _texts(choices.stack(), order, search)
    possible = scores > LOWEST_POSSIBLE
    label_lengths = tf.where(possible, label_lengths, 0)
    labels = labels[:, :, : tf.reduce_max(tf.concat([tf.reshape(label_lengths, [-1]), [0]], axis=0))]
    return tf.where(possible[..., None], labels, -1), label_lengths, tf.where(possible, scores, float("-inf"))


class _Model:
    """What a scorer adds to the score."""

    def __init__(self, scorer, weight, bonus, labels):
        self.scorer, self.labels = scorer, labels
        self.weight, self.bonus = (tf.cast(factor, tf.float32) for factor in (weight, bonus))

    def extensions(self, states):
        """`(batch, beams, n)`."""
        log_probabilities, words = self.scorer.extensions(states)
        if log_probabilities.shape[-1] != self.labels:
            raise ValueError(f"scorer must know the {self.labels} labels, got one of {log_probabilities.shape[-1]}")
        return self.weight * log_probabilities + self.bonus * words

    def finish(self, states):
        log_probabilities, words = self.scorer.finish(states)
        return self.weight * log_probabilities + self.bonus * words


class _Search:
    """One frame of the search over `batch` rows of `width` beams and `labels` labels.

    The candidates of a row are the beams as they stand, and then each beam extended by each label, `width * labels` of
    them. All beams are different prefixes, also the impossible ones, which is why `width` of them can always be chosen
    without one that equals another.
    """

    def __init__(self, batch, width, labels, model):
        self.batch, self.width, self.labels, self.model = batch, width, labels, model
        # the place of each beam's first extension among those of all rows, flat
        self.first_place = tf.reshape(tf.range(batch * width) * labels, (batch, width))
        self.row_place = self.first_place[:, :1] - 1
        self.place_in_row = tf.cast(tf.range(width)[:, None] * labels + 1, tf.float32)
        self.rows = tf.stack([batch, width * labels])

    def first(self):
        """The empty prefix, and beams that are impossible."""
        keys = np.random.default_rng(0).integers(-(2**62), 2**62, size=(2, self.width))  # no two of them equal
        empty = tf.where(tf.range(self.width) == 0, 0.0, IMPOSSIBLE)
        rows = (self.batch, self.width)
        return _Beams(
            label=tf.fill(rows, IMPOSSIBLE),
            blank=tf.broadcast_to(empty, rows),
            total=tf.broadcast_to(empty, rows),
            last=tf.zeros(rows, tf.int32),  # any label does, since no alignment ends in it
            key=tf.broadcast_to(tf.constant(keys[0]), rows),
            parent_key=tf.broadcast_to(tf.constant(keys[1]), rows),
            model_score=() if self.model is None else tf.zeros(rows),
            model_states=() if self.model is None else self._model_start(),
        )

    def _model_start(self):
        start = self.model.scorer.start(self.batch)
        return tf.repeat(start[:, None], self.width, axis=1)

    def extend(self, beams, frame):
        """The best candidates after `frame`, `(batch, n + 1)`, and their places among all, int32 `(batch, beams)`."""
        extensions, stays = self._candidates(beams, frame)
        candidates = tf.concat([stays.total, extensions], axis=1)  # the good ones first make `top_k` faster
        if self.model is None:
            total, chosen = tf.math.top_k(candidates, self.width)
            model_score = ()
        else:
            model_scores = beams.model_score[..., None] + self.model.extensions(beams.model_states)
            model_scores = tf.concat([beams.model_score, tf.reshape(model_scores, self.rows)], axis=1)
            _, chosen = tf.math.top_k(candidates + model_scores, self.width)
            total, model_score = (tf.gather(values, chosen, batch_dims=1) for values in (candidates, model_scores))
        source, label, stay = self.choice(chosen)
        past = tf.nest.map_structure(lambda values: tf.gather(values, source, batch_dims=1), stays)
        states = ()
        if self.model is not None:
            advanced = self.model.scorer.advance(past.model_states, label)
            states = tf.where(stay[..., None], past.model_states, advanced)
        return _Beams(
            label=tf.where(stay, past.label, total),
            blank=tf.where(stay, past.blank, IMPOSSIBLE),
            total=total,
            last=tf.where(stay, past.last, label),
            key=tf.where(stay, past.key, past.key * _MULTIPLIER + tf.cast(label, tf.int64)),
            parent_key=tf.where(stay, past.parent_key, past.key),
            model_score=model_score,
            model_states=states,
        ), chosen

    def choice(self, chosen):
        """The beam that a candidate was made of, the label that was appended, and whether none was."""
        extension = chosen - self.width
        stay = extension < 0
        return tf.where(stay, chosen, extension // self.labels), extension % self.labels, stay

    def _candidates(self, beams, frame):
        """Log probabilities of the extensions, `(batch, beams * n)`, and the beams as they stand after the frame."""
        of_last = tf.gather(frame, beams.last, batch_dims=1)
        extensions = tf.reshape(beams.total[..., None] + frame[:, None, :-1], [-1])
        # the last label again is a new label only behind a blank
        own_place = self.first_place + beams.last
        repeated = beams.blank + of_last
        extensions = tf.tensor_scatter_nd_update(extensions, *_flat(own_place, repeated))

        # an extension that is another beam moves there
        parent = self._parents(beams)
        kept = parent > 0
        place = tf.where(kept, self.row_place + parent + beams.last, own_place)
        from_parent = tf.where(kept, tf.gather(extensions, place), IMPOSSIBLE)
        extensions = tf.tensor_scatter_nd_add(extensions, *_flat(place, tf.where(kept, float("-inf"), 0.0)))

        label = _log_add(beams.label + of_last, from_parent)
        blank = beams.total + frame[:, -1:]
        stays = beams._replace(label=label, blank=blank, total=_log_add(label, blank))
        return tf.reshape(extensions, self.rows), stays

    def _parents(self, beams):
        """One more than the place in its row of the first extension of each beam's parent; 0 if that is not kept."""
        is_parent = tf.cast(beams.parent_key[:, :, None] == beams.key[:, None, :], tf.float32)
        # one large product instead of a batch of small ones, which TensorFlow hands to a slower kernel
        places = tf.matmul(tf.reshape(is_parent, (-1, self.width)), self.place_in_row)
        return tf.cast(tf.reshape(places, (-1, self.width)), tf.int32)


def _flat(places, values):
    return tf.reshape(places, (-1, 1)), tf.reshape(values, [-1])


def _log_add(a, b):
    """`log(exp(a) + exp(b))`."""
    larger = tf.maximum(a, b)
    return larger + tf.nn.softplus(tf.minimum(a, b) - larger)


def _texts(choices, order, search):
    """Follows the choices `(time, batch, beams)` of each frame back from the beams in `order`."""
    sources, labels, stays = search.choice(choices)
    time, batch, width = tf.unstack(tf.shape(choices))
    beams = tf.TensorArray(tf.int32, time, element_shape=choices.shape[1:])

    def body(step, chosen, beams):
        return step - 1, tf.gather(tf.gather(sources, step), chosen, batch_dims=1), beams.write(step, chosen)

    _, _, beams = tf.while_loop(lambda step, *_: step >= 0, body, (time - 1, order, beams))
    labels = tf.gather(tf.where(stays, -1, labels), beams.stack(), batch_dims=2)
    labels = tf.reshape(tf.transpose(labels, (1, 2, 0)), (batch * width, time))
    labels, label_lengths = compact(labels, labels >= 0)
    return tf.reshape(labels, (batch, width, time)), tf.reshape(label_lengths, (batch, width))
