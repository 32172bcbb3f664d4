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
import soundfile
from commands import write_corpus

from seqloom.datasets import spoken_words
from seqloom.pipelines.inference import stack
from seqloom.pipelines.registry import TASKS
from seqloom.pipelines.run import Run

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
    export, batches = json.loads(line)
    signature = tf.saved_model.load(export).signatures["serving_default"]
    inputs = signature.structured_input_signature[1]
    answers = [
        signature(**{name: tf.constant(values, inputs[name].dtype) for name, values in batch.items()})
        for batch in batches
    ]
    plain = [{name: value.numpy().tolist() for name, value in answer.items()} for answer in answers]
    print(json.dumps(plain, default=bytes.decode))
"""

# For each task some arguments of `predict`: one, a longer one, an error, another alphabet (or another sound).
INPUTS = {
    "slot_filling": ["fly to boston", "please show me the cheapest hotels in new york", "", "🛫"],
    "sentiment": ["not bad", "a film that is not half as bad as they say, but long", "", "🛫"],
    "tree_sentiment": ["((not) (bad))", "((It) (('s) ((not) ((very) (good)))))", "not bad", "(🛫)"],
    "speech_recognition": ["short.wav", "long.wav", "silence.wav", "noise.wav"],
    "spoken_term_search": ["short.wav", "long.wav", "silence.wav", "noise.wav"],
    "translation": ["She has three cats.", "Are you reading the two books that he bought?", "", "2 🛫 cats"],
}


def write_recordings(folder: Path) -> None:
    """The recordings of `INPUTS`."""
    spoken = [example.sound for example in spoken_words.generate(seed=1, train=8, valid=1, test=1).train]
    short, long = (choose(spoken, key=lambda sound: len(sound.samples)).samples for choose in (min, max))
    noise = np.random.default_rng(0).normal(scale=0.1, size=9000)
    for name, samples in (("short", short), ("long", long), ("silence", np.zeros(5000)), ("noise", noise)):
        soundfile.write(folder / f"{name}.wav", samples, spoken[0].rate)


def test_the_exports_answer_where_there_is_no_seqloom(
    tiny_run: Path,
    sentiment_run: Path,
    tree_run: Path,
    speech_run: Path,
    terms_run: Path,
    translation_run: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With TensorFlow alone; an input is answered alone as in a batch, and as `predict` answers it."""
    blocked = elsewhere(None, tmp_path, "-c", "import sys; sys.modules['seqloom'] = None; import seqloom", check=False)
    assert "ModuleNotFoundError" in blocked.stderr
    write_recordings(tmp_path)
    monkeypatch.chdir(tmp_path)
    folders = {
        "slot_filling": tiny_run,
        "sentiment": sentiment_run,
        "tree_sentiment": tree_run,
        "speech_recognition": speech_run,
        "spoken_term_search": terms_run,
        "translation": translation_run,
    }
    assert set(folders) == set(INPUTS) == {name for name, entry in TASKS.items() if not entry.study}
    runs = {task: Run.open(folder) for task, folder in folders.items()}
    lines = []
    for task, run in runs.items():
        requests = [run.pipeline.request_from_argument(argument) for argument in INPUTS[task]]
        body = json.loads((run.directory.export / "request_example.json").read_text(encoding="utf-8"))
        batches = [listed(requests), *(listed([each]) for each in requests), columns(body["instances"])]
        lines.append(json.dumps([str(run.directory.saved_model), batches]) + "\n")
    finished = elsewhere(None, tmp_path, "-c", SERVE, given="".join(lines))
    assert "unsaved custom gradients" not in finished.stderr
    for (task, run), line in zip(runs.items(), finished.stdout.strip().split("\n")[-len(runs) :], strict=True):
        together, *alone, example = json.loads(line)
        assert example["error"] == [""], task
        for row, expected in enumerate(run.predict(INPUTS[task])):
            assert bool(expected["error"]) == (row == 2), task
            for answer, index in ((together, row), (alone[row], 0)):
                for name, value in expected.items():
                    same_value(answer[name][index], value)


def listed(requests: list[Any]) -> dict[str, Any]:
    """A batch as a client writes it: padded lists."""
    return {name: values.numpy().tolist() for name, values in stack(requests).items()} | {
        name: [request[name] for request in requests] for name in requests[0] if isinstance(requests[0][name], str)
    }


def columns(instances: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: [instance[name] for instance in instances] for name in instances[0]}


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
