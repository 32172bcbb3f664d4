"""How fast CTC outputs are decoded: seqloom's prefix beam search in the graph, and `tf.nn.ctc_beam_search_decoder`.

    python benchmarks/ctc_decoding.py

Both decode the same logits at the same beam width, without a language model, and take turns with seqloom's search with
a model over characters and with one over words, which TensorFlow's decoder cannot do. Printed are the medians, the
ratio of those of the first two, above 1 where seqloom is faster, milliseconds per second of audio, and the real-time
factor. The best path is there to compare with.

The logits are those of made-up sentences: one to three blanks between labels, and noise strong enough that greedy
decoding makes errors. The models are trained on other sentences of the same made-up words.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections.abc import Callable
from functools import partial
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

from seqloom.layers.ctc import best_path, prefix_beam_search
from seqloom.pipelines.environment import processor
from seqloom.pipelines.language_model import character_scorer, fit, word_scorer

LABELS = "abcdefghijklmnopqrstuvwxyz' "
FRAMES, FRAME_SECONDS = 150, 0.02
WORDS, SENTENCES = 2_000, 5_000
WEIGHT, BONUS = 0.8, 1.0


def main() -> None:
    """Measures and prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="turns of each decoder; the median counts (default 7)")
    parser.add_argument("--widths", type=int, nargs="+", default=[8, 16, 32, 64], help="beam widths")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16], help="utterances decoded at a time")
    arguments = parser.parse_args()

    draw = random.Random(0)
    lexicon = ["".join(draw.choices(LABELS[:26], k=draw.randint(2, 9))) for _ in range(WORDS)]
    frequencies = [1 / rank for rank in range(1, WORDS + 1)]
    sentences = [draw.choices(lexicon, frequencies, k=8) for _ in range(SENTENCES)]
    scorers = {
        "without": None,
        "characters": character_scorer(fit(map(" ".join, sentences), order=5), LABELS),
        "words": word_scorer(fit(sentences, order=3), LABELS),
    }
    rows = [
        _row(batch, width, scorers, _logits(draw, lexicon, frequencies, batch), arguments.rounds)
        for batch in arguments.batches
        for width in arguments.widths
    ]
    result = {
        "processor": processor(),
        "cores": os.cpu_count(),
        "tensorflow": tf.__version__,
        "frames": FRAMES,
        "classes": len(LABELS) + 1,
        "frame_seconds": FRAME_SECONDS,
        "rounds": arguments.rounds,
        "decoders": rows,
    }
    print(json.dumps(result, indent=2))


def _logits(draw: random.Random, lexicon: list[str], frequencies: list[float], batch: int) -> np.ndarray:
    """`(batch, frames, classes)`, as of a trained network."""
    blank = len(LABELS)
    paths = np.full((batch, FRAMES), blank)
    for path in paths:
        text = " ".join(draw.choices(lexicon, frequencies, k=40))
        steps = [step for label in text for step in (LABELS.index(label), *[blank] * draw.randint(1, 3))]
        path[:] = steps[:FRAMES]
    noise = np.random.default_rng(batch).normal(scale=1.5, size=(*paths.shape, blank + 1))
    return (noise + 5 * np.eye(blank + 1)[paths]).astype("float32")


def _row(batch: int, width: int, scorers: dict[str, Any], logits: np.ndarray, rounds: int) -> dict[str, Any]:
    """One batch size and beam width: milliseconds of all decoders, taking turns."""
    inputs = tf.constant(logits), tf.fill([batch], FRAMES)
    decoders: dict[str, Callable[..., Any]] = {
        name: partial(prefix_beam_search, beam_width=width, scorer=scorer, weight=WEIGHT, bonus=BONUS)
        for name, scorer in scorers.items()
    }
    decoders |= {"tensorflow": partial(_tensorflow, width=width), "best_path": best_path}
    compiled = {name: tf.function(decoder, autograph=False) for name, decoder in decoders.items()}
    for decode in compiled.values():
        decode(*inputs)
    seconds: dict[str, list[float]] = {name: [] for name in compiled}
    for _ in range(rounds):
        for name, decode in compiled.items():
            started = time.perf_counter()
            decode(*inputs)
            seconds[name].append(time.perf_counter() - started)
    median = {name: float(np.median(values)) for name, values in seconds.items()}
    audio = batch * FRAMES * FRAME_SECONDS
    return {
        "batch": batch,
        "beam_width": width,
        "milliseconds": {name: round(1000 * value, 2) for name, value in median.items()},
        "tensorflow_over_seqloom": round(median["tensorflow"] / median["without"], 2),
        "milliseconds_per_second_of_audio": {name: round(1000 * median[name] / audio, 2) for name in scorers},
        "real_time_factor": {name: round(median[name] / audio, 5) for name in scorers},
    }


def _tensorflow(logits: tf.Tensor, lengths: tf.Tensor, width: int) -> tuple[tf.Tensor, tf.Tensor]:
    paths, scores = tf.nn.ctc_beam_search_decoder(tf.transpose(logits, (1, 0, 2)), lengths, width, top_paths=1)
    return tf.sparse.to_dense(paths[0], default_value=-1), scores


if __name__ == "__main__":
    main()
