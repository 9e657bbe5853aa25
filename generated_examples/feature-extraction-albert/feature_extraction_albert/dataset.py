"""Texts and pairs from JSONL and text files, one at a time: a file may be endless."""

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .config import ExtractConfig
from .errors import UserError
from .text_files import json_objects, plain_lines, read_lines, record_id

EXAMPLE_LINE = '{"text": "The ferry was late."}'
# What fields are called that are known without a flag. The first name of each goes
# before the others, among which there must be no two.
TEXT_NAMES = ("text", "sequence", "sentence", "sentence1", "text_a", "premise")
TEXT_NAMES += ("question", "question1")
PAIR_NAMES = ("pair", "text_pair", "sequence_pair", "sentence_pair", "sentence2")
PAIR_NAMES += ("text_b", "hypothesis", "question2")
DIVIDER = " ||| "  # between the texts of a pair, as in Google's extract_features.py
TABLES = (".csv", ".tsv", ".xlsx", ".parquet")
# What is in memory at a time, beside the vectors.
CHUNK_CHARACTERS = 4_000_000


@dataclasses.dataclass(frozen=True)
class Text:
    """A text, or a pair of texts; `source` is its file and line."""

    id: str
    text: str
    pair: str | None = None
    source: str = ""


def read_texts(path: Path, config: ExtractConfig, name: str = "") -> Iterator[Text]:
    """Yield the texts of a file in their order; `name` is what errors call it.

    `.jsonl` and `.json` have an object a line, all else a text a line, in which
    " ||| " divides a pair. Blank lines do not count. Raises UserError with file and
    line for what is not so.
    """
    name = name or str(path)
    if path.suffix.lower() in TABLES:
        raise UserError(
            f"cannot read {name}",
            "it is a table",
            f"make it JSONL, a line like {EXAMPLE_LINE}",
        )
    lines = read_lines(path, "a JSONL file, or text with a text a line", name)
    if path.suffix.lower() in (".jsonl", ".json"):
        for source, record in json_objects(lines, name, bad_line):
            yield from_record(record, source, config)
        return
    for number, line in plain_lines(lines, name):
        source = f"{name}:{number}"
        if not line.strip():
            continue
        first, divider, second = line.rpartition(DIVIDER)
        if divider and config.pair_column != "none":
            yield Text(source, first.strip(), second.strip(), source)
        else:
            yield Text(source, line.strip(), None, source)


def from_record(record: dict[str, Any], source: str, config: ExtractConfig) -> Text:
    """Return the text of a line, or its pair; raise UserError where it has none."""
    others = {key: record[key] for key in record if key != config.pair_column}
    text_name = choose(others, config.text_column, TEXT_NAMES, source, "text")
    if not text_name:
        found = ", ".join(record)[:200] or "nothing"
        why = f"looked for {', '.join(TEXT_NAMES)}; found {found}"
        raise UserError(f"{source}: no text", why, "name the field: --text-column NAME")
    pair_name = ""
    if config.pair_column != "none":
        others = {key: record[key] for key in record if key != text_name}
        pair_name = choose(others, config.pair_column, PAIR_NAMES, source, "pair")
    text, pair = record[text_name], record.get(pair_name) if pair_name else None
    if not isinstance(text, str):
        raise bad_line(source, f'"{text_name}" is no text')
    if not isinstance(pair, str | None):
        raise bad_line(source, f'"{pair_name}" is no text')
    return Text(record_id(record, source, bad_line), text, pair, source)


def choose(
    record: dict[str, Any], wanted: str, usual: Sequence[str], source: str, what: str
) -> str:
    """Return the field asked for, or the one with a usual name, or ""."""
    if wanted:
        if wanted not in record:
            why = f'"{wanted}" is missing; found {", ".join(record)[:200] or "nothing"}'
            raise UserError(
                f"{source}: no {what}", why, f"--{what}-column with another name"
            )
        return wanted
    found = [name for name in usual if name in record]
    if len(found) > 1 and found[0] != usual[0]:
        raise UserError(
            f"{source}: {' or '.join(found)}?",
            f"each of them could be the {what}",
            f"say which: --{what}-column {found[0]}",
        )
    return (found or [""])[0]


def bad_line(source: str, why: str) -> UserError:
    """Return the error for a line that is not of the form."""
    return UserError(f"{source}: not a text", why, f"a line is {EXAMPLE_LINE}")


def measure(texts: Iterable[Text], name: str) -> tuple[int, int]:
    """Return how many texts there are and how long the longest id is.

    Reads all of them, so that a bad line shows before the work. Raises UserError where
    there is none.
    """
    count = width = 0
    for text in texts:
        count += 1
        width = max(width, len(text.id))
    if not count:
        raise UserError(f"no texts in {name}", "it is empty", "give another file")
    return count, width


def chunks(texts: Iterable[Text], size: int) -> Iterator[list[Text]]:
    """Yield lists of up to `size` texts, shorter ones where the texts are long."""
    chunk: list[Text] = []
    characters = 0
    for text in texts:
        chunk.append(text)
        characters += len(text.text) + len(text.pair or "")
        if len(chunk) == size or characters >= CHUNK_CHARACTERS:
            yield chunk
            chunk, characters = [], 0
    if chunk:
        yield chunk
