"""Files to sentences: JSONL, CoNLL columns, CoNLL-U, and seq.in with seq.out.

Each sentence comes with its source, `FILE:LINE`. Nothing is guessed: what cannot be
read is an error that names the place.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .errors import UserError
from .text_files import is_json, json_objects, numbered, read_text

EXAMPLE_LINE = '{"tokens": ["Ada", "left"], "labels": ["B-person", "O"]}'
DOCUMENT = "-DOCSTART-"
BLANK = " \t\r"  # a line of these alone stands between two sentences
CONLLU_COLUMNS = 10
WANTED = "a file of JSONL, CoNLL columns or CoNLL-U"
WORD_ID, OTHER_ID = re.compile(r"\d{1,9}"), re.compile(r"\d+-\d+|\d+\.\d+")


class Sentence(NamedTuple):
    """A sentence as a file has it: JSONL's fields, where it was read, what is wrong."""

    source: str
    values: dict[str, Any]
    problem: str = ""


def read_sentences(path: str | Path, labelled: bool) -> Iterator[Sentence]:
    """Yield the sentences of a file, whose format its content tells.

    A path that ends with `seq.in`, or a folder with that file, has its labels in
    `seq.out` beside it. Without `labelled`, labels may be missing. Raises UserError.
    """
    path = Path(path)
    if path.is_dir() and (path / "seq.in").exists():
        path = path / "seq.in"
    text = read_text(path, WANTED)
    if path.name.endswith("seq.in"):
        return parallel_sentences(text, path, labelled)
    lines = [line for _, line in numbered(text)]
    first = next((line for line in lines if line.strip(BLANK)), "")
    if path.suffix.lower() in (".jsonl", ".json") or is_json(first):
        records = json_objects(numbered(text), str(path), bad_line)
        return (Sentence(source, values) for source, values in records)
    if path.suffix.lower() == ".csv":
        why, remedy = "commas do not divide columns here", "divide them by tabs"
        raise UserError(f"cannot read {path}", why, remedy)
    if path.suffix == ".conllu" or is_conllu(lines):
        return conllu_sentences(lines, path, labelled)
    return uncounted(column_sentences(lines, path, labelled), path)


def groups(lines: list[str]) -> Iterator[list[tuple[int, str]]]:
    """Yield the lines between blank ones and documents, with their numbers."""
    group: list[tuple[int, str]] = []
    for number, line in enumerate([*lines, ""], start=1):
        if line.strip(BLANK) and not line.startswith(DOCUMENT):
            group.append((number, line))
        elif group:
            yield group
            group = []


def column_sentences(
    lines: list[str], path: Path, labelled: bool
) -> Iterator[Sentence]:
    """Yield sentences of a word a line: its first column; the last is the label.

    Columns are divided by tabs where the first word's line has one, else by spaces.
    `-DOCSTART-` lines end a sentence and are left out, and so are lines before a
    sentence that begin with "#" and have another number of columns.
    """
    data = [line for line in lines if line.strip(BLANK)]
    data = [line for line in data if not line.startswith(("#", DOCUMENT))] or data
    tabs = bool(data) and "\t" in data[0]
    count = len(split_columns(data[0], tabs)) if data else 0
    for group in groups(lines):
        words: list[list[str]] = []
        for number, line in group:
            columns, source = split_columns(line, tabs), f"{path}:{number}"
            if line.startswith("#") and not words and len(columns) != count:
                continue
            if len(columns) != count:
                why = f"it has {len(columns)} columns, the first word's line {count}"
                raise bad_line(source, why, "correct the line; blank lines divide")
            if labelled and (count < 2 or not columns[-1].strip()):
                remedy = "first column the word, last column the label"
                raise bad_line(source, "it has no label", remedy)
            words.append(columns)
        if words:
            tokens = {"tokens": [columns[0] for columns in words]}
            labels = {"labels": [columns[-1].strip() for columns in words]}
            yield Sentence(
                f"{path}:{group[0][0]}", tokens | (labels if count > 1 else {})
            )


def uncounted(sentences: Iterator[Sentence], path: Path) -> list[Sentence]:
    """Return sentences; raise UserError where the words of all only count from 1."""
    found = list(sentences)
    words = [sentence.values["tokens"] for sentence in found]
    counts = [[str(number) for number in range(1, len(row) + 1)] for row in words]
    if words == counts and max(map(len, words), default=0) > 1:
        why = 'its words are "1", "2", …: the first column counts'
        raise bad_line(found[0].source, why, f"leave the column out: cut -f 2- {path}")
    return found


def split_columns(line: str, tabs: bool) -> list[str]:
    """Return the columns of a line; a word may hold spaces only where tabs divide."""
    if tabs:
        return line.split("\t")
    return [column for column in re.split(f"[{BLANK}]+", line) if column]


def is_conllu(lines: list[str]) -> bool:
    """Return whether the first word's line has CoNLL-U's ten columns."""
    words = (line for line in lines if line.strip(BLANK) and not line.startswith("#"))
    columns = next(words, "").split("\t")
    return len(columns) == CONLLU_COLUMNS and columns[0][:1].isdigit()


def conllu_sentences(
    lines: list[str], path: Path, labelled: bool
) -> Iterator[Sentence]:
    """Yield sentences of CoNLL-U: FORM is the word, UPOS the label.

    A range (3-4) names a token whose words follow, an empty node (3.1) a word that is
    not in the text: both are passed over.
    """
    for group in groups(lines):
        values: dict[str, Any] = {"tokens": [], "labels": []}
        problem = ""
        for number, line in group:
            columns, source = line.split("\t"), f"{path}:{number}"
            if line.startswith("#"):
                key, equals, value = line[1:].partition("=")
                if equals and key.strip() == "sent_id":
                    values["id"] = value.strip()
                continue
            if len(columns) != CONLLU_COLUMNS:
                why = f"it has {len(columns)} columns, CoNLL-U has {CONLLU_COLUMNS}"
                raise bad_line(source, why, "divide the columns by tabs")
            if OTHER_ID.fullmatch(columns[0]):
                continue
            if not WORD_ID.fullmatch(columns[0]):
                why = f'"{columns[0]}" is no number of a word'
                raise bad_line(source, why, "an ID is 3, 3-4 or 3.1")
            if int(columns[0]) != len(values["tokens"]) + 1:
                why = f"its word is number {columns[0]}, after {len(values['tokens'])}"
                raise bad_line(source, why, "a blank line ends a sentence")
            if columns[3] in ("_", "") and labelled:
                problem = problem or f'the word "{columns[1]}" has no UPOS'
            values["tokens"].append(columns[1])
            values["labels"].append(columns[3] or "_")
        if values["tokens"]:
            yield Sentence(f"{path}:{group[0][0]}", values, problem)


def parallel_sentences(text: str, path: Path, labelled: bool) -> Iterator[Sentence]:
    """Yield sentences of a file of words and a file of labels, both by lines."""
    other = path.with_name(path.name.removesuffix("seq.in") + "seq.out")
    has_labels = labelled or other.exists()
    words = text.removesuffix("\n").split("\n")
    labels = words
    if has_labels:
        labels = read_text(other, WANTED).removesuffix("\n").split("\n")
    if len(words) != len(labels):
        raise UserError(
            f"{path} and {other.name} do not belong together",
            f"they have {len(words)} and {len(labels)} lines",
            "line n of one has the labels of line n of the other",
        )
    for number, (line, tags) in enumerate(zip(words, labels, strict=True), start=1):
        tokens, found = split_columns(line, False), split_columns(tags, False)
        values = {"tokens": tokens, "labels": found} if has_labels else {}
        if tokens or found:
            yield Sentence(f"{path}:{number}", values or {"tokens": tokens})


def bad_line(source: str, why: str, remedy: str = "") -> UserError:
    """Return the error for a line that is not of the form."""
    return UserError(
        f"{source}: cannot be read", why, remedy or f"a line is {EXAMPLE_LINE}"
    )
