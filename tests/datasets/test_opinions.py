from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter

import pytest

from seqloom.datasets import opinion_grammar
from seqloom.datasets.brackets import to_brackets
from seqloom.datasets.labelled_tree import LabelledTree
from seqloom.datasets.opinions import (
    SIZES,
    Meaning,
    compose,
    generate,
    held_out_values,
    is_held_out,
    load,
    meaning_of,
)

DIGEST = "2dd241ac6cf5a6ea"


@pytest.fixture(scope="module")
def corpus():
    return load()


def pairs(tree: LabelledTree) -> list[tuple[str, str]]:
    """The two words of every phrase of two words."""
    words = [tuple(tree.words[part] for part in parts) for parts in tree.children if parts]
    return [(left, right) for left, right in words if left and right]


def with_held_out_pair(trees: list[LabelledTree]) -> list[LabelledTree]:
    return [tree for tree in trees if any(is_held_out(*pair) for pair in pairs(tree))]


def test_the_sample_is_the_same_on_every_machine(corpus):
    rows = [f"{split}\t{to_brackets(tree)}\n" for split, trees in corpus.splits().items() for tree in trees]
    assert hashlib.sha256("".join(rows).encode()).hexdigest()[:16] == DIGEST


def test_the_sample_does_not_depend_on_the_process():
    code = "from seqloom.datasets.opinions import generate; print(generate(0, 100, 20, 20).splits())"
    printed = [
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert printed[0] == printed[1]


def test_the_sample_says_what_it_is(corpus):
    assert corpus.counts() == SIZES
    assert corpus.synthetic
    assert corpus.source == "generated from seed 0"
    assert (corpus.name, corpus.notes) == ("sample", {})


def test_other_seeds_give_other_trees_and_other_sizes_the_same_train(corpus):
    small = generate(seed=0, train=50, valid=5, test=7)
    assert small.train == corpus.train[:50]
    assert small.counts() == {"train": 50, "valid": 5, "test": 7}
    assert generate(seed=1, train=50, valid=5, test=7).train != small.train


def test_no_sentence_occurs_twice(corpus):
    sentences = Counter(tree.tokens for trees in corpus.splits().values() for tree in trees)
    assert sentences.most_common(1)[0][1] == 1


def test_trees_are_binary_and_of_a_good_size(corpus):
    for trees in corpus.splits().values():
        for tree in trees:
            assert {len(parts) for parts in tree.children} <= {0, 2}
            assert 3 <= len(tree.tokens) <= 40
            assert all(re.fullmatch(r"[a-z-]+|[.,]", token) for token in tree.tokens)
            assert "  " not in tree.group
            assert tree.tokens[-1] == "."
            assert not re.search(r"\ban [^aeiou]|\ba [aeiou]|\+", tree.group)
    lengths = [len(tree.tokens) for tree in corpus.train]
    assert min(lengths) == 3
    assert max(lengths) > 30


def test_every_class_is_common_at_the_root_and_inside(corpus):
    for trees in corpus.splits().values():
        roots = Counter(tree.labels[tree.root] for tree in trees)
        nodes = Counter(label for tree in trees for label in tree.labels)
        assert set(roots) == set(nodes) == set(range(5))
        assert max(roots.values()) < 0.4 * len(trees)
        assert min(roots.values()) > 0.06 * len(trees)


def test_the_label_of_every_node_follows_from_its_children(corpus):
    """From their labels, and from what the words among them do; the walk knows nothing else of the tree."""
    for trees in corpus.splits().values():
        for tree in trees:
            effects: list[str] = []
            for word, parts, label in zip(tree.words, tree.children, tree.labels, strict=True):
                if parts:
                    meaning = compose(*(Meaning(tree.labels[part] - 2, effects[part]) for part in parts))
                else:
                    meaning = meaning_of(word)
                assert label == meaning.value + 2
                effects.append(meaning.effect)


@pytest.mark.parametrize(
    ("words", "label"),
    [
        ("good", 3),
        ("very good", 4),
        ("slightly dull", 2),
        ("almost superb", 3),
        ("truly awful", 0),
        ("not superb", 1),
        ("not terrible", 2),
        ("not dull", 3),
        ("never good", 0),
        ("never terrible", 3),
        ("hardly superb", 2),
        ("hardly good", 1),
        ("without wit", 1),
        ("not without wit", 3),
        ("not very dull", 2),
        ("the film", 2),
        ("not long", 2),
        ("a superb film about a boat", 4),
    ],
)
def test_what_words_come_to(words, label):
    *others, last = words.split()
    meaning = meaning_of(last)
    for word in reversed(others):
        meaning = compose(meaning_of(word), meaning)
    assert meaning == Meaning(label - 2)


@pytest.mark.parametrize(
    ("conceded", "meant", "value"),
    [(2, -1, -1), (2, -2, -1), (1, -2, -2), (-2, 2, 1), (-1, 1, 1), (2, 0, 1), (-1, 0, 0), (0, -2, -2)],
)
def test_in_a_contrast_what_is_meant_dominates(conceded, meant, value):
    turn = compose(meaning_of("but"), Meaning(meant))
    assert compose(compose(Meaning(conceded), meaning_of(",")), turn) == Meaning(value)
    concession = compose(meaning_of("although"), Meaning(conceded))
    assert compose(compose(concession, meaning_of(",")), Meaning(meant)) == Meaning(value)
    assert compose(Meaning(meant), concession) == Meaning(value)


@pytest.mark.parametrize(("left", "right", "value"), [(1, 2, 2), (-1, 0, -1), (2, -1, 1), (1, -1, 0), (-2, 1, -1)])
def test_equals_stand_together(left, right, value):
    assert compose(Meaning(left), compose(meaning_of("and"), Meaning(right))) == Meaning(value)


def test_some_pairs_and_nouns_are_held_out_of_train(corpus):
    assert with_held_out_pair(corpus.train) == []
    trained = {token for tree in corpus.train for token in tree.tokens}
    nouns = {noun for values in held_out_values().values() for noun in values}
    for trees in (corpus.valid, corpus.test):
        assert 0.12 < len(with_held_out_pair(trees)) / len(trees) < 0.4
        unseen = {token for tree in trees for token in tree.tokens} - trained
        assert unseen
        assert unseen <= nouns


def test_train_holds_every_word_that_counts_and_every_word_that_changes_one(corpus):
    trained = {token for tree in corpus.train for token in tree.tokens}
    lists = [*opinion_grammar.SENTIMENT.values(), *opinion_grammar.EFFECTS.values()]
    words = [word for words in lists for word in words.split(" | ")]
    assert set(words) <= trained
    assert len(words) == len(set(words))
    assert any(is_held_out("not", word) for word in words)
    assert not all(is_held_out("not", word) for word in words if meaning_of(word).value)
    assert not is_held_out("the", "good")


def test_a_bag_of_words_does_not_tell_the_label(corpus):
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(CountVectorizer(token_pattern=r"\S+"), LogisticRegression(max_iter=3000))
    model.fit([tree.group for tree in corpus.train], [tree.labels[tree.root] for tree in corpus.train])
    accuracy = model.score([tree.group for tree in corpus.test], [tree.labels[tree.root] for tree in corpus.test])
    majority = max(Counter(tree.labels[tree.root] for tree in corpus.test).values()) / len(corpus.test)
    assert majority + 0.05 < accuracy < 0.6


def test_every_rule_of_the_grammar_is_defined_once_and_used():
    parts = (
        opinion_grammar.VALUES,
        opinion_grammar.SENTIMENT,
        opinion_grammar._WORDS,
        opinion_grammar._QUALITIES,
        opinion_grammar._PHRASES,
    )
    defined = Counter(name for part in parts for name in part)
    used = {name for text in opinion_grammar.RULES.values() for name in re.findall(r"<([a-z_]+)>", text)} | {"sentence"}
    assert defined == dict.fromkeys(used, 1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"seed": -1}, "seed must not be negative, got seed=-1"),
        ({"train": 0}, "train must be a positive integer, got train=0"),
        ({"valid": -2}, "valid must be a positive integer, got valid=-2"),
        ({"test": 0}, "test must be a positive integer, got test=0"),
    ],
)
def test_arguments_out_of_range_are_named(changed, message):
    with pytest.raises(ValueError, match=message):
        generate(**({"seed": 0, "train": 1, "valid": 1, "test": 1} | changed))


def test_trees_are_read_and_generated_without_tensorflow():
    code = (
        "import sys, seqloom.datasets.labelled_tree, seqloom.datasets.brackets, seqloom.datasets.tree_files, "
        "seqloom.datasets.opinions; "
        "print([name for name in sys.modules if name.split('.')[0] in ('tensorflow', 'tensorflow_datasets', 'keras')])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"
