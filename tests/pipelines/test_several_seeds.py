"""Several seeds of one run: a folder each, and what they have in common."""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path

import pytest
from commands import SMALL, Commands, read

from seqloom.pipelines.cli import main

SEEDS = ("run", "slot_filling", *SMALL, "--seeds", 2)


@pytest.fixture(scope="module")
def two_seeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "seeds"
    assert main([str(argument) for argument in (*SEEDS, "--run_dir", folder)]) == 0
    return folder


def test_each_seed_is_a_run_and_the_aggregate_sums_them_up(two_seeds: Path) -> None:
    each = [read(two_seeds / f"seed-{seed}" / "metrics.json") for seed in (0, 1)]
    common = read(two_seeds / "metrics.json")
    assert [metrics["seed"] for metrics in each] == common["seeds"] == [0, 1]
    assert common["metrics"].keys() == each[0]["metrics"].keys()
    for name, summary in common["metrics"].items():
        values = [metrics["metrics"][name] for metrics in each]
        expected = {
            "mean": statistics.mean(values),
            "sd": statistics.stdev(values),
            "min": min(values),
            "max": max(values),
        }
        assert summary == pytest.approx(expected)
    assert each[0]["baselines"] == each[1]["baselines"] == common["baselines"]
    for folder in (two_seeds, two_seeds / "seed-0", two_seeds / "seed-1"):
        assert "</html>" in (folder / "report.html").read_text(encoding="utf-8")
    weights = [(two_seeds / f"seed-{seed}" / "checkpoints" / "best.keras").read_bytes() for seed in (0, 1)]
    assert weights[0] != weights[1]


def test_predict_and_export_take_the_seed_that_is_best_on_valid(
    two_seeds: Path, command: Commands, tmp_path: Path
) -> None:
    run_dir = Path(shutil.copytree(two_seeds, tmp_path / "seeds"))
    for best in (0, 1):
        for seed in (0, 1):
            path = run_dir / f"seed-{seed}" / "checkpoints" / "finished.json"
            path.write_text(
                path.read_text(encoding="utf-8").replace('"best":', f'"best": {float(seed == best)}, "was":')
            )
        outcome = command("predict", run_dir, "fly to boston")
        assert outcome.status == 0
        assert f"seed-{best} is best on valid" in outcome.err
        assert command("predict", run_dir / f"seed-{best}", "fly to boston").out == outcome.out
    exported = command("export", run_dir, "--output", tmp_path / "export")
    assert "seed-1 is best on valid" in exported.err
    assert (tmp_path / "export" / "1" / "saved_model.pb").is_file()


def test_only_the_unfinished_seed_is_run_again(two_seeds: Path, command: Commands, tmp_path: Path) -> None:
    run_dir = Path(shutil.copytree(two_seeds, tmp_path / "seeds"))
    command(*SEEDS, "--run_dir", run_dir).refused("holds a finished run", "--fresh")
    expected = read(run_dir / "seed-1" / "metrics.json")["metrics"]
    (run_dir / "seed-1" / "metrics.json").unlink()
    before = (run_dir / "seed-0" / "metrics.json").stat().st_mtime_ns
    outcome = command(*SEEDS, "--run_dir", run_dir)
    assert outcome.status == 0
    assert "seed 1 of 2" in outcome.err
    assert "seed 0 of 2" not in outcome.err
    assert "epoch 1/2" not in outcome.err  # it was trained: only what follows is done again
    assert read(run_dir / "seed-1" / "metrics.json")["metrics"] == expected
    assert (run_dir / "seed-0" / "metrics.json").stat().st_mtime_ns == before
    assert read(run_dir / "metrics.json")["metrics"] == read(two_seeds / "metrics.json")["metrics"]


def test_a_report_on_the_folder_compares_its_seeds(two_seeds: Path, command: Commands, tmp_path: Path) -> None:
    run_dir = Path(shutil.copytree(two_seeds, tmp_path / "seeds"))
    (run_dir / "report.html").unlink()
    outcome = command("report", run_dir)
    assert outcome.out.strip() == str(run_dir / "report.html")
    page = (run_dir / "report.html").read_text(encoding="utf-8")
    assert "seed-0" in page
    assert "seed-1" in page


def test_one_seed_and_several_do_not_share_a_folder(two_seeds: Path, command: Commands, tmp_path: Path) -> None:
    run_dir = Path(shutil.copytree(two_seeds, tmp_path / "seeds"))
    (run_dir / "metrics.json").unlink()
    (run_dir / "seed-1" / "metrics.json").unlink()
    command("run", "slot_filling", *SMALL, "--run_dir", run_dir).refused("several seeds")
    single = run_dir / "seed-1"
    command(*SEEDS, "--run_dir", single).refused("one seed")


@pytest.mark.parametrize("flags", [("--seed", 1), ("--set", "seed=1")])
def test_a_seed_and_several_seeds_exclude_each_other(
    flags: tuple[object, ...], command: Commands, tmp_path: Path
) -> None:
    command(*SEEDS, *flags, "--run_dir", tmp_path / "run").refused("--seed and --seeds exclude each other")
    assert not (tmp_path / "run").exists()


def test_no_seed_at_all_is_refused(command: Commands) -> None:
    command("run", "slot_filling", "--seeds", 0).refused("--seeds")
