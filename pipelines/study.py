"""What a study is: experiments on models instead of a model for data.

A study fills in `Study`: a title, an introduction and a list of sections. Each section computes results, which are
stored in the run as soon as they are there, and draws them; `study_run.py` does the rest. A study is registered like a
task and has the commands `run` and `report` only.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field

from .config import TaskConfig, read_yaml, validate
from .errors import UserError
from .registry import TaskEntry, suggestion
from .reporting.page import Figure, Html, Table

ConfigT = TypeVar("ConfigT", bound="StudyConfig")
Block: TypeAlias = Table | Figure | Html


class StudyConfig(BaseModel):
    """The settings that every study has. A study's own settings are a subclass."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    study: Literal["quick", "full"] = Field("quick", description="defaults for minutes, or those of configs/full.yaml")
    seed: int = Field(0, ge=0, lt=2**31, description="of initial weights and of generated sequences")


class StudySection(abc.ABC, Generic[ConfigT]):
    """A part of a study: one claim, a computation, figures, one number.

    Attributes:
        name: of the folder in the run that holds its results.
        title: its heading in the report.
        claim: one or two plain sentences: what the figures show.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    claim: ClassVar[str]

    @abc.abstractmethod
    def compute(self, config: ConfigT, folder: Path) -> dict[str, Any]:
        """The results: plain values for JSON, and numpy arrays at the top level.

        Args:
            config: the effective settings.
            folder: the section's own, for unfinished work; what is kept there survives an interruption.
        """

    @abc.abstractmethod
    def render(self, results: dict[str, Any]) -> list[Block]:
        """What the report shows below the claim, from the stored results alone."""

    @abc.abstractmethod
    def metric(self, results: dict[str, Any]) -> tuple[str, float]:
        """The name and value of the section's number in `metrics.json`."""


class Study:
    """A list of sections under a title.

    Attributes:
        title: the heading of the report.
        summary: one or two plain sentences under it.
        sections: in the order of the report.
    """

    title: ClassVar[str]
    summary: ClassVar[str]
    sections: ClassVar[Sequence[StudySection[Any]]]


def load_study_config(
    entry: TaskEntry, files: Iterable[Path] = (), settings: Mapping[str, Any] | None = None
) -> StudyConfig:
    """Puts the settings together: `settings` (the command line) before `files` before, for `full`, `configs/full.yaml`.

    Raises:
        UserError: for a file that cannot be read, an unknown key or a value out of range.
    """
    config_class: Any = entry.config_module().Config
    merged: dict[str, Any] = {}
    for path in files:
        merged |= _known(entry, read_yaml(path), config_class, f"{path}: ")
    merged |= _known(entry, settings or {}, config_class, "")
    full = Path(__file__).parent / entry.name / "configs" / "full.yaml"
    defaults = read_yaml(full) if merged.get("study") == "full" else {}
    return validate(config_class, defaults | merged)


def _known(entry: TaskEntry, values: Mapping[str, Any], config_class: Any, where: str) -> dict[str, Any]:
    known = config_class.model_fields
    for key in values:
        if key in TaskConfig.model_fields and key not in known:
            raise UserError(
                f"{where}{entry.name} is a study and has no {key}; `seqloom list {entry.name}` shows what it has"
            )
        if key not in known:
            raise UserError(f"{where}there is no setting {key!r}{suggestion(str(key), known)}")
    return dict(values)


def to_yaml(config: StudyConfig) -> str:
    """The config as a YAML file with one line a setting."""
    return yaml.safe_dump(config.model_dump(), sort_keys=False, allow_unicode=True)
