"""Target symbols a second in training of seqloom and of Joey NMT, at equal sizes, on the same pairs.

    python benchmarks/translation_training.py --data_dir CORPORA --joey_python PYTHON

Both train the same network on the same pairs of `cmn_eng`: a bidirectional GRU over words that occur at least twice, a
GRU over Chinese characters with additive attention and input feeding, dropout, label smoothing, Adam, batches of 64.
Each turn is a process of its own that trains two epochs; the second one counts, as the program itself times it, its
validation left out. The two take turns, and the median over the rounds is what is printed.

Joey NMT 2.3.0 asks for a protobuf that TensorFlow's excludes, so that it needs an environment of its own:

    python -m venv joey && joey/bin/pip install torch joeynmt==2.3.0 importlib_metadata "setuptools<81"

Without `--joey_python`, or where it does not run with that torch, its rate is the one that was measured earlier, and
the output says so.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import yaml

from seqloom.pipelines.config import load_config
from seqloom.pipelines.corpora import evenly_spread, load_splits
from seqloom.pipelines.environment import processor
from seqloom.pipelines.registry import find_task
from seqloom.pipelines.translation.config import Config
from seqloom.pipelines.translation.reading import source_words
from seqloom.pipelines.translation.writing import target_symbols

REFERENCE = (2_200, 2_900)  # what Joey NMT reached on two cores of the same kind, measured earlier
SIZE, DROPOUT, SMOOTHING, BATCH = 256, 0.3, 0.1, 64
_JOEY_EPOCH = re.compile(r"Epoch\s+(\d+), total training loss: .* num\. of tokens: (\d+), ([0-9.]+)\[sec\]")

Pairs = Sequence[tuple[str, str]]  # words joined by spaces, and the Chinese


def main() -> None:
    """Measures and prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data_dir", help="folder that holds the corpora; SEQLOOM_DATA_DIR if not given")
    parser.add_argument("--joey_python", help="interpreter of an environment with joeynmt==2.3.0")
    parser.add_argument("--sentences", type=int, default=12_800, help="of train (default 12800)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (default 3)")
    arguments = parser.parse_args()

    entry = find_task("translation")
    config = load_config(entry, Config, settings={"dataset": "cmn_eng", "data_dir": arguments.data_dir})
    splits = load_splits(entry, config)
    train = tokenized(evenly_spread(splits.train, arguments.sentences), config)
    valid = tokenized(evenly_spread(splits.valid, BATCH), config)
    symbols = sum(len(row) + 1 for row in target_symbols([target for _, target in train], config))  # and the end

    rates: dict[str, list[float]] = {"seqloom": []} | ({"joey_nmt": []} if arguments.joey_python else {})
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_data(folder, train, valid)
        failure = ""
        for turn in range(arguments.rounds):
            rates["seqloom"].append(symbols / seqloom_seconds(folder, folder / f"seqloom_{turn}"))
            if arguments.joey_python and not failure:
                tokens, seconds, failure = joey_epoch(arguments.joey_python, folder, folder / f"joey_{turn}")
                if not failure:
                    rates["joey_nmt"].append(tokens / seconds)
    medians = {name: float(np.median(values)) for name, values in rates.items() if values}
    result: dict[str, Any] = {
        "processor": processor(),
        "cores": os.cpu_count(),
        "pairs": len(train),
        "target_symbols": symbols,
        "target_symbols_a_second": {name: round(value) for name, value in medians.items()},
        "turns": {name: [round(value) for value in values] for name, values in rates.items()},
    }
    if "joey_nmt" in medians:
        result["ratio"] = round(medians["seqloom"] / medians["joey_nmt"], 2)
    else:
        result["joey_nmt"] = f"not run here{f': {failure}' if failure else ''}; measured earlier"
        result["joey_nmt_measured_earlier"] = REFERENCE
        result["ratio_to_measured_earlier"] = [round(medians["seqloom"] / each, 2) for each in reversed(REFERENCE)]
    print(json.dumps(result, indent=2))


def tokenized(sentences: Sequence[Any], config: Config) -> Pairs:
    """The pairs, their sources split as seqloom splits them, so that a program that splits at spaces reads the same."""
    words = source_words([sentence.source for sentence in sentences], config)
    return [
        (" ".join(row), target) for row, sentence in zip(words, sentences, strict=True) for target in sentence.targets
    ]


def write_data(folder: Path, train: Pairs, valid: Pairs) -> None:
    """Both programs' files: a table for each split in `pairs`, and a file for each side of a split in `sides`."""
    for name in ("pairs", "sides"):
        (folder / name).mkdir()
    for split, pairs in (("train", train), ("valid", valid)):
        for name, lines in (
            (f"pairs/{split}.tsv", [f"{source}\t{target}" for source, target in pairs]),
            (f"sides/{split}.en", [source for source, _ in pairs]),
            (f"sides/{split}.zh", [target for _, target in pairs]),
        ):
            (folder / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def seqloom_seconds(folder: Path, run_dir: Path) -> float:
    """What the second epoch takes."""
    settings = {
        "source_level": "word",
        "min_count": 2,
        "target_level": "character",
        "encoder": "gru",
        "bidirectional": True,
        "num_layers": 1,
        "decoder_layers": 1,
        "embedding_dim": SIZE,
        "units": SIZE,
        "access": "attention",
        "attention": "additive",
        "input_feeding": True,
        "ending": "end_symbol",
        "dropout": DROPOUT,
        "output_dropout": DROPOUT,
        "label_smoothing": SMOOTHING,
        "tied_embeddings": False,
        "epochs": 2,
        "batch_size": BATCH,
        "learning_rate": 0.001,
    }
    command = [sys.executable, "-m", "seqloom", "train", "translation", "--dataset", str(folder / "pairs")]
    command += ["--run_dir", str(run_dir)]
    for name, value in settings.items():
        command += ["--set", f"{name}={json.dumps(value) if isinstance(value, bool) else value}"]
    finished = subprocess.run(command, check=False, capture_output=True, text=True)
    if finished.returncode:
        raise SystemExit(f"seqloom did not train: {finished.stderr.strip().splitlines()[-1]}")
    with (run_dir / "history.csv").open(encoding="utf-8") as file:
        return float(list(csv.DictReader(file))[1]["seconds"])


def joey_epoch(python: str, folder: Path, model_dir: Path) -> tuple[int, float, str]:
    """Target tokens and seconds of the second epoch; in words why it did not run."""
    recurrent = {"type": "recurrent", "rnn_type": "gru", "hidden_size": SIZE, "num_layers": 1, "dropout": DROPOUT}
    embeddings = {"embedding_dim": SIZE, "dropout": DROPOUT}
    decoder = {"attention": "bahdanau", "input_feeding": True, "init_hidden": "bridge", "hidden_dropout": DROPOUT}
    training = {
        "optimizer": "adam",
        "learning_rate": 0.001,
        "label_smoothing": SMOOTHING,
        "loss": "crossentropy",
        "batch_size": BATCH,
        "batch_type": "sentence",
        "epochs": 2,
        "logging_freq": 100,
        "validation_freq": 1_000_000,
        "scheduling": "exponential",
        "decrease_factor": 1.0,
        "early_stopping_metric": "loss",
        "overwrite": True,
        "shuffle": True,
    }
    config = {
        "name": "benchmark",
        "model_dir": str(model_dir),
        "use_cuda": False,
        "random_seed": 0,
        "data": {
            "train": str(folder / "sides" / "train"),
            "dev": str(folder / "sides" / "valid"),
            "dataset_type": "plain",
            "src": {"lang": "en", "level": "word", "lowercase": True, "voc_min_freq": 2, "max_length": 100},
            "trg": {"lang": "zh", "level": "char", "lowercase": False, "voc_min_freq": 1, "max_length": 200},
        },
        "model": {
            "initializer": "xavier_uniform",
            "embed_initializer": "normal",
            "tied_embeddings": False,
            "tied_softmax": False,
            "encoder": {**recurrent, "bidirectional": True, "embeddings": embeddings},
            "decoder": {**recurrent, **decoder, "embeddings": embeddings},
        },
        "training": training,
        "testing": {"beam_size": 1, "batch_size": BATCH, "eval_metrics": ["bleu"]},
    }
    path = folder / "joey.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    command = [python, "-m", "joeynmt", "train", str(path), "--skip-test"]
    finished = subprocess.run(command, check=False, capture_output=True, text=True)
    log = model_dir / "train.log"
    epochs = _JOEY_EPOCH.findall(log.read_text(encoding="utf-8")) if log.is_file() else []
    for epoch, tokens, seconds in epochs:
        if int(epoch) == 2:
            return int(tokens), float(seconds), ""
    last = (finished.stderr.strip() or finished.stdout.strip() or "no output").splitlines()[-1]
    return 0, 0.0, f"Joey NMT did not train ({last})"


if __name__ == "__main__":
    main()
