"""Subwords: a vocabulary of pieces of words, learnt by the library `tokenizers` and applied in TF operations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import tensorflow as tf
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.trainers import WordPieceTrainer

from .errors import UserError
from .vocabulary import SPECIAL, UNKNOWN, Vocabulary
from .words import Split, WordReader, split_texts

CONTINUING = "##"  # what a piece begins with that is not the first one of its word
_MIN_FREQUENCY = 2  # a piece that is seen once teaches a model nothing

# What an entry of a vocabulary of pieces can be.
_NO_PIECE, _FIRST, _LATER = 0, 1, 2


class SubwordReader(WordReader):
    """Splits texts into words and words into pieces, and looks the pieces up.

    A word is spelled by the longest piece that it begins with, what is left by the longest continuing piece that this
    begins with, and so on (WordPiece; Schuster and Nakajima 2012, Wu et al. 2016). A word that cannot be spelled to its
    end, or is longer than `max_characters`, is one unknown piece as a whole.

    A task that reads words by a `WordReader` can read pieces by this one instead: its `tokens` are pieces, lower-cased
    if `lowercase`. They spell every word: unlike a `WordReader`, it takes no punctuation off where texts are split at
    white space.

    Args:
        pieces: vocabulary of pieces, as `learn_subwords` returns it.
        lowercase: bool.
        max_characters: int. Longer words are unknown.
        split: str. Where texts are split into words; see `WordReader`.

    Example:
        >>> reader = SubwordReader(Vocabulary(["[padding]", "[unknown]", "[start]", "[end]", "un", "##want", "##ed"]))
        >>> tokens = reader.tokens(tf.constant(["Unwanted unseen"]))
        >>> tokens.to_list(), reader.ids(tokens.to_tensor("")).numpy().tolist()
        ([[b'un', b'##want', b'##ed', b'unseen']], [[4, 5, 6, 1]])

    References:
        - Schuster and Nakajima (2012). Japanese and Korean voice search. ICASSP.
        - Wu et al. (2016). Google's neural machine translation system: bridging the gap between human and machine
          translation. arXiv:1609.08144.
    """

    def __init__(
        self, pieces: Vocabulary, lowercase: bool = True, max_characters: int = 100, split: Split = "spaces"
    ) -> None:
        super().__init__(pieces, None, lowercase, max_characters, split)
        known = [entry for entry in pieces.entries if entry not in SPECIAL]
        self._longest = max((len(entry.removeprefix(CONTINUING)) for entry in known), default=1)
        self._kinds = tf.constant([_kind(entry) for entry in pieces.entries], tf.int32)

    def tokens(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Splits `(batch,)` texts into pieces `(batch, None)`."""
        return self.pieces(split_texts(texts, self._split))[0]

    def pieces(self, words: tf.RaggedTensor) -> tuple[tf.RaggedTensor, tf.RaggedTensor]:
        """Splits words `(batch, None)` into pieces `(batch, None)`, and says which word of its row each is part of.

        Returns:
            The pieces; one that is unknown is the whole word, or `[unknown]` if the word is spelled like a piece. The
            indices of their words, int32, of the same shape. An empty word has no pieces.
        """
        distinct, index = tf.unique(words.values)
        pieces = tf.gather(self._spelled(self._normal(distinct)), index)  # (words, pieces)
        places = tf.ragged.range(words.row_lengths(), dtype=tf.int64).values
        owners = pieces.with_values(tf.cast(tf.repeat(places, pieces.row_lengths()), tf.int32))
        return words.with_values(pieces).merge_dims(1, 2), words.with_values(owners).merge_dims(1, 2)

    def _spelled(self, words: tf.Tensor) -> tf.RaggedTensor:
        """The pieces `(words, None)` of words `(words,)`, one word after the other."""
        lengths = tf.strings.length(words, unit="UTF8_CHAR")
        unknown = lengths > self._max_characters
        owners, pieces = self._matched(words, tf.where(~unknown & (lengths > 0))[:, 0])
        stuck = tf.boolean_mask(owners, pieces == "")
        unknown = tf.tensor_scatter_nd_update(unknown, stuck[:, None], tf.ones_like(stuck, tf.bool))
        spelled = ~tf.gather(unknown, owners)
        whole = tf.boolean_mask(words, unknown)
        # A word that only looks like a piece (`##ing`) must not be looked up as one.
        whole = tf.where(self._known(whole), SPECIAL[UNKNOWN], whole)
        owners = tf.concat([tf.boolean_mask(owners, spelled), tf.where(unknown)[:, 0]], axis=0)
        pieces = tf.concat([tf.boolean_mask(pieces, spelled), whole], axis=0)
        order = tf.argsort(owners, stable=True)
        return tf.RaggedTensor.from_value_rowids(
            tf.gather(pieces, order), tf.gather(owners, order), nrows=tf.size(words, tf.int64), validate=False
        )

    def _matched(self, words: tf.Tensor, owners: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Finds, in each turn, the next piece of every word that is not at its end.

        Returns the words' indices and the pieces, in the order in which they were found. A word where none fits gets an
        empty piece, its last one. The words are those with the indices `owners`.
        """

        def turn(kind, owners, rest, found_owners, found):
            lengths = tf.strings.length(rest, unit="UTF8_CHAR")
            sizes = tf.range(1, tf.minimum(self._longest, tf.reduce_max(lengths)) + 1)
            mark = tf.where(kind == _LATER, CONTINUING, "")
            prefixes = mark + tf.strings.substr(rest[:, None], [tf.zeros_like(sizes)], [sizes], unit="UTF8_CHAR")
            fit = tf.gather(self._kinds, self._words.lookup(prefixes)) == kind  # (words, sizes)
            size = tf.reduce_max(tf.where(fit, tf.minimum(sizes, lengths[:, None]), 0), axis=1)
            pieces = tf.where(size > 0, mark + tf.strings.substr(rest, tf.zeros_like(size), size, unit="UTF8_CHAR"), "")
            going = (size > 0) & (size < lengths)
            size, left = tf.boolean_mask(size, going), tf.boolean_mask(lengths - size, going)
            rest = tf.strings.substr(tf.boolean_mask(rest, going), size, left, unit="UTF8_CHAR")
            found_owners, found = tf.concat([found_owners, owners], axis=0), tf.concat([found, pieces], axis=0)
            return _LATER, tf.boolean_mask(owners, going), rest, found_owners, found

        first = (_FIRST, owners, tf.gather(words, owners), tf.zeros([0], tf.int64), tf.zeros([0], tf.string))
        shapes = (tf.TensorShape([]), *[tf.TensorShape([None])] * 4)
        *_, owners, pieces = tf.while_loop(lambda _, left, *__: tf.size(left) > 0, turn, first, shape_invariants=shapes)
        return owners, pieces


def learn_subwords(words: Mapping[str, int], size: int, base: Vocabulary | None = None) -> Vocabulary:
    """Learns the pieces that words are spelled of.

    The pieces are every character of the words, both as a first and as a continuing one, so that only a character that
    the words lack makes a word unknown; then the pieces that come of merging the most frequent pair of neighbours, over
    and over (Sennrich et al. 2016), which is what the library calls WordPiece. Pairs that occur once stay apart. Words
    are taken as they are; the same words give the same pieces in any order.

    Args:
        words: how often each word occurs, in the form that readers look up; see `normal_forms`.
        size: int. The most entries that the words get, special ones included.
        base: vocabulary whose entries come first and keep their ids. What is learnt follows, without what it has.

    Raises:
        UserError: if `size` is too small for the characters of the words.

    Example:
        >>> learn_subwords({"low": 5, "lower": 2}, size=17).entries[4:]
        ('e', 'l', 'o', 'r', 'w', '##e', '##l', '##o', '##r', '##w', 'lo', 'low', '##er')

    References:
        - Sennrich, Haddow and Birch (2016). Neural machine translation of rare words with subword units. ACL.
    """
    characters = sorted({character for word in words for character in word})
    alphabet = [*characters, *(CONTINUING + character for character in characters)]
    least = len(SPECIAL) + len(alphabet)
    if size < least:
        raise UserError(
            f"the size of a subword vocabulary must be at least {least}, for {len(SPECIAL)} special entries and "
            f"each of {len(characters)} characters at the beginning and inside of words, got size={size}"
        )
    # The trainer breaks ties by ids, and numbers what it finds in the order of a hash map, another one in each run
    # (huggingface/tokenizers#1794). Entries that are given to it are numbered in the order in which they are given.
    trainer = WordPieceTrainer(
        vocab_size=size - len(SPECIAL), min_frequency=_MIN_FREQUENCY, special_tokens=alphabet, show_progress=False
    )
    tokenizer = Tokenizer(WordPiece(unk_token=SPECIAL[UNKNOWN]))
    # Only such words could give a first piece that looks like a continuing one.
    plain = {word: count for word, count in words.items() if not word.startswith(CONTINUING)}
    tokenizer.train_from_iterator(Counter(plain).elements(), trainer)
    ids = tokenizer.get_vocab(with_added_tokens=False)
    known = base.entries if base else SPECIAL
    held = set(known)
    return Vocabulary((*known, *(piece for piece in sorted(ids, key=ids.__getitem__) if piece not in held)))


def _kind(entry: str) -> int:
    if entry in SPECIAL:
        return _NO_PIECE
    return _LATER if entry.startswith(CONTINUING) else _FIRST
