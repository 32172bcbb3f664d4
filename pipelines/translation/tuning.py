"""The beam width and the length penalty, chosen on valid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from ...datasets.translated_sentence import TranslatedSentence
from ..corpora import evenly_spread
from .config import Config
from .scoring import measures, statistics
from .serving import TranslationServer

WIDTHS = (1, 3, 5, 10)
LENGTH_PENALTIES = (0.0, 0.5, 1.0, 1.5, 2.0)
MOST = 500  # sentences that are translated again and again
_ROWS = 64  # sentences in one call


def tune(server: TranslationServer, valid: Sequence[TranslatedSentence], config: Config) -> dict[str, Any]:
    """Translates valid with each width and penalty, and takes the pair with the highest BLEU.

    Of equals it takes the narrowest beam, then the penalty nearest to 1. The search is the very function that the
    export traces.

    Args:
        server: with the weights that will be served.
        valid: sentences; of many, some that are evenly spread.
        config: the settings; a width or a penalty that they give is kept.

    Returns:
        `beam_widths`, `length_penalties`, `bleu` (for each width a list with a value for each penalty), `beam_width`,
        `length_penalty` (the chosen ones) and `sentences`.
    """
    some = sorted(evenly_spread(valid, MOST), key=lambda each: len(each.source))
    widths = WIDTHS if config.beam_width is None else (config.beam_width,)
    penalties = LENGTH_PENALTIES if config.length_penalty is None else (config.length_penalty,)
    table = {}
    for width in widths:
        search = _search(server, width)
        for penalty in penalties:
            table[width, penalty] = _bleu(_translated(search, some, penalty), some, config.bleu_tokenize)
    width, penalty = max(table, key=lambda pair: (table[pair], -pair[0], -abs(pair[1] - 1.0)))
    return {
        "beam_widths": list(widths),
        "length_penalties": list(penalties),
        "bleu": [[table[width, penalty] for penalty in penalties] for width in widths],
        "beam_width": width,
        "length_penalty": penalty,
        "sentences": len(some),
    }


def _search(server: TranslationServer, width: int) -> Callable[[tf.Tensor, float], tf.Tensor]:
    """A search of that width as a function of texts and penalty, traced once."""
    signature = [tf.TensorSpec([None], tf.string), tf.TensorSpec([])]
    return tf.function(lambda text, penalty: server.translated(text, width, penalty), input_signature=signature)


def _bleu(translations: Sequence[str], sentences: Sequence[TranslatedSentence], tokenize: str) -> float:
    table = statistics(translations, [each.targets for each in sentences], tokenize)
    return float(measures(table.sum(axis=0, keepdims=True))["bleu"][0])


def _translated(search: Any, sentences: Sequence[TranslatedSentence], penalty: float) -> list[str]:
    found = []
    for start in range(0, len(sentences), _ROWS):
        texts = tf.constant([each.source for each in sentences[start : start + _ROWS]])
        found += [text.decode("utf-8") for text in search(texts, penalty).numpy()]
    return found
