"""The grammar of the generated opinions: data only, read by `opinions.py`.

The notation is that of `grammar.py`, and what a rule gives is a tree in prefix notation: `+` joins the two
parts that come after it, so that `+ is + not good` is (is (not good)) and `[ + very ] good` is a word that
may have another one before it. `a` becomes `an` where it must.
"""

from __future__ import annotations

STRENGTHS = {"best": 2, "good": 1, "bad": -1, "worst": -2}

# The words with a value of their own, by strength and kind; the value of all other words is 0.
SENTIMENT = {
    "best_adjective": "superb | brilliant | wonderful | magnificent | dazzling | outstanding | marvellous | exquisite",
    "good_adjective": "good | charming | clever | likeable | pleasant | enjoyable | lively | witty | fresh | funny",
    "bad_adjective": "bad | dull | weak | clumsy | silly | bland | tedious | feeble | shallow | predictable",
    "worst_adjective": "terrible | awful | dreadful | horrible | atrocious | appalling | hideous | unbearable",
    "best_verdict": "masterpiece | triumph | marvel | gem",
    "good_verdict": "pleasure | success | treat | delight",
    "bad_verdict": "bore | mess | failure | chore | letdown",
    "worst_verdict": "disaster | catastrophe | nightmare | travesty",
    "best_trait": "genius | brilliance | magic | splendour",
    "good_trait": "charm | wit | warmth | energy | imagination | suspense",
    "bad_trait": "padding | noise | confusion | vanity | sentimentality",
    "worst_trait": "stupidity | cruelty | nastiness | idiocy",
    "best_verb": "enchants | captivates | astonishes | thrills",
    "good_verb": "amuses | charms | pleases | impresses",
    "bad_verb": "bores | disappoints | annoys | confuses",
    "worst_verb": "infuriates | disgusts | horrifies | insults",
    "best_base_verb": "enchant | captivate | astonish | thrill",
    "good_base_verb": "amuse | please | impress | entertain",
    "bad_base_verb": "disappoint | annoy | confuse | irritate",
    "worst_base_verb": "infuriate | disgust | horrify | insult",
}

# The words that change what stands beside them, by what they do; `opinions.compose` says how.
EFFECTS = {
    "intensify": "very | really | remarkably | extremely | truly | absolutely | utterly",
    "soften": "slightly | somewhat | mildly | almost | nearly",
    "deny": "not | no | without | lacks | avoids | fails | nobody | doubt",
    "rule_out": "never",
    "belittle": "hardly | scarcely",
    "concede": "although | though | despite",
    "turn": "but | yet",
    "pause": ", | .",
}

# Neutral nouns: those of all splits, and those that only valid and test hold.
VALUES: dict[str, tuple[str, str]] = {
    "person": (
        "sailor | baker | teacher | judge | widow | farmer | pianist | nurse | detective | painter | soldier | "
        "student | tailor | gardener | priest | actor",
        "locksmith | beekeeper | dentist | librarian | juggler",
    ),
    "place": ("boat | train | farm | ship | island | beach | ranch | bus", "barge | glacier | ferry | tram"),
}

_WORDS = {
    "film": "2* film | movie",
    "genre": "comedy | drama | thriller | story | documentary | western",
    "part": "script | plot | cast | dialogue | ending | music | direction | photography | editing | pace | acting",
    "plain_adjective": "modern | simple | traditional | unusual | old-fashioned | familiar | experimental",
    "plain_genre_adjective": "2* <plain_adjective> | long | short | silent | french | recent | animated",
    "viewer": "us | everyone | viewers | + the audience | + the children",
    "city": "paris | london | oslo | madrid | rome | tokyo",
    "mild_intensifier": "very | really | remarkably | extremely",
    "strong_intensifier": "truly | absolutely | utterly",
    "mild_softener": "slightly | somewhat | mildly",
    "strong_softener": "almost | nearly",
    "adverb": "2* not | never | hardly | scarcely",
}

_QUALITIES = {
    "adjective": "<best_adjective> | <good_adjective> | <bad_adjective> | <worst_adjective>",
    "verdict": "<best_verdict> | <good_verdict> | <bad_verdict> | <worst_verdict>",
    "trait": "<best_trait> | <good_trait> | <bad_trait> | <worst_trait>",
    "verb": "<best_verb> | <good_verb> | <bad_verb> | <worst_verb>",
    "base_verb": "<best_base_verb> | <good_base_verb> | <bad_base_verb> | <worst_base_verb>",
    "praise": "3* [ 55% + <mild_intensifier> ] <good_adjective> | + <mild_softener> <good_adjective> | "
    "3* [ 30% + <strong_intensifier> ] <best_adjective> | + <strong_softener> <best_adjective>",
    "blame": "3* [ 55% + <mild_intensifier> ] <bad_adjective> | + <mild_softener> <bad_adjective> | "
    "3* [ 30% + <strong_intensifier> ] <worst_adjective> | + <strong_softener> <worst_adjective>",
    "emphatic": "2* + ( 2* very | really | remarkably ) ( <good_adjective> | <bad_adjective> ) | "
    "+ truly ( <best_adjective> | <worst_adjective> )",
    "quality": "<praise> | <blame>",
    "denied": "3* + <adverb> <adjective> | + ( 2* not | never ) <emphatic>",
    "mixed": "+ <praise> + and <praise> | + <blame> + and <blame> | "
    "+ <praise> + ( 3* but | yet ) <blame> | + <blame> + ( 3* but | yet ) <praise> | "
    "+ <quality> + but <denied> | + <denied> + but <quality>",
    "judgement": "4* <quality> | 3* <denied> | 3* <mixed> | <plain_adjective>",
}

_PHRASES = {
    "topic": "2* <person> | <place> | + <person> + on + a <place>",
    "about": "+ about + a <topic>",
    "work": "2* <genre> | + <genre> <about>",
    "whole": "5* it | 3* + this <film> | 3* + the <film> | 2* + the + <film> <about> | + the + <adjective> <film> | "
    "+ the + <plain_genre_adjective> <film>",
    "aspect": "5* + the <part> | 3* + its <part> | + the + <part> + of + the <film> | 2* + the + <adjective> <part> | "
    "+ the + <plain_adjective> <part>",
    "subject": "2* <whole> | 3* <aspect>",
    "blemish": "2* + its + <quality> <part> | + its <trait> | + the + <adjective> <part>",
    "portrait": "+ a + ( 2* <quality> | <mixed> ) <work> | 2* + a <verdict>",
    "no_portrait": "+ <adverb> + a <verdict> | + no <verdict> | + not + a + ( <adjective> | <emphatic> ) <work>",
    "action": "3* + <verb> <viewer> | 2* + + ( never | hardly | scarcely ) <verb> <viewer> | "
    "+ + ( really | truly | almost | nearly ) <verb> <viewer> | + does + + not <base_verb> <viewer> | "
    "3* + will + [ 40% + not ] <base_verb> <viewer> | + fails + to + ( <best_base_verb> | <good_base_verb> ) <viewer>",
    "possession": "2* + ( has | offers ) <trait> | + is + full + of <trait> | 2* + has + no <trait> | "
    "+ is + without <trait> | 2* + is + not + without <trait> | + lacks ( <best_trait> | <good_trait> ) | "
    "+ avoids ( <bad_trait> | <worst_trait> ) | + fails + to + be ( <best_adjective> | <good_adjective> ) | "
    "+ manages + not + to + be ( <bad_adjective> | <worst_adjective> )",
    "fact": "2* + follows + a <person> | + follows + a + <person> + on + a <place> | "
    "+ is + set + on + a <place> | + was + made + in <city> | + is + a + <plain_genre_adjective> <work>",
    "opinion": "5* + <subject> + is <judgement> | 4* + <subject> <action> | 3* + <subject> <possession> | "
    "2* + <whole> + is <portrait> | 2* + <whole> + is <no_portrait> | + <aspect> + is + a <verdict>",
    "report": "( 2* + nobody + would | + everyone + would ) + call + ( it | + the ( <film> | <part> ) ) "
    "( <quality> | + a <verdict> ) | + nobody + would + say + that <opinion> | + i + doubt + that <opinion> | "
    "+ critics + say + that <opinion>",
    "clause": "9* <opinion> | 2* <report> | + <whole> <fact>",
    "clauses": "2* <clause> | + <clause> + and <clause>",
    "fragment": "2* <portrait> | <no_portrait> | <mixed> | <denied> | + a <work>",
    "compound": "3* + + <clause> , + and <clause> | 6* + + <clause> , + ( 3* but | yet ) <clauses> | "
    "3* + + + ( although | though ) <clauses> , <clause> | 2* + <clause> + ( although | though ) <clauses> | "
    "2* + + + despite <blemish> , <clauses> | 2* + <clause> + despite <blemish>",
    "sentence": "+ ( 2* <fragment> | 5* <clause> | 10* <compound> | 5* + + <compound> , + and <clause> ) .",
}

RULES: dict[str, str] = SENTIMENT | _WORDS | _QUALITIES | _PHRASES
