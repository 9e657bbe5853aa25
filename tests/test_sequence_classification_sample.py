"""Tests of the classification sample: what its script promises."""

import json
import re
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import compose_sequence_classification_sample as compose  # noqa: E402

NAMES = ("train", "validation", "test")


def read_records(name: str) -> list[dict]:
    """Read one committed file."""
    lines = (compose.FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_script_writes_the_committed_bytes(tmp_path):
    """The committed files are what the script writes, byte for byte."""
    compose.write_files(tmp_path)
    for name in NAMES:
        found = (tmp_path / f"{name}.jsonl").read_bytes()
        assert found == (compose.FOLDER / f"{name}.jsonl").read_bytes(), name


def test_labels_are_as_frequent_and_come_in_turn():
    """Every eight lines hold each label once: the first lines are a sample too."""
    for name in NAMES:
        labels = [record["label"] for record in read_records(name)]
        assert len(labels) % 8 == 0
        for first in range(0, len(labels), 8):
            assert len(set(labels[first : first + 8])) == 8


def test_nothing_is_there_twice():
    """No id and no message is repeated, within a file or in another one."""
    records = [record for name in NAMES for record in read_records(name)]
    for field in ("id", "sequence"):
        counts = Counter(record[field].lower() for record in records)
        assert counts.most_common(1)[0][1] == 1, counts.most_common(1)


def sentences(text: str) -> list[str]:
    """Return the sentences of a message, in small letters."""
    return re.split(r"(?<=[.?!,]) ", text.lower())


def test_test_messages_have_sentences_of_their_own():
    """What a test message is about is said in no training message."""
    seen = {
        sentence.strip(".?!, ")
        for record in read_records("train")
        for sentence in sentences(record["sequence"])
    }
    for record in read_records("test"):
        new = [
            sentence
            for sentence in sentences(record["sequence"])
            if sentence.strip(".?!, ") not in seen
        ]
        assert any(len(sentence.split()) > 3 for sentence in new), record


def test_text_is_free_of_markup():
    """No slot and no mark of the wordings is left in a message."""
    for name in NAMES:
        for record in read_records(name):
            assert not re.search(r"[{}|;\[\]]|new:|dev:", record["sequence"]), record
