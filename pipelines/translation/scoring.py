"""BLEU, chrF and exact match, from statistics that add up over sentences.

BLEU is sacrebleu's own: `BLEU.sentence_score` gives the counts of a sentence, `BLEU.compute_bleu` the score of summed
ones. The counts behind chrF are not part of sacrebleu's interface, so they are taken here, for sacrebleu's default
settings: the orders 1 to 6, without white space, against the reference of a sentence that suits its translation best.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

CHINESE = "zh"  # the tokenizer of sacrebleu that sets each Chinese character by itself

_BLEU = slice(0, 2 + 2 * 4)  # length, length of the nearest reference, right n-grams of each order, all of them
_CHRF = slice(
    _BLEU.stop, _BLEU.stop + 3 * CHRF.CHAR_ORDER
)  # of each order: n-grams, those of the reference, right ones
_EXACT, _SENTENCES = _CHRF.stop, _CHRF.stop + 1


def statistics(translations: Sequence[str], targets: Sequence[Sequence[str]], tokenize: str) -> np.ndarray:
    """What each sentence adds to the sums from which `measures` computes the metrics.

    Args:
        translations: one for each sentence, "" where there is none.
        targets: the references of each sentence, at least one; how many may differ.
        tokenize: name of a tokenizer of sacrebleu, such as `"zh"` or `"13a"`.

    Returns:
        int64 array `(sentences, k)`.
    """
    # The effective order concerns the score of the sentence alone, which is not used, and silences a warning.
    bleu = BLEU(tokenize=tokenize, effective_order=True)
    rows = []
    for text, references in zip(translations, targets, strict=True):
        found = bleu.sentence_score(text, references)
        rows.append((found.sys_len, found.ref_len, *found.counts, *found.totals))
    exact = [
        text.strip() in {reference.strip() for reference in references}
        for text, references in zip(translations, targets, strict=True)
    ]
    parts = (np.array(rows).reshape(-1, _BLEU.stop), _chrf_statistics(translations, targets), np.array(exact)[:, None])
    return np.hstack([*parts, np.ones((len(rows), 1))]).astype(np.int64)


def _chrf_statistics(translations: Sequence[str], targets: Sequence[Sequence[str]]) -> np.ndarray:
    """The counts of each translation against the first of those references with which it has the highest chrF."""
    rows, counts = [], []
    for text, references in zip(translations, targets, strict=True):
        own = _ngrams(text)
        rows += [_matches(own, _ngrams(reference)) for reference in references]
        counts.append(len(references))
    table = np.array(rows).reshape(-1, _CHRF.stop - _CHRF.start)
    values, starts = _chrf(table), np.cumsum(counts) - counts
    return table[[start + values[start : start + count].argmax() for start, count in zip(starts, counts, strict=True)]]


def _ngrams(text: str) -> list[Counter[str]]:
    """How often each n-gram of characters occurs, for each order."""
    characters = "".join(text.split())
    return [
        Counter(characters[start : start + order] for start in range(len(characters) - order + 1))
        for order in range(1, CHRF.CHAR_ORDER + 1)
    ]


def _matches(ngrams: Sequence[Counter[str]], reference: Sequence[Counter[str]]) -> list[int]:
    """N-grams, those of the reference, and right ones, of each order; none counts where the reference has none."""
    counts: list[int] = []
    for own, other in zip(ngrams, reference, strict=True):
        right = sum(min(count, other[ngram]) for ngram, count in own.items() if ngram in other)
        counts += [own.total() if other else 0, other.total(), right]
    return counts


def _chrf(sums: np.ndarray) -> np.ndarray:
    """The F score `(r,)` of summed counts `(r, 18)`, from precision and recall averaged over the orders in use."""
    ngrams, reference, right = np.moveaxis(sums.reshape(-1, CHRF.CHAR_ORDER, 3).astype(np.float64), 2, 0)
    used = (ngrams > 0) & (reference > 0)
    orders = np.maximum(used.sum(axis=1), 1)
    precision, recall = ((right / np.maximum(of, 1) * used).sum(axis=1) / orders for of in (ngrams, reference))
    weight = CHRF.BETA**2
    below = weight * precision + recall
    return 100 * ((1 + weight) * precision * recall / np.where(below > 0, below, 1))


def measures(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Computes the metrics of summed statistics.

    `bleu` and `chrf` are on sacrebleu's scale from 0 to 100; `exact_match` is the share of translations that equal a
    reference but for white space around them; `length_ratio` is the length of the translations to that of the
    references, in the tokens of BLEU, and of several references of a sentence the nearest in length counts.

    Args:
        sums: `(r, k)`.

    Returns:
        `(r,)` by name.

    Example:
        >>> sums = statistics(["我很好。", "谢谢"], [["我很好。"], ["谢谢你", "多谢"]], "zh").sum(axis=0, keepdims=True)
        >>> {name: round(float(value[0]), 2) for name, value in measures(sums).items()}
        {'bleu': 100.0, 'chrf': 86.0, 'exact_match': 0.5, 'length_ratio': 1.0}

    References:
        - Papineni, Roukos, Ward and Zhu, "BLEU: a method for automatic evaluation of machine translation", 2002.
        - Popović, "chrF: character n-gram F-score for automatic MT evaluation", 2015.
        - Post, "A call for clarity in reporting BLEU scores", 2018 (sacrebleu).
    """
    return {
        "bleu": np.array([_bleu(row) for row in sums[:, _BLEU].astype(np.int64).tolist()]),
        "chrf": _chrf(sums[:, _CHRF]),
        "exact_match": sums[:, _EXACT] / np.maximum(sums[:, _SENTENCES], 1),
        "length_ratio": sums[:, 0] / np.maximum(sums[:, 1], 1),
    }


def corpus_measures(table: np.ndarray) -> dict[str, float]:
    """The metrics of all sentences of a table of statistics together."""
    return {name: float(value[0]) for name, value in measures(table.sum(axis=0, keepdims=True)).items()}


def _bleu(sums: list[int]) -> float:
    length, reference, *ngrams = sums
    return BLEU.compute_bleu(ngrams[:4], ngrams[4:], length, reference, smooth_method="exp").score


def sentence_chrf(table: np.ndarray) -> np.ndarray:
    """The chrF `(sentences,)` of each row of statistics, 0 to 100."""
    return _chrf(table[:, _CHRF])


def lengths(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tokens of each translation, and of the reference that is nearest in length, `(sentences,)` each."""
    return table[:, 0], table[:, 1]


def split(texts: Sequence[str], tokenize: str) -> list[list[str]]:
    """The tokens that BLEU counts.

    Example:
        >>> split(["我有iPad。"], "zh")
        [['我', '有', 'iPad', '。']]
    """
    tokenizer = BLEU(tokenize=tokenize).tokenizer
    return [tokenizer(text.rstrip()).split() for text in texts]


def reference_streams(targets: Sequence[Sequence[str]]) -> list[list[str | None]]:
    """References as sacrebleu's `corpus_score` takes them: the first ones of all sentences, the second ones, ...

    Example:
        >>> reference_streams([["a", "b"], ["c"]])
        [['a', 'c'], ['b', None]]
    """
    most = max(map(len, targets), default=0)
    return [[references[at] if at < len(references) else None for references in targets] for at in range(most)]


def signatures(tokenize: str, targets: Sequence[Sequence[str]] = ()) -> dict[str, str]:
    """What sacrebleu says of how BLEU and chrF are computed, by the name of the metric.

    Args:
        tokenize: name of a tokenizer of sacrebleu.
        targets: the references of each sentence, since the signature says how many they are; `var` without any.

    Example:
        >>> signatures("zh", [["a", "b"], ["c"]])["bleu"].rpartition("|")[0]
        'BLEU|nrefs:var|case:mixed|eff:no|tok:zh|smooth:exp'
    """
    kinds = [["-"] * count for count in sorted({len(references) for references in targets} or {1, 2})]
    found = {}
    streams: list[Any] = reference_streams(kinds)
    for name, metric in (("bleu", BLEU(tokenize=tokenize)), ("chrf", CHRF())):
        scored = metric.corpus_score(["-"] * len(kinds), streams)  # only then it knows how many references there are
        found[name] = f"{scored.name}|{metric.get_signature()}"
    return found
