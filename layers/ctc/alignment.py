"""Forced alignment: which frames spell which label of a known text."""

import tensorflow as tf

from ..masking import sequence_mask
from .frames import IMPOSSIBLE, LOWEST_POSSIBLE, log_posteriors
from .loss import feasible


def align(logits, lengths, labels, label_lengths):
    """Finds the likeliest alignment of each row's labels by the Viterbi algorithm.

    A path runs through the states blank, first label, blank, second label, ..., blank. At each frame it stays, or goes
    on by one state, or by two where that leaves out a blank between different labels (Graves et al., 2006, section 4).

    Args:
        logits: float tensor `(batch, time, n + 1)`, scores before the softmax, the blank last; `n + 1` is known when
            the graph is built.
        lengths: int32 tensor `(batch,)`, valid frames of each row.
        labels: int32 tensor `(batch, longest)`, class numbers; what stands past `label_lengths` does not count.
        label_lengths: int32 tensor `(batch,)`; may be 0.

    Returns:
        starts: int32 tensor `(batch, longest)`, first frame of each label.
        ends: int32 tensor `(batch, longest)`, the frame after its last one. A label's frames are those in which
            the path emits it; the blanks between labels belong to none.
        log_probabilities: float32 tensor `(batch, longest)`, mean over a label's frames of its log posterior.

        All three are 0 past `label_lengths`. In a row that has no alignment (see `feasible`) every label has an
        empty span at 0 and a log probability of `-inf`.

    Raises:
        ValueError: if the number of classes is not known.

    Example:
        >>> logits = 9.0 * tf.one_hot([[2, 0, 0, 2, 0, 1]], 3)  # -aa-ab
        >>> starts, ends, _ = align(logits, tf.constant([6]), tf.constant([[0, 0, 1]]), tf.constant([3]))
        >>> starts.numpy().tolist(), ends.numpy().tolist()
        ([[1, 4, 5]], [[3, 5, 6]])
    """
    frames = log_posteriors(logits, lengths)  # (time, batch, n + 1)
    rows, longest = tf.unstack(tf.shape(labels))
    label_lengths = tf.cast(label_lengths, tf.int32)
    real = sequence_mask(label_lengths, longest)
    labels = tf.where(real, tf.cast(labels, tf.int32), frames.shape[-1] - 1)
    possible = feasible(lengths, labels, label_lengths)

    path = _best_states(frames, labels, label_lengths)  # (time, batch)
    place = path // 2 + tf.range(rows) * (
        longest + 1
    )  # of the label in `(batch, longest + 1)`, the last one for blanks
    emitted = tf.gather(tf.reshape(tf.pad(labels, [[0, 0], [0, 1]]), [-1]), place)
    scores = tf.gather(frames, emitted, batch_dims=2)
    spells = (path % 2 == 1) & possible

    def over_frames(reduce, values):
        over = reduce(values, tf.where(spells, place, -1), rows * (longest + 1))
        return tf.reshape(over, (rows, longest + 1))[:, :-1]

    step = tf.broadcast_to(tf.range(tf.shape(frames)[0])[:, None], tf.shape(path))
    counted = real & possible[:, None]
    starts = tf.where(counted, over_frames(tf.math.unsorted_segment_min, step), 0)
    ends = tf.where(counted, over_frames(tf.math.unsorted_segment_max, step) + 1, 0)
    means = over_frames(tf.math.unsorted_segment_mean, scores)
    means = tf.where(possible[:, None] & (means > LOWEST_POSSIBLE), means, float("-inf"))
    return starts, ends, tf.where(real, means, 0.0)


def _best_states(frames, labels, label_lengths):
    """The states of the best path, int32 `(time, batch)`; the odd ones are labels."""
    states = _States(labels, frames.shape[-1] - 1)
    time = tf.shape(frames)[0]
    # how many states each step goes on, in the smallest integers, since there may be millions of them
    moves = tf.TensorArray(tf.int8, time, element_shape=states.classes.shape)

    def forwards(step, scores, moves):
        scores, move = states.advance(scores, frames[step])
        return step + 1, scores, moves.write(step, tf.cast(move, tf.int8))

    first = (0, states.first(), moves)
    _, scores, moves = tf.while_loop(lambda step, *_: step < time, forwards, first)
    moves = moves.stack()
    path = tf.TensorArray(tf.int32, time, element_shape=label_lengths.shape)

    def backwards(step, state, path):
        move = tf.gather(moves[step], state, batch_dims=1)
        return step - 1, state - tf.cast(move, tf.int32), path.write(step, state)

    last = (time - 1, states.last(scores, label_lengths), path)
    return tf.while_loop(lambda step, *_: step >= 0, backwards, last)[2].stack()


class _States:
    """The states of each row: a blank, and a label and a blank for each label."""

    def __init__(self, labels, blank):
        rows, longest = tf.unstack(tf.shape(labels))
        blanks = tf.fill(tf.shape(labels), blank)
        self.classes = tf.reshape(tf.stack([blanks, labels], axis=-1), (rows, 2 * longest))
        self.classes = tf.pad(self.classes, [[0, 0], [0, 1]], constant_values=blank)  # (batch, states)
        before = _shift(self.classes, 2, blank)
        self.must_pass = (self.classes == blank) | (self.classes == before)  # states that none may be left out before

    def first(self):
        """Scores before the first frame, from which a path goes on to the first blank or the first label."""
        begin = tf.fill((tf.shape(self.classes)[0], 1), 0.0)
        return tf.concat([begin, tf.fill(tf.shape(self.classes[:, 1:]), IMPOSSIBLE)], axis=1)

    def advance(self, scores, frame):
        """Scores `(batch, states)` after a frame, and how many states the best paths went on."""
        by_one = _shift(scores, 1, IMPOSSIBLE)
        by_two = tf.where(self.must_pass, IMPOSSIBLE, _shift(scores, 2, IMPOSSIBLE))
        best = tf.maximum(tf.maximum(scores, by_one), by_two)
        move = tf.where(best == scores, 0, tf.where(best == by_one, 1, 2))
        return best + tf.gather(frame, self.classes, batch_dims=1), move

    def last(self, scores, label_lengths):
        """The better of a row's last two states: its last label, and the blank behind it."""
        blank = 2 * label_lengths
        label = tf.maximum(blank - 1, 0)
        in_blank, in_label = (tf.gather(scores, state, batch_dims=1) for state in (blank, label))
        return tf.where(in_blank >= in_label, blank, label)


def _shift(states, by, value):
    return tf.pad(states, [[0, 0], [by, 0]], constant_values=value)[:, :-by]
