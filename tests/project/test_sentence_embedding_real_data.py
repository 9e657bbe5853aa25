"""SNLI is read completely, counted against a plain reading of the same files.

Takes its files from the folder in the environment variable TKGEN_DATA.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest

from .conftest import Load

SNLI = Path(os.environ.get("TKGEN_DATA") or "/nowhere") / "snli_dev_test"
pytestmark = pytest.mark.skipif(
    not SNLI.is_dir(), reason="TKGEN_DATA names no folder with snli_dev_test"
)


def columns(path: Path) -> list[tuple[str, str, str]]:
    """Return premise, hypothesis and label of each line."""
    files = [path, *(path.with_name(f"{x}{path.suffix}") for x in ("s2", "labels"))]
    lines = [file.read_text("utf-8").splitlines() for file in files]
    return [
        (one.strip(), other.strip(), label.strip())
        for one, other, label in zip(*lines, strict=True)
    ]


@pytest.mark.parametrize("path", sorted(SNLI.glob("s1.*")), ids=lambda path: path.name)
def test_snli_is_read_completely(embedding: Load, path: Path, tmp_path: Path) -> None:
    """Each entailed sentence is a positive, and contradictions are dealt out."""
    rows = columns(path)
    assert len(rows) > 9000
    entailed, contradicted = defaultdict(list), defaultdict(list)
    for premise, hypothesis, label in rows:
        kind = {"entailment": entailed, "contradiction": contradicted}.get(label)
        if kind is not None and hypothesis not in kind[premise]:
            kind[premise].append(hypothesis)
    load_examples = embedding("dataset").load_examples
    examples = load_examples(path)
    found = {(each.sentence, each.positive) for each in examples}
    assert found == {(p, h) for p, each in entailed.items() for h in each}
    assert len(examples) == len(found) > 3000
    negatives = [each for each in examples if each.negative is not None]
    pairs = ((len(each), len(contradicted[p])) for p, each in entailed.items())
    assert len(negatives) == sum(min(pair) for pair in pairs) > 2500
    assert all(each.negative in contradicted[each.sentence] for each in negatives)
    # The same as JSONL, with the names of the published files.
    names = ("sentence1", "sentence2", "gold_label")
    lines = (json.dumps(dict(zip(names, row, strict=True))) for row in rows)
    (tmp_path / "snli.jsonl").write_text("\n".join(lines), "utf-8")
    again = load_examples(tmp_path / "snli.jsonl")
    assert [(e.sentence, e.positive, e.negative) for e in again] == [
        (e.sentence, e.positive, e.negative) for e in examples
    ]
