"""Slot filling as a pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...datasets.tagged_sentence import TaggedSentence
from ..batching import TrainingData
from ..evaluation import RESAMPLES, Scores
from ..initialisation import start_from_vectors
from ..pipeline import Pipeline, Row
from ..reporting.page import Section
from . import baselines, evaluation, published
from .config import Config
from .data import Preprocessor, training_data
from .model import SlotFillingModel
from .serving import SlotFillingServer
from .spans import repair


class SlotFilling(Pipeline[Config, TaggedSentence, Preprocessor]):
    """Tags the words of a sentence and names its intent."""

    preprocessor_class = Preprocessor
    server_class = SlotFillingServer
    selection_metric = "sentence_accuracy"

    def usable(self, examples: Sequence[TaggedSentence]) -> tuple[list[TaggedSentence], dict[str, int]]:
        """Leaves out sentences that are too long, and writes tags as legal IOB2 with the same spans."""
        short = [sentence for sentence in examples if len(sentence.tokens) <= self.config.max_tokens]
        legal = [replace(sentence, tags=tuple(repair(sentence.tags))) for sentence in short]
        notes = {
            "training sentences left out because they are longer than max_tokens": len(examples) - len(short),
            "training sentences whose tags were rewritten as legal IOB2": sum(
                before.tags != after.tags for before, after in zip(short, legal, strict=True)
            ),
        }
        return legal, {note: count for note, count in notes.items() if count}

    def fit_preprocessor(self, train: Sequence[TaggedSentence], base: Preprocessor | None) -> Preprocessor:
        return Preprocessor.fit(train, self.config, base)

    def training_data(self, examples: Sequence[TaggedSentence], preprocessor: Preprocessor) -> TrainingData:
        return training_data(examples, preprocessor, self.config)

    def build_model(self, preprocessor: Preprocessor) -> SlotFillingModel:
        model = SlotFillingModel(
            config=self.config.model_dump(),
            sizes={"words": len(preprocessor.words), "characters": len(preprocessor.characters)},
            tags=list(preprocessor.tags.entries),
            intents=list(preprocessor.intents.entries) if preprocessor.intents else [],
            name="slot_filling",
        )
        model.build()
        return model

    def initialise(self, model: SlotFillingModel, preprocessor: Preprocessor) -> dict[str, int]:
        embeddings = [member.embedding.embeddings for member in model.members]
        return start_from_vectors(self.config.embeddings, preprocessor.words, embeddings)

    def build_server(self, model: SlotFillingModel, preprocessor: Preprocessor) -> SlotFillingServer:
        return SlotFillingServer(model, preprocessor, self.config)

    def request(self, example: TaggedSentence) -> Mapping[str, Any]:
        return {"text": " ".join(example.tokens)}

    def row(self, example: TaggedSentence, answer: Mapping[str, Any], preprocessor: Preprocessor) -> Row:
        return {
            "text": " ".join(example.tokens),
            "gold": {"tags": list(example.tags), "intent": example.intent},
            "predicted": {name: answer[name] for name in ("tags", "intent", "intent_probability", "error")},
            "unseen": preprocessor.unseen(example.tokens, self.config.lowercase),
        }

    def score(self, rows: Sequence[Row], intervals: bool = True) -> Scores:
        return evaluation.score(rows, RESAMPLES if intervals else 0)

    def sections(self, rows: Sequence[Row], tuning: Mapping[str, Any]) -> list[Section]:
        return evaluation.sections(rows)

    def baselines(
        self, train: Sequence[TaggedSentence], valid: Sequence[TaggedSentence], test: Sequence[TaggedSentence]
    ) -> dict[str, list[Row]]:
        return baselines.baselines(train, test)

    def published(self) -> list[dict[str, Any]]:
        return published.PUBLISHED.get(self.config.dataset, [])
