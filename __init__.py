"""seqloom: sequence tasks end to end on Keras 3 and TensorFlow.

>>> import seqloom  # imports nothing heavy
>>> seqloom.__version__.count(".")
2
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .pipelines.run import Run

__all__ = ["__version__", "load", "run"]


def load(run_dir: str | Path) -> Run:
    """Opens a trained run.

    Args:
        run_dir: its folder; of a run of several seeds the seed that is best on valid is taken.

    Returns:
        A run whose `predict([...])` answers with the exported model, one dictionary for each input.

    Raises:
        UserError: if there is no run, or if it is one of a study, which has no model.
    """
    from .pipelines.run import Run

    opened = Run.open(run_dir)
    opened.entry.require_task("load")
    return opened


def run(task: str, run_dir: str | Path | None = None, **settings: Any) -> dict[str, Any] | None:
    """Trains, exports, evaluates and reports, as `seqloom run` does.

    Args:
        task: a registered name, such as `"slot_filling"`.
        run_dir: where to write; `runs/TASK/DATASET` if not given.
        **settings: any setting of the task, such as `dataset="atis"` or `epochs=3`.

    Returns:
        The content of `metrics.json`.
    """
    from .pipelines.running import run as run_task

    return run_task(task, settings, run_dir=Path(run_dir) if run_dir else None)
