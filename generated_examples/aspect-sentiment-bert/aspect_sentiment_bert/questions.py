"""The questions of both steps: of which text, what is asked, what is the answer."""

import dataclasses
from collections.abc import Sequence

from .aspects import Aspect, Example, Place
from .config import TrainConfig

UNKNOWN = -1  # a target that the loss passes over
# The questions that README.md gives for Chinese texts: a new vocabulary knows them.
CHINESE_QUESTIONS = ("文中评价了哪些方面？", "文中怎样评价{aspect}？", "整体")


@dataclasses.dataclass(frozen=True)
class Question:
    """A question about a text, and its answer where that is known.

    `about` is the place of the aspect that step 2 asks about. `spans` are first and
    last-plus-one character of what is asked for, with the number of its polarity or
    UNKNOWN; None where nobody knows. `implicit` is 1 where the text has an aspect that
    it does not name, else 0; `polarity`, the number of the aspect's own: both UNKNOWN
    where they are not asked for.
    """

    text: str
    question: str
    about: Place = None
    spans: tuple[tuple[int, int, int], ...] | None = None
    implicit: int = UNKNOWN
    polarity: int = UNKNOWN


def questions_with_answers(
    examples: Sequence[Example], config: TrainConfig
) -> list[Question]:
    """Return all that can be learned from some examples: both steps, row by row."""
    questions = []
    for example in examples:
        questions.append(ask_for_aspects(example, config))
        for aspect in example.aspects:
            questions.append(ask_for_opinions(aspect, example.text, config))
    return questions


def ask_for_aspects(example: Example, config: TrainConfig) -> Question:
    """Return step 1: the aspects' places are the answer, no polarity is asked for."""
    named = [x for x in example.aspects if x.start is not None and x.end is not None]
    spans = tuple((x.start or 0, x.end or 0, UNKNOWN) for x in named)
    implicit = int(len(named) < len(example.aspects))
    return Question(example.text, config.aspect_question, None, spans, implicit)


def ask_for_opinions(aspect: Aspect, text: str, config: TrainConfig) -> Question:
    """Return step 2: the opinions on one aspect are the answer, and the polarities.

    The aspect has a polarity of its own where its annotations agree on one.
    """
    numbers = {name: number for number, name in enumerate(config.polarities)}
    spans = None
    if aspect.opinions is not None:
        spans = tuple(
            (x.start, x.end, numbers.get(x.polarity, UNKNOWN)) for x in aspect.opinions
        )
    polarity = UNKNOWN
    if len(aspect.polarities) == 1:
        polarity = numbers.get(aspect.polarities[0], UNKNOWN)
    question = opinion_question(aspect.place, text, config)
    return Question(text, question, aspect.place, spans, UNKNOWN, polarity)


def opinion_question(place: Place, text: str, config: TrainConfig) -> str:
    """Return the words that ask what is said of the aspect at a place."""
    name = config.implicit_name if place is None else text[place[0] : place[1]]
    return config.opinion_question.replace("{aspect}", name)
