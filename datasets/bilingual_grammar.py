"""The rules of the generated English sentences with their Chinese: data only, read by `bilingual_sentences.py`.

A rule has a phrase in both languages in each line. Its words are those of `bilingual_words.py`:

    english = chinese            a phrase and its meaning
    english = chinese / other    one with another Chinese side that is right too; a line may go on before `=` and `/`
    3* english = chinese         one that is drawn three times as often as a line without a number
    <name>                       alone in a line: whatever that table or rule gives, with all columns of the word
    <thing>                      a word or a phrase of that name, the same one on both sides
    <thing2>                     another one
    <past?>                      one that is left out half the time
    <thing.plural>               that column of the word
    <action@person>              the column that goes with the person: "buys" with "she"; else the first one

Where a line has things, all words with kinds describe them. A phrase with a thing is described like the thing. A space
before a full stop disappears, "a" becomes "an" where it must, and a sentence begins with a capital letter.
"""

from __future__ import annotations

_NUMBERS_AND_TIMES = {
    "few": """
        two = 两
        3* <from_three>
    """,
    "count": """
        8* <few>
        2* <teen>
        <tens>
        3* <tens>-<unit> = <tens><unit>
    """,
    "hour": """
        one = 一
        6* <few>
        eleven = 十一
        twelve = 十二
    """,
    "clock": """
        2* <hour> o'clock = <hour>点
        half past <hour> = <hour>点半
        a quarter past <hour> = <hour>点一刻
    """,
    "past": """
        7* <past_time>
        2* last <weekday> = 上个<weekday>
        2* <count> <period> ago = <count><period>前
        at <clock> yesterday <part_of_day> = 昨天<part_of_day><clock>
    """,
    "future": """
        7* <future_time>
        2* next <weekday> = 下个<weekday>
        2* in <few> <period> = <few><period>后
        at <clock> tomorrow <part_of_day> = 明天<part_of_day><clock>
    """,
    "usual": """
        5* <usual_time>
        every <weekday> = 每个<weekday>
        at <clock> every <part_of_day> = 每天<part_of_day><clock>
    """,
}

_PEOPLE_AND_THINGS = {
    "person": """
        2* <single>
        <pronoun>
    """,
    "trait": """
        <size>
        2* <quality>
    """,
    "some": """
        5* a <thing> = 一<thing.measure><thing> / <thing.measure><thing>
        3* a <trait> <thing> = 一<thing.measure><trait.attributive><thing>
        2* a <colour> <thing> = 一<thing.measure><colour>的<thing>
        a <size> <colour> <thing> = 一<thing.measure><colour>的<size><thing>
        5* <count> <thing.plural> = <count><thing.measure><thing>
        <count> <trait> <thing.plural> = <count><thing.measure><trait.attributive><thing>
        <count> <colour> <thing.plural> = <count><thing.measure><colour>的<thing>
    """,
    "known": """
        3* this <thing> = 这<thing.measure><thing>
        3* that <thing> = 那<thing.measure><thing>
        these <thing.plural> = 这些<thing>
        these <few> <thing.plural> = 这<few><thing.measure><thing>
        those <few> <thing.plural> = 那<few><thing.measure><thing>
        2* <owner> <thing.any> = <owner><thing>
        this <colour> <thing> = 这<thing.measure><colour>的<thing>
        that <trait> <thing> = 那<thing.measure><trait.attributive><thing>
    """,
    "object": """
        2* <some>
        <known>
    """,
    "particular": """
        3* the <thing> that <person> <action.past> <past?> = <person><past?><action>的<thing>
        the <thing> that <person> <event.past> <past?> = <person><past?><event>的<thing>
        the <thing> <spot> = <spot>的<thing>
    """,
}

_STATEMENTS = {
    "past_statement": """
        8* <person> <action.past> <object> <place?> <past?>. = <person><past?><place?><action>了<object>。
        3* <person> <event.past> <object> <place?> <past?>. = <person><past?><place?><event>了<object>。
        <person> <dress.past> <object> <past>. = <person><past><dress>了<object>。
        2* <past_time>, <person> <action.past> <some>. = <past_time><person><action>了<some>。
            / <person><past_time><action>了<some>。
        <person> <action.past> <some> and a <thing>. = <person><action>了<some>和一<thing.measure><thing>。
        <person> <action.past> <some> and <count> <thing.plural>.
            = <person><action>了<some>和<count><thing.measure><thing>。
        2* <person> gave <receiver> <object> <past?>. = <person><past?>给了<receiver><object>。
        3* <person> did not <action> <known> <past?>. = <person><past?>没<action><known>。
            / <person><past?>没有<action><known>。
        2* <person> did not <event> <known> <past?>. = <person><past?>没<event><known>。
            / <person><past?>没有<event><known>。
        <person> did not <action> any <thing.any> <past?>. = <person><past?>没<action><thing>。
        2* <person> did not <action> <known> because <reason>. = 因为<reason>，所以<person>没<action><known>。
    """,
    "present_statement": """
        3* <person> <action@person> <thing.any> <place?> <usual>. = <person><usual><place?><action><thing>。
        2* <person> <often> <action@person> <thing.any> <place?>. = <person><often><place?><action><thing>。
        <person> <do@person> not <action> <thing.any>. = <person>不<action><thing>。
        3* <person> <be@person> <action.ing> <object>. = <person>正在<action><object>。 / <person>在<action><object>。
        <person> <be@person> <action.ing> <object> <place>. = <person>正<place><action><object>。
        <person> <be@person> not <action.ing> <known>. = <person>没在<action><known>。
        2* <person> <be@person> <dress.ing> <some>. = <person><dress>着<some>。
        2* <person> <attitude@person> <known>. = <person><attitude><known>。
        <person> <do@person> not <attitude> <known>. = <person>不<attitude><known>。
        2* <person> <attitude@person> <thing.any>, but <person2> <do@person2> not.
            = <person><attitude><thing>，但是<person2>不<attitude>。
    """,
    "future_statement": """
        4* <person> <modal> <action> <object> <place?> <future?>. = <person><future?><modal><place?><action><object>。
        2* <person> <modal.negative> <action> <known> <future?>. = <person><future?>不<modal><action><known>。
        2* <person> <wish@person> <action> <thing.any> <place?>. = <person><wish><place?><action><thing>。
        <person> <do@person> not <wish> <action> <thing.any>. = <person>不<wish><action><thing>。
        if it rains <future_time>, <person> will not go to <goal>. = 如果<future_time>下雨，<person>就不去<goal>。
        please <action> <known>. = 请<action><known>。
        please give <receiver> <some>. = 请给<receiver><some>。
        do not <action> <known>. = 不要<action><known>。 / 别<action><known>。
    """,
    "journey_statement": """
        2* <person> went to <goal> <means?> <past?>. = <person><past?><means?>去了<goal>。
        2* <person> will go to <goal> <means?> <future?>. = <person><future?>会<means?>去<goal>。
        2* <person> <go@person> to <goal> <means?> <usual>. = <person><usual><means?>去<goal>。
        <person> did not go to <goal> <past?>. = <person><past?>没去<goal>。 / <person><past?>没有去<goal>。
        <person> did not go to <goal> because <reason>. = 因为<reason>，所以<person>没去<goal>。
    """,
    "description": """
        3* <particular> is very <trait>. = <particular>很<trait>。
        2* <particular> is not very <trait>. = <particular>不太<trait>。
        2* <person> <attitude@person> <particular>. = <person><attitude><particular>。
        <person> <do@person> not <attitude> <particular>. = <person>不<attitude><particular>。
        <past_time>, <person> <event.past> <particular>. = <past_time><person><event>了<particular>。
            / <person><past_time><event>了<particular>。
        2* this <thing> is very <trait>. = 这<thing.measure><thing>很<trait>。
        these <thing.plural> are not very <trait>. = 这些<thing>不太<trait>。
        this <thing> is <colour>. = 这<thing.measure><thing>是<colour>的。
        3* this <thing> is <trait.comparative> than that one. = 这<thing.measure><thing>比那<thing.measure><trait>。
        <person> saw the <job> who <action.past> <known>. = <person>看见了<action><known>的<job>。
        the <job> who <action.past> <some> was very <state>. = <action>了<some>的<job>很<state>。
        <single> is a <job>. = <single>是<job>。 / <single>是一个<job>。
        <single> is not a <job>. = <single>不是<job>。
        <person> <be@person> very <state>. = <person>很<state>。
        <person> <was@person> very <state> <past_time>. = <person><past_time>很<state>。
        <person> <be@person> not <state>. = <person>不<state>。
    """,
    "existence": """
        2* there is a <thing> <spot>. = <spot>有一<thing.measure><thing>。
        2* there is a <trait> <thing> <spot>. = <spot>有一<thing.measure><trait.attributive><thing>。
        there is a <colour> <thing> <spot>. = <spot>有一<thing.measure><colour>的<thing>。
        3* there are <count> <thing.plural> <spot>. = <spot>有<count><thing.measure><thing>。
        there are no <thing.plural> <spot>. = <spot>没有<thing>。
        this <thing> is <spot>. = 这<thing.measure><thing>在<spot>。
        2* <person> <have@person> <some>. = <person>有<some>。
        <person> <do@person> not have any <thing.any>. = <person>没有<thing>。
        <person> <be@person> <place>. = <person><place>。
        <person> <be@person> not <place>. = <person>不<place>。
        <person> <was@person> <place> <past>. = <person><past><place>。
        2* this <thing> costs <count> yuan. = 这<thing.measure><thing><count>块钱。
            / 这<thing.measure><thing><count>元。
        2* <child> is <count> years old. = <child><count>岁。
        <person> waited for <count> <period> <place>. = <person><place>等了<count><period>。
    """,
}

_QUESTIONS = {
    "yes_or_no": """
        3* did <person> <action> <known> <past?>? = <person><past?><action>了<known>吗？
        did <person> <event> <known> <past?>? = <person><past?><event>了<known>吗？
        2* <do@person> <person> <attitude> <known>? = <person><attitude><known>吗？
        <do@person> <person> <action> <thing.any> <usual>? = <person><usual><action><thing>吗？
        <be@person> <person> <action.ing> <known>? = <person>正在<action><known>吗？ / <person>在<action><known>吗？
        2* <modal> <person> <action> <known> <future?>? = <person><future?><modal><action><known>吗？
        <do@person> <person> <wish> <action> <thing.any>? = <person><wish><action><thing>吗？
        <do@person> <person> have any <thing.any>? = <person>有<thing>吗？
        2* is this <thing> <trait>? = 这<thing.measure><thing><trait>吗？ / 这<thing.measure><thing><trait>不<trait>？
        is there a <thing> <spot>? = <spot>有<thing>吗？
        did <person> go to <goal> <past?>? = <person><past?>去了<goal>吗？ / <person><past?>去<goal>了吗？
        is <single> a <job>? = <single>是<job>吗？
        <be@person> <person> <state>? = <person><state>吗？
        <be@person> <person> <place>? = <person><place>吗？
    """,
    "question": """
        2* what did <person> <action> <place?> <past?>? = <person><past?><place?><action>了什么？
        what <be@person> <person> <action.ing>? = <person>正在<action>什么？ / <person>在<action>什么？
        what will <person> <action> <future>? = <person><future>会<action>什么？
        what <do@person> <person> <wish> <action>? = <person><wish><action>什么？
        2* who <action.past> <known> <past?>? = 谁<past?><action>了<known>？
        who wants to go to <goal>? = 谁想去<goal>？
        which <thing> <do@person> <person> <attitude>? = <person><attitude>哪<thing.measure><thing>？
        whose <thing> is this? = 这是谁的<thing>？
        where did <person> <action> <known>? = <person>是在哪里<action><known>的？ / <person>是在哪儿<action><known>的？
        where <do@person> <person> <action> <thing.any> <usual>? = <person><usual>在哪里<action><thing>？
        where is this <thing>? = 这<thing.measure><thing>在哪里？ / 这<thing.measure><thing>在哪儿？
        2* when did <person> <action> <known>? = <person>是什么时候<action><known>的？
        how did <person> go to <goal> <past?>? = <person><past?>是怎么去<goal>的？
        how <do@person> <person> go to <goal> <usual>? = <person><usual>怎么去<goal>？
        2* how many <thing.plural> did <person> <action> <past?>? = <person><past?><action>了几<thing.measure><thing>？
            / <person><past?><action>了多少<thing.measure><thing>？
        how many <thing.plural> are there <spot>? = <spot>有几<thing.measure><thing>？
            / <spot>有多少<thing.measure><thing>？
        how much is this <thing>? = 这<thing.measure><thing>多少钱？
        how old is <child>? = <child>几岁？ / <child>多大？
    """,
}

_SENTENCE = {
    "sentence": """
        6* <past_statement>
        5* <present_statement>
        4* <future_statement>
        2* <journey_statement>
        5* <description>
        4* <existence>
        4* <yes_or_no>
        5* <question>
    """,
}

RULES: dict[str, str] = _NUMBERS_AND_TIMES | _PEOPLE_AND_THINGS | _STATEMENTS | _QUESTIONS | _SENTENCE
