"""Training data: the sentences as they are, or with values of the same kind in the place of their own."""

from collections import Counter, defaultdict

import numpy as np
import pytest
import tensorflow as tf
from tagging import CORPUS, make_config

from seqloom.datasets.tagged_sentence import TaggedSentence
from seqloom.pipelines.slot_filling.data import Preprocessor, SegmentedSentences, rare_word_rates, training_data
from seqloom.pipelines.slot_filling.spans import is_legal, spans
from seqloom.pipelines.slot_filling.tags import kind_of
from seqloom.pipelines.slot_filling.task import SlotFilling
from seqloom.pipelines.vocabulary import SPECIAL, UNKNOWN

TRAIN = CORPUS.train
TRICKY = [
    TaggedSentence(("a",), ("B-x",), None),
    TaggedSentence(("a", "b", "c"), ("B-x", "B-x", "I-x"), None),
    TaggedSentence(("a", "b", "c", "d"), ("B-x", "B-y", "O", "B-x"), None),
    TaggedSentence(("c", "d"), ("O", "O"), None),
    TaggedSentence(("a\u00a0b", "ü", "🚀."), ("O", "B-from.x", "I-from.x"), None),
]


def prepared(examples, **settings):
    config = make_config(**settings)
    return Preprocessor.fit(examples, config), config


def drawn(examples, rows=None, seed=(1, 2), **settings):
    """Tokens and tags of rows, as strings."""
    preprocessor, config = prepared(examples, **settings)
    segments = SegmentedSentences(examples, preprocessor, config)
    rows = range(len(examples)) if rows is None else rows
    words, tags = segments.draw(tf.constant(list(rows), tf.int64), tf.constant(seed, tf.int64))
    entries = preprocessor.tags.entries
    return [
        ([word.decode() for word in row], [entries[tag] for tag in row_tags])
        for row, row_tags in zip(words.to_list(), tags.to_list(), strict=True)
    ]


@pytest.mark.parametrize("examples", [TRAIN, TRICKY], ids=["sample", "tricky"])
def test_without_substitution_sentences_are_what_they_were(examples):
    order = [*range(len(examples))[::-1], 0, 0]
    expected = [(list(examples[row].tokens), list(examples[row].tags)) for row in order]
    assert drawn(examples, order, substitution=0.0) == expected


def pieces(tokens, tags):
    """What stands outside of spans, and the spans with their values."""
    found = spans(tags)
    inside = {position for span in found for position in range(span.start, span.end)}
    outside = [token for position, token in enumerate(tokens) if position not in inside]
    return outside, [(span.type, tuple(tokens[span.start : span.end])) for span in found]


@pytest.mark.parametrize("examples", [TRAIN, TRICKY], ids=["sample", "tricky"])
@pytest.mark.parametrize("seed", range(5))
def test_substituted_values_are_of_the_same_kind_and_nothing_else_changes(examples, seed):
    pools = defaultdict(set)
    for sentence in examples:
        for slot, value in pieces(sentence.tokens, sentence.tags)[1]:
            pools[kind_of(slot)].add(value)
    changed = 0
    for sentence, (tokens, tags) in zip(
        examples, drawn(examples, seed=(seed, 0), substitution=1.0, substituted_spans=1.0), strict=True
    ):
        assert is_legal(tags)
        assert len(tokens) == len(tags)
        (before, values_before), (after, values_after) = pieces(sentence.tokens, sentence.tags), pieces(tokens, tags)
        assert after == before
        assert [slot for slot, _ in values_after] == [slot for slot, _ in values_before]
        for slot, value in values_after:
            assert value in pools[kind_of(slot)]
        changed += values_after != values_before
    assert changed > 0


def test_values_cross_from_one_role_to_another_of_the_same_kind():
    examples = [
        TaggedSentence(("from", "rome"), ("O", "B-from.city"), None),
        TaggedSentence(("to", "new", "york"), ("O", "B-to.city", "I-to.city"), None),
    ]
    found = Counter()
    for seed in range(40):
        ((tokens, tags),) = drawn(examples, [0], (seed, 0), substitution=1.0, substituted_spans=1.0)
        found[" ".join(tokens), " ".join(tags)] += 1
    assert set(found) == {("from rome", "O B-from.city"), ("from new york", "O B-from.city I-from.city")}
    assert min(found.values()) > 8, "each value of the pool is as likely as the other"


@pytest.mark.parametrize(("substitution", "substituted_spans"), [(0.5, 1.0), (1.0, 0.5), (0.5, 0.4)])
def test_shares_of_sentences_and_of_values(substitution, substituted_spans):
    values = 400  # so many that a value hardly ever replaces itself
    examples = [
        TaggedSentence((f"v{row}", "and", f"v{row + values}"), ("B-x", "O", "B-x"), None) for row in range(values)
    ]
    settings = {"substitution": substitution, "substituted_spans": substituted_spans}
    changed = np.array(
        [
            [tokens[place] != sentence.tokens[place] for place in (0, 2)]
            for sentence, (tokens, _) in zip(examples, drawn(examples, **settings), strict=True)
        ]
    )
    assert changed.mean() == pytest.approx(substitution * substituted_spans, abs=0.06)
    expected = substitution * (1 - (1 - substituted_spans) ** 2)
    assert changed.any(axis=1).mean() == pytest.approx(expected, abs=0.08)


def test_a_draw_is_a_function_of_its_seed():
    settings = {"substitution": 0.8}
    assert drawn(TRAIN, seed=(3, 4), **settings) == drawn(TRAIN, seed=(3, 4), **settings)
    assert drawn(TRAIN, seed=(3, 4), **settings) != drawn(TRAIN, seed=(3, 5), **settings)
    assert drawn(TRAIN, seed=(3, 4), **settings) != drawn(TRAIN, seed=(4, 4), **settings)


def test_rows_that_only_fill_the_batch_up_change_no_draw():
    rows = list(range(7))
    filled = drawn(TRAIN, [*rows, 0], substitution=0.8)
    assert filled[:7] == drawn(TRAIN, rows, substitution=0.8)


# The batches of the model.


def batch_of(data, rows, epoch=0):
    return tf.nest.map_structure(
        lambda tensor: tensor.numpy(), data.batch(tf.constant(rows, tf.int64), tf.constant(epoch, tf.int64))
    )


def made(examples=TRAIN, **settings):
    preprocessor, config = prepared(examples, **settings)
    return training_data(examples, preprocessor, config), preprocessor


def test_a_batch_holds_ids_lengths_characters_and_targets():
    data, preprocessor = made()
    rows = [5, 0, 17]
    inputs, targets, weights = batch_of(data, rows)
    assert data.sizes.tolist() == [len(sentence.tokens) for sentence in TRAIN]
    assert inputs["lengths"].tolist() == [len(TRAIN[row].tokens) for row in rows]
    assert {name: value.dtype.name for name, value in inputs.items()} == dict.fromkeys(
        ("words", "lengths", "tags", "characters", "character_lengths"), "int32"
    )
    for place, row in enumerate(rows):
        sentence, length = TRAIN[row], len(TRAIN[row].tokens)
        tokens = [token.lower() for token in sentence.tokens]
        assert [preprocessor.words.entries[word] for word in inputs["words"][place, :length]] == tokens
        assert not inputs["words"][place, length:].any()
        assert [preprocessor.tags.entries[tag] for tag in targets["slots"][place, :length]] == list(sentence.tags)
        assert inputs["character_lengths"][place, :length].tolist() == [min(len(token), 24) for token in tokens]
        assert not inputs["character_lengths"][place, length:].any()
        for step, token in enumerate(tokens):
            spelled = inputs["characters"][place, step, : inputs["character_lengths"][place, step]]
            assert "".join(preprocessor.characters.entries[letter] for letter in spelled) == token[:24]
        assert preprocessor.intents.entries[targets["intent"][place]] == sentence.intent
    np.testing.assert_array_equal(inputs["tags"], targets["slots"])
    assert {name: weight.tolist() for name, weight in weights.items()} == {"slots": [1.0] * 3, "intent": [1.0] * 3}


def test_without_characters_and_intents_there_are_none():
    data, preprocessor = made(TRICKY, character_dim=0)
    inputs, _, _ = batch_of(data, [0, 2])
    assert set(inputs) == {"words", "lengths", "tags"}
    assert preprocessor.intents is None


def test_a_batch_is_a_function_of_seed_epoch_and_rows():
    settings = {"substitution": 0.8, "rare_word_dropout": 2.0}
    data, _ = made(**settings)
    again, _ = made(**settings)
    other, _ = made(**settings, seed=1)
    rows = [3, 8, 20, 4]
    first = batch_of(data, rows, epoch=2)
    tf.nest.map_structure(np.testing.assert_array_equal, batch_of(again, rows, epoch=2), first)
    for changed in (batch_of(data, rows, epoch=3), batch_of(other, rows, epoch=2), batch_of(data, rows[::-1], epoch=2)):
        assert changed[0]["words"].tolist() != first[0]["words"].tolist()


def test_a_filled_batch_begins_with_the_batch_that_was_filled():
    data, _ = made(substitution=0.8, rare_word_dropout=2.0)
    for rows in ([3, 8, 20], [8, 3, 20], [20, 8, 3]):
        plain, filled = batch_of(data, rows, 5), batch_of(data, [*rows, rows[0]], 5)
        for part, padded in zip(plain[:2], filled[:2], strict=True):
            for name, value in part.items():
                block = padded[name][tuple(slice(size) for size in value.shape)]
                np.testing.assert_array_equal(block, value, err_msg=name)
                assert not padded[name][:3][..., value.shape[-1] :].any() or value.ndim == 1


def test_rare_words_are_read_as_unknown_at_their_rates():
    examples = [TaggedSentence(("often", "Often", "rare", "never"), ("O",) * 4, None), *TRICKY]
    preprocessor, config = prepared(examples, rare_word_dropout=0.5)
    rates = rare_word_rates(examples, preprocessor, config)
    assert rates.shape == (len(preprocessor.words),)
    assert rates[preprocessor.words.id("often")] == pytest.approx(0.5 / 2.5)
    assert rates[preprocessor.words.id("rare")] == pytest.approx(0.5 / 1.5)
    assert not rates[: len(SPECIAL)].any()
    assert not rare_word_rates(examples, *prepared(examples, rare_word_dropout=0.0)).any()


def test_words_below_min_count_and_words_of_a_base_have_rates_too():
    examples = [TaggedSentence(("two", "two", "one"), ("O",) * 3, None)]
    preprocessor, config = prepared(examples, min_count=2, rare_word_dropout=1.0)
    assert "one" not in preprocessor.words
    assert rare_word_rates(examples, preprocessor, config).tolist() == pytest.approx([0, 0, 0, 0, 1 / 3])
    extended = Preprocessor.fit(examples, config, Preprocessor.fit(TRICKY, make_config()))
    assert rare_word_rates(examples, extended, config)[extended.words.id("ü")] == 0


def test_the_share_of_unknown_words_in_batches_is_the_rate():
    examples = [TaggedSentence(tuple("abcdefgh"), ("O",) * 8, None)] * 64
    data, preprocessor = made(examples, rare_word_dropout=64.0)
    words = batch_of(data, list(range(64)))[0]["words"]
    assert (words == UNKNOWN).mean() == pytest.approx(0.5, abs=0.07)
    assert batch_of(data, [0, 1])[0]["characters"].min() > UNKNOWN, "the spelling stays"
    plain, _ = made(examples, rare_word_dropout=0.0)
    assert not (batch_of(plain, list(range(64)))[0]["words"] == UNKNOWN).any()
    assert len(preprocessor.words) == 12


def test_broken_tags_are_rewritten_and_long_sentences_left_out_and_both_counted():
    examples = [
        TaggedSentence(("a", "b"), ("I-x", "I-x"), None),
        TaggedSentence(("a", "b"), ("B-x", "I-y"), None),
        TaggedSentence(("a",) * 4, ("O",) * 4, None),
        TaggedSentence(("a",) * 3, ("O",) * 3, None),
    ]
    usable, notes = SlotFilling(make_config(max_tokens=3)).usable(examples)
    assert [sentence.tags for sentence in usable] == [("B-x", "I-x"), ("B-x", "B-y"), ("O",) * 3]
    assert [spans(sentence.tags) for sentence in usable[:2]] == [spans(sentence.tags) for sentence in examples[:2]]
    assert notes == {
        "training sentences left out because they are longer than max_tokens": 1,
        "training sentences whose tags were rewritten as legal IOB2": 2,
    }
    assert SlotFilling(make_config()).usable(TRAIN) == (list(TRAIN), {})


def test_the_preprocessor_is_saved_and_loaded(tmp_path):
    for name, examples in (("with intents", TRAIN), ("without", TRICKY)):
        preprocessor, _ = prepared(examples)
        folder = tmp_path / name
        folder.mkdir()
        preprocessor.save(folder)
        loaded = Preprocessor.load(folder)
        for vocabulary in ("words", "characters", "tags", "intents"):
            before, after = getattr(preprocessor, vocabulary), getattr(loaded, vocabulary)
            assert (after and after.entries) == (before and before.entries)
    assert loaded.intents is None


def test_every_slot_has_both_tags_and_the_base_comes_first():
    base, config = prepared(TRICKY)
    assert base.tags.entries == ("O", "B-from.x", "I-from.x", "B-x", "I-x", "B-y", "I-y")
    new = [TaggedSentence(("k", "a"), ("B-a", "B-x"), "ask")]
    extended = Preprocessor.fit(new, config, base)
    assert extended.tags.entries == (*base.tags.entries, "B-a", "I-a")
    assert extended.words.entries == (*base.words.entries, "k")
    assert extended.intents.entries == ("ask",)


def test_unseen_words_are_those_that_training_does_not_know():
    preprocessor, config = prepared([TaggedSentence(("Zürich",), ("O",), None)])
    assert preprocessor.unseen(["zürich", "ZÜRICH", "Rome"], config.lowercase) == ["Rome"]
    assert preprocessor.unseen(["ZÜRICH"], lowercase=False) == ["ZÜRICH"]


def test_a_vocabulary_of_characters_has_every_letter_once():
    preprocessor, _ = prepared(TRICKY)
    assert sorted(preprocessor.characters.entries[4:]) == sorted(
        set("".join("".join(sentence.tokens) for sentence in TRICKY))
    )
