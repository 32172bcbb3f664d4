"""The simple methods that a slot filling model has to beat."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.preprocessing import OneHotEncoder

from ...datasets.tagged_sentence import TaggedSentence
from .evaluation import Row
from .spans import OUTSIDE

WINDOW = 3  # words on either side that the tag of a word depends on
PAIRS = ((-3, -2), (-2, -1), (-2, 0), (-1, 0), (-1, 1), (0, 1), (1, 2))  # offsets of words that count together
MAX_CATEGORIES = 10_000  # of one feature, the most frequent ones, so that large corpora fit into memory
ALPHA, EPOCHS = 1e-5, 5  # best slot F1 on the valid split of ATIS
INTENT_C = 10.0

Intents = list[tuple[str, float]]


def baselines(train: Sequence[TaggedSentence], test: Sequence[TaggedSentence]) -> dict[str, list[Row]]:
    """Fits simple methods on `train` and lets them answer `test`.

    - `majority label per word`: the tag that the word most often has in train, `O` for unseen words, and the most
      frequent intent.
    - `logistic model on word windows`: a linear model of each tag given the words around it, their beginnings, endings
      and shapes, and the previous tag, decoded greedily from left to right; for the intent, a logistic regression on
      words and pairs of words.

    Equal inputs give equal answers.

    Returns:
        For each method the rows of its predictions, as in `predictions.jsonl`.
    """
    seen = {word for sentence in train for word in sentence.tokens}
    answers = {
        "majority label per word": (_majority_tags(train, test), _majority_intents(train, test)),
        "logistic model on word windows": (_window_tags(train, test), _bag_of_words_intents(train, test)),
    }
    return {
        name: [_row(*answer, seen) for answer in zip(test, tags, intents, strict=True)]
        for name, (tags, intents) in answers.items()
    }


def _row(sentence: TaggedSentence, tags: Sequence[str], intent: tuple[str, float], seen: set[str]) -> Row:
    return {
        "text": " ".join(sentence.tokens),
        "gold": {"tags": list(sentence.tags), "intent": sentence.intent},
        "predicted": {"tags": list(tags), "intent": intent[0], "intent_probability": intent[1], "error": ""},
        "unseen": [word for word in sentence.tokens if word not in seen],
    }


def _majority_tags(train: Sequence[TaggedSentence], test: Sequence[TaggedSentence]) -> list[list[str]]:
    counts = Counter(pair for one in train for pair in zip(one.tokens, one.tags, strict=True))
    best: dict[str, str] = {}
    for (word, tag), _ in counts.most_common():
        best.setdefault(word, tag)
    return [[best.get(word, OUTSIDE) for word in one.tokens] for one in test]


def _majority_intents(train: Sequence[TaggedSentence], test: Sequence[TaggedSentence]) -> Intents:
    counts = Counter(one.intent for one in train)
    [(intent, count)] = counts.most_common(1)
    return [("", 0.0) if intent is None else (intent, count / counts.total())] * len(test)


def _window_tags(train: Sequence[TaggedSentence], test: Sequence[TaggedSentence]) -> list[list[str]]:
    names = sorted({tag for one in train for tag in one.tags})
    if len(names) == 1:
        return [names * len(one.tokens) for one in test]
    ids = {tag: number for number, tag in enumerate(names)}
    targets = np.array([ids[tag] for one in train for tag in one.tags])
    start = len(names)  # stands before the first tag
    previous = np.concatenate([[start, *(ids[tag] for tag in one.tags[:-1])] for one in train])

    train_windows, test_windows = _windows([one.tokens for one in train], [one.tokens for one in test])
    encoder = OneHotEncoder(max_categories=MAX_CATEGORIES, handle_unknown="infrequent_if_exist")
    inputs = sparse.hstack([encoder.fit_transform(train_windows), sparse.eye_array(start + 1, format="csr")[previous]])
    model = SGDClassifier(loss="log_loss", alpha=ALPHA, max_iter=EPOCHS, tol=None, random_state=0, n_jobs=-1)
    model.fit(inputs.tocsr(), targets)

    # scikit-learn keeps one row of weights for two classes: those of the second.
    weights = model.coef_.T if len(names) > 2 else np.hstack([-model.coef_.T, model.coef_.T])
    bias = model.intercept_ if len(names) > 2 else np.array([-1.0, 1.0]) * model.intercept_
    scores = encoder.transform(test_windows) @ weights[: -start - 1] + bias  # (tokens, tags)
    best = _decode(scores, weights[-start - 1 :], np.array([len(one.tokens) for one in test]))
    ends = np.cumsum([len(one.tokens) for one in test])
    return [[names[tag] for tag in part] for part in np.split(best, ends[:-1])]


def _decode(scores: np.ndarray, transitions: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Chooses tags from left to right, one step of all sentences at a time.

    Args:
        scores: `(tokens, tags)`, one sentence after the other.
        transitions: `(tags + 1, tags)`, what the previous tag adds; the last row is for the first token.
        lengths: `(sentences,)`, tokens of each.

    Returns:
        ids `(tokens,)`.
    """
    starts = np.cumsum(lengths) - lengths
    best = np.zeros(len(scores), dtype=np.int64)
    previous = np.full(len(lengths), scores.shape[1])
    for step in range(lengths.max(initial=0)):
        (longer,) = np.nonzero(lengths > step)
        at = starts[longer] + step
        best[at] = previous[longer] = (scores[at] + transitions[previous[longer]]).argmax(axis=1)
    return best


def _windows(*corpora: Sequence[Sequence[str]]) -> list[np.ndarray]:
    """Describes each token and its neighbours by categories, `(tokens, features)` for each of the corpora."""
    padding = ("",) * WINDOW
    texts = [[word for tokens in corpus for word in (*padding, *tokens, *padding)] for corpus in corpora]
    words = list(dict.fromkeys(word for text in texts for word in text))
    number = {word: at for at, word in enumerate(words)}
    aspects = [_numbered(map(aspect, words)) for aspect in (_beginning, _ending, _shape)]
    coded = [np.array([number[word] for word in text], dtype=np.int64) for text in texts]
    return [_described(ids, np.flatnonzero(ids != number[""]), aspects, len(words)) for ids in coded]


def _described(ids: np.ndarray, at: np.ndarray, aspects: Sequence[np.ndarray], vocabulary_size: int) -> np.ndarray:
    features = [ids[at + offset] for offset in range(-WINDOW, WINDOW + 1)]
    features += [aspect[ids[at + offset]] for aspect in aspects for offset in (-1, 0, 1)]
    features += [ids[at + first] * vocabulary_size + ids[at + second] for first, second in PAIRS]
    return np.stack(features, axis=1)


def _numbered(values: Iterable[Hashable]) -> np.ndarray:
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(value, len(numbers)) for value in values])


def _beginning(word: str) -> str:
    return word[:3]


def _ending(word: str) -> str:
    return word[-3:]


def _shape(word: str) -> str:
    """Letters and digits by kind, runs cut to two: `747-Ex` gives `00-Xx`, `arrival` gives `xx`."""
    kinds = ("0" if c.isdigit() else "X" if c.isupper() else "x" if c.isalpha() else c for c in word)
    return re.sub(r"(.)\1+", r"\1\1", "".join(kinds), flags=re.DOTALL)


def _bag_of_words_intents(train: Sequence[TaggedSentence], test: Sequence[TaggedSentence]) -> Intents:
    intents = [one.intent for one in train]
    if len(set(intents)) == 1:
        return _majority_intents(train, test)
    vectorizer = CountVectorizer(analyzer=_words_and_pairs, binary=True)
    inputs = vectorizer.fit_transform(one.tokens for one in train)
    model = LogisticRegression(C=INTENT_C, max_iter=1000).fit(inputs, intents)
    probabilities = model.predict_proba(vectorizer.transform(one.tokens for one in test))
    best = probabilities.argmax(axis=1)
    return list(zip(model.classes_[best].tolist(), probabilities.max(axis=1).tolist(), strict=True))


def _words_and_pairs(tokens: Sequence[str]) -> list[str]:
    return [*tokens, *(f"{one} {other}" for one, other in pairwise(tokens))]
