"""Real classification sets are read completely, and pairs are cut as Google cuts them.

Takes its files from the folder in the environment variable TKGEN_DATA.
"""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import Load, make_load, make_project

DATA = Path(os.environ.get("TKGEN_DATA") or "/nowhere")
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the environment variable TKGEN_DATA names no folder"
)

Row = tuple[str, str | None, str]  # text, second text, label


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    """A function that imports a module of a generated package by its name."""
    folder = tmp_path_factory.mktemp("generated")
    return make_load(make_project(folder, "sequence-classification"))


def read(load: Load, path: str | Path, **settings: Any) -> tuple[Any, list[Any]]:
    """Return settled settings and the examples of a file."""
    config = load("config").TrainConfig(cache_dir="", **settings)
    dataset = load("dataset")
    examples = dataset.load_examples(path, config)
    return dataset.settle(config, examples), examples


def rows(examples: list[Any]) -> list[Row]:
    """Return text, second text and label of each example."""
    return [(each.text, each.pair, each.label) for each in examples]


@pytest.mark.parametrize(("name", "count"), [("train", 10003), ("test", 3080)])
def test_banking77(load: Load, name: str, count: int) -> None:
    """CSV with quotes and line ends in texts: 77 intents."""
    path = DATA / f"banking77/{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        expected = [(x["text"], None, x["category"]) for x in csv.DictReader(file)]
    config, examples = read(load, path)
    assert rows(examples) == expected
    assert len(examples) == count and not any(each.problem for each in examples)
    names = json.loads((DATA / "banking77/categories.json").read_text("utf-8"))
    assert (config.kind, list(config.labels)) == ("single", sorted(names))


@pytest.mark.parametrize("name", ["dev_2k", "test_2k"])
def test_pawsx(load: Load, name: str) -> None:
    """TSV with quotes that have no partner: 2,000 pairs, two classes."""
    path = DATA / f"pawsx_zh/{name}.tsv"
    if not path.exists():
        pytest.skip(f"TKGEN_DATA holds no {path.name}")
    lines = path.read_text("utf-8").rstrip("\n").split("\n")[1:]
    expected = [tuple(line.split("\t")[1:]) for line in lines]
    config, examples = read(load, path)
    assert rows(examples) == expected
    assert len(examples) == 2000
    assert (config.kind, config.labels) == ("single", ("0", "1"))


def test_clinc150(load: Load) -> None:
    """A JSON file of several lists of text and label: each list by its name."""
    path = DATA / "clinc150/data_full.json"
    lists = json.loads(path.read_text("utf-8"))
    for name, pairs in lists.items():
        _, examples = read(load, f"{path}#{name}", kind="multi")
        expected = [(text, None, (label,)) for text, label in pairs]
        assert rows(examples) == expected, name
    config, examples = read(load, f"{path}#train")
    assert len(examples) == 15000 and len(config.labels) == 150
    with pytest.raises(load("errors").UserError, match="oos_val, val, train"):
        read(load, path)


@pytest.mark.parametrize("name", ["train", "dev"])
def test_asap(load: Load, name: str) -> None:
    """CSV with a BOM and 21 columns, two of which are named: stars as numbers."""
    path = DATA / f"asap_sample/{name}_sample.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        expected = [
            (each["reviewbody"], None, each["star"]) for each in csv.DictReader(file)
        ]
    columns = {"text_column": "reviewbody", "label_column": "star"}
    config, examples = read(load, path, **columns)
    assert rows(examples) == expected
    assert len(examples) == 100
    assert config.kind == "regression"
    with pytest.raises(load("errors").UserError, match="found index, reviewbody, star"):
        read(load, path)


def snli_records() -> Iterator[dict[str, str]]:
    """Yield SNLI's pairs with the fields of its own JSONL files.

    One in a hundred gets "-", which stands there for labels without a majority.
    """
    folder = DATA / "snli_dev_test"
    lines = [
        (folder / f"{name}.dev").read_text("utf-8").rstrip("\n").split("\n")
        for name in ("s1", "s2", "labels")
    ]
    for number, (first, second, label) in enumerate(zip(*lines, strict=True)):
        label = "-" if number % 100 == 50 else label
        yield {
            "annotator_labels": [label],
            "captionID": f"{number}.jpg",
            "gold_label": label,
            "pairID": str(number),
            "sentence1": first,
            "sentence1_parse": f"(ROOT {first})",
            "sentence2": second,
            "sentence2_parse": f"(ROOT {second})",
        }


def test_snli(load: Load, tmp_path: Path) -> None:
    """SNLI's fields are known; what has no gold label is left out and counted."""
    records = list(snli_records())
    text = "\n".join(map(json.dumps, records))
    (tmp_path / "snli.jsonl").write_text(text, "utf-8")
    config, examples = read(load, tmp_path / "snli.jsonl")
    assert len(examples) == 9842
    assert config.labels == ("contradiction", "entailment", "neutral")
    none = [each for each in examples if each.label is None]
    assert len(none) == sum(each["gold_label"] == "-" for each in records) == 98
    assert all("no gold label" in each.problem for each in none)
    found = Counter(each.label for each in examples if each.label)
    assert found == Counter(x["gold_label"] for x in records if x["gold_label"] != "-")
    described = load("dataset").describe(examples)
    assert "9842 pairs" in described and "98 left out" in described


def cut(first: list[int], second: list[int], limit: int) -> None:
    """Cut two lists as `_truncate_seq_pair` of Google's run_classifier.py does."""
    while len(first) + len(second) > limit:
        longer = first if len(first) > len(second) else second
        longer.pop()


@pytest.mark.parametrize("max_length", [256, 40, 7])
def test_rows_of_pairs(load: Load, max_length: int) -> None:
    """Token ids, segments and what is cut are those of a direct computation."""
    path = DATA / "pawsx_zh/dev_2k.tsv"
    config, examples = read(load, path, max_length=max_length)
    tokenizer = load("tokenizer").load_tokenizer(DATA / "vocab_bert_chinese")
    features = load("features").make_features(examples, tokenizer, config)
    lost = 0
    for row, example in enumerate(examples):
        first, second = (
            list(tokenizer.encode(text, add_special_tokens=False).ids)
            for text in (example.text, example.pair)
        )
        whole = len(first) + len(second) + 3
        cut(first, second, max_length - 3)
        ids = [101, *first, 102, *second, 102]
        inputs = features.collate(np.array([row]))
        used = inputs["attention_mask"][0].sum()
        assert inputs["input_ids"][0, :used].tolist() == ids
        segments = [0] * (len(first) + 2) + [1] * (len(second) + 1)
        assert inputs["segment_ids"][0, :used].tolist() == segments
        assert not inputs["segment_ids"][0, used:].any()
        lost += whole > len(ids)
    assert f" {lost} of 2000 texts" in features.describe()
    assert (lost > 0) == (max_length < 256)
