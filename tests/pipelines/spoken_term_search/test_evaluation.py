"""The sections of the report of a search."""

import itertools
import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from seqloom.datasets.audio import Waveform
from seqloom.datasets.spoken_term import SpokenTerm
from seqloom.pipelines.audio_config import AudioConfig
from seqloom.pipelines.reporting import page, render
from seqloom.pipelines.reporting.page import Figure, Html, Table
from seqloom.pipelines.spoken_term_search.details import LONGEST, PLAYED_HITS, add_restorations, add_sounds
from seqloom.pipelines.spoken_term_search.evaluation import sections
from seqloom.pipelines.spoken_term_search.published import PUBLISHED
from seqloom.pipelines.spoken_term_search.retrieval import with_search
from seqloom.pipelines.spoken_term_search.scoring import score
from seqloom.pipelines.spoken_term_search.sections.curves import equal_error_rate

EVIL = "<script>alert('x')</script>&\"城市"
TITLES = [
    *("Rankings", "Same or different", "Vectors in two dimensions", "Distance and phonemes"),
    *("What is found instead", "Restoration", "Irregular queries", "Ranked hits"),
]
PHONEMES = {"one": ("w", "ah", "n"), "nine": ("n", "ay", "n"), "seven": ("s", "eh", "v", "ah", "n")}
CONFIG = AudioConfig(sampling_rate=8000, mel_bands=6)


def terms(split, count, labels=tuple(PHONEMES), speakers=("ann", "bob", "cem")):
    silence = Waveform(np.zeros(8, np.float32), 8000)
    return [
        SpokenTerm(f"{split}/{label}_{speaker}_{number}", silence, label, speaker, PHONEMES.get(label, ()))
        for label, speaker, number in itertools.product(labels, speakers, range(count))
    ]


def vectors(terms, seed):
    """Unit vectors in which the word shows, and the speaker a little."""
    draw = np.random.default_rng(seed)
    centres = {}
    rows = []
    for term in terms:
        for kind, key in (("word", term.label), ("voice", term.speaker)):
            centres.setdefault((kind, key), np.random.default_rng([ord(each) for each in f"{key}"]).normal(size=12))
        word, voice = centres["word", term.label], centres["voice", term.speaker]
        rows.append(word + 0.7 * voice + 0.8 * draw.normal(size=12))
    return np.array(rows) / np.linalg.norm(rows, axis=1, keepdims=True)


def searched(queries, archive):
    """Lines of predictions without what only a few have."""
    asked, known = vectors(queries, 0), vectors(archive, 1)
    rows = [
        {
            **{"name": term.name, "label": term.label, "speaker": term.speaker, "phonemes": list(term.phonemes)},
            **{"error": "", "embedding": vector.round(5).tolist(), "restoration_error": float(np.abs(vector).max())},
        }
        for term, vector in zip(queries, asked, strict=True)
    ]
    rows = with_search(rows, archive, asked @ known.T, 1 - asked @ asked.T)
    places = {term.name: place for place, term in enumerate(archive)}
    for row in rows:
        row["hits"] = [{**hit, "place": places[hit["name"]]} for hit in row["hits"]]
    return rows


def request(seconds, seed=0):
    samples = np.random.default_rng(seed).uniform(-1, 1, round(8000 * seconds)).astype(np.float32)
    return {"waveform": samples, "lengths": np.int32(len(samples))}


def restored(name, requests):
    """Answers as the signature does: frames of all requests padded to one length."""
    assert name == "restored"
    frames = [len(each["waveform"]) // 80 for each in requests]
    answers = []
    for each, count in zip(requests, frames, strict=True):
        wanted = np.zeros((max(frames), 6))
        wanted[:count] = each["waveform"][: 80 * count].reshape(count, 80)[:, :6]
        answers.append({"wanted": wanted.tolist(), "restored": (wanted / 2).tolist(), "frames": count, "error": ""})
    return answers


@pytest.fixture(scope="module")
def rows():
    """What a run leaves: all of it goes through JSON."""
    queries, archive = terms("test", 4), terms("train", 6)
    found = searched(queries, archive)
    requests = [request(0.3 + 0.01 * place, place) for place in range(len(queries))]
    add_restorations(found, requests, CONFIG, restored)
    add_sounds(found, requests, [request(0.2, place) for place in range(len(archive))], CONFIG)
    return json.loads(json.dumps(found))


@pytest.fixture(scope="module")
def found(rows):
    """The sections of these rows, by their titles."""
    return by_title(rows)


def by_title(rows):
    return {section.title: section for section in sections(rows)}


def blocks(section, kind):
    return [block for block in section.blocks if isinstance(block, kind)]


def column(table, name):
    return [line[table.columns.index(name)] for line in table.rows]


def plain(markup):
    return " ".join(re.sub("<[^>]*>", " ", str(markup)).split())


def test_all_sections_have_their_tables_and_figures(found):
    assert list(found) == TITLES
    counts = [[len(blocks(found[title], kind)) for kind in (Table, Figure, Html)] for title in TITLES]
    assert counts == [[5, 4, 0], [1, 4, 0], [0, 4, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0], [0, 0, 1]]


def test_rankings_agree_with_the_metrics(rows, found):
    metrics = score(rows, 0).metrics
    overall, *_ = tables = blocks(found["Rankings"], Table)
    assert column(overall, "ranked") == ["archive of other speakers", "whole archive"]
    assert column(overall, "map")[0] == pytest.approx(metrics["mean_average_precision"])
    assert column(overall, "precision_at_10")[0] == pytest.approx(metrics["precision_at_10"])
    assert column(overall, "to be found") == [12, 18]
    assert column(overall, "share_by_chance") == pytest.approx([1 / 3, 1 / 3])
    first = np.mean([row["hits"][0]["label"] == row["label"] for row in rows])
    assert column(overall, "precision_at_1")[0] == pytest.approx(first)
    for table, place in ((tables[1], 0), (tables[2], 1), (tables[3], 0), (tables[4], 1)):
        assert column(table, "queries") == [12] * 3
        assert column(table, "map") == sorted(column(table, "map"))
        for name in ("map", "precision_at_1", "precision_at_10"):
            assert np.mean(column(table, name)) == pytest.approx(column(overall, name)[place])


def test_the_terms_of_each_speaker_are_ranked_apart(rows, found):
    """A speaker says a word in some of the ranks; these, counted among the speaker's own terms, are judged."""
    archive = terms("train", 6)
    asked, known = vectors(terms("test", 4), 0), vectors(archive, 1)
    for place in (0, 13, 35):
        row = rows[place]
        others = sorted({"ann", "bob", "cem"} - {row["speaker"]})
        assert sorted(row["by_speaker"]) == others
        for speaker in others:
            mine = [at for at, term in enumerate(archive) if term.speaker == speaker]
            same = [archive[at].label == row["label"] for at in mine]
            scores = known[mine] @ asked[place]
            assert row["by_speaker"][speaker] == pytest.approx(average_precision_score(same, scores), abs=1e-4)
    assert "By pair of speakers" in "".join(figure.svg for figure in blocks(found["Rankings"], Figure))


def test_queries_with_nothing_to_find_are_counted(rows):
    lonely = {**rows[0], "ranks": []}
    missing = {**rows[1], "ranks": [], "ranks_of_all": []}
    unlabelled = {**rows[2], "label": None, "ranks": [], "ranks_of_all": []}
    section = by_title([lonely, missing, unlabelled, *rows[3:]])["Rankings"]
    assert "35 of 36 queries have a label" in section.text
    assert (
        "2 have nothing to find in the archive of other speakers and 1 have nothing to find in the whole"
        in section.text
    )
    assert column(section.blocks[0], "queries") == [33, 34]


def test_without_speakers_there_is_one_archive():
    queries = terms("test", 4, speakers=[None])
    found = by_title(searched(queries, terms("train", 4, speakers=[None])))
    overall, by_label = blocks(found["Rankings"], Table)
    assert column(overall, "ranked") == ["archive"]
    assert by_label.caption == "By label"
    assert [title for title in TITLES if title in found] == list(found)
    assert [line[0] for line in blocks(found["Same or different"], Table)[0].rows] == ["all pairs"]
    assert len(blocks(found["Vectors in two dimensions"], Figure)) == 2


def test_same_or_different_agrees_with_the_metrics(rows, found):
    metrics = score(rows, 0).metrics
    [table] = blocks(found["Same or different"], Table)
    assert column(table, "pairs") == ["all pairs", "of two speakers", "of one speaker"]
    names = ["average_precision", "average_precision_across_speakers"]
    assert column(table, "average_precision")[:2] == pytest.approx([metrics[name] for name in names])
    assert column(table, "number") == [36 * 35 / 2, 3 * 12 * 12, 3 * 12 * 11 / 2]
    curve, tradeoff, speakers, lengths = blocks(found["Same or different"], Figure)
    for figure in (curve, tradeoff):
        assert ">of two speakers</text>" in figure.svg
    assert all(f">{name}</text>" in speakers.svg for name in ("ann", "bob", "cem"))
    assert {">3</text>", ">5</text>"} <= set(re.findall(">[35]</text>", lengths.svg))


def test_pairs_of_many_speakers_are_listed():
    speakers = [f"speaker{number:02d}" for number in range(24)]
    queries = terms("test", 1, speakers=speakers)
    section = by_title(searched(queries, terms("train", 1, speakers=speakers)))["Same or different"]
    _, hardest = blocks(section, Table)
    assert len(hardest.rows) == 20
    assert column(hardest, "average_precision") == sorted(column(hardest, "average_precision"))


def test_equal_errors_are_found_by_trying_all_thresholds():
    draw = np.random.default_rng(0)
    same = draw.random(400) < 0.3
    distances = draw.normal(size=400) - 1.5 * same
    errors = [((distances[~same] <= at).mean(), (distances[same] > at).mean()) for at in distances]
    assert equal_error_rate(distances, same) == pytest.approx(
        np.mean(min(errors, key=lambda two: abs(two[0] - two[1])))
    )
    assert equal_error_rate(np.array([0.1, 0.9]), np.array([True, False])) == 0


def test_distances_are_averaged_over_pairs_of_each_edit_distance(rows, found):
    section = found["Distance and phonemes"]
    [table] = blocks(section, Table)
    edits = {("one", "one"): 0, ("nine", "one"): 2, ("one", "seven"): 3, ("nine", "seven"): 4}
    expected = {}
    for one, other in itertools.combinations(rows, 2):
        far = other["distances"][one["place"]]
        labels = tuple(sorted((one["label"], other["label"])))
        expected.setdefault(edits.get(labels, 0), []).append(far)
    assert column(table, "edit distance") == ["0", "2", "3", "4"]
    assert column(table, "pairs") == [len(expected[edit]) for edit in (0, 2, 3, 4)]
    assert column(table, "mean") == pytest.approx([np.mean(expected[edit]) for edit in (0, 2, 3, 4)])
    assert column(table, "standard deviation") == pytest.approx([np.std(expected[edit]) for edit in (0, 2, 3, 4)])
    assert "Spearman" in section.text
    assert "Distance and phonemes" not in by_title([{**row, "phonemes": []} for row in rows])


def test_times_are_medians_of_the_queries_that_were_timed(rows):
    assert "Time of a search" not in [section.title for section in sections(rows)]
    timed = [dict(row) for row in rows]
    for row, warping in zip(timed, (30.0, 20.0, 100.0), strict=False):
        row["milliseconds"] = {"warping": warping, "from_samples": 3.0, "look_up": 0.02}
    (section,) = [section for section in sections(timed) if section.title == "Time of a search"]
    assert f"3 queries were searched one by one in an archive of {timed[0]['candidates_of_all']} terms" in section.text
    (table,) = section.blocks
    expected = [[30.0, 1.0], [3.0, 10.0], [0.02, 1500.0]]
    np.testing.assert_allclose([row[1:] for row in table.rows], expected)


def test_labels_of_hits_are_counted(rows, found):
    section = found["What is found instead"]
    right = sum(hit["label"] == row["label"] for row in rows for hit in row["hits"])
    assert f"{right} of 360 hits have the label" in section.text
    cells = re.findall(r">(\d+)</text>", blocks(section, Figure)[0].svg)
    assert sum(map(int, cells)) == 360
    hopeless = {**rows[0], "ranks": []}
    assert "of 350 hits" in by_title([hopeless, *rows[1:]])["What is found instead"].text


def test_many_labels_are_listed_with_what_was_found_instead():
    labels = [f"word{number:02d}" for number in range(30)]
    queries = terms("test", 1, labels, ("ann", "bob"))
    section = by_title(searched(queries, terms("train", 1, labels, ("cem",))))["What is found instead"]
    [table] = blocks(section, Table)
    assert len(table.rows) == 30
    assert column(table, "share_right") == sorted(column(table, "share_right"))
    assert all(re.fullmatch(r"(word\d\d \(\d\)(, )?){5}", text) for text in column(table, table.columns[-1]))


def test_restored_features_stand_beside_those_that_were_encoded(rows, found):
    section = found["Restoration"]
    [examples] = blocks(section, Html)
    assert examples.markup.count('class="example"') == 3
    assert examples.markup.count("<svg") == 6
    assert examples.markup.count("<audio") == 3
    order = [plain(examples.markup).index(f"restored {which}") for which in ("best", "middling", "worst")]
    assert order == sorted(order)
    errors = [row["restoration_error"] for row in rows]
    assert f"{min(errors):.3f}" in plain(examples.markup)
    assert f"median {np.median(errors):.3f}" in section.text
    for drawing in re.findall(r"<svg.*?</svg>", examples.markup):
        ElementTree.fromstring(drawing)


def test_restorations_are_left_out_where_there_are_none(rows):
    names = ("restoration", "restoration_error")
    assert "Restoration" not in by_title([{k: v for k, v in row.items() if k not in names} for row in rows])
    assert not by_title([{k: v for k, v in row.items() if k != "restoration"} for row in rows])["Restoration"].blocks


def test_hits_are_ranked_and_played(rows, found):
    [examples] = blocks(found["Ranked hits"], Html)
    root = ElementTree.fromstring(
        f"<div>{examples.markup.replace('<audio controls ', '<audio ').replace('></audio>', '/>')}</div>"
    )
    lines = [["".join(cell.itertext()) for cell in line] for line in root.iter("tr")]
    assert [line[0] for line in lines] == ["rank", *map(str, range(1, 11))] * 3
    best = max(rows, key=lambda row: np.mean(np.arange(1, len(row["ranks"]) + 1) / row["ranks"]))
    assert lines[1][1:5] == [
        f"{best['hits'][0]['score']:.3f}",
        *(best["hits"][0][k] for k in ("label", "speaker", "name")),
    ]
    assert examples.markup.count("<audio") == 3 * (1 + PLAYED_HITS)
    wrong = sum(hit["label"] != best["label"] for hit in best["hits"])
    assert plain(examples.markup).startswith(f"found best {best['name']} ·")
    assert examples.markup.split('class="example"')[1].count('class="badge wrong"') == wrong


def test_irregular_queries_are_counted_with_their_reasons(rows):
    changed = [
        {**rows[0], "error": "the recording is silent"},
        {**rows[1], "label": None, "ranks": [], "ranks_of_all": []},
        {**rows[2], "ranks": [], "ranks_of_all": []},
        {**rows[3], "speaker": None},
        {**rows[4], "phonemes": []},
    ]
    counts, reasons = blocks(by_title([*changed, *rows[5:]])["Irregular queries"], Table)
    assert column(counts, "queries") == [1] * 6
    assert [list(line) for line in reasons.rows] == [["the recording is silent", 1]]


@pytest.mark.parametrize("keep", [("embedding",), ("distances", "place"), ("embedding", "ranks", "candidates")])
def test_rows_may_lack_whatever_a_run_does_not_make(keep):
    names = ("name", "label", "speaker", "error", *keep)
    few = [
        {name: row[name] for name in names} for row in searched(terms("test", 1, ["one"], ["ann"]), terms("train", 2))
    ]
    assert {"Rankings", "Irregular queries"} <= set(by_title(few))


def test_queries_without_labels_are_searched_and_drawn_all_the_same():
    unlabelled = [None]
    queries = terms("test", 9, unlabelled, unlabelled)
    found = by_title(searched(queries, terms("train", 9, unlabelled, unlabelled)))
    assert list(found) == [TITLES[0], TITLES[2], *TITLES[5:]]
    assert "No query has anything to find" in found["Rankings"].text
    assert "the score of the first hit" in found["Ranked hits"].text
    assert 'class="badge' not in found["Ranked hits"].blocks[0].markup


def test_what_users_wrote_is_escaped_on_the_page(rows):
    evil = json.loads(json.dumps(rows))
    for row in evil:
        row["name"] = EVIL
        for name in ("label", "speaker"):
            row[name] += EVIL
        for hit in row["hits"]:
            hit["name"] = hit["label"] = hit["speaker"] = EVIL
    evil.append({**evil[0], "error": EVIL})
    whole = page.RunPage(title="t", task="spoken_term_search", dataset="d", command="c", sections=sections(evil))
    html = render.render_run(whole)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") > 50
    whole = page.RunPage(title="t", task="spoken_term_search", dataset="d", command="c", sections=sections(evil))
    assert render.render_run(whole) == html


def test_a_page_with_the_longest_sounds_is_small():
    queries, archive = terms("test", 4), terms("train", 6)
    found = searched(queries, archive)
    long = request(60)
    add_restorations(found, [request(5)] * len(queries), CONFIG, restored)
    add_sounds(found, [long] * len(queries), [long] * len(archive), CONFIG)
    sounds = [hit["audio"] for row in found for hit in row["hits"] if "audio" in hit]
    assert len(sounds) == 3 * PLAYED_HITS
    assert all(len(sound) == pytest.approx(2 * LONGEST * 4 / 3, rel=0.01) for sound in sounds)
    whole = page.RunPage(title="t", task="spoken_term_search", dataset="d", command="c", sections=sections(found))
    assert len(render.render_run(whole)) < 3_000_000


def test_derivatives_are_not_drawn():
    found = searched(terms("test", 1), terms("train", 1))
    few = AudioConfig(sampling_rate=8000, features="mfcc", coefficients=2, deltas=True)
    add_restorations(found, [request(0.2)] * len(found), few, restored)
    kept = next(row["restoration"] for row in found if "restoration" in row)
    assert kept["wanted"]["shape"] == kept["restored"]["shape"] == [20, 2]
    assert (kept["frame_seconds"], kept["features"]) == (0.01, "mfcc")
    assert ">coefficient</text>" in by_title(found)["Restoration"].blocks[0].markup


def test_no_published_figure_fits():
    assert PUBLISHED == {}
