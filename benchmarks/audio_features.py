"""How fast audio becomes features: librosa in one process and in two, and the layer in the graph.

    python benchmarks/audio_features.py [--data_dir CORPORA]

The recordings of FSDD (8 kHz) and of the sample of TIMIT (16 kHz), or noise of the same lengths where there are none,
lie in memory. Training reads what librosa computes, recording by recording; an export computes the same in the graph,
in batches of similar length, padded to the longest. All take turns, and their features are compared before the clock
starts. What two processes need to start, which counts once a corpus, is timed apart.
"""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["OPENBLAS_NUM_THREADS"] = "1"  # as `pipelines/process_pool.py` has it; TensorFlow has threads of its own

import argparse
import json
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np

from seqloom.datasets.audio import AudioFile
from seqloom.pipelines.audio import extract_features, waveform
from seqloom.pipelines.audio_config import AudioConfig
from seqloom.pipelines.environment import processor
from seqloom.pipelines.process_pool import spread

CORPORA = {"fsdd": ("fsdd/recordings/*.wav", 8000, 0.44), "timit_sample": ("timit_sample/*/*.wav", 16_000, 3.1)}
BATCHES = (1, 16, 64)
TOLERANCE = 1e-3  # natural logarithms
TOGETHER = 16  # recordings that a process is given at once

Recordings = list[np.ndarray]
Features = list[np.ndarray]


def main() -> None:
    """Measures and prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", default=os.environ.get("SEQLOOM_DATA_DIR"), help="folder that holds the corpora")
    parser.add_argument("--recordings", type=int, default=640, help="of each corpus at most (default 640)")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each contender (default 7)")
    arguments = parser.parse_args()

    result = {"processor": processor(), "cores": os.cpu_count(), "rounds": arguments.rounds, "start_s": started()}
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool:
        for name, (pattern, rate, seconds) in CORPORA.items():
            recordings = read(arguments.data_dir, pattern, rate, arguments.recordings)
            source = name if recordings else "noise"
            recordings = recordings or made(arguments.recordings, seconds, rate)
            result[name] = {"source": source, **measured(recordings, rate, pool, arguments.rounds)}
    print(json.dumps(result, indent=2))


def started() -> float:
    """Seconds until two new processes have extracted something."""
    begun = time.perf_counter()
    extract = partial(extract_features, config=AudioConfig())
    list(spread(extract, [np.zeros(16_000, np.float32)] * 2, processes=2))
    return round(time.perf_counter() - begun, 2)


def read(data_dir: str | None, pattern: str, rate: int, count: int) -> Recordings:
    """Recordings of a corpus, evenly spread over its files."""
    paths = sorted(Path(data_dir).glob(pattern)) if data_dir else []
    step = max(1, len(paths) // count)
    return [waveform(AudioFile(path), rate) for path in paths[::step][:count]]


def made(count: int, seconds: float, rate: int) -> Recordings:
    """Noise of about as many seconds each."""
    rng = np.random.default_rng(0)
    lengths = (rate * seconds * rng.uniform(0.5, 1.5, count)).astype(int)
    return [rng.uniform(-1, 1, length).astype(np.float32) for length in lengths]


def measured(recordings: Recordings, rate: int, pool: ProcessPoolExecutor, rounds: int) -> dict:
    """Seconds of audio that each contender turns into features in a second, the median over the rounds."""
    config = AudioConfig(sampling_rate=rate)
    seconds = sum(len(each) for each in recordings) / rate
    contenders: dict[str, Callable[[], Features]] = {
        "librosa, 1 process": partial(one_process, recordings, config),
        "librosa, 2 processes": partial(two_processes, recordings, config, pool),
        **{f"in the graph, batches of {size}": in_graph(recordings, rate, size) for size in BATCHES},
    }
    expected, *others = (contender() for contender in contenders.values())
    difference = max(
        float(np.abs(one - other).max()) for features in others for one, other in zip(expected, features, strict=True)
    )
    assert difference < TOLERANCE, f"features differ by {difference}"
    speeds: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, contender in contenders.items():
            begun = time.perf_counter()
            contender()
            speeds[name].append(seconds / (time.perf_counter() - begun))
    return {
        "sampling_rate": rate,
        "recordings": len(recordings),
        "audio_s": round(seconds, 1),
        "largest_difference": difference,
        "audio_seconds_per_second": {name: round(float(np.median(values))) for name, values in speeds.items()},
        "times_librosa_in_1_process": {
            name: round(float(np.median(np.divide(values, speeds["librosa, 1 process"]))), 2)
            for name, values in speeds.items()
        },
    }


def one_process(recordings: Recordings, config: AudioConfig) -> Features:
    """librosa, recording by recording."""
    return [extract_features(samples, config) for samples in recordings]


def two_processes(recordings: Recordings, config: AudioConfig, pool: ProcessPoolExecutor) -> Features:
    """librosa in processes that run already; what goes there and back is counted."""
    groups = [recordings[start : start + TOGETHER] for start in range(0, len(recordings), TOGETHER)]
    parts = pool.map(one_process, groups, [config] * len(groups))
    return [features for part in parts for features in part]


def in_graph(recordings: Recordings, rate: int, size: int) -> Callable[[], Features]:
    """The layer, on batches that lie padded in memory."""
    import tensorflow as tf  # not above: the processes of the pool import this file

    from seqloom.layers import AudioFeatures

    layer = AudioFeatures(rate)
    signature = [tf.TensorSpec([None, None]), tf.TensorSpec([None], tf.int32)]
    extract = tf.function(lambda samples, lengths: layer(samples, lengths=lengths), input_signature=signature)
    order = sorted(range(len(recordings)), key=lambda row: len(recordings[row]))
    batches = []
    for start in range(0, len(order), size):
        rows = order[start : start + size]
        lengths = np.array([len(recordings[row]) for row in rows], np.int32)
        padded = np.stack([np.pad(recordings[row], (0, lengths.max() - len(recordings[row]))) for row in rows])
        batches.append((rows, lengths // layer.hop_length + 1, tf.constant(padded), tf.constant(lengths)))

    def run() -> Features:
        features: Features = [np.empty(0)] * len(recordings)
        for rows, frames, samples, lengths in batches:
            for row, count, values in zip(rows, frames, extract(samples, lengths).numpy(), strict=True):
                features[row] = values[:count]
        return features

    return run


if __name__ == "__main__":
    main()
