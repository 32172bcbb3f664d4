"""The laboratory through the command line: what a run leaves, how it goes on, and what is refused."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from commands import Commands, read

import seqloom
from seqloom.pipelines.errors import UserError
from seqloom.pipelines.gradient_lab.config import Config
from seqloom.pipelines.gradient_lab.sections.backpropagation import Backpropagation
from seqloom.pipelines.gradient_lab.sections.linear_unit import LinearUnit
from seqloom.pipelines.gradient_lab.task import GradientLab

SMALL = ("--set", "bptt_steps=6", "--set", "bptt_units=3", "--set", "bptt_rows=2", "--set", "unit_points=5")


@pytest.fixture
def two_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    """A laboratory of the two sections that take no time."""
    monkeypatch.setattr(GradientLab, "sections", (LinearUnit(), Backpropagation()))


def interrupted(*_: Any) -> dict[str, Any]:
    raise KeyboardInterrupt


def stamps(run_dir: Path) -> dict[str, int]:
    """When each section was stored."""
    return {path.parent.name: path.stat().st_mtime_ns for path in run_dir.glob("sections/*/results.json")}


class TestRun:
    def test_what_it_leaves(self, lab_run: Path) -> None:
        names = {"config.yaml", "environment.json", "train.log", "sections", "report.html", "metrics.json"}
        assert {path.name for path in lab_run.iterdir()} == names
        assert {path.name for path in (lab_run / "sections").iterdir()} == {one.name for one in GradientLab.sections}
        assert Config(**{k: v for k, v in read(lab_run / "config.yaml").items() if k != "task"}).gate_units == 8

    def test_one_number_for_each_section(self, lab_run: Path) -> None:
        metrics = read(lab_run / "metrics.json")
        assert (metrics["task"], metrics["study"], metrics["seed"]) == ("gradient_lab", "quick", 0)
        assert len(metrics["metrics"]) == len(GradientLab.sections)
        assert all(isinstance(value, float) for value in metrics["metrics"].values())
        assert list(metrics["seconds"]) == [section.name for section in GradientLab.sections]

    def test_the_report_shows_every_section(self, lab_run: Path) -> None:
        html = (lab_run / "report.html").read_text(encoding="utf-8")
        places = [html.index(f"<h2>{section.title}</h2>") for section in GradientLab.sections]
        assert places == sorted(places)
        for section, place, end in zip(GradientLab.sections, places, [*places[1:], len(html)], strict=True):
            assert f"<p>{section.claim}</p>".replace("'", "&#39;") in html[place:end]
            assert "<svg" in html[place:end], section.name
        assert "seqloom run gradient_lab --seed 0 --set unit_points=21 " in re.sub("</?span>", "", html)
        assert "mathdefault" not in html
        assert 'src="http' not in html

    def test_report_draws_the_stored_results_again(self, lab_run: Path, tmp_path: Path, command: Commands) -> None:
        own = Path(shutil.copytree(lab_run, tmp_path / "own"))
        before = (own / "report.html").read_text(encoding="utf-8")
        (own / "report.html").unlink()
        assert command("report", own).out == f"{own / 'report.html'}\n"
        assert (own / "report.html").read_text(encoding="utf-8") == before
        assert stamps(own) == stamps(lab_run)

    def test_the_seed_decides(self, two_sections: None, tmp_path: Path, command: Commands) -> None:
        for name, seed in (("first", 1), ("again", 1), ("other", 2)):
            assert command("run", "gradient_lab", *SMALL, "--seed", seed, "--run_dir", tmp_path / name).status == 0
        results = {
            name: read(tmp_path / name / "sections" / "backpropagation" / "results.json")["values"]
            for name in ("first", "again", "other")
        }
        assert results["first"] == results["again"]
        assert results["first"] != results["other"]

    def test_full_has_defaults_of_its_own(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: Commands
    ) -> None:
        monkeypatch.setattr(GradientLab, "sections", (LinearUnit(),))
        monkeypatch.chdir(tmp_path)
        outcome = command("run", "gradient_lab", "--set", "study=full", "--set", "unit_points=5")
        assert outcome.status == 0
        assert "Linear unit gradient ratio" in outcome.out
        folder = tmp_path / "runs" / "gradient_lab" / "full"
        again = "seqloom run gradient_lab --seed 0 --set study=full --set unit_points=5</"
        assert again in re.sub("</?span>", "", (folder / "report.html").read_text(encoding="utf-8"))
        config = read(folder / "config.yaml")
        assert (config["study"], config["bptt_steps"], config["unit_points"]) == ("full", 200, 5)


class TestResume:
    def test_an_interrupted_run_goes_on(
        self, two_sections: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: Commands
    ) -> None:
        line = ("run", "gradient_lab", *SMALL, "--run_dir", tmp_path / "run")
        with monkeypatch.context() as patch:
            patch.setattr(Backpropagation, "compute", interrupted)
            outcome = command(*line)
        assert outcome.status == 130
        assert "interrupted in section 2 of 2, backpropagation" in outcome.err
        first = stamps(tmp_path / "run")
        assert list(first) == ["linear_unit"]
        assert not (tmp_path / "run" / "metrics.json").exists()
        command("report", tmp_path / "run").refused("unfinished run", "seqloom run gradient_lab")

        with monkeypatch.context() as patch:
            patch.setattr(LinearUnit, "compute", interrupted)  # whoever computes it again is found out
            outcome = command(*line)
        assert outcome.status == 0
        assert "section 1 of 2, linear_unit: is there" in outcome.err
        assert stamps(tmp_path / "run")["linear_unit"] == first["linear_unit"]

        assert command(*line[:-1], tmp_path / "whole").status == 0
        metrics = [read(tmp_path / name / "metrics.json")["metrics"] for name in ("run", "whole")]
        assert metrics[0] == metrics[1]

    def test_unfinished_work_is_kept_until_the_results_are_stored(
        self, two_sections: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: Commands
    ) -> None:
        computed = Backpropagation.compute

        def compute(section: Backpropagation, config: Config, folder: Path) -> dict[str, Any]:
            if not (folder / "half").exists():
                (folder / "half").touch()
                raise KeyboardInterrupt
            return computed(section, config, folder)

        monkeypatch.setattr(Backpropagation, "compute", compute)
        line = ("run", "gradient_lab", *SMALL, "--run_dir", tmp_path / "run")
        assert command(*line).status == 130
        assert command(*line).status == 0
        assert {path.name for path in (tmp_path / "run" / "sections").iterdir()} == {"linear_unit", "backpropagation"}

    def test_other_settings_are_refused(
        self, two_sections: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: Commands
    ) -> None:
        line = ("run", "gradient_lab", *SMALL, "--run_dir", tmp_path / "run")
        with monkeypatch.context() as patch:
            patch.setattr(Backpropagation, "compute", interrupted)
            command(*line)
        command(*line, "--seed", 4).refused("unfinished run with other settings", "seed was 0, now 4", "--fresh")
        assert command(*line, "--seed", 4, "--fresh").status == 0
        assert read(tmp_path / "run" / "metrics.json")["seed"] == 4

    def test_a_finished_run_is_kept_without_fresh(self, lab_run: Path, command: Commands) -> None:
        before = stamps(lab_run)
        command("run", "gradient_lab", "--run_dir", lab_run).refused("holds a finished run", "--fresh")
        assert stamps(lab_run) == before

    def test_fresh_overwrites_what_is_no_longer_understood(
        self, two_sections: None, tmp_path: Path, command: Commands
    ) -> None:
        (tmp_path / "sections" / "linear_unit").mkdir(parents=True)
        (tmp_path / "config.yaml").write_text("task: gradient_lab\nan_old_setting: 1\n", encoding="utf-8")
        (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
        line = ("run", "gradient_lab", *SMALL, "--run_dir", tmp_path)
        command(*line).refused("no setting 'an_old_setting'")
        assert command(*line, "--fresh").status == 0
        assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"

    def test_a_folder_of_another_task_is_kept(self, lab_run: Path, tmp_path: Path, command: Commands) -> None:
        command("run", "slot_filling", "--run_dir", lab_run).refused("holds a run of gradient_lab")
        (tmp_path / "config.yaml").write_text("task: slot_filling\n", encoding="utf-8")
        command("run", "gradient_lab", "--run_dir", tmp_path).refused("holds a run of slot_filling")


class TestRefusals:
    @pytest.mark.parametrize("name", ["evaluate", "predict", "export"])
    def test_commands_on_a_run(self, lab_run: Path, command: Commands, name: str) -> None:
        command(name, lab_run).refused("gradient_lab is a study", f"not `{name}`")

    @pytest.mark.parametrize(
        "line", [("train", "gradient_lab"), ("launch", "--workers", "2", "--", "run", "gradient-lab", "--seed", "1")]
    )
    def test_commands_that_begin_a_run(self, command: Commands, line: tuple[str, ...]) -> None:
        command(*line).refused("gradient_lab is a study", f"not `{line[0]}`")

    def test_a_comparison(self, lab_run: Path, command: Commands) -> None:
        command("report", lab_run, lab_run).refused("gradient_lab is a study")

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            *(("dataset", "atis"), ("epochs", "3"), ("batch_size", "8"), ("init_from", "elsewhere")),
            *(("strategy", "mirrored"), ("limit", "5"), ("learning_rate", "0.1"), ("mixed_precision", "float32")),
        ],
    )
    def test_options_of_tasks(self, tmp_path: Path, command: Commands, option: str, value: str) -> None:
        outcome = command("run", "gradient_lab", f"--{option}", value, "--run_dir", tmp_path / "run")
        outcome.refused(f"gradient_lab is a study and has no {option}")
        assert not (tmp_path / "run").exists()

    def test_several_seeds(self, command: Commands) -> None:
        command("run", "gradient_lab", "--seeds", "2").refused("gradient_lab is a study", "no --seeds")

    @pytest.mark.parametrize(
        ("setting", "parts"),
        [
            ("gate_unit=3", ("no setting 'gate_unit'", "did you mean 'gate_units'")),
            ("gate_units=0", ("gate_units must be greater than or equal to 1, got 0",)),
            ("study=huge", ("study must be 'quick' or 'full'", "huge")),
        ],
    )
    def test_wrong_settings(self, tmp_path: Path, command: Commands, setting: str, parts: tuple[str, ...]) -> None:
        command("run", "gradient_lab", "--set", setting, "--run_dir", tmp_path / "run").refused(*parts)
        assert not (tmp_path / "run").exists()

    def test_loading_as_a_library(self, lab_run: Path) -> None:
        with pytest.raises(UserError, match=r"gradient_lab is a study, .* not `load`"):
            seqloom.load(lab_run)

    def test_a_data_set_in_the_list(self, command: Commands) -> None:
        command("list", "gradient_lab", "--dataset", "sample").refused("gradient_lab is a study, which has no data set")


def test_the_list_shows_the_study_and_its_settings(command: Commands) -> None:
    assert "gradient_lab" in command("list").out
    shown = command("list", "gradient-lab").out
    assert "data sets" not in shown
    assert all(name in shown for name in Config.model_fields)
