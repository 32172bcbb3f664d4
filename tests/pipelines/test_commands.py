"""Every command on the tiny run, through the command line's own entry function."""

from __future__ import annotations

import importlib.metadata
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tensorflow as tf
from commands import NO_DROPOUT, SMALL, TINY, Commands, best_weights, history, read, write_corpus

FIELDS = [
    *("task", "dataset", "split", "seed", "examples", "metrics", "confidence", "baselines", "counts", "seconds"),
    *("parameters", "epochs"),
]
METRICS = ["slot_precision", "slot_recall", "slot_f1", "intent_accuracy", "sentence_accuracy"]
OUTPUTS = [
    *("tokens", "tags", "span_types", "span_starts", "span_ends", "span_values", "intent", "intent_probability"),
    "error",
]


@pytest.fixture
def own_run(tiny_run: Path, tmp_path: Path) -> Path:
    """A copy of the tiny run that a test may change."""
    return Path(shutil.copytree(tiny_run, tmp_path / "own"))


class TestHelp:
    def test_version(self, command: Commands) -> None:
        assert command("--version").out == f"seqloom {importlib.metadata.version('seqloom')}\n"

    @pytest.mark.parametrize("arguments", [["--help"], ["-h"], []])
    def test_help_names_every_command(self, command: Commands, arguments: list[str]) -> None:
        outcome = command(*arguments)
        assert outcome.status == 0
        for name in ("list", "run", "train", "evaluate", "predict", "export", "report", "launch", "doctor"):
            assert f"\n  {name} " in outcome.out

    def test_run_and_train_have_the_same_flags(self, command: Commands) -> None:
        flags = {line.split()[0] for line in command("run", "--help").out.split("\n") if line.startswith("  --")}
        assert flags == {
            line.split()[0] for line in command("train", "--help").out.split("\n") if line.startswith("  --")
        }
        wanted = (
            "dataset data_dir run_dir config set seed seeds epochs batch_size learning_rate limit init_from fresh "
            "strategy mixed_precision"
        )
        assert {f"--{name}" for name in wanted.split()} <= {flag.rstrip(",") for flag in flags}

    def test_help_is_quick_and_light(self) -> None:
        """Under half a second in a process of its own, and without anything heavy."""
        seconds = []
        for _ in range(3):
            started = time.perf_counter()
            subprocess.run([sys.executable, "-m", "seqloom", "--help"], check=True, stdout=subprocess.DEVNULL)
            seconds.append(time.perf_counter() - started)
        assert min(seconds) < 0.5
        script = (
            "import sys; from seqloom.pipelines.cli import main; main(['--help']); "
            "print(sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
        )
        finished = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
        heavy = {"tensorflow", "keras", "numpy", "pydantic", "sklearn", "librosa", "matplotlib", "yaml", "jinja2"}
        assert not heavy & set(json.loads(finished.stderr.replace("'", '"')))


class TestList:
    def test_tasks(self, command: Commands) -> None:
        assert "slot_filling" in command("list").out

    @pytest.mark.parametrize("name", ["slot_filling", "slot-filling"])
    def test_a_task_shows_its_data_sets_and_settings(self, command: Commands, name: str) -> None:
        shown = command("list", name).out
        assert "data sets: sample, atis, or a folder of your own" in shown
        for setting in ("units", "learning_rate", "clipping", "embeddings", "head"):
            assert f"\n{setting} " in shown

    def test_a_data_set_is_counted(self, command: Commands) -> None:
        shown = command("list", "slot_filling", "--dataset", "sample").out
        assert counts(shown) == {"train": 2000, "valid": 300, "test": 500}

    def test_a_folder_is_counted(self, command: Commands, tmp_path: Path) -> None:
        folder = write_corpus(tmp_path / "mine", splits=("train", "test"))
        outcome = command("list", "slot-filling", "--dataset", folder)
        assert outcome.status == 0
        assert counts(outcome.out) == {"train": 12, "test": 12}

    def test_the_first_bad_line_of_a_folder_is_named(self, command: Commands, tmp_path: Path) -> None:
        folder = write_corpus(tmp_path / "mine")
        path = folder / "train" / "seq.out"
        path.write_text(path.read_text(encoding="utf-8").replace("B-city", "city", 1), encoding="utf-8")
        command("list", "slot_filling", "--dataset", folder).refused(f"{path}, line 1: tag 4 must be", "got 'city'")

    def test_a_data_set_needs_a_task(self, command: Commands) -> None:
        command("list", "--dataset", "sample").refused("--dataset needs a task")


def counts(shown: str) -> dict[str, int]:
    """The lines `SPLIT NUMBER`."""
    lines = [line.split() for line in shown.split("\n")]
    return {line[0]: int(line[1]) for line in lines if len(line) == 2 and line[0] in ("train", "valid", "test")}


def test_doctor_shows_versions_devices_and_folders(command: Commands, cache: Path) -> None:
    shown = command("doctor").out
    assert tf.__version__ in shown
    assert "CPU" in shown
    assert str(cache) in shown.replace("\n", "").replace(" ", "")


class TestRunDirectory:
    def test_it_holds_what_the_design_says(self, tiny_run: Path) -> None:
        names = {path.name for path in tiny_run.iterdir()}
        assert names == {
            *("config.yaml", "environment.json", "train.log", "history.csv", "preprocessor", "checkpoints", "logs"),
            *("export", "predictions.jsonl", "report.html", "metrics.json"),
        }
        assert (tiny_run / "export" / "1" / "saved_model.pb").is_file()
        assert {path.name for path in (tiny_run / "logs").iterdir()} == {"train", "validation"}
        kept = sorted(path.name for path in (tiny_run / "checkpoints").iterdir())
        assert kept == [
            "best.keras",
            "finished.json",
            *(f"state-0000{n}.{kind}" for n in (2, 3) for kind in ("json", "npz")),
        ]
        assert not list(tiny_run.rglob(".*")), "temporary files were left"

    def test_metrics_have_the_documented_fields(self, tiny_run: Path) -> None:
        metrics = read(tiny_run / "metrics.json")
        assert list(metrics) == FIELDS
        assert (metrics["task"], metrics["dataset"], metrics["split"]) == ("slot_filling", "sample", "test")
        assert (metrics["seed"], metrics["examples"], metrics["epochs"]) == (0, 500, 3)
        assert list(metrics["metrics"]) == METRICS
        for name, value in metrics["metrics"].items():
            low, high = metrics["confidence"][name]
            assert 0 <= low <= value <= high <= 1
        assert set(metrics["seconds"]) == {"prepare", "train", "export", "evaluate"}
        assert all(seconds > 0 for seconds in metrics["seconds"].values())
        assert len(metrics["baselines"]) == 2
        assert all(set(baseline) == set(METRICS) for baseline in metrics["baselines"].values())
        assert metrics["parameters"] == sum(
            weight.size
            for name, weight in best_weights(tiny_run).items()
            if "seed" not in name and "mean_loss" not in name
        )

    def test_metrics_are_written_last(self, tiny_run: Path) -> None:
        times = {path: path.stat().st_mtime_ns for path in tiny_run.rglob("*") if path.is_file()}
        assert max(times, key=times.__getitem__) == tiny_run / "metrics.json"

    def test_the_settings_are_those_that_were_given(self, tiny_run: Path) -> None:
        config = read(tiny_run / "config.yaml")
        assert (config["task"], config["limit"], config["units"], config["dataset"]) == (
            "slot_filling",
            400,
            16,
            "sample",
        )

    def test_the_environment_is_described(self, tiny_run: Path) -> None:
        assert read(tiny_run / "environment.json")["tensorflow"] == tf.__version__

    def test_the_log_says_data_device_size_and_place_first(self, tiny_run: Path) -> None:
        lines = [line.split(" ", 2)[2] for line in (tiny_run / "train.log").read_text(encoding="utf-8").split("\n")[:5]]
        parameters = read(tiny_run / "metrics.json")["parameters"]
        assert lines[0] == f"run directory {tiny_run}"
        assert lines[1] == "data set sample: 400 train, 300 valid, 500 test"
        assert lines[2] == "  training examples left out by limit: 1600"
        assert lines[3] == f"one CPU, {parameters:,} parameters"
        assert lines[4].startswith("epoch 1/3  loss ")

    def test_predictions_are_one_line_an_example(self, tiny_run: Path) -> None:
        rows = [json.loads(line) for line in (tiny_run / "predictions.jsonl").read_text(encoding="utf-8").splitlines()]
        assert len(rows) == 500
        right = sum(row["gold"]["intent"] == row["predicted"]["intent"] for row in rows)
        assert right / 500 == pytest.approx(read(tiny_run / "metrics.json")["metrics"]["intent_accuracy"])

    def test_the_report_needs_no_network(self, tiny_run: Path) -> None:
        page = (tiny_run / "report.html").read_text(encoding="utf-8")
        assert page.rstrip().endswith("</html>")
        assert not re.findall(
            r"""<link(?! rel="icon" href="data:)|@import|<script[^>]* src|src=["']http|url\(["']?http""", page
        )


class TestTrainThenRun:
    def test_run_does_the_rest_of_a_training(self, one_device_run: Path, command: Commands, tmp_path: Path) -> None:
        run_dir = Path(shutil.copytree(one_device_run, tmp_path / "run"))
        assert not (run_dir / "metrics.json").exists()
        assert not (run_dir / "export").exists()
        rows = history(run_dir)
        same = (*SMALL, *NO_DROPOUT, "--run-dir", run_dir)
        outcome = command("run", "slot-filling", *same)
        assert outcome.status == 0
        assert "already trained" in outcome.err
        assert history(run_dir) == rows
        assert "Slot F1" in outcome.out
        assert read(run_dir / "metrics.json")["epochs"] == 2
        command("run", "slot_filling", *same).refused("holds a finished run", "--fresh")

    def test_training_again_does_nothing(self, one_device_run: Path, command: Commands) -> None:
        before = {path: path.read_bytes() for path in (one_device_run / "checkpoints").iterdir()}
        outcome = command("train", "slot_filling", *SMALL, *NO_DROPOUT, "--run_dir", one_device_run)
        assert outcome.status == 0
        assert "already trained" in outcome.err
        assert before == {path: path.read_bytes() for path in (one_device_run / "checkpoints").iterdir()}

    def test_fresh_overwrites_a_finished_run_and_nothing_else(self, own_run: Path, command: Commands) -> None:
        (own_run / "notes.txt").write_text("mine", encoding="utf-8")
        flags = ("--config", TINY, "--limit", 20, "--epochs", 1, "--fresh", "--run_dir", own_run)
        assert command("train", "slot_filling", *flags).status == 0
        assert len(history(own_run)) == 1
        assert not (own_run / "metrics.json").exists()
        assert not (own_run / "export").exists()
        assert (own_run / "notes.txt").read_text(encoding="utf-8") == "mine"

    def test_dashes_and_underscores_are_the_same_in_flags(self, command: Commands, tmp_path: Path) -> None:
        folders = []
        for number, (a, b) in enumerate((("--batch-size", "--learning-rate"), ("--batch_size", "--learning_rate"))):
            folder = tmp_path / str(number)
            flags = (a, 8, b, 0.5, "--set", "num-layers=2" if number else "num_layers=2", "--set", "max-tokens=0")
            command("train", "slot_filling", *flags, "--run_dir", folder).refused("max_tokens must")
            folders.append(folder.exists())
        assert folders == [False, False]


class TestEvaluate:
    def test_the_own_test_split_is_scored_anew(self, own_run: Path, tiny_run: Path, command: Commands) -> None:
        before = read(own_run / "metrics.json")
        for name in ("metrics.json", "predictions.jsonl", "report.html"):
            (own_run / name).unlink()
        outcome = command("evaluate", own_run)
        assert outcome.status == 0
        after = read(own_run / "metrics.json")
        assert list(after) == FIELDS
        kept = [name for name in FIELDS if name != "seconds"]
        assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
        assert (own_run / "predictions.jsonl").read_bytes() == (tiny_run / "predictions.jsonl").read_bytes()
        assert (own_run / "report.html").is_file()
        assert not (own_run / "evaluations").exists()

    def test_another_split_is_kept_apart(self, own_run: Path, command: Commands) -> None:
        before = (own_run / "metrics.json").read_bytes()
        assert command("evaluate", own_run, "--split", "valid").status == 0
        folder = own_run / "evaluations" / "sample-valid"
        metrics = read(folder / "metrics.json")
        assert (metrics["split"], metrics["examples"]) == ("valid", 300)
        assert metrics["metrics"]["sentence_accuracy"] == pytest.approx(
            max(float(row["val_sentence_accuracy"]) for row in history(own_run))
        )
        assert {path.name for path in folder.iterdir()} == {"metrics.json", "predictions.jsonl", "report.html"}
        assert (own_run / "metrics.json").read_bytes() == before

    def test_other_data_is_kept_apart(self, own_run: Path, command: Commands, tmp_path: Path) -> None:
        corpus = write_corpus(tmp_path / "flights", splits=("train", "test"))
        before = (own_run / "metrics.json").read_bytes()
        assert command("evaluate", own_run, "--dataset", corpus).status == 0
        metrics = read(own_run / "evaluations" / "flights-test" / "metrics.json")
        assert (metrics["dataset"], metrics["split"], metrics["examples"]) == ("flights", "test", 12)
        assert (own_run / "metrics.json").read_bytes() == before

    def test_a_folder_needs_only_the_split_that_is_scored(
        self, own_run: Path, command: Commands, tmp_path: Path
    ) -> None:
        corpus = write_corpus(tmp_path / "flights", splits=("test",))
        outcome = command("evaluate", own_run, "--dataset", corpus)
        assert outcome.status == 0, outcome.err
        folder = own_run / "evaluations" / "flights-test"
        assert read(folder / "metrics.json")["examples"] == 12

    def test_baselines_are_those_of_the_split_that_is_scored(self, own_run: Path, command: Commands) -> None:
        assert command("evaluate", own_run, "--split", "valid").status == 0
        on_valid = read(own_run / "evaluations" / "sample-valid" / "metrics.json")["baselines"]
        assert on_valid.keys() == read(own_run / "metrics.json")["baselines"].keys()
        assert on_valid != read(own_run / "metrics.json")["baselines"]

    def test_the_report_says_how_to_run_it_again_whoever_wrote_it(self, own_run: Path, command: Commands) -> None:
        for arguments in (("evaluate", own_run), ("report", own_run)):
            assert command(*arguments).status == 0
            page = re.sub(r"</?span[^>]*>", "", (own_run / "report.html").read_text(encoding="utf-8"))
            assert "seqloom run slot_filling --dataset sample --seed 0" in page
            assert "--set units=16" in page
            assert "--set limit=400" in page

    def test_data_without_test_cannot_be_scored_there(self, own_run: Path, command: Commands, tmp_path: Path) -> None:
        before = {path: path.read_bytes() for path in own_run.rglob("*") if path.is_file()}
        corpus = write_corpus(tmp_path / "flights")
        command("evaluate", own_run, "--dataset", corpus).refused("flights", "test is missing, expected a folder with")
        assert before == {path: path.read_bytes() for path in own_run.rglob("*") if path.is_file()}


class TestPredict:
    def test_arguments(self, tiny_run: Path, command: Commands) -> None:
        outcome = command("predict", tiny_run, "fly to boston", "show me  hotels in denver")
        assert outcome.status == 0
        answers = [json.loads(line) for line in outcome.out.splitlines()]
        assert [answer["tokens"] for answer in answers] == [
            ["fly", "to", "boston"],
            ["show", "me", "hotels", "in", "denver"],
        ]
        for answer in answers:
            assert list(answer) == OUTPUTS
            assert len(answer["tags"]) == len(answer["tokens"])
            assert len(answer["span_types"]) == len(answer["span_starts"]) == len(answer["span_values"])

    def test_lines_of_standard_input_keep_their_order(
        self, tiny_run: Path, command: Commands, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lines = [" ".join(["fly"] * (1 + number * 7 % 11)) + f" to gate {number}" for number in range(150)]
        monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines)))
        outcome = command("predict", tiny_run)
        assert outcome.status == 0
        assert [" ".join(json.loads(line)["tokens"]) for line in outcome.out.splitlines()] == lines

    def test_what_cannot_be_read_is_answered_and_told_at_the_end(self, tiny_run: Path, command: Commands) -> None:
        inputs = ["fly to boston", "", "a" + " b" * 10_000, "\x00\x07 \x1b[0m", "🛫 to 東京", "fly to denver"]
        outcome = command("predict", tiny_run, *inputs)
        assert outcome.status == 2
        answers = [json.loads(line) for line in outcome.out.splitlines()]
        assert len(answers) == len(inputs)
        assert [bool(answer["error"]) for answer in answers][:3] == [False, True, True]
        assert answers[4]["tokens"] == ["🛫", "to", "東京"]
        assert answers[0] == json.loads(command("predict", tiny_run, "fly to boston").out)
        assert not answers[5]["error"]

    def test_bytes_that_are_no_utf_8_are_answered(
        self, tiny_run: Path, command: Commands, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"fly to z\xfcrich\nfly\r\n"), encoding="ascii"))
        lines = command("predict", tiny_run).out.splitlines()
        assert [json.loads(line)["tokens"] for line in lines] == [["fly", "to", "z\ufffdrich"], ["fly"]]
        (line,) = command("predict", tiny_run, os.fsdecode(b"fly to z\xfcrich")).out.splitlines()
        alone, first = json.loads(line), json.loads(lines[0])
        assert alone.pop("intent_probability") == pytest.approx(first.pop("intent_probability"), rel=1e-4)
        assert alone == first

    def test_a_run_without_export(self, one_device_run: Path, command: Commands) -> None:
        command("predict", one_device_run, "fly").refused("there is no export in", "seqloom export")


class TestExport:
    def test_elsewhere(self, tiny_run: Path, command: Commands, tmp_path: Path) -> None:
        outcome = command("export", tiny_run, "--output", tmp_path / "served")
        assert outcome.out.strip() == str(tmp_path / "served" / "1")
        assert set(read(tmp_path / "served" / "request_example.json")) == {"instances"}
        texts = tf.constant(["fly to boston", "hotels in denver please"])
        served, own = (
            tf.saved_model.load(str(folder)).signatures["serving_default"](text=texts)
            for folder in (tmp_path / "served" / "1", tiny_run / "export" / "1")
        )
        for name, values in own.items():
            assert (served[name].numpy() == values.numpy()).all(), name

    def test_anew(self, own_run: Path, command: Commands) -> None:
        shutil.rmtree(own_run / "export")
        assert command("export", own_run, "--format", "saved_model").out.strip() == str(own_run / "export" / "1")
        assert command("predict", own_run, "fly to boston").status == 0

    def test_an_unknown_format(self, tiny_run: Path, command: Commands) -> None:
        command("export", tiny_run, "--format", "savedmodel").refused(
            "no format 'savedmodel'", "did you mean 'saved_model'?"
        )


class TestReport:
    def test_of_one_run(self, own_run: Path, command: Commands) -> None:
        (own_run / "report.html").unlink()
        assert command("report", own_run).out.strip() == str(own_run / "report.html")
        assert "</html>" in (own_run / "report.html").read_text(encoding="utf-8")

    def test_of_several_runs(
        self, own_run: Path, tiny_run: Path, command: Commands, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert command("report", tiny_run, own_run).out.strip() == "comparison.html"
        page = (tmp_path / "comparison.html").read_text(encoding="utf-8")
        assert "tiny" in page
        assert "own" in page
        assert command("report", tiny_run, own_run, "--output", tmp_path / "two.html").status == 0
        assert (tmp_path / "two.html").is_file()

    def test_of_a_run_that_is_not_finished(self, one_device_run: Path, command: Commands) -> None:
        command("report", one_device_run).refused("metrics.json is missing")


def test_a_closed_pipe_is_no_error(tiny_run: Path) -> None:
    """`seqloom list TASK | head -1` ends quietly."""
    reader, writer = os.pipe()
    os.close(reader)
    script = "import sys; from seqloom.pipelines.cli import main; sys.exit(main())"
    finished = subprocess.run(
        [sys.executable, "-c", script, "list", "slot_filling"], stdout=writer, stderr=subprocess.PIPE, text=True
    )
    os.close(writer)
    assert "Traceback" not in finished.stderr
    assert "Exception" not in finished.stderr
