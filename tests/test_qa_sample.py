"""Tests of the QA sample: what it promises, and that no simple trick answers it."""

import json
import random
import re
import string
import sys
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import compose_qa_sample  # noqa: E402
from qa_sample.markup import choose, parse_spans  # noqa: E402
from qa_sample.passages import (  # noqa: E402
    Passage,
    acceptable_answers,
    with_bare_number,
)
from qa_sample.slots import NAME_POOLS, ordinal_words, with_article  # noqa: E402

FOLDER = ROOT / "templates/templates/tasks/qa/data"
FILE_NAMES = ["train.jsonl", "validation.jsonl", "test.jsonl"]
PHRASE_POOLS = (
    "title",
    "ship",
)  # names of common words; the others are words of their own
NUMBER = r"(?:minus )?\d[\d,]*(?: [a-z]+)?"
CAPITALS = r"[A-Z][\w']*(?: [A-Z][\w']*)*"


@cache
def read_records(file_name: str) -> list[dict]:
    """Read one committed file."""
    lines = (FOLDER / file_name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@cache
def composed() -> dict:
    """Compose all passages, by id prefix."""
    return compose_qa_sample.compose_all()


def all_records() -> list[dict]:
    """Return the records of the three files."""
    return [record for file_name in FILE_NAMES for record in read_records(file_name)]


def test_script_writes_the_committed_bytes(tmp_path):
    """The committed files are what the script writes, byte for byte."""
    compose_qa_sample.write_files(tmp_path)
    for file_name in FILE_NAMES:
        assert (tmp_path / file_name).read_bytes() == (
            FOLDER / file_name
        ).read_bytes(), file_name


def test_every_answer_stands_where_it_is_said_to():
    """Every record is complete, and its answers are slices of its context."""
    for record in all_records():
        assert record["question"].endswith("?") and record["question"][0].isupper()
        assert bool(record["answers"]) != record.get("is_impossible", False), record[
            "id"
        ]
        for answer in record["answers"]:
            start = answer["answer_start"]
            assert (
                record["context"][start : start + len(answer["text"])] == answer["text"]
            )
            assert answer["text"] == answer["text"].strip(" .,;")
    assert len({record["id"] for record in all_records()}) == len(all_records())


def test_text_is_free_of_markup():
    """Neither the frames' markup nor a template tag is left in a line."""
    for file_name in FILE_NAMES:
        raw = (FOLDER / file_name).read_bytes()
        assert raw.endswith(b"\n") and b"\r" not in raw
        assert not re.search(rb"\{\{|\{%|\{#", raw)
    for record in all_records():
        assert not re.search(
            r"[<>\[\]{}|=_]|  | [,.;]|\.\.", record["context"] + record["question"]
        )
        assert not re.search(
            r"\b[Aa] (?!one)[aeio]|\b[Aa]n [^aeiouhAEIOU]", record["context"]
        )


def test_sizes():
    """The files are as large as they should be; some questions have no answer."""
    counts = {file_name: len(read_records(file_name)) for file_name in FILE_NAMES}
    assert 2300 <= counts["train.jsonl"] <= 2500
    assert 270 <= counts["validation.jsonl"] <= 330
    assert 360 <= counts["test.jsonl"] <= 440
    assert (
        sum((FOLDER / file_name).stat().st_size for file_name in FILE_NAMES)
        <= 1_900_000
    )
    for file_name in FILE_NAMES:
        records = read_records(file_name)
        assert (
            0.12
            <= sum(not record["answers"] for record in records) / len(records)
            <= 0.18
        )
        words = [
            len(text.split()) for text in {record["context"] for record in records}
        ]
        assert min(words) <= 25 and max(words) >= 500
        assert 60 <= sum(words) / len(words) <= 95


def test_long_passages_are_asked_about_all_over():
    """Answers in long passages stand at the beginning, in the middle and at the end."""
    places = []
    for record in all_records():
        if len(record["context"].split()) >= 500 and record["answers"]:
            places.append(record["answers"][0]["answer_start"] / len(record["context"]))
    thirds = Counter(int(place * 3) for place in places)
    assert all(thirds[third] >= 10 for third in range(3)), thirds


def test_splits_share_no_passage_and_no_name():
    """No passage and no proper name of one split occurs in another."""
    contexts = [
        {record["context"] for record in read_records(name)} for name in FILE_NAMES
    ]
    assert (
        not contexts[0] & contexts[1]
        | contexts[0] & contexts[2]
        | contexts[1] & contexts[2]
    )
    train_text = "\n".join(contexts[0])
    train_words = set(re.findall(r"\w+", train_text))
    for prefix in ("validation", "test-names", "test-new"):
        for passage in composed()[prefix]:
            assert not [name for name in passage.names() if name in train_text]
            for part in passage.parts or [passage]:
                for slot, pool in part.frame.slots.items():
                    if pool in NAME_POOLS and pool not in PHRASE_POOLS:
                        assert not set(str(part.values[slot]).split()) & train_words


def test_frames_of_the_test_halves():
    """Half of the test file follows frames of training, the other unknown domains."""
    frames = {
        prefix: [frame for passage in passages for frame in passage.frames()]
        for prefix, passages in composed().items()
    }
    train_names = {frame.name for frame in frames["train"]}
    known = frames["train"] + frames["validation"]
    assert {frame.name for frame in frames["test-names"]} <= train_names
    assert {frame.name for frame in frames["validation"]} - train_names
    assert not {f.name for f in frames["test-new"]} & {f.name for f in known}
    assert not {f.domain for f in frames["test-new"]} & {f.domain for f in known}
    assert len({frame.domain for frame in frames["train"]}) >= 12


def test_unanswerable_questions_have_answerable_twins():
    """Every wording of an unanswerable question also occurs with an answer."""
    passages = [passage for part in composed().values() for passage in part]
    questions = [question for passage in passages for question in passage.questions]
    answered = {question.form for question in questions if question.answers}
    unanswered = [question for question in questions if not question.answers]
    assert {question.form for question in unanswered} <= answered
    kinds = Counter(question.kind for question in unanswered)
    assert min(kinds[kind] for kind in ("untold", "swapped", "absent")) >= 50, kinds


def test_answers_are_the_marked_ones():
    """Where an answer's text occurs twice, its start is that of the marked place."""
    later = 0
    for passage in composed()["train"]:
        for question in passage.questions:
            if passage.parts or not question.answers:
                continue
            key = question.form.split("/")[1]
            marked = {
                (span.start, span.end)
                for span in passage.spans
                if span.key.startswith(key)
            }
            text, start = question.answers[0]
            assert (start, start + len(text)) in marked
            later += passage.text.index(text) < start
    assert later >= 5


def test_answers_have_rivals_of_their_type():
    """Most passages that answer with a year hold another year too, in every file."""
    for file_name in FILE_NAMES:
        rivals = []
        for record in read_records(file_name):
            years = set(re.findall(r"\b\d{4}\b", record["context"]))
            if years & {answer["text"] for answer in record["answers"]}:
                rivals.append(len(years) > 1)
        assert len(rivals) >= 20 and sum(rivals) / len(rivals) > 0.5, file_name


def test_markup():
    """Marks give offsets into the text without marks; nested ones add answers."""
    text, spans = parse_spans("In 1843 two, [+year=in [year=1843]] three.")
    assert text == "In 1843 two, in 1843 three."
    assert [(s.key, text[s.start : s.end], s.start, s.secondary) for s in spans] == [
        ("year", "1843", 16, False),
        ("year", "in 1843", 13, True),
    ]
    assert choose("<a|a> [key=b|b]", random.Random(0)) == "a [key=b]"
    with pytest.raises(ValueError, match="Unbalanced"):
        parse_spans("[year=1843")


def test_acceptable_answers():
    """The word before a year, and the number without its noun, give further answers."""
    text, spans = parse_spans(
        "It rained in 1901, then [days=nine days] in [year=1901]."
    )
    passage = Passage(None, text, spans, {}, "train")
    assert acceptable_answers(passage, "year") == [("1901", 37), ("in 1901", 34)]
    nine_days = acceptable_answers(passage, "days")
    assert with_bare_number(nine_days) == [("nine days", 24), ("nine", 24)]


def test_small_grammar():
    """Articles and ordinals are right."""
    assert [with_article(word) for word in ("oak", "pear")] == ["an oak", "a pear"]
    spelled = [ordinal_words(number) for number in (1, 3, 12, 20, 21)]
    assert spelled == ["first", "third", "twelfth", "twentieth", "twenty-first"]


def normalized(text: str) -> str:
    """Normalize an answer as SQuAD's evaluation does."""
    text = "".join(sign for sign in text.lower() if sign not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def exact_match(predictions: list[str], records: list[dict]) -> float:
    """Return the share of right predictions; "" stands for no answer."""
    hits = 0
    for prediction, record in zip(predictions, records, strict=True):
        wanted = [answer["text"] for answer in record["answers"]] or [""]
        hits += normalized(prediction) in {normalized(text) for text in wanted}
    return hits / len(records)


def first_of(pattern: str, text: str) -> str:
    """Return the first match of a pattern that is not a lone article, or ""."""
    found = [
        match
        for match in re.findall(pattern, text)
        if match not in ("The", "A", "In", "On")
    ]
    return found[0].removeprefix("The ") if found else ""


def first_of_type(record: dict) -> str:
    """Predict the first year, number or name, as the question's words suggest."""
    question, context = record["question"].lower(), record["context"]
    if re.search(r"\bwhen\b|\byear\b|\bsince\b", question):
        return first_of(r"\b1\d{3}\b", context)
    if re.search(r"\bhow (many|long|much|large|tall|high|heavy)\b|\bsum\b", question):
        return first_of(NUMBER, context)
    return first_of(CAPITALS, context)


def usual_place(record: dict) -> str:
    """Predict the usual number of words at the usual place of an answer."""
    answered = [one for one in read_records("train.jsonl") if one["answers"]]
    deciles, lengths = Counter(), Counter()
    for one in answered:
        words_before = one["context"][: one["answers"][0]["answer_start"]].split()
        deciles[10 * len(words_before) // len(one["context"].split())] += 1
        lengths[len(one["answers"][0]["text"].split())] += 1
    words = record["context"].split()
    start = deciles.most_common(1)[0][0] * len(words) // 10
    return " ".join(words[start : start + lengths.most_common(1)[0][0]])


def overlapping_sentence(record: dict) -> str:
    """Predict the longest name or number in the sentence most like the question."""
    question = set(re.findall(r"\w+", record["question"].lower()))
    sentences = re.split(r"(?<=[.;]) |\n", record["context"])
    shared = [
        len(question & set(re.findall(r"\w+", text.lower()))) for text in sentences
    ]
    sentence = sentences[shared.index(max(shared))]
    spans = re.findall(f"{NUMBER}|{CAPITALS}", sentence)
    unasked = [span for span in spans if span not in record["question"]]
    return max(unasked or spans or [""], key=len)


def first_of_type_in_overlapping_sentence(record: dict) -> str:
    """Predict by the question's words, within the sentence most like it."""
    question = set(re.findall(r"\w+", record["question"].lower()))
    sentences = re.split(r"(?<=[.;]) |\n", record["context"])
    shared = [
        len(question & set(re.findall(r"\w+", text.lower()))) for text in sentences
    ]
    sentence = sentences[shared.index(max(shared))]
    for word in re.findall(CAPITALS, record["question"])[1:]:
        sentence = sentence.replace(word, "")
    return first_of_type({"question": record["question"], "context": sentence})


@pytest.mark.parametrize(
    ("baseline", "limit"),
    [
        (first_of_type, 0.2),
        (usual_place, 0.05),
        (overlapping_sentence, 0.15),
        (first_of_type_in_overlapping_sentence, 0.22),
    ],
)
def test_simple_tricks_fail(baseline, limit):
    """A rule without any understanding answers few of the test questions exactly."""
    records = read_records("test.jsonl")
    assert exact_match([baseline(record) for record in records], records) <= limit
