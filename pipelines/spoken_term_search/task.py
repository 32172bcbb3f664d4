"""Spoken term search as a pipeline."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...datasets.audio import AudioFile, Sound
from ...datasets.corpus import DataError
from ...datasets.spoken_term import SpokenTerm
from ..audio import waveform, waveform_request
from ..audio_config import AudioConfig
from ..batching import TrainingData
from ..corpora import Splits, cache_dir
from ..errors import UserError
from ..evaluation import RESAMPLES, Scores
from ..feature_store import FeatureStores, silent_sounds
from ..inference import answer_all
from ..pipeline import Call, Pipeline, Row
from ..reporting.page import Section
from . import baselines, evaluation, published, scoring
from .config import Config
from .data import Preprocessor, training_data
from .details import add_restorations, add_sounds, add_times
from .model import TermModel
from .retrieval import with_search
from .serving import TermServer
from .unsegmented import Windows, add_unsegmented, recordings_of, searched
from .whitening import whitening

CEPSTRA = 13  # of a frame, by which terms are warped


class SpokenTermSearch(Pipeline[Config, SpokenTerm, Preprocessor]):
    """Turns stretches of sound into vectors, and finds those that sound alike."""

    preprocessor_class = Preprocessor
    server_class = TermServer

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.restores = config.variant != "siamese"
        self.validation_function = "encoded" if self.restores else "answer"  # type: ignore[misc]
        self.has_tuning = config.whitening  # type: ignore[misc]
        self.selection_metric = config.select_by if self.restores else "average_precision"
        self._features = FeatureStores(config, cache_dir())
        self._cepstra = FeatureStores(cepstral(config), cache_dir())

    def usable(self, examples: Sequence[SpokenTerm]) -> tuple[list[SpokenTerm], dict[str, int]]:
        """Leaves out terms that are silent or too long."""
        store = self._features.of([term.sound for term in examples])
        too_long = store.lengths > 1 + self.config.max_seconds / self.config.frame_seconds
        silent = silent_sounds(store, self.config)
        left_out = {
            "training terms left out because they are silent": int(silent.sum()),
            "training terms left out because they are longer than max_seconds": int(too_long.sum()),
        }
        fine = ~silent & ~too_long
        return list(itertools.compress(examples, fine)), {reason: count for reason, count in left_out.items() if count}

    def fit_preprocessor(self, train: Sequence[SpokenTerm], base: Preprocessor | None) -> Preprocessor:
        wanted = self.config.variant in ("correspondence", "siamese") and self.config.pairs == "discovered"
        store = self._features.of([term.sound for term in train])
        cepstra = [baselines.normalised(frames) for frames in self.cepstra(train)] if wanted else None
        return Preprocessor.fit(train, store, cepstra, self.config)

    def training_data(self, examples: Sequence[SpokenTerm], preprocessor: Preprocessor) -> TrainingData:
        store = self._features.of([term.sound for term in examples])
        return training_data(examples, store, preprocessor, self.config)

    def build_model(self, preprocessor: Preprocessor) -> TermModel:
        model = TermModel(config=self.config.model_dump(), size=preprocessor.size, name="spoken_term_search")
        model.build()
        return model

    def initialise(self, model: TermModel, preprocessor: Preprocessor) -> dict[str, int]:
        if self.config.normalisation != "global":
            return {}
        model.normalisation.adapt(preprocessor.mean, preprocessor.variance)  # type: ignore[union-attr]
        return {"features with a mean and a variance from train": len(preprocessor.mean)}

    def build_server(self, model: TermModel, preprocessor: Preprocessor) -> TermServer:
        return TermServer(model, preprocessor, self.config)

    def tune(self, server: TermServer, train: Sequence[SpokenTerm], valid: Sequence[SpokenTerm]) -> dict[str, Any]:
        """Computes the whitening from the vectors of train."""
        requests = [self.request(term) for term in self.usable(train)[0]]
        answers = answer_all(server.function("raw"), requests, server.others["raw"])
        if len(answers) < 2:
            raise UserError("whitening needs at least two usable terms in train, got one; say --set whitening=false")
        vectors = np.array([answer["vector"] for answer in answers], np.float32)
        mean, matrix = whitening(vectors, self.config.whitening_floor)
        return {"mean": mean.tolist(), "matrix": matrix.tolist()}

    def request(self, example: SpokenTerm) -> Mapping[str, Any]:
        return self._request(example.sound)

    def request_from_argument(self, argument: str) -> Mapping[str, Any]:
        if "\0" in argument:
            raise DataError(f"{argument!r} is no name of a file")
        return self._request(AudioFile(Path(argument)))

    def row(self, example: SpokenTerm, answer: Mapping[str, Any], preprocessor: Preprocessor) -> Row:
        """A line of predictions, without what a search finds, which a validation does without."""
        more = {name: answer[name] for name in ("restoration_error",) if name in answer}
        return {
            "name": example.name,
            "label": example.label,
            "speaker": example.speaker,
            "phonemes": list(example.phonemes),
            "error": answer["error"],
            "embedding": answer["embedding"],
            **more,
        }

    def details(
        self,
        rows: Sequence[Row],
        requests: Sequence[Mapping[str, Any] | DataError],
        preprocessor: Preprocessor,
        call: Call,
        own: Callable[[], Splits],
    ) -> list[Row]:
        """Adds what a search of the run's own archive finds for each query, and the distances between the queries."""
        archive = self.archive(own(), dict(zip((row["name"] for row in rows), requests, strict=True)))
        asked = [self.request(term) for term in archive]
        answers = call("serving_default", asked)
        vectors = np.array([answer["embedding"] for answer in answers], np.float32)
        queries = np.array([row["embedding"] for row in rows], np.float32)
        detailed = with_search(rows, archive, queries @ vectors.T, 1.0 - queries @ queries.T)
        recordings = recordings_of(archive)
        if searched([(row["label"], row["speaker"]) for row in detailed], recordings):
            windows = Windows(recordings, self.config)
            stretches = call("serving_default", [waveform_request(samples) for samples in windows.samples])
            places = np.array([answer["embedding"] for answer in stretches], np.float32)
            add_unsegmented(detailed, recordings, lambda place: windows.places(places @ queries[place]))
        if self.restores:
            for row, answer in zip(detailed, call("encoded", requests), strict=True):
                row["restoration_error"] = answer["restoration_error"]
        add_restorations(detailed, requests, self.config, call)
        add_sounds(detailed, requests, asked, self.config)
        add_times(detailed, requests, vectors, self.cepstra(archive), cepstral(self.config), call)
        for row, vector in zip(detailed, queries, strict=True):
            row["embedding"] = [round(float(each), 5) for each in vector]
        return detailed

    def score(self, rows: Sequence[Row], intervals: bool = True) -> Scores:
        return scoring.score(rows, RESAMPLES if intervals else 0)

    def sections(self, rows: Sequence[Row], tuning: Mapping[str, Any]) -> list[Section]:
        return evaluation.sections(rows)

    def baselines(
        self, train: Sequence[SpokenTerm], valid: Sequence[SpokenTerm], test: Sequence[SpokenTerm]
    ) -> dict[str, list[Row]]:
        archive = self._searched([*train, *valid], {term.name: self.request(term) for term in test})
        archive.sort(key=lambda term: term.name)  # however valid was cut, so that warping is done once for all seeds
        recordings = recordings_of(archive)
        sounds = [recording.sound for recording in recordings]
        whole = list(self._cepstra.of(sounds)) if sounds else []
        terms = self.cepstra(archive), self.cepstra(test)
        cache = cache_dir() / "warping"
        return baselines.baselines(archive, test, *terms, cache, recordings, whole, self.config.frame_seconds)

    def published(self) -> list[dict[str, Any]]:
        return published.PUBLISHED.get(self.config.dataset, [])

    def archive(self, splits: Splits, queries: Mapping[str, Mapping[str, Any] | DataError]) -> list[SpokenTerm]:
        """The terms in which queries are searched: train and valid, without the queries themselves.

        Args:
            splits: of the run.
            queries: what is asked, by the names of the queries.

        Raises:
            DataError: if nothing is left.
        """
        return self._searched([*self.usable(splits.train)[0], *splits.valid], queries)

    def _searched(
        self, terms: Sequence[SpokenTerm], queries: Mapping[str, Mapping[str, Any] | DataError]
    ) -> list[SpokenTerm]:
        def is_query(term: SpokenTerm) -> bool:
            asked = queries.get(term.name)  # another folder may have other sounds of the same names
            return isinstance(asked, Mapping) and np.array_equal(self.request(term)["waveform"], asked["waveform"])

        archive = [term for term in terms if not is_query(term)]
        if not archive:
            raise DataError(f"there is nothing to search in: all {len(terms)} terms of train and valid are queries")
        return archive

    def cepstra(self, terms: Sequence[SpokenTerm]) -> list[np.ndarray]:
        """Cepstra of terms, by which they are warped, `(frames, 13)` each."""
        return list(self._cepstra.of([term.sound for term in terms]))

    def _request(self, sound: Sound) -> Mapping[str, Any]:
        return waveform_request(waveform(sound, self.config.sampling_rate))


def cepstral(config: Config) -> AudioConfig:
    """The settings of the cepstra by which terms are warped: those of the features, but for their kind."""
    names = set(AudioConfig.model_fields) - {"features", "coefficients"}
    coefficients = min(CEPSTRA, config.mel_bands)
    return AudioConfig(features="mfcc", coefficients=coefficients, **{name: getattr(config, name) for name in names})
