"""Tests of the Chinese samples: what their scripts promise."""

import json
import re
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import compose_chinese_qa_sample as qa  # noqa: E402
import compose_chinese_sequence_classification_sample as classification  # noqa: E402
import compose_chinese_token_classification_sample as tagging  # noqa: E402
from chinese_samples.names import HOUSES, KINDS, SURNAMES, TRADES, numeral  # noqa: E402

SAMPLES = [qa, classification, tagging]
FILE_NAMES = ["train.jsonl", "validation.jsonl", "test.jsonl"]


@cache
def read_records(sample: ModuleType, file_name: str) -> list[dict]:
    """Read one committed file."""
    lines = (sample.FOLDER / file_name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.__name__)
def test_scripts_write_the_committed_bytes(sample: ModuleType, tmp_path: Path) -> None:
    """The committed files are what the script writes, byte for byte."""
    sample.write_files(tmp_path)
    for name in FILE_NAMES:
        found = (tmp_path / name).read_bytes()
        assert found == (sample.FOLDER / name).read_bytes(), name


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.__name__)
def test_texts_are_chinese_and_whole(sample: ModuleType) -> None:
    """Each line has an id of its own and sentences without markup or blanks."""
    ids: list[str] = []
    for name in FILE_NAMES:
        for record in read_records(sample, name):
            ids.append(record["id"])
            texts = [record.get(key) for key in ("context", "sequence", "text")]
            text = next(each for each in texts if each)
            assert re.fullmatch(r"[\u4e00-\u9fff0-9，。？！、“”]+", text), text
            assert text[-1] in "。？！", text
            assert not re.search("[，。？！、]{2}", text), text
    assert len(set(ids)) == len(ids)


def test_numerals() -> None:
    """Numbers are written as they are read."""
    assert [numeral(n) for n in (3, 10, 12, 20, 45)] == [
        "三",
        "十",
        "十二",
        "二十",
        "四十五",
    ]
    assert [numeral(n) for n in (100, 105, 110, 317)] == [
        "一百",
        "一百零五",
        "一百一十",
        "三百一十七",
    ]


def test_answers_stand_where_it_is_said() -> None:
    """An answer is a part of its passage, once, and no question is asked twice."""
    asked = set()
    for name in FILE_NAMES:
        for record in read_records(qa, name):
            (answer,) = record["answers"]
            start, text = answer["answer_start"], answer["text"]
            assert record["context"][start : start + len(text)] == text
            assert text and text not in record["question"]
            assert record["question"].endswith("？")
            key = (record["context"], record["question"])
            assert key not in asked
            asked.add(key)


def test_passages_of_the_test_are_of_things_that_training_has_not() -> None:
    """Passages, persons and places of one file are in no other."""
    contexts = [{r["context"] for r in read_records(qa, name)} for name in FILE_NAMES]
    assert not contexts[0] & contexts[1] and not contexts[0] & contexts[2]
    given = rf"(?:{'|'.join(SURNAMES)})([\u4e00-\u9fff]{{2}})"
    found = []
    for name in FILE_NAMES:
        answers = {
            record["answers"][0]["text"]
            for record in read_records(qa, name)
            if "谁" in record["question"]
        }
        names = (re.fullmatch(given, answer) for answer in answers)
        found.append({match[1] for match in names if match})
    assert min(map(len, found)) > 10
    assert (
        not found[0] & found[1] and not found[0] & found[2] and not found[1] & found[2]
    )


def test_labels_are_as_frequent_and_come_in_turn() -> None:
    """Every six lines hold each label once: the first lines are a sample too."""
    for name in FILE_NAMES:
        labels = [record["label"] for record in read_records(classification, name)]
        assert len(labels) % 6 == 0
        for first in range(0, len(labels), 6):
            assert len(set(labels[first : first + 6])) == 6


def test_messages_are_there_once() -> None:
    """No message is repeated; wordings of the test's own are said nowhere else."""
    texts = [r["sequence"] for n in FILE_NAMES for r in read_records(classification, n)]
    assert Counter(texts).most_common(1)[0][1] == 1
    for name in ("望远镜", "滑板", "直播间", "报销"):
        assert any(
            name in r["sequence"] for r in read_records(classification, "test.jsonl")
        )
        assert not any(
            name in r["sequence"] for r in read_records(classification, "train.jsonl")
        )


def tail(entity: str) -> str:
    """Return what is behind the invented part of a name, or an empty text."""
    ends = [*KINDS, *TRADES, *HOUSES]
    return next((end for end in ends if entity.endswith(end)), "")


def test_entities_stand_where_it_is_said() -> None:
    """Entities are in order, do not overlap, and look like what they are."""
    for name in FILE_NAMES:
        for record in read_records(tagging, name):
            text, end = record["text"], 0
            for each in record["entities"]:
                assert end <= each["start"] < each["end"] <= len(text)
                end = each["end"]
                inside = text[each["start"] : end]
                if each["label"] == "date":
                    assert re.fullmatch(
                        r"(\d+年)?(\d+月)?(\d+日)?|星期.", inside
                    ), record
                elif each["label"] == "person":
                    assert inside.startswith(tuple(SURNAMES)) and len(inside) <= 4
                else:
                    assert tail(inside), inside


def test_names_of_one_file_are_in_no_other() -> None:
    """Given names, places and organizations are new in validation and test."""
    found = {}
    for name in FILE_NAMES:
        for record in read_records(tagging, name):
            for each in record["entities"]:
                text = record["text"][each["start"] : each["end"]]
                own = (
                    text[-2:]
                    if each["label"] == "person"
                    else text.removesuffix(tail(text))
                )
                if each["label"] != "date" and text not in SURNAMES:
                    found.setdefault((each["label"], name), set()).add(own)
    for label in ("person", "place", "organization"):
        train, validation, test = (found[label, name] for name in FILE_NAMES)
        assert len(test) > 20
        assert not train & validation and not train & test and not validation & test


def test_sizes() -> None:
    """All samples together are as small as they should be; types are frequent."""
    sizes = [(s.FOLDER / n).stat().st_size for s in SAMPLES for n in FILE_NAMES]
    assert sum(sizes) < 900_000
    for name in FILE_NAMES:
        labels = Counter(
            each["label"]
            for record in read_records(tagging, name)
            for each in record["entities"]
        )
        assert set(labels) == {"person", "place", "organization", "date"}
        assert min(labels.values()) > 30
