"""The simple methods that a recursive network has to beat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from ...datasets.labelled_tree import NO_LABEL, LabelledTree
from .config import Config
from .judgement import Row, prediction_row
from .sequential import sequential_probabilities

ITERATIONS, TOLERANCE = 1000, 1e-3  # of the logistic regression; it takes about 100 on the treebank


def baselines(train: Sequence[LabelledTree], test: Sequence[LabelledTree], config: Config) -> dict[str, list[Row]]:
    """Fits simple methods on `train` and lets them answer every node of `test`.

    - `majority class`: the most frequent label of a root.
    - `bag of words, logistic regression`: on which words occur in a phrase, learnt from all labelled phrases of train,
      each distinct one once for each label that it has.
    - `sequential LSTM`: reads the sentence in both directions and classifies the same phrases, with about as many
      parameters as the tree model; see `sequential.SequentialModel`. It is left out where train has one tree only.

    Returns:
        For each method the rows of its predictions, as in `predictions.jsonl`.
    """
    roots = Counter(tree.labels[tree.root] for tree in train)
    shares = np.array([roots[label] for label in range(config.classes)]) / len(train)
    answers = {
        "majority class": [np.tile(shares, (tree.num_nodes, 1)) for tree in test],
        "bag of words, logistic regression": _bag_of_words(train, test, config),
    }
    if len(train) > 1:
        answers["sequential LSTM"] = sequential_probabilities(train, test, config)
    return {
        name: [prediction_row(tree, answer) for tree, answer in zip(test, probabilities, strict=True)]
        for name, probabilities in answers.items()
    }


def _bag_of_words(train: Sequence[LabelledTree], test: Sequence[LabelledTree], config: Config) -> list[np.ndarray]:
    taught = sorted({phrase for tree in train for phrase in _phrases(tree) if phrase[1] != NO_LABEL})
    labels = np.array([label for _, label in taught])
    vectorizer = CountVectorizer(lowercase=config.lowercase, token_pattern=r"[^ ]+", binary=True)
    counts = vectorizer.fit_transform([words for words, _ in taught])
    model = LogisticRegression(max_iter=ITERATIONS, tol=TOLERANCE).fit(counts, labels)
    asked = [words for tree in test for words, _ in _phrases(tree)]
    probabilities = np.zeros((len(asked), config.classes))
    probabilities[:, model.classes_] = model.predict_proba(vectorizer.transform(asked))
    return np.split(probabilities, np.cumsum([tree.num_nodes for tree in test])[:-1])


def _phrases(tree: LabelledTree) -> list[tuple[str, int]]:
    """The words under each node, and its label."""
    tokens = tree.tokens
    return [(" ".join(tokens[first:end]), label) for (first, end), label in zip(tree.spans(), tree.labels, strict=True)]
