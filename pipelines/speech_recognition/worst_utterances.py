"""The worst utterances of a report: word by word, with their sound, spectrogram and posteriors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from markupsafe import Markup, escape

from ..reporting import page, recordings
from ..reporting.packing import unpacked
from .inspection import LONGEST
from .judgement import Judgement, Word, worst_first

SHOWN_ERRORS = 20

SIGNS = {"substitution": "≠", "deletion": "\N{MINUS SIGN}", "insertion": "+"}
_SAID = {"substitution": "another word", "deletion": "not heard", "insertion": "not said"}
_NOTHING = "\N{MIDDLE DOT}"


def worst_utterances(judgements: Sequence[Judgement]) -> page.Section:
    """The section of what was recognised worst, and of some that is right for comparison."""
    wrong = sum(judgement.edits > 0 for judgement in judgements)
    worst = [judgements[place] for place in worst_first(judgements)[:SHOWN_ERRORS]]
    right = [one for one in judgements if not one.edits and one.row.get("inspection")]
    blocks: list[page.Html] = []
    if worst or right:
        blocks.append(_legend())
    if worst:
        blocks.append(page.Html(Markup("\n").join(map(_example, worst))))
    if right:
        blocks += [page.prose("", "Right answers, for comparison"), page.Html(Markup("\n").join(map(_example, right)))]
    return page.Section("Worst utterances", _text(judgements, wrong, len(worst)), blocks)


def _text(judgements: Sequence[Judgement], wrong: int, shown: int) -> str:
    text = "Every utterance is right."
    if wrong:
        text = (
            f"{wrong:,} of {len(judgements):,} utterances have an error; the {shown} worst are shown: those with "
            "the most wrong words first, then those of which the model was least sure."
        )
    if any(judgement.row.get("inspection") for judgement in judgements):
        text += (
            "\n\nA figure shows the spectrogram, the low bands at the bottom and the louder the warmer, and below it "
            "the probability of each character at each step; the grey ground is the blank. Recognised words stand "
            f"above, {recordings.SPACE} is a space. Of long recordings the first {LONGEST:.0f} seconds are kept."
        )
    return text


def _legend() -> page.Html:
    entries = [
        Markup('<span class="{0}"><b class="sign">{1}</b> {2}</span>').format(kind, sign, _SAID[kind])
        for kind, sign in SIGNS.items()
    ]
    return page.Html(
        Markup(
            '<p class="alignment-legend">{} <span class="quiet">below: seconds, and how sure the model is</span></p>'
        ).format(Markup(" ").join(entries))
    )


def _example(judgement: Judgement) -> Markup:
    row = judgement.row
    facts = [row["name"], *([row["speaker"]] if row["speaker"] else []), f"{row['seconds']:.2f} s"]
    lines = {
        "utterance": escape(" \N{MIDDLE DOT} ".join(facts)),
        "errors": escape(_counted(judgement)),
        "confidence": Markup('<span class="number">{:.3f}</span>').format(judgement.confidence),
    }
    terms = Markup("").join(Markup("<dt>{}</dt><dd>{}</dd>").format(*line) for line in lines.items())
    parts = [Markup('<dl class="pair">{}</dl>').format(terms), _alignment(judgement.words), *_inspected(judgement)]
    return Markup('<div class="example">{}</div>').format(Markup("").join(parts))


def _counted(judgement: Judgement) -> str:
    counts = Counter(pair.kind for pair in judgement.pairs)
    said = sum(pair.gold is not None for pair in judgement.pairs)
    kinds = [f"{counts[kind]} {kind}{'s' * (counts[kind] > 1)}" for kind in SIGNS if counts[kind]]
    return f"{judgement.edits} in {said} word{'s' * (said != 1)}" + (f": {', '.join(kinds)}" if kinds else "")


def _alignment(words: Sequence[Word]) -> Markup:
    head = Markup('<li class="head" aria-hidden="true"><span>gold</span><span>heard</span></li>')
    return Markup('<ol class="alignment">{}</ol>').format(Markup("").join([head, *map(_aligned, words)]))


def _aligned(word: Word) -> Markup:
    """A word above what was heard; a sign tells the kind of an error without colour, and its label tells it aloud."""
    pair = word.pair
    sign, said = SIGNS.get(pair.kind, ""), _SAID.get(pair.kind, "")
    mark = Markup('<b class="sign" role="img" aria-label="{}:">{}</b> ').format(said, sign) if sign else ""
    details = [f"{word.start:.2f}"] if word.start is not None else []
    details += [f"{100 * word.confidence:.0f} %"] if word.confidence is not None else []
    return Markup('<li class="{}"><span>{}</span><span>{}{}</span><small>{}</small></li>').format(
        pair.kind, pair.gold or _NOTHING, mark, pair.heard or _NOTHING, " \N{MIDDLE DOT} ".join(details)
    )


def _inspected(judgement: Judgement) -> list[Markup]:
    kept = judgement.row.get("inspection")
    if not kept:
        return []
    posteriors = unpacked(kept["posteriors"])
    curves = {label: posteriors[:, place] for place, label in enumerate(kept["labels"])}
    shown = {label: curve for label, curve in curves.items() if curve.max(initial=0) >= recordings.LEAST_PEAK}
    seconds = kept["frame_seconds"] * len(unpacked(kept["features"]))
    words = [
        (word.pair.heard, word.start, min(word.end, seconds))
        for word in judgement.words
        if word.pair.heard and word.start is not None and word.end is not None and word.start < seconds
    ]
    name, share = judgement.row["name"], judgement.row.get("blank_share")
    text = judgement.row["predicted"]["text"]
    figure = recordings.spectrogram(
        unpacked(kept["features"]),
        kept["frame_seconds"],
        posteriors=shown,
        step_seconds=kept["frame_seconds"] * kept["subsampling"],
        unmarked=kept["labels"][-1],
        words=words,
        caption="" if share is None else f"The blank is the most probable label of {100 * share:.0f} % of the steps.",
        alt=f"Spectrogram of {name} above the probabilities of characters, recognised as: {text}",
    )
    player = [Markup(recordings.player(kept["audio"], name).markup)] if kept["audio"] else []
    return [*player, Markup(page.embedded(figure).markup)]
