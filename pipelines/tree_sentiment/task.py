"""Tree sentiment as a pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...datasets.brackets import to_brackets
from ...datasets.labelled_tree import LabelledTree
from ..batching import TrainingData
from ..evaluation import RESAMPLES, Scores
from ..initialisation import start_from_vectors
from ..pipeline import Pipeline, Row
from ..reporting.page import Section
from . import evaluation, published
from .baselines import baselines
from .config import Config
from .data import Preprocessor, training_data
from .judgement import prediction_row
from .model import TreeModel
from .serving import TreeServer


class TreeSentiment(Pipeline[Config, LabelledTree, Preprocessor]):
    """Names the class of every phrase of a parse tree."""

    preprocessor_class = Preprocessor
    server_class = TreeServer

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        accuracy = evaluation.root_accuracy(config.classes)
        self.selection_metric = accuracy if config.select_by == "accuracy" else config.select_by

    def usable(self, examples: Sequence[LabelledTree]) -> tuple[list[LabelledTree], dict[str, int]]:
        """Leaves out trees that are too long."""
        short = [tree for tree in examples if len(tree.tokens) <= self.config.max_tokens]
        left_out = len(examples) - len(short)
        return short, {"training trees left out because they are longer than max_tokens": left_out} if left_out else {}

    def fit_preprocessor(self, train: Sequence[LabelledTree], base: Preprocessor | None) -> Preprocessor:
        return Preprocessor.fit(train, self.config, base)

    def training_data(self, examples: Sequence[LabelledTree], preprocessor: Preprocessor) -> TrainingData:
        return training_data(examples, preprocessor, self.config)

    def build_model(self, preprocessor: Preprocessor) -> TreeModel:
        model = TreeModel(
            config=self.config.model_dump(),
            words=len(preprocessor.words),
            arity=preprocessor.arity,
            classes=preprocessor.classes,
            name="tree_sentiment",
        )
        model.build()
        return model

    def initialise(self, model: TreeModel, preprocessor: Preprocessor) -> dict[str, int]:
        embeddings = [member.embedding.embeddings for member in model.members]
        return start_from_vectors(self.config.embeddings, preprocessor.words, embeddings)

    def build_server(self, model: TreeModel, preprocessor: Preprocessor) -> TreeServer:
        return TreeServer(model, preprocessor, self.config)

    def request(self, example: LabelledTree) -> Mapping[str, Any]:
        return {"tree": to_brackets(example, labels=False)}

    def request_from_argument(self, argument: str) -> Mapping[str, Any]:
        return {"tree": argument}

    def row(self, example: LabelledTree, answer: Mapping[str, Any], preprocessor: Preprocessor) -> Row:
        probabilities = np.array(answer["node_probabilities"]).reshape(-1, self.config.classes)
        return prediction_row(example, probabilities, answer["error"])

    def score(self, rows: Sequence[Row], intervals: bool = True) -> Scores:
        return evaluation.score(rows, self.config.classes, RESAMPLES if intervals else 0)

    def sections(self, rows: Sequence[Row], tuning: Mapping[str, Any]) -> list[Section]:
        return evaluation.sections(rows, self.config.classes)

    def baselines(
        self, train: Sequence[LabelledTree], valid: Sequence[LabelledTree], test: Sequence[LabelledTree]
    ) -> dict[str, list[Row]]:
        return baselines(train, test, self.config)

    def published(self) -> list[dict[str, Any]]:
        return published.published(self.config.dataset, self.config.classes)
