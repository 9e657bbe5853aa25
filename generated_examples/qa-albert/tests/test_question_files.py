"""Each layout of questions is read as it is meant; bad lines and files are named."""

import json

import pytest

from qa_albert.dataset import (
    load_examples,
)
from qa_albert.errors import UserError

CONTEXT = "Ada Lovelace wrote it in 1843. She died in London."
GOOD = [
    {"question": "Who wrote it?", "context": CONTEXT, "answer": "Ada Lovelace"},
    {"question": "Where did she die?", "context": CONTEXT, "answer": "London"},
    {"question": "Who paid?", "context": CONTEXT, "answers": [], "is_impossible": True},
]


def write(path, records):
    """Write records as JSONL and return the path."""
    lines = [each if isinstance(each, str) else json.dumps(each) for each in records]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_squad_file(tmp_path):
    """SQuAD's nesting, with several articles, gives the same examples."""
    examples = load_examples(write(tmp_path / "good.jsonl", GOOD))
    qas = [
        {"id": str(i), "question": each.question, "is_impossible": not each.answers}
        | {"answers": [{"text": a.text, "answer_start": a.start} for a in each.answers]}
        for i, each in enumerate(examples)
    ]
    parts = (qas[:2], qas[2:])
    data = [{"paragraphs": [{"context": CONTEXT, "qas": part}]} for part in parts]
    path = tmp_path / "squad.json"
    path.write_text(json.dumps({"version": "v2.0", "data": data}, indent=1))
    found = load_examples(path)
    for one, other in zip(found, examples, strict=True):
        assert (one.question, one.context) == (other.question, other.context)
        assert one.answers == other.answers


def test_other_layouts(tmp_path):
    """Two lists in an object, a start beside an answer, and CMRC's flat file."""
    context = "Ada saw Ada."
    fields = {"question": "Who?", "context": context, "id": "q"}
    lists = {"text": ["Ada"], "answer_start": [8]}
    records = [{**fields, "answers": lists}]
    records += [{**fields, "answer": "Ada", "answer_start": 8, "id": None}]
    records += [{**fields, "answers": {"text": [], "answer_start": []}, "id": 7}]
    one, other, none = load_examples(write(tmp_path / "a.jsonl", records))
    assert one.answers == other.answers and one.answers[0].start == 8
    assert none.answers == () and other.id == other.source
    question = {"query_id": "q", "query_text": "Who?", "answers": ["Ada"]}
    flat = [{"context_text": context, "context_id": "c", "qas": [question]}]
    (tmp_path / "flat.json").write_text(json.dumps(flat, indent=1))
    (found,) = load_examples(tmp_path / "flat.json")
    assert (found.id, found.question, found.context) == ("q", "Who?", context)
    assert found.answers[0].start == 0 and "[0].qas[0]" in found.source


BAD_LINES = [
    ('{"question": "Q?", "context"', "bad.jsonl:2.*not JSON"),
    ('["Q?"]', "bad.jsonl:2.*not an object"),
    ('{"context": "C", "answer": "C"}', 'bad.jsonl:2.*"question" is missing'),
    ('{"question": "Q?", "answer": "C"}', 'bad.jsonl:2.*"context" is missing'),
    ('{"question": 3, "context": "C", "answer": "C"}', '"question" is not a'),
    ('{"question": "Q?", "context": "C"}', 'neither "answer", "answers" nor'),
    ('{"question": "Q?", "context": "C", "answer": ""}', "answer is empty"),
    ('{"question": "Q?", "context": "C", "answer": 1843}', "must be a text"),
    (
        '{"question": "Q?", "context": "C", '
        '"answers": [{"text": "C", "answer_start": "0"}]}',
        "whole number",
    ),
    ('{"question": "Q?", "context": "C", "answer": "\u200b"}', "answer is empty"),
    ('{"question": "Q?", "question": "R?"}', '"question" comes twice'),
    ('{"question": "\\ud83d"}', "half of a UTF-16 pair"),
    ("[" * 100_000, "bad.jsonl:2.*nested too deeply"),
    (
        '{"question": "Q?", "context": "C", "answer": "C", "answer_start": true}',
        "whole number",
    ),
    (
        '{"question": "Q?", "context": "C", "answer": "C", "is_impossible": true}',
        "but there is an answer",
    ),
    (
        '{"question": "Q?", "context": "C", "answer": "C", "is_impossible": "no"}',
        '"is_impossible" is .no.',
    ),
    (
        '{"question": "Q?", "context": "C", "answers": [], "is_impossible": false}',
        "neither",
    ),
]


@pytest.mark.parametrize(("line", "message"), BAD_LINES)
def test_bad_lines_are_named(tmp_path, line, message):
    """What is not of the form is told with file, line and field."""
    path = write(tmp_path / "bad.jsonl", [GOOD[0], line])
    with pytest.raises(UserError, match=message):
        load_examples(path)


def test_bad_files_are_named(tmp_path):
    """An absent, an empty, a binary and a doubled file each get a message."""
    with pytest.raises(UserError, match=r"absent\.jsonl"):
        load_examples(tmp_path / "absent.jsonl")
    with pytest.raises(UserError, match="no questions in"):
        load_examples(write(tmp_path / "empty.jsonl", []))
    (tmp_path / "latin.jsonl").write_bytes('{"question": "é"}'.encode("latin-1"))
    with pytest.raises(UserError, match=r"latin\.jsonl:1.*not UTF-8.*Latin-1"):
        load_examples(tmp_path / "latin.jsonl")
    twice = [{**GOOD[0], "id": "a"}, {**GOOD[1], "id": "a"}]
    with pytest.raises(UserError, match="is there twice"):
        load_examples(write(tmp_path / "twice.jsonl", twice))
    (tmp_path / "squad.json").write_text('{"data": [{"paragraphs": 3}]}')
    with pytest.raises(UserError, match=r'data\[0\].*"paragraphs" must be a list'):
        load_examples(tmp_path / "squad.json")
