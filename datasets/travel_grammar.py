"""The grammar of the generated travel requests: data only, in the notation of `grammar.py`.

Every slot takes its type from the frame around it and not from its words: the same city is where one
leaves, arrives, stops or stays; the same number is a price, a time, a flight, a day or an aircraft; and
"may", "first", "business", "breakfast", "direct" are values in one frame and plain words in another.
"""

from __future__ import annotations

# Values that are drawn from lists: those of all splits, and those that only valid and test contain.
VALUES: dict[str, tuple[str, str]] = {
    "city": (
        "new york | boston | denver | chicago | dallas | seattle | atlanta | miami | phoenix | detroit | houston | "
        "san francisco | los angeles | las vegas | salt lake city | kansas city | new orleans | san antonio | "
        "saint louis | portland | orlando | tampa | memphis | nashville | cleveland | columbus | charlotte | "
        "baltimore | philadelphia | minneapolis | toronto | montreal | vancouver | austin | oakland | sacramento | "
        "washington | long beach | fort worth | santa fe | honolulu | anchorage",
        "albuquerque | boise | el paso | baton rouge | tucson | omaha | richmond | little rock | des moines | "
        "spokane | buffalo | grand rapids | ottawa | tulsa | providence | fresno",
    ),
    "airline": (
        "united | delta | american | american airlines | delta air lines | southwest | alaska airlines | lufthansa | "
        "british airways | air canada | jetblue | frontier | spirit | air france | iberia | swiss",
        "hawaiian | finnair | icelandair | royal jordanian | westjet | sun country | avianca",
    ),
    "hotel": (
        "hilton | marriott | holiday inn | hyatt | sheraton | best western | westin | ramada | plaza | "
        "comfort inn | <city> inn | <city> grand",
        "radisson | red roof inn | fairmont | four seasons | ritz | travelodge",
    ),
}

_WORDS = {
    "airport": "logan | o'hare | la guardia | dulles | midway | hobby | love field | sky harbor | <city> international",
    "month": "january | february | march | april | may | june | july | august | september | october | november | "
    "december",
    "weekday": "monday | tuesday | wednesday | thursday | friday | saturday | sunday",
    "day": "6* <weekday> | next <weekday> | tomorrow | today | <weekday> night",
    "ordinal_unit": "first | second | third | fourth | fifth | sixth | seventh | eighth",
    "ordinal": "4* <ordinal_unit> | ninth | tenth | twelfth | fifteenth | eighteenth | twentieth | "
    "2* twenty <ordinal_unit>",
    "date": "4* <month> <ordinal> | the <ordinal> of <month> | <month> N | <month> 1D | <month> 2N | the <ordinal>",
    "hour": "one | two | three | four | five | six | seven | eight | nine | ten | eleven",
    "clock_face": "3* <hour> | half past <hour> | quarter ( to | past ) <hour> | <hour> thirty | <hour> o'clock | "
    "N30 | N15 | N00",
    "clock": "4* <clock_face> | 2* <hour> ( am | pm ) | N ( am | pm ) | N45 [ pm ] | noon",
    "period": "4* morning | 4* afternoon | 3* evening | early morning | late afternoon",
    "relative": "4* before | 4* after | 2* by | around | about | no later than | not before | shortly after",
    "teens": "twelve | fifteen | seventeen | nineteen | twenty | thirty <hour>",
    "flight_number": "5* NDD | 2* NDDD | 2* <hour> <teens> | <hour> <hour> <hour> | ND | N00",
    "hundreds": "two | three | four | five | six | eight | nine",
    "amount": "2* N00 | NN0 | NDD | 1N00 | <hundreds> hundred | <hundreds> hundred and fifty",
    "money": "3* <amount> dollars | 2* <amount> | <amount> bucks",
    "near": "around | about",
    "sum": "<amount> dollars",
    "limit": "under | below | less than | at most | no more than | up to",
    "few": "two | three | four | five | six | 2 | 3 | 4",
    "cabin": "first class | business class | business | coach | economy | economy class | premium economy",
    "trip": "2* round trip | one way | return",
    "stops": "3* nonstop | 2* direct | one stop | connecting",
    "aircraft": "boeing 737 | 737 | 747 | boeing 757 | 320 | airbus 320 | airbus 380 | dc 10 | md 80 | turboprop",
    "meal": "breakfast | lunch | dinner | snack | vegetarian meal | kosher meal | hot meal",
    "vehicle": "taxi | bus | limousine | shuttle | coach | train | rental car | economy car | subway",
    "nights": "one night | <few> nights | a week | two weeks | a few days | the weekend",
}

# The same phrases for leaving, arriving and returning: ROLE is replaced below.
_TIME = (
    "3* {ROLE.relative=relative} {ROLE.time=clock} | 2* at {ROLE.time=clock} | 2* in the {ROLE.period=period} | "
    "{ROLE.relative=relative} {ROLE.time=clock_face} in the {ROLE.period=period} | "
    "at {ROLE.time=clock_face} in the {ROLE.period=period} | between {ROLE.time=clock} and {ROLE.time=clock}"
)
_DATE = (
    "3* on {ROLE.day=weekday} | {ROLE.day=day} | 3* on {ROLE.date=date} | {ROLE.date=date} | "
    "on {ROLE.day=weekday} {ROLE.date=date} | {ROLE.day=weekday} the {ROLE.date=ordinal}"
)
_WHEN = {role: _TIME.replace("ROLE", role) for role in ("depart_time", "arrive_time")} | {
    role: _DATE.replace("ROLE", role) for role in ("depart_date", "return_date")
}

_JOURNEY = {
    "from": "6* {fromloc.city=city} | {fromloc.airport=airport}",
    "to": "6* {toloc.city=city} | {toloc.airport=airport}",
    "via": "( via | by way of | through | with a stop in | changing planes in ) {stoploc.city=city}",
    "route": "5* from <from> to <to> | 3* to <to> from <from> | 2* between <from> and <to> | <from> to <to> | "
    "out of <from> into <to> | from <from> <via> to <to> | to <to> <via> from <from> | from <from> to <to> <via> | "
    "to <to> | from <from>",
    "return": "( returning | coming back | and back | with the return ) <return_date>",
    "dates": "4* <depart_date> [ 25% <return> ] | from {depart_date.date=date} to {return_date.date=date} | "
    "out {depart_date.day=day} and back {return_date.day=day} | "
    "between {depart_date.date=date} and {return_date.date=date} | leaving <depart_date>",
    # Whether a time is one of leaving or arriving hangs on a verb that may stand many words before it.
    "plan": "3* <route> [ <dates> ] [ 45% <depart_time> ] | 2* <dates> <route> [ 40% <depart_time> ]",
    "leaving": "5* <plan> [ 30% <carrier> ] | "
    "leaving <from> for <to> [ 40% <carrier> ] [ <depart_date> ] [ <depart_time> ] | "
    "<route> ( leaving | departing ) [ 40% <carrier> ] <depart_time>",
    "departing": "that ( leave | depart from ) <from> [ for <to> ] [ 40% <carrier> ] [ <depart_date> ] <depart_time>",
    "arriving": "that ( arrive in | get to | reach ) <to> [ from <from> ] [ 40% <carrier> ] <arrive_time> | "
    "arriving in <to> ( from | out of ) <from> [ 40% <carrier> ] <arrive_time> | "
    "<route> ( arriving | landing | getting in ) [ <carrier> ] <arrive_time> | "
    "leaving <from> <depart_time> and ( arriving in | reaching ) <to> <arrive_time> | "
    "from <from> arriving <arrive_time> in <to> | <arrive_time> into <to> [ from <from> ]",
    "journey": "4* <leaving> | <departing> | 3* <arriving>",
    "carrier": "( on | with | flown by ) {airline=airline}",
    "price": "2* [ for ] {fare_relative=limit} {fare_amount=money} | "
    "( for | costing ) {fare_relative=near} {fare_amount=sum}",
    "party": "for {passengers=few} [ ( people | adults | passengers | of us ) ]",
    "extra": "2* <price> | in {cabin=cabin} | with {meal=meal} | <party> | on the {aircraft=aircraft}",
    "numbered": "3* flight {flight_number=flight_number} | {airline=airline} {flight_number=flight_number} | "
    "2* {airline=airline} flight {flight_number=flight_number}",
    "which_flight": "5* <numbered> | the {airline=airline} flight <route> | "
    "the {depart_time.time=clock} flight <route> | the {fromloc.city=city} {toloc.city=city} flight",
    "kind": "4* {stops=stops} | {trip=trip} | {cabin=cabin} | {airline=airline} | {depart_time.period=period} | "
    "{depart_date.day=weekday} | <cheap> | first | last",
    "flights": "3* flights | 3* <kind> flights | all flights | a flight | a <kind> flight | the <kind> flights | "
    "something | a ticket | seats",
}

_PHRASES = {
    "hello": "hello | hi | good morning | good evening | okay | first | second | and | excuse me",
    "ask": "[ 15% <hello> ] ( show me | find me | list | give me | i need | i want | i am looking for | i would like | "
    "could you find | can you show me | may i see | please look up | direct me to | what are | do you have )",
    "story": "3* [ 15% <hello> ] | i am on a business trip and | we are {passengers=few} ( adults | people ) and | "
    "it is my first ( trip | flight ) and | i have been calling nonstop and",
    "closing": "[ 12% ( please | thank you | thanks | if i may | which one is the best | as soon as possible ) ]",
    "cheap": "cheapest | lowest | best",
    "need": "i ( need | want ) to",
    "go": "fly | go | travel",
    "airport_place": "2* {place.airport=airport} | the airport",
    "place": "{place.city=city}",
    "room": "a hotel | a room | a bed and breakfast | rooms",
}

RULES: dict[str, str] = _WORDS | _WHEN | _JOURNEY | _PHRASES

# The rule of each intent, and how often it is drawn.
INTENTS: dict[str, tuple[int, str]] = {
    "flight": (
        30,
        "5* <ask> <flights> <journey> [ 40% <extra> ] | "
        "2* <story> <need> <go> <leaving> [ 30% <extra> ] | "
        "<story> <need> be in <to> <arrive_time> [ leaving <depart_date> ] | "
        "<ask> the {fromloc.city=city} {toloc.city=city} flights [ <depart_date> ] [ <depart_time> ] [ <extra> ] | "
        "i ( live in | am in ) {fromloc.city=city} and want to <go> to <to> [ <dates> ] [ <depart_time> ] | "
        "my ( parents live | sister is ) in {toloc.city=city} and <need> fly there from <from> [ <dates> ] | "
        "i have a ( breakfast | lunch | dinner ) meeting in {toloc.city=city} <arrive_time> and leave from <from> | "
        "( which | what ) [ <kind> ] flights ( go | run | are there ) <leaving> [ 30% <extra> ] | "
        "are there <flights> <journey> [ 30% <extra> ] | "
        "on {depart_date.day=weekday} i ( fly | go ) <route> what do you have <depart_time> | "
        "which of the flights <journey> ( has | have ) the <cheap> fare | "
        "book <numbered> <party> [ <depart_date> ] [ in {cabin=cabin} ]",
    ),
    "airfare": (
        14,
        "2* ( what is | tell me ) the <cheap> [ 30% {trip=trip} ] ( fare | price ) <leaving> [ 30% <extra> ] | "
        "how much is a [ 40% {trip=trip} ] [ 25% {cabin=cabin} ] ( ticket | seat ) <leaving> | "
        "what does it cost to fly <leaving> [ 40% <extra> ] | <ask> [ {cabin=cabin} ] fares <leaving> [ <extra> ] | "
        "how much is <which_flight> [ 30% <depart_date> ] [ 30% <party> ] | "
        "is there a [ {trip=trip} ] fare <price> <route> | does <numbered> cost <price>",
    ),
    "airline": (
        8,
        "( which | what ) ( airline | airlines | carriers ) ( fly | go ) <plan> | "
        "who flies <plan> | does {airline=airline} ( fly | go ) <plan> | "
        "which airline has {meal=meal} on flights <route> | whose flight is {flight_number=flight_number} <route> | "
        "is {flight_number=flight_number} ( flown by | with ) {airline=airline}",
    ),
    "flight_time": (
        9,
        "when does <numbered> ( arrive in | get to | land in ) <to> [ <depart_date> ] | "
        "what time does <numbered> ( leave | depart from ) <from> [ <depart_date> ] | how long is <which_flight> | "
        "<ask> ( the schedule | departure times | the timetable ) of flights <leaving> | "
        "is <which_flight> on time [ <depart_date> ] | when is the ( last | first ) flight <route> [ <depart_date> ]",
    ),
    "aircraft": (
        5,
        "what ( plane | aircraft | kind of plane ) is <which_flight> | "
        "does {airline=airline} use the {aircraft=aircraft} <route> | "
        "how many people fit on the {aircraft=aircraft} [ <carrier> ] | "
        "is <which_flight> [ <depart_date> ] on the {aircraft=aircraft} | <ask> the type of plane used <leaving>",
    ),
    "meal": (
        4,
        "is ( {meal=meal} | food ) served on <which_flight> [ <depart_date> ] | "
        "do i get ( a {meal=meal} | {meal=meal} | anything to eat ) in {cabin=cabin} on <which_flight> | "
        "<story> i need a {meal=meal} on <which_flight> | "
        "what do they serve ( in {cabin=cabin} | for {meal=meal} ) on flights <route>",
    ),
    "change_booking": (
        8,
        "( cancel | change | drop ) my [ {airline=airline} ] ( flight | seat | booking ) <leaving> | "
        "move my flight <route> to {depart_date.day=day} | move my ( return | way back ) to {return_date.day=day} | "
        "please ( switch | move ) me from flight {flight_number=flight_number} to {flight_number=flight_number} | "
        "switch my ticket <route> to {cabin=cabin} | i will not make <which_flight> <depart_date> | "
        "can i come back {return_date.day=day} and not {return_date.day=day} from {fromloc.city=city}",
    ),
    "ground_service": (
        11,
        "is there a {vehicle=vehicle} from <airport_place> ( to | into ) <place> | "
        "how do i get from <airport_place> to ( <place> | downtown <place> | the {hotel=hotel} ) | "
        "can i go from <airport_place> to <place> by {vehicle=vehicle} | "
        "<ask> ( ground transportation | a {vehicle=vehicle} ) in <place> [ <price> ] | "
        "i land in <place> <arrive_time> and need a {vehicle=vehicle} [ <party> ] | "
        "what does a {vehicle=vehicle} cost between <airport_place> and <place> | "
        "which {vehicle=vehicle} goes to the {hotel=hotel} in <place>",
    ),
    "hotel": (
        11,
        "<ask> <room> in <place> [ for {nights=nights} ] [ 40% <price> [ a night ] ] [ 20% <party> ] | "
        "is there a {hotel=hotel} ( in | near ) ( <place> | {place.airport=airport} ) | "
        "<ask> a room at the {hotel=hotel} in <place> [ for {nights=nights} ] | "
        "where can {passengers=few} people stay in <place> [ <price> ] | "
        "how far is the {hotel=hotel} from {place.airport=airport} | "
        "i arrive in <place> <arrive_time> and need a ( room | hotel ) [ for {nights=nights} ] | "
        "what does the {hotel=hotel} in <place> ask for {nights=nights} | "
        "does the {hotel=hotel} [ in <place> ] serve breakfast",
    ),
}
