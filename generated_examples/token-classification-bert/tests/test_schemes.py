"""Tags of every scheme mean the entities they should, and come back as they were."""

import random

import pytest

from token_classification_bert import (
    schemes,
)
from token_classification_bert.config import TrainConfig
from token_classification_bert.errors import UserError
from token_classification_bert.labels import (
    model_labels,
    settle_labels,
)

# Ada Byron King (person), then London (place), and two places side by side.
WRITTEN = {
    "iob1": "I-per I-per I-per O I-loc O I-loc B-loc I-loc",
    "iob2": "B-per I-per I-per O B-loc O B-loc B-loc I-loc",
    "bioes": "B-per I-per E-per O S-loc O S-loc B-loc E-loc",
    "bmes": "B-per M-per E-per O S-loc O S-loc B-loc E-loc",
    "bilou": "B-per I-per L-per O U-loc O U-loc B-loc L-loc",
}
ENTITIES = [("per", 0, 3), ("loc", 4, 5), ("loc", 6, 7), ("loc", 7, 9)]


@pytest.mark.parametrize("scheme", WRITTEN)
def test_reading_and_writing(scheme):
    """The same four entities in each scheme, told apart by their letters."""
    tags = WRITTEN[scheme].split()
    assert schemes.spans(tags) == ENTITIES
    assert schemes.detect([tags]) == scheme
    for other, text in WRITTEN.items():
        assert schemes.convert(tags, other) == text.split()


def test_writing_and_reading_at_random():
    """Any entities that do not overlap come back from any scheme."""
    generator = random.Random(0)
    for _ in range(200):
        found, word = [], 0
        while (word := word + generator.randint(0, 2)) < 12:
            stop = word + generator.randint(1, 3)
            found.append((generator.choice("xy"), word, stop))
            word = stop
        spans = [schemes.Span(*each) for each in found]
        for scheme in schemes.SCHEMES:
            assert schemes.spans(schemes.write_tags(spans, 16, scheme)) == found


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O I-x I-x O", [("x", 1, 3)]),  # an I after O begins
        ("B-x I-y", [("x", 0, 1), ("y", 1, 2)]),  # so does an I of another type
        ("B-x B-x", [("x", 0, 1), ("x", 1, 2)]),
        ("S-x I-x", [("x", 0, 1), ("x", 1, 2)]),
        ("B-x I-x", [("x", 0, 2)]),  # in BIOES it lacks its end
        ("E-x E-x", [("x", 0, 1), ("x", 1, 2)]),
        ("I-x E-x I-x", [("x", 0, 2), ("x", 2, 3)]),
        ("B-a-b I-a-b", [("a-b", 0, 2)]),  # the type may hold hyphens
        ("B-x M-x E-x W-x", [("x", 0, 3), ("x", 3, 4)]),  # W is BMEWO's S
        ("B I O S", [("_", 0, 2), ("_", 3, 4)]),  # or there may be none
        ("", []),
    ],
)
def test_broken_tags_are_read_as_seqeval_reads_them(tags, expected):
    """What no scheme would write has one meaning."""
    assert schemes.spans(tags.split()) == expected


@pytest.mark.parametrize(
    ("tags", "scheme", "expected"),
    [
        ("O I-x B-x I-x", "iob2", [("x", 2, 4)]),
        ("B-x I-y I-y", "iob2", [("x", 0, 1)]),
        ("B-x I-x O S-x", "bioes", [("x", 3, 4)]),
        ("B-x E-x E-x S-x", "bioes", [("x", 0, 2), ("x", 3, 4)]),
    ],
)
def test_strict_reading(tags, scheme, expected):
    """Only what is written by the rules counts."""
    assert schemes.strict_spans(tags.split(), scheme) == expected


def test_labels_that_are_no_tags():
    """Parts of speech stand for themselves, also where some look like a letter."""
    assert schemes.detect([["NOUN", "VERB"], ["PUNCT"]]) == "none"
    assert schemes.detect([["N", "V", "S"]]) == "none"
    assert schemes.detect([["B", "E", "S", "S"]]) == "bioes"
    assert schemes.detect([["B", "M", "E", "S"]]) == "bmes"
    config = TrainConfig(scheme="none")
    assert model_labels(["B-x", "I-y"], config) == ["B-x", "I-y"]


def test_labels_are_settled_from_the_files():
    """Each type gets all of its tags, "O" comes first; --labels keep their order."""
    labelled = [("f:1", ["O", "I-b", "I-b"]), ("f:4", ["I-a", "B-a"])]
    config = settle_labels(TrainConfig(), labelled)
    assert config.scheme == "iob1"
    assert config.labels == ("O", "B-a", "I-a", "B-b", "I-b")
    assert model_labels(["I-a", "B-a"], config) == ["B-a", "B-a"]
    config = settle_labels(TrainConfig(tagging="bioes"), labelled)
    assert config.labels[1:5] == ("B-a", "E-a", "I-a", "S-a")
    assert model_labels(["I-b", "I-b"], config) == ["B-b", "E-b"]
    own = ("B-a", "B-b", "I-b", "O")
    assert settle_labels(TrainConfig(labels=own), labelled).labels == own
    parts = [("f:1", ["VERB", "O", "NOUN"])]
    assert settle_labels(TrainConfig(), parts).labels == ("O", "NOUN", "VERB")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scheme": "bio"}, 'unknown scheme "bio"'),
        ({"tagging": "bmes"}, 'unknown tagging "bmes"'),
        ({"scheme": "bmes"}, 'f:1: the label "I-x" is none of BMES'),
        ({"labels": ("O", "B-x")}, 'f:1: the label "I-x" is not among --labels'),
    ],
)
def test_settings_that_contradict_the_files(settings, message):
    """The error names the label and where it stands."""
    with pytest.raises(UserError, match=message):
        settle_labels(TrainConfig(**settings), [("f:1", ["B-x", "I-x", "O"])])
    with pytest.raises(UserError, match="nothing to learn"):
        settle_labels(TrainConfig(), [])
