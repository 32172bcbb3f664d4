"""The Mackey-Glass series: a chaotic flow with a delay, the usual test of a reservoir."""

from __future__ import annotations

import numpy as np

DELAY = 17.0  # tau; chaotic from about 16.8 on
STEP = 0.1  # of the integration; a sample is taken every ten of them
_PER_SAMPLE = round(1 / STEP)
_DISCARDED = 300  # samples until the flow has forgotten how it began


def mackey_glass(samples: int, seed: int) -> np.ndarray:
    """Integrates `dx/dt = 0.2 x(t - tau) / (1 + x(t - tau)^10) - 0.1 x(t)`, sampled at each unit of time.

    By the Runge-Kutta method of fourth order with a step of 0.1; the delayed value in the middle of a step is
    interpolated by a cubic through its four neighbours. `tau` is 17 (Mackey and Glass, 1977; Jaeger and Haas, 2004).

    Args:
        samples: how many to return.
        seed: of the constant, in [1.1, 1.3), which `x` was before it began.

    Returns:
        float64 `(samples,)`.

    Example:
        >>> series = mackey_glass(1000, seed=0)
        >>> bool(0.4 < series.min() < 0.5), bool(1.2 < series.max() < 1.4)
        (True, True)
    """
    delay = round(DELAY / STEP)
    steps = (_DISCARDED + samples) * _PER_SAMPLE
    x = [float(np.random.default_rng(seed).uniform(1.1, 1.3))] * (delay + 2)
    for _ in range(steps):
        early, now, late, later = x[-delay - 2], x[-delay - 1], x[-delay], x[-delay + 1]
        x.append(_next(x[-1], now, (9 * (now + late) - early - later) / 16, late))
    return np.array(x[-samples * _PER_SAMPLE :: _PER_SAMPLE])


def _next(x: float, delayed: float, delayed_middle: float, delayed_end: float) -> float:
    k1 = _slope(x, delayed)
    k2 = _slope(x + STEP / 2 * k1, delayed_middle)
    k3 = _slope(x + STEP / 2 * k2, delayed_middle)
    k4 = _slope(x + STEP * k3, delayed_end)
    return x + STEP / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def _slope(x: float, delayed: float) -> float:
    return 0.2 * delayed / (1 + delayed**10) - 0.1 * x
