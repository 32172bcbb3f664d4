"""How many sentences a second the export of a translation run translates, greedily and by beam search.

    python benchmarks/translation_decoding.py RUN_DIR

The sentences are those of the run's test split, sorted by length as `predict` sorts them. Both searches take turns,
one sentence at a time and in batches; printed are the medians over the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf

from seqloom.pipelines.environment import processor
from seqloom.pipelines.inference import answer_all, load_signatures
from seqloom.pipelines.run import Run


def main() -> None:
    """Measures and prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run_dir", type=Path, help="a finished run of translation")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each search; the median counts (default 5)")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 64], help="sentences in one call")
    parser.add_argument("--sentences", type=int, default=320, help="of the test split (default 320)")
    arguments = parser.parse_args()

    run = Run.open(arguments.run_dir)
    signatures, server = load_signatures(run.directory.saved_model), run.pipeline.server_class
    requests = [run.pipeline.request(example) for example in run.splits.split("test")[: arguments.sentences]]
    rows = []
    for batch in arguments.batches:
        some = requests if batch > 1 else requests[:: max(1, len(requests) // 64)]
        seconds: dict[str, list[float]] = {"greedy": [], "beam": []}
        for round_ in range(arguments.rounds + 1):
            for search, times in seconds.items():
                started = time.perf_counter()
                answer_all(signatures[search], some, server.others[search], batch)
                if round_:  # the first turn warms up
                    times.append(time.perf_counter() - started)
        rate = {search: round(len(some) / float(np.median(times)), 1) for search, times in seconds.items()}
        rows.append({"batch": batch, "sentences": len(some), "sentences_a_second": rate})
    result = {
        "processor": processor(),
        "cores": os.cpu_count(),
        "tensorflow": tf.__version__,
        "run": run.config.dataset,
        "units": run.config.units,
        "beam_width": run.directory.tuned().get("beam_width", run.config.beam_width),
        "rounds": arguments.rounds,
        "searches": rows,
    }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
