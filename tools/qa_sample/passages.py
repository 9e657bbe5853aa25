"""Composes passages from frames, and asks questions about them."""

import random
import re
from dataclasses import dataclass, field
from typing import Any

from qa_sample.frames import Frame
from qa_sample.markup import Span, choose, parse_spans, sentence_case
from qa_sample.pools import NAME_POOLS
from qa_sample.slots import draw_new, draw_slots, fill, number_words

# By split. Where questions are few, more of the unanswerable ones lack an answerable
# twin and are left out again.
UNANSWERABLE_CHANCE = {"train": 0.155, "validation": 0.165, "test": 0.175, "new": 0.21}
NUMBER_WORDS = {number_words(number) for number in range(1, 100)}


@dataclass
class Question:
    """A question with its acceptable answers (text and start; none: unanswerable)."""

    text: str
    form: str  # frame, key and number of the wording
    kind: str  # "answerable", or why not: "untold", "swapped" or "absent"
    answers: list[tuple[str, int]] = field(default_factory=list)


@dataclass
class Passage:
    """A text with marked answers, its slots' values and its questions."""

    frame: Frame
    text: str
    spans: list[Span]
    values: dict[str, Any]
    split: str
    questions: list[Question] = field(default_factory=list)
    parts: list["Passage"] = field(default_factory=list)

    def frames(self) -> list[Frame]:
        """Return the frame, or those of the parts of a long passage."""
        return [part.frame for part in self.parts] or [self.frame]

    def names(self) -> set[str]:
        """Return the proper names drawn for the passage."""
        if self.parts:
            return {name for part in self.parts for name in part.names()}
        slots = self.frame.slots.items()
        return {str(self.values[slot]) for slot, pool in slots if pool in NAME_POOLS}


def _shuffled(run: list[str], rng: random.Random) -> list[str]:
    """Shuffle sentences; those on another entity come last.

    An "it" in a sentence after them would seem to mean that entity.
    """
    rng.shuffle(run)
    return sorted(run, key=lambda wording: "@other" in wording)


def _ordered_wordings(frame: Frame, keep: float, rng: random.Random) -> list[str]:
    """Choose units and their wordings, and shuffle the runs of movable ones."""
    wordings: list[str] = []
    run: list[str] = []
    for unit in frame.units:
        if not unit.movable:
            wordings += _shuffled(run, rng)
            run = []
        if not unit.optional or rng.random() < keep:
            (run if unit.movable else wordings).append(rng.choice(unit.wordings))
    return wordings + _shuffled(run, rng)


def compose_passage(frame: Frame, split: str, rng: random.Random) -> Passage:
    """Compose one passage; ``split`` also says whose names and phrases it may use."""
    values = draw_slots(frame.slots, rng, split)
    text, spans = "", []
    for wording in _ordered_wordings(frame, rng.uniform(0.35, 0.9), rng):
        plain, sentence_spans = parse_spans(fill(choose(wording, rng), values))
        offset = len(text) + bool(text)
        text += (" " if text else "") + sentence_case(plain)
        for key, start, end, secondary in sentence_spans:
            spans.append(Span(key, start + offset, end + offset, secondary))
    return Passage(frame, text, spans, values, split)


def acceptable_answers(passage: Passage, key: str) -> list[tuple[str, int]]:
    """Return the answers marked with a key, the one to learn first."""
    spans = [span for span in passage.spans if span.key == key]
    spans.sort(key=lambda span: (span.secondary, span.start))
    answers = [(passage.text[span.start : span.end], span.start) for span in spans]
    text, start = answers[0]
    before = re.search(
        r"\b(because|in|on|at|from|since) $", passage.text[:start], re.IGNORECASE
    )
    if before and (
        before[1].lower() == "because" or text[0].isdigit() or text[0].isupper()
    ):
        answers.append((before[0] + text, before.start()))
    return list(dict.fromkeys(answers))[:3]


def with_bare_number(answers: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Where the first answer is a number and its noun, accept the number alone."""
    text, start = answers[0]
    number, _, noun = text.partition(" ")
    if noun and " " not in noun and (number in NUMBER_WORDS or number[0].isdigit()):
        return [*answers, (number, start)][:3]
    return answers


def _ask(
    passage: Passage, key: str, about: str, kind: str, rng: random.Random
) -> Question | None:
    """Word a question about the ``name``, the ``other`` or an absent entity."""
    frame, values = passage.frame, dict(passage.values)
    forms = list(enumerate(frame.questions[key]))
    if about != "name":
        forms = [(number, form) for number, form in forms if "{S}" in form]
    if not forms:
        return None
    if about == "absent":
        taken = {word for value in values.values() for word in str(value).split()}
        pool = frame.slots["name"]
        values["name"] = draw_new(pool, taken - {"the"}, values, rng, passage.split)
    elif about == "other":
        values["name"] = values["other"]
    number, form = rng.choice(forms)
    text = choose(form.replace("{S}", frame.subject), rng)
    answers = []
    if kind == "answerable":
        told_key = key if about == "name" else f"{key}@other"
        answers = acceptable_answers(passage, told_key)
        if re.search(r"\bhow many\b|\bnumber of\b", text, re.IGNORECASE):
            answers = with_bare_number(answers)
    label = f"{frame.name}/{key}/{number}"
    return Question(sentence_case(fill(text, values)), label, kind, answers)


def _candidates(passage: Passage) -> tuple[list[tuple], list[tuple]]:
    """List what may be asked: (key, about, kind) with an answer and without."""
    told = {span.key for span in passage.spans}
    has_other = (
        "other" in passage.values and str(passage.values["other"]) in passage.text
    )
    can_answer, cannot = [], []
    for key in passage.frame.questions:
        if key in told:
            can_answer.append((key, "name", "answerable"))
        else:
            cannot.append((key, "name", "untold"))
        if f"{key}@other" in told:
            can_answer.append((key, "other", "answerable"))
        elif has_other and key in told:
            cannot.append((key, "other", "swapped"))
        if key in told:
            cannot.append((key, "absent", "absent"))
    return can_answer, cannot


def ask_questions(
    passage: Passage, limit: int, rng: random.Random, named: bool = False
) -> list[Question]:
    """Ask up to ``limit`` questions; with ``named`` every one names its subject."""
    can_answer, cannot = _candidates(passage)
    rng.shuffle(can_answer)
    questions: list[Question] = []
    for key, about, kind in can_answer[:limit]:
        if cannot and rng.random() < UNANSWERABLE_CHANCE[passage.split]:
            wanted = rng.choice(sorted({candidate[2] for candidate in cannot}))
            key, about, kind = rng.choice(
                [item for item in cannot if item[2] == wanted]
            )
            cannot.remove((key, about, kind))
        if named and not all("{S}" in form for form in passage.frame.questions[key]):
            continue
        question = _ask(passage, key, about, kind, rng)
        if question and question.text not in {asked.text for asked in questions}:
            questions.append(question)
    return questions


def compose_long_passage(
    frames: list[Frame], split: str, rng: random.Random
) -> Passage:
    """Join passages on different things into one of several hundred words.

    The questions are about parts spread from the first to the last; no name is used
    in two parts.
    """
    parts: list[Passage] = []
    used: set[str] = set()
    goal = rng.randint(520, 800)
    for _ in range(200):
        if sum(len(part.text.split()) for part in parts) >= goal:
            break
        part = compose_passage(rng.choice(frames), split, rng)
        if part.names() & used:
            continue
        used |= part.names()
        parts.append(part)
    text = "\n".join(part.text for part in parts)
    count = rng.randint(5, 6)
    questions: list[Question] = []
    for turn in range(count):
        part = parts[turn * (len(parts) - 1) // (count - 1)]
        offset = text.index(part.text)
        for question in ask_questions(part, 8, rng, named=True)[:1]:
            question.answers = [
                (answer, start + offset) for answer, start in question.answers
            ]
            questions.append(question)
    return Passage(parts[0].frame, text, [], {}, split, questions, parts)
