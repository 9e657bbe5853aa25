"""Tests of the token-classification sample: what it promises."""

import json
import re
import sys
from collections import Counter
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import compose_token_classification_sample as sample  # noqa: E402

FOLDER = ROOT / "templates/templates/tasks/token-classification/data"
FILE_NAMES = ["train.jsonl", "validation.jsonl", "test.jsonl"]


@cache
def read_records(file_name: str) -> list[dict]:
    """Read one committed file."""
    lines = (FOLDER / file_name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def names(file_name: str, label: str) -> set[str]:
    """Return the words of all entities of a type, but for those of any name."""
    common = {*sample.FIRMS, *sample.HOUSES, "University", "of", "Guild", "Port", "on"}
    common |= set(" ".join(sample.FIRMS).split())
    words = set()
    for record in read_records(file_name):
        for each in record["entities"]:
            if each["label"] == label:
                text = record["text"][each["start"] : each["end"]]
                words |= {word for word in re.findall(r"\w+", text) if len(word) > 1}
    return words - common


def test_script_writes_the_committed_bytes(tmp_path):
    """The committed files are what the script writes, byte for byte."""
    sample.write_files(tmp_path)
    for name in FILE_NAMES:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


def test_entities_stand_where_it_is_said():
    """Entities are whole words of the text, in order, and do not overlap."""
    for name in FILE_NAMES:
        for record in read_records(name):
            text, end = record["text"], 0
            for each in record["entities"]:
                assert end <= each["start"] < each["end"] <= len(text)
                end = each["end"]
                inside = text[each["start"] : end]
                assert inside == inside.strip(" ,.") and not inside.startswith("the ")
                outside = text[each["start"] - 1 : each["start"]] + text[end : end + 1]
                assert not re.search(r"\w", outside), record


def test_texts_are_free_of_markup():
    """No slot, no choice and no template tag is left; sentences are sentences."""
    for name in FILE_NAMES:
        for record in read_records(name):
            assert not re.search(r"[<>{}|\[\]]|  | [,.]", record["text"]), record
            assert re.match(r'["A-Z\d]', record["text"]) and record["text"][-1] in '.?"'


def test_splits_share_no_sentence_and_no_name():
    """Persons, places and organizations of one file occur in no other."""
    texts = [record["text"] for name in FILE_NAMES for record in read_records(name)]
    assert len(set(texts)) == len(texts)
    for label in ("person", "place", "organization"):
        train, validation, test = (names(name, label) for name in FILE_NAMES)
        assert not train & validation and not train & test and not validation & test
        assert len(test) > 50


def test_sizes():
    """The files are as large as they should be, and every type is frequent."""
    counts = {name: len(read_records(name)) for name in FILE_NAMES}
    assert counts == {"train.jsonl": 1500, "validation.jsonl": 200, "test.jsonl": 300}
    assert sum((FOLDER / name).stat().st_size for name in FILE_NAMES) < 500_000
    for name in FILE_NAMES:
        labels = Counter(
            each["label"]
            for record in read_records(name)
            for each in record["entities"]
        )
        assert set(labels) == {"person", "place", "organization", "date"}
        assert min(labels.values()) > 60
    halves = Counter(x["id"].rpartition("-")[0] for x in read_records("test.jsonl"))
    assert halves == {"test-names": 150, "test-new": 150}
