"""What a run says of the machine that it ran on."""

import datetime
import json
import os
import platform
from importlib.metadata import version

import tensorflow as tf

import seqloom
from seqloom.pipelines.environment import describe_environment, memory_gib, processor, processor_features


def test_the_description_is_json_and_true():
    described = json.loads(json.dumps(describe_environment()))
    assert described["seqloom"] == seqloom.__version__
    assert described["python"] == platform.python_version()
    assert described["tensorflow"] == version("tensorflow") == tf.__version__
    assert described["keras"] == version("keras")
    assert described["cores"] == os.cpu_count()
    assert described["devices"] == [device.name for device in tf.config.list_logical_devices()]
    started = datetime.datetime.fromisoformat(described["started"])
    assert abs(datetime.datetime.now(datetime.UTC) - started) < datetime.timedelta(minutes=1)


def test_a_package_that_is_not_there_is_said_to_be_missing():
    from seqloom.pipelines.environment import _version

    assert _version("no-such-package-anywhere") == "not installed"


def test_the_processor_has_a_name_and_the_machine_has_memory():
    assert processor().strip()
    assert memory_gib() > 0.1
    assert set(processor_features()) <= {
        "sse4_2", "avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16",
    }  # fmt: skip
