"""The wheel, installed away from the checkout, and exports where there is no seqloom at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import write_corpus

from seqloom.pipelines.registry import TASKS

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the wheel of this checkout is installed."""
    folder = tmp_path_factory.mktemp("package")
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    source = folder / "source"  # setuptools leaves `build/` and an egg-info where it builds
    names = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True)
    for name in names.stdout.splitlines():
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    isolation = ["--no-build-isolation"] if _has_setuptools() else []
    subprocess.run([*pip, "wheel", source, "--no-deps", *isolation, "--wheel-dir", folder], check=True)
    (wheel,) = folder.glob("seqloom-*.whl")
    subprocess.run([*pip, "install", wheel, "--no-deps", "--target", folder / "site"], check=True)
    return folder / "site"


def _has_setuptools() -> bool:
    script = "import setuptools; assert int(setuptools.__version__.split('.')[0]) >= 77"
    return subprocess.run([sys.executable, "-c", script], stderr=subprocess.DEVNULL).returncode == 0


def elsewhere(
    site: Path | None, cwd: Path, *arguments: str, check: bool = True, given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Runs Python in another folder, with the installed wheel, or without any seqloom; `given` is its input."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if site is not None:
        environment["PYTHONPATH"] = str(site)
    finished = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment, input=given, capture_output=True, text=True, timeout=300
    )
    assert not check or finished.returncode == 0, finished.stderr
    return finished


def test_the_wheel_works_away_from_the_checkout(site: Path, tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "mine", splits=("train", "valid", "test"))
    where = elsewhere(site, tmp_path, "-c", "import seqloom; print(seqloom.__file__)").stdout.strip()
    assert Path(where) == site / "seqloom" / "__init__.py"
    tiny = site / "seqloom" / "pipelines" / "slot_filling" / "configs" / "tiny.yaml"
    flags = ("--config", str(tiny), "--epochs", "1", "--dataset", str(corpus), "--run_dir", "mine.run")
    finished = elsewhere(site, tmp_path, "-W", "error:::seqloom", "-m", "seqloom", "run", "slot_filling", *flags)
    assert "Slot F1" in finished.stdout
    assert (tmp_path / "mine.run" / "metrics.json").is_file()
    answer = elsewhere(site, tmp_path, "-m", "seqloom", "predict", "mine.run", "fly to boston").stdout
    assert json.loads(answer)["tokens"] == ["fly", "to", "boston"]


def test_the_wheel_holds_the_package_and_no_test(site: Path) -> None:
    names = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.suffix not in (".pyc", "")}
    assert "seqloom/pipelines/reporting/templates/report.html.j2" in names
    assert "seqloom/pipelines/slot_filling/configs/atis.yaml" in names
    assert "seqloom/pipelines/slot_filling/README.md" in names
    assert not [name for name in names if name.startswith(("seqloom/tests", "seqloom/benchmarks")) or "test_" in name]


def test_the_command_is_installed(site: Path, tmp_path: Path) -> None:
    finished = subprocess.run(
        [sys.executable, site / "bin" / "seqloom", "--version"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
    )
    assert finished.stdout.startswith("seqloom ")


SERVE = """
import json, sys
sys.modules["seqloom"] = None          # whoever imports it fails
import tensorflow as tf
for line in sys.stdin:
    export, name, batches = json.loads(line)
    signature = tf.saved_model.load(export).signatures["serving_default"]
    answers = [signature(**{name: tf.constant(batch)}) for batch in batches]
    plain = [{name: value.numpy().tolist() for name, value in answer.items()} for answer in answers]
    print(json.dumps(plain, default=bytes.decode))
"""

# For each task the name of its input, and some of them: one, a longer one, an error, another alphabet.
INPUTS = {
    "slot_filling": ("text", ["fly to boston", "please show me the cheapest hotels in new york", "", "🛫"]),
    "sentiment": ("text", ["not bad", "a film that is not half as bad as they say, but long", "", "🛫"]),
    "tree_sentiment": ("tree", ["((not) (bad))", "((It) (('s) ((not) ((very) (good)))))", "not bad", "(🛫)"]),
}


def test_the_exports_answer_where_there_is_no_seqloom(
    tiny_run: Path, sentiment_run: Path, tree_run: Path, tmp_path: Path
) -> None:
    """With TensorFlow alone; an input is answered alone as in a batch, and as `predict` answers it."""
    import seqloom

    blocked = elsewhere(None, tmp_path, "-c", "import sys; sys.modules['seqloom'] = None; import seqloom", check=False)
    assert "ModuleNotFoundError" in blocked.stderr
    runs = {"slot_filling": tiny_run, "sentiment": sentiment_run, "tree_sentiment": tree_run}
    assert set(runs) == set(INPUTS) == {name for name, entry in TASKS.items() if not entry.study}
    lines = []
    for task, run_dir in runs.items():
        name, inputs = INPUTS[task]
        (example,) = json.loads((run_dir / "export" / "request_example.json").read_text(encoding="utf-8"))["instances"]
        batches = [inputs, *([each] for each in inputs), [example[name]]]
        lines.append(json.dumps([str(run_dir / "export" / "1"), name, batches]) + "\n")
    finished = elsewhere(None, tmp_path, "-c", SERVE, given="".join(lines))
    for (task, run_dir), line in zip(runs.items(), finished.stdout.strip().split("\n")[-len(runs) :], strict=True):
        together, *alone, example = json.loads(line)
        assert example["error"] == [""], task
        inputs = INPUTS[task][1]
        for row, expected in enumerate(seqloom.load(run_dir).predict(inputs)):
            assert bool(expected["error"]) == (row == 2), task
            for answer, index in ((together, row), (alone[row], 0)):
                for name, value in expected.items():
                    same_value(answer[name][index], value)


def same_value(answer: Any, expected: Any) -> None:
    """Whether an output is an expected one, and padding after it."""
    if isinstance(expected, list):
        for each, value in zip(answer, expected, strict=False):
            same_value(each, value)
        assert len(answer) >= len(expected)
        assert not np.any(np.array(answer[len(expected) :], dtype=object).astype(bool))
    elif isinstance(expected, float):
        assert answer == pytest.approx(expected, abs=1e-4)
    else:
        assert answer == expected
