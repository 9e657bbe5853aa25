"""Tests of the aspect-sentiment samples: what they promise, in both languages."""

import json
import re
import sys
import tomllib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import compose_aspect_sentiment_sample as sample  # noqa: E402

TASK = ROOT / "templates/templates/tasks/aspect-sentiment"
NAMES = ("train", "validation", "test")
FOLDERS = pytest.mark.parametrize("folder", sample.FOLDERS)


@cache
def read_records(folder: str, name: str) -> list[dict]:
    """Read one committed file."""
    text = (TASK / folder / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def spans(record: dict) -> list[dict]:
    """Return the aspects that are named, and all opinions."""
    aspects = [each for each in record["aspects"] if each["text"] is not None]
    return aspects + [each for x in record["aspects"] for each in x["opinions"]]


def test_script_writes_the_committed_bytes(tmp_path):
    """The committed files are what the script writes, byte for byte."""
    for path in sample.write_files(tmp_path):
        committed = TASK / path.relative_to(tmp_path)
        assert path.read_bytes() == committed.read_bytes(), committed
    assert len(list(tmp_path.rglob("*.jsonl"))) == 6


@FOLDERS
def test_spans_stand_where_it_is_said(folder):
    """Each span has its words; opinions have a polarity, their own or the aspect's."""
    for name in NAMES:
        for record in read_records(folder, name):
            for span in spans(record):
                words = record["text"][span["start"] : span["end"]]
                assert words == span["text"] and words.strip(" ,.，。；") == words
            for aspect in record["aspects"]:
                assert aspect["opinions"], record
                for opinion in aspect["opinions"]:
                    polarity = opinion.get("polarity", aspect.get("polarity"))
                    assert polarity in ("positive", "negative", "neutral")
            places = [(x["text"], x.get("start")) for x in record["aspects"]]
            assert len(set(places)) == len(places)


@FOLDERS
def test_texts_are_free_of_markup(folder):
    """No slot and no template tag is left; a text ends as a sentence does."""
    for name in NAMES:
        for record in read_records(folder, name):
            text = record["text"]
            assert not re.search(r"[<>{}|\[\]_]|  | [,.;]|[，。；]{2}|不不", text), text
            assert text[-1] in ".。"
            assert re.match(r"[A-Z]" if folder == "data" else r"[\u4e00-\u9fff]", text)


@FOLDERS
def test_no_text_comes_twice(folder):
    """No text is in two files."""
    texts = [each["text"] for name in NAMES for each in read_records(folder, name)]
    assert len(set(texts)) == len(texts)


@FOLDERS
def test_words_that_are_held_back_are_in_the_test_file_alone(folder):
    """What stands after "|" is an aspect or opinion of test.jsonl, never of others."""
    source, _ = sample.FOLDERS[folder]
    table = tomllib.loads((sample.SOURCES / source).read_text("utf-8"))
    groups = [
        group
        for name, value in table.items()
        if name not in ("grammar", "facts")
        for group in (value.values() if name in ("restaurant", "computer") else [value])
    ]
    lists = [words.partition("|") for group in groups for words in group.values()]
    common = {word.strip() for words, _, _ in lists for word in words.split(",")}
    rare = {word.strip() for _, _, words in lists for word in words.split(",")} - {""}
    assert len(rare) > 30 and not rare & common
    found = {
        name: {
            span["text"].lower()
            for record in read_records(folder, name)
            for span in spans(record)
        }
        for name in NAMES
    }
    assert not rare & found["train"] and not rare & found["validation"]
    assert len(rare & found["test"]) > 25


@FOLDERS
def test_sizes(folder):
    """Each file is as long as it should be, small, and has all that there can be."""
    _, sizes = sample.FOLDERS[folder]
    for name in NAMES:
        records = read_records(folder, name)
        assert len(records) == sizes[name]
        aspects = [each for record in records for each in record["aspects"]]
        counts = Counter(each.get("polarity", "mixed") for each in aspects)
        assert set(counts) == {"positive", "negative", "neutral", "mixed"}
        assert sum(each["text"] is None for each in aspects) >= 20
        assert not all(record["aspects"] for record in records)
    files = (TASK / folder).iterdir()
    assert sum(path.stat().st_size for path in files) < 450_000
