"""From scores to labels and entities, whatever the windows and batches."""

import json

import numpy as np
import pytest

from token_classification_bert import (
    decoding,
    head,
)
from token_classification_bert.config import TrainConfig
from token_classification_bert.dataset import (
    example_from_texts,
    load_examples,
)
from token_classification_bert.features import make_features
from token_classification_bert.tokenizer import train_tokenizer

LABELS = ("O", "B-loc", "I-loc", "B-per", "I-per")
CONFIG = TrainConfig(
    labels=LABELS, scheme="iob2", max_length=16, stride=6, cache_dir="", batch_size=3
)
TEXT = "Ada moved to  New York City, and Ada stayed.\nNew York is large; Ada is not."
FOUND = [("loc", "New York City"), ("per", "Ada"), ("loc", "New York")]


class Oracle:
    """Stands for a model: scores the label of each word of the features highest."""

    def __init__(self, features):
        self.rows = {}
        for row in range(len(features.lengths)):
            inputs, targets = features.collate(np.array([row]))
            self.rows[self.key(inputs, 0)] = targets["logits"][0]

    @staticmethod
    def key(inputs, row):
        """Return what tells a window from the others."""
        real = inputs["attention_mask"][row] > 0
        ids, places = inputs["input_ids"][row][real], inputs["word_positions"][row]
        return ids.tobytes() + places[places > 0].tobytes()

    def predict_on_batch(self, inputs):
        """Return scores of all words of a batch, and a table of zeros."""
        batch, width = inputs["word_positions"].shape
        logits = np.zeros((batch, width, len(LABELS)), "float32")
        for row in range(batch):
            labels = self.rows[self.key(inputs, row)]
            for word, label in enumerate(labels[labels >= 0]):
                logits[row, word, label] = 4.0
        table = np.zeros((batch, len(LABELS) + 2, len(LABELS)), "float32")
        return {"logits": logits, "transitions": table}


def entity(text, label, start=0):
    """Return an entity where its text stands in TEXT."""
    begin = TEXT.index(text, start)
    return {"start": begin, "end": begin + len(text), "label": label}


@pytest.fixture
def examples(tmp_path):
    """Return a text of several windows, and short and empty ones."""
    found = [entity("New York City", "loc"), entity("Ada", "per", 9)]
    found += [entity("New York", "loc", 30)]
    records = [
        {"tokens": ["Ada", "in", "York"], "labels": ["B-per", "O", "B-loc"]},
        {"text": TEXT, "entities": found},
        {"text": " ", "entities": []},
        {"tokens": ["York"] * 40, "labels": ["B-loc", "I-loc"] * 20},
    ]
    path = tmp_path / "examples.jsonl"
    path.write_text("\n".join(map(json.dumps, records)), encoding="utf-8")
    return load_examples(path)


@pytest.fixture
def tokenizer():
    """Return a tokenizer that knows the text."""
    return train_tokenizer([TEXT.replace("Ada", "Ad a")] * 3, vocab_size=60)


def predict(examples, tokenizer, config=CONFIG):
    """Return the predictions from an oracle."""
    oracle = Oracle(make_features(examples, tokenizer, config))
    return decoding.predict(oracle, examples, tokenizer, config)


def test_labels_come_back_in_order(examples, tokenizer):
    """Each word is predicted once, in its place, from whatever window and batch."""
    predictions = predict(examples, tokenizer)
    assert [each["id"] for each in predictions] == [each.id for each in examples]
    for example, prediction in zip(examples, predictions, strict=True):
        assert prediction["labels"] == list(example.labels)
        assert prediction["tokens"] == example.tokens
        assert len(prediction["scores"]) == len(example.labels)


def test_entities_have_their_places_in_the_text(examples, tokenizer):
    """Text and characters are those of the original, spaces and all."""
    predictions = predict(examples, tokenizer)
    entities = predictions[1]["entities"]
    assert [(each["label"], each["text"]) for each in entities] == FOUND
    for each in entities:
        assert TEXT[each["start"] : each["end"]] == each["text"]
        words = examples[1].tokens[each["first_token"] : each["last_token"] + 1]
        assert " ".join(words) == each["text"]
    assert predictions[0]["entities"][1] == {
        "text": "York",
        "start": 7,
        "end": 11,
        "label": "loc",
        "score": predictions[0]["scores"][2],
        "first_token": 2,
        "last_token": 2,
    }
    assert predictions[2]["entities"] == predictions[2]["labels"] == []
    assert len(predictions[3]["entities"]) == 20


def test_scores_are_probabilities(examples, tokenizer):
    """An entity is as sure as its least sure word."""
    example = examples[0]
    logits = np.array([[0, 0, 0, 3, 0], [2, 0, 0, 0, 1], [0, 1, 0, 0, 0]], "float32")
    table = np.zeros((7, 5), "float32")
    found = decoding.decode_example(example, [logits], {"transitions": table}, CONFIG)
    exponents = np.exp(logits.astype("float64"))
    expected = (exponents / exponents.sum(1, keepdims=True)).max(1)
    assert found["labels"] == ["B-per", "O", "B-loc"]
    np.testing.assert_allclose(found["scores"], expected, rtol=1e-6)
    entities = decoding.find_entities(example, ["B-loc", "I-loc", "O"], [0.9, 0.4, 1])
    assert [each["score"] for each in entities] == [0.4]
    labels, _ = head.decode(logits, {"transitions": table})
    assert [LABELS[label] for label in labels] == found["labels"]


def test_evaluation(examples, tokenizer, tmp_path):
    """Right predictions score 100; what cannot be scored is counted."""
    predictions = predict(examples, tokenizer)
    scores = decoding.evaluate(examples, predictions, CONFIG)
    assert scores["f1"] == scores["strict_f1"] == scores["accuracy"] == 100.0
    assert (scores["total"], scores["left_out"], scores["entities"]) == (3, 1, 25)
    config, same = decoding.tune(examples, predictions, CONFIG)
    assert config == CONFIG and same == predictions
    predictions[1]["labels"][-2] = "B-per"
    names = decoding.write_report(tmp_path, examples, predictions, CONFIG)
    page = (tmp_path / names[0]).read_text(encoding="utf-8")
    assert "1 of 3 sentences have an error" in page
    assert "<mark class='wrong'>not<small>per</small></mark>" in page
    assert "<mark>New York City<small>loc</small></mark>" in page


def test_other_schemes_are_the_same_entities(examples, tokenizer):
    """Gold tags of IOB1 are compared as the tags that the model learns."""
    labels = ("I-per", "O", "I-loc")
    example = examples[0].__class__(**{**vars(examples[0]), "labels": labels})
    prediction = predict(examples, tokenizer)[:1]
    config = TrainConfig(**{**vars(CONFIG), "scheme": "iob1"})
    assert decoding.evaluate([example], prediction, config)["f1"] == 100.0


def test_parts_of_speech(examples, tokenizer, tmp_path):
    """Labels without a scheme give no entities; wrong words are marked."""
    config = TrainConfig(**{**vars(CONFIG), "scheme": "none"})
    predictions = predict(examples[:1], tokenizer, config)
    assert "entities" not in predictions[0]
    assert decoding.show(examples[0], predictions[0], 5).startswith("Ada/B-per  in/O")
    predictions[0]["labels"][0] = "O"
    assert decoding.evaluate(examples[:1], predictions, config)["f1"] < 70
    decoding.write_report(tmp_path, examples[:1], predictions, config)
    page = (tmp_path / "errors.html").read_text(encoding="utf-8")
    assert "<mark class='missed'>Ada<small>B-per</small></mark> in York" in page


def test_showing(tokenizer):
    """A text from the command line is shown with its entities."""
    example = example_from_texts([TEXT])
    prediction = {"entities": [{**entity("New York", "loc"), "text": "New York"}]}
    prediction["entities"][0]["score"] = 0.5
    shown = decoding.show(example, prediction, 5)
    assert shown.endswith("   50%  loc: New York  [14:22]")
    assert decoding.shorten(prediction, 1) == prediction
