"""Each format is read as it means; what is not of the form is named with its place."""

import json

import pytest

from aspect_sentiment_bert.aspect_files import read_records
from aspect_sentiment_bert.dataset import load_examples
from aspect_sentiment_bert.errors import UserError

SEMEVAL_2014 = """<?xml version="1.0" encoding="UTF-8"?>
<sentences>
  <sentence id="a1"><text>Great food &amp; wine, slow staff.</text>
    <aspectTerms>
      <aspectTerm term="food" polarity="positive" from="6" to="10"/>
      <aspectTerm term="staff" polarity="conflict" from="23" to="28"/>
    </aspectTerms>
    <aspectCategories><aspectCategory category="food" polarity="positive"/>
    </aspectCategories></sentence>
  <sentence id="a2"><text>We went home.</text></sentence>
</sentences>"""
SEMEVAL_2016 = """<Reviews><Review rid="1"><sentences>
  <sentence id="1:0"><text>The fish was good, never again!</text><Opinions>
    <Opinion target="fish" category="FOOD#QUALITY" polarity="positive" from="4" to="8"/>
    <Opinion target="fish" category="FOOD#PRICES" polarity="negative" from="4" to="8"/>
    <Opinion target="NULL" category="RESTAURANT#GENERAL" polarity="negative"
      from="0" to="0"/></Opinions></sentence>
  <sentence id="1:1" OutOfScope="TRUE"><text>Thanks.</text></sentence>
</sentences></Review></Reviews>"""


def write(path, text):
    """Write a file and return its path."""
    path.write_text(text, encoding="utf-8")
    return path


def places(example):
    """Return (text, place, polarities) of an example's aspects, checked by its text."""
    for aspect in example.aspects:
        if aspect.place is not None:
            assert example.text[slice(*aspect.place)] == aspect.text
    return [(each.text, each.place, each.polarities) for each in example.aspects]


def test_semeval_2014(tmp_path):
    """Terms have their offsets, entities count as one character, conflict is kept."""
    first, second = load_examples(write(tmp_path / "a.xml", SEMEVAL_2014))
    assert first.text == "Great food & wine, slow staff."
    assert places(first) == [("food", (6, 10), ("positive",))]
    assert "staff" in first.problem  # its offsets are those of the text with "&amp;"
    assert (first.id, second.id, second.aspects) == ("a1", "a2", ())
    mended = SEMEVAL_2014.replace('from="23" to="28"', 'from="24" to="29"')
    first, _ = load_examples(write(tmp_path / "b.xml", mended))
    assert places(first)[1] == ("staff", (24, 29), ("conflict",))
    assert first.aspects[1].opinions is None and not first.problem


def test_semeval_2016(tmp_path):
    """NULL is an aspect without a name; a target of two categories is one aspect."""
    first, second = load_examples(write(tmp_path / "a.xml", SEMEVAL_2016))
    assert places(first) == [
        ("fish", (4, 8), ("positive", "negative")),
        (None, None, ("negative",)),
    ]
    assert "out of scope" in second.problem


def test_mams(tmp_path):
    """Sentences without an id get their number as one."""
    text = SEMEVAL_2014.replace(' id="a1"', "").replace(' id="a2"', "")
    first, second = load_examples(write(tmp_path / "train.xml", text))
    assert first.id.endswith("train.xml: sentence 1")
    assert second.id.endswith("train.xml: sentence 2")


def test_triplets(tmp_path):
    """A span is a token, first and last, or all; -1 is implicit; a domain follows."""
    lines = [
        "The  old fish soup was not very good .####[([2, 3], [5, 6, 7], 'NEG')]",
        "Great fish and staff , come !####[([1], [0], 'POS'), ([3], [0], 'POS'), "
        "([-1], [5, 6], 'NEU'), ([1], [5], 'NEG')]####Food",
    ]
    lines[0] = lines[0].replace("The  old", "The old")
    first, second = load_examples(write(tmp_path / "a.txt", "\n".join(lines) + "\n"))
    assert places(first) == [("fish soup", (8, 17), ("negative",))]
    (opinion,) = first.aspects[0].opinions
    assert opinion.text == "not very good" == first.text[opinion.start : opinion.end]
    assert places(second) == [
        ("fish", (6, 10), ("positive", "negative")),
        ("staff", (15, 20), ("positive",)),
        (None, None, ("neutral",)),
    ]
    found = [[(x.text, x.polarity) for x in each.opinions] for each in second.aspects]
    assert found[0] == [("Great", "positive"), ("come", "negative")]
    assert found[2] == [("come !", "neutral")]


@pytest.mark.parametrize(
    ("triplet", "problem"),
    [
        ("([9], [0], 'POS')", "no tokens [9]"),
        ("([0], [-1], 'POS')", "no tokens [-1]"),
        ("([3, 1], [0], 'POS')", "no tokens [3, 1]"),
        ("([0, 1, 3], [0], 'POS')", "do not follow each other"),
    ],
)
def test_triplets_without_a_place_are_told(tmp_path, triplet, problem):
    """Tokens that are not there are never guessed; the rest of the line is kept."""
    line = f"a b c d####[{triplet}, ([1], [2], 'POS')]"
    (example,) = load_examples(write(tmp_path / "a.txt", line))
    assert problem in example.problem
    assert places(example) == [("b", (2, 3), ("positive",))]


def test_spaces_side_by_side_are_told(tmp_path):
    """Between two spaces there is a token without letters, which is no aspect."""
    path = write(tmp_path / "a.txt", "a  b####[([1], [2], 'POS'), ([0], [2], 'POS')]")
    (example,) = load_examples(path)
    assert "nothing stands at the tokens [1]" in example.problem
    assert places(example) == [("a", (0, 1), ("positive",))]


def test_code_in_a_triplet_is_not_run(tmp_path):
    """Lines are read as values: a call is no value."""
    line = "a b####[([0], [1], open('made', 'w').name)]"
    with pytest.raises(UserError, match="no list of triplets"):
        load_examples(write(tmp_path / "a.txt", line))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a b", "a.txt:1.*not JSON"),
        ("a b####", "a.txt:1.*no list of triplets"),
        ("a b####[([0], [1], 'POS'", "a.txt:1.*no list of triplets"),
        ("a b####7", "a.txt:1.*not a list"),
        ("a b####[([0], [1])]", "a.txt:1.*is not \\(aspect"),
        ("a b####[([0], [1.5], 'POS')]", "a.txt:1.*is not \\(aspect"),
        ("a b####[([], [1], 'POS')]", "a.txt:1.*is not \\(aspect"),
        ("a b####[([0], [1], 3)]", "a.txt:1.*is not \\(aspect"),
        ("<sentences><sentence>", "not XML"),
        (SEMEVAL_2014.replace("<text>", "<text><b/>"), "elements in its <text>"),
        ("<sentences><sentence/></sentences>", 'sentence 1.*"text" is missing'),
        (SEMEVAL_2014.replace('polarity="positive" from', "from"), 'no "polarity"'),
        (SEMEVAL_2014.replace('from="6"', 'from="six"'), "must be whole numbers"),
        (SEMEVAL_2014.replace(' to="10"', ""), "must be whole numbers"),
        (SEMEVAL_2016.replace('target="fish" ', ""), 'no "target"'),
        (SEMEVAL_2016.replace("</sentences>", "</sentences><Opinions/>"), "whole rev"),
        (SEMEVAL_2014.replace('id="a2"', 'id="a1"'), '"a1" is there twice'),
        ("<sentences/>", "no texts in"),
        ("", "no texts in"),
    ],
)
def test_bad_files_are_named(tmp_path, text, message):
    """What is not of the form is told with file, place and field."""
    with pytest.raises(UserError, match=message):
        load_examples(write(tmp_path / "a.txt", text))


def test_entities_are_refused(tmp_path):
    """No entity is expanded, whether it grows or reads a file."""
    bomb = '<!DOCTYPE s [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    thief = '<!DOCTYPE s [<!ENTITY a SYSTEM "file:///etc/passwd">]>'
    for head in (bomb, thief, "<!-- <a --><!DOCTYPE s>"):
        text = head + "<sentences><sentence><text>&a;</text></sentence></sentences>"
        with pytest.raises(UserError, match="document type"):
            load_examples(write(tmp_path / "a.xml", text))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "gb18030"])
def test_encodings_are_named(tmp_path, encoding):
    """A file that is not UTF-8 is told with its line or its encoding."""
    (tmp_path / "a.jsonl").write_bytes('{"text": "汤是凉的"}'.encode(encoding))
    with pytest.raises(UserError, match=r"a\.jsonl.*(UTF-16|UTF-32|GB18030)"):
        load_examples(tmp_path / "a.jsonl")
    with pytest.raises(UserError, match=r"absent\.jsonl"):
        load_examples(tmp_path / "absent.jsonl")


def test_a_mark_at_the_beginning_is_no_text(tmp_path):
    """UTF-8 with a byte order mark is UTF-8."""
    record = {"text": "汤是凉的", "aspects": []}
    content = json.dumps(record, ensure_ascii=False).encode("utf-8-sig")
    (tmp_path / "a.jsonl").write_bytes(content)
    (found,) = read_records(tmp_path / "a.jsonl")
    assert found[1] == record
