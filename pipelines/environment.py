"""What a run ran on, and what `seqloom doctor` shows."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any

from .._version import __version__

_PACKAGES = ("tensorflow", "keras", "numpy", "tensorflow-datasets", "librosa", "scikit-learn", "sacrebleu", "jiwer")


def describe_environment() -> dict[str, Any]:
    """Versions, machine and devices, ready for JSON."""
    import tensorflow as tf

    return {
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seqloom": __version__,
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gib": memory_gib(),
        "devices": [device.name for device in tf.config.list_logical_devices()],
    }


def processor() -> str:
    """The processor's name as the system tells it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n"):
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"


def processor_features() -> list[str]:
    """The vector instructions that decide how fast TensorFlow computes here."""
    wanted = ("sse4_2", "avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16")
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:
        return []
    return [name for name in wanted if name in flags]


def memory_gib() -> float | None:
    """Memory of the machine in GiB."""
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1)
    except (ValueError, OSError):
        return None


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
