"""What all tests share: two logical CPU devices, a cache of their own, and runs that are trained once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

TINY = Path(__file__).parent.parent / "pipelines" / "slot_filling" / "configs" / "tiny.yaml"


def pytest_configure(config: pytest.Config) -> None:
    """Splits the CPU before TensorFlow starts, so that a mirrored strategy can be tested without a GPU."""
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips tests on real corpora where there are none."""
    if item.get_closest_marker("real_data") and not os.environ.get("SEQLOOM_DATA_DIR"):
        pytest.skip("SEQLOOM_DATA_DIR is not set: the real corpora are not here")


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder for this session alone."""
    folder = tmp_path_factory.mktemp("cache")
    os.environ["SEQLOOM_CACHE_DIR"] = str(folder)
    return folder


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with the real corpora."""
    return Path(os.environ["SEQLOOM_DATA_DIR"])


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of slot filling on the sample; tests read it and do not change it."""
    from seqloom.pipelines.cli import main

    folder = tmp_path_factory.mktemp("runs") / "tiny"
    assert main(["run", "slot_filling", "--config", str(TINY), "--run_dir", str(folder), "--limit", "400"]) == 0
    return folder
