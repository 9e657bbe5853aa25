"""Invented Chinese names, numbers and dates: those of one split occur in no other."""

import random
from collections.abc import Callable

SURNAMES = (
    "王 李 张 刘 陈 杨 赵 黄 周 吴 徐 孙 胡 朱 高 林 何 郭 马 罗 梁 宋 郑 谢 韩 唐 冯 "
    "于 董 萧 程 曹 袁 邓 许 傅 沈 曾 彭 吕 苏 卢 蒋 蔡 贾 丁 魏 薛 叶 潘 "
    "欧阳 司徒 诸葛 上官"
).split()
GIVEN = (
    "文明建国志晓雅玉海春秀庆德世永思佳子若景怀克启承宗立宏慧静梦",
    "华强军芳娟敏杰涛磊婷霞平刚辉玲丽勇琴兰峰云燕宁远舟清瑶安川之",
)
PLACES = (
    "青白云南北东西临平长永安清龙凤石沙金银松柳桃梅竹新",
    "溪河江岭泉湾港塘坪川浦沟屏田林台阳原潭洲",
)
FIRMS = (
    "恒瑞华兴晨光宏鼎嘉福和盛永信东方新远大百",
    "泰丰星隆达通利源顺康祥润宇辰禾诚安瑞科联",
)
KINDS = "县 县 市 镇 镇 村 州".split()
TRADES = (
    "纺织厂 造船厂 食品公司 电器公司 出版社 银行 运输公司 建筑公司 药业公司 剧团 "
    "印刷厂 酒厂 家具厂 报社 旅行社 足球俱乐部"
).split()
HOUSES = (
    "大学 第一中学 第二中学 博物馆 图书馆 人民医院 美术学院 师范学院 档案馆".split()
)
DIGITS = "零一二三四五六七八九"
SPLITS = {"train": range(8), "validation": range(8, 9), "test": range(9, 10)}

Maker = Callable[[random.Random, str], str]


def numeral(number: int) -> str:
    """Return a number below a thousand in Chinese characters."""
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    text = DIGITS[hundreds] + "百" if hundreds else ""
    if tens:
        text += ("" if tens == 1 and not hundreds else DIGITS[tens]) + "十"
    elif hundreds and ones:
        text += "零"
    return text + (DIGITS[ones] if ones else "")


def written_year(number: int) -> str:
    """Return a year, a character for each digit."""
    return "".join(DIGITS[int(digit)] for digit in str(number)) + "年"


def pair(rng: random.Random, split: str, pools: tuple[str, str]) -> str:
    """Return a character of each pool; the sum of their places decides on the split."""
    while True:
        first, second = (rng.randrange(len(pool)) for pool in pools)
        if (first + second) % 10 in SPLITS[split]:
            return pools[0][first] + pools[1][second]


def surname(rng: random.Random, split: str) -> str:
    """Return a family name: of these there are few, the same in all splits."""
    return rng.choice(SURNAMES)


def person(rng: random.Random, split: str) -> str:
    """Return a full name; the given name tells the split."""
    return rng.choice(SURNAMES) + pair(rng, split, GIVEN)


def place(rng: random.Random, split: str) -> str:
    """Return the name of a county, a town, a village."""
    return pair(rng, split, PLACES) + rng.choice(KINDS)


def stem(rng: random.Random, split: str) -> str:
    """Return the name of a place without its kind, for things that are named so."""
    return pair(rng, split, PLACES)


def organization(rng: random.Random, split: str) -> str:
    """Return the name of a firm, a club or an institution."""
    if rng.random() < 0.6:
        return pair(rng, split, FIRMS) + rng.choice(TRADES)
    return institute(rng, split)


def of_trade(*trades: str) -> Maker:
    """Return a maker of names of firms in some trades."""
    return lambda rng, split: pair(rng, split, FIRMS) + rng.choice(trades)


def of_place(*kinds: str) -> Maker:
    """Return a maker of names of institutions called after their place."""
    return lambda rng, split: pair(rng, split, PLACES) + rng.choice(kinds)


def institute(rng: random.Random, split: str) -> str:
    """Return the name of a school or a museum."""
    return pair(rng, split, PLACES) + rng.choice(HOUSES)


def year(rng: random.Random, split: str) -> str:
    """Return a year."""
    return f"{rng.randint(1890, 2019)}年"


def date(rng: random.Random, split: str) -> str:
    """Return a year, a month of one, or a day."""
    month = f"{rng.randint(1, 12)}月"
    day = f"{month}{rng.randint(1, 28)}日"
    of_year = year(rng, split)
    forms = [of_year, of_year, of_year + month, of_year + day, day, day]
    return rng.choice([*forms, "星期" + rng.choice("一二三四五六日")])


def number(rng: random.Random, split: str) -> str:
    """Return a number that may look like a year."""
    return str(rng.choice([rng.randint(20, 90), rng.randint(1, 19) * 100]))


NAMES: dict[str, Maker] = {
    "person": person,
    "surname": surname,
    "place": place,
    "stem": stem,
    "organization": organization,
    "institute": institute,
    "firm": of_trade("纺织厂", "造船厂", "食品公司", "电器公司", "运输公司", "酒厂"),
    "agency": of_place("水利局", "旅游局", "环保局"),
    "gallery": of_place("美术馆", "文化馆", "博物馆"),
    "factory": of_trade("总厂", "工厂", "机械厂"),
    "builder": of_trade("建筑公司", "工程公司", "路桥公司"),
    "buyer": of_trade("食品公司", "果品公司", "罐头厂"),
    "year": year,
    "date": date,
    "number": number,
    "few": lambda rng, split: str(rng.randint(3, 12)),
    "age": lambda rng, split: str(rng.randint(20, 88)),
}
