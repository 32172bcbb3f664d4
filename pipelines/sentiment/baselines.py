"""The simple methods that a sentiment model has to beat."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from ...datasets.labelled_text import LabelledText
from .evaluation import Row

MIN_COUNT = 2  # training texts that a word or a pair must occur in
SMOOTHING = 1.0  # of the counts behind the log-count ratios
SVM_C = 0.01  # the best of 1, 0.1, 0.01, 0.003, 0.001 in three-fold cross-validation on the training half of IMDB
FOLDS = 3  # of train, for the probabilities of the SVM

_BREAK = re.compile(r"<br\s*/?>")
_TOKEN = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")

# The labels that a method knows and, for each text of test, their probabilities.
_Answer = tuple[Sequence[str], np.ndarray]


def baselines(train: Sequence[LabelledText], test: Sequence[LabelledText]) -> dict[str, list[Row]]:
    """Fits simple methods on `train` and lets them answer `test`.

    - `majority class`: the most frequent label; probabilities are the shares of the labels.
    - `bag of words, logistic regression`: on TF-IDF of the words, with the settings that scikit-learn starts from.
    - `NB-SVM, words and pairs`: a linear SVM on which words and pairs of words occur, each scaled by its log-count
      ratio (Wang and Manning, 2012), one against all others for each label. Its probabilities are sigmoids of its
      decision values (Platt, 1999), fitted on parts of train that the SVM was not trained on.

    Equal inputs give equal answers. With a single label, or without any word, all methods answer the majority class.

    Returns:
        For each method the rows of its predictions, as in `predictions.jsonl`.

    References:
        - Wang and Manning (2012), Baselines and bigrams: simple, good sentiment and topic classification.
        - Platt (1999), Probabilistic outputs for support vector machines.
    """
    train_tokens, test_tokens = ([tokens(example.text) for example in examples] for examples in (train, test))
    labels = np.array([example.label for example in train])
    majority = _majority(labels, len(test))
    answers = dict.fromkeys(
        ("majority class", "bag of words, logistic regression", "NB-SVM, words and pairs"), majority
    )
    if len(set(labels)) > 1 and any(train_tokens):
        features = _Features(train_tokens, test_tokens)
        answers["bag of words, logistic regression"] = _bag_of_words(features, labels)
        answers["NB-SVM, words and pairs"] = _nb_svm(features, labels)
    seen = {token for text in train_tokens for token in text}
    return {
        name: [
            _row(example, text, known, probability, seen)
            for example, text, probability in zip(test, test_tokens, probabilities.tolist(), strict=True)
        ]
        for name, (known, probabilities) in answers.items()
    }


def tokens(text: str) -> list[str]:
    """Words in lower case and marks of punctuation, each by itself; `<br />` is white space.

    Example:
        >>> tokens("Don't miss it!<br />10/10")
        ["don't", 'miss', 'it', '!', '10', '/', '10']
    """
    return _TOKEN.findall(_BREAK.sub(" ", text.lower()))


def _row(
    example: LabelledText, text: Sequence[str], labels: Sequence[str], probabilities: list[float], seen: set[str]
) -> Row:
    best = max(range(len(labels)), key=probabilities.__getitem__)
    return {
        "text": example.text,
        "gold": {"label": example.label, "rating": example.rating},
        "predicted": {
            "label": labels[best],
            "probabilities": dict(zip(labels, probabilities, strict=True)),
            "error": "",
        },
        "tokens": len(text),
        "read": len(text),
        "unseen": sum(token not in seen for token in text),
    }


def _majority(labels: np.ndarray, count: int) -> _Answer:
    known, counts = np.unique(labels, return_counts=True)
    return known.tolist(), np.tile(counts / counts.sum(), (count, 1))


class _Features:
    """Which words and pairs of words occur in each text, `(texts, features)` of ones and zeros.

    Features of fewer than `MIN_COUNT` training texts are left out, unless that leaves none.
    """

    def __init__(self, train: Sequence[Sequence[str]], test: Sequence[Sequence[str]]) -> None:
        vectorizer = CountVectorizer(analyzer=_words_and_pairs, binary=True, dtype=np.float64)
        every = vectorizer.fit_transform(train)
        counts = np.asarray(every.sum(axis=0)).ravel()
        kept = np.flatnonzero(counts >= min(MIN_COUNT, counts.max()))
        self.train, self.test = every[:, kept], vectorizer.transform(test)[:, kept]
        self.is_word = np.array([" " not in name for name in vectorizer.get_feature_names_out()[kept]])


def _words_and_pairs(text: Sequence[str]) -> list[str]:
    return [*text, *(f"{one} {other}" for one, other in pairwise(text))]


def _bag_of_words(features: _Features, labels: np.ndarray) -> _Answer:
    words = np.flatnonzero(features.is_word)
    model = make_pipeline(TfidfTransformer(sublinear_tf=True), LogisticRegression(max_iter=1000))
    return _answer(model.fit(features.train[:, words], labels), features.test[:, words])


def _answer(model: Any, inputs: sparse.csr_matrix) -> _Answer:
    probabilities = model.predict_proba(inputs) if inputs.shape[0] else np.zeros((0, len(model.classes_)))
    return model.classes_.tolist(), probabilities


def _nb_svm(features: _Features, labels: np.ndarray) -> _Answer:
    svm = OneVsRestClassifier(make_pipeline(_LogCountRatios(), LinearSVC(C=SVM_C, random_state=0)))
    if min(Counter(labels.tolist()).values()) < FOLDS:
        return _uncalibrated(svm.fit(features.train, labels), features.test)
    model = CalibratedClassifierCV(svm, method="sigmoid", cv=StratifiedKFold(FOLDS), ensemble=False)
    return _answer(model.fit(features.train, labels), features.test)


def _uncalibrated(svm: OneVsRestClassifier, inputs: sparse.csr_matrix) -> _Answer:
    """Sigmoids of the decision values as they are, where a label has too few examples to fit any."""
    values = 1 / (1 + np.exp(-svm.decision_function(inputs).reshape(inputs.shape[0], -1)))
    values = np.hstack([1 - values, values]) if values.shape[1] == 1 else values
    return svm.classes_.tolist(), values / values.sum(axis=1, keepdims=True)


class _LogCountRatios(TransformerMixin, BaseEstimator):
    """Scales each feature by `r = log((p / |p|_1) / (q / |q|_1))`, equation (2) of Wang and Manning (2012).

    `p` counts the texts of the class that have the feature, `q` those of all other classes; both are smoothed.
    """

    def fit(self, inputs: sparse.csr_matrix, targets: np.ndarray) -> Self:
        p, q = (SMOOTHING + np.asarray(inputs[targets == kind].sum(axis=0)).ravel() for kind in (1, 0))
        self.ratios_ = np.log((p / p.sum()) / (q / q.sum()))
        return self

    def transform(self, inputs: sparse.csr_matrix) -> sparse.csr_matrix:
        return inputs @ sparse.diags_array(self.ratios_)
