"""Published figures of sentiment classification, to stand beside ours in a report.

All are accuracies on the 25,000 test reviews. Some systems also learnt from the 50,000 reviews without a label, or from
other text; their source says so.
"""

from __future__ import annotations

from typing import Any

_UNLABELLED = "with the unlabelled reviews"
_OTHER_TEXT = "pretrained on other text"


def _figure(system: str, source: str, accuracy: float) -> dict[str, Any]:
    return {"system": system, "metrics": {"accuracy": round(accuracy / 100, 4)}, "source": source}


PUBLISHED: dict[str, list[dict[str, Any]]] = {
    "imdb": [
        _figure("LSTM, tuned, with dropout", "Dai & Le 2015", 86.50),
        _figure("SVM, bigrams", "Wang & Manning 2012", 89.16),
        _figure("NB-SVM, bigrams", "Wang & Manning 2012", 91.22),
        _figure("NB-SVM, bigrams, re-run", "github.com/mesnilgr/nbsvm", 91.55),
        _figure("NB-SVM, trigrams", "github.com/mesnilgr/nbsvm", 91.82),
        _figure("SA-LSTM", f"Dai & Le 2015, {_UNLABELLED}", 92.76),
        _figure(
            "Document vectors and n-grams",
            f"arXiv 2205.13357, {_UNLABELLED}; corrects the 97.42 that is often quoted",
            93.68,
        ),
        _figure("One-hot bidirectional LSTM", f"Johnson & Zhang 2016, {_UNLABELLED}", 94.06),
        _figure("LSTM, virtual adversarial training", f"Miyato et al. 2017, {_UNLABELLED}", 94.09),
        _figure("ULMFiT", f"Howard & Ruder 2018, {_OTHER_TEXT}", 95.4),
        _figure("RoBERTa-large", f"github.com/aielte-research/llambert, {_OTHER_TEXT}", 96.54),
        _figure(
            "RoBERTa-large, LlamBERT",
            f"github.com/aielte-research/llambert, {_OTHER_TEXT}, with the unlabelled reviews labelled by Llama 2",
            96.68,
        ),
    ],
}
