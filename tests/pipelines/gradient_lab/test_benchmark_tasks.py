"""The benchmark grid: equal sizes, runs that are kept, and figures from whatever is finished."""

from __future__ import annotations

import numpy as np
import pytest

from seqloom.layers.encoder import recurrent_layer
from seqloom.pipelines.gradient_lab.benchmark import finished, plan, run, run_all
from seqloom.pipelines.gradient_lab.cells import TOLERANCE, groups, units_for, weights
from seqloom.pipelines.gradient_lab.config import CELLS, Config
from seqloom.pipelines.gradient_lab.sections.benchmark_tasks import BenchmarkTasks
from seqloom.pipelines.gradient_lab.tasks import ADDING, ORDER, TASKS
from seqloom.pipelines.gradient_lab.training import FreshSequences

SMALL = Config(
    benchmark_cells=["simple", "leaky"],
    benchmark_adding=[4, 5],
    benchmark_order=[],
    benchmark_copy=[],
    benchmark_adding_seeds=1,
    benchmark_parameters=1620,
    benchmark_updates=2,
    benchmark_batch=4,
    benchmark_workers=1,
)


@pytest.mark.parametrize("cell", CELLS)
def test_all_cells_get_equal_numbers_of_weights(cell: str) -> None:
    parameters = Config().benchmark_parameters
    for task in TASKS.values():
        units = units_for(cell, parameters, task.features, task.outputs)
        assert abs(weights(cell, units, task.features, task.outputs) / parameters - 1) <= TOLERANCE


def test_weights_are_those_of_the_paper() -> None:
    assert weights("simple", 10, 2, 1) == 10 * 10 + 2 * 10 + 10 + 11
    layer = recurrent_layer("clockwork", 16)
    layer.build((None, None, 2))
    used = int(np.count_nonzero(layer.recurrent_kernel))
    assert weights("clockwork", 16, 2, 1) == used + 2 * 16 + 16 + 17


def test_a_size_that_cannot_be_met_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"parameters=60 cannot be met within 3\.5% by lstm"):
        units_for("lstm", 60, 2, 1)


def test_the_plan_is_the_grid() -> None:
    jobs = plan(SMALL.model_copy(update={"benchmark_order": [10], "benchmark_copy": [1], "benchmark_adding_seeds": 2}))
    assert len(jobs) == len({job.file for job in jobs}) == 2 * 2 * 2 + 2 + 2
    steps = [TASKS[job.task].steps(job.length) for job in jobs]
    assert steps == sorted(steps)


def test_a_stopped_benchmark_goes_on_and_touches_nothing_finished(tmp_path) -> None:
    run_all(SMALL, tmp_path)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert set(before) == {job.file for job in plan(SMALL)}
    lost = plan(SMALL)[1].file
    (tmp_path / lost).unlink()
    run_all(SMALL, tmp_path)
    after = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert set(after) == set(before)
    assert [name for name in before if before[name] != after[name]] == [lost]


def test_a_run_repeats_itself() -> None:
    job = plan(SMALL)[0]
    first, second = run(SMALL, job), run(SMALL, job)
    assert first["loss"] == second["loss"]
    assert first["parameters"] == pytest.approx(1620, rel=TOLERANCE)


def test_an_easy_task_is_solved_and_stops_early() -> None:
    easy = SMALL.model_copy(
        update={"benchmark_order": [10], "benchmark_updates": 1000, "benchmark_batch": 32, "benchmark_rate": 0.01}
    )
    job = next(job for job in plan(easy) if job.task == "order" and job.cell == "simple")
    result = run(easy, job)
    assert result["solved"]
    assert result["updates"] < 1000
    assert result["loss"] < 0.1 * ORDER.baseline(10)


def test_the_report_says_how_many_of_how_many(tmp_path) -> None:
    section = BenchmarkTasks()
    no_time = SMALL.model_copy(update={"benchmark_minutes": 1e-9})
    nothing = section.compute(no_time, tmp_path / "nothing")
    assert nothing["runs"] == []
    assert "0 of 4 planned runs" in section.render(nothing)[0].markup
    results = section.compute(SMALL, tmp_path)
    half = {**results, "runs": [each for each in results["runs"] if each["cell"] == "leaky"]}
    assert finished(SMALL, tmp_path) == results["runs"]
    for these in (results, half):
        text = section.render(these)[0].markup
        assert f"{len(these['runs'])} of 4 planned runs are finished" in text
    assert section.metric(results) == ("benchmark_solved_share", 0.0)


def test_workers_give_what_one_process_gives(tmp_path) -> None:
    two = SMALL.model_copy(update={"benchmark_workers": 2, "benchmark_cells": ["simple"]})
    run_all(two, tmp_path)
    alone = run(two, plan(two)[0])
    assert finished(two, tmp_path)[0]["loss"] == pytest.approx(alone["loss"], rel=1e-4)


def test_no_batch_comes_twice() -> None:
    sequences = FreshSequences(ADDING, 5, 2, 3, seed=0)
    drawn = [sequences[0][0], sequences[1][0]]
    sequences.on_epoch_end()
    drawn += [sequences[0][0], sequences[1][0]]
    assert len({each.tobytes() for each in drawn}) == 4


def test_cells_are_drawn_in_groups_that_have_colours() -> None:
    found = groups(list(CELLS))
    assert sorted(cell for _, names in found for cell in names) == sorted(CELLS)
    assert all(len(names) < 8 for _, names in found)
