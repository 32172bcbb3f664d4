"""The tasks by name. Light to import: a task's own modules are loaded when the task is asked for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .errors import UserError

if TYPE_CHECKING:
    from .pipeline import Pipeline
    from .study import Study


@dataclass(frozen=True)
class TaskEntry:
    """What is known of a task, or of a study, before anything heavy is imported.

    Attributes:
        name: as the command line spells it, with underscores.
        summary: one line for `seqloom list`.
        pipeline: `module:class` below `seqloom.pipelines`; a study has none.
        study: the same of a study, which has the commands `run` and `report` only; a task has none.
        datasets: data set name to its module below `seqloom.datasets`; each has `load(data_dir, cache_dir)`.
        files: the module below `seqloom.datasets` that reads a user's folder; it has `load(folder)`.
        verbs: commands that act on the task's run directories: name to `module:function` below `seqloom.pipelines`. The
            module is light to import, and the function's annotations are typer's.
    """

    name: str
    summary: str
    pipeline: str = ""
    study: str = ""
    datasets: Mapping[str, str] = field(default_factory=dict)
    files: str = ""
    verbs: Mapping[str, str] = field(default_factory=dict)

    def pipeline_class(self) -> type[Pipeline]:
        """Imports the task's pipeline, and with it TensorFlow.

        Raises:
            UserError: for a study.
        """
        self.require_task("predict")
        return _load(self.pipeline)

    def study_class(self) -> type[Study]:
        """Imports the study, and with it TensorFlow."""
        return _load(self.study)

    def verb_functions(self) -> dict[str, Any]:
        """Imports the functions of the verbs, by name; nothing heavy comes along."""
        return {name: _load(place) for name, place in self.verbs.items()}

    def require_task(self, command: str) -> None:
        """Refuses a command that a study does not have.

        Raises:
            UserError: for a study.
        """
        if self.study:
            raise UserError(f"{self.name} is a study, which has `run` and `report` only, not `{command}`")

    def config_module(self) -> ModuleType:
        """Imports the task's settings alone, without TensorFlow."""
        return importlib.import_module(f".{self.name}.config", __package__)


TASKS: dict[str, TaskEntry] = {
    entry.name: entry
    for entry in (
        TaskEntry(
            name="slot_filling",
            summary="labels the words of a sentence with slots, and the sentence with an intent",
            pipeline="slot_filling.task:SlotFilling",
            datasets={"sample": "travel_requests", "atis": "atis"},
            files="slot_files",
        ),
        TaskEntry(
            name="sentiment",
            summary="names the class of a text, such as the opinion of a review",
            pipeline="sentiment.task:Sentiment",
            datasets={"sample": "reviews", "imdb": "imdb"},
            files="text_files",
        ),
        TaskEntry(
            name="tree_sentiment",
            summary="names the class of every phrase of a parse tree",
            pipeline="tree_sentiment.task:TreeSentiment",
            datasets={"sample": "opinions", "sst": "sst"},
            files="tree_files",
        ),
        TaskEntry(
            name="speech_recognition",
            summary="writes down what is said",
            pipeline="speech_recognition.task:SpeechRecognition",
            datasets={"sample": "spoken_words", "fsdd": "fsdd", "fsdd_strings": "fsdd_strings", "an4": "an4"},
            files="speech_files",
        ),
        TaskEntry(
            name="translation",
            summary="writes in one language what a sentence says in another",
            pipeline="translation.task:Translation",
            datasets={"sample": "bilingual_sentences", "cmn_eng": "cmn_eng"},
            files="translation_files",
        ),
        TaskEntry(
            name="spoken_term_search",
            summary="turns stretches of sound into vectors, and finds those that sound alike",
            pipeline="spoken_term_search.task:SpokenTermSearch",
            datasets={"sample": "synthetic_terms", "fsdd": "digit_terms", "timit_words": "timit_words"},
            files="term_files",
            verbs={"index": "spoken_term_search.verbs:index", "search": "spoken_term_search.verbs:search"},
        ),
        TaskEntry(
            name="gradient_lab",
            summary="a study: why gradients vanish and explode in recurrent networks, and what helps",
            study="gradient_lab.task:GradientLab",
        ),
    )
}


def _load(place: str) -> Any:
    module, name = place.split(":")
    return getattr(importlib.import_module(f".{module}", __package__), name)


def find_task(name: str) -> TaskEntry:
    """The task of that name; dashes and underscores are the same.

    Raises:
        UserError: if there is none; the nearest name is suggested.
    """
    entry = TASKS.get(name.replace("-", "_"))
    if entry is None:
        raise UserError(f"there is no task {name!r}{suggestion(name, TASKS)}; `seqloom list` shows the tasks")
    return entry


def suggestion(name: str, known: Iterable[str]) -> str:
    """`, did you mean 'x'?` for the nearest known name, or nothing.

    Example:
        >>> suggestion("unit", ["units", "seed"])
        ", did you mean 'units'?"
    """
    nearest = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f", did you mean {nearest[0]!r}?" if nearest else ""
