"""Files are read as they are, or an error names file, line and remedy."""

import pytest

from aspect_sentiment_bert.errors import UserError
from aspect_sentiment_bert.text_files import (
    is_json,
    json_objects,
    numbered,
    parse_json,
    read_lines,
    read_text,
    record_id,
)


def bad_line(source, why):
    """Return the error for a line."""
    return UserError(source, why, "a line is {}")


def both(path):
    """Return the lines of a file, which both readers must agree on."""
    lines = list(read_lines(path, "a file"))
    whole = list(numbered(read_text(path, "a file")))
    # After the last line end there is a line without text, or none.
    assert lines == whole[: len(lines)] and not any(x for _, x in whole[len(lines) :])
    return [line for _, line in lines]


def test_lines_end_at_line_feeds_alone(tmp_path):
    """Other separators stand in a text; a mark and carriage returns do not."""
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffone\u2028x\x85\x0b\r\n\r\r\nt\rwo\0".encode())
    assert both(path) == ["one\u2028x\x85\x0b", "", "t\rwo\0"]
    path.write_bytes(b"")
    assert both(path) == []


BAD = {
    "UTF-16": ("one".encode("utf-16"), ["cannot read", "UTF-16", "iconv"]),
    "UTF-16 without a mark": ("ab".encode("utf-16-be"), ["UTF-16"]),
    "UTF-32": ("one".encode("utf-32"), ["UTF-32"]),
    "Latin-1": ("one\ncaf\u00e9".encode("latin-1"), ["a.txt:2", "Latin-1", "LATIN1"]),
    "GB18030": ("one\n今天下雨".encode("gb18030"), ["a.txt:2", "GB18030"]),
    "damage": ("今天".encode() + b"\xff", ["a.txt:1", "most letters", "correct"]),
    "carriage returns": (b"one\rtwo\r", ["carriage returns", "tr '\\r' '\\n'"]),
}


@pytest.mark.parametrize("name", BAD)
def test_other_encodings_and_line_ends_are_named(tmp_path, name):
    """A file that would be read as something else is an error with a remedy."""
    path = tmp_path / "a.txt"
    content, words = BAD[name]
    path.write_bytes(content)
    for read in (lambda: read_text(path, "text"), lambda: [*read_lines(path, "text")]):
        with pytest.raises(UserError) as caught:
            read()
        assert all(word in caught.value.report() for word in words)


def test_what_is_no_file_is_named(tmp_path):
    """A folder and an absent file are told with what to give instead."""
    for path in (tmp_path, tmp_path / "absent"):
        for read in (read_text, lambda *given: [*read_lines(*given)]):
            with pytest.raises(UserError) as caught:
                read(path, "a JSONL file")
            assert caught.value.remedy == "give a JSONL file"
            assert str(path) in caught.value.what


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"a": 1,}', "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": {"b": 1, "b": 2}}', 'the field "b" comes twice'),
        ('{"a": "\\uD83D"}', "d83d is half of a UTF-16 pair"),
        ('{"\\udc00": 1}', "half of a UTF-16 pair"),
        ("3", "not an object"),
        ('[{"a": 1}]', "a list; a line each: jq -c '.[]' a.jsonl"),
        ("[", "several lines; a line each: jq -c '.[]' a.jsonl"),
        ("{", "several lines; a line each: jq -c . a.jsonl"),
    ],
)
def test_json_that_would_lose_something_is_named(line, why):
    """Of a field that comes twice none is dropped, and half a character is none."""
    lines = enumerate(['{"a": 1}', "", line], start=1)
    found = json_objects(lines, "a.jsonl", bad_line)
    assert next(found) == ("a.jsonl:1", {"a": 1})
    with pytest.raises(UserError) as caught:
        next(found)
    assert caught.value.what == "a.jsonl:3" and why in caught.value.why


def test_json_that_is_right():
    """Whole pairs, their escapes as text, and equal names in two objects are."""
    text = '{"a": "\\ud83d\\ude00 \\\\ud83d", "b": [{"c": 1}, {"c": 1}]}'
    assert parse_json(text) == {"a": "😀 \\ud83d", "b": [{"c": 1}, {"c": 1}]}
    assert is_json("{}") and is_json("[1]")
    assert not any(is_json(line) for line in ("[1] one", "3", "{x", "[" * 100_000))


def test_ids():
    """A text or a whole number is an id; where there is none, the source is."""
    assert record_id({"id": 0}, "a:1", bad_line) == "0"
    for none in ({}, {"id": None}, {"id": ""}):
        assert record_id(none, "a:1", bad_line) == "a:1"
    for value in (1.0, float("nan"), True, [1]):
        with pytest.raises(UserError, match='"id" is neither'):
            record_id({"id": value}, "a:1", bad_line)
