"""Characters with times as words with times, against Python's own splitting."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.pipelines.speech_recognition.word_times import words_of

TEXTS = st.lists(st.text("ab ", max_size=9), min_size=1, max_size=4)


@settings(deadline=None, max_examples=60)
@given(TEXTS)
def test_words_are_those_of_the_text(texts: list[str]) -> None:
    width = max(map(len, texts)) + 2
    characters = tf.constant([[*text, *"b" * (width - len(text))] for text in texts])
    lengths = tf.constant([len(text) for text in texts])
    starts = tf.tile(2 * tf.range(width)[None], [len(texts), 1])
    probabilities = np.random.default_rng(0).uniform(0.1, 1.0, (len(texts), width)).astype(np.float32)
    found = words_of(characters, lengths, starts, starts + 1, tf.math.log(probabilities))
    for row, text in enumerate(texts):
        words = [word.decode() for word in found["words"][row].numpy() if word]
        assert words == text.split()
        at = 0
        for number, word in enumerate(words):
            at = text.index(word, at)
            assert found["starts"][row, number] == 2 * at
            assert found["ends"][row, number] == 2 * (at + len(word) - 1) + 1
            mean = np.exp(np.log(probabilities[row, at : at + len(word)]).mean())
            np.testing.assert_allclose(found["confidences"][row, number], mean, rtol=1e-5)
            at += len(word)
        assert not found["confidences"][row, len(words) :].numpy().any()
        assert not found["ends"][row, len(words) :].numpy().any()
