"""The weight of the language model and the word bonus, chosen on valid."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import tensorflow as tf

from ..inference import stack
from . import error_rates
from .config import Config
from .serving import SpeechServer

WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.2, 2.0)
BONUSES = (-2.0, 0.0, 1.0, 2.0, 4.0)
MOST = 300  # utterances that are decoded again and again
_ROWS = 32  # utterances in one call


def tune(
    server: SpeechServer, requests: Sequence[Mapping[str, Any]], texts: Sequence[str], config: Config
) -> dict[str, Any]:
    """Decodes valid with each weight and bonus, and takes the pair with the fewest wrong words.

    Of equals it takes the ones with the fewest wrong characters, of these the weight in the middle, where a little more
    or less makes no difference, and the bonus nearest to 0.
    The network runs once; what is repeated is the search, by the very function that the export traces.

    Args:
        server: with the weights that will be served.
        requests: for each of some utterances of valid what the server is asked, see `evenly_spread`.
        texts: what was said in each of them.
        config: the settings; a weight or a bonus that they give is kept.

    Returns:
        `weights`, `bonuses`, `wer` and `cer` (for each bonus a list with a value for each weight), `weight`, `bonus`
        (the chosen ones), `without` (the word error rate of the same search without a language model) and
        `utterances`.
    """
    order = sorted(range(len(requests)), key=lambda place: int(requests[place]["lengths"]))
    parts = [order[start : start + _ROWS] for start in range(0, len(order), _ROWS)]
    found = [server.scores(**stack([requests[place] for place in part])) for part in parts]
    gold = [texts[place] for place in order]
    searches = {decoder: _search(server, decoder) for decoder in ("beam", "beam_lm")}

    def measured(decoder: str, weight: float, bonus: float) -> tuple[float, float]:
        answers = [searches[decoder](each["logits"], each["lengths"], weight, bonus).numpy() for each in found]
        heard = [text.decode("utf-8") for answer in answers for text in answer]
        rates = error_rates.rates(error_rates.statistics(gold, heard).sum(axis=0, keepdims=True))
        return float(rates["wer"][0]), float(rates["cer"][0])

    weights = WEIGHTS if config.language_model_weight is None else (config.language_model_weight,)
    bonuses = BONUSES if config.word_bonus is None else (config.word_bonus,)
    table = {(weight, bonus): measured("beam_lm", weight, bonus) for bonus in bonuses for weight in weights}
    best = [pair for pair, rates in table.items() if rates == min(table.values())]
    weights_of_best = sorted({weight for weight, _ in best})
    weight = weights_of_best[len(weights_of_best) // 2]
    bonus = min((bonus for other, bonus in best if other == weight), key=abs)
    return {
        "weights": list(weights),
        "bonuses": list(bonuses),
        "wer": [[table[weight, bonus][0] for weight in weights] for bonus in bonuses],
        "cer": [[table[weight, bonus][1] for weight in weights] for bonus in bonuses],
        "weight": weight,
        "bonus": bonus,
        "without": measured("beam", 0.0, 0.0)[0],
        "utterances": len(gold),
    }


def _search(server: SpeechServer, decoder: str) -> Callable[..., tf.Tensor]:
    """A decoder of the server as a function of scores, their lengths, weight and bonus, traced once."""
    classes = int(tf.size(server.characters)) + 1
    scores = (tf.TensorSpec([None, None, classes]), tf.TensorSpec([None], tf.int32))
    weight_and_bonus = (tf.TensorSpec([]), tf.TensorSpec([]))
    return tf.function(
        lambda *given: server.texts(*server.decoded(decoder, *given)), input_signature=[*scores, *weight_and_bonus]
    )
