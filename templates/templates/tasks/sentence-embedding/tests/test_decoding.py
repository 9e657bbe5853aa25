"""From vectors to similarities, ranks and figures; files of vectors, and search."""

import json
import types

import numpy as np
import pytest

from {{ cookiecutter.package }} import (
    decoding,
    embed,
    search,
)
from {{ cookiecutter.package }}.config import TrainConfig
from {{ cookiecutter.package }}.errors import UserError
from {{ cookiecutter.package }}.examples import Example
from {{ cookiecutter.package }}.tokenizer import train_tokenizer

CONFIG = TrainConfig(max_length=16, cache_dir="")
WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


@pytest.fixture
def tokenizer():
    """Return a tokenizer for which each of the words is a token."""
    return train_tokenizer([" ".join(WORDS)] * 9, vocab_size=200)


class Bag:
    """Stands for a model: a sentence's vector counts its tokens."""

    output = {"embedding": np.zeros((1, 200))}

    def predict_on_batch(self, inputs):
        """Return the counts; padding and special tokens do not count."""
        vectors = np.zeros((len(inputs["input_ids"]), 200), "float32")
        mask = (inputs["attention_mask"] > 0) & (inputs["input_ids"] > 4)
        for vector, ids, real in zip(vectors, inputs["input_ids"], mask, strict=True):
            np.add.at(vector, ids[real], 1)
        return {"embedding": vectors}


def predict(examples, tokenizer):
    """Return the predictions from counted words."""
    return decoding.predict(Bag(), examples, tokenizer, CONFIG)


TRIPLETS = [
    Example("a", "one two", positive="one two three", negative="four five"),
    Example("b", "four five", positive="five six", negative="seven"),
    Example("c", "eight", positive="nine", negative="eight ten"),
]


def test_ranks(tokenizer):
    """A positive's rank counts the candidates of the whole group that are nearer."""
    first, second, third = predict(TRIPLETS, tokenizer)
    assert [each["id"] for each in (first, second, third)] == ["a", "b", "c"]
    assert first["similarity"] == pytest.approx(2 / np.sqrt(6))
    assert first["negative_similarity"] == 0.0
    assert first["rank"] == 1 and "nearest" not in first
    # "four five" is a candidate, but not for itself.
    assert second["rank"] == 1 and second["similarity"] == pytest.approx(0.5)
    assert third["rank"] == 2 and third["nearest"] == "eight ten"
    figures = decoding.evaluate(TRIPLETS, [first, second, third], CONFIG)
    assert figures["score"] == figures["accuracy"] == pytest.approx(200 / 3)
    assert figures["mrr"] == pytest.approx(250 / 3)
    assert figures["triplet_accuracy"] == pytest.approx(200 / 3)
    assert (figures["score_is"], figures["total"]) == ("accuracy", 3)
    cosines = np.array([2 / np.sqrt(6), 0.5, 0.0])
    assert figures["alignment"] == pytest.approx(np.mean(2 - 2 * cosines))
    # The three sentences have no word in common: each two are √2 apart.
    assert figures["uniformity"] == pytest.approx(-4.0)


def test_ranks_stay_within_their_group(tokenizer, monkeypatch):
    """What stands in another group is no candidate; groups are of nearly one size."""
    monkeypatch.setattr(decoding, "GROUP", 2)
    hard = Example("x", "one", positive="two")
    rival = Example("y", "six", positive="one one six")
    easy = [Example(f"z{i}", word, positive=word) for i, word in enumerate(WORDS[6:])]
    assert [each["rank"] for each in predict([hard, rival, *easy], tokenizer)][0] == 2
    found = predict([hard, easy[0], easy[1], rival], tokenizer)
    assert [each["rank"] for each in found] == [1, 1, 1, 1]
    assert [each["id"] for each in found] == ["x", "z0", "z1", "y"]


def scored(*pairs):
    """Return examples with these sentences and scores."""
    return [
        Example(str(i), one, sentence_pair=other, score=float(score))
        for i, (one, other, score) in enumerate(pairs)
    ]


def test_scored_pairs(tokenizer):
    """The score is Spearman's correlation; a constant counts as 0."""
    examples = scored(
        ("one two", "two one", 5),
        ("one two three", "one two four", 3.5),
        ("one two", "two six", 3),
        ("one", "two", 0),
    )
    predictions = predict(examples, tokenizer)
    found = [each["similarity"] for each in predictions]
    assert found == pytest.approx([1.0, 2 / 3, 0.5, 0.0], abs=1e-6)
    assert not any("rank" in each for each in predictions)
    figures = decoding.evaluate(examples, predictions, CONFIG)
    assert figures["score"] == figures["spearman"] == pytest.approx(100.0)
    assert 95 < figures["pearson"] < 100
    assert figures["alignment"] == pytest.approx(0.0, abs=1e-6)  # the pair of score 5
    config, tuned = decoding.tune(examples, predictions, CONFIG)
    assert config is CONFIG and tuned == predictions
    same = [{**each, "similarity": 0.5} for each in predictions]
    assert decoding.evaluate(examples, same, CONFIG)["score"] == 0.0
    json.dumps([figures, *predictions])


def test_what_cannot_be_scored(tokenizer):
    """A sentence alone has a vector and no score."""
    examples = [Example("a", "one one two")]
    (found,) = predict(examples, tokenizer)
    assert sorted(found["embedding"])[-3:] == [0.0, 1.0, 2.0]
    with pytest.raises(UserError, match="cannot be scored"):
        decoding.evaluate(examples, [found], CONFIG)
    assert "embedding:" in decoding.show(examples[0], found, 5)


def test_show_and_error_page(tokenizer, tmp_path):
    """The worst pairs come first, escaped, with what was nearer."""
    examples = [*TRIPLETS, *scored(("<one>", "two", 5), ("six", "six", 1))]
    predictions = predict(examples, tokenizer)
    shown = decoding.show(examples[2], predictions[2], 5)
    assert "nearer:     eight ten" in shown
    assert decoding.write_report(tmp_path, examples, predictions, CONFIG)
    page = (tmp_path / "errors.html").read_text()
    assert page.startswith("<!DOCTYPE html>\n<html")
    assert "&lt;one&gt;" in page and "<one>" not in page
    assert "-100%" in page and "+100%" in page
    assert "eight ten" in page and "four five" not in page


def test_embed_texts_keeps_the_order(tokenizer):
    """Vectors come in the order of the texts; a long text is cut."""
    texts = [" ".join(WORDS[: 1 + i % 9]) for i in range(200)] + ["one " * 50]
    vectors = embed.embed_texts(Bag(), texts, tokenizer, CONFIG)
    assert vectors.shape == (201, 200) and vectors.dtype == np.float32
    assert vectors.sum(axis=1).tolist() == [1 + i % 9 for i in range(200)] + [14]


@pytest.fixture
def files(tokenizer, tmp_path, monkeypatch):
    """Return a file of texts and one of their vectors, made in pieces of 7."""
    monkeypatch.setattr(embed, "CHUNK", 7)
    monkeypatch.setattr(embed.chunks, "__defaults__", (7,))
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(WORDS, 4)) for _ in range(40)]
    lines = [json.dumps({"id": i, "body": text}) for i, text in enumerate(texts)]
    (tmp_path / "texts.jsonl").write_text("\n\n".join(lines))
    run = types.SimpleNamespace(model=Bag(), tokenizer=tokenizer, config=CONFIG)
    output = tmp_path / "new/vectors.npy"
    count = embed.write_vectors(run, tmp_path / "texts.jsonl", "body", output)
    assert count == 40
    assert [path.name for path in output.parent.iterdir()] == ["vectors.npy"]
    return texts, output


def test_files_of_vectors(files, tokenizer):
    """Row n is the vector of text n, however the file was cut into pieces."""
    texts, path = files
    expected = embed.embed_texts(Bag(), texts, tokenizer, CONFIG)
    np.testing.assert_array_equal(np.load(path), expected)


def test_search_is_exact(files, monkeypatch, tmp_path):
    """The nearest are those of a plain search over all."""
    texts, path = files
    monkeypatch.setattr(search, "CHUNK", 9)
    vectors = search.load_vectors(path)
    assert isinstance(vectors, np.memmap)
    query = vectors[3] + vectors[17]
    cosines = vectors @ query / np.linalg.norm(vectors, axis=1) / np.linalg.norm(query)
    expected = np.sort(cosines)[::-1][:5]
    found = search.nearest(query, vectors, 5)
    assert [score for score, _ in found] == pytest.approx(expected)
    rows = [row for _, row in found]
    assert len(set(rows)) == 5
    assert cosines[rows] == pytest.approx(expected)
    assert len(search.nearest(query, vectors, 99)) == 40
    ties = np.repeat(vectors[:1], 20, axis=0) * np.array([[0.0], [1.0]] * 10)
    assert [row for _, row in search.nearest(vectors[0], ties, 3)] == [1, 3, 5]
    assert search.nearest(query, np.zeros((2, 200)), 5) == [(0.0, 0), (0.0, 1)]
    again = search.find_texts(tmp_path / "texts.jsonl", "body", rows, 40)
    assert again == [texts[row] for row in rows]
    with pytest.raises(UserError, match="40 texts, and there are 41 vectors"):
        search.find_texts(tmp_path / "texts.jsonl", "body", rows, 41)


def test_bad_files_of_texts(tmp_path):
    """What cannot be read is named with its line, and nothing is written."""
    cases = {
        "a.jsonl": (b'{"sentence": "a"}\n{"text": "b"}', "a.jsonl:2"),
        "b.jsonl": (b'{"sentence": "a"}\n{', "b.jsonl:2"),
        "c.txt": ("one\ncaf\u00e9".encode("latin-1"), "c.txt:2"),
        "d.txt": ("one".encode("utf-16-le"), "d.txt.*UTF-16"),
        "f.jsonl": (b"[" * 100_000, "f.jsonl:1.*nested"),
        "g.ndjson": (b'{"sentence": "a"}', "g.ndjson.*begins as JSON"),
        "e.txt": (b"\n", "no texts in"),
    }
    for name, (data, place) in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UserError, match=place):
            embed.write_vectors(None, tmp_path / name, "sentence", tmp_path / "v.npy")
    assert not list(tmp_path.glob("*.npy"))
    (tmp_path / "flat.npy").write_bytes(b"nothing")
    with pytest.raises(UserError, match="flat.npy"):
        search.load_vectors(tmp_path / "flat.npy")
