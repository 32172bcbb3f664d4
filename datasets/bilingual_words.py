"""The words of the generated English sentences with their Chinese: data only, read by `bilingual_sentences.py`.

`WORDS` are tables with a word in each row; a row ends with its line or a semicolon. Its columns are those that
`COLUMNS` names, else `english | chinese`: the first one is the English word, the last one the Chinese. `a / b` are two
words that are both right, the first one the usual.

A word with `kinds` describes things that have one of these kinds, for nobody drinks a chair; without any it describes
all things. The `agreement` of a person names the column of the verb that goes with it, where the verb has that column.
"""

from __future__ import annotations

COLUMNS = {
    "thing": "english | plural | any | measure | kinds | chinese",
    "action": "english | third | past | ing | kinds | chinese",
    "dress": "english | third | past | ing | kinds | chinese",
    "event": "english | past | kinds | chinese",
    "attitude": "english | third | chinese",
    "wish": "english | third | chinese",
    "modal": "english | negative | chinese",
    "be": "english | first | third | chinese",
    "was": "english | first | third | chinese",
    "do": "english | third | chinese",
    "have": "english | third | chinese",
    "go": "english | third | chinese",
    "size": "english | comparative | kinds | attributive | chinese",
    "quality": "english | comparative | kinds | attributive | chinese",
    "colour": "english | kinds | chinese",
    "spot": "english | kinds | chinese",
    "single": "english | agreement | chinese",
    "pronoun": "english | agreement | chinese",
}

_THINGS = {
    "thing": """
        book | books | books | 本 | text written goods durable small | 书
        novel | novels | novels | 本 | text written goods durable small | 小说
        magazine | magazines | magazines | 本 | text goods durable small | 杂志
        newspaper | newspapers | newspapers | 份 | text goods small | 报纸
        letter | letters | letters | 封 | text written small | 信
        map | maps | maps | 张 | text drawn goods durable small | 地图
        picture | pictures | pictures | 张 | drawn goods durable small pretty | 画
        apple | apples | apples | 个 | food drawn goods small washed sweet coloured | 苹果
        watermelon | watermelons | watermelons | 个 | food drawn goods washed sweet heavy | 西瓜
        egg | eggs | eggs | 个 | food goods small washed coloured | 鸡蛋
        fish | fish | fish | 条 | food drawn goods animal coloured | 鱼
        piece of cake | pieces of cake | cake | 块 | food goods small sweet made | 蛋糕
        loaf of bread | loaves of bread | bread | 个 | food goods small made | 面包
        cup of tea | cups of tea | tea | 杯 | drink goods small hot | 茶
        cup of coffee | cups of coffee | coffee | 杯 | drink goods small hot | 咖啡
        glass of milk | glasses of milk | milk | 杯 | drink goods small hot | 牛奶
        bottle of water | bottles of water | water | 瓶 | drink goods small | 水
        bottle of beer | bottles of beer | beer | 瓶 | drink goods small | 啤酒
        cat | cats | cats | 只 | animal drawn goods pretty coloured | 猫
        dog | dogs | dogs | 只 | animal drawn goods washed pretty coloured | 狗
        rabbit | rabbits | rabbits | 只 | animal drawn goods pretty coloured | 兔子
        bird | birds | birds | 只 | animal drawn goods pretty coloured | 鸟
        horse | horses | horses | 匹 | animal drawn goods washed pretty coloured | 马
        car | cars | cars | 辆 | vehicle goods durable lent washed pretty coloured repaired | 汽车
        bicycle | bicycles | bicycles | 辆 | vehicle goods durable lent washed coloured repaired | 自行车
        coat | coats | coats | 件 | clothes goods durable washed pretty coloured made heavy | 大衣
        shirt | shirts | shirts | 件 | clothes goods durable washed pretty coloured made | 衬衫
        sweater | sweaters | sweaters | 件 | clothes goods durable washed pretty coloured made | 毛衣
        skirt | skirts | skirts | 条 | clothes goods durable washed pretty coloured made | 裙子
        pair of trousers | pairs of trousers | trousers | 条 | clothes goods durable washed coloured made | 裤子
        pair of shoes | pairs of shoes | shoes | 双 | clothes goods durable washed pretty coloured repaired | 鞋
        hat | hats | hats | 顶 | accessory goods durable washed pretty coloured | 帽子
        watch | watches | watches | 块 | accessory goods durable small pretty repaired | 手表
        pair of glasses | pairs of glasses | glasses | 副 | accessory goods durable small repaired | 眼镜
        chair | chairs | chairs | 把 | furniture goods durable coloured repaired made heavy | 椅子
        table | tables | tables | 张 | furniture goods durable coloured repaired made heavy | 桌子
        umbrella | umbrellas | umbrellas | 把 | tool goods durable small lent coloured repaired | 伞
        knife | knives | knives | 把 | tool goods durable small lent washed | 刀
        key | keys | keys | 把 | tool small | 钥匙
        computer | computers | computers | 台 | tool goods durable lent repaired heavy | 电脑
        phone | phones | phones | 部 | tool goods durable small lent coloured repaired | 手机
        pen | pens | pens | 支 | tool goods durable small lent coloured | 笔
        cup | cups | cups | 个 | tool goods durable small washed pretty coloured | 杯子
        flower | flowers | flowers | 朵 | plant drawn goods pretty coloured | 花
        tree | trees | trees | 棵 | plant drawn goods | 树
    """,
    "size": """
        big | bigger | animal durable food plant | 大 | 大
        small | smaller | animal durable food plant | 小 | 小
        new | newer | durable | 新 | 新
        old | older | durable | 旧 | 旧
    """,
    "quality": """
        expensive | more expensive | goods | 很贵的 | 贵
        cheap | cheaper | goods | 便宜的 | 便宜
        beautiful | more beautiful | pretty | 漂亮的 | 漂亮
        interesting | more interesting | text | 有趣的 | 有趣
        delicious | more delicious | food | 好吃的 | 好吃
        sweet | sweeter | sweet | 很甜的 | 甜
        hot | hotter | hot | 热 | 热
        heavy | heavier | heavy | 很重的 | 重
        clean | cleaner | washed | 干净的 | 干净
        clever | cleverer | animal | 聪明的 | 聪明
    """,
    "colour": """
        red | coloured | 红色; black | coloured | 黑色; white | coloured | 白色; blue | coloured | 蓝色
        yellow | coloured | 黄色; brown | coloured | 棕色
    """,
}

_VERBS = {
    "action": """
        read | reads | read | reading | text | 看
        write | writes | wrote | writing | written | 写
        draw | draws | drew | drawing | drawn | 画
        buy | buys | bought | buying | goods | 买
        sell | sells | sold | selling | goods | 卖
        eat | eats | ate | eating | food | 吃
        drink | drinks | drank | drinking | drink | 喝
        make | makes | made | making | made | 做
        wash | washes | washed | washing | washed | 洗
        repair | repairs | repaired | repairing | repaired | 修
        borrow | borrows | borrowed | borrowing | text lent | 借
        use | uses | used | using | tool furniture | 用
        feed | feeds | fed | feeding | animal | 喂
        look for | looks for | looked for | looking for | animal durable text tool | 找
    """,
    "dress": """
        wear | wears | wore | wearing | clothes | 穿
        wear | wears | wore | wearing | accessory | 戴
    """,
    "event": """
        see | saw | | 看见 / 看到
        find | found | animal durable text tool | 找到
        lose | lost | text tool lent accessory | 丢
        break | broke | repaired tool | 弄坏
        receive | received | text accessory plant | 收到
    """,
    "attitude": "like | likes | 喜欢; need | needs | 需要; want | wants | 想要",
    "wish": "want to | wants to | 想; like to | likes to | 喜欢",
    "modal": "will | will not | 会; can | cannot | 能; should | should not | 应该",
    "be": "are | am | is | 是",
    "was": "were | was | was | 是",
    "do": "do | does | ",
    "have": "have | has | 有",
    "go": "go | goes | 去",
}

_PEOPLE = {
    "single": """
        he | third | 他
        she | third | 她
        my mother | third | 我妈妈
        my father | third | 我爸爸
        my grandmother | third | 我奶奶
        my older brother | third | 我哥哥
        my younger sister | third | 我妹妹
        your son | third | 你儿子 / 你的儿子
        your daughter | third | 你女儿 / 你的女儿
        my friend | third | 我朋友 / 我的朋友
        our neighbour | third | 我们的邻居
        Tom | third | 汤姆
        Mary | third | 玛丽
    """,
    "pronoun": """
        I | first | 我
        you | plural | 你
        we | plural | 我们
        they | plural | 他们
        the teachers | plural | 老师们
        the students | plural | 学生们
    """,
    "receiver": "me | 我; us | 我们; him | 他; her | 她; the doctor | 医生; the children | 孩子们",
    "owner": """
        my | 我的; your | 你的; his | 他的; her | 她的; our | 我们的; their | 他们的; my mother's | 我妈妈的
        Tom's | 汤姆的; the teacher's | 老师的
    """,
    "child": """
        my son | 我儿子 / 我的儿子; your daughter | 你女儿 / 你的女儿; my younger brother | 我弟弟
        my younger sister | 我妹妹; Tom | 汤姆; Mary | 玛丽
    """,
    "job": """
        teacher | 老师; doctor | 医生; nurse | 护士; driver | 司机; singer | 歌手; cook | 厨师; writer | 作家
        student | 学生
    """,
    "state": "busy | 忙; tired | 累; happy | 高兴; hungry | 饿; thirsty | 渴",
}

_NUMBERS = {
    "unit": "one | 一; two | 二; three | 三; four | 四; five | 五; six | 六; seven | 七; eight | 八; nine | 九",
    "from_three": "three | 三; four | 四; five | 五; six | 六; seven | 七; eight | 八; nine | 九; ten | 十",
    "teen": "eleven | 十一; twelve | 十二; thirteen | 十三; fifteen | 十五; eighteen | 十八",
    "tens": "twenty | 二十; thirty | 三十; forty | 四十; fifty | 五十; sixty | 六十; ninety | 九十",
}

_TIMES_AND_PLACES = {
    "past_time": """
        yesterday | 昨天; last night | 昨天晚上 / 昨晚; this morning | 今天早上; last week | 上个星期
        last month | 上个月; last year | 去年
    """,
    "future_time": """
        tomorrow | 明天; tonight | 今天晚上 / 今晚; next week | 下个星期; next month | 下个月; next year | 明年
    """,
    "usual_time": """
        every day | 每天; every morning | 每天早上; every evening | 每天晚上; every week | 每个星期
        every year | 每年
    """,
    "weekday": """
        Monday | 星期一; Tuesday | 星期二; Wednesday | 星期三; Thursday | 星期四; Friday | 星期五; Saturday | 星期六
        Sunday | 星期天
    """,
    "period": "days | 天; weeks | 个星期; months | 个月; years | 年; hours | 个小时; minutes | 分钟",
    "part_of_day": "morning | 早上; afternoon | 下午; evening | 晚上",
    "often": "often | 常常 / 经常; usually | 通常; always | 总是; never | 从不; sometimes | 有时候",
    "place": """
        at home | 在家
        at school | 在学校
        at the market | 在市场
        at the station | 在车站
        in the park | 在公园
        in the library | 在图书馆
        in the garden | 在花园里
        in the kitchen | 在厨房里
        in the hotel | 在酒店
        in Beijing | 在北京
        in Shanghai | 在上海
    """,
    "spot": """
        on the table | small | 桌子上
        on the chair | small clothes | 椅子上
        in the bag | small | 包里
        in the garden | animal plant vehicle furniture | 花园里
        in the kitchen | food drink furniture tool | 厨房里
        under the tree | animal vehicle furniture | 树下
        in front of the house | animal vehicle plant | 房子前面
        behind the school | animal vehicle plant | 学校后面
        next to the window | furniture plant tool | 窗户旁边
    """,
    "goal": """
        Beijing | 北京; Shanghai | 上海; China | 中国; school | 学校; the park | 公园; the market | 市场
        the library | 图书馆; the station | 车站; the hospital | 医院; the airport | 机场
    """,
    "means": """
        by train | 坐火车; by plane | 坐飞机; by bus | 坐公共汽车; by taxi | 坐出租车; by car | 开车
        by bicycle | 骑自行车; on foot | 走路
    """,
    "reason": """
        it was raining | 下雨了; the weather was bad | 天气不好; it was too late | 太晚了
        there was no time | 没有时间; the shops were closed | 商店关门了
    """,
}

WORDS: dict[str, str] = _THINGS | _VERBS | _PEOPLE | _NUMBERS | _TIMES_AND_PLACES
