"""Speech recognition as a pipeline."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ...datasets.audio import AudioFile, FrameMatrix, Sound
from ...datasets.corpus import DataError
from ...datasets.feature_file import SUFFIX, read_feature_file
from ...datasets.utterance import Utterance
from ..audio import waveform, waveform_request
from ..batching import TrainingData
from ..corpora import Splits, cache_dir, evenly_spread
from ..errors import UserError
from ..evaluation import RESAMPLES, Scores
from ..feature_store import FeatureStore, FeatureStores, silent_sounds
from ..pipeline import Call, Pipeline, Row
from ..reporting.page import Section
from . import baselines, evaluation, published
from .config import Config
from .data import Preprocessor, least_frames, training_data
from .details import add_decoders, add_inspections
from .model import SpeechModel
from .serving import FeatureServer, SpeechServer, WaveformServer
from .transcripts import normal_transcripts
from .tuning import MOST, tune


class SpeechRecognition(Pipeline[Config, Utterance, Preprocessor]):
    """Writes down what is said."""

    preprocessor_class = Preprocessor
    validation_function: ClassVar = "greedy"
    has_tuning: ClassVar = True

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.selection_metric = config.select_by
        self.server_class = self._server()
        self._stores = FeatureStores(config, cache_dir())

    def usable(self, examples: Sequence[Utterance]) -> tuple[list[Utterance], dict[str, int]]:
        """Leaves out recordings that are too long, and those too short for their transcripts."""
        store = self._store(examples)
        lengths, longest = store.lengths, 1 + self.config.max_seconds / self.config.frame_seconds
        texts = normal_transcripts([example.transcript for example in examples], self.config.lowercase)
        needed = least_frames(texts, self.config)
        silent = silent_sounds(store, self.config)
        fine = (lengths >= np.array(needed)) & (lengths <= longest) & ~silent
        left_out = {
            "training utterances left out because they are silent": int(silent.sum()),
            "training utterances left out because they are longer than max_seconds": int((lengths > longest).sum()),
            "training utterances left out because they have fewer steps than characters": int(
                (lengths < np.array(needed)).sum()
            ),
        }
        return list(itertools.compress(examples, fine)), {reason: count for reason, count in left_out.items() if count}

    def fit_preprocessor(self, train: Sequence[Utterance], base: Preprocessor | None) -> Preprocessor:
        store = self._store(train)
        if store.size != self.config.features_of_a_frame:
            raise UserError(
                f"the corpus has {store.size} features a frame, and features={self.config.features} means "
                f"{self.config.features_of_a_frame}; say --set features=mfcc --set coefficients={store.size}"
            )
        return Preprocessor.fit(train, store, self.config, base)

    def training_data(self, examples: Sequence[Utterance], preprocessor: Preprocessor) -> TrainingData:
        return training_data(examples, self._store(examples), preprocessor, self.config)

    def build_model(self, preprocessor: Preprocessor) -> SpeechModel:
        model = SpeechModel(
            config=self.config.model_dump(),
            size=preprocessor.size,
            characters=len(preprocessor.characters),
            name="speech_recognition",
        )
        model.build()
        return model

    def initialise(self, model: SpeechModel, preprocessor: Preprocessor) -> dict[str, int]:
        if self.config.normalisation != "global":
            return {}
        model.normalisation.adapt(preprocessor.mean, preprocessor.variance)  # type: ignore[union-attr]
        return {"features with a mean and a variance from train": len(preprocessor.mean)}

    def build_server(self, model: SpeechModel, preprocessor: Preprocessor) -> SpeechServer:
        return self._server()(model, preprocessor, self.config)

    def tune(self, server: SpeechServer, train: Sequence[Utterance], valid: Sequence[Utterance]) -> dict[str, Any]:
        """Chooses the weight of the language model and the word bonus."""
        if server.scorer is None:
            return {}
        some = evenly_spread(valid, MOST)
        return tune(server, [self.request(example) for example in some], self._texts(some), self.config)

    def request(self, example: Utterance) -> Mapping[str, Any]:
        return self._request(example.sound)

    def request_from_argument(self, argument: str) -> Mapping[str, Any]:
        path = Path(argument)
        if "\0" in argument:
            raise DataError(f"{argument!r} is no name of a file")
        is_features = path.suffix.lower() == SUFFIX
        if is_features and self.config.input == "waveform":
            raise DataError(f"{path} holds features, and this model reads sound")
        if not is_features and self.config.input == "features":
            raise DataError(f"{path} must be a file of features (.mfc): this model has learnt from features, not sound")
        return self._request(read_feature_file(path) if is_features else AudioFile(path))

    def row(self, example: Utterance, answer: Mapping[str, Any], preprocessor: Preprocessor) -> Row:
        """A line of predictions; of the greedy decoder, by which training is validated, the text alone."""
        return {
            "name": example.name,
            "speaker": example.speaker,
            "gold": {"text": self._texts([example])[0]},
            "predicted": {name: answer[name] for name in self.server_class.outputs if name in answer},
        }

    def details(
        self,
        rows: Sequence[Row],
        requests: Sequence[Mapping[str, Any] | DataError],
        preprocessor: Preprocessor,
        call: Call,
        own: Callable[[], Splits],
    ) -> list[Row]:
        detailed = add_decoders(rows, requests, self.config, call)
        for row in detailed:
            gold = row["gold"]["text"]
            row["unseen_words"] = [word for word in gold.split(" ") if word not in preprocessor.words]
            row["unseen_characters"] = sorted({each for each in gold if each not in preprocessor.characters})
        add_inspections(detailed, requests, preprocessor, self.config, call)
        return detailed

    def score(self, rows: Sequence[Row], intervals: bool = True) -> Scores:
        return evaluation.score(rows, RESAMPLES if intervals else 0)

    def sections(self, rows: Sequence[Row], tuning: Mapping[str, Any]) -> list[Section]:
        return evaluation.sections(rows, tuning)

    def baselines(
        self, train: Sequence[Utterance], valid: Sequence[Utterance], test: Sequence[Utterance]
    ) -> dict[str, list[Row]]:
        return baselines.baselines(train, test, self._frames, self.config.frame_seconds, self.config.lowercase)

    def published(self) -> list[dict[str, Any]]:
        return published.PUBLISHED.get(self.config.dataset, [])

    def _server(self) -> type[SpeechServer]:
        return WaveformServer if self.config.input == "waveform" else FeatureServer

    def _store(self, examples: Sequence[Utterance]) -> FeatureStore:
        """The static features of utterances."""
        return self._stores.of([example.sound for example in examples])

    def _frames(self, examples: Sequence[Utterance]) -> list[np.ndarray]:
        return list(self._store(examples))

    def _texts(self, examples: Sequence[Utterance]) -> list[str]:
        return normal_transcripts([example.transcript for example in examples], self.config.lowercase)

    def _request(self, sound: Sound) -> Mapping[str, Any]:
        if isinstance(sound, FrameMatrix):
            return {"features": sound.frames, "lengths": np.int32(len(sound.frames))}
        return waveform_request(waveform(sound, self.config.sampling_rate))
