"""Files of sentences and pairs as records: JSONL, CSV, TSV, STS, SNLI, plain text.

A record is the place where it was read and a dict with some of the fields sentence,
positive, negative, sentence_pair, score and id. Whether they make sense is for
dataset.py to say.
"""

import csv
import io
import itertools
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .errors import UserError
from .text_files import is_json, json_objects, numbered, read_text

Records = Iterator[tuple[str, dict[str, Any]]]

EXAMPLE_LINE = '{"sentence": "A dog runs.", "positive": "A hound is running."}'
# What other data sets call the fields: SimCSE's, sentence-transformers', GLUE's.
ALIASES = {
    "sent0": "sentence",
    "anchor": "sentence",
    "sentence1": "sentence",
    "sent1": "positive",
    "hard_neg": "negative",
    "sentence2": "sentence_pair",
    "similarity_score": "score",
}
FIELDS = ("sentence", "positive", "negative", "sentence_pair", "score", "id")
# The columns of an STS benchmark file, which has no header and no quoting.
STS_COLUMNS = {"score": 4, "sentence": 5, "sentence_pair": 6}
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


def read_records(path: Path) -> Records:
    """Yield the records of a file; its kind is told by its name and first line.

    Raises UserError where the file is of no such kind, or not in UTF-8.
    """
    text = read_text(path, "text in UTF-8, JSONL, CSV or TSV")
    if (
        path.name.startswith("s1.")
        and path.with_name("labels" + path.name[2:]).exists()
    ):
        return nli_records(aligned_lines(path, text))
    first_line = text.partition("\n")[0].rstrip("\r")
    if path.suffix.lower() in (".jsonl", ".json") or is_json(first_line):
        return jsonl_records(text, path)
    for separator in ("\t", ","):
        names = [ALIASES.get(cell, cell) for cell in cells_of(first_line, separator)]
        if "sentence" in names:
            return table_records(text, names, separator, path)
    cells = first_line.split("\t")
    if len(cells) > 6 and is_number(cells[STS_COLUMNS["score"]]):
        return sts_records(text, path)
    if path.suffix in (".csv", ".tsv"):
        raise UserError(
            f"{path}: no column is called sentence",
            f"its first line is {first_line[:80]!r}",
            f"name the columns {', '.join(FIELDS)}, or {', '.join(ALIASES)}",
        )
    return ((place, {"sentence": line}) for place, line in lines_of(text, path))


def lines_of(text: str, path: Path) -> Iterator[tuple[str, str]]:
    """Yield place and content of each line that is not blank."""
    for number, line in numbered(text):
        if line.strip():
            yield f"{path}:{number}", line


def jsonl_records(text: str, path: Path) -> Records:
    """Yield the records of a JSONL file; lines of SNLI become triplets."""
    records = []
    for place, record in json_objects(numbered(text), str(path), bad_record):
        names = [ALIASES.get(name, name) for name in record]
        check_names(names, place)
        records.append((place, dict(zip(names, record.values(), strict=True))))
    if records and all("gold_label" in record for _, record in records):
        return nli_records(records)
    return iter(records)


def table_records(text: str, names: list[str], separator: str, path: Path) -> Records:
    """Yield the rows under a header.

    Commas separate as in RFC 4180, with quotes; tabs without any quoting, as in GLUE.
    """
    records = []
    check_names(names, f"{path}:1")
    for place, cells in itertools.islice(rows_of(text, separator, path), 1, None):
        if len(cells) != len(names):
            why = f"it has {len(cells)} columns, the header {len(names)}"
            raise bad_record(place, why)
        row = dict(zip(names, cells, strict=True))
        # A cell cannot be missing: an empty one says so.
        record = {k: v for k, v in row.items() if v or k == "sentence"}
        records.append((place, record | numbers(record, place)))
    if "gold_label" in names:
        return nli_records(records)
    return iter(records)


def check_names(names: list[str], place: str) -> None:
    """Raise UserError where two fields are the same, under one name or another."""
    for name in FIELDS:
        if names.count(name) > 1:
            others = [other for other in ALIASES if ALIASES[other] == name]
            why = f'two fields are "{name}", which is also called {", ".join(others)}'
            raise bad_record(place, why)


def rows_of(text: str, separator: str, path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield place and cells of each row."""
    if separator == "\t":
        for place, line in lines_of(text, path):
            yield place, line.split(separator)
        return
    csv.field_size_limit(sys.maxsize)  # texts may be longer than Python's 131,072
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in rows:
            if cells:
                yield f"{path}:{line}", cells
            line = rows.line_num + 1
    except csv.Error as error:
        raise bad_record(f"{path}:{line}", f"its quotes are wrong: {error}") from error


def cells_of(line: str, separator: str) -> list[str]:
    """Return the cells of a header."""
    return [cell.strip().strip('"') for cell in line.split(separator)]


def sts_records(text: str, path: Path) -> Records:
    """Yield the pairs of a file of the STS benchmark as it is published."""
    for place, line in lines_of(text, path):
        cells = line.split("\t")
        if len(cells) < 7:
            raise bad_record(place, f"it has {len(cells)} columns, not 7 or more")
        record = {name: cells[column] for name, column in STS_COLUMNS.items()}
        yield place, record | numbers(record, place)


def numbers(record: dict[str, str], place: str) -> dict[str, float]:
    """Return the score of a table's row as a number, if it has one."""
    if "score" not in record:
        return {}
    if not is_number(record["score"]):
        raise bad_record(place, f'"score" is {record["score"]!r}, not a number')
    return {"score": float(record["score"])}


def is_number(text: str) -> bool:
    """Return whether a text can be read as a number."""
    return NUMBER.fullmatch(text) is not None


def aligned_lines(path: Path, text: str) -> Records:
    """Yield the pairs of three files with a line for each: s1.*, s2.*, labels.*."""
    files = {"sentence": path}
    files |= {
        name: path.with_name(begin + path.name[2:])
        for name, begin in {"sentence_pair": "s2", "gold_label": "labels"}.items()
    }
    columns = {"sentence": text.removesuffix("\n").split("\n")}
    for name in ("sentence_pair", "gold_label"):
        other = read_text(files[name], "the three files together")
        columns[name] = other.removesuffix("\n").split("\n")
    counts = {files[name].name: len(lines) for name, lines in columns.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise UserError(
            f"{path}: the three files do not belong together",
            f"their lines are {told}",
            "take all three from one place",
        )
    for number, cells in enumerate(zip(*columns.values(), strict=True), start=1):
        row = {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}
        yield f"{path}:{number}", row


def nli_records(records: Iterable[tuple[str, dict[str, Any]]]) -> Records:
    """Yield triplets from inference pairs, as SimCSE makes them.

    What a premise entails is a positive; what contradicts it, in the same order, the
    hard negative. Other labels, and contradictions left over, are not used.
    """
    found: dict[str, dict[str, dict[str, str]]] = {}
    for place, record in records:
        for name in ("sentence", "sentence_pair", "gold_label"):
            if not isinstance(record.get(name), str):
                raise bad_record(place, f'"{name}" of the pair is missing, or no text')
        kinds = found.setdefault(record["sentence"], {})
        # A repeated line counts once.
        hypotheses = kinds.setdefault(record["gold_label"], {})
        hypotheses.setdefault(record["sentence_pair"], place)
    for premise, kinds in found.items():
        negatives = iter(kinds.get("contradiction", ()))
        for positive, place in kinds.get("entailment", {}).items():
            record = {"sentence": premise, "positive": positive}
            negative = next(negatives, None)
            yield place, record | ({"negative": negative} if negative else {})


def bad_record(place: str, why: str) -> UserError:
    """Return the error for a record that is not of the form."""
    return UserError(f"{place}: not an example", why, f"a line is {EXAMPLE_LINE}")
