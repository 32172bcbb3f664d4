"""One run: a task, its settings and its directory; begun, resumed, or opened again to predict."""

from __future__ import annotations

import functools
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ..datasets.corpus import DataError
from .config import TaskConfig, differences, load_config, read_settings, to_yaml
from .corpora import Splits, load_splits
from .environment import describe_environment
from .errors import UserError
from .evaluation import lower_is_better
from .registry import TaskEntry, find_task
from .run_directory import RunDirectory, write_json, write_text

if TYPE_CHECKING:
    from .pipeline import Pipeline


class Run:
    """A run of one seed.

    Args:
        entry: the task.
        config: the effective settings.
        directory: where everything is written.
        splits: the data, if it is read already.
    """

    def __init__(
        self, entry: TaskEntry, config: TaskConfig, directory: RunDirectory, splits: Splits | None = None
    ) -> None:
        self.entry, self.config, self.directory = entry, config, directory
        if splits is not None:
            self.splits = splits

    @classmethod
    def begin(cls, entry: TaskEntry, config: TaskConfig, path: Path, fresh: bool, splits: Splits | None = None) -> Run:
        """Makes the run directory, or takes up an unfinished run in it; `check_free` says whether it may.

        Raises:
            UserError: if the directory cannot be written.
        """
        directory = RunDirectory(path)
        directory.create()
        if fresh or (directory.exists and not has_state(directory)):
            directory.clear()
        run = cls(entry, config, directory, splits)
        run.write_config()
        write_json(directory.environment, describe_environment())
        return run

    @classmethod
    def open(cls, path: Path | str) -> Run:
        """Opens a run; of a run of several seeds the one that is best on valid.

        Raises:
            UserError: if there is no run.
        """
        directory = RunDirectory(path)
        if directory.seeds():
            directory = best_seed(directory)
        task, config = read_config(directory)
        return cls(task, config, directory)

    def owns(self, dataset: str | None) -> bool:
        """Whether that is the data set of the run."""
        return dataset is None or dataset == self.config.dataset or str(Path(dataset).resolve()) == self.config.dataset

    def command(self, seeds: int | None = None) -> str:
        """What to type for the same figures: the settings that differ from the defaults of the data set."""
        words = ["seqloom", "run", self.entry.name, "--dataset", self.config.dataset]
        words += ["--seeds", str(seeds)] if seeds else ["--seed", str(self.config.seed)]
        settings = self.config.model_dump()
        defaults = load_config(self.entry, type(self.config), settings={"dataset": self.config.dataset}).model_dump()
        for name, value in settings.items():
            if value != defaults[name] and name not in ("dataset", "seed", "strategy"):
                words += ["--set", f"{name}={'null' if value is None else value}"]
        return shlex.join(words)

    def write_config(self) -> None:
        """Writes the settings with the name of the task."""
        write_text(self.directory.config, f"task: {self.entry.name}\n{to_yaml(self.config)}")

    @functools.cached_property
    def pipeline(self) -> Pipeline:
        """The task, with these settings."""
        return self.entry.pipeline_class()(self.config)

    @functools.cached_property
    def splits(self) -> Splits:
        """The data of the run."""
        return load_splits(self.entry, self.config)

    @functools.cached_property
    def preprocessor(self) -> Any:
        """The preprocessor that training saved."""
        if not self.directory.preprocessor.is_dir():
            raise UserError(f"{self.directory.path} has no preprocessor; was it trained?")
        return self.pipeline.preprocessor_class.load(self.directory.preprocessor)

    @functools.cached_property
    def signatures(self) -> Mapping[str, Any]:
        """The signatures of the export, loaded once."""
        from .inference import load_signatures

        return load_signatures(self.directory.saved_model)

    def answer(
        self, requests: Sequence[Mapping[str, Any] | DataError], name: str = "serving_default"
    ) -> list[dict[str, Any]]:
        """Lets a signature of the export answer requests; in the place of one may stand why there is none.

        Raises:
            UserError: if the task has no such signature, or the export is missing or damaged.
        """
        from .inference import answers_or_reasons

        server = self.pipeline.server_class
        described = server if name == "serving_default" else server.others.get(name)
        if described is None:
            raise UserError(f"{self.entry.name} has no signature {name!r}")
        return answers_or_reasons(self.signatures[name], requests, described)

    def predict(self, inputs: Sequence[Any], explain: bool = False) -> list[dict[str, Any]]:
        """Answers inputs with the exported model.

        Args:
            inputs: what the task reads: sentences, or names of audio files.
            explain: whether to say what each word contributed, in tasks that can.

        Returns:
            One dictionary for each input: the outputs of the signature without padding.

        Raises:
            UserError: if the task cannot explain its answers.
        """
        if isinstance(inputs, str | bytes):
            raise TypeError(f"inputs must be a list of inputs, got one: {inputs!r}; write predict([...])")
        if explain and "explain" not in self.pipeline.server_class.others:
            raise UserError(f"{self.entry.name} does not explain its answers")
        from .inference import request_or_reason

        requests = [request_or_reason(self.pipeline.request_from_argument, item) for item in inputs]
        return self.answer(requests, "explain" if explain else "serving_default")


def read_config(directory: RunDirectory) -> tuple[TaskEntry, TaskConfig]:
    """The task and the settings of a run.

    Raises:
        UserError: if the folder holds no run, or the settings no longer fit.
    """
    entry, content = _read_task(directory)
    return entry, read_settings(config_class(entry), content, f"{directory.config}: ")


def _read_task(directory: RunDirectory) -> tuple[TaskEntry, dict[str, Any]]:
    try:
        content = yaml.safe_load(directory.config.read_text(encoding="utf-8"))
        return find_task(content.pop("task")), content
    except FileNotFoundError:
        raise UserError(f"{directory.path} is not a run directory: it has no config.yaml") from None
    except (OSError, KeyError, TypeError, AttributeError, UnicodeDecodeError, yaml.YAMLError):
        raise UserError(f"{directory.config} cannot be read as the settings of a run") from None


def config_class(entry: TaskEntry) -> type[TaskConfig]:
    """The task's settings, without importing TensorFlow."""
    return entry.config_module().Config


def check_free(
    entry: TaskEntry, config: TaskConfig, directory: RunDirectory, fresh: bool, several: bool = False
) -> None:
    """Checks that a run with these settings, of one or of several seeds, can begin or go on in the directory.

    Raises:
        UserError: if it holds a finished run, another task's run, or an unfinished run with other settings.
    """
    if not directory.exists:
        if has_state(directory) and not fresh:
            raise UserError(
                f"{directory.path} holds checkpoints of a run without its config.yaml; choose another --run_dir, "
                "or --fresh to overwrite them"
            )
        return
    other, _ = _read_task(directory)
    if other.name != entry.name:
        raise UserError(f"{directory.path} holds a run of {other.name}; choose another --run_dir")
    if fresh:
        return
    if directory.finished and all(run.finished for run in directory.seeds()):
        raise UserError(f"{directory.path} holds a finished run; choose another --run_dir, or --fresh to overwrite it")
    if not has_state(directory):
        return  # it ended before it trained, most likely by a mistake in the settings
    changed = differences(read_config(directory)[1], config)
    if several != bool(directory.seeds()):
        changed.append(f"it is of {'one seed' if several else 'several seeds'}")
    if changed:
        raise UserError(
            f"{directory.path} holds an unfinished run with other settings ({'; '.join(changed)}); "
            "repeat them to go on, or start anew with --fresh"
        )


def has_state(directory: RunDirectory) -> bool:
    """Whether training has begun in the directory or, of a run of several seeds, in one of them."""
    return any(any(run.checkpoints.glob("state-*.json")) for run in (directory, *directory.seeds()))


def best_seed(directory: RunDirectory) -> RunDirectory:
    """The run of several seeds that is best on valid; says which."""
    finished = [run for run in directory.seeds() if run.trained]
    if not finished:
        raise UserError(f"no seed in {directory.path} is trained yet")
    noted = {run.path: run.finished_training() for run in finished}
    if any(each["best"] is None for each in noted.values()):
        print(f"valid cannot tell which seed is best: {finished[0].path.name} is used", file=sys.stderr)
        return finished[0]
    sign = -1.0 if lower_is_better(noted[finished[0].path]["metric"]) else 1.0
    best = max(finished, key=lambda run: sign * noted[run.path]["best"])
    print(f"{best.path.name} is best on valid", file=sys.stderr)
    return best
