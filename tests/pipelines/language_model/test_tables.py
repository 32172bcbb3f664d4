"""Scorers against the models whose tables they hold: the sum over a text is the model's own log probability."""

import math

import numpy as np
import pytest
import tensorflow as tf
from alignments import random_logits, texts
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.layers.ctc import prefix_beam_search
from seqloom.pipelines.language_model import END, START, UNKNOWN, BackoffModel, character_scorer, fit, word_scorer

LABELS = "ab "
SENTENCES = ["a ab b", "ab ab ba", "ba b aab", "a", "b b ab a", "aab ba ab", "ab ba", "a a b"]
WORDS = [sentence.split() for sentence in SENTENCES]
# Pruned by another toolkit, so that `b` is no history while `a b` is one; with a back-off that is of no use.
PRUNED = BackoffModel(
    3,
    {
        (UNKNOWN,): -3.0,
        (END,): -1.0,
        ("a",): -1.1,
        ("b",): -1.2,
        ("ab",): -1.3,
        (START, "a"): -0.2,
        ("a", "b"): -0.4,
        ("b", "a"): -0.6,
        ("a", "b", "ab"): -0.1,
    },
    {("a",): -0.5, ("b", "a"): -0.7, ("a", "b", "ab"): -9.0},
)


def total(scorer, text, labels=LABELS):
    """Sums of all that the scorer adds for the labels of a text: log probability, words."""
    states = scorer.start(1)
    found = np.zeros(2)
    for character in text:
        added = scorer.extensions(states)
        assert all(values.shape == (1, len(labels)) and np.all(np.isfinite(values)) for values in added)
        found += [values[0, labels.index(character)].numpy() for values in added]
        states = scorer.advance(states, tf.constant([labels.index(character)]))
        assert states.shape == (1, scorer.state_size)
        assert states.dtype == tf.int32
    return found + [values[0].numpy() for values in scorer.finish(states)]


def spelled(model, text, labels=LABELS):
    """The log probability of a text, in which unknown words are spelled by letters and an end, all equally likely."""
    words, symbols = text.split(), len(set(labels) - {" "}) + 1
    unknown = [word for word in words if model.known(word) == UNKNOWN]
    return model.score(words) - sum(len(word) + 1 for word in unknown) * math.log(symbols)


TEXT = st.one_of(st.text(LABELS, max_size=12), st.sampled_from(SENTENCES))
CHARACTER_SCORERS = [(model, character_scorer(model, LABELS)) for model in (fit(SENTENCES, n) for n in (1, 2, 4))]
WORD_MODELS = [fit(WORDS, 1), fit(WORDS, 2), fit(WORDS, 3), fit(WORDS, 3, ["bbb", "xyz"]), PRUNED]
WORD_SCORERS = [(model, word_scorer(model, LABELS)) for model in WORD_MODELS]


@settings(max_examples=40, deadline=None)
@given(TEXT, st.sampled_from(CHARACTER_SCORERS))
def test_a_character_scorer_is_its_model(text, pair):
    model, scorer = pair
    np.testing.assert_allclose(total(scorer, text), [model.score(text), len(text.split())], rtol=1e-5)


@settings(max_examples=60, deadline=None)
@given(TEXT, st.sampled_from(WORD_SCORERS))
def test_a_word_scorer_is_its_model_for_known_and_unknown_words(text, pair):
    """Spaces at the start and after spaces complete no word."""
    model, scorer = pair
    np.testing.assert_allclose(total(scorer, text), [spelled(model, text), len(text.split())], rtol=1e-5)


def test_characters_that_a_model_does_not_know_are_unknown_ones():
    model = fit(["ab a", "b"], order=3)
    scorer = character_scorer(model, "zab y")
    for text in ("z", "az b", "yz"):
        np.testing.assert_allclose(total(scorer, text, "zab y")[0], model.score(text), rtol=1e-5)


def test_labels_without_a_space_spell_one_word():
    words = fit([["ab"], ["ba"]], order=2)
    for scorer, text, score in (
        (word_scorer(words, "ab"), "ab", words.score(["ab"])),
        (word_scorer(words, "ab"), "bb", words.score([UNKNOWN]) - 3 * math.log(3)),
        (character_scorer(words, "ab"), "ab", words.score("ab")),
    ):
        np.testing.assert_allclose(total(scorer, text, "ab"), [score, 1], rtol=1e-5)


def test_the_look_ahead_is_the_best_word_below():
    model = fit(WORDS, order=2)
    scorer = word_scorer(model, LABELS)
    log_probabilities, _ = scorer.extensions(scorer.start(1))
    for label, character in enumerate("ab"):
        best = max(model.log_probability(word) for word in model.vocabulary if word.startswith(character))
        assert math.isclose(log_probabilities[0, label], best, rel_tol=1e-5)


@pytest.mark.parametrize("scorer", [CHARACTER_SCORERS[2][1], WORD_SCORERS[2][1]], ids=["characters", "words"])
def test_states_may_have_any_shape(scorer):
    labels = tf.constant(np.random.default_rng(0).integers(0, 3, size=(5, 2, 3)), tf.int32)
    states = tf.reshape(scorer.start(6), (2, 3, -1))
    rows = scorer.start(6)
    for step in labels:
        states, rows = scorer.advance(states, step), scorer.advance(rows, tf.reshape(step, [-1]))
    np.testing.assert_array_equal(tf.reshape(states, (6, -1)), rows)
    for method in (scorer.extensions, scorer.finish):
        for several, alone in zip(method(states), method(rows), strict=True):
            np.testing.assert_array_equal(tf.reshape(several, alone.shape), alone)


@pytest.mark.parametrize("words", [False, True], ids=["characters", "words"])
def test_a_search_with_a_model_is_exhaustive_when_the_beam_is_wide(words):
    model, scorer = WORD_SCORERS[2] if words else CHARACTER_SCORERS[2]
    logits = random_logits(np.random.default_rng(0), 2, 4, 4)
    search = tf.function(prefix_beam_search, autograph=False)
    labels, lengths, scores = search(tf.constant(logits), tf.constant([4, 4]), 121, scorer, 1.3, 0.7)
    for row in range(2):
        expected = {}
        for text, score in texts(logits[row]).items():
            text = "".join(LABELS[label] for label in text)
            of_model = spelled(model, text) if words else model.score(text)
            expected[text] = score + 1.3 * of_model + 0.7 * len(text.split())
        found = ["".join(LABELS[label] for label in labels[row, beam, : lengths[row, beam]]) for beam in range(121)]
        best = sorted(expected, key=expected.__getitem__, reverse=True)
        np.testing.assert_allclose(scores[row, : len(best)], [expected[text] for text in best], rtol=1e-4)
        assert set(found[: len(best)]) == set(best)
        assert found[0] == best[0]


def test_where_there_are_no_unknown_words_none_is_written():
    model = fit(WORDS, 2)
    closed, known = word_scorer(model, LABELS, unknown_words=False), set(model.vocabulary)
    for text in SENTENCES:
        np.testing.assert_allclose(total(closed, text), total(word_scorer(model, LABELS), text), rtol=1e-5)
    logits, lengths = tf.constant(random_logits(np.random.default_rng(0), 20, 8, 4)), tf.fill([20], 8)
    written = {}
    for scorer in (closed, word_scorer(model, LABELS)):
        search = tf.function(prefix_beam_search, autograph=False)
        labels, counts, _ = search(logits, lengths, 50, scorer, 0.1)
        rows = zip(labels[:, 0].numpy(), counts[:, 0].numpy(), strict=True)
        written[scorer] = [
            word for row, count in rows for word in "".join(LABELS[each] for each in row[:count]).split()
        ]
    assert written[closed]
    assert known.issuperset(written[closed])
    assert not known.issuperset(written[scorer])


@pytest.mark.parametrize("pair", [CHARACTER_SCORERS[1], WORD_SCORERS[1]], ids=["characters", "words"])
def test_the_tables_are_exported(tmp_path, pair):
    class Decoder(tf.Module):
        def __init__(self):
            super().__init__()
            self.scorer = pair[1]

        @tf.function(input_signature=[tf.TensorSpec([None, None, 4]), tf.TensorSpec([None], tf.int32)])
        def decode(self, logits, lengths):
            return prefix_beam_search(logits, lengths, 4, self.scorer, 0.5, 1.0)[2]

    decoder = Decoder()
    tf.saved_model.save(decoder, str(tmp_path), signatures=decoder.decode)
    logits = tf.constant(random_logits(np.random.default_rng(1), 2, 9, 4))
    answer = tf.saved_model.load(str(tmp_path)).signatures["serving_default"]
    scores = next(iter(answer(logits=logits, lengths=tf.constant([9, 5])).values()))
    np.testing.assert_allclose(scores, decoder.decode(logits, tf.constant([9, 5])), rtol=1e-5)


def test_refuses_labels():
    model = fit(WORDS, order=1)
    with pytest.raises(ValueError, match="labels must be single characters, got 'ab'"):
        word_scorer(model, ["ab", "c"])
    with pytest.raises(ValueError, match="labels must differ from each other, got"):
        character_scorer(model, "aba")
