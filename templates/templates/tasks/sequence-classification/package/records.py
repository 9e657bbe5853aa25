"""Files to records: JSONL, JSON, CSV and TSV, and which column is the text.

A record comes with its source, `FILE:LINE`. Nothing is guessed: what cannot be read,
or read in two ways, is an error that names the place.
"""

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .errors import UserError
from .text_files import json_objects, json_tree, numbered, read_text

EXAMPLE_LINE = '{"sequence": "When is the next bus?", "label": "timetable"}'
# What columns are called that are known without a flag. The first name of each is this
# project's own and goes before the others, among which there must be no two.
TEXT_NAMES = ("sequence", "text", "sentence", "sentence1", "text_a", "premise")
TEXT_NAMES += ("question", "question1")
PAIR_NAMES = ("sequence_pair", "text_pair", "sentence2", "text_b", "hypothesis")
PAIR_NAMES += ("question2",)
LABEL_NAMES = ("label", "labels", "gold_label", "category", "class", "intent", "score")

Records = Iterator[tuple[str, dict[str, Any]]]


def read_records(path: str | Path) -> Records:
    """Return source and content of each record of a file.

    `.csv` has commas, quotes and a header; `.tsv` tabs and a header, quotes are part
    of the text; all else is JSON, a record a line or a list. Where a JSON file holds
    several lists, `FILE#NAME` is one of them. Raises UserError for what is not so.
    """
    name, _, part = str(path).partition("#")
    if not part or Path(path).exists():
        name, part = str(path), ""
    text = read_text(Path(name), "a JSONL, JSON, CSV or TSV file")
    suffix = Path(name).suffix.lower()
    if suffix == ".csv":
        return table_records(csv_rows(text, name), name)
    if suffix == ".tsv":
        return table_records(tsv_rows(text), name)
    tree = json_tree(text, name, bad_record)  # None: a record a line
    if isinstance(tree, list):
        return list_records(tree, name)
    items = tree.items() if isinstance(tree, dict) else ()
    lists = {key: value for key, value in items if is_data(value)}
    if lists or part:
        part = part or (next(iter(lists)) if len(lists) == 1 else "")
        return list_records(choose_list(lists, part, name), f"{name}#{part}")
    return json_objects(numbered(text), name, bad_record)


def is_data(node: Any) -> bool:
    """Return whether part of a JSON file is a list of objects or of lists."""
    return isinstance(node, list) and bool(node) and isinstance(node[0], dict | list)


def choose_list(lists: dict[str, list], part: str, path: str) -> list:
    """Return the list called `part`; raise UserError where there is none."""
    if part in lists:
        return lists[part]
    what = f'{path}: no list "{part}"' if part else f"{path}: which list?"
    why = f"lists of examples in it: {', '.join(lists) or 'none'}"
    raise UserError(what, why, f"give {path}#{next(iter(lists), 'NAME')}")


def list_records(items: list, path: str) -> Records:
    """Yield a record for each object, or each pair of text and label, of a list."""
    for index, item in enumerate(items):
        source = f"{path}[{index}]"
        if isinstance(item, list) and len(item) == 2:
            item = {"sequence": item[0], "label": item[1]}
        if not isinstance(item, dict):
            raise bad_record(source, "neither an object nor a pair of text and label")
        yield source, item


def csv_rows(text: str, path: str) -> Iterator[tuple[int, list[str]]]:
    """Yield first line and cells of each row of a table with commas and quotes."""
    csv.field_size_limit(sys.maxsize)  # texts may be longer than Python's 131,072
    rows, line = csv.reader(io.StringIO(text, newline=""), strict=True), 1
    try:
        for row in rows:
            yield line, row
            line = rows.line_num + 1
    except csv.Error as error:
        why = f"the row that begins here is not CSV: {error}"
        remedy = 'a quote inside of quotes is doubled: "he said ""no"""'
        raise UserError(f"{path}:{line}: cannot be read", why, remedy) from error


def tsv_rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield number and cells of each line of a table with tabs and without quotes."""
    for number, line in numbered(text):
        yield number, line.split("\t") if line else []


def table_records(rows: Iterator[tuple[int, list[str]]], path: str) -> Records:
    """Yield a record for each row under the header; blank lines do not count."""
    header: list[str] = []
    for number, row in rows:
        source = f"{path}:{number}"
        if not row:
            continue
        if header and len(row) != len(header):
            why = f"it has {len(row)} cells, the header {len(header)}"
            remedy = "correct the row, or leave it out"
            if len(header) == 1:
                why = f'the header is one cell, "{header[0]}"'
                remedy = "commas divide the cells of .csv, tabs those of .tsv"
            raise bad_record(source, why, remedy)
        if header:
            yield source, dict(zip(header, row, strict=True))
            continue
        header = [name.strip() for name in row]
        if len(set(header)) < len(header):
            why = f"two columns have the same name: {', '.join(header)}"
            raise bad_record(source, why, "give each column its own name")


def choose_columns(
    names: Sequence[str], source: str, wanted: tuple[str, str, str], labelled: bool
) -> tuple[str, str, str]:
    """Return the columns of text, second text and label, "" where there is none.

    `wanted` are the names that were asked for, "" for the usual ones. Raises UserError
    where one is missing, or where two could be meant.
    """
    text, pair, label = wanted
    taken = {text, pair, label} - {""}
    chosen_text = choose(names, text, TEXT_NAMES, taken, source, "text")
    if not chosen_text:
        raise no_column(names, source, "text", TEXT_NAMES)
    chosen_pair = ""
    if pair != "none":
        chosen_pair = choose(names, pair, PAIR_NAMES, taken, source, "pair")
    if not labelled:  # it is only shown beside the prediction
        usual = [label or LABEL_NAMES[0]]
        return chosen_text, chosen_pair, next((x for x in usual if x in names), "")
    chosen_label = choose(names, label, LABEL_NAMES, taken, source, "label")
    if not chosen_label:
        raise no_column(names, source, "label", LABEL_NAMES)
    return chosen_text, chosen_pair, chosen_label


def choose(
    names: Sequence[str],
    wanted: str,
    usual: Sequence[str],
    taken: set[str],
    source: str,
    what: str,
) -> str:
    """Return the column asked for, or the one with a usual name, or ""."""
    if wanted:
        if wanted not in names:
            raise no_column(names, source, what, [wanted])
        return wanted
    found = [x for x in names if x.lower() in usual and x not in taken]
    first = [x for x in found if x.lower() == usual[0]]
    if len(found) > 1 and len(first) != 1:
        raise UserError(
            f"{source}: {' or '.join(found)}?",
            f"each of them could be the {what}",
            f"say which: --{what}-column {found[0]}",
        )
    return (first or found or [""])[0]


def no_column(
    names: Sequence[str], source: str, what: str, wanted: Sequence[str]
) -> UserError:
    """Return the error for a record without a column that is needed."""
    found = ", ".join(names)[:200] or "nothing"
    hint = "a table begins with a header, divided by commas in .csv and by tabs in "
    hint = f"{hint}.tsv; " if len(names) == 1 else ""
    return UserError(
        f"{source}: no {what}",
        f"looked for {', '.join(wanted)}; found {found}",
        f"{hint}name the field: --{what}-column NAME",
    )


def bad_record(source: str, why: str, remedy: str = "") -> UserError:
    """Return the error for a record that is not of the form."""
    usual = f"a line is {EXAMPLE_LINE}; names of tables end in .csv or .tsv"
    return UserError(f"{source}: not an example", why, remedy or usual)
