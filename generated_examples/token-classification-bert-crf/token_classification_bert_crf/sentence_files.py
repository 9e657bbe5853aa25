"""Files to sentences: JSONL, CoNLL columns, CoNLL-U, and seq.in with seq.out.

Each sentence comes with its source, `FILE:LINE`. Nothing is guessed: what cannot be
read is an error that names the place.
"""

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .errors import UserError

EXAMPLE_LINE = '{"tokens": ["Ada", "left"], "labels": ["B-person", "O"]}'
BLANK = " \t\r"  # a line of these alone stands between two sentences
CONLLU_COLUMNS = 10
WORD_ID, OTHER_ID = re.compile(r"\d+"), re.compile(r"\d+-\d+|\d+\.\d+")


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
    text = read_text(path)
    if path.name.endswith("seq.in"):
        return parallel_sentences(text, path, labelled)
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    first = next((line for line in lines if line.strip(BLANK)), "")
    if path.suffix in (".jsonl", ".json") or is_object(first):
        return jsonl_sentences(lines, path)
    if path.suffix == ".conllu" or is_conllu(lines):
        return conllu_sentences(lines, path, labelled)
    return column_sentences(lines, path, labelled)


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file; raise UserError that names another encoding."""
    try:
        content = path.read_bytes()
    except OSError as error:
        why = error.strerror or str(error)
        remedy = "give a file of JSONL, CoNLL columns or CoNLL-U"
        raise UserError(f"cannot read {path}", why, remedy) from error
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or (
        b"\0" in content[:4]
    ):
        why, remedy = "it is UTF-16 or UTF-32", f"iconv -f UTF-16 -t UTF-8 {path}"
        raise UserError(f"cannot read {path}", why, remedy)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        place = f"{path}:{content.count(bytes([10]), 0, error.start) + 1}"
        # Chinese comes in pairs of high bytes, Western letters stand alone.
        high = len(re.findall(rb"[\x80-\xff]", content))
        pairs = len(re.findall(rb"[\x80-\xff]{2}", content))
        encoding = "GB18030" if 4 * pairs > high else "LATIN1"
        raise UserError(
            f"cannot read {place}",
            f"the line is not UTF-8; the file may be {encoding}",
            f"convert it: iconv -f {encoding} -t UTF-8 {path}",
        ) from error


def is_object(line: str) -> bool:
    """Return whether a line is a JSON object."""
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def jsonl_sentences(lines: list[str], path: Path) -> Iterator[Sentence]:
    """Yield the object of each line that is not blank."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        source = f"{path}:{number}"
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise bad_line(source, f"it is not JSON: {error}") from error
        if not isinstance(values, dict):
            raise bad_line(source, "it is not an object")
        try:
            json.dumps(values, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            why = "it holds half of a UTF-16 pair (\\ud…), which is no character"
            raise bad_line(source, why) from error
        yield Sentence(source, values)


def groups(lines: list[str]) -> Iterator[list[tuple[int, str]]]:
    """Yield the lines between blank ones with their numbers."""
    group: list[tuple[int, str]] = []
    for number, line in enumerate([*lines, ""], start=1):
        if line.strip(BLANK):
            group.append((number, line))
        elif group:
            yield group
            group = []


def column_sentences(
    lines: list[str], path: Path, labelled: bool
) -> Iterator[Sentence]:
    """Yield sentences of a word a line: its first column; the last is the label.

    Columns are divided by tabs where the first word's line has one, else by spaces.
    `-DOCSTART-` lines are left out, and so are lines before a sentence that begin with
    "#" and have another number of columns.
    """
    data = [line for line in lines if line.strip(BLANK)]
    data = [line for line in data if not line.startswith(("#", "-DOCSTART-"))] or data
    tabs = bool(data) and "\t" in data[0]
    count = len(split_columns(data[0], tabs)) if data else 0
    for group in groups(lines):
        words: list[list[str]] = []
        for number, line in group:
            columns, source = split_columns(line, tabs), f"{path}:{number}"
            if line.startswith("-DOCSTART-"):
                continue
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
            if columns[3] == "_" and labelled:
                problem = problem or f'the word "{columns[1]}" has no UPOS'
            values["tokens"].append(columns[1])
            values["labels"].append(columns[3])
        if values["tokens"]:
            yield Sentence(f"{path}:{group[0][0]}", values, problem)


def parallel_sentences(text: str, path: Path, labelled: bool) -> Iterator[Sentence]:
    """Yield sentences of a file of words and a file of labels, both by lines."""
    other = path.with_name(path.name.removesuffix("seq.in") + "seq.out")
    has_labels = labelled or other.exists()
    words = text.removesuffix("\n").split("\n")
    labels = read_text(other).removesuffix("\n").split("\n") if has_labels else words
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
