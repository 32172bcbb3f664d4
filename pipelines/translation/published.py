"""Published figures of translation, to stand beside ours in a report.

No figure was found for a split of the Tatoeba pairs that keeps sentences with a common side together. The first one
below was measured on the split of this project; the other test set was not cut in this way.
"""

from __future__ import annotations

from typing import Any

PUBLISHED: dict[str, list[dict[str, Any]]] = {
    "cmn_eng": [
        {
            "system": "Joey NMT 2.3.0, GRU, additive attention",
            "metrics": {"bleu": 35.2, "chrf": 29.9, "exact_match": 0.098},
            "source": "measured on this split: 256 units, words to characters, 15 epochs, beam 5, one seed",
        },
        {
            "system": "OPUS-MT, transformer",
            "metrics": {"bleu": 31.4, "chrf": 26.8},
            "source": "huggingface.co/Helsinki-NLP/opus-mt-en-zh: another test set, trained on far more data",
        },
    ],
}
