from __future__ import annotations

import random
from collections import Counter

import pytest

from seqloom.datasets.grammar import Grammar, Sampler, generate_splits


def sampler(rules: dict[str, str] | None = None, held_out: bool = False, **values: tuple[str, str]) -> Sampler:
    drawn = Sampler(Grammar(rules or {}, values), random.Random(0), held_out)
    drawn.begin()
    return drawn


def texts(rule: str, count: int = 2000) -> Counter[str]:
    draw = sampler()
    return Counter(" ".join(word for word, _ in draw.text(rule)) for _ in range(count))


def test_alternatives_come_as_often_as_their_weights_say():
    counts = texts("3* a b | c | 4* ( d | e )")
    assert set(counts) == {"a b", "c", "d", "e"}
    for text, share in {"a b": 3 / 8, "c": 1 / 8, "d": 1 / 4, "e": 1 / 4}.items():
        assert counts[text] / 2000 == pytest.approx(share, abs=0.04)


def test_options_come_as_often_as_they_say():
    counts = texts("a [ b ] [ 20% c [ d ] ]")
    assert set(counts) == {"a", "a b", "a c", "a b c", "a c d", "a b c d"}
    assert (counts["a b"] + counts["a b c"] + counts["a b c d"]) / 2000 == pytest.approx(0.5, abs=0.04)
    assert (2000 - counts["a"] - counts["a b"]) / 2000 == pytest.approx(0.2, abs=0.04)


def test_digits_are_drawn():
    numbers = [int(text) for text in texts("ND")]
    assert set(numbers) == set(range(10, 100))


def test_slots_are_tagged_as_one_span():
    draw = sampler({"city": "new york", "from": "from {city=city}"})
    assert draw.text("<from> to {to.city=city} now") == [
        ("from", "O"),
        ("new", "B-city"),
        ("york", "I-city"),
        ("to", "O"),
        ("new", "B-to.city"),
        ("york", "I-to.city"),
        ("now", "O"),
    ]


def test_a_value_comes_once_in_a_sentence():
    draw = sampler(city=("rome | oslo | bonn", "paris"))
    for _ in range(20):
        draw.begin()
        assert {draw.rule("city")[0][0] for _ in range(3)} == {"rome", "oslo", "bonn"}


def test_held_out_values_come_only_where_they_may():
    assert Grammar({}, {"city": ("rome", "paris | new york")}).held_out_values() == {"city": ["paris", "new york"]}
    for held_out, expected in ((False, {"rome"}), (True, {"rome", "paris"})):
        draw = sampler(held_out=held_out, city=("rome", "paris"))
        seen = set()
        for _ in range(100):
            draw.begin()
            seen.add(draw.rule("city")[0][0])
        assert seen == expected


@pytest.mark.parametrize("rule", ["a ( b", "a [ b", "a ) b", "( a ]", "( [ a ) ]"])
def test_a_rule_closes_what_it_opens(rule):
    with pytest.raises(ValueError, match="a rule must close what it opens, got"):
        sampler().text(rule)


def draw_digits(source: random.Random, with_held_out: bool):
    return lambda: int(source.random() * 30) + 100 * with_held_out


def test_splits_hold_nothing_twice_and_train_stands_alone():
    splits = generate_splits(3, {"train": 20, "valid": 4, "test": 5}, draw_digits, identity=lambda number: number % 100)
    assert {split: len(numbers) for split, numbers in splits.items()} == {"train": 20, "valid": 4, "test": 5}
    numbers = [number % 100 for split in splits.values() for number in split]
    assert len(set(numbers)) == len(numbers)
    assert max(splits["train"]) < 100 <= min(splits["valid"] + splits["test"])
    assert generate_splits(3, {"train": 10, "valid": 1, "test": 1}, draw_digits, str)["train"] == splits["train"][:10]
    assert generate_splits(4, {"train": 10, "valid": 1, "test": 1}, draw_digits, str)["train"] != splits["train"][:10]
