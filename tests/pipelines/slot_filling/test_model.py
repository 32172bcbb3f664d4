"""The tagger: padding and company change nothing, it learns, and its loss is what it says."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from tagging import CORPUS, JORDAN, fit, make_tagger

from seqloom.datasets.tagged_sentence import TaggedSentence
from seqloom.pipelines.inference import answer_all
from seqloom.pipelines.slot_filling.evaluation import score
from seqloom.pipelines.slot_filling.model import SlotFillingModel, TaggerNetwork

MODELS = {
    "lstm, crf": {"bidirectional": True},
    "gru, two layers, softmax": {"encoder": "gru", "num_layers": 2, "head": "softmax", "connections": "residual"},
    "jordan": JORDAN,
    "two members": {"members": 2, "character_dim": 0, "bidirectional": False},
}


def inputs_of(tagger, sentences, padding=0, letters=0):
    words = tf.ragged.constant([list(sentence.tokens) for sentence in sentences]).to_tensor("")
    words = tf.pad(words, [[0, 0], [0, padding]])
    inputs = {"words": tagger.server.reader.ids(words), "lengths": tf.constant([len(s.tokens) for s in sentences])}
    if tagger.pipeline.config.character_dim:
        ids, inputs["character_lengths"] = tagger.server.reader.characters(words)
        inputs["characters"] = tf.pad(ids, [[0, 0], [0, 0], [0, letters]])
    return inputs


@pytest.fixture(scope="module", params=MODELS)
def tagger(request):
    return make_tagger(**MODELS[request.param], units=5)


def decoded(tagger, inputs):
    tags, intents = tagger.model.decode(inputs)
    return [row[:length].tolist() for row, length in zip(tags.numpy(), inputs["lengths"].numpy(), strict=True)], intents


SENTENCES = sorted(CORPUS.valid, key=lambda sentence: len(sentence.tokens))[::2]


def test_padding_and_company_change_no_decision(tagger):
    tags, intents = decoded(tagger, inputs_of(tagger, SENTENCES))
    padded_tags, padded_intents = decoded(tagger, inputs_of(tagger, SENTENCES, padding=4, letters=3))
    assert padded_tags == tags
    np.testing.assert_allclose(padded_intents, intents, atol=1e-5)
    np.testing.assert_allclose(np.sum(intents, axis=1), 1.0, atol=1e-5)
    for row in (0, len(SENTENCES) - 1):
        alone, intent = decoded(tagger, inputs_of(tagger, SENTENCES[row : row + 1]))
        assert alone == tags[row : row + 1]
        np.testing.assert_allclose(intent, intents[row : row + 1], atol=1e-5)


def test_garbage_in_the_padding_changes_no_loss(tagger):
    inputs = inputs_of(tagger, SENTENCES, padding=2)
    mask = tf.sequence_mask(inputs["lengths"], inputs["words"].shape[1])
    rng = np.random.default_rng(0)
    tags = tf.constant(rng.integers(0, len(tagger.preprocessor.tags), mask.shape), tf.int32)
    targets = {"slots": tags, "intent": tf.zeros([len(SENTENCES)], tf.int32)}
    dirty = {**inputs, "words": tf.where(mask, inputs["words"], 5)}
    dirty_targets = {**targets, "slots": tf.where(mask, tags, 1)}
    losses = []
    for each, wanted in ((inputs, targets), (dirty, dirty_targets)):
        outputs = tagger.model({**each, "tags": wanted["slots"]}, training=True)
        losses.append(tagger.model.step_losses(each, wanted, outputs))
    for name, loss in losses[0].items():
        assert loss.dtype == tf.float32
        assert loss.shape == (len(SENTENCES),)
        np.testing.assert_allclose(losses[1][name], loss, rtol=1e-5)


def test_a_member_is_trained_on_its_own_loss_and_decides_with_the_others():
    tagger = make_tagger(members=2, character_dim=0, bidirectional=False, intent_weight=0.5)
    inputs = inputs_of(tagger, SENTENCES)
    outputs = tagger.model(inputs)
    targets = {"slots": tf.zeros(inputs["words"].shape, tf.int32), "intent": tf.zeros([len(SENTENCES)], tf.int32)}
    both = tagger.model.step_losses(inputs, targets, outputs)
    each = [
        tagger.model.step_losses(inputs, targets, {name: [scores[member]] for name, scores in outputs.items()})
        for member in (0, 1)
    ]
    for name in both:
        np.testing.assert_allclose(both[name], each[0][name] + each[1][name], rtol=1e-5)
    labels = [-np.log(tf.nn.softmax(scores)[:, 0]) for scores in outputs["intent"]]
    np.testing.assert_allclose(both["intent"], 0.5 * (labels[0] + labels[1]), rtol=1e-4)
    _, probabilities = tagger.model.decode(inputs)
    np.testing.assert_allclose(
        probabilities, np.mean([tf.nn.softmax(scores) for scores in outputs["intent"]], axis=0), rtol=1e-5
    )


def test_label_smoothing_is_that_of_the_formula():
    tagger = make_tagger(label_smoothing=0.2, character_dim=0)
    classes = len(tagger.preprocessor.intents)
    scores = tf.random.stateless_normal([3, classes], [0, 1])
    log_probabilities = np.log(tf.nn.softmax(scores))
    expected = -(0.8 * log_probabilities[:, 1] + 0.2 * log_probabilities.mean(axis=1))
    np.testing.assert_allclose(tagger.model._intent_loss(scores, tf.ones([3], tf.int32)), expected, rtol=1e-5)


def test_penalties_reach_the_kernels_but_no_bias_and_nothing_that_is_applied_to_a_state():
    tagger = make_tagger(l2=0.5)
    tagger.model(inputs_of(tagger, SENTENCES))
    kernels = [weight for weight in tagger.model.trainable_weights if weight.name == "kernel"]
    assert len(kernels) == 5, "characters, two directions, tags, intent"
    expected = sum(0.5 * float(np.sum(np.square(kernel.numpy()))) for kernel in kernels)
    assert float(tf.add_n(tagger.model.losses)) == pytest.approx(expected, rel=1e-5)


def test_a_model_is_made_again_from_its_config_and_its_file(tagger, tmp_path):
    twin = SlotFillingModel.from_config(tagger.model.get_config())
    twin.build()
    assert [weight.shape for weight in twin.weights] == [weight.shape for weight in tagger.model.weights]
    tagger.model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    inputs = inputs_of(tagger, SENTENCES)
    assert loaded.decode(inputs)[0].numpy().tolist() == tagger.model.decode(inputs)[0].numpy().tolist()
    for registered in (SlotFillingModel, TaggerNetwork):
        assert keras.saving.get_registered_name(registered) == f"seqloom>{registered.__name__}"


def test_the_random_field_never_decodes_broken_tags():
    tagger = make_tagger(character_dim=0)
    for weight in tagger.model.members[0].weights:
        weight.assign(np.random.default_rng(0).normal(size=weight.shape, scale=3.0))
    entries = tagger.preprocessor.tags.entries
    tags, _ = decoded(tagger, inputs_of(tagger, CORPUS.train))
    assert len({tag for row in tags for tag in row}) > 5
    for row in tags:
        for before, tag in zip(["O", *(entries[tag] for tag in row)], (entries[tag] for tag in row), strict=False):
            assert not tag.startswith("I-") or before[2:] == tag[2:], (before, tag)


def test_it_learns_twenty_sentences_by_heart():
    examples = CORPUS.train[:20]
    tagger, losses = fit(examples, units=24, epochs=40, learning_rate=0.03, embedding_dim=16, batch_size=20)
    requests = [tagger.pipeline.request(sentence) for sentence in examples]
    answers = answer_all(tagger.server.answer, requests, type(tagger.server))
    rows = [
        tagger.pipeline.row(sentence, answer, tagger.preprocessor)
        for sentence, answer in zip(examples, answers, strict=True)
    ]
    metrics = score(rows).metrics
    assert {name: metrics[name] for name in ("slot_f1", "intent_accuracy", "sentence_accuracy")} == {
        "slot_f1": 1.0, "intent_accuracy": 1.0, "sentence_accuracy": 1.0,
    }  # fmt: skip
    assert losses[-1] < 0.05 * losses[0]
    assert all(row["unseen"] == [] for row in rows)


def test_without_slots_and_intents_there_is_still_a_model():
    tagger = make_tagger([TaggedSentence(("hello",), ("O",), None)], character_dim=0)
    tags, intents = tagger.model.decode(inputs_of(tagger, [TaggedSentence(("hello", "you"), ("O", "O"), None)]))
    assert tags.numpy().tolist() == [[0, 0]]
    assert intents is None
