"""Each format is read as it is meant; bad lines and files are named."""

import json

import pytest

from {{ cookiecutter.package }}.dataset import (
    describe,
    load_examples,
)
from {{ cookiecutter.package }}.errors import UserError

TAGGED = {"tokens": ["Ada", "left", "New", "York"]}
TAGGED["labels"] = ["B-per", "O", "B-loc", "I-loc"]
TEXT = "Ada left\u00a0New York, N.Y."


def write(path, text, encoding="utf-8"):
    """Write a file and return its path."""
    path.write_bytes(text.encode(encoding))
    return path


def entities(*found):
    """Return a line of TEXT with some entities."""
    fields = [{"start": a, "end": b, "label": label} for a, b, label in found]
    return json.dumps({"text": TEXT, "entities": fields})


def test_tokens_and_labels(tmp_path):
    """Words keep what is in them, spaces too; "tags" is another name of "labels"."""
    other = {"id": 7, "tokens": ["New York", "", "\u200b"], "tags": ["S-loc", "O", "O"]}
    lines = f"\n{json.dumps(TAGGED)}\r\n\n{json.dumps(other)}"
    first, second = load_examples(write(tmp_path / "a.jsonl", "\ufeff" + lines))
    assert first.tokens == TAGGED["tokens"] and first.text == "Ada left New York"
    assert first.labels == tuple(TAGGED["labels"])
    assert first.id == first.source == f"{tmp_path / 'a.jsonl'}:2"
    assert second.id == "7" and second.tokens == other["tokens"]


def test_text_and_entities(tmp_path):
    """Words come from the text; space around an entity does not matter."""
    line = entities((0, 3, "per"), (8, 17, "loc"), (18, 23, "loc"))
    (example,) = load_examples(write(tmp_path / "a.jsonl", line))
    assert example.tokens == ["Ada", "left", "New", "York", ",", "N", ".", "Y", "."]
    labels = ("B-per", "O", "B-loc", "I-loc", "O", "B-loc", "I-loc", "I-loc", "I-loc")
    assert example.labels == labels
    mixed = '{"text": "\u200b北京abc don\'t", "entities": []}'
    (example,) = load_examples(write(tmp_path / "b.jsonl", mixed))
    assert example.tokens == ["北", "京", "abc", "don", "'", "t"]
    assert example.words[0] == (1, 2)


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        ([(0, 2, "per")], 'ends inside the word "Ada"'),
        ([(1, 3, "per")], 'begins inside the word "Ada"'),
        ([(0, 8, "x"), (4, 12, "y")], "overlaps the entity before it"),
        ([(20, 99, "loc")], "lies outside of the 23 characters"),
        ([(8, 9, "loc")], "holds no word"),
        ([(3, 3, "loc")], "lies outside"),
    ],
)
def test_entities_that_cannot_be_labels_are_listed(tmp_path, found, problem):
    """They are left out and told with their line, never guessed."""
    text = "\n".join([entities((0, 3, "per")), entities(*found)])
    good, bad = load_examples(write(tmp_path / "a.jsonl", text))
    assert not good.problem and problem in bad.problem
    assert f"a.jsonl:2: the {found[-1][2]}" in describe([good, bad])
    assert "1 left out of training" in describe([good, bad])


def test_an_entity_may_say_its_words(tmp_path):
    """Where they are not the ones at its place, the place is not trusted."""
    field = {"start": 0, "end": 3, "label": "per", "text": "Ada"}
    lines = [json.dumps({"text": TEXT, "entities": [field]})]
    lines += [lines[0].replace('"Ada"', '"left"'), entities((0, 3, " per "))]
    right, wrong, spaced = load_examples(write(tmp_path / "a.jsonl", "\n".join(lines)))
    assert not right.problem and right.labels == spaced.labels
    assert wrong.problem == 'the per "Ada" [0:3] is "left" by its own "text"'


@pytest.mark.parametrize("space", [" ", "\t"])
def test_columns(tmp_path, space):
    """First column the word, last the label; comments and document marks are not."""
    lines = ["-DOCSTART- -X- -X- O", "# id 1", "Ada NNP B-NP I-per", "# SYM O O"]
    lines += ["-DOCSTART- -X- -X- O", " \t", "#York NNP B-NP I-loc", "left VB O O", ""]
    text = "\r\n".join(lines).replace(" ", space)
    first, second = load_examples(write(tmp_path / "a.txt", text))
    assert first.tokens == ["Ada", "#"] and first.labels == ("I-per", "O")
    assert second.tokens == ["#York", "left"] and second.source.endswith("a.txt:7")
    assert "2 entities in IOB1" in describe([first, second])
    words = write(tmp_path / "b.txt", "Ada\nleft\n\nYork")
    assert [each.tokens for each in load_examples(words, labelled=False)] == [
        ["Ada", "left"],
        ["York"],
    ]


def test_conllu(tmp_path):
    """Ranges and empty nodes are no words; sent_id is the id."""
    rows = [(1, "I", "PRON"), ("2-3", "don't", "_"), (2, "do", "AUX")]
    rows += [(3, "n't", "PART"), ("3.1", "go", "VERB"), (4, "now then", "ADV")]
    lines = [f"{a}\t{b}\t_\t{c}" + "\t_" * 6 for a, b, c in rows]
    text = "\n".join(["# sent_id = s-1", "# text = I don't", *lines, "", ""])
    (example,) = load_examples(write(tmp_path / "a.conllu", text))
    assert example.id == "s-1"
    assert example.tokens == ["I", "do", "n't", "now then"]
    assert example.labels == ("PRON", "AUX", "PART", "ADV")
    unknown = text.replace("PART", "_")
    (example,) = load_examples(write(tmp_path / "b.txt", unknown))
    assert "has no UPOS" in example.problem


def test_words_and_labels_in_two_files(tmp_path):
    """Line n of seq.out labels line n of seq.in."""
    write(tmp_path / "seq.in", "play  adele \nstop\n")
    write(tmp_path / "seq.out", "O B-artist\nO\n")
    for path in (tmp_path, tmp_path / "seq.in"):
        first, second = load_examples(path)
        assert first.tokens == ["play", "adele"] and first.labels == ("O", "B-artist")
        assert second.source.endswith("seq.in:2")
    write(tmp_path / "seq.out", "O B-artist\n")
    with pytest.raises(UserError, match="do not belong together"):
        load_examples(tmp_path)


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("a.jsonl", '{"tokens": ["a"]', "a.jsonl:2.*not JSON"),
        ("a.jsonl", "[" * 100_000, "a.jsonl:2.*not JSON"),
        ("a.jsonl", '["a"]', "a.jsonl:2.*not an object"),
        ("a.jsonl", '{"text": "\\ud83d", "entities": []}', "a.jsonl:2.*UTF-16 pair"),
        ("a.jsonl", '{"labels": ["O"]}', 'a.jsonl:2.*"text" is missing'),
        ("a.jsonl", '{"text": 3, "entities": []}', '"text" is not a text'),
        ("a.jsonl", '{"tokens": ["a"]}', 'a.jsonl:2.*"labels" is missing'),
        ("a.jsonl", '{"tokens": "ab", "labels": ["O"]}', '"tokens" is not a list'),
        ("a.jsonl", '{"tokens": ["a"], "labels": [0]}', '"labels" is not a list'),
        ("a.jsonl", '{"tokens": ["a"], "labels": ["O", "O"]}', "1 words, but 2 labels"),
        ("a.jsonl", '{"tokens": ["a"], "labels": [" "]}', "holds an empty label"),
        ("a.jsonl", '{"text": "a", "text": "b"}', '"text" comes twice'),
        ("a.jsonl", '{"text": "a"}', '"entities" is missing'),
        ("a.jsonl", '{"text": "a", "entities": [[0, 1, "x"]]}', "an entity has"),
        (
            "a.jsonl",
            '{"text": "a", "entities": [{"start": true, "end": 1, "label": "x"}]}',
            "whole numbers",
        ),
        ("a.txt", "York NNP I-loc", "a.txt:2.*3 columns, the first word's line 2"),
        ("a.txt", "York", "a.txt:2.*1 columns, the first word's line 2"),
        ("a.tsv", "York\t", "a.tsv:2.*it has no label"),
        ("a.conllu", "1\ta\t_\tX", "a.conllu:2.*4 columns"),
        ("a.conllu", "1\ta\t_\tX" + "\t_" * 6, "a.conllu:2.*number 1, after 1"),
        ("a.conllu", "3\ta\t_\tX" + "\t_" * 6, "a.conllu:2.*number 3, after 1"),
        ("a.conllu", "one\ta\t_\tX" + "\t_" * 6, '"one" is no number'),
    ],
)
def test_bad_lines_are_named(tmp_path, name, line, message):
    """What is not of the form is told with file, line and what is wrong."""
    first = {"jsonl": json.dumps(TAGGED), "txt": "Ada I-per", "tsv": "Ada\tI-per"}
    first["conllu"] = "1\tAda\t_\tPROPN" + "\t_" * 6
    path = write(tmp_path / name, f"{first[name.partition('.')[2]]}\n{line}\n")
    with pytest.raises(UserError, match=message):
        load_examples(path)


def test_a_label_that_is_no_tag_is_listed(tmp_path):
    """Among tags, a slip of the pen is left out; its line and word are told."""
    path = write(tmp_path / "a.txt", "Ada B-per\nKing I-per\n\nYork LOC\nis O\n")
    good, bad = load_examples(path)
    assert not good.problem
    assert 'a.txt:4: the label "LOC" of "York" is no tag' in describe([good, bad])


def test_bad_files_are_named(tmp_path):
    """An absent, an empty, a wrongly encoded and a doubled file get a message each."""
    with pytest.raises(UserError, match=r"absent\.txt"):
        load_examples(tmp_path / "absent.txt")
    with pytest.raises(UserError, match="no sentences in"):
        load_examples(write(tmp_path / "empty.txt", "\n\n"))
    text = "Ada O\nMüller B-per\nging O\n"
    with pytest.raises(UserError, match=r"latin\.txt:2.*may be Latin-1"):
        load_examples(write(tmp_path / "latin.txt", text, "latin-1"))
    with pytest.raises(UserError, match=r"gb\.txt:1.*may be GB18030"):
        load_examples(write(tmp_path / "gb.txt", "北 B-loc\n京 I-loc\n", "gb18030"))
    with pytest.raises(UserError, match="UTF-16"):
        load_examples(write(tmp_path / "wide.txt", text, "utf-16"))
    with pytest.raises(UserError, match=r"list\.txt:1.*a list"):
        load_examples(write(tmp_path / "list.txt", json.dumps([TAGGED])))
    with pytest.raises(UserError, match="commas do not divide"):
        load_examples(write(tmp_path / "a.csv", "word,label\nAda,B-per\n"))
    with pytest.raises(UserError, match=r"a\.txt:1.*the first column counts"):
        load_examples(write(tmp_path / "a.txt", "1 Ada B-per\n2 left O\n\n1 a O\n"))
    twice = json.dumps({**TAGGED, "id": "a"})
    with pytest.raises(UserError, match="is there twice"):
        load_examples(write(tmp_path / "twice.jsonl", f"{twice}\n{twice}"))
