"""Composes the Chinese sample of the QA template.

    python tools/compose_chinese_qa_sample.py

The same script always writes the same bytes. A passage tells of one invented thing or
person; each question is answered by the words that fill one place of it. Names of
validation and test do not occur in training. In the test file, passages `test-names-…`
follow frames known from training, `test-new-…` frames of other subjects.
"""

import random
from pathlib import Path
from typing import Any, NamedTuple

from chinese_samples.frames import (
    SLOT,
    TASKS,
    choose,
    fill_slots,
    in_turn,
    read_sections,
    write_records,
)
from chinese_samples.names import NAMES, numeral, written_year

FOLDER = TASKS / "qa/data-zh"
SEED = 8
# Id prefix: (split of the names, whether frames are the test's own, questions).
PLAN = {
    "train": ("train", False, 1200),
    "validation": ("validation", False, 90),
    "test-names": ("test", False, 110),
    "test-new": ("test", True, 40),
}
QUESTIONS = (1, 2)  # drawn from for each passage
WEEKDAYS = [f"星期{day}" for day in "一二三四五六日"]
SUBJECTS = "山水 竹子 花鸟 骏马 老虎 人物 梅花 荷花 渔船 雪景".split()
PRODUCTS = "丝绸 棉布 瓷器 收音机 肥皂 铁锅 火柴 玻璃瓶 雨伞 毛毯 闹钟".split()
ANIMALS = "鲤鱼 草鱼 河虾 鲢鱼 螃蟹 银鱼 鳜鱼 泥鳅".split()
TEAS = "绿茶 红茶 龙井 普洱 花茶 白茶 乌龙茶 菊花茶".split()
PETS = "兔子 鸽子 金鱼 乌龟 母鸡 山羊".split()


class Sentence(NamedTuple):
    """A sentence with slots, and of each slot that is asked for the wordings."""

    frame: str
    questions: dict[str, list[str]]


class Subject(NamedTuple):
    """What a passage is about: how it is called, and what may be said of it."""

    name: str
    sentences: list[Sentence]


def parse_subject(lines: list[str]) -> Subject:
    """Read one section of the file of frames."""
    sentences: list[Sentence] = []
    for line in lines[1:]:
        if line.startswith("> "):
            sentences.append(Sentence(line[2:], {}))
        else:
            slot, _, wordings = line.partition("? ")
            sentences[-1].questions[slot] = wordings.split("|")
    return Subject(lines[0].removeprefix("name: "), sentences)


def make_value(slot: str, split: str, rng: random.Random) -> str:
    """Return what fills a slot; a number behind its name tells two of a kind apart."""
    kind = slot.rstrip("0123456789")
    if kind == "year":  # what was first comes first
        early, late = (1890, 1949), (1950, 2019)
        return written_year(rng.randint(*(early if slot == "year1" else late)))
    if kind in NAMES:
        return NAMES[kind](rng, split)
    forms = {
        "length": numeral(rng.randint(21, 980)) + "米",
        "height": numeral(rng.randint(12, 60)) + "米",
        "depth": numeral(rng.randint(4, 95)) + "米",
        "books": numeral(rng.randint(3, 98)) + "万册",
        "people": numeral(rng.randint(31, 980)) + "名",
        "hour": numeral(rng.randint(5, 10)) + "点<半|>",
        "works": numeral(rng.randint(20, 900)) + "幅",
        "month": numeral(rng.randint(1, 12)) + "月",
        "count": f"<两|三|四|五|六>只{rng.choice(PETS)}",
        "price": numeral(rng.randint(3, 60)) + "元",
        "tables": "<两|三|四|五|六|七|八>张桌子",
        "years": numeral(rng.randint(3, 40)) + "年",
        "trains": numeral(rng.randint(4, 90)) + "<趟|列>",
        "subject": rng.choice(SUBJECTS),
        "product": rng.choice(PRODUCTS),
        "animal": rng.choice(ANIMALS),
        "tea": rng.choice(TEAS),
        "weekday": rng.choice(WEEKDAYS),
    }
    return choose(forms[kind], rng)


def make_values(subject: Subject, split: str, rng: random.Random) -> dict[str, str]:
    """Return what fills the slots of a subject: no value is a part of another."""
    frames = [subject.name, *(each.frame for each in subject.sentences)]
    slots = dict.fromkeys(slot for frame in frames for slot in SLOT.findall(frame))
    slots.pop("name", None)
    while True:
        values = {slot: make_value(slot, split, rng) for slot in slots}
        found = list(values.values())
        if not any(
            one in other
            for place, one in enumerate(found)
            for number, other in enumerate(found)
            if place != number
        ):
            break
    name, _ = fill_slots(choose(subject.name, rng), values.__getitem__)
    return values | {"name": name}


def compose_passage(
    subject: Subject, split: str, rng: random.Random
) -> tuple[str, list[tuple[str, str, int]]]:
    """Return a passage, and of each question its text, the answer and its place."""
    values = make_values(subject, split, rng)
    first, *others = subject.sentences
    chosen = [first, *rng.sample(others, rng.choice([1, 2]))]
    text, questions = "", []
    for sentence in chosen:
        part, places = fill_slots(choose(sentence.frame, rng), values.__getitem__)
        for slot, begin, end in places:
            if slot in sentence.questions:
                wording = rng.choice(sentence.questions[slot])
                asked, _ = fill_slots(wording, values.__getitem__)
                questions.append((asked, part[begin:end], len(text) + begin))
        text += part
    count = min(len(questions), rng.choice(QUESTIONS))
    return text, sorted(rng.sample(questions, count), key=lambda each: each[2])


def compose_part(prefix: str) -> list[dict[str, Any]]:
    """Return the records of one id prefix; its subjects come in turn."""
    split, new, wanted = PLAN[prefix]
    rng = random.Random(f"{SEED}-{prefix}")
    sections = read_sections("qa.txt")
    names = [name for name in sections if name.startswith("new ") == new]
    next_subject = in_turn([parse_subject(sections[name]) for name in names], rng)
    records: list[dict[str, Any]] = []
    number = 0
    while len(records) < wanted:
        number += 1
        text, questions = compose_passage(next_subject(), split, rng)
        for index, (question, answer, start) in enumerate(questions, 1):
            record = {
                "id": f"{prefix}-{number:04d}-{index}",
                "question": question,
                "context": text,
                "answers": [{"text": answer, "answer_start": start}],
            }
            records.append(record)
    return records[:wanted]


def write_files(folder: Path) -> None:
    """Write the three files."""
    write_records(folder, {prefix: compose_part(prefix) for prefix in PLAN})


if __name__ == "__main__":
    write_files(FOLDER)
