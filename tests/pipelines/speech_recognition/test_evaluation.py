"""Metrics of speech recognition, and the sections of its report."""

import base64
import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from seqloom.datasets.audio import Waveform
from seqloom.pipelines.evaluation import lower_is_better
from seqloom.pipelines.reporting import page, render
from seqloom.pipelines.reporting.page import DASH, Figure, Html, Table
from seqloom.pipelines.speech_recognition.evaluation import score, sections
from seqloom.pipelines.speech_recognition.inspection import inspection, worth_inspecting
from seqloom.pipelines.speech_recognition.published import PUBLISHED
from seqloom.pipelines.speech_recognition.worst_utterances import SHOWN_ERRORS

EVIL = "<script>alert('x')</script>&\"城市"
TITLES = [
    *("Decoders", "Speakers, length and speaking rate", "Confused words", "Words that train lacks"),
    *("Confidence and blanks", "Irregular answers", "Worst utterances"),
]


def row(gold, heard, error="", confidences=None, confidence=0.5, **facts):
    """A line of predictions without what only an evaluation adds; times are half a second a word."""
    words = heard.split()
    sure = [0.9] * len(words) if confidences is None else confidences
    return {
        "name": facts.pop("name", "a.wav"),
        "speaker": facts.pop("speaker", None),
        "seconds": facts.pop("seconds", 2.0),
        "gold": {"text": gold},
        "predicted": {
            "text": heard,
            "confidence": confidence,
            "words": words,
            "word_confidences": sure,
            "word_starts": [0.5 * at for at in range(len(sure))],
            "word_ends": [0.5 * at + 0.4 for at in range(len(sure))],
            "error": error,
        },
        **facts,
    }


def evaluated(gold, greedy, beam, beam_lm, **facts):
    """A line of predictions whose exported decoder is the last one."""
    decoders = {"greedy": greedy, "beam": beam, "beam_lm": beam_lm}
    seconds = {"greedy": 0.02, "beam": 0.1, "beam_lm": 0.2}
    return row(gold, beam_lm, decoders=decoders, decoding_seconds=seconds, **facts)


def with_inspection(row, sound=True):
    rng = np.random.default_rng(0)
    labels = [*"abcdefghijklmnopqrstuvwxyz ", "blank"]
    posteriors = np.full((100, len(labels)), 0.001)
    posteriors[:, -1] = 0.97
    for at, character in enumerate(row["predicted"]["text"][:40]):
        posteriors[2 * at + 1] = 0.001
        posteriors[2 * at + 1, labels.index(character) if character in labels else 0] = 0.97
    waveform = Waveform(rng.uniform(-1, 1, 16000).astype(np.float32), 8000) if sound else None
    kept = inspection(rng.normal(size=(200, 40)), posteriors, labels, 0.01, 2, waveform)
    return {**row, "inspection": kept, "blank_share": 0.6}


def by_title(rows, tuning=None):
    return {section.title: section for section in sections(rows, tuning or {})}


def blocks(section, kind):
    return [block for block in section.blocks if isinstance(block, kind)]


def plain(markup):
    return " ".join(re.sub("<[^>]*>", " ", str(markup)).split())


# By hand: 6 words said; one substitution, one deletion, one insertion; 2 of 3 utterances wrong.
BY_HAND = [row("go left now", "go let"), row("stop", "oh stop"), row("go on", "go on")]


def test_metrics_and_counts_of_utterances_counted_by_hand():
    scores = score([*BY_HAND, row("no", "no", unseen_words=["no"], unseen_characters=["n"])])
    assert scores.metrics == pytest.approx({"wer": 3 / 7, "cer": (5 + 3) / (11 + 4 + 5 + 2), "ser": 2 / 4})
    assert scores.counts == {
        "substitutions": 1,
        "deletions": 1,
        "insertions": 1,
        "words": 7,
        "errors": 0,
        "utterances_with_unseen_words": 1,
        "utterances_with_unseen_characters": 1,
    }
    assert all(lower_is_better(name) for name in scores.metrics)
    for name, (low, high) in scores.confidence.items():
        assert low <= scores.metrics[name] <= high


def test_decoders_are_scored_beside_the_exported_one():
    rows = [evaluated("go left", "o let", "go let", "go left"), evaluated("stop", "stop", "stop", "stop")]
    scores = score([{**one, "blank_share": 0.7} for one in rows])
    assert list(scores.metrics) == [
        *("wer", "cer", "ser", "wer_greedy", "wer_beam", "wer_beam_lm", "cer_greedy", "cer_beam", "cer_beam_lm"),
        *("blank_share", "real_time_factor"),
    ]
    assert scores.metrics["wer"] == scores.metrics["wer_beam_lm"] == 0
    assert scores.metrics["wer_greedy"] == pytest.approx(2 / 3)
    assert scores.metrics["wer_beam"] == pytest.approx(1 / 3)
    assert scores.metrics["real_time_factor"] == pytest.approx(0.4 / 4)
    assert scores.metrics["blank_share"] == pytest.approx(0.7)


def test_the_real_time_factor_is_that_of_the_exported_decoder():
    one = evaluated("go left", "go left", "go let", "go let")
    one["predicted"]["text"] = "go left"
    assert score([one]).metrics["real_time_factor"] == pytest.approx(0.02 / 2)
    alike = evaluated("go", "go", "go", "go")
    assert score([alike]).metrics["real_time_factor"] == pytest.approx(0.2 / 2)
    assert score([{**alike, "decoder": "beam"}]).metrics["real_time_factor"] == pytest.approx(0.1 / 2)


def test_the_exported_decoder_is_named_where_it_is_known():
    alike = evaluated("go", "go", "go", "go")
    for one, marked in ((alike, []), ({**alike, "decoder": "greedy"}, ["best path, exported"])):
        [table] = blocks(by_title([one])["Decoders"], Table)
        assert [line[0] for line in table.rows if "exported" in line[0]] == marked


def test_blank_shares_are_weighted_by_time():
    rows = [row("a", "a", blank_share=0.5, seconds=3.0), row("a", "a", blank_share=0.9, seconds=1.0)]
    rows.append(row("a", "", error="the recording is empty", blank_share=1.0))
    assert score(rows).metrics["blank_share"] == pytest.approx(0.6)


def test_a_decoder_that_some_rows_lack_is_not_compared():
    rows = [evaluated("a", "a", "a", "a"), row("a", "a", decoders={"greedy": "a"})]
    assert [name for name in score(rows).metrics if name.startswith("wer")] == ["wer", "wer_greedy"]


def test_an_error_counts_as_nothing_heard():
    failed = row("go left", "", error="the recording is empty", decoders={})
    scores = score([failed, row("stop", "stop")])
    assert scores.metrics["wer"] == pytest.approx(2 / 3)
    assert (scores.counts["deletions"], scores.counts["errors"]) == (2, 1)
    leftover = row("go left", "go left", error="not finite")  # a text beside an error is not an answer
    assert score([leftover]).metrics["wer"] == 1
    assert score([failed, evaluated("a", "b", "a", "a")]).metrics["wer_greedy"] == 1


def test_rows_of_a_validation_have_a_text_and_an_error_alone():
    rows = [{"name": "a", "speaker": None, "gold": {"text": "go on"}, "predicted": {"text": "go", "error": ""}}]
    scores = score(rows, resamples=0)
    assert scores.metrics == pytest.approx({"wer": 0.5, "cer": 0.6, "ser": 1})
    assert scores.confidence == {}


def test_nothing_said_divides_by_nothing():
    assert score([row("", "")]).metrics == {"wer": 0, "cer": 0, "ser": 0}
    assert score([row("", "go")]).metrics == {"wer": 1, "cer": 2, "ser": 1}
    assert np.isfinite(list(score([row("", "go"), row("a", "a")]).confidence.values())).all()


def test_no_rows_have_no_scores():
    with pytest.raises(ValueError, match="at least one"):
        score([])


def test_sections_of_rows_without_any_comparison():
    found = by_title(BY_HAND)
    assert list(found) == TITLES
    [table] = blocks(found["Decoders"], Table)
    assert table.columns == ["decoder", "wer", "cer", "ser", "S", "D", "I"]
    assert list(table.rows[0][4:]) == [1, 1, 1]
    assert not blocks(found["Decoders"], Figure)


def test_decoders_stand_side_by_side():
    rows = [
        evaluated("go left", "o let", "go let", "go left"),
        evaluated("stop", "stop", "stop", "shop"),
        evaluated("no", "no", "", "no"),
    ]
    section = by_title(rows)["Decoders"]
    [table] = blocks(section, Table)
    best_path, beam, with_model = (dict(zip(table.columns, line, strict=True)) for line in table.rows)
    assert best_path["wer"] == pytest.approx(2 / 4)
    assert (best_path["better"], best_path["worse"]) == (None, None)
    assert (beam["S"], beam["D"], beam["better"], beam["worse"]) == (1, 1, 1, 1)
    assert (with_model["better"], with_model["worse"]) == (1, 1)
    assert with_model["decoder"].endswith(", exported")
    assert not best_path["decoder"].endswith(", exported")
    assert with_model["real time"] == pytest.approx(0.6 / 6)
    [figure] = blocks(section, Figure)
    assert "prefix beam, n-grams" in figure.svg


TUNING = {
    "weights": [0.0, 0.5, 1.0],
    "bonuses": [-1.0, 0.0],
    "wer": [[0.2, 0.12, 0.3], [0.2, 0.15, 0.25]],
    "weight": 0.5,
    "bonus": -1.0,
    "without": 0.22,
    "utterances": 100,
}


def test_the_choice_of_the_weight_is_drawn():
    section = by_title(BY_HAND, TUNING)["Language-model weight"]
    assert "weight 0.5 and word bonus \N{MINUS SIGN}1 gave 12.00 % WER" in section.text
    assert "22.00 %" in section.text
    [figure] = blocks(section, Figure)
    for name in ("bonus \N{MINUS SIGN}1", "bonus 0", "without a model"):
        assert name in figure.svg


def test_of_many_bonuses_the_chosen_one_is_drawn():
    bonuses = [float(bonus) for bonus in range(20)]
    many = TUNING | {"bonuses": bonuses, "wer": [[0.1, 0.2, 0.3]] * 20, "bonus": 7.0}
    [figure] = by_title(BY_HAND, many)["Language-model weight"].blocks
    shown = re.findall(r"bonus (\d+)<", figure.svg)
    assert len(shown) == 5
    assert {"0", "7", "19"} <= set(shown)


def test_one_weight_and_one_bonus_are_enough():
    fixed = TUNING | {"weights": [0.5], "bonuses": [-1.0], "wer": [[0.12]]}
    assert by_title(BY_HAND, fixed)["Language-model weight"].blocks


def test_a_sweep_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"wer must have shape \(2, 3\), got \(3, 2\)"):
        sections(BY_HAND, TUNING | {"wer": np.transpose(TUNING["wer"]).tolist()})


def test_wer_is_shown_by_speaker_length_and_rate():
    rows = [
        *[row("a b", "a c", speaker="ann", seconds=0.5)] * 4,
        *[row("a b c d e f", "a b c d e f", speaker="bob", seconds=4.0)] * 4,
        row("a", "a", seconds=8.0),
    ]
    by_speaker, by_length, by_rate = blocks(by_title(rows)["Speakers, length and speaking rate"], Figure)
    assert by_speaker.svg.index("ann (n=4)") < by_speaker.svg.index("bob (n=4)")
    assert "50.0" in by_speaker.svg
    for label in ("2", f"6{DASH}7"):
        assert f">{label}<" in by_length.svg
    assert "up to 2.8" in by_rate.svg
    assert f"2.8{DASH}6.0" in by_rate.svg


def test_utterances_that_are_alike_are_not_compared():
    section = by_title([row("a b", "a b", speaker="ann")] * 3)["Speakers, length and speaking rate"]
    assert not section.blocks
    assert section.text


def test_confused_deleted_and_inserted_words_are_counted():
    rows = [row("five nine", "nine nine"), row("five oh", "nine"), row("one", "a one"), row("one", "a one")]
    confused, deleted, inserted = blocks(by_title(rows)["Confused words"], Table)
    assert [list(line) for line in confused.rows] == [["five", "nine", 2, 2]]
    assert [list(line) for line in deleted.rows] == [["oh", 1, 1]]
    assert [list(line) for line in inserted.rows] == [["a", 2]]
    assert not by_title([row("a", "a")])["Confused words"].blocks


def test_words_that_train_lacks_are_listed_with_what_was_heard():
    rows = [
        row("call ann now", "call and now", unseen_words=["ann"]),
        row("ann ann", "ann", unseen_words=["ann", "ann"]),
        row("call bob", "call bob"),
    ]
    section = by_title(rows)["Words that train lacks"]
    groups, words = blocks(section, Table)
    assert "3 of 7 words never occur in train; 1 of these" in section.text
    assert [list(line) for line in words.rows] == [["ann", 3, 1, "(nothing) (1), and (1)"]]
    assert [list(line) for line in groups.rows] == [["with such a word", 2, 5, 2 / 5], ["without", 1, 2, 0.0]]
    assert not by_title([row("a", "a", unseen_words=[])])["Words that train lacks"].blocks


def test_word_confidences_are_set_against_what_is_right():
    rows = [row("go left", "go let now", confidences=[0.9, 0.5, 0.1]), row("stop", "stop", confidences=[0.5])]
    section = by_title(rows)["Confidence and blanks"]
    assert "50.0 % sure on average, and 50.0 % of them are right" in section.text
    diagram, counts = blocks(section, Figure)
    assert "Reliability" in diagram.svg
    assert "n=2" in counts.svg


def test_rows_without_confidences_and_blanks_say_so():
    section = by_title([row("go", "go", confidences=[])])["Confidence and blanks"]
    assert not section.blocks
    assert "No word" in section.text
    [table] = by_title([row("go", "go", confidences=[], blank_share=0.25)])["Confidence and blanks"].blocks
    assert [line[1] for line in table.rows] == [0.25] * 3


def test_irregular_answers_are_counted_with_their_reasons():
    rows = [
        row("go", "", error="the recording is empty"),
        row("go", ""),
        row("café", "caf", unseen_characters=["é"], unseen_words=["café"]),
    ]
    counts, reasons, characters = blocks(by_title(rows)["Irregular answers"], Table)
    assert [line[1] for line in counts.rows] == [1, 1, 1, 1]
    assert [list(line) for line in reasons.rows] == [["the recording is empty", 1]]
    assert [list(line) for line in characters.rows] == [["é", 1]]


def test_the_worst_utterances_come_first_word_by_word():
    rows = [
        row("doubtful one", "doubtful two", confidence=0.1),
        row("go left now", "go let", name="worst.wav", speaker="ann"),
        row("sure one", "sure two", confidence=0.9),
        row("right", "right"),
        row("silent", "", error="the recording is empty"),
    ]
    section = by_title(rows)["Worst utterances"]
    assert "4 of 5 utterances have an error; the 3 worst are shown" in section.text
    legend, examples = blocks(section, Html)
    assert "another word" in plain(legend.markup)
    text = plain(examples.markup)
    order = [text.index(word) for word in ("worst.wav", "doubtful", "sure")]
    assert order == sorted(order)
    assert "silent" not in text
    assert "worst.wav · ann · 2.00 s errors 2 in 3 words: 1 substitution, 1 deletion" in text
    kinds = re.findall(r'<li class="(\w+)"', examples.markup)[:4]
    assert kinds == ["head", "right", "substitution", "deletion"]
    assert '<b class="sign" role="img" aria-label="not heard:">' in examples.markup
    assert "0.50 · 90 %" in text


def test_recordings_are_played_and_drawn_where_they_were_kept():
    rows = [
        with_inspection(row("go left now", "go let", name="loud.wav")),
        with_inspection(row("stop", "shop", name="features.mfc"), sound=False),
        row("on", "of"),
        with_inspection(row("right", "right", name="right.wav")),
    ]
    assert worth_inspecting(rows) == [0, 1, 2, 3]
    *_, title, right = blocks(by_title(rows)["Worst utterances"], Html)
    assert "Right answers" in title.markup
    assert "right.wav" in right.markup
    markup = "".join(block.markup for block in blocks(by_title(rows)["Worst utterances"], Html))
    assert markup.count("<audio") == 2
    assert markup.count("<figure>") == 3
    assert 'aria-label="Spectrogram of loud.wav' in markup
    assert "60 % of the steps" in markup
    [sound, _] = re.findall(r'src="data:audio/wav;base64,([^"]*)"', markup)
    assert base64.b64decode(sound).startswith(b"RIFF")
    for drawing in re.findall(r"<svg.*?</svg>", markup):
        ElementTree.fromstring(drawing)


def test_no_more_utterances_are_shown_than_fit():
    section = by_title([row("a", "b")] * 100)["Worst utterances"]
    assert blocks(section, Html)[1].markup.count('class="example"') == SHOWN_ERRORS
    assert "100 of 100" in section.text


def test_a_run_without_errors_says_so():
    section = by_title([row("a", "a")])["Worst utterances"]
    assert section.text == "Every utterance is right."
    assert not section.blocks


def test_what_users_wrote_is_escaped_on_the_page():
    names = {"name": EVIL, "speaker": EVIL, "unseen_words": [EVIL], "unseen_characters": ["<"]}
    rows = [
        with_inspection(row(f"{EVIL} a", f"b {EVIL} c", **names)),
        row("a", "", error=EVIL),
        evaluated("a", EVIL, "a", "a", speaker="b"),
    ]
    rows = json.loads(json.dumps(rows))
    whole = page.RunPage(
        title="t", task="speech_recognition", dataset="d", command="c", sections=sections(rows, TUNING)
    )
    html = render.render_run(whole)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") > 5
    assert render.render_run(whole) == html


def test_a_page_with_recordings_of_two_seconds_is_small():
    rows = [with_inspection(row("the quick brown fox", "the quack brown fax")) for _ in range(6)] + BY_HAND * 50
    whole = page.RunPage(title="t", task="speech_recognition", dataset="d", command="c", sections=sections(rows, {}))
    assert len(render.render_run(whole)) < 1_000_000


def test_published_figures_are_fractions_with_a_source():
    for figures in PUBLISHED.values():
        for figure in figures:
            assert figure["source"]
            assert figure["metrics"].keys() <= {"wer", "cer", "ser"}
            assert all(0 < value < 0.2 for value in figure["metrics"].values())
