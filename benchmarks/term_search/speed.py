"""How long a search takes: an index of vectors beside dynamic time warping, and how both kinds of index grow.

    python benchmarks/term_search/speed.py RUN_DIR --output benchmarks/term_search

`RUN_DIR` is a finished run of spoken term search. Its queries are searched one by one in its archive: by warping their
cepstra against all terms (compiled code on all cores), by looking their vectors up, and by looking them up from the
samples on: features, encoding and look-up. The three take turns, and the median over the queries counts.

The large indexes hold vectors that no recording has: each is one of the archive's, drawn at random, plus noise with the
covariance that vectors of one word have around their mean, at unit length. Queries are drawn in the same way.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from seqloom.pipelines.environment import processor
from seqloom.pipelines.run import Run
from seqloom.pipelines.run_directory import write_json, write_whole
from seqloom.pipelines.spoken_term_search.archive.vectors import VectorIndex
from seqloom.pipelines.spoken_term_search.searching import embed
from seqloom.pipelines.spoken_term_search.timing import TOP, milliseconds

SIZES = (10_000, 100_000, 1_000_000)
QUERIES = 200  # of a large index


def main() -> None:
    """Measures, prints one JSON object, and writes and draws it if a folder is given."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run_dir", type=Path, help="a finished run of spoken term search")
    parser.add_argument("--queries", type=int, default=40, help="that are searched in the run's archive (default 40)")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="of the large indexes, in vectors")
    parser.add_argument("--output", type=Path, help="folder for speed.json and speed.png; nothing is written without")
    arguments = parser.parse_args()

    run = Run.open(arguments.run_dir)
    pipeline, splits = run.pipeline, run.splits
    test = splits.split("test")
    archive = pipeline.archive(splits, {term.name: pipeline.request(term) for term in test})  # type: ignore[attr-defined]
    queries = test[:: max(1, len(test) // arguments.queries)][: arguments.queries]
    samples = [pipeline.request(term)["waveform"] for term in archive]
    embed(run, samples[:64])  # the first call builds the graph
    started = time.perf_counter()
    vectors = embed(run, samples)
    encoding = time.perf_counter() - started
    heard = sum(map(len, samples)) / run.config.sampling_rate  # type: ignore[attr-defined]
    result: dict[str, Any] = {
        "processor": processor(),
        "cores": os.cpu_count(),
        "run": run.config.dataset,
        "archive": len(archive),
        "dimension": vectors.shape[1],
        "hours_encoded_an_hour": round(heard / encoding),
        "milliseconds_a_query": of_the_archive(run, archive, queries, vectors),
    }
    times = result["milliseconds_a_query"]
    result["warping_to_look_up"] = round(times["warping"] / times["look_up"])
    result["warping_to_search_from_samples"] = round(times["warping"] / times["from_samples"], 1)
    labels = np.array([term.label or str(place) for place, term in enumerate(archive)])
    result["growth"] = [row for size in arguments.sizes for row in of_many(size, vectors, labels)]
    print(json.dumps(result, indent=2))
    if arguments.output:
        write_json(arguments.output / "speed.json", result)
        write_whole(arguments.output / "speed.png", lambda path: draw(result, path))


def of_the_archive(run: Run, archive: Sequence[Any], queries: Sequence[Any], vectors: np.ndarray) -> dict[str, float]:
    """The median milliseconds of a query: warping, look-up, and everything from the samples on."""
    pipeline: Any = run.pipeline
    sounds = [pipeline.request(term)["waveform"] for term in queries]
    cepstra, known = (pipeline.cepstra(terms) for terms in (queries, archive))
    times = milliseconds(sounds, cepstra, vectors, known, lambda samples: embed(run, [samples])[0])
    return {way: round(float(np.median([each[way] for each in times])), 3) for way in times[0]}


def of_many(size: int, vectors: np.ndarray, labels: np.ndarray) -> list[dict[str, Any]]:
    """Both kinds of index of that many vectors."""
    draw = np.random.default_rng(size)
    residuals = np.concatenate(
        [vectors[labels == label] - vectors[labels == label].mean(axis=0) for label in set(labels)]
    )
    covariance = np.cov(residuals, rowvar=False)
    many, asked = (drawn(count, vectors, covariance, draw) for count in (size, QUERIES))
    rows, truth = [], np.empty(0)
    for kind in ("exact", "approximate"):
        before, started = resident(), time.perf_counter()
        index = VectorIndex(many, kind)  # type: ignore[arg-type]
        built, memory = time.perf_counter() - started, resident() - before
        found, times = [], []
        for query in asked:
            started = time.perf_counter()
            found.append(index.search(query[np.newaxis], TOP)[1][0])
            times.append(1000 * (time.perf_counter() - started))
        truth = np.array(found) if kind == "exact" else truth
        recall = np.mean([len(set(a) & set(b)) / TOP for a, b in zip(found, truth, strict=True)])
        with tempfile.TemporaryDirectory() as folder:
            index.save(Path(folder) / "index")
            on_disk = (Path(folder) / "index").stat().st_size
        del index  # before the memory of the next one is measured
        rows.append(
            {
                "vectors": size,
                "kind": kind,
                "seconds_to_build": round(built, 2),
                "milliseconds_a_query": round(float(np.median(times)), 3),
                "recall_at_10": round(float(recall), 4),
                "megabytes_in_memory": round(memory / 1e6, 1),
                "megabytes_on_disk": round(on_disk / 1e6, 1),
            }
        )
    return rows


def resident() -> int:
    """Bytes of memory that the process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def drawn(count: int, vectors: np.ndarray, covariance: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """Vectors as those of further recordings of the archive's words may be, float32 `(count, d)`, at unit length."""
    values, directions = np.linalg.eigh(covariance)
    scales = (directions * np.sqrt(np.maximum(values, 0))).astype(np.float32)
    found = vectors[draw.integers(len(vectors), size=count)]
    found = found + draw.standard_normal((count, len(scales)), np.float32) @ scales.T
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def draw(result: dict[str, Any], path: Path) -> None:
    """Draws the time of a query over the number of vectors."""
    import matplotlib
    from matplotlib.figure import Figure

    style = {"font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
    with matplotlib.rc_context({**style, "axes.grid": True, "grid.color": "#ddd", "legend.frameon": False}):
        figure = Figure(figsize=(6, 3.4), layout="constrained")
        axes = figure.subplots()
        for kind, color, marker in (("exact", "#1f77b4", "o"), ("approximate", "#d55e00", "s")):
            rows = [row for row in result["growth"] if row["kind"] == kind]
            sizes, times = [row["vectors"] for row in rows], [row["milliseconds_a_query"] for row in rows]
            axes.plot(sizes, times, color=color, marker=marker, label=f"{kind} index")
        times = result["milliseconds_a_query"]
        axes.plot(result["archive"], times["warping"], "k^", label="dynamic time warping")
        axes.plot(result["archive"], times["from_samples"], "kx", label="exact index, from samples on")
        axes.set(xscale="log", yscale="log", xlabel="vectors", ylabel="milliseconds a query")
        axes.legend()
        figure.savefig(path, dpi=160, format="png")


if __name__ == "__main__":
    main()
