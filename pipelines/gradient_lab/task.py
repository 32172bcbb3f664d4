"""The gradient laboratory as a study."""

from __future__ import annotations

from ..study import Study
from .sections.backpropagation import Backpropagation
from .sections.error_surface import ErrorSurface
from .sections.linear_unit import LinearUnit
from .sections.saturation import Saturation

SECTIONS = (
    LinearUnit(),
    ErrorSurface(),
    Saturation(),
    Backpropagation(),
)


class GradientLab(Study):
    """Measures gradients in recurrent networks, from one linear unit to deep ones."""

    title = "Gradient laboratory"
    summary = (
        "Why gradients vanish and explode in recurrent networks, how to see it, and what helps; all of it measured."
    )
    sections = SECTIONS
