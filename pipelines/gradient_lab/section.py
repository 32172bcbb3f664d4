"""What a section of the laboratory is: one claim, a computation, its figures, one number."""

from __future__ import annotations

import abc
from pathlib import Path
from typing import Any

from ..study import Block, StudySection
from .config import Config


class Section(StudySection[Config]):
    """One section; a file below `sections/` holds one subclass, whose `name` is the name of the file.

    Attributes:
        name: what its folder in the run is called, such as `lag_norms`.
        title: its heading in the report.
        claim: one or two plain sentences: what the figures show.
    """

    @abc.abstractmethod
    def compute(self, config: Config, folder: Path) -> dict[str, Any]:
        """The results: plain values for JSON, and numpy arrays at the top level.

        They are stored whole once they are there, and read back before anything is drawn: tuples become lists, keys
        strings. Random numbers come from `config.seed` alone, so that a section gives the same in any order. What takes
        long says how it goes with `logging.getLogger(__name__).info`.

        Args:
            config: the effective settings.
            folder: empty at first and the section's own; what it keeps there survives an interruption, and is deleted
                once the results are stored.
        """

    @abc.abstractmethod
    def render(self, results: dict[str, Any]) -> list[Block]:
        """Figures, tables and prose (`reporting.page.prose`) below the claim, from the results alone."""

    @abc.abstractmethod
    def metric(self, results: dict[str, Any]) -> tuple[str, float]:
        """The section's number in `metrics.json`, under a name of its own."""
