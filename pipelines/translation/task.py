"""Translation as a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from ...datasets.corpus import DataError
from ...datasets.translated_sentence import TranslatedSentence
from ..batching import TrainingData
from ..corpora import Splits
from ..evaluation import RESAMPLES, Scores
from ..initialisation import start_from_vectors
from ..pipeline import Call, Pipeline, Row
from ..reporting.page import Section
from . import baselines, evaluation, published
from .config import Config
from .data import Preprocessor, training_data, usable
from .details import add_attention, add_searches, add_sources
from .model import TranslationModel
from .reading import source_words
from .serving import TranslationServer
from .tuning import tune
from .writing import target_symbols


class Translation(Pipeline[Config, TranslatedSentence, Preprocessor]):
    """Writes in one language what a sentence says in another."""

    preprocessor_class = Preprocessor
    server_class = TranslationServer
    validation_function: ClassVar = "greedy"
    has_tuning: ClassVar = True

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.selection_metric = config.select_by

    def usable(self, examples: Sequence[TranslatedSentence]) -> tuple[list[TranslatedSentence], dict[str, int]]:
        """Leaves out pairs that are too long, are not translated, or have nothing to read on one side."""
        return usable(examples, self.config)

    def fit_preprocessor(self, train: Sequence[TranslatedSentence], base: Preprocessor | None) -> Preprocessor:
        return Preprocessor.fit(train, self.config, base)

    def training_data(self, examples: Sequence[TranslatedSentence], preprocessor: Preprocessor) -> TrainingData:
        return training_data(examples, preprocessor, self.config)

    def build_model(self, preprocessor: Preprocessor) -> TranslationModel:
        model = TranslationModel(
            config=self.config.model_dump(),
            sizes={"source": len(preprocessor.source), "target": len(preprocessor.target)},
            name="translation",
        )
        model.build()
        return model

    def initialise(self, model: TranslationModel, preprocessor: Preprocessor) -> dict[str, int]:
        source = [model.source_embedding.embeddings]
        found = start_from_vectors(self.config.embeddings, preprocessor.source, source)
        target = [model.target_embedding.embeddings]
        written = start_from_vectors(self.config.target_embeddings, preprocessor.target, target)
        return found | {f"target {what}": count for what, count in written.items()}

    def build_server(self, model: TranslationModel, preprocessor: Preprocessor) -> TranslationServer:
        return TranslationServer(model, preprocessor, self.config)

    def tune(
        self, server: TranslationServer, train: Sequence[TranslatedSentence], valid: Sequence[TranslatedSentence]
    ) -> dict[str, Any]:
        """Chooses the beam width and the length penalty."""
        return tune(server, valid, self.config) if self.config.search == "beam" else {}

    def request(self, example: TranslatedSentence) -> Mapping[str, Any]:
        return {"text": example.source}

    def row(self, example: TranslatedSentence, answer: Mapping[str, Any], preprocessor: Preprocessor) -> Row:
        """A line of predictions; of the greedy search, by which training is validated, without alignments."""
        return {
            "source": example.source,
            "attributions": list(example.attributions),
            "gold": {"targets": list(example.targets)},
            "predicted": {
                name: answer[name] for name in self.server_class.outputs if name in answer and name != "tokens"
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
        detailed = add_searches(rows, requests, call)
        add_sources(detailed, preprocessor, self.config)
        add_attention(detailed, requests, self.config, call)
        return detailed

    def score(self, rows: Sequence[Row], intervals: bool = True) -> Scores:
        return evaluation.score(rows, RESAMPLES if intervals else 0, self.config.bleu_tokenize)

    def sections(self, rows: Sequence[Row], tuning: Mapping[str, Any]) -> list[Section]:
        return evaluation.sections(rows, tuning, self.config.bleu_tokenize)

    def baselines(
        self,
        train: Sequence[TranslatedSentence],
        valid: Sequence[TranslatedSentence],
        test: Sequence[TranslatedSentence],
    ) -> dict[str, list[Row]]:
        return baselines.baselines(
            train,
            test,
            lambda texts: source_words(texts, self.config),
            lambda texts: target_symbols(texts, self.config),
            "" if self.config.target_level == "character" else " ",
        )

    def published(self) -> list[dict[str, Any]]:
        return published.PUBLISHED.get(self.config.dataset, [])
