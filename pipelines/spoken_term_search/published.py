"""Published figures of spoken term search, to stand beside ours in a report: none so far.

What was published is on other corpora (same or different on Buckeye, mean average precision on words of LibriSpeech).
No mean average precision on the spoken digits or on words of TIMIT was found: what to compare with is dynamic time
warping, which searches the same archive for the same queries in the same run.
"""

from __future__ import annotations

from typing import Any

PUBLISHED: dict[str, list[dict[str, Any]]] = {}
