"""What all tests share: two logical CPU devices, a cache of their own, and runs that are trained once."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from commands import NO_DROPOUT, SMALL, Commands, Processes, tiny


def pytest_configure(config: pytest.Config) -> None:
    """Splits the CPU before TensorFlow starts, so that a mirrored strategy can be tested without a GPU.

    A shell that runs the tests in the background lets them ignore Ctrl-C; processes that tests interrupt must not
    inherit that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)

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


@pytest.fixture(scope="module", autouse=True)
def forgotten_graphs() -> Iterator[None]:
    """Lets go of the graphs that a file of tests has traced.

    TensorFlow registers a gradient for each use of `tf.custom_gradient` in a graph, and with it keeps the graph for as
    long as the process lives: some hundred thousand objects a minute, which Python's garbage collector visits.
    """
    from tensorflow.python.framework import ops

    yield
    registry = ops.gradient_registry._registry
    for name in [name for name in registry if name.startswith("CustomGradient-")]:
        del registry[name]
    gc.collect()


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with the real corpora."""
    return Path(os.environ["SEQLOOM_DATA_DIR"])


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of slot filling on the sample; tests read it and do not change it."""
    return _finished(tmp_path_factory, "slot_filling", "--limit", "400")


@pytest.fixture(scope="session")
def sentiment_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of sentiment on the sample; tests read it and do not change it."""
    return _finished(tmp_path_factory, "sentiment", "--epochs", "6", "--set", "ratios=true")


@pytest.fixture(scope="session")
def tree_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of tree sentiment on the sample; tests read it and do not change it."""
    return _finished(tmp_path_factory, "tree_sentiment", "--epochs", "6")


@pytest.fixture(scope="session")
def speech_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of speech recognition on the sample; tests read it and do not change it."""
    tuned = ("--set", "language_model_weight=null", "--set", "word_bonus=null")
    return _finished(tmp_path_factory, "speech_recognition", "--epochs", "30", "--limit", "400", *tuned)


@pytest.fixture(scope="session")
def translation_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of translation on the sample; tests read it and do not change it."""
    return _finished(tmp_path_factory, "translation", "--epochs", "12")


@pytest.fixture(scope="session")
def terms_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of spoken term search on the sample; tests read it and do not change it."""
    return _finished(tmp_path_factory, "spoken_term_search", "--epochs", "20")


def _finished(tmp_path_factory: pytest.TempPathFactory, task: str, *arguments: str) -> Path:
    """Trained by the process that needs it first; the other one waits for it."""
    from seqloom.pipelines.cli import main

    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "runs" / task
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if not (folder / "finished").exists():
            run = ["run", task, "--config", str(tiny(task)), "--run_dir", str(folder / "tiny"), *arguments]
            assert main(run) == 0
            (folder / "finished").touch()
    return folder / "tiny"


@pytest.fixture(scope="session")
def one_device_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short training on one device without dropout; tests read it and do not change it."""
    from commands import train

    return train(tmp_path_factory.mktemp("runs") / "one_device", *SMALL, *NO_DROPOUT)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Commands:
    """Runs a command in the test process: `command("list", "slot_filling")`."""
    return Commands(capsys)


@pytest.fixture
def start() -> Iterator[Processes]:
    """Starts a command as a real process: `start("train", "slot_filling")`."""
    processes = Processes()
    yield processes
    processes.end()
