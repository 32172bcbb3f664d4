"""The inference path: sorted, batched, stripped, and back in the order of the requests."""

from typing import ClassVar

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from seqloom.pipelines.errors import UserError
from seqloom.pipelines.exporting import Server
from seqloom.pipelines.inference import _batches, answer_all, load_export, stack, strip


class Words(Server):
    inputs: ClassVar = {"text": tf.TensorSpec([None], tf.string)}
    outputs = ("words", "sizes", "count")
    padding: ClassVar = {"words": "words", "sizes": "words"}


class Signature:
    """A signature that splits texts, and remembers what it was asked."""

    def __init__(self):
        self.batches = []

    def __call__(self, text):
        self.batches.append([each.decode("utf-8", "replace") for each in text.numpy()])
        words = tf.strings.split(text)
        return {
            "words": words.to_tensor(""),
            "sizes": words.with_values(tf.strings.length(words.values)).to_tensor(0),
            "count": words.row_lengths(),
            "unasked": tf.zeros([3]),
        }


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("ab ü", max_size=12), max_size=12), st.integers(1, 5))
def test_answers_come_in_the_order_of_the_requests_without_padding(texts, batch_size):
    signature = Signature()
    answers = answer_all(signature, [{"text": text} for text in texts], Words, batch_size)
    assert answers == [
        {"words": text.split(), "sizes": [len(word.encode()) for word in text.split()], "count": len(text.split())}
        for text in texts
    ]
    assert sorted(text for batch in signature.batches for text in batch) == sorted(texts)
    assert all(len(batch) <= batch_size for batch in signature.batches)


def test_texts_of_similar_length_are_answered_together():
    signature = Signature()
    texts = ["a" * size for size in (9, 1, 8, 2, 7, 3)]
    answer_all(signature, [{"text": text} for text in texts], Words, batch_size=2)
    assert [[len(text) for text in batch] for batch in signature.batches] == [[1, 2], [3, 7], [8, 9]]


def test_arrays_of_similar_length_are_answered_together():
    asked = []

    class Sums(Server):
        outputs = ("sum",)

    def signature(wave, number):
        asked.append(wave.shape[1])
        return {"sum": tf.reduce_sum(wave, axis=1) + number}

    waves = [np.ones(size, np.float32) for size in (5, 1, 4, 2)]
    requests = [{"wave": wave, "number": np.float32(100)} for wave in waves]
    answers = answer_all(signature, requests, Sums, batch_size=2)
    assert [answer["sum"] for answer in answers] == [105, 101, 104, 102]
    assert asked == [2, 5]


def test_what_python_makes_of_bytes_that_are_no_utf_8_can_be_asked():
    argument = b"a \xff b".decode("utf-8", "surrogateescape")
    answers = answer_all(Signature(), [{"text": argument}, {"text": "\ud800"}, {"text": b"c \xff"}], Words)
    assert [answer["count"] for answer in answers] == [3, 1, 2]
    assert answers[0]["words"][::2] == ["a", "b"]
    assert answers[2]["words"] == ["c", "\N{REPLACEMENT CHARACTER}"]


def test_answers_are_plain_python():
    row = {
        "tokens": np.array([b"z\xc3\xbcrich", b""], object),
        "scores": np.array([[0.5, 0.25], [0.0, 0.0]], np.float32),
        "probability": np.float32(0.5),
        "error": b"",
    }
    answer = strip(row, {"tokens": "tokens", "scores": "tokens"})
    assert answer == {"tokens": ["zürich"], "scores": [[0.5, 0.25]], "probability": 0.5, "error": ""}
    assert type(answer["probability"]) is float


@pytest.mark.parametrize(
    ("leader", "length"), [([], 0), ([b"", b""], 0), ([b"a", b"", b"b", b""], 3), ([0, 0], 0), ([3, 0, 1, 0], 3)]
)
def test_only_what_stands_at_the_end_is_padding(leader, length):
    dtype = object if leader and isinstance(leader[0], bytes) else None
    row = {"leader": np.array(leader, dtype), "other": np.arange(len(leader))}
    answer = strip(row, {"leader": "leader", "other": "leader"})
    assert answer["other"] == list(range(length))
    assert len(answer["leader"]) == length


def test_requests_are_stacked_with_zeros_and_their_dtypes():
    frames = [np.ones((2, 3), np.float32), np.ones((1, 3), np.float32)]
    stacked = stack([{"features": frame, "lengths": np.int32(len(frame)), "text": "a"} for frame in frames])
    assert stacked["features"].shape == (2, 2, 3)
    assert stacked["features"].numpy()[1, 1].tolist() == [0, 0, 0]
    assert (stacked["lengths"].dtype, stacked["text"].dtype) == (tf.int32, tf.string)


def test_a_missing_export_says_how_to_write_one(tmp_path):
    with pytest.raises(UserError, match=rf"^there is no export in {tmp_path}; `seqloom export RUN_DIR` writes one$"):
        load_export(tmp_path)


def test_long_requests_are_answered_in_smaller_calls() -> None:
    """Padding included, a call holds no more than it bears; one that is longer than that stands alone."""
    sizes = [3_000_000, 5, 9_000_000, 2_000_000, 7]
    assert list(_batches(sizes, most=64)) == [[1, 4, 3], [0], [2]]
    assert list(_batches([1] * 5, most=2)) == [[0, 1], [2, 3], [4]]
    assert list(_batches([], most=2)) == []
