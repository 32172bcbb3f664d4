"""Slot filling in miniature, for the tests of the machinery: a few sentences and networks that train in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from seqloom.datasets import travel_requests
from seqloom.datasets.tagged_sentence import TaggedSentence
from seqloom.pipelines.batching import BatchPlan, training_batches
from seqloom.pipelines.distribution import distribute
from seqloom.pipelines.optimizers import make_optimizer
from seqloom.pipelines.slot_filling.config import Config
from seqloom.pipelines.slot_filling.data import Preprocessor
from seqloom.pipelines.slot_filling.model import SlotFillingModel
from seqloom.pipelines.slot_filling.serving import SlotFillingServer
from seqloom.pipelines.slot_filling.task import SlotFilling

CORPUS = travel_requests.generate(seed=0, train=45, valid=8, test=8)

JORDAN = {"encoder": "jordan", "head": "softmax", "bidirectional": False, "factored_tags": False}


def make_config(**settings: Any) -> Config:
    """Small everywhere, without randomness in training."""
    small: dict[str, Any] = {
        **{"encoder": "lstm", "units": 6, "num_layers": 1, "embedding_dim": 6, "character_dim": 3},
        **{"character_filters": 4, "batch_size": 16, "epochs": 2, "learning_rate": 0.01, "average_decay": 0.0},
        **dict.fromkeys(("dropout", "output_dropout", "word_dropout", "rare_word_dropout", "substitution"), 0.0),
    }
    return Config(**{**small, **settings})


class Tagger(NamedTuple):
    """A model with what belongs to it."""

    pipeline: SlotFilling
    preprocessor: Preprocessor
    model: SlotFillingModel
    server: SlotFillingServer


def make_tagger(examples: Sequence[TaggedSentence] = CORPUS.train, seed: int = 0, **settings: Any) -> Tagger:
    """A model with random weights, the same at each call."""
    keras.utils.set_random_seed(seed)
    pipeline = SlotFilling(make_config(**settings))
    examples, _ = pipeline.usable(examples)
    preprocessor = pipeline.fit_preprocessor(examples, None)
    model = pipeline.build_model(preprocessor)
    return Tagger(pipeline, preprocessor, model, pipeline.build_server(model, preprocessor))


def fit(
    examples: Sequence[TaggedSentence] = CORPUS.train, strategy: tf.distribute.Strategy | None = None, **settings: Any
) -> tuple[Tagger, list[float]]:
    """Trains without callbacks, as `training.Trainer` does; returns also the loss of each epoch."""
    strategy = strategy or tf.distribute.get_strategy()
    replicas = strategy.num_replicas_in_sync
    policy = settings.get("mixed_precision", "float32")
    keras.config.set_dtype_policy(policy)
    try:
        with strategy.scope():
            tagger = make_tagger(examples, **settings)
            config = tagger.pipeline.config
            data = tagger.pipeline.training_data(tagger.pipeline.usable(examples)[0], tagger.preprocessor)
            plan = BatchPlan(data.sizes, config.batch_size, config.bucket_growth, config.seed, replicas)
            tagger.model.compile(optimizer=make_optimizer(config, len(plan)), jit_compile=False)
            tagger.model.optimizer.build(tagger.model.trainable_variables)
    finally:
        keras.config.set_dtype_policy("float32")
    history = tagger.model.fit(
        distribute(strategy, lambda part, parts, each: training_batches(data, plan, 0, part, parts, each)),
        epochs=config.epochs,
        steps_per_epoch=len(plan),
        verbose=0,
        shuffle=False,
    )
    tagger.server.refresh()  # it was made with the weights from before
    return tagger, history.history["mean_loss"]


def answers(tagger: Tagger, texts: Sequence[Any]) -> dict[str, Any]:
    """What the server in this process says to a batch of texts, as NumPy arrays."""
    return {name: value.numpy() for name, value in tagger.server.answer(text=tf.constant(texts)).items()}
