"""Random models whose next symbol depends on all that was written, and searches over them without tensors."""

from __future__ import annotations

import itertools

import numpy as np
import tensorflow as tf

from seqloom.layers.searching import Step, repeat_rows

END = 1  # neither the first class nor the last one
CODES = 997


class Histories:
    """Each history has a code, which the states carry, and each code its random log probabilities and attention.

    Args:
        classes: how many, the end counted.
        seed: of the random numbers.
        grain: log probabilities are multiples of it, so that sums are exact and ties frequent; 0 for any numbers.
        forbidden: share of the symbols that cannot follow.
        ends: added to the score of the end.
    """

    def __init__(self, classes, seed, grain=0.0, forbidden=0.0, ends=0.0):
        rng = np.random.default_rng(seed)
        scores = rng.normal(scale=1.5, size=(CODES, classes))
        scores[:, END] += ends
        scores -= np.log(np.exp(scores).sum(axis=1, keepdims=True))
        if grain:
            scores = np.minimum(np.round(scores / grain), 0) * grain
        scores[rng.random(scores.shape) < forbidden] = -np.inf
        self.log_probs = scores.astype("float32")
        self.attention = rng.uniform(0.0, 0.7, size=(CODES, 4)).astype("float32")

    def code(self, row, start, symbols):
        code = row
        for symbol in (start, *symbols):
            code = (code * 31 + symbol + 1) % CODES
        return code

    def next(self, row, start, symbols):
        return self.log_probs[self.code(row, start, symbols)].astype("float64")

    def covered(self, row, start, symbols, source):
        """What the steps that wrote `symbols` and one more have looked at: `sum_i log(min(sum_t a_ti, 1))`."""
        steps = [self.code(row, start, symbols[:length]) for length in range(len(symbols) + 1)]
        return np.log(np.minimum(self.attention[steps, :source].sum(axis=0, dtype="float64"), 1.0)).sum()


def first_states(rows):
    """States before the first step: a nest, so that all of its tensors must be kept in order."""
    return {"code": rows, "copies": (tf.stack([rows, rows], axis=1)[:, :, None],)}


def step_function(log_probs, attention, sources, width=1, padding=0):
    """The step of a model whose tables are tensors; `sources` are the lengths of the sources, `(batch,)`."""
    real = tf.sequence_mask(repeat_rows(sources, width), tf.shape(attention)[1])

    def step(symbols, states):
        code = (states["code"] * 31 + symbols + 1) % CODES
        copy = (states["copies"][0][:, 1, 0] * 31 + symbols + 1) % CODES
        looked = tf.pad(tf.where(real, tf.gather(attention, copy), 1.0), [[0, 0], [0, padding]], constant_values=1.0)
        return Step(tf.gather(log_probs, code), first_states(copy), looked)

    return step


def length_penalty_of(length, penalty):
    return ((5.0 + length) / 6.0) ** penalty


def all_sequences(model, row, start, limit, source, length_penalty, coverage_penalty):
    """All that can end within the limit, then those at the limit that cannot: `(symbols, score, truncated)`."""
    ended, truncated = [], []
    symbols = [symbol for symbol in range(model.log_probs.shape[1]) if symbol != END]
    for length in range(limit + 1):
        for text in itertools.product(symbols, repeat=length):
            total = sum(model.next(row, start, text[:i])[symbol] for i, symbol in enumerate(text))
            end = total + model.next(row, start, text)[END]
            covered = coverage_penalty * model.covered(row, start, text, source)
            if end > -np.inf:
                ended.append((text, end / length_penalty_of(length + 1, length_penalty) + covered, False))
            elif length == limit and total > -np.inf:
                truncated.append((text, total / length_penalty_of(length, length_penalty) + covered, True))
    return [each for found in (ended, truncated) for each in sorted(found, key=lambda each: -each[1])]


def beam_search_one_by_one(model, row, start, limit, source, width, n_best, length_penalty, coverage_penalty):
    """Beam search with dictionaries, up to the limit; and after how many steps nothing could change any more."""

    def score(text, total, length):
        covered = model.covered(row, start, text, source) if coverage_penalty else 0.0
        return total / length_penalty_of(length, length_penalty) + coverage_penalty * covered

    live, ended, truncated, steps = {(): 0.0}, {}, {}, None
    for length in range(limit + 1):
        candidates = [
            (total + log_prob, text, symbol)
            for text, total in live.items()
            for symbol, log_prob in enumerate(model.next(row, start, text))
            if log_prob > -np.inf
        ]
        candidates.sort(key=lambda candidate: -candidate[0])
        for total, text, symbol in candidates[:width]:
            if symbol == END:
                ended[text] = score(text, total, length + 1)
        if length == limit:
            truncated = {text: score(text, total, length) for text, total in live.items() if text not in ended}
        going = [(text + (symbol,), total) for total, text, symbol in candidates if symbol != END]
        live = dict(going[:width])
        best = sorted(ended.values(), reverse=True)[:n_best]
        lengths = range(length + 2, limit + 2)  # with which a live one could end
        bound = max(
            (max(live.values(), default=-np.inf) / length_penalty_of(n, length_penalty) for n in lengths),
            default=-np.inf,
        )
        if steps is None and (bound == -np.inf or (len(best) == n_best and bound <= best[-1])):
            steps = length + 1
    found = [(text, score, False) for text, score in sorted(ended.items(), key=lambda item: -item[1])]
    found += [(text, score, True) for text, score in sorted(truncated.items(), key=lambda item: -item[1])]
    return found[:n_best], steps
