"""Settings: what every task has in common, and how defaults, files and the command line are put together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import pydantic
import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..datasets.corpus import Corpus
from .errors import UserError
from .registry import TaskEntry, suggestion

ConfigT = TypeVar("ConfigT", bound="TaskConfig")

# The names of `seqloom.layers.encoder.RECURRENT_LAYERS`, which only TensorFlow can import.
RecurrentLayer = Literal[
    "simple",
    "lstm",
    "gru",
    "leaky",
    "skip",
    "clockwork",
    "scrn",
    "echo_state",
    "peephole",
    "coupled",
    "gated_feedback",
]

# Settings that say where or how long, not what: they may differ when an unfinished run is continued.
CONTINUABLE = frozenset({"data_dir", "strategy", "epochs", "patience"})


class TaskConfig(BaseModel):
    """The settings that every task has. A task's own settings are a subclass."""

    # YAML reads a folder named 2020 as a number, and 1e-3 as text; both are what the field says they are.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, coerce_numbers_to_str=True)

    dataset: str = Field("sample", min_length=1, description="registered data set, or a folder with your own data")
    data_dir: str | None = Field(None, description="folder that holds the corpora; SEQLOOM_DATA_DIR if not given")
    validation_fraction: float = Field(0.1, gt=0, lt=1, description="share of train cut off where there is no valid")
    limit: int | None = Field(None, ge=1, description="train on the first LIMIT training examples only")
    seed: int = Field(0, ge=0, lt=2**31, description="of initial weights, dropout, data order and splits")
    deterministic: bool = Field(False, description="insist on operations that repeat bit for bit (slower on a GPU)")

    epochs: int = Field(30, ge=1, description="passes over the training data")
    batch_size: int = Field(32, ge=1, description="rows at median length, over all replicas; shorter rows come in more")
    bucket_growth: float = Field(1.3, gt=1, le=10, description="ratio of the lengths at the ends of a length bucket")
    patience: int = Field(10, ge=0, description="epochs without a better validation before training stops; 0 is never")
    keep: Literal["best", "last"] = Field("best", description="which weights are kept: the best on valid, or the last")
    optimizer: Literal["adam", "adamw", "rmsprop", "adagrad", "nesterov"] = Field("adam", description="update rule")
    learning_rate: float = Field(1e-3, gt=0, description="peak learning rate")
    schedule: Literal["constant", "cosine", "linear", "exponential", "inverse_sqrt"] = Field(
        "constant", description="how the learning rate falls after the warm-up"
    )
    warmup_steps: int = Field(0, ge=0, description="steps in which the learning rate rises from 0 to its peak")
    final_learning_rate: float = Field(0.0, ge=0, le=1, description="share of the peak at the end of the schedule")
    momentum: float = Field(0.9, ge=0, lt=1, description="of nesterov and rmsprop")
    beta_2: float = Field(0.999, gt=0, lt=1, description="decay of the second moment of adam and adamw")
    weight_decay: float = Field(0.0, ge=0, description="decoupled weight decay a step (adamw)")
    clipping: Literal["none", "global_norm", "norm", "value"] = Field(
        "global_norm", description="what is limited after the replicas' gradients are summed"
    )
    clip: float = Field(5.0, gt=0, description="the limit of the clipping")
    average_decay: float = Field(0.99, ge=0, lt=1, description="of the moving average of weights; 0 is no average")
    l1: float = Field(0.0, ge=0, description="L1 penalty of all kernels except those applied to a recurrent state")
    l2: float = Field(0.0, ge=0, description="L2 penalty of all kernels except those applied to a recurrent state")

    monitor_gradients: bool = Field(
        False, description="record gradient norms of each weight and at each time lag after each epoch, for the report"
    )

    strategy: Literal["auto", "one_device", "mirrored", "multi_worker"] = Field("auto", description="tf.distribute")
    mixed_precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = Field(
        "float32", description="Keras policy"
    )
    init_from: str | None = Field(None, description="run directory whose weights are the start; extends its vocabulary")

    def chosen(self, corpus: Corpus) -> Corpus:
        """What the settings choose of a corpus, in every split; all of it, unless a task says otherwise.

        What is left out is counted in the notes of the corpus.

        Raises:
            DataError: if the corpus does not fit the settings.
        """
        return corpus


class EncoderConfig(BaseModel):
    """The settings of `seqloom.layers.Encoder`, the same in every task."""

    encoder: RecurrentLayer = Field("lstm", description="kind of recurrent layer")
    units: int = Field(128, ge=1, le=8192, description="units of each layer and direction")
    num_layers: int = Field(1, ge=1, le=64, description="recurrent layers")
    bidirectional: bool = Field(True, description="read the sequence in both directions")
    connections: Literal["none", "residual", "highway", "dense"] = Field("none", description="shortcuts between layers")
    forget_bias: float = Field(1.0, ge=-10, le=10, description="initial bias of a forget gate, where there is one")
    dropout: float = Field(0.3, ge=0, lt=1, description="share of the inputs of each layer set to 0")
    recurrent_dropout: float = Field(0.0, ge=0, lt=1, description="share of the state set to 0, one mask a sequence")

    @model_validator(mode="after")
    def _gated_feedback_has_its_own_connections(self) -> Self:
        if self.encoder == "gated_feedback" and self.connections != "none":
            raise ValueError("encoder=gated_feedback connects its layers itself; it needs connections=none")
        return self


class WordsConfig(BaseModel):
    """The settings of tasks that read words."""

    lowercase: bool = Field(True, description="read upper case as lower case (in training and in the export alike)")
    min_count: int = Field(1, ge=1, description="words rarer than this in train are read as unknown")
    embedding_dim: int = Field(128, ge=1, description="size of a word's vector")
    embeddings: str | None = Field(None, description="word vectors to start from, GloVe or word2vec text format")
    word_dropout: float = Field(0.0, ge=0, lt=1, description="share of the words read as unknown in training")
    adversarial: float = Field(
        0.0, ge=0, lt=1, description="learn also from vectors changed for the worst by this share of their length"
    )
    max_tokens: int = Field(512, ge=1, description="longest text in words; longer ones are answered with an error")


class ClassifierConfig(BaseModel):
    """The settings of tasks that name a class and give its probability."""

    select_by: Literal["accuracy", "log_loss"] = Field(
        "accuracy", description="what decides on valid which epoch is kept; log_loss is the steadier of the two"
    )


def load_config(
    entry: TaskEntry,
    config_class: type[ConfigT],
    files: Iterable[Path] = (),
    settings: Mapping[str, Any] | None = None,
) -> ConfigT:
    """Puts the settings together: `settings` (the command line) before `files` (later first) before the data set's.

    Raises:
        UserError: for a file that cannot be read, an unknown key (the nearest is named) or a value out of range.
    """
    known = config_class.model_fields
    merged: dict[str, Any] = {}
    for path in files:
        merged |= _checked(read_yaml(path), known, f"{path}: ")
    merged |= _checked(settings or {}, known, "")
    dataset = str(merged.get("dataset", known["dataset"].default))
    defaults = _checked(dataset_defaults(entry, dataset), known, f"defaults of {dataset}: ")
    return validate(config_class, _absolute(defaults | merged, entry))


def dataset_defaults(entry: TaskEntry, dataset: str) -> dict[str, Any]:
    """The task's defaults for a registered data set: `configs/DATASET.yaml` in the task's folder, if it is there."""
    path = Path(__file__).parent / entry.name / "configs" / f"{dataset}.yaml"
    return read_yaml(path) if dataset in entry.datasets and path.is_file() else {}


def validate(config_class: type[ConfigT], values: Mapping[str, Any]) -> ConfigT:
    """Makes the config, or says in one sentence which values do not fit.

    Example:
        >>> validate(TaskConfig, {"epochs": 0})
        Traceback (most recent call last):
        ...
        seqloom.pipelines.errors.UserError: epochs must be greater than or equal to 1, got 0
    """
    try:
        return config_class.model_validate(values)
    except pydantic.ValidationError as error:
        raise UserError("; ".join(_sentence(problem) for problem in error.errors())) from None


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file that holds settings, as a dictionary."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"there is no config file {path}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"the config file {path} cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise UserError(f"the config file {path} must hold lines of `key: value`, got {type(values).__name__}")
    return values


def parse_setting(text: str) -> tuple[str, Any]:
    """Reads `KEY=VALUE`; the value is YAML, as in a config file.

    Example:
        >>> parse_setting("units=64"), parse_setting("bidirectional=false")
        (('units', 64), ('bidirectional', False))
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise UserError(f"--set must be followed by KEY=VALUE, got {text!r}")
    try:
        return key.strip().replace("-", "_"), yaml.safe_load(value)
    except yaml.YAMLError:
        raise UserError(f"the value of {key.strip()} cannot be read: {value!r}") from None


def differences(before: TaskConfig, after: TaskConfig, but: str = "") -> list[str]:
    """The settings, other than those that only lengthen or move a run, in which two configs differ.

    More epochs lengthen a run only when the learning rate does not depend on the number of epochs.
    """
    old, new = before.model_dump(), after.model_dump()
    found = [key for key in new if key not in CONTINUABLE and key != but and old.get(key) != new[key]]
    scheduled = after.schedule in ("cosine", "linear", "exponential")
    if new["epochs"] != old["epochs"] and (scheduled or new["epochs"] < old["epochs"]):
        found.append("epochs")
    return [f"{key} was {old.get(key)!r}, now {new[key]!r}" for key in found]


def to_yaml(config: TaskConfig) -> str:
    """The config as a YAML file with one line a setting."""
    values = config.model_dump()
    # YAML takes some characters that cannot be seen, such as U+0085, for ends of lines: they are escaped
    visible = all(value.isprintable() for value in values.values() if isinstance(value, str))
    return yaml.safe_dump(values, sort_keys=False, allow_unicode=visible)


def _absolute(values: Mapping[str, Any], entry: TaskEntry) -> dict[str, Any]:
    """The settings with whole paths, so that a run can be opened from any folder."""
    paths = [key for key in ("data_dir", "init_from", "embeddings") if values.get(key)]
    if str(values.get("dataset")) not in entry.datasets and Path(str(values.get("dataset"))).expanduser().exists():
        paths.append("dataset")
    return {**values, **{key: str(Path(str(values[key])).expanduser().resolve()) for key in paths}}


def read_settings(config_class: type[ConfigT], values: Mapping[str, Any], where: str) -> ConfigT:
    """The settings of a run as they were written."""
    return validate(config_class, _checked(values, config_class.model_fields, where))


def _checked(values: Mapping[str, Any], known: Mapping[str, Any], where: str) -> dict[str, Any]:
    for key in values:
        if key not in known:
            raise UserError(f"{where}there is no setting {key!r}{suggestion(str(key), known)}")
    return dict(values)


def _sentence(problem: Any) -> str:
    name = ".".join(str(part) for part in problem["loc"]) or "the settings"
    message = problem["msg"].removeprefix("Input ").removeprefix("Value error, ").removeprefix("should ")
    if problem["type"] == "value_error":
        return message
    return f"{name} must {message}, got {problem['input']!r}"
