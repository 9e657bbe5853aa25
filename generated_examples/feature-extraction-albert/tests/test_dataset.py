"""Texts are read one at a time, and a bad line is named by its place."""

import itertools
import json

import pytest

from feature_extraction_albert.config import (
    ExtractConfig,
)
from feature_extraction_albert.dataset import (
    CHUNK_CHARACTERS,
    Text,
    chunks,
    measure,
    read_texts,
)
from feature_extraction_albert.errors import UserError


def read(path, content, **settings):
    """Return the texts of a file with this content."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_texts(path, ExtractConfig(**settings)))


def test_jsonl(tmp_path):
    """Usual names, ids, pairs and blank lines; U+2028 does not end a line."""
    path = tmp_path / "in.jsonl"
    records = [
        {"text": "one", "label": 3},
        {"id": 7, "sentence1": "two\u2028lines", "sentence2": "pair"},
        {"id": "x", "text": "three", "pair": None, "sequence": "no"},
    ]
    lines = [json.dumps(record, ensure_ascii=False) for record in records]
    found = read(path, "\ufeff" + "\n\n".join(lines))
    assert found == [
        Text(f"{path}:1", "one", None, f"{path}:1"),
        Text("7", "two\u2028lines", "pair", f"{path}:3"),
        Text("x", "three", None, f"{path}:5"),
    ]


def test_columns(tmp_path):
    """Fields can be named, and a text is not its own pair."""
    line = '{"sentence1": "a", "sentence2": "b", "title": "c"}'
    path = tmp_path / "in.jsonl"
    for settings, expected in [
        ({"text_column": "title"}, ("c", "b")),
        ({"text_column": "sentence2"}, ("b", None)),
        ({"text_column": "sentence2", "pair_column": "title"}, ("b", "c")),
        ({"pair_column": "title"}, ("a", "c")),
        ({"pair_column": "none"}, ("a", None)),
    ]:
        (text,) = read(path, line, **settings)
        assert (text.text, text.pair) == expected, settings


def test_text_file(tmp_path):
    """A text a line; " ||| " divides a pair at its last place, unless told not to."""
    path = tmp_path / "in.txt"
    content = ' "quoted" \r\n\r\na ||| b ||| c\nends|||here'
    found = read(path, content)
    assert [(text.text, text.pair) for text in found] == [
        ('"quoted"', None),
        ("a ||| b", "c"),
        ("ends|||here", None),
    ]
    assert [text.id for text in found] == [f"{path}:{n}" for n in (1, 3, 4)]
    assert read(path, content, pair_column="none")[1].pair is None


GOOD = b'{"text": "a"}\n'
BAD = {
    "not JSON": ("in.jsonl", GOOD + b'{"text": "a"', ["in.jsonl:2", "not JSON"]),
    "a list": ("in.jsonl", GOOD + b'["a"]', ["in.jsonl:2", "not an object"]),
    "no text": ("in.jsonl", b'{"body": "a"}', ["in.jsonl:1", "body", "--text-column"]),
    "a number": ("in.jsonl", b'{"text": 3}', ["in.jsonl:1", '"text" is no text']),
    "bad pair": ("in.jsonl", b'{"text": "a", "pair": []}', ['"pair" is no text']),
    "bad id": ("in.jsonl", b'{"text": "a", "id": 1.5}', ["in.jsonl:1", '"id"']),
    "a field twice": ("in.jsonl", b'{"text": "a", "text": "b"}', ["jsonl:1", "twice"]),
    "half a pair": ("in.jsonl", b'{"text": "\\ud83d"}', ["in.jsonl:1", "UTF-16 pair"]),
    "JSON as text": ("in.txt", b'{"text": "a"}', ["in.txt", "JSON", ".jsonl"]),
    "two texts": (
        "in.jsonl",
        b'{"question": "a", "sentence": "b"}',
        ["sentence or question", "--text-column sentence"],
    ),
    "Latin-1": ("in.txt", b"a\ncaf\xe9", ["in.txt:2", "Latin-1"]),
    "UTF-16": ("in.txt", "\ufeffab".encode("utf-16-le"), ["in.txt", "UTF-16"]),
    "UTF-16 without a mark": ("in.jsonl", "{}".encode("utf-16-le"), ["UTF-16"]),
    "a table": ("in.csv", b"text\na", ["in.csv", "table", "JSONL"]),
    "a folder": ("", b"", ["irectory"]),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files(tmp_path, name):
    """File, line and remedy of each mistake are told."""
    file, content, parts = BAD[name]
    if file:
        (tmp_path / file).write_bytes(content)
    with pytest.raises(UserError) as caught:
        list(read_texts(tmp_path / file, ExtractConfig()))
    for part in parts:
        assert part in caught.value.report()


def test_a_column_that_is_not_there(tmp_path):
    """A field that was asked for must be in each line."""
    with pytest.raises(UserError, match='in.jsonl:1: no pair: "b" is missing'):
        read(tmp_path / "in.jsonl", GOOD, pair_column="b")


def test_measure():
    """Texts are counted, the longest id too; nothing at all is an error."""
    texts = [Text(name, "") for name in ("a", "ccc", "bb")]
    assert measure(texts, "in.txt") == (3, 3)
    with pytest.raises(UserError, match="no texts in in.txt"):
        measure([], "in.txt")


def test_chunks_of_an_endless_stream():
    """No more is read than a chunk holds; long texts make short chunks."""
    given = itertools.count()
    stream = (Text(str(number), "a") for number in given)
    found = chunks(stream, 5)
    assert [text.id for text in next(found)] == ["0", "1", "2", "3", "4"]
    assert next(given) == 5
    assert len(next(found)) == 5
    long = Text("x", "a" * (CHUNK_CHARACTERS // 2))
    assert list(map(len, chunks([long] * 5, 100))) == [2, 2, 1]
