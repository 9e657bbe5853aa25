"""Real sets of aspects are read completely, and their spans survive the tokens.

Takes its files from the folder in the environment variable TKGEN_DATA.
"""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from .conftest import Load, make_load, make_project

DATA = Path(os.environ.get("TKGEN_DATA") or "/nowhere")
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the environment variable TKGEN_DATA names no folder"
)
# Texts, and aspects or triplets as they stand in the file.
MAMS = {"train": (4297, 11186), "val": (500, 1332)}
DMASTE = {
    "electronics_train": (1395, 5292),
    "electronics_dev": (200, 706),
    "electronics_test": (399, 1545),
    "home_train": (1050, 3852),
    "home_dev": (152, 519),
    "home_test": (301, 1087),
}
NAMES = {"POS": "positive", "NEG": "negative", "NEU": "neutral"}
TRIPLET = re.compile(r"\(\[([-\d, ]+)\], \[([-\d, ]+)\], '(\w+)'\)")
Triplet = tuple[str | None, int | None, str, int, str]


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Load:
    """A function that imports a module of a generated package by its name."""
    folder = tmp_path_factory.mktemp("generated")
    return make_load(make_project(folder, "aspect-sentiment"))


def find(name: str) -> Path:
    """Return a file of the real data; skip the test where it is not there."""
    if not (DATA / name).is_file():
        pytest.skip(f"TKGEN_DATA holds no {name}")
    return DATA / name


def words_of(tokens: list[str], numbers: str) -> tuple[str | None, int | None]:
    """Return words and first character of a span of a DMASTE line, None for [-1]."""
    places = [int(number) for number in numbers.split(",")]
    if places == [-1]:
        return None, None
    first, last = places[0], places[-1]
    return " ".join(tokens[first : last + 1]), len(" ".join([*tokens[:first], ""]))


def read_triplets(path: Path) -> list[tuple[str, set[Triplet]]]:
    """Return text and triplets of each line, read with `split` and one pattern."""
    rows = []
    for line in path.read_text("utf-8").rstrip("\n").split("\n"):
        text, triplets, _ = line.split("####")
        tokens = text.split(" ")
        found = set()
        for aspect, opinion, polarity in TRIPLET.findall(triplets):
            words, start = words_of(tokens, opinion)
            assert words is not None and start is not None
            name = NAMES[polarity]
            found.add((*words_of(tokens, aspect), words, start, name))
        rows.append((text, found))
    return rows


def triplets_of(example: Any) -> set[Triplet]:
    """Return the triplets of an example in the same form."""
    return {
        (aspect.text, aspect.start, opinion.text, opinion.start, opinion.polarity)
        for aspect in example.aspects
        for opinion in aspect.opinions
    }


@pytest.mark.parametrize("name", MAMS)
def test_mams(load: Load, name: str) -> None:
    """Each term has text, place and polarity as an XML parser finds them."""
    path = find(f"mams_atsa/{name}.xml")
    sentences = ElementTree.parse(path).getroot().findall("sentence")
    examples = load("dataset").load_examples(path)
    expected = [
        {
            (term.get("term"), int(term.get("from", "")), term.get("polarity"))
            for term in sentence.iter("aspectTerm")
        }
        for sentence in sentences
    ]
    assert [each.text for each in examples] == [x.findtext("text") for x in sentences]
    found = [{(x.text, x.start, *x.polarities) for x in e.aspects} for e in examples]
    assert found == expected
    assert (len(examples), sum(map(len, expected))) == MAMS[name]
    assert not any(each.problem for each in examples)
    counts = Counter(polarity for each in expected for _, _, polarity in each)
    described = load("dataset").describe(examples)
    assert all(f"{name} {count}" in described for name, count in counts.items())
    config = load("dataset").settle(load("config").TrainConfig(), examples)
    assert (config.kind, len(config.polarities)) == ("pairs", 3)


@pytest.mark.parametrize("name", DMASTE)
def test_dmaste(load: Load, name: str) -> None:
    """Each triplet has its words, places and polarity; implicit aspects are kept."""
    path = find(f"dmaste/{name}.txt")
    examples = load("dataset").load_examples(path)
    rows = read_triplets(path)
    assert [(each.text, triplets_of(each)) for each in examples] == rows
    count = len(TRIPLET.findall(path.read_text("utf-8")))
    assert (len(examples), count) == DMASTE[name]
    assert not any(each.problem for each in examples)
    implicit = sum(any(x[0] is None for x in triplets) for _, triplets in rows)
    assert implicit > len(rows) / 4
    described = load("dataset").describe(examples)
    assert f", {implicit} of them implicit" in described
    config = load("dataset").settle(load("config").TrainConfig(), examples)
    assert (config.kind, len(config.polarities)) == ("triplets", 3)


class Oracle:
    """Stands for a model that knows the targets of each row."""

    def __init__(self, load: Load, examples: list[Any], tokenizer: Any, config: Any):
        self.rows: dict[bytes, np.ndarray] = {}
        questions = load("questions").questions_with_answers(examples, config)
        features = load("features").make_features(questions, tokenizer, config)
        for row in range(len(features.lengths)):
            inputs, targets = features.collate(np.array([row]))
            self.rows[self.key(inputs, 0)] = targets["logits"][0]

    @staticmethod
    def key(inputs: dict[str, np.ndarray], row: int) -> bytes:
        """Return what tells a row from others: its ids and its segments."""
        length = inputs["attention_mask"][row].sum()
        names = ("input_ids", "segment_ids")
        return b"".join(inputs[name][row, :length].tobytes() for name in names)

    def predict_on_batch(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Return logits that say the targets, and nothing for rows unheard of."""
        logits = np.full((*inputs["input_ids"].shape, 5), -9.0, "float32")
        for row, columns in enumerate(logits):
            targets = self.rows.get(self.key(inputs, row))
            if targets is None:
                continue
            part = columns[: len(targets)]
            part[:, :2] = np.where(targets[: len(part), :2] == 1, 9.0, -9.0)
            for number in range(3):
                part[targets[: len(part), 2] == number, 2 + number] = 9.0
        return {"logits": logits}


@pytest.mark.parametrize(
    ("name", "vocabulary", "least"),
    [
        ("mams_atsa/val.xml", "vocab_bert_uncased", 100.0),
        ("dmaste/home_dev.txt", "vocab_bert_uncased", 99.5),
        ("dmaste/home_dev.txt", "vocab_albert_en_30k", 99.5),
    ],
)
def test_what_the_targets_can_say(
    load: Load, name: str, vocabulary: str, least: float
) -> None:
    """Whoever knows all targets has hardly an error: windows, places and search agree.

    What is left are opinions that nest or share an end, which cannot all be found.
    """
    examples = load("dataset").load_examples(find(name))
    find(f"{vocabulary}/SOURCE.md")
    tokenizer = load("tokenizer").load_tokenizer(DATA / vocabulary)
    config = load("config").TrainConfig(
        cache_dir="", max_span_length=60, max_aspects=60, batch_size=64
    )
    config = load("dataset").settle(config, examples)
    oracle = Oracle(load, examples, tokenizer, config)
    decoding = load("decoding")
    predictions = decoding.predict(oracle, examples, tokenizer, config)
    scores = decoding.evaluate(examples, predictions, config)
    assert scores["aspect_f1"] == scores["polarity_accuracy"] == 100.0
    assert least <= scores["score"] <= 100.0
