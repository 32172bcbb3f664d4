"""Published figures of tree sentiment, to stand beside ours in a report: root accuracies on the official test split."""

from __future__ import annotations

from typing import Any

_NO_VECTORS = "no word vectors from other text"
_VECTORS = "with word vectors from other text"

# system, source, five classes, two classes
_SST = (
    ("Recursive net", f"Socher et al. 2013, {_NO_VECTORS}", 43.2, 82.4),
    ("Matrix-vector recursive net", f"Socher et al. 2013, {_NO_VECTORS}", 44.4, 82.9),
    ("Recursive tensor net", f"Socher et al. 2013, {_NO_VECTORS}", 45.7, 85.4),
    ("Constituency Tree-LSTM", f"Tai et al. 2015, {_NO_VECTORS}", 43.9, 82.0),
    ("Constituency Tree-LSTM", f"Tai et al. 2015, {_VECTORS}", 51.0, 88.0),
    ("Best non-contextual tree model", f"arXiv 1907.00218, {_VECTORS}", 52.9, 89.8),
)


def published(dataset: str, classes: int) -> list[dict[str, Any]]:
    """The figures for a data set and a number of classes: `{"system", "metrics", "source"}`."""
    if dataset != "sst" or classes not in (2, 5):
        return []
    name = "root_accuracy_fine" if classes == 5 else "root_accuracy_binary"
    return [
        {"system": system, "metrics": {name: round((fine if classes == 5 else binary) / 100, 4)}, "source": source}
        for system, source, fine, binary in _SST
    ]
