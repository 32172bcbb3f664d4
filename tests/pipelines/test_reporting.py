"""The report: complete, escaped, self-contained, the same every time."""

import math
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from seqloom.pipelines.reporting import figures, page, render

EVIL = "<script>alert('x')</script>&\"城市"
VOID = {"meta", "link", "br", "hr", "img", "input", "source", "col"}
ADDRESSES = {"src", "href", "xlink:href", "action", "data", "poster", "srcset"}


class Audit(HTMLParser):
    """Collects tags, ids, addresses and text; fails on tags that do not balance."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.ids, self.addresses, self.text = [], [], [], [], ""
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        self.addresses += [value for name, value in attrs if name in ADDRESSES]
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data + " "


def history(epochs=25, seed=0):
    """Rows as in `history.csv`, with all that a history may hold."""
    return [
        {
            "epoch": epoch,
            "loss": 3 * math.exp(-epoch / 4) + 0.01 * seed,
            "val_loss": 2.5 * math.exp(-epoch / 4) + 0.2,
            "val_slot_f1": 0.95 - 0.7 * math.exp(-epoch / 4),
            "val_wer": 0.05 + math.exp(-epoch / 4),
            "val_bleu": 30 - 20 * math.exp(-epoch / 4),
            "learning_rate": 0.002 * 0.9**epoch,
            "gradient_norm": 1 + 3 / epoch,
            "clipped_share": 0.5 / epoch,
        }
        for epoch in range(1, epochs + 1)
    ]


def short_history(seed=0):
    kept = ("epoch", "loss", "val_slot_f1", "gradient_norm", "clipped_share")
    return [{name: row[name] for name in kept} for row in history(5 + seed, seed)]


def metrics(seed=0):
    return {
        "task": "slot_filling",
        "dataset": "atis",
        "split": "test",
        "seed": seed,
        "examples": 893,
        "metrics": {"slot_f1": 0.9538 + 0.001 * seed, "wer": 0.1234, "bleu": 27.31, "log_loss": 0.1234},
        "confidence": {"slot_f1": [0.9452, 0.9618], "wer": [0.11, 0.14]},
        "baselines": {"most_frequent_tag": {"slot_f1": 0.7, "wer": 0.1}},
        "counts": {"spans": 2837},
        "seconds": {"prepare": 1.5, "train": 192.0, "export": 9.0, "evaluate": 4.2},
        "parameters": 1234567,
        "epochs": 25,
    }


def run_page(**changes):
    confusions = figures.heatmap(["a", "城市"], [[5, 1], [0, 3]])
    whole = page.RunPage(
        title="Slot filling on ATIS",
        task="slot_filling",
        dataset="atis",
        command="seqloom run slot_filling --dataset atis --set units=256",
        summary="A summary.",
        config={"units": 256, "dropout": 0.3, "kernel_sizes": (3, 5)},
        defaults={"units": 128, "dropout": 0.3, "kernel_sizes": [3, 5]},
        environment={"packages": {"keras": "3.15.1"}, "devices": ["CPU:0"]},
        data={
            "description": "Requests.",
            "licence": "CC0",
            "citation": "https://example.org/paper",
            "source": "here",
            "counts": {"train": 4478, "test": 893},
            "notes": {"tags repaired": 2},
            "synthetic": False,
        },
        metrics=metrics(),
        published=[{"system": "JointBERT", "metrics": {"slot_f1": 0.9559}, "source": "a repository"}],
        history=short_history(),
        sections=[
            page.Section("Slots", "One.\n\nTwo.", [page.Table(("Slot", "f1"), [("city", 0.5), ("day", None)])]),
            page.Section("Slots", blocks=[confusions, page.Html("<p class='sentence'>ok</p>"), confusions]),
        ],
        warnings=["Mind this."],
    )
    return replace(whole, **changes)


def comparison_pages(seeds=3):
    return [
        {
            "name": f"seed-{seed}",
            "metrics": metrics(seed),
            "config": {"units": 128 + seed // 2, "dropout": 0.3, "seed": seed},
            "history": short_history(seed),
        }
        for seed in range(seeds)
    ]


@pytest.fixture(scope="module")
def html():
    return render.render_run(run_page())


@pytest.fixture(scope="module")
def text(html):
    return " ".join(Audit(html).text.split())


def test_run_page_is_well_formed_and_needs_no_other_file(html):
    audit = Audit(html)
    assert html.startswith("<!DOCTYPE html>")
    assert not {"script", "iframe", "object", "img"} & set(audit.tags)
    assert all(address.startswith(("#", "data:")) for address in audit.addresses)
    assert {address[1:] for address in audit.addresses if address.startswith("#")} <= set(audit.ids)
    assert not re.search(r"@import|url\((?!#)", html)
    assert len(html) < 150_000


def test_ids_of_different_figures_differ():
    audit = Audit(render.render_run(run_page(sections=[])))
    assert audit.ids
    assert len(audit.ids) == len(set(audit.ids))


@pytest.mark.parametrize(
    "expected",
    [
        "Slot F1",
        "95.38 [94.52, 96.18]",
        "12.34 [11.00, 14.00]",
        "27.3",
        "0.123",
        "Most frequent tag",
        "70.00",
        "JointBERT",
        "95.59",
        "a repository",
        "https://example.org/paper",
        "1,234,567",
        "3 min 12 s",
        "4,478",
        "tags repaired",
        "Mind this.",
        "packages.keras",
        "[3, 5]",
        "1 of 3 settings differ from their defaults.",
        "seqloom run slot_filling --dataset atis --set units=256",
        "Share of clipped steps (%)",
        "Gradient norm (L2, before clipping)",
    ],
)
def test_run_page_says(expected, text):
    assert expected in text


def test_margin_over_the_best_baseline_knows_which_direction_is_better(html):
    assert '<span class="better">+25.4</span>' in html
    assert '<span class="worse">+2.3</span>' in html


def test_variants_of_a_metric_leave_a_table_that_is_too_broad():
    names = ("wer", "cer", "ser", *(f"{rate}_{decoder}" for rate in ("wer", "cer") for decoder in ("greedy", "beam")))
    values = {name: 0.1 * (1 + at) for at, name in enumerate(names)}

    def columns(values, others):
        scored = metrics() | {"metrics": values, "confidence": {}, "baselines": {"words": others}}
        html = render.render_run(run_page(metrics=scored, published=[]))
        found = re.search(r'<table class="results">.*?</thead>', html, flags=re.DOTALL)[0]
        return [name.strip() for name in re.findall(r'class="figure-cell">([^<]*)\N{NO-BREAK SPACE}%<', found)]

    assert len(columns(values, {"wer": 0.5})) == 7
    kept = columns(values | {"blank_share": 0.7}, {"wer": 0.5, "cer_beam": 0.5})
    assert kept == ["WER", "CER", "SER", "CER beam", "Blank share"]


def test_a_metric_that_only_describes_has_no_tile_and_notes_stand_below_the_table():
    scored = metrics() | {"metrics": {"bleu": 7.312, "length_ratio": 0.952}, "confidence": {}, "baselines": {}}
    html = render.render_run(run_page(metrics=scored | {"notes": {"bleu": "BLEU|tok:<zh>"}}, published=[]))
    assert re.findall(r'<dl class="tile"><dt>([^<]*)', html) == ["BLEU"]
    assert ">Length ratio</th>" in html
    assert "Computed as BLEU|tok:&lt;zh&gt;." in html
    assert "Computed as" not in render.render_run(run_page(metrics=scored, published=[]))


def test_only_changed_settings_are_marked(html):
    rows = re.findall(r'<tr class="changed"><th scope="row"><code>(\w+)', html)
    assert set(rows) == {"units"}


def test_every_string_is_escaped():
    scores = metrics() | {"dataset": EVIL, "split": EVIL, "counts": {EVIL: 1}, "seconds": {EVIL: 1.0}}
    scores["metrics"] = {EVIL: 0.5, "wer": 0.1}
    scores["baselines"] = {EVIL: {EVIL: 0.4}}
    words = dict.fromkeys(("title", "task", "dataset", "command", "summary"), EVIL)
    table = page.Table((EVIL, "f1"), [(EVIL, 0.5)], EVIL)
    drawings = [
        figures.bars([EVIL], [1.0], title=EVIL, caption=EVIL, alt=EVIL),
        figures.lines([1, 2], {EVIL: [1, 2], "b": [2, 1]}, xlabel=EVIL),
        figures.heatmap([EVIL, "b"], [[1, 0], [2, 3]], title=EVIL),
        figures.dots([EVIL], [0.5], title=EVIL),
    ]
    marked = [page.span(EVIL, EVIL), page.badge(EVIL)]
    html = render.render_run(
        run_page(
            **words,
            config={EVIL: EVIL},
            defaults={EVIL: [EVIL]},
            environment={EVIL: {EVIL: EVIL}},
            data=dict.fromkeys(("description", "licence", "citation", "source"), EVIL)
            | {"counts": {EVIL: 1}, "notes": {EVIL: 2}, "synthetic": True},
            metrics=scores,
            published=[{"system": EVIL, "metrics": {EVIL: 0.3}, "source": EVIL}],
            history=[{"epoch": 1, f"val_{EVIL}": 0.5, "val_wer": 0.4}],
            sections=[page.Section(EVIL, EVIL, [table, *drawings, *marked])],
            warnings=[EVIL],
        )
    )
    runs = [{"name": EVIL, "metrics": scores, "config": {EVIL: i}, "history": history(2)} for i in range(2)]
    for text in (html, render.render_comparison(EVIL, EVIL, runs)):
        assert "script" not in Audit(text).tags
        assert "<script" not in text
        assert "城市" in text


def test_missing_parts_are_said():
    bare = page.RunPage(title="t", task="sentiment", dataset="d", command="c")
    text = Audit(render.render_run(bare)).text
    assert "This run has not been scored." in text
    assert "There is no history of training to draw." in text
    untested = render.render_run(
        run_page(metrics=metrics() | {"metrics": {}, "confidence": {}}, data={"counts": {"train": 5}})
    )
    assert "The data set has no test split" in untested
    assert "JointBERT" in untested


def test_generated_data_is_said_at_the_top(html):
    sentence = "scores on generated data are not comparable with published ones"
    generated = render.render_run(run_page(data={"synthetic": True}, history=[]))
    assert sentence in generated[: generated.index('<section id="results">')]
    assert sentence not in html


def test_rendering_is_deterministic():
    assert render.render_run(run_page()) == render.render_run(run_page())
    assert render.render_comparison("t", "c", comparison_pages()) == render.render_comparison(
        "t", "c", comparison_pages()
    )


def test_comparison_of_seeds():
    html = render.render_comparison("Three seeds", "seqloom report a b c", comparison_pages())
    audit = Audit(html)
    text = " ".join(audit.text.split())
    assert [f"seed-{seed}/report.html" for seed in range(3)] == [a for a in audit.addresses if a.endswith("html")]
    assert all(found in text for found in ("mean 95.48", "sd 0.10", "min 95.38", "max 95.58", "Validation slot F1 (%)"))
    assert re.findall(r'<th scope="row"><code>(\w+)', html) == ["units"]


def test_comparison_of_one_run_without_scores():
    text = Audit(render.render_comparison("t", "c", [{"name": "a", "metrics": {}, "config": {}, "history": []}])).text
    assert "None of these runs has been scored." in text


def test_comparison_warns_about_different_data():
    pages = comparison_pages(2)
    pages[1]["metrics"] = metrics() | {"dataset": "snips"}
    assert "scored on different data" in render.render_comparison("t", "c", pages)


@pytest.mark.parametrize(
    ("name", "readable", "value", "printed"),
    [
        ("slot_f1", "Slot F1", 0.9538, "95.4"),
        ("wer_beam_lm", "WER beam LM", 1.25, "125.0"),
        ("chrf", "chrF", 41.26, "41.3"),
        ("bleu_greedy", "BLEU greedy", 7.312, "7.3"),
        ("length_ratio", "Length ratio", 0.9524, "0.952"),
        ("nearest text (TF-IDF)", "Nearest text (TF-IDF)", 0.5, "0.500"),
        ("log_loss", "Log loss", 0.1234, "0.123"),
        ("precision_at_10", "Precision at 10", 1, "100.0"),
        ("map", "MAP", 0.25, "25.0"),
        ("learning_rate", "Learning rate", 0.002, "0.002"),
        ("examples", "Examples", 25000, "25,000"),
        ("roc_auc", "ROC AUC", float("nan"), "nan"),
    ],
)
def test_metric_names_and_values(name, readable, value, printed):
    assert page.readable_name(name) == readable
    assert page.format_metric(name, value) == printed


def test_columns_share_their_decimals():
    assert page.format_column("Seconds", [1.5, 120.25, None, "n/a"]) == ["1.5", "120.2", page.DASH, "n/a"]
    assert page.format_column("Spans", [12345, 2.0]) == ["12,345", "2"]
    assert page.format_column("recall", [0.5, 1.0]) == ["50.0", "100.0"]
    assert page.format_column("bleu", [7.312, 100.0, None]) == ["7.3", "100.0", page.DASH]
    assert page.format_column("Recall of rare words", [0.5]) == ["0.500"]


def test_ragged_table_is_refused():
    with pytest.raises(ValueError, match="row 0 must have 2 cells"):
        page.Table(("a", "b"), [("x",)])


def test_figures_are_valid_svg_without_numbers_that_are_not_finite():
    holes = [{"epoch": 1, "loss": float("nan"), "val_slot_f1": 0.5}, {"epoch": 2, "loss": 1.0, "val_slot_f1": None}]
    drawn = [
        *figures.learning_curves(history()),
        *figures.learning_curves(holes),
        *figures.learning_curves(history(1)),
        figures.lines([0, 0.5, 1], {"a": [0, 0.4, 1]}, percent=True, diagonal=True),
        figures.lines([0, 1, 2], {"a": [1, 0.5, 1]}, ring=(1, 0.5)),
        figures.bars(["1-5", "6+"], {"model": [0.5, None], "base": [0.1, 0.2]}, counts=[3, 4], vertical=True),
        figures.dots(["a", "b"], [0.5, 0.7], intervals=[(0.4, 0.6), None], groups=["x", "y"]),
        figures.heatmap(["a", "b"], [[0, 0], [0, 0]], columns=["$x$", "y"]),
        figures.heatmap([str(i) for i in range(30)], [[i * j for j in range(30)] for i in range(30)]),
    ]
    for figure in drawn:
        root = ElementTree.fromstring(figure.svg)
        assert root.tag == "svg"
        assert figure.alt
        assert not re.search(r"\bnan\b|\binf\b", re.sub(r'"data:[^"]*"', "", figure.svg))
    assert figures.learning_curves([]) == []
    with pytest.raises(ValueError, match="matrix must have shape"):
        figures.heatmap(["a"], [[1, 2]])


def test_learning_curves_group_metrics_and_name_the_best_epoch():
    drawn = figures.learning_curves(history())
    assert [figure.alt.split(":")[1].split(" against")[0].strip() for figure in drawn] == [
        "Loss",
        "Validation slot F1 (%)",
        "Validation WER (%)",
        "Validation BLEU",
        "Learning rate",
        "Gradient norm (L2, before clipping)",
        "Share of clipped steps (%)",
    ]
    assert drawn[2].caption == "Best: WER 5.2 % in epoch 25."
    [described] = figures.learning_curves(
        [{"epoch": 1, "val_length_ratio": 0.9}, {"epoch": 2, "val_length_ratio": 1.5}]
    )
    assert described.caption == ""


def test_page_is_light_to_import():
    program = (
        "import sys, seqloom.pipelines.reporting.page; print({'matplotlib', 'jinja2', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
