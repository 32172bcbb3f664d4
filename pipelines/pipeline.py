"""What a task is: the page to read first.

A task fills in `Pipeline`; the machinery beside this file does the rest, the same for every task:

    datasets/ -> corpora.py      splits of plain examples (cut, limited, counted)
    Pipeline.fit_preprocessor    vocabularies and statistics, from train alone
    Pipeline.training_data       batches of tensors, by row numbers   -> batching.py: buckets, order, weights
    Pipeline.build_model         a SequenceModel                      -> training.py: fit, clipping, resume, strategy
    Pipeline.pretraining         what is trained before it, if anything       -> pretraining.py: weights by path
    Pipeline.build_server        raw input in, decoded output out     -> exporting.py: SavedModel
    Pipeline.tune                what training leaves open, chosen on valid            -> tuning.json
    Pipeline.request, .row       an example as a request, and as a line of predictions.jsonl (with .details)
    Pipeline.score, .sections    metrics and the task's part of the page -> evaluation.py, reporting/

Validation during training, `evaluate`, `predict` and a model server all call the same `Server.answer`.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, Self, TypeVar

from ..datasets.corpus import DataError
from .batching import TrainingData
from .config import TaskConfig
from .corpora import Splits
from .evaluation import Scores
from .exporting import Server
from .reporting.page import Section
from .sequence_model import SequenceModel

if TYPE_CHECKING:
    from .pretraining import Pretraining

ConfigT = TypeVar("ConfigT", bound=TaskConfig)
ExampleT = TypeVar("ExampleT")
PreprocessorT = TypeVar("PreprocessorT", bound="Preprocessor")
Row = dict[str, Any]
Call = Callable[[str, Sequence[Mapping[str, Any] | DataError]], list[dict[str, Any]]]


class Preprocessor(Protocol):
    """What is learnt from train before the model: vocabularies, statistics. Saved in the run, in readable files."""

    def save(self, folder: Path) -> None:
        """Writes everything into a folder that exists."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Reads what `save` wrote."""


class Pipeline(abc.ABC, Generic[ConfigT, ExampleT, PreprocessorT]):
    """One task, from examples to scores.

    Attributes:
        preprocessor_class: what `fit_preprocessor` makes.
        server_class: what `build_server` makes; its `padding` says how answers are stripped.
        validation_function: the method of the server that validation during training calls; what it answers has to be
            enough for `row` and `score`.
        has_tuning: whether `tune` chooses something.
        selection_metric: the metric of `score` by which the best epoch is chosen on valid; its name says whether lower
            is better, see `evaluation.lower_is_better`.

    Args:
        config: the effective settings of the run.
    """

    preprocessor_class: ClassVar[type[Any]]
    server_class: type[Server]
    validation_function: ClassVar[str] = "answer"
    has_tuning: ClassVar[bool] = False
    selection_metric: str

    def __init__(self, config: ConfigT) -> None:
        self.config = config

    def usable(self, examples: Sequence[ExampleT]) -> tuple[list[ExampleT], dict[str, int]]:
        """The examples that training can use, and for each reason how many were left out or mended."""
        return list(examples), {}

    @abc.abstractmethod
    def fit_preprocessor(self, train: Sequence[ExampleT], base: PreprocessorT | None) -> PreprocessorT:
        """Learns the preprocessor from train; its vocabularies extend those of `base` (see `init_from`)."""

    @abc.abstractmethod
    def training_data(self, examples: Sequence[ExampleT], preprocessor: PreprocessorT) -> TrainingData:
        """The examples as lengths and a function from row numbers to tensors."""

    @abc.abstractmethod
    def build_model(self, preprocessor: PreprocessorT) -> SequenceModel:
        """A new model whose variables exist; called under the strategy's scope."""

    def initialise(self, model: SequenceModel, preprocessor: PreprocessorT) -> dict[str, int]:
        """Sets first values that come from files, such as word vectors; says what was set."""
        return {}

    def pretraining(
        self, train: Sequence[ExampleT], valid: Sequence[ExampleT], preprocessor: PreprocessorT
    ) -> Pretraining | None:
        """What is trained before the model and hands its weights to it; nothing, unless a task says otherwise."""
        return None

    @abc.abstractmethod
    def build_server(self, model: SequenceModel, preprocessor: PreprocessorT) -> Server:
        """The decoder around a model."""

    def tune(self, server: Server, train: Sequence[ExampleT], valid: Sequence[ExampleT]) -> dict[str, Any]:
        """Sets what training leaves open, choices on valid alone; nothing, unless a task says otherwise.

        Returns:
            what was tried and chosen, ready for JSON: `Server.set_tuning` reads it, and so does `sections`.
        """
        return {}

    @abc.abstractmethod
    def request(self, example: ExampleT) -> Mapping[str, Any]:
        """An example as the raw input of the server."""

    def request_from_argument(self, argument: str) -> Mapping[str, Any]:
        """One argument (or line) of `predict` as the raw input of the server.

        Raises:
            DataError: if the argument names a file that cannot be used; the other arguments are answered all the same.
        """
        return {"text": argument}

    @abc.abstractmethod
    def row(self, example: ExampleT, answer: Mapping[str, Any], preprocessor: PreprocessorT) -> Row:
        """One line of `predictions.jsonl`: everything that `score` needs of this example."""

    def details(
        self,
        rows: Sequence[Row],
        requests: Sequence[Mapping[str, Any] | DataError],
        preprocessor: PreprocessorT,
        call: Call,
        own: Callable[[], Splits],
    ) -> list[Row]:
        """The rows with what only a report needs of them, such as answers of other signatures of the export.

        Args:
            rows: as `row` made them.
            requests: what was asked, one for each row, or why nothing could be asked.
            preprocessor: of the run.
            call: lets a signature of the export, by name, answer requests.
            own: gives the data of the run, read when it is asked for.
        """
        return list(rows)

    @abc.abstractmethod
    def score(self, rows: Sequence[Row], intervals: bool = True) -> Scores:
        """Metrics and counts of predictions, and the intervals of the metrics unless they are not wanted."""

    @abc.abstractmethod
    def sections(self, rows: Sequence[Row], tuning: Mapping[str, Any]) -> list[Section]:
        """The task's own part of the report, the worst errors last; `tuning` is what `tune` returned."""

    def baselines(
        self, train: Sequence[ExampleT], valid: Sequence[ExampleT], test: Sequence[ExampleT]
    ) -> dict[str, list[Row]]:
        """Rows of simple methods for the same `score`: they know the same train and valid."""
        return {}

    def published(self) -> list[dict[str, Any]]:
        """Published figures for the data set: `{"system", "metrics", "source"}`."""
        return []
