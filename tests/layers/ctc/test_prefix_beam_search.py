"""Prefix beam search against scores of all texts, and against TensorFlow's own decoder."""

import functools
import math

import numpy as np
import pytest
import tensorflow as tf
from alignments import random_logits, texts
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax

from seqloom.layers.ctc import best_path, prefix_beam_search

EVERYTHING = 121  # texts of up to four of three letters


class Bigrams(tf.Module):
    """Each label's log probability follows from the one before it; the last label completes a word."""

    def __init__(self, labels, seed):
        super().__init__()
        rng = np.random.default_rng(seed)
        self.labels = labels
        steps = -rng.exponential(2.0, size=(labels + 1, labels + 1))  # the last is the start and the end
        self.table = tf.constant(steps, tf.float32)
        self.steps = dict(np.ndenumerate(steps))

    state_size = 1

    def start(self, rows):
        return tf.fill([rows, 1], self.labels)

    def extensions(self, states):
        log_probabilities = tf.gather(self.table[:, :-1], states[..., 0])
        words = tf.cast(tf.range(self.labels) == self.labels - 1, tf.float32)
        return log_probabilities, tf.broadcast_to(words, tf.shape(log_probabilities))

    def advance(self, states, labels):
        return tf.zeros_like(states) + labels[..., None]

    def finish(self, states):
        log_probabilities = tf.gather(self.table[:, -1], states[..., 0])
        return log_probabilities, tf.ones_like(log_probabilities)

    def added(self, prefix, weight, bonus):
        """What it adds to the score of a prefix, without tensors."""
        steps = zip((self.labels, *prefix), prefix, strict=False)
        words = sum(label == self.labels - 1 for label in prefix)
        return weight * sum(self.steps[step] for step in steps) + bonus * words

    def score(self, text, weight, bonus):
        """The same of a whole text."""
        end = self.steps[(text or (self.labels,))[-1], self.labels]
        return self.added(text, weight, bonus) + weight * end + bonus


@functools.cache
def model_of(labels, seed=0):
    return Bigrams(labels, seed)


@functools.cache
def decoder(classes, width, scorer):
    """Traced once for free batches and times."""
    free = (tf.TensorSpec([None, None, classes]), tf.TensorSpec([None], tf.int32), tf.TensorSpec([]), tf.TensorSpec([]))
    return tf.function(
        lambda logits, lengths, weight, bonus: prefix_beam_search(logits, lengths, width, scorer, weight, bonus),
        input_signature=free,
        autograph=False,
    )


def search(logits, lengths, beam_width, scorer=None, weight=0.0, bonus=0.0):
    """What the search finds in each row: texts and their scores, best first."""
    decode = decoder(logits.shape[2], beam_width, scorer)
    labels, label_lengths, scores = decode(logits, tf.constant(lengths), weight, bonus)
    assert labels.shape[2] == np.max(label_lengths, initial=0)
    found = []
    for row in range(len(lengths)):
        beams = []
        for beam, (length, score) in enumerate(zip(label_lengths[row].numpy(), scores[row].numpy(), strict=True)):
            assert np.all(labels[row, beam, length:] == -1)
            assert score > -np.inf or length == 0
            beams.append((tuple(labels[row, beam, :length].numpy().tolist()), float(score)))
        found.append(beams)
    return found


def assert_same(found, expected):
    """Texts in the same order where their scores differ, and equal scores."""
    assert len(found) == len(expected)
    np.testing.assert_allclose([s for _, s in found], [s for _, s in expected], rtol=1e-4, atol=1e-4)
    scores = dict(expected)
    for text, score in found:
        if score > -np.inf:
            assert math.isclose(scores[text], score, rel_tol=1e-4, abs_tol=1e-4)


lengths_of_rows = st.lists(st.integers(1, 4), min_size=1, max_size=3)


@settings(max_examples=10, deadline=None)
@given(lengths_of_rows, st.integers(0, 1000), st.sampled_from([None, (0.0, 0.0), (0.7, 0.0), (1.3, 1.5), (0.5, -2.0)]))
def test_a_beam_as_wide_as_the_space_is_exhaustive(lengths, seed, factors):
    logits = random_logits(np.random.default_rng(seed), len(lengths), 4, 4)
    model, (weight, bonus) = model_of(3, seed % 2), factors or (0.0, 0.0)
    arguments = {"scorer": model, "weight": weight, "bonus": bonus} if factors else {}
    found = search(logits, lengths, beam_width=EVERYTHING, **arguments)
    for beams, frames, length in zip(found, logits, lengths, strict=True):
        scores = texts(frames[:length])
        expected = [(text, score + model.score(text, weight, bonus)) for text, score in scores.items()]
        expected.sort(key=lambda pair: -pair[1])
        assert_same(beams[: len(expected)], expected)
        assert all(score == -np.inf for _, score in beams[len(expected) :])


@settings(max_examples=10, deadline=None)
@given(lengths_of_rows, st.sampled_from([1, 2, 5, 12]), st.integers(0, 1000), st.booleans())
def test_no_score_is_above_that_of_all_alignments(lengths, width, seed, with_model):
    logits = random_logits(np.random.default_rng(seed), len(lengths), 4, 4)
    model = model_of(3)
    arguments = {"scorer": model, "weight": 0.8, "bonus": 0.5} if with_model else {}
    found = search(logits, lengths, beam_width=width, **arguments)
    for beams, frames, length in zip(found, logits, lengths, strict=True):
        scores = texts(frames[:length])
        possible = [text for text, score in beams if score > -np.inf]
        assert len(set(possible)) == len(possible)
        for text, score in beams:
            if score > -np.inf:
                assert score <= scores[text] + (model.score(text, 0.8, 0.5) if with_model else 0.0) + 1e-4


def one_by_one(logits, width, model, weight, bonus):
    """Prefix beam search with a dictionary, as in the papers."""
    beams = {(): (0.0, -np.inf)}
    for *frame, blank in log_softmax(logits.astype("float64"), axis=-1):
        grown = {}

        def add(prefix, in_blank, in_label, grown=grown):
            grown[prefix] = np.logaddexp(grown.get(prefix, (-np.inf, -np.inf)), (in_blank, in_label))

        for prefix, (in_blank, in_label) in beams.items():
            either = np.logaddexp(in_blank, in_label)
            add(prefix, either + blank, in_label + frame[prefix[-1]] if prefix else -np.inf)
            for label, score in enumerate(frame):
                repeats = bool(prefix) and prefix[-1] == label
                add((*prefix, label), -np.inf, (in_blank if repeats else either) + score)
        scores = {prefix: np.logaddexp(*pair) + model.added(prefix, weight, bonus) for prefix, pair in grown.items()}
        beams = {prefix: grown[prefix] for prefix in sorted(grown, key=scores.get, reverse=True)[:width]}
    found = [(text, np.logaddexp(*pair) + model.score(text, weight, bonus)) for text, pair in beams.items()]
    return sorted(found, key=lambda pair: -pair[1])


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.integers(1, 15), min_size=1, max_size=3),
    st.sampled_from([1, 2, 3, 8]),
    st.integers(0, 1000),
    st.sampled_from([(0.0, 0.0), (0.8, 1.0)]),
)
def test_equals_a_search_one_by_one_at_every_width(lengths, width, seed, factors):
    logits = random_logits(np.random.default_rng(seed), len(lengths), 15, 5)
    model = model_of(4)
    found = search(logits, lengths, width, model, *factors)
    for beams, frames, length in zip(found, logits, lengths, strict=True):
        expected = one_by_one(frames[:length], width, model, *factors)
        assert_same([beam for beam in beams if beam[1] > -np.inf], expected)


@settings(max_examples=15, deadline=None)
@given(lengths_of_rows, st.integers(0, 1000))
def test_equals_the_decoder_of_tensorflow_where_nothing_is_dropped(lengths, seed):
    """In narrow beams its scores differ from those of a search one by one (measured: 7 of 60 rows at width 3)."""
    logits = random_logits(np.random.default_rng(seed), len(lengths), 4, 4)
    paths, log_probabilities = tf.nn.ctc_beam_search_decoder(
        tf.transpose(logits, (1, 0, 2)), tf.constant(lengths), beam_width=EVERYTHING, top_paths=3
    )
    for row, beams in enumerate(search(logits, lengths, EVERYTHING)):
        expected = []
        for path, scores in zip(paths, tf.transpose(log_probabilities), strict=True):
            labels = path.values[path.indices[:, 0] == row].numpy().tolist()
            expected.append((tuple(labels), float(scores[row])))
        assert_same(beams[:3], expected)


@pytest.mark.parametrize("width", [1, 2, 3, 8, 40])
def test_a_model_without_weight_and_bonus_changes_nothing(width):
    logits = random_logits(np.random.default_rng(5), 4, 25, 6)
    lengths = [25, 1, 12, 20]
    plain = search(logits, lengths, beam_width=width)
    assert plain == search(logits, lengths, beam_width=width, scorer=model_of(5), weight=0.0, bonus=0.0)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.sampled_from([1, 4, 9]), st.booleans())
def test_certain_posteriors_give_the_best_path(path, width, infinite):
    logits = tf.one_hot([path], 4, on_value=0.0, off_value=-np.inf if infinite else -200.0).numpy()
    labels, lengths, scores = best_path(tf.constant(logits), tf.constant([len(path)]))
    text = tuple(labels[0, : lengths[0]].numpy().tolist())
    for arguments in ({}, {"scorer": model_of(3), "weight": 0.5, "bonus": 0.1}):
        found = search(logits, [len(path)], beam_width=width, **arguments)[0]
        assert found[0][0] == text
        assert not infinite or all(score == -np.inf for _, score in found[1:])
    np.testing.assert_allclose(scores, [0.0], atol=1e-4)


@pytest.mark.parametrize("model", [None, Bigrams(5, 1)], ids=["plain", "model"])
def test_a_row_alone_is_a_row_of_a_batch_and_padding_is_invisible(model):
    rng = np.random.default_rng(7)
    lengths = [30, 4, 17]
    logits = random_logits(rng, 3, 30, 6)
    arguments = {"beam_width": 6, "scorer": model, "weight": 0.6, "bonus": 0.4}
    together = search(logits, lengths, **arguments)
    for row, length in enumerate(lengths):
        noise = random_logits(rng, 1, 9, 6, scale=50.0)
        assert_same(search(logits[row : row + 1, :length], [length], **arguments)[0], together[row])
        longer = np.concatenate([logits[row : row + 1, :length], noise], axis=1)
        assert (
            search(longer, [length], **arguments)[0] == search(logits[row : row + 1, :length], [length], **arguments)[0]
        )


def test_a_prefix_that_comes_back_is_merged_with_its_longer_ones():
    """At width 2, `a` is dropped while `ab` is kept, and comes back from the empty prefix."""
    frames = np.log([[0.45, 0.1, 0.45], [0.1, 0.8, 0.1], [0.5, 0.01, 0.49], [0.3, 0.3, 0.4]]).astype("float32")[None]
    for width in range(1, 8):
        beams = search(frames, [4], beam_width=width)[0]
        assert len({text for text, _ in beams}) == width
        assert sum(math.exp(score) for _, score in beams) <= 1 + 1e-5


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_rows_that_are_not_finite_leave_the_others_alone(value):
    logits = random_logits(np.random.default_rng(1), 2, 8, 4)
    spoilt = np.concatenate([logits, np.full((1, 8, 4), value, "float32")])
    for arguments in ({}, {"scorer": model_of(3), "weight": 0.5, "bonus": 0.1}):
        found = search(spoilt, [8, 5, 8], beam_width=4, **arguments)
        assert found[:2] == search(logits, [8, 5], beam_width=4, **arguments)
        assert found[2] == [((), -np.inf)] * 4


def test_exports_without_python_or_compiled_operations(tmp_path):
    class Decoder(tf.Module):
        def __init__(self):
            super().__init__()
            self.model = Bigrams(5, 0)

        @tf.function(
            input_signature=[tf.TensorSpec([None, None, 6]), tf.TensorSpec([None], tf.int32), tf.TensorSpec([])]
        )
        def decode(self, logits, lengths, weight):
            labels, label_lengths, scores = prefix_beam_search(logits, lengths, 5, self.model, weight, bonus=0.5)
            return {"labels": labels, "label_lengths": label_lengths, "scores": scores}

    decoder = Decoder()
    tf.saved_model.save(decoder, str(tmp_path), signatures=decoder.decode)
    loaded = tf.saved_model.load(str(tmp_path))
    definition = loaded.signatures["serving_default"].graph.as_graph_def()
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    assert any("While" in node.op for node in nodes)
    assert not {node.op for node in nodes if "PyFunc" in node.op or "Xla" in node.op}
    for rows, time in ((2, 12), (1, 3)):
        logits, lengths = random_logits(np.random.default_rng(rows), rows, time, 6), tf.fill([rows], time)
        expected = prefix_beam_search(tf.constant(logits), lengths, 5, decoder.model, 0.8, 0.5)
        answer = loaded.signatures["serving_default"](
            logits=tf.constant(logits), lengths=lengths, weight=tf.constant(0.8)
        )
        np.testing.assert_array_equal(answer["labels"], expected[0])
        np.testing.assert_allclose(answer["scores"], expected[2], rtol=1e-4)


@pytest.mark.parametrize(
    ("classes", "width", "scorer", "message"),
    [
        (3, 0, None, "beam_width must be a positive integer, got beam_width=0"),
        (None, 4, None, "logits must have a known number of classes"),
        (3, 4, model_of(5), "scorer must know the 2 labels, got one of 5"),
    ],
)
def test_refuses(classes, width, scorer, message):
    with pytest.raises(ValueError, match=message):
        decoder(classes, width, scorer).get_concrete_function()
