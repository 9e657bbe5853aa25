"""Files to records: JSONL, SemEval and MAMS XML, and lines of triplets.

Whatever the format, a record is an object as a line of JSONL has it, and comes with
its source and with a problem where something in it has no place in the text.
"""

import ast
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .errors import UserError
from .text_files import json_objects, numbered, read_text

EXAMPLE_LINE = (
    '{"text": "The soup was cold.", "aspects": [{"text": "soup", "start": 4, '
    '"end": 8, "polarity": "negative"}]}'
)
TRIPLET_LINE = "The soup was cold .####[([1], [3], 'NEG')]"
POLARITIES = {"POS": "positive", "NEG": "negative", "NEU": "neutral"}

Records = Iterator[tuple[str, dict[str, Any], str]]  # source, record, problem


def read_records(path: str | Path) -> Records:
    """Return the records of a file, whose content says what format it is.

    Raises UserError with file, line and field for what is not of the form.
    """
    text = read_text(Path(path), "a JSONL, XML or triplet file")
    start = text.lstrip()
    if "####" in start.partition("\n")[0] and not start.startswith("{"):
        return triplet_records(text, str(path))
    if start.startswith("<"):
        return xml_records(text, str(path))
    records = json_objects(numbered(text), str(path), bad_record)
    return ((source, record, "") for source, record in records)


def bad_record(source: str, why: str, example: str = EXAMPLE_LINE) -> UserError:
    """Return the error for a record that is not of the form."""
    return UserError(f"{source}: not a text with aspects", why, f"a line is {example}")


def xml_records(text: str, path: str) -> Records:
    """Yield a record for each sentence of a SemEval-2014/15/16 or MAMS file.

    A document type is refused: entities can be made to grow without end.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise UserError(
            f"{path} has a document type",
            "entities of its own can make a small file fill the memory",
            "remove <!DOCTYPE …>: SemEval's files have none",
        )
    try:
        root = ElementTree.fromstring(text)
    except (ElementTree.ParseError, RecursionError) as error:
        why, remedy = f"not XML: {error}", "correct it there; & is written &amp;"
        raise UserError(f"cannot read {path}", why, remedy) from error
    if any(review.find("Opinions") is not None for review in root.iter("Review")):
        raise UserError(
            f"{path} annotates whole reviews",
            "their opinions have no place in a sentence",
            "give the sentence-level file (subtask 1)",
        )
    for number, sentence in enumerate(root.iter("sentence"), start=1):
        name = sentence.get("id")
        source = f"{path}: sentence {number}" + (f' ("{name}")' if name else "")
        if sentence.find("text/*") is not None:
            raise bad_record(source, "there are elements in its <text>")
        record: dict[str, Any] = {"text": sentence.findtext("text")}
        record |= {"id": name} if name else {}
        record["aspects"] = [
            xml_aspect(term, source)
            for kind in ("aspectTerm", "Opinion")
            for term in sentence.iter(kind)
        ]
        outside = sentence.get("OutOfScope", "").upper() == "TRUE"
        yield source, record, "marked as out of scope" if outside else ""


def xml_aspect(term: ElementTree.Element, source: str) -> dict[str, Any]:
    """Return an aspect of a sentence; of target="NULL" the text is not named."""
    name = "term" if term.tag == "aspectTerm" else "target"
    words, polarity = term.get(name), term.get("polarity")
    for field, value in ((name, words), ("polarity", polarity)):
        if value is None:
            why = f'<{term.tag}> has no "{field}"'
            if field == "target":
                why += ": categories without a target cannot be found in a text"
            raise bad_record(source, why)
    if words == "NULL" and name == "target":
        return {"text": None, "polarity": polarity}
    try:
        start, end = int(term.get("from", "")), int(term.get("to", ""))
    except ValueError as error:
        why = f'"from" and "to" of <{term.tag}> must be whole numbers'
        raise bad_record(source, why) from error
    return {"text": words, "start": start, "end": end, "polarity": polarity}


def triplet_records(text: str, path: str) -> Records:
    """Yield a record for each line `sentence####[(aspect, opinion, polarity), …]`.

    The sentence's tokens stand between single spaces. A span is the numbers of its
    tokens, or of its first and last one; the aspect [-1] is not named. What follows a
    further "####", DMASTE's domain, is passed over.
    """
    for number, line in numbered(text):
        if not line.strip():
            continue
        source = f"{path}:{number}"
        sentence, *rest = line.split("####")
        try:
            triplets = ast.literal_eval(rest[0].strip())
        except (IndexError, ValueError, SyntaxError, MemoryError, RecursionError):
            why = 'after "####" there is no list of triplets'
            raise bad_record(source, why, TRIPLET_LINE) from None
        yield source, *triplet_aspects(sentence, triplets, source)


def triplet_aspects(
    sentence: str, triplets: Any, source: str
) -> tuple[dict[str, Any], str]:
    """Return the record of a sentence and its triplets, and what is wrong with it."""
    if not isinstance(triplets, list):
        raise bad_record(source, "the triplets are not a list", TRIPLET_LINE)
    tokens, aspects, problem = token_places(sentence), [], ""
    for triplet in triplets:
        if not is_triplet(triplet):
            why = f"{triplet!r:.80} is not (aspect, opinion, polarity)"
            raise bad_record(source, why, TRIPLET_LINE)
        aspect, opinion, polarity = triplet
        try:
            target = (
                {"text": None} if aspect == [-1] else span(sentence, tokens, aspect)
            )
            words = span(sentence, tokens, opinion)
        except ValueError as error:
            problem = problem or str(error)
            continue
        words["polarity"] = POLARITIES.get(polarity, polarity)
        aspects.append({**target, "opinions": [words]})
    return {"text": sentence, "aspects": aspects}, problem


def is_triplet(value: Any) -> bool:
    """Return whether a value is two lists of whole numbers and a name."""
    if not (isinstance(value, tuple | list) and len(value) == 3):
        return False
    *spans, polarity = value
    return bool(polarity and isinstance(polarity, str)) and all(
        isinstance(part, list) and part and all(type(each) is int for each in part)
        for part in spans
    )


def token_places(sentence: str) -> list[tuple[int, int]]:
    """Return first and last-plus-one character of each token between spaces."""
    places, start = [], 0
    for token in sentence.split(" "):
        places.append((start, start + len(token)))
        start += len(token) + 1
    return places


def span(
    sentence: str, tokens: Sequence[tuple[int, int]], numbers: Sequence[int]
) -> dict[str, Any]:
    """Return text and place of some tokens; raise ValueError where they are no span."""
    first, last = numbers[0], numbers[-1]
    if not 0 <= first <= last < len(tokens):
        raise ValueError(f"there are no tokens {list(numbers)} in the sentence")
    if len(numbers) > 2 and list(numbers) != list(range(first, last + 1)):
        raise ValueError(f"the tokens {list(numbers)} do not follow each other")
    start, end = tokens[first][0], tokens[last][1]
    if not sentence[start:end].strip():
        raise ValueError(f"nothing stands at the tokens {list(numbers)}: two spaces")
    return {"text": sentence[start:end], "start": start, "end": end}
