"""What a language model adds to the score of a text that grows label by label.

A scorer is a `tf.Module` that holds constant tables and states of `state_size` integers. `start(rows)` gives the states
of empty texts, int32 `(rows, state_size)`. `extensions(states)` takes states `(..., state_size)` and gives, for each
label that may be appended, what that adds to the log probability of the text and how many words it completes, both
float32 `(..., n)` and finite. `advance(states, labels)` appends one label to each text, int32 `(...)`.
`finish(states)` says the same of the end of the text as `extensions` of a label, both float32 `(...)`.

A word is completed by a space, or by the end of the text, behind a label that is no space: spaces at the start and
spaces after spaces complete none.
"""

import numpy as np
import tensorflow as tf

from .ngram_tables import NgramTables


class CharacterScorer(tf.Module):
    """A back-off model over labels, as a dense table with a row for each history.

    Spaces are labels as all others are; the model scores each of them.

    Args:
        log_probabilities: float array `(histories, n)`, of each label after each history.
        following: int array `(histories, n)`, the history after that.
        ends: float array `(histories,)`, log probability of the end of the text.
        start: int. History of the empty text.
        space: int or None. The label that is the space, if there is one.

    Example:
        >>> scorer = CharacterScorer([[-1.0, -2.0]], [[0, 0]], [-0.5], start=0, space=1)
        >>> log_probabilities, words = scorer.extensions(scorer.advance(scorer.start(1), tf.constant([0])))
        >>> log_probabilities.numpy().tolist(), words.numpy().tolist()
        ([[-1.0, -2.0]], [[0.0, 1.0]])
    """

    state_size = 1  # twice the number of the history, plus one inside of a word

    def __init__(self, log_probabilities, following, ends, start, space=None):
        super().__init__(name="character_scorer")
        self.log_probabilities = tf.constant(log_probabilities, tf.float32)
        self.labels = self.log_probabilities.shape[1]
        in_word = np.arange(self.labels) != space
        self.states = tf.constant(2 * np.reshape(following, (-1, self.labels)) + in_word, tf.int32)
        self.ends = tf.constant(ends, tf.float32)
        self.first = start
        self.is_space = tf.constant(~in_word, tf.float32)

    def start(self, rows):
        """States of `rows` empty texts."""
        return tf.fill([rows, 1], 2 * self.first)

    def extensions(self, states):
        """What appending each label adds: log probabilities, and words."""
        history, in_word = self._parts(states)
        return tf.gather(self.log_probabilities, history), in_word[..., None] * self.is_space

    def advance(self, states, labels):
        """States after one more label each."""
        history, _ = self._parts(states)
        return tf.gather(tf.reshape(self.states, [-1]), history * self.labels + labels)[..., None]

    def finish(self, states):
        """What the end of the text adds."""
        history, in_word = self._parts(states)
        return tf.gather(self.ends, history), in_word

    def _parts(self, states):
        states = states[..., 0]
        return states // 2, tf.cast(states % 2, tf.float32)


class WordScorer(tf.Module):
    """A back-off model over words, which labels spell along a trie of the known words.

    While a word grows, the score runs ahead: each node of the trie gives out the log probability, without history, of
    its best word. When the word is complete, that is replaced by the model's log probability after the words before.
    So the sum over a whole text is exactly that of the model. A word that leaves the trie, or that ends where no word
    ends, has the model's probability of an unknown word times that of its spelling.

    Args:
        children: int array `(nodes, n)`, the node of a prefix extended by each label. Node 0 is the empty prefix, which
            a space leads back to. There is a node of all prefixes that no known word has.
        words: int array `(nodes,)`, number of the word that ends at each node, of the unknown word where none does.
        rises: float array `(nodes, n)`, what each label adds while the word grows; the column of the space is not read.
        remainders: float array `(nodes,)`, what completing the word adds to its log probability: minus all that was
            added before and, for an unknown word, the log probability of its spelling.
        tables: `NgramTables` of the words.
        start: int. History of the empty text.
        end: int. Number of the word that is the end of the text.
        space: int or None. The label that is the space, if there is one; without it a text is a single word.

    References:
        Steinbiss, Tran and Ney (1994), Improvements in beam search, for the look-ahead.
    """

    # node, history, and what the completed word would lead to: its history, and the bits of what it would add
    state_size = 4

    def __init__(self, children, words, rises, remainders, tables, start, end, space=None):
        super().__init__(name="word_scorer")
        children = np.asarray(children)
        self.labels = children.shape[1]
        self.space = self.labels if space is None else space
        is_space = np.arange(self.labels) == self.space
        self.children = tf.reshape(tf.constant(children, tf.int32), [-1])
        self.rises = tf.constant(np.where(is_space, 0.0, rises), tf.float32)
        self.words = tf.constant(words, tf.int32)
        self.remainders = tf.constant(remainders, tf.float32)
        self.tables: NgramTables = tables
        self.first, self.end = start, end
        self.is_space = tf.constant(is_space, tf.float32)

    def start(self, rows):
        """States of `rows` empty texts."""
        return tf.repeat(tf.constant([[0, self.first, self.first, 0]]), rows, axis=0)

    def extensions(self, states):
        """What appending each label adds: log probabilities, and words."""
        node, _, _, completion = _unstack(states)
        in_word = tf.cast(node > 0, tf.float32)
        log_probabilities = tf.gather(self.rises, node) + completion[..., None] * self.is_space
        return log_probabilities, in_word[..., None] * self.is_space

    def advance(self, states, labels):
        """States after one more label each."""
        node, history, following, _ = _unstack(states)
        history = tf.where((labels == self.space) & (node > 0), following, history)
        node = tf.gather(self.children, node * self.labels + labels)
        log_probability, following = self.tables(history, tf.gather(self.words, node))
        completion = tf.where(node > 0, log_probability + tf.gather(self.remainders, node), 0.0)
        return tf.stack([node, history, following, tf.bitcast(completion, tf.int32)], axis=-1)

    def finish(self, states):
        """What the end of the text adds."""
        node, history, following, completion = _unstack(states)
        history = tf.where(node > 0, following, history)
        log_probability, _ = self.tables(history, tf.fill(tf.shape(node), self.end))
        return completion + log_probability, tf.cast(node > 0, tf.float32)


def _unstack(states):
    node, history, following, completion = tf.unstack(states, axis=-1)
    return node, history, following, tf.bitcast(completion, tf.float32)
