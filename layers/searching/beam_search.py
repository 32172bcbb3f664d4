"""Beam search: the best sequences among those that begin likely."""

from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from .candidates import best_candidates
from .found import trimmed
from .step import free_rows, repeat_rows, take

_NOTHING = float("-inf")


class _Live(NamedTuple):
    """Hypotheses that go on, likeliest first: all that the next step needs to know.

    Attributes:
        symbols: int32 tensor `(batch * width,)`, the last ones.
        states: nest of tensors `(batch * width, ...)`.
        coverage: float32 tensor `(batch * width, source)`, sums of the attention.
        log_probs: float32 tensor `(batch, width)`, all of them `-inf` in rows that are done.
    """

    symbols: Any
    states: Any
    coverage: Any
    log_probs: Any


class _Ended(NamedTuple):
    """Hypotheses that do not go on; what ended stands best first.

    Attributes:
        scores: float32 tensor `(batch, width)`.
        places: int32 tensor `(batch, width)`, `length * width + beam` of the live hypothesis that ended.
        truncated_scores: float32 tensor `(batch, width)` of the live hypotheses that the limit stopped, beam by beam.
    """

    scores: Any
    places: Any
    truncated_scores: Any


def beam_search(step, states, start, end_id, limits, beam_width, n_best=None, length_penalty=0.0, coverage_penalty=0.0):
    """Keeps the `beam_width` likeliest beginnings at each step, and finds the `n_best` sequences with the best scores.

    `score = log p / lp(n) + coverage_penalty * sum_i log(min(sum_t a_ti, 1))` with
    `lp(n) = ((5 + n) / 6) ** length_penalty` (Wu et al., 2016). `n` counts the symbols and the end, and `a_ti` is what
    step `t` has looked at of source position `i`, the step of the end included.

    At each step all ways to go on from the live hypotheses compete by `log p`, the ends among them; of equal ones the
    lowest beam wins, then the lowest class. An end counts only if it is one of the best `beam_width`; then it has a
    place among the best `beam_width` that ended, and takes no place of a live one: the best `beam_width` symbols go on
    in any case. So a beam of one is greedy search (without penalties), which ends only where the end is the likeliest,
    and a beam as wide as the number of all beginnings times the classes is exhaustive. At the row's limit nothing goes
    on, with the same competition: what does not end there is truncated, and stands behind all that ended.

    A row is done as soon as no live hypothesis can beat the `n_best`th that ended, given that `log p` only falls,
    whatever length would help it most, and full coverage. So nothing is lost. The search is over when all rows are
    done. It is one loop of TensorFlow operations, fast inside a `tf.function` only.

    Args:
        step: the step function, see `Step`.
        states: nest of tensors `(batch, ...)`, before the first step; repeated here to `batch * beam_width` rows, those
            of a row next to each other, as `repeat_rows` does it.
        start: int32 tensor `(batch,)`, the symbols before the first ones.
        end_id: int. The class that ends a sequence.
        limits: int32 tensor `(batch,)`, how many symbols a row has at most, the end not counted; at least 0.
        beam_width: int. How many hypotheses go on.
        n_best: int or `None`. How many sequences are found for each row, at most `beam_width`. Defaults to all of them.
        length_penalty: float or scalar float tensor. `0.0` prefers short sequences. Defaults to `0.0`.
        coverage_penalty: float or scalar float tensor, at least 0. If it is not the number 0, steps must give their
            attention. A position that nothing has looked at counts as `log` of the least normal number of float32,
            -87.3. Defaults to `0.0`.

    Returns:
        `Found`. The score of a truncated sequence has no end in `log p` and in `n`.

    Raises:
        ValueError: if `beam_width`, `n_best` or `coverage_penalty` lie outside their ranges, the number of classes is
            not known when the graph is built, `end_id` is none of them, or attention is missing.

    Example:
        >>> from seqloom.layers.searching import Step
        >>> def step(symbols, states):  # what begins with the likelier 1 ends worse; 3 is the end
        ...     table = [[0.0, 0.6, 0.4, 0.0], [0.4, 0.1, 0.1, 0.4], [0.0, 0.0, 0.1, 0.9]]
        ...     return Step(tf.math.log(tf.gather(table, symbols)), states)
        >>> for beam_width in (1, 2):
        ...     found = beam_search(step, (), tf.constant([0]), 3, tf.constant([4]), beam_width, n_best=1)
        ...     print(found.symbols.numpy().tolist(), round(float(tf.exp(found.scores[0, 0])), 2))
        [[[1, 0, 1, 0]]] 0.06
        [[[2]]] 0.36

    References:
        Wu et al. (2016), Google's neural machine translation system, for both penalties.
        Huang, Zhao and Ma (2017), When to finish? Optimal beam search for neural text generation (modulo
        beam size), for the bound.
    """
    n_best = beam_width if n_best is None else n_best
    _check(beam_width, n_best, coverage_penalty)
    search = _Search(step, end_id, tf.maximum(limits, 0), beam_width, n_best, length_penalty, coverage_penalty)
    live, ended = search.first(start, states)
    # `choices[n]`: from which beam each live hypothesis of length n came, and its last symbol; of length 0 anything
    choices = tf.TensorArray(tf.int32, search.longest + 2, element_shape=(None, 2, beam_width))
    choices = choices.write(0, tf.zeros([tf.shape(start)[0], 2, beam_width], tf.int32))

    def body(length, live, ended, choices):
        live, ended, chosen = search.extend(length, live, ended)
        return length + 1, live, ended, choices.write(length + 1, chosen)

    shapes = (
        tf.TensorShape([]),
        free_rows(live)._replace(coverage=tf.TensorShape([None, None])),
        free_rows(ended),
        tf.TensorShape(None),
    )
    length, _, ended, choices = tf.while_loop(
        lambda length, live, *_: tf.reduce_any(live.log_probs[:, 0] > _NOTHING),
        body,
        (tf.constant(0), live, ended, choices),
        shape_invariants=shapes,
        parallel_iterations=1,
    )
    scores, lengths, beams, truncated = search.best(ended)
    return trimmed(_symbols(choices.gather(tf.range(length + 1)), lengths, beams), lengths, scores, truncated)


def _check(beam_width, n_best, coverage_penalty):
    if beam_width < 1:
        raise ValueError(f"beam_width must be a positive integer, got beam_width={beam_width}")
    if not 1 <= n_best <= beam_width:
        raise ValueError(f"n_best must lie between 1 and the beam_width of {beam_width}, got n_best={n_best}")
    if not tf.is_tensor(coverage_penalty) and coverage_penalty < 0:
        raise ValueError(f"coverage_penalty must be at least 0, got coverage_penalty={coverage_penalty}")


class _Search:
    """One step of the search over all rows, and what comes before and after the steps."""

    def __init__(self, step, end_id, limits, width, n_best, length_penalty, coverage_penalty):
        self.step, self.end_id, self.limits, self.width, self.n_best = step, end_id, limits, width, n_best
        self.coverage_penalty = coverage_penalty
        self.looks_at_coverage = tf.is_tensor(coverage_penalty) or coverage_penalty > 0
        self.longest = tf.reduce_max(tf.pad(limits, [[0, 1]]))  # 0 where there are no rows
        # lp(n): a table, so that the bound and the scores that it bounds are rounded alike
        lengths = tf.range(self.longest + 3, dtype=tf.float32)
        self.penalties = tf.pow((5.0 + lengths) / 6.0, tf.cast(length_penalty, tf.float32))
        self.last_penalties = tf.gather(self.penalties, limits + 1)
        self.first_row = tf.range(tf.shape(limits)[0])[:, None] * width

    def first(self, start, states):
        """The empty sequence, and beams that cannot be."""
        batch = tf.shape(start)[0]
        rows = (batch, self.width)
        nothing = tf.fill(rows, _NOTHING)
        live = _Live(
            symbols=repeat_rows(start, self.width),
            states=repeat_rows(states, self.width),
            coverage=tf.zeros([batch * self.width, 1]),
            log_probs=tf.where(tf.range(self.width) == 0, 0.0, nothing),
        )
        return live, _Ended(nothing, tf.zeros(rows, tf.int32), nothing)

    def extend(self, length, live, ended):
        """The live hypotheses, of `length` symbols, by one more; what has ended; and the beams and symbols chosen."""
        log_probs, states, attention = take(self.step, live.symbols, live.states, self.end_id)
        coverage, covered = self._cover(live, attention)
        totals, beams, symbols = best_candidates(log_probs, live.log_probs, 2 * self.width)
        ends = symbols == self.end_id
        ended = self._collect(length, live, ended, tf.where(ends, totals, _NOTHING), beams, covered)

        totals, order = tf.math.top_k(tf.where(ends, _NOTHING, totals), self.width)
        beams, symbols = (tf.gather(values, order, batch_dims=1) for values in (beams, symbols))
        most_favourable = tf.maximum(self.penalties[length + 2], self.last_penalties)
        bound = totals[:, 0] / most_favourable
        goes_on = (length < self.limits) & (bound > ended.scores[:, self.n_best - 1])
        rows = tf.reshape(self.first_row + beams, [-1])
        live = _Live(
            symbols=tf.reshape(symbols, [-1]),
            states=tf.nest.map_structure(lambda state: tf.gather(state, rows), states),
            coverage=tf.gather(coverage, rows) if self.looks_at_coverage else coverage,
            log_probs=tf.where(goes_on[:, None], totals, _NOTHING),
        )
        return live, ended, tf.stack([beams, symbols], axis=1)

    def _cover(self, live, attention):
        """The coverage after a step, and what it adds to scores, `(batch, width)`."""
        if not self.looks_at_coverage:
            return live.coverage, tf.zeros_like(live.log_probs)
        if attention is None:
            raise ValueError("attention must be given by the steps where there is a coverage_penalty, got None")
        coverage = live.coverage + tf.cast(attention, tf.float32)
        covered = tf.math.log(tf.clip_by_value(coverage, np.finfo(np.float32).tiny, 1.0))
        return coverage, self.coverage_penalty * tf.reshape(tf.reduce_sum(covered, axis=1), (-1, self.width))

    def _collect(self, length, live, ended, totals, beams, covered):
        """Adds the hypotheses that end now; `totals` are `-inf` of all other candidates."""
        totals, beams = totals[:, : self.width], beams[:, : self.width]
        scores = self._scores(totals, length + 1, tf.gather(covered, beams, batch_dims=1))
        scores, order = tf.math.top_k(tf.concat([ended.scores, scores], axis=1), self.width)
        places = tf.concat([ended.places, length * self.width + beams], axis=1)

        ends = tf.reduce_any((beams[:, :, None] == tf.range(self.width)) & (totals > _NOTHING)[:, :, None], axis=1)
        stopped = (length == self.limits)[:, None] & ~ends
        truncated_scores = tf.where(stopped, self._scores(live.log_probs, length, covered), _NOTHING)
        return _Ended(
            scores=scores,
            places=tf.gather(places, order, batch_dims=1),
            truncated_scores=tf.maximum(ended.truncated_scores, truncated_scores),
        )

    def _scores(self, totals, length, covered):
        scores = totals / self.penalties[length] + covered
        return tf.where(scores > _NOTHING, scores, _NOTHING)  # also what is no number

    def best(self, ended):
        """Scores, lengths, last beams, and whether truncated, of the best, `(batch, n_best)` each."""
        truncated_scores, beams = tf.math.top_k(ended.truncated_scores, self.width)
        scores = tf.concat([ended.scores, truncated_scores], axis=1)
        places = tf.concat([ended.places, self.limits[:, None] * self.width + beams], axis=1)
        rank = tf.where(scores > _NOTHING, tf.range(2 * self.width, 0, -1), 0)
        order = tf.math.top_k(rank, self.n_best).indices
        scores, places = (tf.gather(values, order, batch_dims=1) for values in (scores, places))
        found = scores > _NOTHING
        lengths = tf.where(found, places // self.width, 0)
        return scores, lengths, places % self.width, found & (order >= self.width)


def _symbols(choices, lengths, beams):
    """Follows choices `(time, batch, 2, width)` back from the last beams: int32 `(batch, n_best, time - 1)`."""
    path = tf.TensorArray(tf.int32, tf.shape(choices)[0], element_shape=(None, beams.shape[-1]))

    def body(length, beams, path):
        before = tf.gather(choices[length, :, 0], beams, batch_dims=1)
        return length - 1, tf.where(length <= lengths, before, beams), path.write(length, beams)

    _, _, path = tf.while_loop(
        lambda length, *_: length > 0,
        body,
        (tf.shape(choices)[0] - 1, beams, path.write(0, beams)),
        parallel_iterations=1,
    )
    symbols = tf.gather(choices[:, :, 1], path.stack(), batch_dims=2)
    return tf.transpose(symbols[1:], (1, 2, 0))
