"""The gradient laboratory as a study."""

from __future__ import annotations

from ..study import Study
from .sections.backpropagation import Backpropagation
from .sections.benchmark_tasks import BenchmarkTasks
from .sections.depth import Depth
from .sections.error_surface import ErrorSurface
from .sections.lag_norms import LagNorms
from .sections.linear_unit import LinearUnit
from .sections.reservoir import Reservoir
from .sections.saturation import Saturation

SECTIONS = (
    LinearUnit(),
    ErrorSurface(),
    Saturation(),
    LagNorms(),
    BenchmarkTasks(),
    Backpropagation(),
    Reservoir(),
    Depth(),
)


class GradientLab(Study):
    """Measures gradients in recurrent networks, from one linear unit to deep ones."""

    title = "Gradient laboratory"
    summary = (
        "Why gradients vanish and explode in recurrent networks, how to see it, and what helps; all of it measured."
    )
    sections = SECTIONS
