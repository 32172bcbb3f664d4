"""The autoencoder by itself: its variants, its vectors, and what padding may not change."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from seqloom.datasets import synthetic_terms
from seqloom.datasets.spoken_term import SpokenTerm
from seqloom.pipelines.corpora import cache_dir
from seqloom.pipelines.feature_store import FeatureStores
from seqloom.pipelines.spoken_term_search.config import Config
from seqloom.pipelines.spoken_term_search.data import Preprocessor, partner_rows, training_data
from seqloom.pipelines.spoken_term_search.model import TermModel
from seqloom.pipelines.spoken_term_search.serving import TermServer
from seqloom.pipelines.spoken_term_search.whitening import whitening

RATE = 8000
KINDS: list[dict[str, Any]] = [
    {"variant": "plain"},
    {"variant": "denoising", "encoder": "lstm", "num_layers": 2, "connections": "residual", "deltas": True},
    {"variant": "correspondence", "pairs": "labels", "decoder_layers": 2, "bidirectional": False},
    {"variant": "siamese", "pairs": "labels", "keep": "last"},
    {"variant": "plain", "vector": "downsampled", "features": "mfcc"},
    {"variant": "plain", "vector": "mean", "normalisation": "global"},
]


@pytest.fixture(scope="module")
def terms() -> list[SpokenTerm]:
    return synthetic_terms.generate(seed=1, train=40, valid=1, test=1).train


def made(terms: list[SpokenTerm], **settings: Any) -> tuple[Config, Preprocessor, TermModel, Any]:
    tf.keras.utils.set_random_seed(0)
    config = Config(
        **{"sampling_rate": RATE, "mel_bands": 16, "units": 8, "embedding_dim": 6, "dropout": 0, **settings}
    )
    store = FeatureStores(config, cache_dir()).of([term.sound for term in terms])
    preprocessor = Preprocessor.fit(terms, store, None, config)
    model = TermModel(config=config.model_dump(), size=preprocessor.size)
    model.build()
    if config.normalisation == "global":
        model.normalisation.adapt(preprocessor.mean, preprocessor.variance)
    return config, preprocessor, model, training_data(terms, store, preprocessor, config)


def batch(data: Any, rows: list[int], epoch: int = 0) -> Any:
    inputs, targets, weights = data.batch(tf.constant(rows, tf.int64), tf.constant(epoch, tf.int64))
    return inputs, targets, {name: weight / tf.reduce_sum(weight) for name, weight in weights.items()}


def waves(terms: list[SpokenTerm], rows: list[int], padding: int = 0) -> dict[str, tf.Tensor]:
    samples = [terms[row].sound.samples for row in rows]
    longest = max(map(len, samples)) + padding
    padded = np.stack([np.pad(each, (0, longest - len(each))) for each in samples])
    return {"waveform": tf.constant(padded), "lengths": tf.constant([len(each) for each in samples], tf.int32)}


@pytest.mark.parametrize("settings", KINDS, ids=lambda kind: "-".join(map(str, kind.values())))
def test_every_kind_learns_and_answers(terms: list[SpokenTerm], settings: dict[str, Any]) -> None:
    config, preprocessor, model, data = made(terms, **settings)
    inputs, targets, weights = batch(data, list(range(12)))
    model.compile(optimizer=tf.keras.optimizers.Adam(0.02))
    steps = [model.train_on_batch(inputs, targets, sample_weight=weights, return_dict=True) for _ in range(12)]
    losses = [step["mean_loss"] for step in steps]
    assert np.all(np.isfinite(losses))
    assert losses[-1] < losses[0]
    server = TermServer(model, preprocessor, config)
    given = waves(terms, [0, 1, 2])
    given["waveform"] = tf.concat([given["waveform"], tf.zeros_like(given["waveform"][:1])], axis=0)
    given["lengths"] = tf.concat([given["lengths"], [1000]], axis=0)
    found = {name: value.numpy() for name, value in server.function()(**given).items()}
    assert found["error"].tolist() == [b"", b"", b"", b"the recording is silent: all its samples are 0"]
    np.testing.assert_allclose(np.linalg.norm(found["embedding"], axis=1), [1, 1, 1, 0], atol=1e-5)
    if config.variant != "siamese":
        restored = {name: value.numpy() for name, value in server.function("restored")(**given).items()}
        errors = server.function("encoded")(**given)["restoration_error"].numpy()
        for row, frames in enumerate(restored["frames"][:3]):
            difference = restored["restored"][row, :frames] - restored["wanted"][row, :frames]
            assert errors[row] == pytest.approx(np.square(difference).mean(), rel=1e-4)


@pytest.mark.parametrize("settings", KINDS, ids=lambda kind: "-".join(map(str, kind.values())))
def test_neither_padding_nor_the_batch_changes_a_vector(terms: list[SpokenTerm], settings: dict[str, Any]) -> None:
    config, preprocessor, model, _ = made(terms, **settings)
    answer = TermServer(model, preprocessor, config).answer
    together = answer(**waves(terms, [3, 8, 5]))["embedding"].numpy()
    for row, place in ((3, 0), (8, 1), (5, 2)):
        for padding in (0, 1234):
            alone = answer(**waves(terms, [row], padding))["embedding"].numpy()[0]
            np.testing.assert_allclose(alone, together[place], atol=2e-5)


def test_whitening_is_part_of_the_answer(terms: list[SpokenTerm]) -> None:
    config, preprocessor, model, _ = made(terms, whitening=True)
    server, given = TermServer(model, preprocessor, config), waves(terms, list(range(30)))
    raw = server.raw(**given)["vector"].numpy()
    mean, matrix = whitening(raw, config.whitening_floor)
    server.set_tuning({"mean": mean.tolist(), "matrix": matrix.tolist()})
    expected = (raw - mean) @ matrix
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(server.answer(**given)["embedding"].numpy(), expected, atol=1e-3)


def test_a_decoder_of_normalised_vectors_does_not_hear_their_length(terms: list[SpokenTerm]) -> None:
    lengths, vectors = tf.constant([4, 6]), tf.random.stateless_normal([2, 6], seed=(1, 2))
    for normalised in (True, False):
        model = made(terms, length_normalisation=normalised)[2]
        one, other = (model.restored(scale * vectors, lengths, tf.constant(6)).numpy() for scale in (1.0, 3.0))
        assert np.allclose(one, other, atol=1e-5) == normalised


def test_partners_have_the_same_label(terms: list[SpokenTerm]) -> None:
    config, preprocessor, _, data = made(terms, variant="correspondence", pairs="labels", stretch=0, vocal_tract=0)
    partners = partner_rows(terms, preprocessor, config)
    for row, others in enumerate(partners):
        same = [place for place, term in enumerate(terms) if term.label == terms[row].label and place != row]
        assert others == (same or [row])
    rows = list(range(len(terms)))
    plain = batch(made(terms, variant="plain")[3], rows)[0]
    drawn = [batch(data, rows, epoch)[0]["partner"].numpy() for epoch in (0, 0, 1)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert drawn[0].shape != drawn[2].shape or not np.array_equal(drawn[0], drawn[2])
    lengths, partner_lengths = plain["lengths"].numpy(), batch(data, rows)[0]["partner_lengths"].numpy()
    for row, (frames, length) in enumerate(zip(drawn[0], partner_lengths, strict=True)):
        sounds_like = [
            other
            for other in partners[row]
            if lengths[other] == length and np.array_equal(plain["features"][other, :length], frames[:length])
        ]
        assert len(sounds_like) == 1


def test_discovered_pairs_and_the_first_epochs(terms: list[SpokenTerm]) -> None:
    config, preprocessor, _, _ = made(terms, variant="correspondence", restoration_epochs=1)
    pairs = ((terms[0].name, terms[2].name, 0.5), (terms[1].name, terms[2].name, 0.7), ("gone", terms[3].name, 0.1))
    known = Preprocessor(preprocessor.size, preprocessor.mean, preprocessor.variance, pairs)
    assert partner_rows(terms[:4], known, config) == [[2], [2], [0, 1], [3]]
    store = FeatureStores(config, cache_dir()).of([term.sound for term in terms[:4]])
    data = training_data(terms[:4], store, known, config)
    lengths = store.lengths.tolist()
    assert batch(data, [0, 1, 2, 3], epoch=0)[0]["partner_lengths"].numpy().tolist() == lengths
    later = batch(data, [0, 1, 3], epoch=1)[0]["partner_lengths"].numpy().tolist()
    assert later == [lengths[2], lengths[2], lengths[3]]


def test_the_preprocessor_comes_back_as_it_was(terms: list[SpokenTerm], tmp_path: Any) -> None:
    _, preprocessor, _, _ = made(terms, normalisation="global")
    saved = Preprocessor(preprocessor.size, preprocessor.mean, preprocessor.variance, (("a b", "c", 0.25),))
    saved.save(tmp_path)
    loaded = Preprocessor.load(tmp_path)
    assert (loaded.size, loaded.pairs) == (saved.size, saved.pairs)
    np.testing.assert_allclose(loaded.mean, saved.mean, rtol=1e-6)
    np.testing.assert_allclose(loaded.variance, saved.variance, rtol=1e-6)
