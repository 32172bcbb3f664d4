"""Published figures of slot filling, to stand beside ours in a report.

Protocols differ in sentences, seeds and choice of the epoch: a difference of a few tenths may mean nothing.
"""

from __future__ import annotations

from typing import Any

_OPENSLU = "re-run by OpenSLU, github.com/LightChen233/OpenSLU"
_JOINTBERT = "github.com/monologg/JointBERT, best of several epochs"


def _figure(
    system: str, source: str, f1: float, intent: float | None = None, sentence: float | None = None
) -> dict[str, Any]:
    percent = {"slot_f1": f1, "intent_accuracy": intent, "sentence_accuracy": sentence}
    metrics = {name: round(value / 100, 4) for name, value in percent.items() if value is not None}
    return {"system": system, "metrics": metrics, "source": source}


PUBLISHED: dict[str, list[dict[str, Any]]] = {
    "atis": [
        _figure("Stack-Propagation", _OPENSLU, 95.4, 96.9, 85.9),
        _figure("DCA-Net (co-interactive)", _OPENSLU, 95.9, 97.3, 87.6),
        _figure("Slot-Gated", _OPENSLU, 94.7, 94.5, 82.5),
        _figure("Slot-Gated", "as published, Goo et al. 2018", 95.2, 94.1, 82.6),
        _figure("Bi-Model", _OPENSLU, 95.2, 96.2, 85.6),
        _figure("Bi-Model", "as published, Wang et al. 2018, not reproduced", 96.89, 98.99),
        _figure("Attention BiRNN", "Liu & Lane 2016, trained on 4978 sentences", 95.98, 98.21),
        _figure("JointBERT (pretrained)", _JOINTBERT, 95.59, 97.87, 88.24),
        _figure("JointBERT+CRF (pretrained)", _JOINTBERT, 95.93, 97.98, 88.58),
    ],
}
