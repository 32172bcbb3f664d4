"""What length buckets save: the same sentiment model trained on IMDB in buckets, and with every review padded.

    python benchmarks/bucketing.py --data_dir CORPORA

Both train on the same reviews with the settings of `pipelines/sentiment/configs/imdb.yaml`, but read up to 400 words.
In buckets is what `seqloom train` does: rows of similar length, padded to the longest of them. Padded is what tutorials
do: 32 rows in random order, each as long as the longest that the model reads. The two take turns; an epoch of each,
which builds its graph and fills its caches, is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

from seqloom.pipelines.batching import BatchPlan, Tensors, TrainingData, training_batches
from seqloom.pipelines.config import load_config
from seqloom.pipelines.corpora import load_splits
from seqloom.pipelines.environment import processor
from seqloom.pipelines.optimizers import make_optimizer
from seqloom.pipelines.pipeline import Pipeline
from seqloom.pipelines.registry import find_task
from seqloom.pipelines.sentiment.config import Config

WORDS = 400  # the most that the model reads of a review


def main() -> None:
    """Measures and prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", help="folder that holds the corpora; SEQLOOM_DATA_DIR if not given")
    parser.add_argument("--reviews", type=int, default=1_600, help="in an epoch (default 1600)")
    parser.add_argument("--rounds", type=int, default=5, help="timed epochs of each (default 5)")
    arguments = parser.parse_args()

    entry = find_task("sentiment")
    settings = {"dataset": "imdb", "data_dir": arguments.data_dir, "max_tokens": WORDS}
    config = load_config(entry, Config, settings=settings)
    reviews = load_splits(entry, config).train[: arguments.reviews]
    pipeline = entry.pipeline_class()(config)
    preprocessor = pipeline.fit_preprocessor(reviews, None)
    data = pipeline.training_data(reviews, preprocessor)
    everything_alike = np.full_like(data.sizes, config.max_tokens)
    contenders = {
        "in buckets": Contender(pipeline, preprocessor, data, data.sizes),
        "padded": Contender(pipeline, preprocessor, padded(data, config.max_tokens), everything_alike),
    }
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(1 + arguments.rounds):
        for name, contender in contenders.items():
            started = time.perf_counter()
            contender.train_an_epoch()
            if turn:
                seconds[name].append(time.perf_counter() - started)
    medians = {name: float(np.median(values)) for name, values in seconds.items()}
    result = {
        "processor": processor(),
        "cores": os.cpu_count(),
        "tensorflow": tf.__version__,
        "reviews": len(reviews),
        "mean_words_read": round(float(data.sizes.mean()), 1),
        "steps": {name: contender.steps for name, contender in contenders.items()},
        "seconds": {name: [round(value, 2) for value in values] for name, values in seconds.items()},
        "reviews_per_second": {name: round(len(reviews) / median, 1) for name, median in medians.items()},
        "ratio": round(medians["padded"] / medians["in buckets"], 2),
    }
    print(json.dumps(result, indent=2))


class Contender:
    """A model with its batches.

    Args:
        pipeline: of the task.
        preprocessor: of the reviews.
        data: the batches' tensors.
        sizes: the lengths by which rows are put together.
    """

    def __init__(self, pipeline: Pipeline, preprocessor, data: TrainingData, sizes: np.ndarray) -> None:
        config = pipeline.config
        plan = BatchPlan(sizes, config.batch_size, config.bucket_growth, config.seed)
        self.steps = len(plan)
        self._batches = training_batches(data, plan, 0)
        self._model = pipeline.build_model(preprocessor)
        self._model.compile(optimizer=make_optimizer(config, self.steps), jit_compile=False)

    def train_an_epoch(self) -> None:
        """Trains as `seqloom train` does, but for the callbacks."""
        self._model.fit(self._batches, epochs=1, steps_per_epoch=self.steps, shuffle=False, verbose=0)


def padded(data: TrainingData, steps: int) -> TrainingData:
    """The same examples with all that has a step for each word padded to one length."""

    def batch(rows: tf.Tensor, epoch: tf.Tensor) -> tuple[Tensors, Tensors, Tensors]:
        inputs, targets, weights = data.batch(rows, epoch)
        longer = {name: _with_steps(inputs[name], steps) for name in ("words", "regions", "steps") if name in inputs}
        return {**inputs, **longer}, targets, weights

    return TrainingData(data.sizes, batch)


def _with_steps(tensor: tf.Tensor, steps: int) -> tf.Tensor:
    missing = steps - tf.shape(tensor)[1]
    return tf.pad(tensor, [[0, 0], [0, missing]] + [[0, 0]] * (len(tensor.shape) - 2))


if __name__ == "__main__":
    main()
