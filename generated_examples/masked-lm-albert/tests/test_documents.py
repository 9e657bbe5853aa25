"""What is wrong in a file of documents is named, with a remedy."""

import json

import pytest

from masked_lm_albert.dataset import (
    describe,
    load_examples,
)
from masked_lm_albert.errors import UserError


def write(path, records):
    """Write records as JSONL and return the path."""
    lines = [each if isinstance(each, str) else json.dumps(each) for each in records]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_empty_texts_are_told(tmp_path):
    """A document without text is left out, counted and listed."""
    path = write(tmp_path / "a.jsonl", [{"text": "It rains."}, {"text": "\u200b\n"}])
    found = load_examples(path)
    assert [bool(each.problem) for each in found] == [False, True]
    text = describe(found)
    assert "2 documents" in text and "1 left out" in text and "a.jsonl:2" in text
    (tmp_path / "a.txt").write_text("It rains.\n\n\u200b\n", encoding="utf-8")
    assert "a.txt:3: the text is empty" in describe(load_examples(tmp_path / "a.txt"))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": "T"', "bad.jsonl:2.*not JSON"),
        ("A plain line", "bad.jsonl:2.*not JSON"),
        ('["T"]', "bad.jsonl:2.*not an object"),
        ('{"txt": "T"}', 'bad.jsonl:2.*"text" is missing'),
        ('{"text": null}', 'bad.jsonl:2.*"text" is missing'),
        ('{"text": ["T"]}', 'bad.jsonl:2.*"text" is not a text'),
        ('{"text": "T", "id": {}}', '"id" is neither'),
        ('{"text": "a\\ud83d"}', "bad.jsonl:2.*UTF-16 pair"),
        ('{"text": "a", "text": "b"}', '"text" comes twice'),
        ('{"text": "T", "id": "a"}', "is there twice"),
    ],
)
def test_bad_lines_are_named(tmp_path, line, message):
    """What is not of the form is told with file, line and field."""
    path = write(tmp_path / "bad.jsonl", [{"text": "T", "id": "a"}, line])
    with pytest.raises(UserError, match=message):
        load_examples(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"cannot read .*file\.txt"),
        (b"", "no documents in"),
        (b" \n\n", "no documents in"),
        ("good\ncafé".encode("latin-1"), r"file\.txt:2: line 2 is not UTF-8.*Latin-1"),
        ("今天下雨".encode("gb18030"), "GB18030"),
        ("text".encode("utf-16"), "UTF-16"),
        (b"one\rtwo", "carriage returns"),
        (b'{"text": "T"}\n', "begins as JSON"),
    ],
)
def test_bad_files_are_named(tmp_path, content, message):
    """Absent and empty files and other encodings are told, with a remedy."""
    path = tmp_path / "file.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        load_examples(path)
