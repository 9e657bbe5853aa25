"""Tests of the feature-extraction sample: what its script promises."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import compose_feature_extraction_sample  # noqa: E402

PATH = ROOT / "templates/templates/tasks/feature-extraction/data/texts.jsonl"


def test_script_writes_the_committed_bytes(tmp_path):
    """The committed file is what the script writes, byte for byte."""
    compose_feature_extraction_sample.write_files(tmp_path)
    assert (tmp_path / "texts.jsonl").read_bytes() == PATH.read_bytes()


def test_lines_are_whole_and_of_many_lengths():
    """Each has an id of its own and a text; every third is a pair."""
    lines = PATH.read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert len({record["id"] for record in records}) == len(records) == 240
    assert [("pair" in each) for each in records] == [False, False, True] * 80
    lengths = {len(record["text"].split()) // 10 for record in records}
    assert {0, 1, 4} <= lengths
    words = " ".join(record["text"] for record in records)
    assert words.count(" bank ") > 9
