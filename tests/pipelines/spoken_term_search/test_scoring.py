"""The metrics of a search, against scikit-learn and pairs one by one."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from seqloom.datasets.audio import Waveform
from seqloom.datasets.spoken_term import SpokenTerm
from seqloom.pipelines.spoken_term_search.ranking import average_precision_of
from seqloom.pipelines.spoken_term_search.retrieval import HITS, with_search
from seqloom.pipelines.spoken_term_search.scoring import score

RNG = np.random.default_rng(0)
SOUND = Waveform(np.zeros(10, np.float32), 8000)
WORDS, SPEAKERS = ("go", "left", "stop"), ("ann", "bob", "eve")


def unit(rows: int) -> np.ndarray:
    vectors = RNG.normal(size=(rows, 4))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def archive() -> list[SpokenTerm]:
    return [
        SpokenTerm(f"{word}-{speaker}-{i}", SOUND, word, speaker)
        for word, speaker, i in itertools.product(WORDS, SPEAKERS, range(4))
    ]


def rows() -> list[dict[str, Any]]:
    vectors = unit(9)
    return [
        {"name": f"q{i}", "label": WORDS[i % 3], "speaker": SPEAKERS[i // 3], "error": "", "embedding": vector.tolist()}
        for i, vector in enumerate(vectors)
    ]


def searched() -> tuple[list[dict[str, Any]], list[SpokenTerm], np.ndarray]:
    queries, terms = rows(), archive()
    ours, theirs = np.array([row["embedding"] for row in queries]), unit(len(terms))
    scores = ours @ theirs.T
    return with_search(queries, terms, scores, 1.0 - ours @ ours.T), terms, scores


def test_rankings_are_of_other_speakers() -> None:
    queries, terms, scores = searched()
    found = score(queries, resamples=0).metrics
    expected, precision = [], []
    for row, of_row in zip(queries, scores, strict=True):
        others = [place for place, term in enumerate(terms) if term.speaker != row["speaker"]]
        same = np.array([terms[place].label == row["label"] for place in others])
        expected.append(average_precision_score(same, of_row[others]))
        best = np.argsort(-of_row[others])[:10]
        precision.append(same[best].mean())
        assert [hit["name"] for hit in row["hits"]] == [terms[others[place]].name for place in best[:HITS]]
        assert row["candidates"] == 24
        assert row["candidates_of_all"] == 36
        everything = average_precision_score([term.label == row["label"] for term in terms], of_row)
        ranks = np.array(row["ranks_of_all"])
        assert (np.arange(1, len(ranks) + 1) / ranks).mean() == pytest.approx(everything)
    assert found["mean_average_precision"] == pytest.approx(np.mean(expected))
    assert found["precision_at_10"] == pytest.approx(np.mean(precision))


def test_same_or_different_is_over_all_pairs_of_queries() -> None:
    queries = rows()
    same, across, distances = [], [], []
    for one, other in itertools.combinations(queries, 2):
        same.append(one["label"] == other["label"])
        across.append(one["speaker"] != other["speaker"])
        distances.append(1 - np.dot(one["embedding"], other["embedding"]))
    same, across, distances = np.array(same), np.array(across), np.array(distances)
    found = score(queries, resamples=0).metrics
    assert found["average_precision"] == pytest.approx(average_precision_score(same, -distances))
    expected = average_precision_score(same[across], -distances[across])
    assert found["average_precision_across_speakers"] == pytest.approx(expected)


def test_distances_say_what_vectors_say() -> None:
    by_distances = [{name: value for name, value in row.items() if name != "embedding"} for row in searched()[0]]
    metrics = score(by_distances, resamples=0).metrics
    by_vectors = score(rows_of(by_distances), resamples=0).metrics
    for name in ("average_precision", "average_precision_across_speakers"):
        assert metrics[name] == pytest.approx(by_vectors[name], abs=0.02)


def rows_of(queries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same queries with vectors that have those distances: of the Gram matrix."""
    gram = np.eye(len(queries))
    for i, row in enumerate(queries):
        for j, distance in enumerate(row["distances"]):
            gram[i, j] = gram[j, i] = 1 - distance
    values, directions = np.linalg.eigh(gram)
    vectors = directions * np.sqrt(np.maximum(values, 0))
    kept = ("name", "label", "speaker", "error")
    return [
        {**{name: row[name] for name in kept}, "embedding": v.tolist()} for row, v in zip(queries, vectors, strict=True)
    ]


def test_intervals_hold_the_values() -> None:
    scores = score([{**row, "restoration_error": 0.5 + 0.01 * i} for i, row in enumerate(searched()[0])], resamples=200)
    assert set(scores.confidence) == set(scores.metrics)
    assert scores.metrics["restoration_error"] == pytest.approx(0.54)
    for name, (low, high) in scores.confidence.items():
        assert low < high
        if not name.startswith("average_precision"):  # a term drawn twice is near to itself: that interval is shifted
            assert low <= scores.metrics[name] <= high


def test_what_cannot_be_scored_is_counted_and_left_out() -> None:
    queries = searched()[0]
    whole = score(queries, resamples=0).metrics["mean_average_precision"]
    first = average_precision_of(np.array(queries[0]["ranks"]))
    queries[0] |= {"error": "the recording is silent", "restoration_error": 0.0}
    unanswered = score(queries, resamples=0).metrics["mean_average_precision"]
    ranked = sum(bool(row["ranks"]) for row in queries)
    assert unanswered == pytest.approx(whole - first / ranked), "what has no answer has found nothing"
    queries[1] |= {"label": None, "ranks": []}
    queries[2] |= {"ranks": []}
    scores = score(queries, resamples=0)
    assert scores.counts == {"errors": 1, "queries_without_label": 1, "queries_with_nothing_to_find": 1}
    assert "restoration_error" not in scores.metrics
    assert score([{**row, "label": None, "ranks": []} for row in queries], 0).metrics == {}
