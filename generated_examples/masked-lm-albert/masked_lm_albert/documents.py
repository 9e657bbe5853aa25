"""Text files as documents: plain text and JSONL, read line by line.

A document is a text and the places of its sentences. Files need not fit in memory:
nothing is kept but the document at hand.
"""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

from .errors import UserError
from .text_files import Lines, json_objects, plain_lines, read_lines, record_id
from .token_text import is_blank

EXAMPLE_LINE = '{"text": "The ferry was late. Nobody minded."}'
LINES = ("sentences", "documents")
# What stands for a missing word in a text that is to be filled.
BLANK = "[MASK]"

# The end of a sentence: its marks and what closes quotes and brackets; in Latin
# scripts a space and a capital letter, digit or opening mark must follow, and no title
# or initial may stand before the full stop.
_ABBREVIATIONS = "Dr|Jr|Mr|Mrs|Ms|No|Prof|Sr|St|vs|[A-Z]"
_END = re.compile(
    r"[。！？!?…]*[。！？…][”’」』）】]*"
    r"|[.!?]+[\"'”’)\]]*\s+(?=[\"'“‘(\[]*[^\W_a-z])"
)
_ABBREVIATED = re.compile(rf"(?:^|[\s(\"'“‘])(?:{_ABBREVIATIONS})\.\s+$")


@dataclasses.dataclass(frozen=True)
class Example:
    """A document; `sentences` are first and last-plus-one character of each.

    `source` says where it was read; `problem`, why it cannot be learned from. With
    `fill`, each "[MASK]" in the text is a word to find. `records` is the path of a
    manifest, which stands for documents that were tokenized before.
    """

    id: str
    text: str
    sentences: tuple[tuple[int, int], ...]
    source: str
    problem: str = ""
    fill: bool = False
    records: str = ""


def read_documents(
    path: Path, text_lines: str = "sentences", *, fill: bool = False
) -> Iterator[Example]:
    """Yield the documents of a file: `.jsonl`, or plain text whatever its name.

    Raises UserError with file and line for what is not UTF-8 or not of the form.
    """
    lines = read_lines(path, "a text or JSONL file in UTF-8")
    if path.suffix.lower() in (".jsonl", ".json"):
        yield from jsonl_documents(lines, path, fill)
        return
    lines = plain_lines(lines, str(path))
    if text_lines == "documents":
        for number, line in lines:
            if line.strip():
                source = f"{path}:{number}"
                yield make_document(source, line, source, fill)
    else:
        yield from blank_line_documents(lines, path, fill)


def jsonl_documents(lines: Lines, path: Path, fill: bool) -> Iterator[Example]:
    """Yield a document for each line that is not blank."""
    for source, record in json_objects(lines, str(path), bad_record):
        text = record.get("text")
        if not isinstance(text, str):
            state = "missing" if text is None else "not a text"
            raise bad_record(source, f'"text" is {state}')
        name = record_id(record, source, bad_record)
        yield make_document(name, text, source, fill)


def bad_record(source: str, why: str) -> UserError:
    """Return the error for a line that is not of the form."""
    return UserError(
        f"{source}: not a document",
        why,
        f"a line is {EXAMPLE_LINE}; other text belongs in a .txt file",
    )


def blank_line_documents(lines: Lines, path: Path, fill: bool) -> Iterator[Example]:
    """Yield the documents of a text whose lines are sentences, as in Google's code."""
    found: list[str] = []
    first = 0
    for number, line in lines:
        if line.strip():
            first = first if found else number
            found.append(line.strip())
        elif found:
            yield lines_document(found, f"{path}:{first}", fill)
            found = []
    if found:
        yield lines_document(found, f"{path}:{first}", fill)


def lines_document(lines: list[str], source: str, fill: bool) -> Example:
    """Return a document of which each line is a sentence."""
    text = "\n".join(lines)
    places, start = [], 0
    for line in lines:
        places.append((start, start + len(line)))
        start += len(line) + 1
    problem = "the text is empty" if is_blank(text) else ""
    return Example(source, text, tuple(places), source, problem, fill and BLANK in text)


def make_document(name: str, text: str, source: str, fill: bool = False) -> Example:
    """Return a document of running text, divided at its lines and sentences."""
    places = tuple(split_sentences(text))
    problem = "the text is empty" if is_blank(text) else ""
    return Example(name, text, places, source, problem, fill and BLANK in text)


def split_sentences(text: str) -> Iterator[tuple[int, int]]:
    """Yield first and last-plus-one character of each sentence of a running text.

    A line ends a sentence. What is divided once too often or too seldom does little
    harm: rows are filled with whatever follows.
    """
    start = 0
    for line in text.split("\n"):
        end, begin = start + len(line), start
        for mark in _END.finditer(text, start, end):
            if not _ABBREVIATED.search(text[begin : mark.end()]):
                yield from strip_place(text, begin, mark.end())
                begin = mark.end()
        yield from strip_place(text, begin, end)
        start = end + 1


def strip_place(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield a place without the spaces around it, if anything is left."""
    piece = text[start:end]
    if piece.strip():
        start += len(piece) - len(piece.lstrip())
        yield start, start + len(piece.strip())
