"""Records are what they say, or are named with their place: nothing is guessed."""

import json

import pytest

from aspect_sentiment_bert.config import TrainConfig
from aspect_sentiment_bert.dataset import (
    describe,
    example_from_texts,
    load_examples,
    settle,
)
from aspect_sentiment_bert.errors import UserError
from aspect_sentiment_bert.questions import questions_with_answers

TEXT = "The soup was cold and far too salty, the waiter kind. Not so good."
GOOD = {
    "text": TEXT,
    "aspects": [
        {"text": "soup", "start": 4, "end": 8, "polarity": "negative"}
        | {"opinions": [{"text": "cold"}, {"text": "far too salty", "start": 22}]},
        {"text": None, "opinions": [{"text": "Not so good", "polarity": "neutral"}]},
        {"text": "waiter", "polarity": "positive"},
        {"text": "waiter", "polarity": "negative"},
    ],
}


def write(path, records):
    """Write records as JSONL and return the path."""
    lines = [each if isinstance(each, str) else json.dumps(each) for each in records]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_record(tmp_path):
    """Places are found where words stand once; annotations of one place are one."""
    (example,) = load_examples(write(tmp_path / "good.jsonl", [GOOD]))
    soup, whole, waiter = example.aspects
    assert (example.problem, example.source) == ("", f"{tmp_path}/good.jsonl:1")
    found = [(x.text, x.start, x.end, x.polarity) for x in soup.opinions]
    assert found == [
        ("cold", 13, 17, "negative"),
        ("far too salty", 22, 35, "negative"),
    ]
    assert (whole.text, whole.place, whole.polarities) == (None, None, ("neutral",))
    assert (waiter.place, waiter.opinions) == ((41, 47), None)
    assert waiter.polarities == ("positive", "negative")


def test_report(tmp_path):
    """Counts, implicit aspects and what cannot be placed are told, never guessed."""
    aspect = {"text": "soup", "polarity": "negative"}
    records = [
        GOOD,
        {"text": "A bad bad day.", "aspects": [{"text": "bad", "polarity": "x"}]},
        {"text": TEXT, "aspects": [{**aspect, "start": 8}]},
        {"text": TEXT, "aspects": [{**aspect, "start": 4, "end": 7}]},
        {"text": " ", "aspects": []},
        {"text": "A\u200b.", "aspects": [{"text": "\u200b", "polarity": "negative"}]},
        {"text": "Nothing.", "aspects": []},
    ]
    found = load_examples(write(tmp_path / "bad.jsonl", records))
    assert [bool(each.problem) for each in found] == [False] + [True] * 5 + [False]
    text = describe(found)
    assert "7 texts (median 14 characters, at most 66)" in text
    assert "3 aspects, 1 of them implicit; 3 opinions on 2 of them; " in text
    assert "negative 2, neutral 1, positive 1; more than one: 1" in text
    assert "texts without an aspect: 1\n5 texts left out" in text
    reasons = ("2 times", "8:12", "4:7", "text is empty", "no visible character")
    for number, why in enumerate(reasons, start=2):
        (line,) = [x for x in text.split("\n") if f"bad.jsonl:{number}: " in x]
        assert why in line
    assert "… and 3 more" in describe(found, limit=2)


def test_settings_from_the_data(tmp_path):
    """Kind, polarities and rate are settled unless they are set; nonsense is told."""
    examples = load_examples(write(tmp_path / "good.jsonl", [GOOD]))
    config = settle(TrainConfig(), examples)
    assert (config.kind, config.learning_rate) == ("triplets", 1e-3)
    assert config.polarities == ("negative", "neutral", "positive")
    assert settle(TrainConfig(pretrained="folder"), examples).learning_rate == 2e-4
    bare = {"text": "A pan.", "aspects": [{"text": "pan", "polarity": "bad"}]}
    pairs = load_examples(write(tmp_path / "pairs.jsonl", [bare]))
    assert settle(TrainConfig(), pairs).kind == "pairs"
    config = settle(TrainConfig(polarities=("positive", "negative")), examples)
    assert config.polarities == ("positive", "negative")
    with pytest.raises(UserError, match="asks for no aspect"):
        settle(TrainConfig(opinion_question="What is said?"), examples)
    with pytest.raises(UserError, match="unknown kind"):
        settle(TrainConfig(kind="quadruples"), examples)
    with pytest.raises(UserError, match="nothing to learn"):
        settle(TrainConfig(polarities=("happy",)), examples)


def test_questions_in_another_language(tmp_path):
    """Both questions and the name of what is not named are settings."""
    examples = load_examples(write(tmp_path / "good.jsonl", [GOOD]))
    words = {"aspect_question": "有哪些方面？", "opinion_question": "{aspect}怎样？"}
    config = TrainConfig(**words, implicit_name="整体")
    asked = [each.question for each in questions_with_answers(examples, config)]
    assert asked == ["有哪些方面？", "soup怎样？", "整体怎样？", "waiter怎样？"]


BAD_LINES = [
    ('{"text": "T", "aspects', "bad.jsonl:2.*not JSON"),
    (["T"], "bad.jsonl:2.*not an object"),
    ({"aspects": []}, '"text" is missing'),
    ({"text": 3, "aspects": []}, '"text" is not a text'),
    ({"text": "T\ud800", "aspects": []}, "UTF-16 pair"),
    ('{"text": "T", "text": "U", "aspects": []}', '"text" comes twice'),
    ({"text": "T"}, '"aspects" is missing'),
    ({"text": "T", "aspects": "T"}, '"aspects" is not a list'),
    ({"text": "T", "aspects": ["T"]}, "aspect is not an object"),
    ({"text": "T", "aspects": [{"polarity": "x"}]}, 'aspect has no "text"'),
    ({"text": "T", "aspects": [{"text": "T"}]}, 'no "polarity"'),
    ({"text": "T", "aspects": [{"text": "T", "polarity": 1}]}, "must be a name"),
    ({"text": "T", "aspects": [{"text": "T", "polarity": " "}]}, "must be a name"),
    ({"text": "T", "aspects": [{"text": "", "polarity": "x"}]}, "is empty"),
    (
        {"text": "T", "aspects": [{"text": None, "polarity": "x", "start": 0}]},
        'a place, but its "text" is null',
    ),
    (
        {"text": "T", "aspects": [{"text": "T", "polarity": "x", "start": "0"}]},
        '"start" of an aspect must be a whole number',
    ),
    (
        {"text": "T", "aspects": [{"text": "T", "polarity": "x", "opinions": "T"}]},
        '"opinions" must be a list',
    ),
    (
        {"text": "T", "aspects": [{"text": None, "opinions": [{"text": "T"}]}]},
        'opinion nor its aspect has a "polarity"',
    ),
]


@pytest.mark.parametrize(("record", "message"), BAD_LINES)
def test_bad_lines_are_named(tmp_path, record, message):
    """What is not of the form is told with file, line and field."""
    path = write(tmp_path / "bad.jsonl", [GOOD, record])
    with pytest.raises(UserError, match=message) as caught:
        load_examples(path)
    assert "bad.jsonl:2" in str(caught.value)


def test_ids_and_texts_of_the_command_line(tmp_path):
    """An id that is used twice is an error; --text takes one text, without aspects."""
    twice = [{**GOOD, "id": "a"}, {"text": "b", "id": "a", "aspects": []}]
    with pytest.raises(UserError, match="is there twice"):
        load_examples(write(tmp_path / "twice.jsonl", twice))
    assert example_from_texts(["Good."]).aspects == ()
    with pytest.raises(UserError, match="takes one text"):
        example_from_texts(["Good.", "Bad."])
    (found,) = load_examples(
        write(tmp_path / "in.jsonl", [{"text": "Good."}]), labelled=False
    )
    assert found.aspects == ()
