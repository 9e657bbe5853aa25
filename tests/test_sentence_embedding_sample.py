"""Tests of the embedding sample: what it promises, and that words alone mislead."""

import json
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import compose_sentence_embedding_sample as sample  # noqa: E402

FOLDER = ROOT / "templates/templates/tasks/sentence-embedding/data"
SPLITS = ("train", "validation", "test")


@cache
def read_records(split: str) -> list[dict]:
    """Read one committed file."""
    lines = (FOLDER / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def sentences(split: str) -> list[str]:
    """Return all sentences of a file."""
    names = ("sentence", "positive", "negative", "sentence_pair")
    return [
        each[name] for each in read_records(split) for name in names if name in each
    ]


def words(text: str) -> set[str]:
    """Return a sentence's words."""
    return set(text.lower().rstrip(".").split())


def overlap(record: dict, other: str) -> float:
    """Return the share of words that two sentences of a record have in common."""
    one, two = words(record["sentence"]), words(record[other])
    return len(one & two) / len(one | two)


def test_script_writes_the_committed_bytes(tmp_path):
    """The committed files are what the script writes, byte for byte."""
    sample.write_files(tmp_path)
    for split in SPLITS:
        name = f"{split}.jsonl"
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


def test_no_sentence_is_in_two_files():
    """What is tested was not learned from, though each of its words was."""
    texts = {split: set(sentences(split)) for split in SPLITS}
    assert not texts["train"] & texts["validation"]
    assert not texts["train"] & texts["test"]
    assert not texts["validation"] & texts["test"]
    known = set().union(*map(words, texts["train"]))
    assert set().union(*map(words, texts["test"])) <= known


def test_sentences_are_sentences():
    """Each begins with a capital, ends with a full stop, and has no markup left."""
    for split in SPLITS:
        for text in sentences(split):
            assert text[0].isupper() and text.endswith(".")
            assert not set(text) & set("{}/|+_") and "  " not in text
        assert len({each["id"] for each in read_records(split)}) == sample.SIZES[split]


def test_scores():
    """Scores are those of what the two meanings share, over the whole range."""
    for split in ("validation", "test"):
        scores = [each["score"] for each in read_records(split)]
        assert min(scores) == 0 and max(scores) == 5
        assert 0.3 < sum(score > 2.5 for score in scores) / len(scores) < 0.6
        assert all(score * 4 == int(score * 4) for score in scores)


@pytest.mark.parametrize("split", ["validation", "test"])
def test_common_words_mislead(split):
    """Pairs that mean nearly the same have fewer words in common than others."""
    records = read_records(split)
    alike = [overlap(r, "sentence_pair") for r in records if r["score"] >= 4]
    other = [overlap(r, "sentence_pair") for r in records if r["score"] <= 2.5]
    assert sum(alike) / len(alike) < sum(other) / len(other) - 0.05


def test_negatives_have_more_words_in_common_than_positives():
    """In training too, the words point the wrong way."""
    triplets = [each for each in read_records("train") if "negative" in each]
    assert 1250 < len(triplets) < 1450
    fooled = [overlap(r, "negative") > overlap(r, "positive") for r in triplets]
    assert sum(fooled) / len(fooled) > 0.9
