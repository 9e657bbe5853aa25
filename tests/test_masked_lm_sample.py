"""Tests of the masked-lm sample: what its script promises."""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import compose_masked_lm_sample  # noqa: E402

FOLDER = ROOT / "templates/templates/tasks/masked-lm/data"
FILE_NAMES = ["train.jsonl", "validation.jsonl", "test.jsonl"]


def read_records(file_name: str) -> list[dict]:
    """Read one committed file."""
    lines = (FOLDER / file_name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_script_writes_the_committed_bytes(tmp_path):
    """The committed files are what the script writes, byte for byte."""
    compose_masked_lm_sample.write_files(tmp_path)
    for name in FILE_NAMES:
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


def test_no_sentence_is_in_two_files():
    """What a model is scored on, it has not read."""
    seen = []
    for name in FILE_NAMES:
        texts = [record["text"] for record in read_records(name)]
        parts = [re.split(r"(?<=[.!?]) ", text.lower()) for text in texts]
        seen.append({part for sentences in parts for part in sentences})
    assert min(map(len, seen)) > 300
    assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]


def test_records_are_whole():
    """Each has an id of its own and a text without markup."""
    records = [record for name in FILE_NAMES for record in read_records(name)]
    assert len({record["id"] for record in records}) == len(records) == 1200
    for record in records:
        assert set(record) == {"id", "text"}
        assert record["text"][0].isupper() and record["text"][-1] in ".!?"
        assert not re.search(r"[{}\[\]|<>@]", record["text"]), record["id"]
