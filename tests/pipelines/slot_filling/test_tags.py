"""Tags: the vocabulary, and how it grows."""

import time

from seqloom.pipelines.slot_filling.tags import tag_vocabulary


def test_a_base_keeps_its_ids_and_new_tags_come_after():
    base = tag_vocabulary(["B-city", "O"])
    assert tag_vocabulary(["I-city", "I-day"], base).entries == ("O", "B-city", "I-city", "B-day", "I-day")


def test_many_tags_extend_many_in_linear_time():
    base = tag_vocabulary(f"B-old{number}" for number in range(10_000))
    started = time.process_time()
    assert len(tag_vocabulary((f"B-new{number}" for number in range(10_000)), base)) == 40_001
    assert time.process_time() - started < 1.0, "one set for each tag takes some seconds"
