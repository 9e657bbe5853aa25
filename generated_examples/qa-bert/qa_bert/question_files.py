"""Files to records: JSONL, SQuAD's JSON and CMRC 2018's flat one.

A record is a question as a line of JSONL has it, and comes with its source: file and
line, or the place in the tree.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .errors import UserError
from .text_files import json_objects, json_tree, numbered, read_text

EXAMPLE_LINE = '{"question": "Who wrote it?", "context": "Ada did.", "answer": "Ada"}'
# What CMRC 2018's first release calls the fields.
FLAT_NAMES = {"query_text": "question", "query_id": "id"}

Records = Iterator[tuple[str, dict[str, Any]]]  # source, record


def read_records(path: Path) -> Records:
    """Return the records of a file, whose content says what format it is.

    Raises UserError with file, line and field for what is not of the form.
    """
    name = str(path)
    text = read_text(path, "a JSONL or SQuAD file in UTF-8")
    tree = json_tree(text, name, bad_record)
    if isinstance(tree, dict) and "data" in tree:
        return squad_records(tree, name)
    if isinstance(tree, list) and tree and "context_text" in str(tree[0]):
        return flat_records(tree, name)
    return json_objects(numbered(text), name, bad_record)


def squad_records(tree: dict[str, Any], path: str) -> Records:
    """Yield place and content of each question of a SQuAD file."""
    for a, article in enumerate(children(tree, "data", path)):
        place = f"{path}: data[{a}]"
        for p, paragraph in enumerate(children(article, "paragraphs", place)):
            inner = f"{place}.paragraphs[{p}]"
            yield from questions(paragraph, "context", inner)


def flat_records(tree: list[Any], path: str) -> Records:
    """Yield place and content of each question of a list of passages."""
    for index, passage in enumerate(tree):
        for source, record in questions(passage, "context_text", f"{path}: [{index}]"):
            yield source, {FLAT_NAMES.get(key, key): record[key] for key in record}


def questions(passage: Any, field: str, place: str) -> Records:
    """Yield place and content of each question on a passage, with its text."""
    for q, question in enumerate(children(passage, "qas", place)):
        source = f"{place}.qas[{q}]"
        if not isinstance(question, dict):
            raise bad_record(source, "it is not an object")
        yield source, {**question, "context": passage.get(field)}


def children(node: Any, field: str, place: str) -> list[Any]:
    """Return a list inside a tree; raise UserError where it is not there."""
    found = node.get(field) if isinstance(node, dict) else None
    if not isinstance(found, list):
        raise bad_record(place, f'"{field}" must be a list')
    return found


def bad_record(source: str, why: str) -> UserError:
    """Return the error for a record that is not of the form."""
    return UserError(f"{source}: not a question", why, f"a line is {EXAMPLE_LINE}")
