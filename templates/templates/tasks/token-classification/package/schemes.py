"""Tags of entities and how schemes write them: IOB1, IOB2, BIOES, BMES and BILOU.

A tag is "O", or a letter and a type: "B-person". Reading needs no scheme, since one
rule fits all: an entity begins at B or S, and at any other letter that does not go on
with the entity before it; it ends at E or S, and where the next word does not go on.
That is seqeval's default and conlleval's reading. So an I- that stands alone begins an
entity, as IOB1 means it and as broken IOB2 is best understood.
"""

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

OUTSIDE = "O"
UNTYPED = "_"  # the type of an entity whose tag is a letter alone
# First word, word between, last word, only word. IOB1 writes B only where an entity
# touches one of the same type.
SCHEMES = {
    "iob1": "IIII",
    "iob2": "BIIB",
    "bioes": "BIES",
    "bmes": "BMES",
    "bilou": "BILU",
}
# Letters of other schemes -> those of BIOES that mean the same; W is BMEWO's.
SAME = {"M": "I", "L": "E", "U": "S", "W": "S"}
LETTERS = "BIESMLUW"


class Span(NamedTuple):
    """An entity: its type, its first word, and the word after its last."""

    label: str
    start: int
    stop: int


def split_tag(tag: str) -> tuple[str, str] | None:
    """Return letter (of BIOES) and type, ("O", "") for "O", None for no tag."""
    if tag == OUTSIDE:
        return OUTSIDE, ""
    letter, hyphen, label = tag.partition("-")
    if letter not in tuple(LETTERS) or bool(hyphen) != bool(label):
        return None
    return SAME.get(letter, letter), label or UNTYPED


def is_tag(tag: str) -> bool:
    """Return whether a label is "O" or a letter with or without a type."""
    return split_tag(tag) is not None


def has_scheme(labels: Iterable[str]) -> bool:
    """Return whether labels mark entities: most are tags, and one has a type.

    Letters alone ("B", "I") count where there is nothing else and "B" is among them.
    """
    labels = set(labels)
    tags = {label for label in labels if is_tag(label)}
    typed = any("-" in label for label in tags)
    return (typed and 2 * len(tags) > len(labels)) or (tags == labels and "B" in tags)


def spans(tags: Sequence[str]) -> list[Span]:
    """Return the entities of a sentence whose tags are of any scheme, in order."""
    found: list[Span] = []
    begin, before = 0, (OUTSIDE, "")
    for index, tag in enumerate([*tags, OUTSIDE]):
        letter, label = split_tag(tag) or (OUTSIDE, "")
        inside = before[0] != OUTSIDE
        goes_on = inside and letter in "IE" and before[0] in "BI" and label == before[1]
        if inside and not goes_on:
            found.append(Span(before[1], begin, index))
        if letter != OUTSIDE and not goes_on:
            begin = index
        before = (letter, label)
    return found


def strict_spans(tags: Sequence[str], scheme: str) -> list[Span]:
    """Return the entities that are written by the scheme's rules alone.

    What begins without B (or S), or in BIOES does not end with E, is none: seqeval's
    `mode="strict"`. `scheme` is "iob2" or "bioes".
    """
    found = []
    for span in spans(tags):
        right = write_tags([span], span.stop, scheme)[span.start :]
        if list(tags[span.start : span.stop]) == right:
            found.append(span)
    return found


def write_tags(found: Iterable[Span], count: int, scheme: str) -> list[str]:
    """Return the tags of a sentence of `count` words, for entities in their order."""
    tags = [OUTSIDE] * count
    first, between, last, only = SCHEMES[scheme]
    before = Span("", -1, -1)
    for span in found:
        inner = [between] * (span.stop - span.start - 2)
        letters = [first, *inner, last] if span.stop - span.start > 1 else [only]
        if scheme == "iob1" and (before.stop, before.label) == (span.start, span.label):
            letters[0] = "B"
        for index, letter in enumerate(letters, start=span.start):
            tags[index] = letter if span.label == UNTYPED else f"{letter}-{span.label}"
        before = span
    return tags


def convert(tags: Sequence[str], scheme: str) -> list[str]:
    """Return tags of any scheme in another one, with the same entities."""
    return write_tags(spans(tags), len(tags), scheme)


def detect(sentences: Iterable[Sequence[str]]) -> str:
    """Return the scheme of some tagged sentences; "none" where they mark no entities.

    Letters decide, and between IOB1 and IOB2 which of them more entities are written
    by: in IOB1 most begin with I, in IOB2 with B. What fits both is IOB2.
    """
    sentences = list(sentences)
    labels = {tag for tags in sentences for tag in tags}
    if not has_scheme(labels):
        return "none"
    letters = {tag[0] for tag in labels if tag != OUTSIDE and is_tag(tag)}
    for scheme, own in (("bmes", "M"), ("bilou", "LU"), ("bioes", "ES")):
        if letters & set(own):
            return scheme
    firsts = [tags[span.start][0] for tags in sentences for span in spans(tags)]
    return "iob1" if firsts.count("I") > firsts.count("B") else "iob2"


def all_tags(types: Iterable[str], scheme: str) -> list[str]:
    """Return every tag that a scheme has for some types of entities, "O" first."""
    letters = sorted(set(SCHEMES[scheme]))
    return [
        OUTSIDE,
        *(
            letter if label == UNTYPED else f"{letter}-{label}"
            for label, letter in itertools.product(sorted(types), letters)
        ),
    ]
