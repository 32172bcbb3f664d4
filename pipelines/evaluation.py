"""Scores with their uncertainty: bootstrap intervals over examples, and aggregates over seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

Metrics = Callable[[np.ndarray], Mapping[str, np.ndarray]]


@dataclass(frozen=True)
class Scores:
    """What one set of predictions is worth.

    Attributes:
        metrics: name to value; fractions as fractions, BLEU and chrF on sacrebleu's scale.
        confidence: name to the 95 % interval of that metric.
        counts: name to whatever else was counted (errors, illegal sequences, ...).
    """

    metrics: dict[str, float]
    confidence: dict[str, tuple[float, float]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


def bootstrap(
    statistics: np.ndarray, metrics: Metrics, seed: int = 0, resamples: int = 1000
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Computes metrics and their 95 % percentile intervals over resampled examples.

    Most sequence metrics (F1, error rates, BLEU) are functions of sums over examples; drawing examples with
    replacement then amounts to multinomial counts times the per-example statistics, one matrix product.

    Args:
        statistics: `(examples, k)`. What each example adds to the sums.
        metrics: maps sums `(r, k)` to a value `(r,)` for each metric name.
        seed: of the resampling.
        resamples: how many samples of the same size are drawn.

    Returns:
        The metrics on all examples, and for each the 2.5 % and 97.5 % percentiles.

    Raises:
        ValueError: if there are no examples.

    Example:
        >>> import numpy as np
        >>> right = np.array([[1.0, 1.0], [0.0, 1.0], [1.0, 1.0], [1.0, 1.0]])
        >>> values, intervals = bootstrap(right, lambda sums: {"accuracy": sums[:, 0] / sums[:, 1]})
        >>> values["accuracy"], intervals["accuracy"]
        (0.75, (0.25, 1.0))

    References:
        Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993, section 13.3.
    """
    count = len(statistics)
    if count == 0:
        raise ValueError("statistics must hold at least one example, got none")
    statistics = np.asarray(statistics, dtype=np.float64)
    values = {name: float(value[0]) for name, value in metrics(statistics.sum(axis=0, keepdims=True)).items()}
    draws = np.random.default_rng(seed).multinomial(count, np.full(count, 1.0 / count), size=resamples)
    samples = metrics(draws.astype(np.float64) @ statistics)
    intervals = {}
    for name, sample in samples.items():
        low, high = np.percentile(sample, [2.5, 97.5])
        intervals[name] = (float(low), float(high))
    return values, intervals


def aggregate(metrics_of_seeds: Sequence[Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Summarises each metric over seeds as `{"mean", "sd", "min", "max"}`; `sd` is the sample standard deviation.

    Example:
        >>> aggregate([{"f1": 0.5}, {"f1": 0.75}])["f1"]["mean"]
        0.625
    """
    summary = {}
    for name in metrics_of_seeds[0]:
        values = [float(metrics[name]) for metrics in metrics_of_seeds if name in metrics]
        mean = math.fsum(values) / len(values)
        variance = math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1) if len(values) > 1 else 0.0
        summary[name] = {"mean": mean, "sd": math.sqrt(variance), "min": min(values), "max": max(values)}
    return summary
