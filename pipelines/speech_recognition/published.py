"""Published figures of speech recognition, to stand beside ours in a report.

Those of AN4 are on the official test split: 130 utterances, 773 words, ten speakers that train lacks. No figure was
found for the official test split of the spoken digits.
"""

from __future__ import annotations

from typing import Any


def _figure(system: str, source: str, **percentages: float) -> dict[str, Any]:
    metrics = {name: round(value / 100, 4) for name, value in percentages.items()}
    return {"system": system, "metrics": metrics, "source": source}


PUBLISHED: dict[str, list[dict[str, Any]]] = {
    "an4": [
        _figure(
            "DeepSpeech 2, five GRU layers of 800, best path",
            "github.com/SeanNaren/deepspeech.pytorch, issue 193",
            wer=10.52,
            cer=4.78,
        ),
        _figure(
            "DeepSpeech 2, best path, a later release",
            "github.com/SeanNaren/deepspeech.pytorch, issue 698",
            wer=9.57,
            cer=5.15,
        ),
        _figure("Hybrid transformer, no language model", "ESPnet2", wer=7.6, cer=3.6),
        _figure("Hybrid transformer, language model", "ESPnet2", wer=7.4, cer=3.6),
        _figure("Triphones, Gaussian mixtures, language model", "Kaldi, tri3", wer=5.95),
    ],
    "fsdd": [
        _figure(
            "Convolutional net on MFCC",
            "github.com/adhishthite/sound-mnist: three of the six speakers, a random tenth for test",
            ser=3.0,
        ),
    ],
}
