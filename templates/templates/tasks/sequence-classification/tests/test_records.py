"""Each format is read as it is; what is not of the form is named with its line."""

import json

import pytest

from {{ cookiecutter.package }}.config import TrainConfig
from {{ cookiecutter.package }}.dataset import load_examples
from {{ cookiecutter.package }}.errors import UserError

GOOD = {"sequence": "When is the next bus?", "label": "timetable"}


def read(tmp_path, name, text, *, labelled=True, **settings):
    """Return the text, pair and label of each example of a file with this text."""
    (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
    config = TrainConfig(**settings)
    examples = load_examples(tmp_path / name, config, labelled=labelled)
    return [(each.text, each.pair, each.label) for each in examples]


def test_csv(tmp_path):
    """Quotes, commas and line ends within them, a BOM and Windows' line ends."""
    text = '\ufefftext,category\r\n"Hi, ""you""\r\nthere",a\r\n\r\nBye , b \r\n'
    found = read(tmp_path, "a.csv", text)
    assert found == [('Hi, "you"\r\nthere', None, "a"), ("Bye ", None, "b")]


def test_tsv(tmp_path):
    """Quotes are part of the text, also where they have no partner."""
    text = 'id\tsentence1\tsentence2\tlabel\n1\t"Hi\tyou"\t1\n2\ta "b\tc\t0\n'
    found = read(tmp_path, "a.tsv", text)
    assert found == [('"Hi', 'you"', "1"), ('a "b', "c", "0")]


def test_json_lists(tmp_path):
    """A JSON file is a list, or several by name, of objects or pairs."""
    pairs = [["Hi", "a"], ["Bye", "b"]]
    expected = [("Hi", None, "a"), ("Bye", None, "b")]
    assert read(tmp_path, "a.json", json.dumps(pairs, indent=1)) == expected
    objects = [{"text": text, "intent": label} for text, label in pairs]
    assert read(tmp_path, "a.json", json.dumps({"data": objects})) == expected
    (tmp_path / "b.json").write_text(json.dumps({"train": pairs, "test": objects}))
    for name in ("train", "test"):
        assert len(load_examples(f"{tmp_path}/b.json#{name}")) == 2
    with pytest.raises(UserError, match="which list.*train, test"):
        load_examples(tmp_path / "b.json")
    with pytest.raises(UserError, match='no list "dev"'):
        load_examples(f"{tmp_path}/b.json#dev")


def test_columns_that_are_named(tmp_path):
    """Flags choose columns; the project's own names go before others."""
    text = "question,sentence,label,score\nQ,S,a,1\n"
    columns = {"text_column": "question", "pair_column": "sentence"}
    assert read(tmp_path, "a.csv", text, **columns) == [("Q", "S", "a")]
    columns = {"text_column": "sentence", "label_column": "score"}
    assert read(tmp_path, "a.csv", text, **columns) == [("S", None, "1")]
    text = "text,sentence2,label\nA,B,a\n"
    assert read(tmp_path, "b.csv", text, pair_column="none") == [("A", None, "a")]
    text = "text,label\nA,x; y\nB,\n"
    found = read(tmp_path, "b.csv", text, label_separator=";")
    assert [label for _, _, label in found] == [("x", "y"), ()]


def test_labels_are_not_needed_to_predict(tmp_path):
    """Without labels, with unknown ones or with odd ones, texts are read."""
    labels = ("x", None, {"a": 1})
    lines = [json.dumps({"sequence": "A", "label": label}) for label in labels]
    lines.append('{"sequence": "A"}')
    found = read(tmp_path, "a.jsonl", "\n".join(lines), labelled=False, labels=("b",))
    assert [label for _, _, label in found] == ["x", None, None, None]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"sequence": "Q?", "label"', "bad.jsonl:2.*not JSON"),
        ('["Q?"]', "bad.jsonl:2.*not an object"),
        ('{"label": "a"}', "bad.jsonl:2: no text.*found label"),
        ('{"sequence": "Q?"}', "bad.jsonl:2: no label"),
        ('{"sequence": "Q?", "label": null}', 'bad.jsonl:2.*"label" is missing'),
        ('{"sequence": "Q?", "label": {"a": 1}}', '"label" is neither'),
        ('{"sequence": "Q?", "label": NaN}', '"label" is neither'),
        ('{"sequence": "Q?", "label": ["a", ""]}', '"label" is neither'),
        ('{"sequence": 3, "label": "a"}', '"sequence" is not a text'),
        ('{"sequence": null, "label": "a"}', '"sequence" is missing'),
        ('{"sequence": "\\ud83d", "label": "a"}', "half of a UTF-16 pair"),
        ('{"text": "A", "question": "Q?", "label": "a"}', "text or question"),
        ('{"sequence": "Q?", "label": "timetabel"}', 'nearest is "timetable"'),
        ('{"sequence": "Q?", "label": ["timetable"]}', "is a list"),
    ],
)
def test_bad_lines_are_named(tmp_path, line, message):
    """What is not of the form is told with file, line and field."""
    text = f"{json.dumps(GOOD)}\n{line}\n"
    with pytest.raises(UserError, match=message):
        read(tmp_path, "bad.jsonl", text, kind="single", labels=("timetable", "pool"))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "text,label\nA,a\nB,b,c\n", "a.csv:3.*3 cells, the header 2"),
        ("a.csv", 'text,label\nA,a\n"B,b\nC,c\n', "a.csv:3: cannot be read"),
        ("a.csv", 'text,label\nA,a\n"B" x,b\n', "a.csv:3: cannot be read"),
        ("a.csv", "text;label\nA;a\n", "found text;label"),
        ("a.csv", "text;label\nA, b;a\n", "a.csv:2.*one cell, .text;label"),
        ("a.json", '[\n{"text": "A", "text": "B"}\n]', "a.json.*.text. comes twice"),
        ("a.csv", "Who is it?,a\nWhy?,b\n", "no text.*found Who is it"),
        ("a.csv", "text,text,label\nA,B,a\n", "same name"),
        ("a.tsv", "sentence\tlabel\nA\n", "a.tsv:2.*1 cells"),
        ("a.jsonl", "", "no examples in"),
        ("a.csv", "text,label\n", "no examples in"),
        ("a.jsonl", '{"text": "é"}'.encode("latin-1"), "line 1 is not UTF-8"),
        ("a.csv", "text,label\nA,a\n".encode("utf-16"), "is UTF-16"),
        ("a.csv", "text,label\nA,a\n".encode("utf-16-be"), "is UTF-16"),
        ("a.json", '[["A", "a"], ["A"]]', r"a.json\[1\].*neither an object"),
        ("a.jsonl", "\n".join([json.dumps(GOOD | {"id": 1})] * 2), "there twice"),
    ],
)
def test_bad_files_are_named(tmp_path, name, text, message):
    """Tables that are none, other encodings and doubled ids each get a message."""
    with pytest.raises(UserError, match=message):
        read(tmp_path, name, text)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"text_column": "body"}, "looked for body; found text, label"),
        ({"pair_column": "other"}, "looked for other"),
        ({"label_column": "star"}, "looked for star"),
        ({"kind": "regression"}, "is not a number"),
    ],
)
def test_columns_that_are_not_there(tmp_path, settings, message):
    """A column that was asked for and is not there is named, with those that are."""
    with pytest.raises(UserError, match=message):
        read(tmp_path, "a.csv", "text,label\nA,a\n", **settings)


def test_what_is_no_text_and_no_id(tmp_path):
    """A text without a visible character is left out; an empty id is none."""
    text = "id,text,label\n,A,a\n,\u200b,b\n"
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    found = load_examples(tmp_path / "a.csv")
    assert [each.problem for each in found] == ["", "the text is empty"]
    assert [each.id for each in found] == [each.source for each in found]


def test_absent_file(tmp_path):
    """A file that is not there is named."""
    with pytest.raises(UserError, match=r"absent\.jsonl"):
        load_examples(tmp_path / "absent.jsonl")
