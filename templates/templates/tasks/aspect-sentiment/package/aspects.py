"""Aspects, the opinions on them, and texts with both: what a record means."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from .aspect_files import bad_record
from .text_files import record_id
from .token_text import is_blank

Place = tuple[int, int] | None  # first and last-plus-one character; None: implicit


@dataclasses.dataclass(frozen=True)
class Opinion:
    """Words that judge an aspect, where they stand, and how they judge it."""

    text: str
    start: int
    end: int
    polarity: str


@dataclasses.dataclass(frozen=True)
class Aspect:
    """What a text judges; `text`, `start` and `end` are None where it is not named.

    `polarities` has one name, or several where the annotations of the aspect disagree.
    `opinions` is None where the data say nothing of them, () where there are none.
    """

    text: str | None
    start: int | None
    end: int | None
    polarities: tuple[str, ...]
    opinions: tuple[Opinion, ...] | None

    @property
    def place(self) -> Place:
        """Return where the aspect stands, None where it is not named."""
        if self.start is None or self.end is None:
            return None
        return self.start, self.end


@dataclasses.dataclass(frozen=True)
class Example:
    """A text and its aspects, each place at most once.

    `source` says where it was read; `problem`, why it cannot be learned from.
    """

    id: str
    text: str
    aspects: tuple[Aspect, ...]
    source: str
    problem: str = ""


class Misplaced(ValueError):
    """A span that does not stand where the data say."""


def parse_example(
    record: dict[str, Any], source: str, problem: str, labelled: bool
) -> Example:
    """Check one record and place its aspects and opinions in the text.

    Raises UserError with the field that is not of the form. A span that does not
    stand where it should is no error: it is left out, and the example gets a
    `problem`. Without `labelled` there may be no aspects.
    """
    text = record.get("text")
    if not isinstance(text, str):
        raise bad_record(source, f'"text" is {state_of(text)}')
    raw = record.get("aspects")
    if raw is None and not labelled:
        raw = []
    if not isinstance(raw, list):
        raise bad_record(source, f'"aspects" is {state_of(raw, "list")}')
    aspects = []
    for item in raw:
        try:
            aspects.append(parse_aspect(item, text, source))
        except Misplaced as error:
            problem = problem or str(error)
    if is_blank(text):
        problem = "the text is empty"
    merged = tuple(merge_aspects(aspects))
    name = record_id(record, source, bad_record)
    return Example(name, text, merged, source, problem)


def parse_aspect(item: Any, text: str, source: str) -> Aspect:
    """Return one aspect of a record; raise Misplaced where its place is wrong."""
    if not isinstance(item, dict):
        raise bad_record(source, "an aspect is not an object")
    if "text" not in item:
        raise bad_record(source, 'an aspect has no "text"; null says: not named')
    polarity = item.get("polarity")
    if polarity is not None:
        polarity = polarity_name(polarity, source)
    raw = item.get("opinions")
    if not isinstance(raw, list | None):
        raise bad_record(source, '"opinions" must be a list')
    opinions = None
    if raw is not None:
        opinions = tuple(parse_opinion(each, polarity, text, source) for each in raw)
    named = (polarity,) if polarity else tuple(x.polarity for x in opinions or ())
    if not named:
        raise bad_record(
            source, 'an aspect has no "polarity", nor has an opinion on it'
        )
    polarities = tuple(dict.fromkeys(named))
    if item["text"] is None:
        if item.get("start") is not None or item.get("end") is not None:
            raise bad_record(source, 'an aspect has a place, but its "text" is null')
        return Aspect(None, None, None, polarities, opinions)
    start, end = find_place(item, text, source, "aspect")
    return Aspect(text[start:end], start, end, polarities, opinions)


def parse_opinion(item: Any, polarity: str | None, text: str, source: str) -> Opinion:
    """Return one opinion; its polarity is the aspect's where it has none itself."""
    if not isinstance(item, dict):
        raise bad_record(source, "an opinion is not an object")
    own = item.get("polarity", polarity)
    if own is None:
        raise bad_record(source, 'neither the opinion nor its aspect has a "polarity"')
    start, end = find_place(item, text, source, "opinion")
    return Opinion(text[start:end], start, end, polarity_name(own, source))


def polarity_name(value: Any, source: str) -> str:
    """Return the name of a polarity; raise UserError where it is none."""
    if not (isinstance(value, str) and value.strip()):
        raise bad_record(source, '"polarity" must be a name')
    return value.strip()


def find_place(
    item: dict[str, Any], text: str, source: str, kind: str
) -> tuple[int, int]:
    """Return where a span stands: as told, else where its text stands if only once."""
    words, start = item.get("text"), item.get("start")
    if not (isinstance(words, str) and words.strip()):
        raise bad_record(source, f'the "text" of an {kind} is {state_of(words)}')
    for name in ("start", "end"):
        value = item.get(name)
        if value is not None and type(value) is not int:
            raise bad_record(source, f'"{name}" of an {kind} must be a whole number')
    if start is None:
        count = text.count(words)
        if count != 1:
            raise Misplaced(
                f'the {kind} "{words[:60]}" is {count} times in the text; say "start"'
            )
        start = text.index(words)
    end = item.get("end")
    end = start + len(words) if end is None else end
    if start < 0 or end > len(text) or text[start:end] != words:
        raise Misplaced(f'the {kind} "{words[:60]}" does not stand at {start}:{end}')
    if is_blank(words):
        raise Misplaced(f"the {kind} at {start}:{end} has no visible character")
    return start, end


def state_of(value: Any, wanted: str = "text") -> str:
    """Return what is wrong with the value of a field."""
    if value is None:
        return "missing"
    return "empty" if value == "" else f"not a {wanted}"


def merge_aspects(aspects: Sequence[Aspect]) -> list[Aspect]:
    """Return the aspects with those of the same place made one, in their order."""
    merged: dict[Place, Aspect] = {}
    for aspect in aspects:
        known = merged.get(aspect.place)
        if known is None:
            merged[aspect.place] = aspect
            continue
        both = [each for each in (known.opinions, aspect.opinions) if each is not None]
        opinions = tuple(dict.fromkeys(sum(both, ()))) if both else None
        polarities = tuple(dict.fromkeys(known.polarities + aspect.polarities))
        merged[aspect.place] = dataclasses.replace(
            known, polarities=polarities, opinions=opinions
        )
    return list(merged.values())
