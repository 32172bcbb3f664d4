"""Scorers of the decoders, with the tables of a back-off model."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ...layers.ctc import CharacterScorer, NgramTables, WordScorer
from .backoff_model import END, START, UNKNOWN, BackoffModel, Ngram

SPACE = " "

_IMPOSSIBLE = -1e4  # scorers give finite log probabilities


def character_scorer(model: BackoffModel, labels: Sequence[str]) -> CharacterScorer:
    """Scores texts by a model over characters.

    Args:
        model: over characters.
        labels: the character of each label. One that the model does not know has the probability of an unknown one.

    Raises:
        ValueError: if a label is not one character, or stands twice.

    Example:
        >>> from .kneser_ney import fit
        >>> scorer = character_scorer(fit(["ab", "b"], order=2), "ab ")
        >>> scorer.log_probabilities.shape
        TensorShape([4, 3])
    """
    _check(labels)
    known = {START, *map(model.known, labels)}
    histories = _Histories(model, known.issuperset)
    columns: dict[str, list[int]] = {}
    for column, label in enumerate([*map(model.known, labels), END]):
        columns.setdefault(label, []).append(column)
    log_probabilities = np.zeros((len(histories), len(labels) + 1))  # the last column is the end
    following = np.zeros((len(histories), len(labels) + 1), "int32")
    ngrams = _by_history(model)
    for row, history in enumerate(histories.ordered):
        if history:
            shorter = histories.shorter(history)
            log_probabilities[row] = log_probabilities[shorter] + model.backoffs.get(history, 0.0)
            following[row] = following[shorter]
        for word, log_probability in ngrams.get(history, ()):
            for column in columns.get(word, ()):
                log_probabilities[row, column] = log_probability
                following[row, column] = histories.after((*history, word))
    return CharacterScorer(
        log_probabilities=log_probabilities[:, :-1],
        following=following[:, :-1],
        ends=log_probabilities[:, -1],
        start=histories.after((START,)),
        space=_space(labels),
    )


def word_scorer(model: BackoffModel, labels: Sequence[str], unknown_words: bool = True) -> WordScorer:
    """Scores texts by a model over words.

    An unknown word has the model's probability of an unknown word times that of its spelling, in which each character,
    and the end of the word, are equally likely: so a long stretch of noise is not cheaper than the words it stands for.

    Args:
        model: over words. Those that the labels cannot spell are left out of the trie.
        labels: the character of each label.
        unknown_words: whether there are any; if not, they have practically no probability.

    Raises:
        ValueError: if a label is not one character, or stands twice.

    Example:
        >>> from .kneser_ney import fit
        >>> scorer = word_scorer(fit([["ab", "a"], ["b"]], order=2), "ab ")
        >>> scorer.words.numpy().tolist()  # of no prefix, of unknown ones, and of a, ab, b
        [0, 0, 2, 3, 4]
    """
    _check(labels)
    numbers = {word: number for number, word in enumerate(model.vocabulary)}
    histories = _Histories(model, lambda history: True)
    return WordScorer(
        **_trie(model, labels, numbers, unknown_words),
        tables=_ngram_tables(model, histories, numbers),
        start=histories.after((START,)),
        end=numbers[END],
        space=_space(labels),
    )


class _Histories:
    """The histories that a model tells apart, numbered from the empty one on, shorter ones first."""

    def __init__(self, model: BackoffModel, reachable: Callable[[Ngram], bool]) -> None:
        found = {(), *model.backoffs, *(ngram[:-1] for ngram in model.log_probabilities)}
        found = {history for history in found if len(history) < model.order and reachable(history)}
        self.ordered = sorted(found, key=lambda history: (len(history), history))
        self.numbers = {history: number for number, history in enumerate(self.ordered)}

    def __len__(self) -> int:
        return len(self.ordered)

    def after(self, words: Ngram) -> int:
        """The number of the longest history that words end with."""
        while words not in self.numbers:
            words = words[1:]
        return self.numbers[words]

    def shorter(self, history: Ngram) -> int:
        """The number of the next shorter history."""
        return self.after(history[1:])


def _by_history(model: BackoffModel) -> dict[Ngram, list[tuple[str, float]]]:
    found: dict[Ngram, list[tuple[str, float]]] = {}
    for ngram, log_probability in model.log_probabilities.items():
        found.setdefault(ngram[:-1], []).append((ngram[-1], log_probability))
    return found


def _trie(
    model: BackoffModel, labels: Sequence[str], numbers: dict[str, int], unknown_words: bool
) -> dict[str, np.ndarray]:
    """Children, words, rises and remainders of the nodes, as `WordScorer` takes them.

    Node 0 is the empty prefix, node 1 stands for all prefixes that no known word has.
    """
    label_of = {character: label for label, character in enumerate(labels) if character != SPACE}
    words = [word for word in model.vocabulary[2:] if word and label_of.keys() >= set(word)]
    children = np.ones((2 + sum(map(len, words)), len(labels)), "int32")
    ends = np.full(len(children), numbers[UNKNOWN], "int32")
    look_ahead = np.full(len(children), -np.inf)  # of the best word at or below a node
    depths = np.zeros(len(children))
    look_ahead[:2] = 0.0, model.log_probability(UNKNOWN)
    nodes = 2
    for word in words:
        node, log_probability = 0, model.log_probability(word)
        for character in word:
            parent, label = node, label_of[character]
            node = children[parent, label]
            if node == 1:
                children[parent, label] = node = nodes
                depths[node] = depths[parent] + 1
                nodes += 1
            look_ahead[node] = max(look_ahead[node], log_probability)
        ends[node] = numbers[word]
    children, ends, look_ahead, depths = (values[:nodes] for values in (children, ends, look_ahead, depths))
    letter = -np.log(len(label_of) + 1) if unknown_words else _IMPOSSIBLE  # of an unknown word
    rises = look_ahead[children] - look_ahead[:, None] + np.where(children == 1, (depths[:, None] + 1) * letter, 0.0)
    remainders = np.where(ends == numbers[UNKNOWN], (depths + 1) * letter, 0.0) - look_ahead
    if SPACE in labels:
        children[:, list(labels).index(SPACE)] = 0
    return {"children": children, "words": ends, "rises": rises, "remainders": remainders}


def _ngram_tables(model: BackoffModel, histories: _Histories, numbers: dict[str, int]) -> NgramTables:
    rows = []
    for ngram, log_probability in model.log_probabilities.items():
        key = histories.numbers[ngram[:-1]] * len(numbers) + numbers[ngram[-1]]
        rows.append((key, log_probability, histories.after(ngram)))
    keys, log_probabilities, following = zip(*sorted(rows), strict=True)
    chains = np.zeros((len(histories), model.order), "int32")
    backoffs = np.zeros((len(histories), model.order), "float32")
    for row, history in enumerate(histories.ordered[1:], start=1):
        shorter = histories.shorter(history)
        chains[row] = row, *chains[shorter, :-1]
        backoffs[row, 1:] = backoffs[shorter, :-1] + model.backoffs.get(history, 0.0)
    return NgramTables(keys, log_probabilities, following, chains, backoffs, words=len(numbers))


def _check(labels: Sequence[str]) -> None:
    wrong = [label for label in labels if len(label) != 1]
    if wrong:
        raise ValueError(f"labels must be single characters, got {wrong[0]!r}")
    if len(set(labels)) != len(labels):
        raise ValueError(f"labels must differ from each other, got {list(labels)}")


def _space(labels: Sequence[str]) -> int | None:
    return list(labels).index(SPACE) if SPACE in labels else None
