"""What a report wants to know of an utterance beside the answer: other decoders, times, what the network heard."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

import numpy as np

from ...datasets.audio import Waveform
from ...datasets.corpus import DataError
from ..pipeline import Call, Row
from .config import Config
from .data import Preprocessor
from .inspection import envelope, inspection, worth_inspecting

Request: TypeAlias = Mapping[str, Any]


def add_decoders(rows: Sequence[Row], requests: Sequence[Request | DataError], config: Config, call: Call) -> list[Row]:
    """The rows with their seconds, the text of each decoder, the time that it took, and the share of blanks.

    A decoder's time is that of everything from the request to the text, shared out among the utterances by their
    lengths.
    """
    detailed = [{**row, "decoder": config.decoder, "decoders": {}, "decoding_seconds": {}} for row in rows]
    lengths = [0 if isinstance(each, DataError) else int(each["lengths"]) for each in requests]
    unit = 1 / config.sampling_rate if config.input == "waveform" else config.frame_seconds
    for row, length in zip(detailed, lengths, strict=True):
        row["seconds"] = length * unit
    shares = np.maximum(lengths, 1) / np.maximum(lengths, 1).sum()
    for decoder in config.decoders:
        call(decoder, requests[:1])  # the first call of a signature takes longer than all others
        started = time.perf_counter()
        answers = call(decoder, requests)
        seconds = time.perf_counter() - started
        for row, answer, share in zip(detailed, answers, shares, strict=True):
            row["decoders"][decoder] = answer["text"]
            row["decoding_seconds"][decoder] = seconds * float(share)
            if "blank_share" in answer:
                row["blank_share"] = answer["blank_share"]
    return detailed


def add_inspections(
    rows: Sequence[Row],
    requests: Sequence[Request | DataError],
    preprocessor: Preprocessor,
    config: Config,
    call: Call,
) -> None:
    """Gives the rows that the report shows their sound, if there is one, their spectrum, and the posteriors."""
    labels = [*preprocessor.characters.entries, "blank"]
    for place in worth_inspecting(rows):
        request = cast(Request, requests[place])  # a row without one has an error, and nothing to show
        [found] = call("posteriors", [request])
        features = np.array(found["features"], np.float32)[: found["frames"]]
        sound = Waveform(request["waveform"], config.sampling_rate) if config.input == "waveform" else None
        rows[place]["inspection"] = inspection(
            envelope(features, config.mel_bands) if config.features == "mfcc" else features,
            np.array(found["probabilities"], np.float32)[: found["steps"]],
            labels,
            config.frame_seconds,
            config.subsampling,
            sound,
        )
