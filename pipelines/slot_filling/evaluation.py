"""How well slots and intents were found: metrics, and the task's part of the report.

Everything here is made from the rows of `predictions.jsonl` alone, so that a report can be drawn again at any time and
baselines are judged by the very functions that judge the model.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from markupsafe import Markup, escape

from ..evaluation import RESAMPLES, Scores, bootstrap
from ..reporting import figures, page
from .spans import Span, differences, is_legal, spans

Row = dict[str, Any]

STATISTICS = (
    *("correct_spans", "predicted_spans", "gold_spans"),
    *("right_intents", "right_sentences", "sentences", "gold_intents"),
)
LENGTHS = (5, 10, 15, 20, 30)  # last lengths of the ranges by which F1 is shown; what is longer has its own
SHOWN_PAIRS = 20
SHOWN_ERRORS = 40
SHOWN_INTENTS = 40
SHOWN_CHARACTERS = 200  # of a text that was answered with an error
UNSEEN = ("none", "one", "two or more")
MISSED = "missed"
NONE = "(none)"  # stands for an intent that was not answered
OTHER_BOUNDARIES = "other boundaries"


@dataclass(frozen=True)
class Judgement:
    """A row of predictions beside what is right.

    Args:
        row: as it stands in `predictions.jsonl`.
        gold: the spans of the gold tags.
        predicted: the spans of the predicted tags.
    """

    row: Row
    gold: Sequence[Span]
    predicted: Sequence[Span]

    @classmethod
    def of(cls, row: Row) -> Self:
        """Reads the spans of a row."""
        return cls(row, spans(row["gold"]["tags"]), spans(row["predicted"]["tags"]))

    @property
    def has_intent(self) -> bool:
        return self.row["gold"]["intent"] is not None

    @property
    def intent_wrong(self) -> bool:
        return self.has_intent and self.row["gold"]["intent"] != self.row["predicted"]["intent"]

    @property
    def sentence_right(self) -> bool:
        """Every token was answered, all spans are right, and so is the intent where there is one."""
        complete = len(self.row["gold"]["tags"]) == len(self.row["predicted"]["tags"])
        return complete and self.gold == self.predicted and not self.intent_wrong

    @cached_property
    def span_errors(self) -> list[tuple[Span | None, Span | None]]:
        return differences(self.gold, self.predicted)


def statistics(rows: Iterable[Row]) -> np.ndarray:
    """What each sentence adds to the sums from which `metrics` are computed.

    Returns:
        int64 array `(rows, len(STATISTICS))`, its columns in the order of `STATISTICS`.
    """
    return _statistics([Judgement.of(row) for row in rows])


def _statistics(judgements: Sequence[Judgement]) -> np.ndarray:
    values = [
        (
            len(set(one.gold) & set(one.predicted)),
            len(one.predicted),
            len(one.gold),
            one.has_intent and not one.intent_wrong,
            one.sentence_right,
            1,
            one.has_intent,
        )
        for one in judgements
    ]
    return np.array(values, dtype=np.int64).reshape(-1, len(STATISTICS))


def metrics(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Computes the metrics from summed statistics; nothing out of nothing counts as 0.

    A span is right if its slot and both of its boundaries are; a sentence is right if all of its spans and its intent
    are. A joined intent (`flight#airfare`) is a class of its own.

    Args:
        sums: `(r, len(STATISTICS))`.

    Returns:
        Fractions `(r,)` by name; without a single gold intent there is no `intent_accuracy`, and `sentence_accuracy`
        speaks of spans alone.

    Example:
        >>> sums = np.array([[1, 2, 2, 3, 2, 4, 4]])
        >>> {name: float(value[0]) for name, value in metrics(sums).items() if name.endswith(("f1", "accuracy"))}
        {'slot_f1': 0.5, 'intent_accuracy': 0.75, 'sentence_accuracy': 0.5}
    """
    correct, predicted, gold, right_intents, right_sentences, sentences, intents = np.asarray(sums, dtype=np.float64).T
    values = {
        "slot_precision": _ratio(correct, predicted),
        "slot_recall": _ratio(correct, gold),
        "slot_f1": _ratio(2 * correct, predicted + gold),
        "intent_accuracy": _ratio(right_intents, intents),
        "sentence_accuracy": _ratio(right_sentences, sentences),
    }
    if not intents.any():
        del values["intent_accuracy"]
    return values


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def score(rows: Sequence[Row], resamples: int = RESAMPLES) -> Scores:
    """Judges predictions: metrics with 95 % bootstrap intervals over sentences, and counts.

    Args:
        rows: as they stand in `predictions.jsonl`.
        resamples: int. Of the bootstrap; 0 gives no intervals.

    Raises:
        ValueError: if there are no rows.
    """
    table = statistics(rows)
    values, confidence = bootstrap(table, metrics, resamples=resamples)
    counts = dict(zip(STATISTICS[:3], table.sum(axis=0).tolist(), strict=False))
    return Scores(values, confidence, counts | _irregularities(rows))


def _irregularities(rows: Iterable[Row]) -> dict[str, int]:
    counts = Counter(illegal_gold=0, illegal_predicted=0, errors=0)
    for row in rows:
        counts["illegal_gold"] += not is_legal(row["gold"]["tags"])
        counts["illegal_predicted"] += not is_legal(row["predicted"]["tags"])
        counts["errors"] += bool(row["predicted"]["error"])
    return dict(counts)


def sections(rows: Sequence[Row]) -> list[page.Section]:
    """The task's part of the report: slots, intents, what makes sentences hard, irregular answers, worst errors."""
    judgements = [Judgement.of(row) for row in rows]
    made = [_slots(judgements)]
    if any(one.has_intent for one in judgements):
        made.append(_intents(judgements))
    return [*made, _difficulty(judgements), _irregular_answers(rows), _worst_errors(judgements)]


def _slots(judgements: Sequence[Judgement]) -> page.Section:
    support = Counter(span.type for one in judgements for span in one.gold)
    predicted = Counter(span.type for one in judgements for span in one.predicted)
    correct = Counter(span.type for one in judgements for span in set(one.gold) & set(one.predicted))
    confusions: dict[str, Counter[str]] = defaultdict(Counter)
    pairs: Counter[tuple[str, str]] = Counter()
    for gold, other in (error for one in judgements for error in one.span_errors):
        if gold:
            confusions[gold.type][_confusion(gold, other)] += 1
        if gold and other and gold.type != other.type:
            pairs[gold.type, other.type] += 1
    rows: list[list[page.Cell]] = []
    for slot in sorted(support | predicted, key=lambda slot: (-support[slot], slot)):
        precision = correct[slot] / predicted[slot] if predicted[slot] else None
        recall = correct[slot] / support[slot] if support[slot] else None
        f1 = 2 * correct[slot] / (support[slot] + predicted[slot])
        commonest = [f"{name} ({count})" for name, count in _ranked(confusions[slot])[:1]]
        rows.append([slot, support[slot], precision, recall, f1, commonest[0] if commonest else None])
    columns = ("slot", "support", "precision", "recall", "f1", "most frequent confusion")
    text = (
        "A span is right if its slot and both of its boundaries are. Support counts the gold spans. A confusion is the "
        f"slot that was predicted in place of a gold span; “{OTHER_BOUNDARIES}” is the right slot on other words."
    )
    return page.Section("Slots", text, [page.Table(columns, rows), *_confused(pairs, "slot")])


def _confusion(gold: Span, predicted: Span | None) -> str:
    if predicted is None:
        return MISSED
    return OTHER_BOUNDARIES if predicted.type == gold.type else predicted.type


def _ranked(counts: Mapping[Any, int]) -> list[tuple[Any, int]]:
    """The most frequent first, equals by name, so that two reports on the same rows are equal."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def _confused(pairs: Mapping[tuple[str, str], int], what: str) -> list[page.Table]:
    rows = [[gold, predicted, count] for (gold, predicted), count in _ranked(pairs)[:SHOWN_PAIRS]]
    return [page.Table((f"gold {what}", f"predicted {what}", "count"), rows, f"Most confused {what}s")] if rows else []


def _intents(judgements: Sequence[Judgement]) -> page.Section:
    pairs = Counter(
        (one.row["gold"]["intent"], one.row["predicted"]["intent"] or NONE) for one in judgements if one.has_intent
    )
    wrong = Counter({pair: count for pair, count in pairs.items() if pair[0] != pair[1]})
    support = Counter(one.row["gold"]["intent"] for one in judgements if one.has_intent)
    labels = sorted({intent for pair in pairs for intent in pair}, key=lambda intent: (-support[intent], intent))
    text = f"{wrong.total():,} of {pairs.total():,} intents are wrong."
    if len(labels) > SHOWN_INTENTS:
        text += f" Shown are the {SHOWN_INTENTS} most frequent of {len(labels)} intents."
        del labels[SHOWN_INTENTS:]
    matrix = [[pairs[gold, predicted] for predicted in labels] for gold in labels]
    caption = "Sentences of each gold intent (rows) by predicted intent (columns); errors are orange."
    figure = figures.heatmap(labels, matrix, caption=caption, alt="Confusion matrix of intents")
    return page.Section("Intents", text, [figure, *_confused(wrong, "intent")])


def _difficulty(judgements: Sequence[Judgement]) -> page.Section:
    starts = (1, *(last + 1 for last in LENGTHS))
    ranges = [f"{first}{page.DASH}{last}" for first, last in zip(starts, LENGTHS, strict=False)]
    ranges.append(f"{starts[-1]} or more")
    lengths = [ranges[bisect_left(LENGTHS, len(one.row["gold"]["tags"]))] for one in judgements]
    unseen = [UNSEEN[min(len(one.row["unseen"]), len(UNSEEN) - 1)] for one in judgements]
    table = _statistics(judgements)
    blocks = [
        _f1_by("words in the sentence", ranges, lengths, table),
        _f1_by("words that training never saw", UNSEEN, unseen, table),
    ]
    return page.Section("Length and unseen words", "Slot F1 of groups of sentences; n counts the sentences.", blocks)


def _f1_by(what: str, names: Sequence[str], groups: Sequence[str], table: np.ndarray) -> page.Figure:
    names = [name for name in names if name in groups]
    sums = np.array([table[np.array(groups) == name].sum(axis=0) for name in names])
    f1 = [float(value) if any(total[:3]) else None for value, total in zip(metrics(sums)["slot_f1"], sums, strict=True)]
    counts = [groups.count(name) for name in names]
    title, ylabel = f"Slot F1 by {what}", "slot F1 (%)"
    return figures.bars(names, f1, counts=counts, title=title, xlabel=what, ylabel=ylabel, percent=True, vertical=True)


def _irregular_answers(rows: Sequence[Row]) -> page.Section:
    counts = _irregularities(rows)
    table = page.Table(
        ("what", "sentences"),
        [
            ["illegal tag sequence predicted", counts["illegal_predicted"]],
            ["illegal tag sequence in gold", counts["illegal_gold"]],
            ["answered with an error", counts["errors"]],
        ],
    )
    failed = [row for row in rows if row["predicted"]["error"]][:SHOWN_ERRORS]
    reasons = [[row["text"][:SHOWN_CHARACTERS], row["predicted"]["error"]] for row in failed]
    blocks = [table, *([page.Table(("text", "error"), reasons, "Answered with an error")] if reasons else [])]
    text = "A tag sequence is illegal if an I- tag continues no span of its slot; it is scored as conlleval reads it."
    return page.Section("Illegal tags and errors", text, blocks)


def _worst_errors(judgements: Sequence[Judgement]) -> page.Section:
    wrong = [one for one in judgements if not one.sentence_right]
    wrong.sort(key=lambda one: (-len(one.span_errors), -one.intent_wrong * one.row["predicted"]["intent_probability"]))
    shown = wrong[:SHOWN_ERRORS]
    text = (
        f"{len(wrong):,} of {len(judgements):,} sentences have an error; the {len(shown)} worst are shown: those with "
        "the most wrong spans first, then wrong intents, the most confident first. Wrong spans are underlined."
    )
    markup = Markup("\n").join(_example(one) for one in shown)
    return page.Section("Worst errors", text if wrong else "No errors.", [page.Html(markup)] if wrong else [])


def _example(one: Judgement) -> Markup:
    gold, predicted = one.row["gold"], one.row["predicted"]
    lines = {
        "gold": _marked(one.row["text"], one.gold, one.predicted),
        "predicted": _marked(one.row["text"], one.predicted, one.gold),
    }
    if one.intent_wrong:
        template = Markup('{} <span class="quiet">predicted as</span> {} <span class="number">({:.2f})</span>')
        lines["intent"] = template.format(gold["intent"], predicted["intent"] or NONE, predicted["intent_probability"])
    if predicted["error"]:
        lines["error"] = escape(predicted["error"])
    parts = Markup("").join(Markup("<dt>{}</dt><dd>{}</dd>").format(*line) for line in lines.items())
    return Markup('<div class="example"><dl class="pair">{}</dl></div>').format(parts)


def _marked(text: str, found: Sequence[Span], others: Sequence[Span]) -> Markup:
    """The sentence with its spans coloured by slot; those that `others` do not hold are underlined."""
    tokens = text.split(" ")
    pieces: list[Any] = []
    position = 0
    for span in found:
        pieces += tokens[position : span.start]
        pieces.append(page.span(" ".join(tokens[span.start : span.end]), span.type, "" if span in others else "wrong"))
        position = span.end
    return Markup(" ").join(map(escape, pieces + tokens[position:]))
