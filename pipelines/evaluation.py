"""Scores with their uncertainty: bootstrap intervals over examples, and aggregates over seeds."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

# Words of a metric's name that say that it counts errors.
_ERRORS = frozenset(("wer", "cer", "ser", "ter", "ece", "error", "loss", "perplexity"))

# Words of a metric's name that say that it only describes.
_DESCRIPTIONS = frozenset(("ratio", "share"))

RESAMPLES = 1000  # of a bootstrap

Metrics = Callable[[np.ndarray], Mapping[str, np.ndarray]]

# How many counts the bootstrap holds in memory at a time: 16 MB of them, and as much again as floats.
_DRAWS_AT_A_TIME = 2_000_000


@dataclass(frozen=True)
class Scores:
    """What one set of predictions is worth.

    Attributes:
        metrics: name to value; fractions as fractions, BLEU and chrF on sacrebleu's scale.
        confidence: name to the 95 % interval of that metric.
        counts: name to whatever else was counted (errors, illegal sequences, ...).
        notes: name of a metric to how it was computed, where that has to be said with the figure.
    """

    metrics: dict[str, float]
    confidence: dict[str, tuple[float, float]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


def lower_is_better(name: str) -> bool:
    """Whether a metric of this name measures errors.

    Example:
        >>> lower_is_better("wer_beam"), lower_is_better("slot_f1")
        (True, False)
    """
    return not _ERRORS.isdisjoint(name.lower().split("_"))


def is_description(name: str) -> bool:
    """Whether more of a metric of this name is neither better nor worse.

    Example:
        >>> is_description("length_ratio"), is_description("bleu")
        (True, False)
    """
    return not _DESCRIPTIONS.isdisjoint(name.lower().split("_"))


def is_better(name: str, value: float, than: float | None) -> bool:
    """Whether a value of that metric is better than another one, or the first."""
    return than is None or (value < than if lower_is_better(name) else value > than)


def bootstrap(
    statistics: np.ndarray, metrics: Metrics, seed: int = 0, resamples: int = RESAMPLES
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Computes metrics and their 95 % percentile intervals over resampled examples.

    Most sequence metrics (F1, error rates, BLEU) are functions of sums over examples; drawing examples with
    replacement then amounts to multinomial counts times the per-example statistics, one matrix product.

    Args:
        statistics: `(examples, k)`. What each example adds to the sums.
        metrics: maps sums `(r, k)` to a value `(r,)` for each metric name.
        seed: of the resampling.
        resamples: how many samples of the same size are drawn; without any there are no intervals.

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
    if resamples == 0:
        return values, {}
    intervals = {}
    for name, sample in metrics(_resampled_sums(statistics, np.random.default_rng(seed), resamples)).items():
        low, high = np.percentile(sample, [2.5, 97.5])
        intervals[name] = (float(low), float(high))
    return values, intervals


def _resampled_sums(statistics: np.ndarray, rng: np.random.Generator, resamples: int) -> np.ndarray:
    """The sums `(resamples, k)`; the generator draws row after row, so the size of the parts changes no number."""
    count = len(statistics)
    shares = np.full(count, 1.0 / count)
    rows = max(1, _DRAWS_AT_A_TIME // count)
    parts = (min(rows, resamples - start) for start in range(0, resamples, rows))
    return np.concatenate([rng.multinomial(count, shares, size=part).astype(np.float64) @ statistics for part in parts])


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
