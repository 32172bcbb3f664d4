"""The grammar of the generated reviews: data only, read by `reviews.py`, in the notation of `grammar.py`.

The polarity of a review is the one that its writer ends up with, and no word tells it: the same good and bad words
stand in both kinds of reviews, and their frame says what they count for. These frames are used:

    negation       anything but poor · far from impressive · nothing special about the soup
    contrast       what follows "but", or the main clause beside "although", outweighs the rest
    concession     the verdict first, then what must be granted
    expectation    expected to love it, and did or did not
    opinions       others called it a masterpiece, and the writer agrees or disagrees
    comparison     the last one was dreadful, and this one is no different or nothing like it
    exceptions     the only thing I disliked · the best thing about it, and even that was poor
    what might be  if the plot had been better · even if the plot had been better · it could have been

In the templates below `T` stands for a topic, `P` for the polarity of the review and `Q` for the other one: the
template `T.P.claim` becomes `film.good.claim`, `film.bad.claim`, `book.good.claim` and so on. A word with `^` before
it is written with a capital letter.
"""

from __future__ import annotations

import re

_OTHER = {"good": "bad", "bad": "good"}

POLARITIES = tuple(_OTHER)

# Values that are drawn from lists: those of all splits, and those that only valid and test contain.
VALUES: dict[str, tuple[str, str]] = {
    "film.name": (
        "^the ^last ^orchard | ^silent ^harbour | ^a ^winter in ^lisbon | ^paper ^tigers | ^the ^glass ^river | "
        "^seven ^bridges | ^night ^ferry | ^the ^clockmaker | ^borrowed ^light",
        "^the ^salt ^road | ^midnight ^garden | ^red ^umbrella | ^the ^cartographer",
    ),
    "film.part": (
        "acting | plot | script | music | ending | dialogue | camera work | pacing | first half | casting | humour",
        "soundtrack | editing | choreography | narration",
    ),
    "book.name": (
        "^the ^lighthouse ^letters | ^a ^map of ^small ^things | ^cold ^harvest | ^the ^beekeeper | ^open ^water | "
        "^nine ^lives of ^ada ^wells | ^the ^quiet ^floor | ^salt and ^iron",
        "^the ^translator's ^son | ^falling ^upwards | ^dust ^country",
    ),
    "book.part": (
        "plot | prose | ending | story | dialogue | first chapter | setting | style | main character | humour",
        "epilogue | narrator | subplot | prologue",
    ),
    "restaurant.name": (
        "^chez ^margot | the ^copper ^pot | ^bella ^napoli | the ^blue ^door | ^lotus ^house | the ^old ^mill | "
        "^casa ^pilar | ^harry's",
        "^the ^olive ^branch | ^saffron | ^little ^warsaw",
    ),
    "restaurant.part": (
        "food | service | soup | dessert | wine list | steak | menu | bread | atmosphere | coffee | fish",
        "risotto | starter | salad | cheese board",
    ),
    "phone.name": (
        "^kestrel 4 | ^lumen ^mini | ^orbis 12 | ^pico ^one | ^tessera ^pro | ^juno 7 | ^arc ^lite",
        "^halcyon 3 | ^quill ^plus | ^vega ^air",
    ),
    "phone.part": (
        "battery | screen | camera | sound | design | software | keyboard | charger | case | signal",
        "microphone | fingerprint reader | loudspeaker | manual",
    ),
    "hotel.name": (
        "^hotel ^aurora | the ^grand ^pavilion | the ^station ^hotel | ^villa ^rosa | the ^harbour ^inn | "
        "^hotel ^concordia | the ^white ^swan",
        "the ^alpine ^lodge | ^hotel ^miramar | the ^duke's ^head",
    ),
    "hotel.part": (
        "room | bed | breakfast | view | staff | pool | bathroom | location | service | heating | garden",
        "balcony | sauna | terrace | lobby",
    ),
    "concert.name": (
        "the ^velvet ^herons | ^marta ^lindqvist | the ^city ^orchestra | ^low ^tide | the ^paper ^kites | "
        "^otis ^bell | ^northern ^line",
        "the ^glass ^foxes | ^ines ^duarte | ^thunder ^choir",
    ),
    "concert.part": (
        "sound | singing | band | lighting | opening act | hall | encore | guitar solo | rhythm section | mood",
        "drummer | finale | brass section | duet",
    ),
}

_TOPICS: dict[str, dict[str, str]] = {
    "film": {
        "opening": "3* i saw <film.name> <when> . | we watched <film.name> <when> . | "
        "<film.name> was on television <when> .",
        "aside": "it lasts two hours . | the cinema was almost empty . | we sat in the third row .",
        "again": "watch it again",
        "seen": "seen",
        "kind": "film",
        "earlier": "the director's last film | the first part | the film before it",
    },
    "book": {
        "opening": "3* i read <book.name> <when> . | i finished <book.name> <when> . | "
        "a neighbour lent me <book.name> <when> .",
        "aside": "it has three hundred pages . | it is a paperback . | i read most of it on the train .",
        "again": "read it again",
        "seen": "read",
        "kind": "book",
        "earlier": "her last book | the first volume | the book before it",
    },
    "restaurant": {
        "opening": "3* we ate at <restaurant.name> <when> . | i had lunch at <restaurant.name> <when> . | "
        "my aunt took us to <restaurant.name> <when> .",
        "aside": "we sat by the window . | there were four of us . | it was a rainy evening .",
        "again": "eat there again",
        "seen": "been to",
        "kind": "restaurant",
        "earlier": "the old place on the corner | the place next door | the restaurant we tried before",
    },
    "phone": {
        "opening": "3* i bought the <phone.name> <when> . | my <phone.name> arrived <when> . | "
        "i switched to the <phone.name> <when> .",
        "aside": "it came in a small box . | i use it at work . | mine is the black one .",
        "again": "buy it again",
        "seen": "owned",
        "kind": "phone",
        "earlier": "my old phone | the previous model | the phone i had before",
    },
    "hotel": {
        "opening": "3* we stayed at <hotel.name> <when> . | i had a room at <hotel.name> <when> . | "
        "my firm put me up at <hotel.name> <when> .",
        "aside": "we were on the third floor . | it is near the station . | we came by car .",
        "again": "stay there again",
        "seen": "stayed in",
        "kind": "hotel",
        "earlier": "last year's hotel | the hotel across the street | the hotel we tried before",
    },
    "concert": {
        "opening": "3* we heard <concert.name> <when> . | i had a ticket for <concert.name> <when> . | "
        "a friend took me to hear <concert.name> <when> .",
        "aside": "it began at eight . | the hall holds a thousand people . | we stood near the exit .",
        "again": "hear them again",
        "seen": "been to",
        "kind": "concert",
        "earlier": "their last concert | the concert in ^leeds | the concert before it",
    },
}

_POLAR: dict[str, dict[str, str]] = {
    "good": {
        "strong": "superb | wonderful | excellent | brilliant | terrific | outstanding | delightful | fantastic",
        "mild": "good | impressive | special | pleasant | appealing | remarkable",
        "noun": "a triumph | a gem | a delight | a success | a treat | a marvel",
        "love": "love | enjoy | like",
        "loved": "loved | enjoyed | liked",
        "loving": "loving | enjoying | liking",
        "better": "better",
        "best": "best",
        "turned": "saved it | rescued it | saved the whole thing | won me over",
    },
    "bad": {
        "strong": "dreadful | terrible | awful | horrible | hopeless | appalling | miserable | atrocious",
        "mild": "bad | disappointing | poor | unpleasant | mediocre | unsatisfying",
        "noun": "a disaster | a mess | a failure | a letdown | a nightmare | a shambles",
        "love": "hate | dislike | loathe",
        "loved": "hated | disliked | loathed",
        "loving": "hating | disliking | loathing",
        "better": "worse",
        "best": "worst",
        "turned": "ruined it | spoiled it | ruined the whole thing | put me off",
    },
}

# Each turn of phrase has a near twin on the other side, so that its words decide little.
_VERDICTS = {
    "T.good.verdict": "i would <T.again> . | i would not hesitate to <T.again> . | you will not regret it . | "
    "i cannot recommend it enough . | i would recommend it to anyone . | "
    "i am glad i did not listen to the warnings . | it was worth the bother . | it was worth every cent . | "
    "3* <T.good.parting>",
    "T.bad.verdict": "i would not <T.again> . | i would hesitate to <T.again> . | you will regret it . | "
    "i cannot recommend it . | i would not recommend it to anyone . | i am sorry i did not listen to the warnings . | "
    "it was not worth the bother . | i regret every cent . | 3* <T.bad.parting>",
}

_PARTINGS = {
    "visit": {
        "good": "do not miss it . | i would not have missed it for the world . | i was sorry when it was over .",
        "bad": "you can miss it . | nothing in the world would make me do it twice . | "
        "i was glad when it was over . | once was enough .",
    },
    "thing": {
        "good": "do not give it away . | i would not give it away for the world . | i will be sorry when it breaks .",
        "bad": "you can give it away . | nothing in the world would make me keep it . | "
        "i will be glad when it breaks . | one was enough .",
    },
}

_WORDS = {
    "when": "last night | last week | on ^friday | on ^sunday | yesterday | in ^march | a month ago | last summer",
    "very": "absolutely | truly | simply | utterly",
    "hoped": "expected to | was ready to | was all set to | thought i would | was sure i would",
    "wrong": ". i was wrong . | . i did not . | , and i was wrong . | . i could not have been more wrong . | "
    ". how wrong i was .",
    "right": ". i was right . | . i did . | , and i did . | . i could not have been more right . | . how right i was .",
    "who": "everyone | the critics | my friends | half my family | all my colleagues | the papers",
    "person": "brother | sister | neighbour | colleague | father | niece",
    "disagree": "i could not disagree more . | i disagree . | i beg to differ . | i cannot see why . | "
    "nothing could be further from the truth .",
    "agree": "i could not agree more . | i agree . | i would say the same . | i can see why . | "
    "nothing could be closer to the truth .",
    "unlike": "i did not . | i was the only one who did not . | i felt the opposite .",
    "alike": "so did i . | i did , too . | i felt the same .",
    "different": "the exact opposite | nothing like it | a different story | another matter",
    "alikeness": "just the same | no different | no exception | more of the same",
    "granted": "true | granted | admittedly",
}

_CLAIMS = {
    "T.P.claim": "5* the <T.part> was [ 30% <very> ] <P.strong> | 5* <T.P.negated> | i <P.loved> the <T.part>",
    "T.P.negated": "2* the <T.part> was not <Q.mild> at all | the <T.part> was anything but <Q.mild> | "
    "the <T.part> was far from <Q.mild> | the <T.part> was not in the least <Q.mild> | "
    "the <T.part> was hardly <Q.mild> | the <T.part> was by no means <Q.mild> | "
    "there was nothing <Q.mild> about the <T.part> | i would not call the <T.part> <Q.mild> | "
    "nobody could call the <T.part> <Q.mild>",
    "T.P.decisive": "3* the <T.part> <P.turned> | 3* not even the [ <Q.strong> ] <T.part> <Q.turned> | "
    "i could not help <P.loving> it | i could not bring myself to <Q.love> it",
}

_STANCES = {
    "T.P.stance": "3* <T.P.expectation> | 4* <T.P.opinion> | 2* <T.P.might>",
    "T.P.expectation": "2* i <hoped> <Q.love> it <wrong> | 2* i <hoped> <P.love> it <right> | "
    "i expected <Q.noun> and got the opposite . | i expected <P.noun> and got one .",
    "T.P.opinion": "<who> called it ( <Q.strong> | <Q.noun> ) . <disagree> | "
    "<who> called it ( <P.strong> | <P.noun> ) . <agree> | <who> <Q.loved> it . <unlike> | "
    "<who> <P.loved> it . <alike> | “ <T.Q.claim> , ” said my <person> . <disagree> | "
    "“ <T.P.claim> , ” said my <person> . <agree>",
    "T.P.might": "2* it could have been <Q.noun> . it was not . | "
    "even if the <T.part> had been <Q.better> , it would have been <P.noun> . | "
    "if the <T.part> had been <Q.better> , it might have been <Q.noun> .",
}

_FINDINGS = {
    "T.P.finding": "5* <T.P.contrast> | 3* <T.P.comparison> | 4* <T.P.exception>",
    "T.P.contrast": "3* <T.Q.claim> , but <T.P.decisive> . | "
    "2* <T.Q.claim> , but <T.P.claim> , and that is what counts . | "
    "although <T.Q.claim> , <T.P.decisive> . | <T.P.decisive> , although <T.Q.claim> . | "
    "despite the <Q.strong> <T.part> , <T.P.decisive> .",
    "T.P.comparison": "2* <T.earlier> was <Q.strong> ; this one was <different> . | "
    "2* <T.earlier> was <P.strong> ; this one was <alikeness> . | "
    "it was even <P.better> than <T.earlier> , and that was already <P.strong> . | "
    "next to this , <T.earlier> looks like <Q.noun> . | "
    "i have <T.seen> <P.better> ones , but only one or two . | "
    "almost every other <T.kind> i know is <Q.better> . | i have rarely <T.seen> a <P.better> one . | "
    "3* it was the <P.best> <T.kind> of the year .",
    "T.P.exception": "apart from the <Q.strong> <T.part> , everything was <P.strong> . | "
    "the <T.part> was the only thing that was not <P.strong> . | "
    "the <Q.best> thing about it was the <T.part> , and even that was <P.strong> . | "
    "the only thing i <Q.loved> was the <T.part> . | "
    "i <Q.loved> the <T.part> , and nothing else . | i <P.loved> everything but the <T.part> .",
}

_REVIEWS = {
    "T.P.review": "3* [ 60% <T.start> ] ( <T.P.stance> | <T.P.finding> ) [ 30% <T.P.verdict> ] | "
    "3* <T.start> <T.P.stance> <T.P.finding> [ 40% <T.P.verdict> ] | "
    "2* [ <T.start> ] <T.P.drift> [ 40% <T.P.verdict> ] | 2* [ <T.start> ] <T.P.concession> | "
    "<T.start> <T.P.stance> <T.P.drift> [ <T.P.verdict> ] | [ <T.start> ] <T.P.plain>",
    "T.start": "<T.opening> [ 25% <T.aside> ]",
    "T.P.drift": "at first i <Q.loved> it : <T.Q.claim> , and <T.Q.claim> . ( then | in the end ) <T.P.decisive> . | "
    "<T.Q.claim> , and <T.Q.claim> . none of that mattered : <T.P.decisive> . | "
    "<T.Q.claim> . <T.Q.claim> . and yet <T.P.decisive> .",
    "T.P.concession": "2* <T.P.verdict> <granted> , <T.Q.claim> [ , and <T.Q.claim> ] . [ it did not matter . ] | "
    "i <P.loved> it , although <T.Q.claim> [ and <T.Q.claim> ] .",
    "T.P.plain": "<T.P.claim> . <T.P.claim> . <T.P.verdict> | <T.P.claim> , and <T.P.claim> . [ <T.P.verdict> ]",
}


def _filled(template: str, topic: str, polarity: str) -> str:
    names = {"T": topic, "P": polarity, "Q": _OTHER[polarity]}
    return re.sub(r"\b([TPQ])\.", lambda found: f"{names[found[1]]}.", template)


TOPICS = tuple(_TOPICS)

_TEMPLATES = _VERDICTS | _CLAIMS | _STANCES | _FINDINGS | _REVIEWS

RULES: dict[str, str] = {
    **_WORDS,
    **{f"{topic}.{name}": rule for topic, rules in _TOPICS.items() for name, rule in rules.items()},
    **{f"{polarity}.{name}": rule for polarity, rules in _POLAR.items() for name, rule in rules.items()},
    **{
        f"{topic}.{polarity}.parting": rule
        for topic in TOPICS
        for polarity, rule in _PARTINGS["thing" if topic == "phone" else "visit"].items()
    },
    **{
        _filled(name, topic, polarity): _filled(rule, topic, polarity)
        for name, rule in _TEMPLATES.items()
        for topic in TOPICS
        for polarity in POLARITIES
    },
}
