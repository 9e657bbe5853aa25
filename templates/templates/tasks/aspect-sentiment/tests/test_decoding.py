"""From logits to aspects, opinions and triplets, over both steps and all windows."""

import itertools

import numpy as np
import pytest

from {{ cookiecutter.package }} import decoding
from {{ cookiecutter.package }}.aspects import (
    Aspect,
    Example,
    Opinion,
)
from {{ cookiecutter.package }}.config import TrainConfig
from {{ cookiecutter.package }}.features import make_features
from {{ cookiecutter.package }}.questions import questions_with_answers
from {{ cookiecutter.package }}.tokenizer import train_tokenizer

TEXT = "The first room was clean, the second room was dirty. Never again."
LONG = " ".join(f"the thing{number} was good{number} here." for number in range(30))
CONFIG = TrainConfig(
    max_length=64,
    max_question_length=16,
    doc_stride=12,
    cache_dir="",
    batch_size=4,
    kind="triplets",
    polarities=("negative", "neutral", "positive"),
)


def example(text, *aspects, name="a"):
    """Return an example; an aspect is words (None: implicit), skip and opinions."""
    made = []
    for words, skip, opinions in aspects:
        judged = tuple(
            Opinion(x, text.index(x), text.index(x) + len(x), y) for x, y in opinions
        )
        start = -1
        for _ in range(skip + 1):
            start = text.index(words, start + 1) if words else None
        end = start + len(words) if words else None
        polarities = tuple(dict.fromkeys(each.polarity for each in judged))
        made.append(Aspect(words, start, end, polarities, judged))
    return Example(name, text, tuple(made), "here")


ROOMS = example(
    TEXT,
    ("room", 0, [("clean", "positive")]),
    ("room", 1, [("dirty", "negative")]),
    (None, 0, [("Never again", "negative")]),
)


class Oracle:
    """Stands for a model: its logits say the targets of the rows that it knows."""

    def __init__(self, examples, tokenizer, config, sure=6.0):
        self.rows, self.sure = {}, sure
        questions = questions_with_answers(examples, config)
        features = make_features(questions, tokenizer, config)
        for row in range(len(features.lengths)):
            inputs, targets = features.collate(np.array([row]))
            self.rows[self.key(inputs, 0)] = targets["logits"][0]

    @staticmethod
    def key(inputs, row):
        """Return what tells a row from others: its ids and its segments."""
        length = inputs["attention_mask"][row].sum()
        return b"".join(
            inputs[name][row, :length].tobytes()
            for name in ("input_ids", "segment_ids")
        )

    def predict_on_batch(self, inputs):
        """Return the logits of each row; of unknown ones, that nothing is there."""
        shape = (*inputs["input_ids"].shape, 5)
        logits = np.full(shape, -self.sure, "float32")
        for row, targets in enumerate(logits):
            known = self.rows.get(self.key(inputs, row))
            if known is None:
                continue
            for place, (start, end, polarity) in enumerate(known[: len(targets)]):
                signs = 2 * np.array([start > 0, end > 0]) - 1
                targets[place, :2] = self.sure * signs
                if polarity >= 0:
                    targets[place, 2 + polarity] = self.sure
        return {"logits": logits}


@pytest.fixture
def tokenizer():
    """Return a tokenizer that knows the texts."""
    return train_tokenizer([TEXT, LONG, "What is said of the aspects?"] * 3, 200)


def found_triplets(prediction):
    """Return the triplets of a prediction, checked against its offsets."""
    return [
        (each["aspect_start"], each["opinion"], each["polarity"])
        for each in prediction["triplets"]
    ]


def test_both_steps(tokenizer):
    """Equal words at two places and what is not named get their own opinions."""
    oracle = Oracle([ROOMS], tokenizer, CONFIG)
    (found,) = decoding.predict(oracle, [ROOMS], tokenizer, CONFIG)
    for item in itertools.chain(
        found["aspects"], *(each["opinions"] for each in found["aspects"])
    ):
        if item["text"] is not None:
            assert TEXT[item["start"] : item["end"]] == item["text"]
        assert 0.9 < item["score"] <= 1 and item["polarity_score"] > 0.9
    assert sorted(found_triplets(found), key=str) == [
        (10, "clean", "positive"),
        (37, "dirty", "negative"),
        (None, "Never again", "negative"),
    ]
    scores = decoding.evaluate([ROOMS], [found], CONFIG)
    assert {v for k, v in scores.items() if isinstance(v, float)} == {100.0}
    assert (scores["monitor"], scores["total"]) == ("triplet_f1", 1)


def test_aspects_are_not_taken_from_the_answers(tokenizer):
    """A text without given aspects gets the same; the given ones are kept apart."""
    oracle = Oracle([ROOMS], tokenizer, CONFIG)
    bare = Example("a", TEXT, (), "here")
    given, free = (
        decoding.predict(oracle, [each], tokenizer, CONFIG)[0] for each in (ROOMS, bare)
    )
    assert given["aspects"] == free["aspects"] and "given_aspects" not in free
    assert "given_aspects" not in decoding.shorten(given, 5)
    nothing = Oracle([bare], tokenizer, CONFIG)
    (found,) = decoding.predict(nothing, [ROOMS], tokenizer, CONFIG)
    assert found["aspects"] == found["triplets"] == []
    assert len(found["given_aspects"]) == 3


def test_order_and_windows(tokenizer):
    """Long texts are read in parts; predictions are in the order of the examples."""
    config = TrainConfig(**{**vars(CONFIG), "max_length": 48})
    examples = []
    for number in (2, 14, 29):  # texts that share no part
        text = LONG.replace("the", f"{number}")
        aspect, opinion = f"thing{number}", f"good{number}"
        judged = (aspect, 0, [(opinion, "positive")])
        examples.append(example(text, judged, name=aspect))
    examples.insert(1, ROOMS)
    oracle = Oracle(examples, tokenizer, config)
    found = decoding.predict(oracle, examples, tokenizer, config)
    assert [each["id"] for each in found] == ["thing2", "a", "thing14", "thing29"]
    for index in (0, 2, 3):
        (triplet,) = found[index]["triplets"]
        number = found[index]["id"].removeprefix("thing")
        assert triplet["aspect"] == f"thing{number}"
        assert triplet["opinion"] == f"good{number}"
        assert triplet["polarity"] == "positive"
    assert decoding.evaluate(examples, found, config)["score"] == 100.0


def test_thresholds(tokenizer):
    """Only what reaches its threshold is given, in each step; limits are kept to."""
    oracle = Oracle([ROOMS], tokenizer, CONFIG, sure=1.5)
    (found,) = decoding.predict(oracle, [ROOMS], tokenizer, CONFIG)
    assert len(found["triplets"]) == 3
    score = min(each["score"] for each in found["aspects"])

    def count(**settings):
        config = TrainConfig(**{**vars(CONFIG), **settings})
        (given,) = decoding.predict(oracle, [ROOMS], tokenizer, config)
        opinions = sum(len(each["opinions"]) for each in given["aspects"])
        return len(given["aspects"]), opinions

    assert count(aspect_threshold=score - 0.01) == (3, 3)
    assert count(aspect_threshold=0.95) == (0, 0)
    assert count(opinion_threshold=0.95) == (3, 0)
    assert count(max_aspects=2) == (2, 2)
    assert count(kind="pairs") == (3, 0)
    config = TrainConfig(**{**vars(CONFIG), "max_span_length": 1})
    (given,) = decoding.predict(oracle, [ROOMS], tokenizer, config)
    words = {each["opinion"] for each in given["triplets"]}
    assert {"clean", "dirty"} <= words and "Never again" not in words


def test_tuning(tokenizer):
    """Thresholds are tuned where they are free, and predicting with them gives that."""
    oracle = Oracle([ROOMS], tokenizer, CONFIG)
    wrong = example(TEXT, ("room", 0, [("clean", "positive")]), name="b")
    both = [ROOMS, example(TEXT + " ", name="c")]
    predictions = decoding.predict(oracle, both, tokenizer, CONFIG)
    extra = {**predictions[0]["aspects"][0], "score": 0.6, "start": 0, "end": 3}
    predictions[1]["aspects"] = [extra]
    config, tuned = decoding.tune(both, predictions, CONFIG)
    assert 0.6 < config.aspect_threshold < 0.99
    assert config.opinion_threshold == 0.5
    assert tuned[1]["aspects"] == tuned[1]["triplets"] == []
    assert decoding.evaluate(both, tuned, config)["score"] == 100.0
    assert decoding.tune(both, predictions, config)[0] == config
    again = decoding.predict(oracle, [ROOMS], tokenizer, config)
    assert again == decoding.tune([ROOMS], tuned[:1], config)[1]
    half = TrainConfig(**{**vars(CONFIG), "aspect_threshold": 0.3})
    assert decoding.tune([wrong], again, half)[0].aspect_threshold == 0.3


def test_opinions_that_nobody_knows_are_not_scored(tokenizer):
    """Of data without opinions, pairs are what counts; problems are left out."""
    bare = [
        Aspect(each.text, each.start, each.end, each.polarities, None)
        for each in ROOMS.aspects
    ]
    pairs = Example("p", TEXT, tuple(bare), "here")
    broken = Example("q", TEXT, (), "here", "the text is broken")
    oracle = Oracle([ROOMS], tokenizer, CONFIG)
    both = [pairs, broken]
    predictions = decoding.predict(oracle, both, tokenizer, CONFIG)
    scores = decoding.evaluate(both, predictions, CONFIG)
    assert scores["monitor"] == "pair_f1" and scores["score"] == 100.0
    assert scores["polarity_accuracy"] == 100.0
    assert not [name for name in scores if "triplet" in name or "opinion" in name]
    assert (scores["total"], scores["left_out"]) == (2, 1)


def test_error_page_and_show(tokenizer, tmp_path):
    """The page shows texts with errors only, escaped; show names gold and found."""
    text = "<b> rooms & halls were clean"
    other = example(text, ("rooms", 0, [("clean", "positive")]), name="odd")
    oracle = Oracle([ROOMS], tokenizer, CONFIG)
    examples = [ROOMS, other]
    predictions = decoding.predict(oracle, examples, tokenizer, CONFIG)
    written = decoding.write_report(tmp_path, examples, predictions, CONFIG)
    assert written == ["errors.html"]
    page = (tmp_path / "errors.html").read_text(encoding="utf-8")
    assert "missed: rooms – clean – positive" in page
    assert "&lt;b&gt;" in page and "<b>" not in page and "second" not in page
    assert "<span class='opinion'>clean</span>" in page
    shown = decoding.show(ROOMS, predictions[0], 5)
    assert "found:    (implicit) negative: Never again [53:64]" in shown
    assert shown.count("expected: ") == shown.count("found: ") == 3
