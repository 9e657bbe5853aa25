"""Each kind of file is read as it is meant, and bad lines are named."""

import codecs
import json

import pytest

from {{ cookiecutter.package }}.dataset import load_examples
from {{ cookiecutter.package }}.errors import UserError

TRIPLETS = [
    {"sentence": "a dog runs", "positive": "a hound is running", "negative": "a dog"},
    {"sentence": "two men eat", "positive": "men are eating"},
    {"sentence": "it rains", "positive": "rain falls", "negative": "a dog runs"},
    {"sentence": "she reads a long book in bed", "positive": "she reads"},
]
SCORED = [
    {"sentence": "a dog runs", "sentence_pair": "a hound is running", "score": 4.5},
    {"sentence": "it rains", "sentence_pair": "a dog runs", "score": 0},
]


def write(path, records):
    """Write records as JSONL, or text as it is, and return the path."""
    lines = [each if isinstance(each, str) else json.dumps(each) for each in records]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def read(path):
    """Return what was read, without ids and places."""
    names = ("sentence", "positive", "negative", "sentence_pair", "score")
    return [
        {name: getattr(each, name) for name in names if getattr(each, name) is not None}
        for each in load_examples(path)
    ]


def test_jsonl(tmp_path):
    """Sentences, pairs, triplets and scored pairs are told by their fields."""
    records = [{"sentence": "alone"}, *TRIPLETS, *SCORED]
    assert read(write(tmp_path / "a.jsonl", records)) == records


KINDS = {
    "sts.csv": 'main-captions\tMSRvid\t2012test\t0024\t2.500\tA "girl\tA boy.\textra',
    "glue.tsv": 'index\tsentence1\tsentence2\tscore\n0\tA "girl\tA boy.\t2.500',
    "quoted.csv": 'score,sentence1,sentence2\n2.5,"A ""girl",A boy.\n',
}


@pytest.mark.parametrize("name", KINDS)
def test_tables_of_scored_pairs(tmp_path, name):
    """STS's own files, GLUE's and quoted CSV give the same pair."""
    path = write(tmp_path / name, [KINDS[name]])
    pair = {"sentence": 'A "girl', "sentence_pair": "A boy.", "score": 2.5}
    assert read(path) == [pair]


def test_tables_of_triplets(tmp_path):
    """SimCSE's CSV is read as it is; an empty cell is a missing negative."""
    lines = ["sent0,sent1,hard_neg", '"a, b",c,d', '"two\nlines",f,']
    assert read(write(tmp_path / "nli.csv", lines)) == [
        {"sentence": "a, b", "positive": "c", "negative": "d"},
        {"sentence": "two\nlines", "positive": "f"},
    ]


def test_text(tmp_path):
    """Of plain text each line that is not blank is a sentence."""
    found = read(write(tmp_path / "wiki.txt", ["one, two", "", "three\u2028four\r"]))
    assert found == [{"sentence": "one, two"}, {"sentence": "three\u2028four"}]


NLI = [
    ("men eat", "people eat", "entailment"),
    ("men eat", "men sleep", "contradiction"),
    ("it rains", "water falls", "entailment"),
    ("men eat", "men may eat soup", "neutral"),
    ("men eat", "they have food", "entailment"),
    ("men eat", "people eat", "entailment"),
    ("it rains", "what?", "-"),
    ("no use", "for it", "contradiction"),
]
NLI_TRIPLETS = [
    {"sentence": "men eat", "positive": "people eat", "negative": "men sleep"},
    {"sentence": "men eat", "positive": "they have food"},
    {"sentence": "it rains", "positive": "water falls"},
]


def test_inference_pairs_become_triplets(tmp_path):
    """SNLI gives positives that are entailed, negatives that are contradicted."""
    names = ("sentence1", "sentence2", "gold_label")
    records = [dict(zip(names, each, strict=True)) for each in NLI]
    assert read(write(tmp_path / "snli.jsonl", records)) == NLI_TRIPLETS
    for place, name in enumerate(("s1", "s2", "labels")):
        write(tmp_path / f"{name}.dev", [f"{each[place]} " for each in NLI])
    assert read(tmp_path / "s1.dev") == NLI_TRIPLETS
    write(tmp_path / "s2.dev", ["one line"])
    with pytest.raises(UserError, match="s1.dev 8, s2.dev 1, labels.dev 8"):
        load_examples(tmp_path / "s1.dev")


BAD = {
    "not JSON": ('{"sentence": "a', ":2", "not JSON"),
    "a list": ("[1]", ":2", "not an object"),
    "no sentence": ({"positive": "a"}, ":2", '"sentence" is missing'),
    "no text": ({"sentence": 5}, ":2", '"sentence" is not a text'),
    "negative alone": ({"sentence": "a", "negative": "b"}, ":2", 'without "positive"'),
    "score alone": ({"sentence": "a", "score": 1}, ":2", 'without "sentence_pair"'),
    "pair alone": ({"sentence": "a", "sentence_pair": "b"}, ":2", 'without "score"'),
    "both": ({**SCORED[0], "positive": "b"}, ":2", "it has both"),
    "score as text": ({**SCORED[0], "score": "4.5"}, ":2", "not a number"),
    "true": ({**SCORED[0], "score": True}, ":2", "not a number"),
    "nan": ('{"sentence": "a", "sentence_pair": "b", "score": NaN}', ":2", "nan"),
    "huge": ({**SCORED[0], "score": 10**400}, ":2", "not a number"),
    "same field": ({"sentence": "a", "anchor": "b"}, ":2", 'two fields are "sentence"'),
    "half a pair": ('{"sentence": "\\ud83d"}', ":2", "half of a UTF-16 pair"),
    "same id": ({**TRIPLETS[0], "id": "x"}, ":2", "is there twice"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_lines(tmp_path, name):
    """A bad line is told with file, line and field."""
    line, place, why = BAD[name]
    path = write(tmp_path / "bad.jsonl", [{"sentence": "good", "id": "x"}, line])
    with pytest.raises(UserError) as caught:
        load_examples(path)
    assert f"bad.jsonl{place}" in caught.value.what
    assert why in f"{caught.value.what} {caught.value.why}"


BAD_FILES = {
    "empty.jsonl": (b"", "the file is empty"),
    "latin.txt": ("one\ncafé".encode("latin-1"), "line 2 is not UTF-8"),
    "utf16.txt": (codecs.BOM_UTF16_LE + "one".encode("utf-16-le"), "it is UTF-16"),
    "zeros.txt": ("one".encode("utf-16-be"), "it is UTF-16"),
    "utf32.txt": (codecs.BOM_UTF32_LE + "one".encode("utf-32-le"), "it is UTF-32"),
    "header.csv": (b"left,right\na,b", "'left,right'"),
    "narrow.tsv": (b"sentence1\tsentence2\tscore\na\tb", "2 columns, the header 3"),
    "word.tsv": (b"sentence1\tsentence2\tscore\na\tb\tx", "'x', not a number"),
    "digits.tsv": (b"sentence1\tsentence2\tscore\na\tb\t1_5", "'1_5', not a number"),
    "twice.csv": (b"sentence,positive,sent1\na,b,c", 'two fields are "positive"'),
    "quotes.csv": (b'sentence,positive\na,b\n"c,d\ne,f', "its quotes are wrong"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files(tmp_path, name):
    """A file in another encoding, or with another form, is told with what it is."""
    data, why = BAD_FILES[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UserError) as caught:
        load_examples(tmp_path / name)
    assert name in caught.value.what and why in caught.value.why
    if name == "quotes.csv":
        assert "quotes.csv:3" in caught.value.what


def test_lines_that_look_like_something_else(tmp_path):
    """A sentence may begin with a bracket, a cell be long, a text have no letter."""
    path = tmp_path / "a.txt"
    path.write_text("[1] one\n\u200b\n", encoding="utf-8")
    first, second = load_examples(path)
    assert first.sentence == "[1] one" and second.problem == '"sentence" is empty'
    path = write(tmp_path / "a.csv", ["sentence,positive", f"{'a ' * 70_000},b"])
    assert len(load_examples(path)[0].sentence) == 140_000


def test_byte_order_mark(tmp_path):
    """UTF-8 with a byte-order mark is read as without."""
    path = tmp_path / "a.jsonl"
    path.write_bytes(codecs.BOM_UTF8 + b'{"sentence": "a"}')
    assert read(path) == [{"sentence": "a"}]
    with pytest.raises(UserError, match="absent"):
        load_examples(tmp_path / "absent.jsonl")
