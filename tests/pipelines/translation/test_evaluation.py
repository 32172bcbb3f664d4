"""Metrics of translation, and the sections of its report."""

import json
import re

import numpy as np
import pytest

from seqloom.pipelines.evaluation import is_description, lower_is_better
from seqloom.pipelines.reporting import page, render
from seqloom.pipelines.reporting.page import DASH, Figure, Html, Table
from seqloom.pipelines.translation.answers import Answers
from seqloom.pipelines.translation.evaluation import score, sections
from seqloom.pipelines.translation.examples import SHOWN, ranked
from seqloom.pipelines.translation.irregularities import repetitions
from seqloom.pipelines.translation.published import PUBLISHED

EVIL = "<script>alert('x')</script>&\"城市"
TITLES = [
    *("Searches", "Beam width and length penalty", "Length and rare words of the source", "Overlap with train"),
    *("Unknown words", "Length and repetitions", "Irregular answers", "Lists of the best translations", "Attention"),
    *("Best translations", "Worst translations"),
]
TUNING = {
    "beam_widths": [1, 5],
    "length_penalties": [0.0, 1.0, 2.0],
    "bleu": [[30.0, 30.5, 29.0], [31.0, 33.25, 32.0]],
    "beam_width": 5,
    "length_penalty": 1.0,
    "sentences": 1394,
    "seconds": 12.0,
}


def row(source, targets, *translations, error="", truncated=False, **facts):
    """A line of predictions without what only an evaluation adds."""
    predicted = {
        "translations": list(translations),
        "scores": [-0.5 - at for at in range(len(translations))],
        "alignments": [],
        "truncated": [truncated] * len(translations),
        "error": error,
    }
    return {"source": source, "attributions": [], "gold": {"targets": list(targets)}, "predicted": predicted, **facts}


def evaluated(source, targets, *translations, greedy=None, unknown=(), rarest=60, similarity=0.5, **facts):
    """A line of predictions as an evaluation leaves it."""
    return {
        **row(source, targets, *translations),
        "tokens": source.lower().split(),
        "unknown": list(unknown),
        "rarest": rarest,
        "unseen_characters": [],
        "decoders": {"greedy": translations[0] if greedy is None else greedy, "beam": translations[0]},
        "nearest": {"source": "the nearest one", "similarity": similarity},
        **facts,
    }


def with_attention(one):
    symbols, tokens = list(one["predicted"]["translations"][0]), one["tokens"]
    weights = np.full((len(symbols), len(tokens)), 1 / len(tokens)).round(3).tolist()
    return {**one, "attention": {"tokens": tokens, "symbols": symbols, "weights": weights}}


def by_title(rows, tuning=None, tokenize="zh"):
    return {section.title: section for section in sections(rows, tuning or {}, tokenize)}


def blocks(section, kind):
    return [block for block in section.blocks if isinstance(block, kind)]


def plain(markup):
    return " ".join(re.sub("<[^>]*>", " ", str(markup)).split())


# A row for each kind of trouble.
ROWS = [
    evaluated(
        "I like this book .", ["我喜欢这本书。", "我爱这本书。"], "我爱这本书。", "我喜欢书。", greedy="我喜欢书书。"
    ),
    evaluated("He went home .", ["他回家了。"], "他他回家了。", "他回家了。", rarest=3, similarity=0.95),
    evaluated("Cats sleep .", ["猫睡觉。"], "狗", unknown=["sleep"], rarest=1, similarity=0.75),
    evaluated(
        "Zanzibar is far away .", ["桑给巴尔很远。"], "很远很远。", unknown=["zanzibar"], rarest=0, similarity=0.2
    ),
]


@pytest.fixture(scope="module")
def found():
    """The sections of those rows."""
    return by_title(ROWS, TUNING)


def test_metrics_and_counts_of_sentences_counted_by_hand():
    long = row("a", ["好", "很好"], "很很很很很好", truncated=True, unseen_characters=["很"], unknown=["x", "y"])
    rows = [row("a", ["好。"], " 好。"), row("b", ["不"], ""), row("c", ["好"], error="the text has no words"), long]
    scores = score(rows)
    assert list(scores.metrics) == ["bleu", "chrf", "exact_match", "length_ratio"]
    assert scores.metrics["exact_match"] == 0.25
    assert scores.metrics["length_ratio"] == pytest.approx((2 + 0 + 0 + 6) / (2 + 1 + 1 + 2))
    assert scores.counts == {
        "errors": 1,
        "truncated": 1,
        "empty_translations": 2,
        "longer_than_twice_the_reference": 1,
        "repeated_ngrams": 1,
        "unknown_source_words": 2,
        "sentences_with_unseen_target_characters": 1,
    }
    assert scores.notes["bleu"].startswith("BLEU|nrefs:var|case:mixed|eff:no|tok:zh|")
    assert scores.notes["chrf"].startswith("chrF2|nrefs:var|")
    for name, (low, high) in scores.confidence.items():
        assert low <= scores.metrics[name] <= high
    assert not any(lower_is_better(name) for name in scores.metrics)
    assert [name for name in scores.metrics if is_description(name)] == ["length_ratio"]


def test_rows_of_a_validation_need_translations_and_errors_alone():
    rows = [{"gold": {"targets": ["好。"]}, "predicted": {"translations": ["好。"], "truncated": [False], "error": ""}}]
    scores = score(rows, resamples=0)
    assert scores.metrics["exact_match"] == 1
    assert scores.confidence == {}


def test_the_tokenizer_is_the_tasks():
    rows = [row("a", ["le chat dort bien ici"], "le chat dort bien là")]
    assert "|tok:13a|" in score(rows, 0, "13a").notes["bleu"]
    assert score(rows, 0, "13a").metrics["bleu"] == pytest.approx(score(rows, 0, "zh").metrics["bleu"])
    chinese = [row("a", ["我很喜欢这本书"], "我很喜欢这本书")]
    assert (score(chinese, 0, "zh").metrics["bleu"], score(chinese, 0, "13a").metrics["bleu"]) == (
        pytest.approx(100),
        0,
    )


def test_a_text_beside_an_error_is_no_translation():
    assert score([row("a", ["好"], "好", error="too long")], 0).metrics["exact_match"] == 0


def test_no_rows_have_no_scores():
    with pytest.raises(ValueError, match="at least one"):
        score([])


def test_all_sections_stand_in_order_and_the_worst_translations_last():
    rows = [*ROWS[:-1], with_attention(ROWS[-1])]
    assert [section.title for section in sections(rows, TUNING)] == TITLES


def test_what_rows_do_not_say_has_no_section():
    titles = list(by_title([row("a b", ["好"], "好"), row("c", ["好"], error="no")]))
    lacking = {"Beam width and length penalty", "Overlap with train", "Unknown words", "Attention"}
    assert titles == [title for title in TITLES if title not in {*lacking, "Lists of the best translations"}]


def test_searches_stand_side_by_side(found):
    section = found["Searches"]
    [table] = blocks(section, Table)
    assert list(table.columns) == ["search", "bleu", "chrf", "exact_match", "length ratio", "better", "worse"]
    greedy, beam = table.rows
    assert (greedy[0], beam[0]) == ("greedy", "beam search, exported")
    assert (greedy[3], beam[3]) == (0, 0.25)
    assert greedy[5:] == [None, None]
    assert beam[5:] == [1, 0]
    assert beam[1] == pytest.approx(score(ROWS, 0).metrics["bleu"])
    assert "4 sentences were translated; 1 have several references" in section.text
    assert "BLEU|nrefs:var|" in section.text
    [figure] = blocks(section, Figure)
    assert "beam search" in figure.svg


def test_a_single_search_is_not_compared():
    section = by_title([row("a", ["好"], "好")])["Searches"]
    [table] = section.blocks
    assert list(table.columns) == ["search", "bleu", "chrf", "exact_match", "length ratio"]
    assert table.rows[0][0] == "exported search"


def test_a_row_with_an_error_does_not_hide_the_searches():
    failed = row("a", ["好"], error="no", decoders={"greedy": "", "beam": ""})
    [table] = blocks(by_title([*ROWS, failed])["Searches"], Table)
    assert len(table.rows) == 2


def test_the_grid_marks_what_was_chosen(found):
    section = found["Beam width and length penalty"]
    assert "1,394 sentences of valid. Beam width 5 with length penalty 1 gave 33.25" in section.text
    [table] = section.blocks
    assert re.findall(r'class="chosen"[^>]*>([\d.]+)<', table.markup) == ["33.25"]
    shades = [float(shade) for shade in re.findall(r"--value: ([\d.]+)", table.markup)]
    assert shades.index(max(shades)) == 4
    assert shades.index(min(shades)) == 2


def test_a_grid_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"bleu must have shape \(2, 3\), got \(3, 2\)"):
        sections(ROWS, TUNING | {"bleu": np.transpose(TUNING["bleu"]).tolist()})


def test_a_grid_of_one_pair_is_enough():
    fixed = TUNING | {"beam_widths": [5], "length_penalties": [1.0], "bleu": [[33.25]]}
    assert by_title(ROWS, fixed)["Beam width and length penalty"].blocks


def test_bleu_is_shown_by_length_and_rarity(found):
    by_length, by_rarity = found["Length and rare words of the source"].blocks
    for label in ("up to 3", f"4{DASH}5"):
        assert f">{label}<" in by_length.svg
    for label in ("never", "1", f"2{DASH}4", "50 or more"):
        assert f">{label}<" in by_rarity.svg


def test_sentences_that_are_alike_are_not_compared():
    section = by_title([row("a b", ["好"], "好")] * 3)["Length and rare words of the source"]
    assert not section.blocks
    assert section.text


def test_scores_stand_against_the_nearness_to_train():
    some = [evaluated("a b", ["很好的书"], "很好的书", similarity=0.85) for _ in range(12)]
    others = [evaluated("a b", ["很好的书"], "很坏的书", similarity=0.35) for _ in range(12)]
    section = by_title([*some, *others, evaluated("a b", ["很好的书"], "书", similarity=1.0)])["Overlap with train"]
    [table] = blocks(section, Table)
    assert [line[:2] for line in table.rows] == [[f"0.3{DASH}0.4", 12], [f"0.8{DASH}0.9", 12], [f"0.9{DASH}1.0", 1]]
    assert [line[-1] for line in table.rows] == [0, 1, 0]
    [figure] = blocks(section, Figure)
    assert "chrF" in figure.svg
    assert "Spearman" in section.text


def test_unknown_words_are_counted_and_scored():
    rows = [*ROWS, {**ROWS[2], "unseen_characters": ["睡", "觉"]}]
    section = by_title(rows)["Unknown words"]
    assert "3 source tokens in 3 sentences, 2 different ones" in section.text
    [table] = blocks(section, Table)
    assert [line[:2] for line in table.rows] == [["with an unknown token", 3], ["without", 2]]
    text = " ".join(plain(block.markup) for block in blocks(section, Html))
    assert "The most frequent ones: sleep (2), zanzibar." in text
    assert "2 symbols in the references of 1 sentences never occur in train: 睡, 觉." in text


def test_known_words_need_no_table():
    section = by_title(ROWS[:2])["Unknown words"]
    assert not section.blocks
    assert "knows every token" in section.text


def test_repetitions_of_translations_stand_beside_those_of_references():
    assert repetitions(list("很远很远。"), 2) == {("很", "远")}
    assert repetitions(list("很远很远。"), 1) == repetitions([], 1) == set()
    rows = [*ROWS, evaluated("x y", ["爸爸好。"], "爸爸好。")]
    lengths, (table, needless) = (
        by_title(rows)["Length and repetitions"].blocks[0],
        blocks(by_title(rows)["Length and repetitions"], Table),
    )
    assert [line[1] for line in table.rows] == pytest.approx([2 / 5, 1 / 5, 0, 0])
    assert [line[2] for line in table.rows] == pytest.approx([1 / 6, 0, 0, 0])
    assert [list(line) for line in needless.rows] == [["他", 1], ["很 远", 1]]
    assert "up to 0.5" in lengths.svg


def test_irregular_answers_are_counted_with_their_reasons():
    rows = [
        row("a", ["好"], error="the text has no words"),
        row("b", ["好"], ""),
        row("c", ["好"], "好坏", truncated=True),
    ]
    counts, reasons = blocks(by_title(rows)["Irregular answers"], Table)
    assert [line[1] for line in counts.rows] == [1, 1, 2, 0, 0]
    assert [list(line) for line in reasons.rows] == [["the text has no words", 1]]


def test_lists_show_what_else_was_found(found):
    section = found["Lists of the best translations"]
    assert "In 1 of 2 lists a later translation has a higher chrF" in section.text
    oracle = score([ROWS[0], row("b", ["他回家了。"], "他回家了。"), *ROWS[2:]], 0).metrics["bleu"]
    assert f"BLEU would be {oracle:.1f} instead of {score(ROWS, 0).metrics['bleu']:.1f}" in section.text
    tables = blocks(section, Table)
    assert [line[0] for line in tables[1].rows] == ["他他回家了。", "他回家了。"]
    assert tables[1].rows[1][2] == pytest.approx(100)
    assert "He went home . → 他回家了。" in plain(blocks(section, Html)[1].markup)


def test_attention_is_drawn_from_the_best_to_the_worst():
    rows = [with_attention(ROWS[3]), with_attention(ROWS[0]), ROWS[1]]
    [drawn] = by_title(rows)["Attention"].blocks
    assert drawn.markup.count('class="matrix bare"') == 2
    assert drawn.markup.index("我爱这本书") < drawn.markup.index("很远很远")
    assert '<th scope="row">书</th>' in drawn.markup
    assert '<th scope="col">book</th>' in drawn.markup


def test_the_best_and_the_worst_translations_are_shown_whole(found):
    [best], [worst] = found["Best translations"].blocks, found["Worst translations"].blocks
    assert best.markup.count('class="example"') == 4
    assert worst.markup.count('class="example"') == 3  # one is perfect
    order = [plain(worst.markup).index(text) for text in ("Cats", "is far away", "He went home")]
    assert order == sorted(order)
    assert plain(best.markup).startswith("source I like this book . translation 我爱这本书。 references")
    assert "我喜欢这本书。<br>我爱这本书。" in best.markup
    assert 'data-label="unknown">Zanzibar</mark> is far' in worst.markup
    assert "the nearest one 0.20" in plain(worst.markup)
    assert "1 of 4 translations have the highest chrF" in found["Best translations"].text


def test_only_so_many_examples_are_shown_and_errors_are_none_of_them():
    rows = [row(f"source {at}", ["很好的一本书"], "很好" + "坏" * (at % 7)) for at in range(50)]
    rows.append(row("silent", ["好"], error="the text has no words"))
    found = by_title(rows)
    for title in ("Best translations", "Worst translations"):
        assert found[title].blocks[0].markup.count('class="example"') == SHOWN
        assert "silent" not in found[title].blocks[0].markup


def test_of_equals_the_longer_ones_are_more_extreme():
    rows = [row("ab", ["好"], "好"), row("abc", ["好"], "好"), row("a", ["好"], "坏"), row("abcd", ["好"], "坏")]
    assert ranked(Answers(rows, "zh")) == [3, 2, 0, 1]


def test_perfect_translations_have_no_worst_ones():
    section = by_title([row("a", ["好"], "好")])["Worst translations"]
    assert (section.text, list(section.blocks)) == ("None is wrong.", [])


def test_cut_off_and_missing_translations_are_marked():
    rows = [row("a", ["好"], "坏" * 9, truncated=True), row("b", ["好吗"], "", attributions=["by ann"])]
    text = plain(by_title(rows)["Worst translations"].blocks[0].markup)
    assert "坏坏 cut off" in text
    assert "translation (nothing)" in text


def test_unknown_parts_of_words_are_named_behind_the_source():
    one = {**row("Zanzibar is far", ["好"], "坏"), "unknown": ["zanzi", "##bar"]}
    assert "Zanzibar is far (unknown: zanzi, ##bar)" in plain(by_title([one])["Worst translations"].blocks[0].markup)


def test_attributions_are_shown_once():
    one = {**row("a", ["好", "很好", "棒"], "坏"), "attributions": ["CC BY (ann)", "CC BY (bob)", "CC BY (ann)"]}
    text = by_title([one])["Worst translations"].blocks[0].markup
    assert text.count("CC BY (ann)") == text.count("CC BY (bob)") == 1


def test_the_page_is_escaped_and_reads_back_from_json():
    one = with_attention(evaluated(EVIL, [EVIL, "b"], EVIL + "x", "b", unknown=["script"], greedy=EVIL))
    one |= {"attributions": [EVIL, EVIL], "unseen_characters": [EVIL], "nearest": {"source": EVIL, "similarity": 0.5}}
    failed = row(EVIL, [EVIL], error=EVIL)
    rows = json.loads(json.dumps([one, failed, *ROWS], ensure_ascii=False))
    scores = score(rows)
    metrics = {
        "metrics": scores.metrics,
        "confidence": scores.confidence,
        "counts": scores.counts,
        "notes": scores.notes,
    }
    html = render.render_run(
        page.RunPage(
            title="t",
            task="translation",
            dataset="cmn_eng",
            command="c",
            metrics={**metrics, "examples": len(rows)},
            published=PUBLISHED["cmn_eng"],
            sections=sections(rows, json.loads(json.dumps(TUNING))),
        )
    )
    assert "<script" not in html
    assert "&lt;script&gt;" in html or '&lt;<mark class="span' in html
    assert "Computed as BLEU|nrefs:var" in html
    assert not re.search(r"@import|url\((?!#)", html)
    assert render.render_run(page.RunPage("t", "translation", "d", "c", sections=sections(ROWS, {}))).count("城") == 0


def test_published_figures_are_on_the_scale_of_the_metrics():
    for figure in PUBLISHED["cmn_eng"]:
        assert set(figure) == {"system", "metrics", "source"}
        assert 20 < figure["metrics"]["chrf"] < figure["metrics"]["bleu"] < 50
        assert figure["metrics"].get("exact_match", 0) < 1
