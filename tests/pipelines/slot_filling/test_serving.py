"""Serving: any text gets an answer or an error, and the spans are those of the tags."""

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from tagging import CORPUS, JORDAN, answers, fit, make_tagger

from seqloom.datasets.tagged_sentence import TaggedSentence
from seqloom.pipelines.inference import answer_all
from seqloom.pipelines.slot_filling.spans import is_legal, spans

TEXTS = [" ".join(sentence.tokens) for sentence in CORPUS.valid]

BAD = {
    "empty": (b"", "the text has no words"),
    "white space": (b" \t\r\n\v\f ", "the text has no words"),
    "513 words": (b"to " * 513, "the text has 513 words, at most 512 can be read"),
    "10,000 words": (b"to " * 10_000, "the text has 10000 words, at most 512 can be read"),
    "512 words": (b"to " * 512, ""),
    "control characters": (b"\x00 fly\x07 to \x1b[0m boston\x7f", ""),
    "only control characters": (b"\x01\x02", ""),
    "emoji": ("✈️ to 👩‍👩‍👧 🇦🇹".encode(), ""),
    "invalid utf-8": (b"\xff\xfe to \xe2\x82 \xc0\xaf\xed\xa0\x80", ""),
    "no white space": (b"x" * 100_000, ""),
    "right to left": ("إلى بوسطن".encode(), ""),
    "punctuation": (b"... !? -", ""),
    "special words": (b"[padding] [unknown] [start] [end]", ""),
}


@pytest.fixture(scope="module")
def tagger():
    return make_tagger(units=8)


@pytest.fixture(scope="module")
def function(tagger):
    return tagger.server.function()


def ask(function, tagger, texts):
    return answer_all(function, [{"text": text} for text in texts], type(tagger.server))


def assert_same(one, other):
    assert {**one, "intent_probability": 0} == {**other, "intent_probability": 0}
    assert one["intent_probability"] == pytest.approx(other["intent_probability"], abs=1e-4)


def test_no_text_fails_its_batch_and_the_other_rows_stay_as_they_are(tagger, function):
    texts = [each for pair in zip(TEXTS * 2, [text for text, _ in BAD.values()], strict=False) for each in pair]
    expected = {text: ask(function, tagger, [text])[0] for text in TEXTS}
    found = ask(function, tagger, texts)
    for text, answer in zip(texts, found, strict=True):
        if text in expected:
            assert_same(answer, expected[text])


@pytest.mark.parametrize("name", BAD)
def test_a_text_gets_an_answer_or_an_error(tagger, function, name):
    text, error = BAD[name]
    (answer,) = ask(function, tagger, [text])
    assert answer["error"] == error
    if error:
        empty = {name: [] for name in answer if name.startswith(("tok", "tags", "span"))}
        assert answer == {**empty, "intent": "", "intent_probability": 0.0, "error": error}
    else:
        assert len(answer["tokens"]) == len(answer["tags"]) == len(text.split()) > 0
        assert answer["intent"] in tagger.preprocessor.intents
        assert 0 < answer["intent_probability"] <= 1


def test_a_batch_of_errors_alone(tagger):
    found = answers(tagger, ["", " ", b"to " * 600])
    assert found["tokens"].shape == found["tags"].shape == found["span_types"].shape == (3, 0)
    assert found["intent"].tolist() == [b""] * 3
    assert all(found["error"])


def assert_answers_no_rows(function):
    found = function(text=tf.constant([], tf.string))
    assert {name: value.shape[0] for name, value in found.items()} == dict.fromkeys(found, 0)
    assert {name: value.shape.rank for name, value in found.items()} == {
        **dict.fromkeys(("tokens", "tags", "span_types", "span_starts", "span_ends", "span_values"), 2),
        **dict.fromkeys(("intent", "intent_probability", "error"), 1),
    }


def test_a_batch_of_no_rows_is_answered_with_none(function):
    assert_answers_no_rows(function)


def test_the_shapes_of_the_signature_are_known(function):
    for name, value in function.structured_outputs.items():
        assert value.shape.as_list() == [None] * (1 if name in ("intent", "intent_probability", "error") else 2), name


ANY_TEXT = st.text(max_size=12).map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=12)


@settings(max_examples=30, deadline=None)
@given(st.lists(ANY_TEXT, min_size=1, max_size=3))
def test_whatever_is_asked_is_answered_consistently(tagger, function, texts):
    for text, answer in zip(texts, ask(function, tagger, texts), strict=True):
        assert len(answer["tokens"]) == len(answer["tags"]) == len(text.split())
        assert bool(answer["error"]) == (not text.split())
        found = list(zip(answer["span_types"], answer["span_starts"], answer["span_ends"], strict=True))
        assert found == [(span.type, span.start, span.end) for span in spans(answer["tags"])]
        assert is_legal(answer["tags"]), "the random field forbids broken tags"
        for value, (_, start, end) in zip(answer["span_values"], found, strict=True):
            assert value == " ".join(answer["tokens"][start:end])


SLOTS = ["city", "fromloc.city_name", "day"]
LABELS = ["O", *(f"{prefix}-{slot}" for slot in SLOTS for prefix in "BI")]


@pytest.fixture(scope="module")
def spans_of():
    sentence = TaggedSentence(tuple("abc"), tuple(f"B-{slot}" for slot in SLOTS), None)
    tagger = make_tagger([sentence])
    entries = list(tagger.preprocessor.tags.entries)

    @tf.function(input_signature=[tf.RaggedTensorSpec([None, None], dtype) for dtype in (tf.string, tf.int32)])
    def graph(words, ids):
        return tagger.server._spans(words, ids)

    def compute(rows):
        words = tf.ragged.constant([[f"w{step}" for step in range(len(row))] for row in rows], tf.string, 1)
        ids = tf.ragged.constant([[entries.index(tag) for tag in row] for row in rows], tf.int32, 1)
        return {name: value.numpy() for name, value in graph(words, ids).items()}

    return compute


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(st.sampled_from(LABELS), max_size=9), min_size=1, max_size=5))
def test_spans_in_the_graph_are_those_of_conlleval_legal_or_broken(spans_of, rows):
    found = spans_of(rows)
    expected = [spans(row) for row in rows]
    width = max(map(len, expected))
    assert {value.shape for value in found.values()} == {(len(rows), width)}
    for row, wanted in enumerate(expected):
        pad = width - len(wanted)
        words = [f"w{step}" for step in range(len(rows[row]))]
        assert found["span_types"][row].tolist() == [span.type.encode() for span in wanted] + [b""] * pad
        assert found["span_starts"][row].tolist() == [span.start for span in wanted] + [0] * pad
        assert found["span_ends"][row].tolist() == [span.end for span in wanted] + [0] * pad
        assert found["span_values"][row].tolist() == [
            *(" ".join(words[span.start : span.end]).encode() for span in wanted), *[b""] * pad
        ]  # fmt: skip


def test_a_corpus_without_slots_is_served():
    tagger = make_tagger([TaggedSentence(("hello", "there"), ("O", "O"), "greet")])
    found = answers(tagger, ["hello you", ""])
    assert found["tags"].tolist() == [[b"O", b"O"], [b"", b""]]
    assert found["span_types"].shape == (2, 0)
    assert found["intent"].tolist() == [b"greet", b""]


VARIANTS = {
    "jordan": JORDAN,
    "jordan, adversarial noise": {**JORDAN, "adversarial": 0.1},
    "gru, softmax, no intents, no characters": {"encoder": "gru", "head": "softmax", "character_dim": 0},
    "simple, one direction, two members, tags as they are": {
        **{"encoder": "simple", "bidirectional": False, "members": 2, "factored_tags": False, "l1": 1e-5}
    },
    "gru, two members, adversarial noise": {"encoder": "gru", "members": 2, "adversarial": 0.1},
}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_kind_of_network_trains_and_is_served(name):
    examples = CORPUS.train[:24]
    if "no intents" in name:
        examples = [TaggedSentence(sentence.tokens, sentence.tags, None) for sentence in examples]
    tagger, losses = fit(examples, **{"epochs": 8, "units": 12, "learning_rate": 0.03, **VARIANTS[name]})
    assert losses[-1] < 0.8 * losses[0]
    together = ask(tagger.server.answer, tagger, [*TEXTS, "", "Denver"])
    alone = ask(tagger.server.answer, tagger, [TEXTS[0]])[0]
    assert_same(together[0], alone)
    for text, answer in zip(TEXTS, together, strict=False):
        assert len(answer["tags"]) == len(text.split())
        assert set(answer["tags"]) <= set(tagger.preprocessor.tags.entries)
        if tagger.preprocessor.intents is None:
            assert (answer["intent"], answer["intent_probability"]) == ("", 0.0)
        else:
            assert answer["intent"] in tagger.preprocessor.intents
    assert together[-2]["error"]
    assert_answers_no_rows(tagger.server.function())
