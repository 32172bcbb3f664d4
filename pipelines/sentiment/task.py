"""Sentiment as a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...datasets.corpus import DataError
from ...datasets.labelled_text import LabelledText
from ..batching import TrainingData
from ..corpora import Splits
from ..evaluation import RESAMPLES, Scores
from ..initialisation import start_from_vectors
from ..pipeline import Call, Pipeline, Row
from ..reporting.page import Section
from . import baselines, evaluation, published
from .config import Config
from .data import Preprocessor, training_data
from .language_model import LanguageModelPretraining
from .model import SentimentModel
from .reading import how_read
from .serving import SentimentServer


class Sentiment(Pipeline[Config, LabelledText, Preprocessor]):
    """Names the class of a text."""

    preprocessor_class = Preprocessor
    server_class = SentimentServer

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.selection_metric = config.select_by

    def fit_preprocessor(self, train: Sequence[LabelledText], base: Preprocessor | None) -> Preprocessor:
        return Preprocessor.fit(train, self.config, base)

    def training_data(self, examples: Sequence[LabelledText], preprocessor: Preprocessor) -> TrainingData:
        return training_data(examples, preprocessor, self.config)

    def build_model(self, preprocessor: Preprocessor) -> SentimentModel:
        reader = preprocessor.reader(self.config)
        model = SentimentModel(
            config=self.config.model_dump(),
            sizes={"words": len(preprocessor.words), "regions": reader.region_sizes, "units": reader.entries},
            labels=list(preprocessor.labels.entries),
            name="sentiment",
        )
        model.build()
        return model

    def initialise(self, model: SentimentModel, preprocessor: Preprocessor) -> dict[str, int]:
        found: dict[str, int] = {}
        if len(preprocessor.ratios):
            model.set_ratios(preprocessor.ratios)
            found["words and n-grams with log-count ratios"] = len(preprocessor.ratios)
        vectors = model.embedding.embeddings[0]
        return found | start_from_vectors(self.config.embeddings, preprocessor.words, [vectors])

    def pretraining(
        self, train: Sequence[LabelledText], valid: Sequence[LabelledText], preprocessor: Preprocessor
    ) -> LanguageModelPretraining | None:
        if self.config.pretraining_epochs == 0:
            return None
        return LanguageModelPretraining(train, valid, preprocessor, self.config)

    def build_server(self, model: SentimentModel, preprocessor: Preprocessor) -> SentimentServer:
        return SentimentServer(model, preprocessor, self.config)

    def request(self, example: LabelledText) -> Mapping[str, Any]:
        return {"text": example.text}

    def row(self, example: LabelledText, answer: Mapping[str, Any], preprocessor: Preprocessor) -> Row:
        probabilities = dict(zip(preprocessor.labels.entries, answer["probabilities"], strict=True))
        return {
            "text": example.text,
            "gold": {"label": example.label, "rating": example.rating},
            "predicted": {
                "label": answer["label"],
                "probabilities": {} if answer["error"] else probabilities,
                "error": answer["error"],
            },
        }

    def details(
        self,
        rows: Sequence[Row],
        requests: Sequence[Mapping[str, Any] | DataError],
        preprocessor: Preprocessor,
        call: Call,
        own: Callable[[], Splits],
    ) -> list[Row]:
        facts = how_read([row["text"] for row in rows], preprocessor.reader(self.config), self.config)
        detailed = [{**row, **fact} for row, fact in zip(rows, facts, strict=True)]
        chosen = evaluation.worth_explaining(detailed)
        answers = call("explain", [requests[place] for place in chosen])
        for place, answer in zip(chosen, answers, strict=True):
            pairs = zip(answer["tokens"], answer["contributions"], strict=True)
            detailed[place]["explanation"] = [[word, round(value, 4)] for word, value in pairs]
        return detailed

    def score(self, rows: Sequence[Row], intervals: bool = True) -> Scores:
        return evaluation.score(rows, RESAMPLES if intervals else 0)

    def sections(self, rows: Sequence[Row], tuning: Mapping[str, Any]) -> list[Section]:
        return evaluation.sections(rows)

    def baselines(
        self, train: Sequence[LabelledText], valid: Sequence[LabelledText], test: Sequence[LabelledText]
    ) -> dict[str, list[Row]]:
        return baselines.baselines(train, test)

    def published(self) -> list[dict[str, Any]]:
        return published.PUBLISHED.get(self.config.dataset, [])
