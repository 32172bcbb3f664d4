"""The tiny run of the laboratory, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqloom.pipelines.cli import main

TINY = Path(__file__).parents[3] / "pipelines" / "gradient_lab" / "configs" / "tiny.yaml"


@pytest.fixture(scope="session")
def lab_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the laboratory; tests read it and do not change it."""
    folder = tmp_path_factory.mktemp("runs") / "gradient_lab"
    assert main(["run", "gradient-lab", "--config", str(TINY), "--run_dir", str(folder)]) == 0
    return folder
