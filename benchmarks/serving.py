"""How fast the export of a run answers: latency of single requests, and throughput in batches.

    python benchmarks/serving.py RUN_DIR

Requests are the test examples of the run (valid where there is no test), answered in this process by the
`serving_default` signature of the SavedModel, as TensorFlow Serving would call it.
"""

from __future__ import annotations

import argparse
import json
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from seqloom.pipelines.environment import processor
from seqloom.pipelines.inference import stack
from seqloom.pipelines.run import Run

ROUNDS = 5


def main() -> None:
    """Measures and prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run_dir")
    parser.add_argument("--requests", type=int, default=500, help="how many different requests (default 500)")
    arguments = parser.parse_args()

    run = Run.open(arguments.run_dir)
    examples = (run.splits.test or run.splits.valid)[: arguments.requests]
    requests = [run.pipeline.request(example) for example in examples]
    answer = run.signatures["serving_default"]

    singles = [stack([request]) for request in requests]
    for request in singles[:50]:
        answer(**request)
    milliseconds = []
    for request in singles:
        started = time.perf_counter()
        answer(**request)
        milliseconds.append(1000 * (time.perf_counter() - started))
    result = {
        "processor": processor(),
        "cores": os.cpu_count(),
        "requests": len(requests),
        "latency_ms": {f"p{q}": round(float(np.percentile(milliseconds, q)), 2) for q in (50, 90, 99)},
        "requests_per_second": {size: round(_throughput(answer, requests, size)) for size in (1, 16, 64, 256)},
    }
    print(json.dumps(result, indent=2))


def _throughput(answer, requests, size: int) -> float:
    """Requests a second in batches of similar length, the median of several rounds."""
    ordered = sorted(requests, key=lambda request: sum(len(value) for value in request.values()))
    batches = [stack(ordered[start : start + size]) for start in range(0, len(ordered), size)]
    answer(**batches[0])
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for batch in batches:
            answer(**batch)
        seconds.append(time.perf_counter() - started)
    return len(requests) / float(np.median(seconds))


if __name__ == "__main__":
    main()
