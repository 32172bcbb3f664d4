"""A run of a study: section after section, each stored whole, so that it goes on where it stopped."""

from __future__ import annotations

import functools
import json
import logging
import shlex
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from .config import read_yaml
from .console import log_file
from .environment import describe_environment
from .errors import Interrupted, UserError
from .interruption import interruptible
from .registry import TaskEntry
from .reporting import page
from .run import read_config
from .run_directory import RunDirectory, disk_errors, read_json, write_json, write_text, write_whole
from .study import Study, StudyConfig, StudySection, load_study_config, to_yaml

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StudyRun:
    """A study, its settings and its directory.

    Args:
        entry: the study.
        config: the effective settings.
        directory: where everything is written.
    """

    entry: TaskEntry
    config: StudyConfig
    directory: RunDirectory

    @classmethod
    def open(cls, path: Path) -> StudyRun:
        """Opens a run that exists.

        Raises:
            UserError: if there is none.
        """
        directory = RunDirectory(path)
        entry, config = read_config(directory)
        return cls(entry, cast(StudyConfig, config), directory)

    @functools.cached_property
    def study(self) -> type[Study]:
        """What is computed; importing it imports TensorFlow."""
        return self.entry.study_class()

    @property
    def sections(self) -> Path:
        """The folder with the results of the sections."""
        return self.directory.path / "sections"

    @property
    def begun(self) -> bool:
        """Whether there is a result, or a part of one."""
        return self.sections.is_dir() and any(self.sections.iterdir())

    def stored(self, section: StudySection[Any]) -> bool:
        """Whether the section's results are there."""
        return (self.sections / section.name / "results.json").is_file()

    def results(self, section: StudySection[Any]) -> dict[str, Any]:
        """The section's results as they were stored."""
        import numpy as np

        folder = self.sections / section.name
        values = read_json(folder / "results.json")["values"]
        try:
            with np.load(folder / "arrays.npz", allow_pickle=False) as arrays:
                return {**values, **arrays}
        except (OSError, ValueError) as error:
            raise UserError(f"{folder / 'arrays.npz'} cannot be read ({error}); run again with --fresh") from None

    def command(self) -> str:
        """What to type for the same figures: the settings that differ from the defaults."""
        words = ["seqloom", "run", self.entry.name, "--seed", str(self.config.seed)]
        settings, size = self.config.model_dump(), {"study": self.config.study}
        defaults = load_study_config(self.entry, settings=size).model_dump()
        different: dict[str, Any] = {} if self.config.study == "quick" else size
        different |= {key: value for key, value in settings.items() if value != defaults[key] and key != "seed"}
        for key, value in different.items():
            words += ["--set", f"{key}={value if isinstance(value, str) else json.dumps(value)}"]
        return shlex.join(words)


def run(
    entry: TaskEntry,
    settings: Mapping[str, Any] | None = None,
    files: Sequence[Path] = (),
    run_dir: Path | None = None,
    fresh: bool = False,
) -> dict[str, Any]:
    """Computes the sections that are not there yet and writes the report.

    Args:
        entry: the study.
        settings: keys of its config; they win over `files`.
        files: YAML files; later ones win.
        run_dir: where to write; `runs/STUDY/SIZE` if not given.
        fresh: overwrite what is in the run directory.

    Returns:
        The content of `metrics.json`.

    Raises:
        UserError: for whatever the user can mend.
        Interrupted: after Ctrl-C.
    """
    config = load_study_config(entry, files, settings)
    directory = RunDirectory(run_dir or Path("runs") / entry.name / config.study)
    one = StudyRun(entry, config, directory)
    _check_free(one, fresh)
    directory.create()
    with directory.locked(), disk_errors(directory.path):
        if fresh or not one.begun:
            shutil.rmtree(one.sections, ignore_errors=True)
            directory.clear()
        write_text(directory.config, f"task: {entry.name}\n{to_yaml(config)}")
        write_json(directory.environment, describe_environment())
        with log_file(directory.log):
            _log.info("run directory %s", directory.path)
            for number, section in enumerate(one.study.sections, start=1):
                _compute(one, section, f"section {number} of {len(one.study.sections)}, {section.name}")
            return _finish(one)


def report(one: StudyRun) -> None:
    """Writes `report.html` anew from the stored results.

    Raises:
        UserError: if the run is not finished.
    """
    if not one.directory.finished:
        raise UserError(f"{one.directory.path} holds an unfinished run; `{one.command()}` goes on with it")
    _write_page(one, read_json(one.directory.metrics))


def _check_free(one: StudyRun, fresh: bool) -> None:
    """Checks that a run with these settings can begin or go on in the directory, as `run.check_free` does for tasks."""
    directory = one.directory
    if not directory.exists:
        return
    name = read_yaml(directory.config).get("task")
    if name != one.entry.name:
        raise UserError(f"{directory.path} holds a run of {name}; choose another --run_dir")
    if fresh:
        return
    if directory.finished:
        raise UserError(f"{directory.path} holds a finished run; choose another --run_dir, or --fresh to overwrite it")
    if not one.begun:
        return
    old, new = read_config(directory)[1].model_dump(), one.config.model_dump()
    changed = [f"{key} was {old[key]!r}, now {new[key]!r}" for key in new if old[key] != new[key]]
    if changed:
        raise UserError(
            f"{directory.path} holds an unfinished run with other settings ({'; '.join(changed)}); "
            "repeat them to go on, or start anew with --fresh"
        )


def _compute(one: StudyRun, section: StudySection[Any], title: str) -> None:
    """Computes a section and stores what comes out, unless it is there."""
    import keras

    if one.stored(section):
        _log.info("%s: is there", title)
        return
    _log.info("%s", title)
    unfinished = one.sections / f"{section.name}.unfinished"
    unfinished.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter()
    keras.utils.clear_session()
    keras.utils.set_random_seed(one.config.seed)
    try:
        with interruptible():
            results = section.compute(one.config, unfinished)
    except KeyboardInterrupt:
        raise Interrupted(f"interrupted in {title}; the same command goes on with it") from None
    seconds = time.perf_counter() - started
    write_whole(one.sections / section.name, lambda folder: _store(folder, results, seconds))
    shutil.rmtree(unfinished)


def _store(folder: Path, results: Mapping[str, Any], seconds: float) -> None:
    import numpy as np

    arrays: dict[str, Any] = {name: value for name, value in results.items() if isinstance(value, np.ndarray)}
    folder.mkdir()
    np.savez_compressed(folder / "arrays.npz", **arrays)
    values = {name: value for name, value in results.items() if name not in arrays}
    content = {"seconds": seconds, "values": values}
    write_text(folder / "results.json", json.dumps(content, indent=2, default=lambda number: number.item()) + "\n")


def _finish(one: StudyRun) -> dict[str, Any]:
    """Writes the report and, last, the metrics."""
    sections = one.study.sections
    metrics = {
        "task": one.entry.name,
        "study": one.config.study,
        "seed": one.config.seed,
        "metrics": dict(section.metric(one.results(section)) for section in sections),
        "seconds": {each.name: read_json(one.sections / each.name / "results.json")["seconds"] for each in sections},
    }
    _write_page(one, metrics)
    write_json(one.directory.metrics, metrics)
    _log.info("report %s", one.directory.report)
    return metrics


def _write_page(one: StudyRun, metrics: Mapping[str, Any]) -> None:
    from .reporting.render import render_study

    study, parts = one.study, []
    for section in study.sections:
        results = one.results(section)
        number = section.metric(results)
        parts.append((page.Section(section.title, section.claim, section.render(results)), *number))
    content = page.StudyPage(
        title=study.title,
        task=one.entry.name,
        command=one.command(),
        summary=study.summary,
        config=one.config.model_dump(),
        defaults=type(one.config)().model_dump(),
        environment=read_json(one.directory.environment),
        seconds=metrics["seconds"],
        parts=parts,
    )
    write_text(one.directory.report, render_study(content))
