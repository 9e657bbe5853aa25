"""An example: a sentence, and what it is compared with."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Example:
    """A sentence, alone or with another.

    With a `positive`, which means the same, and perhaps a `negative`, which does not;
    or with a `sentence_pair` and a `score` of how alike the two are, None where it is
    to be predicted. `source` says where it was read; `problem`, why it cannot be
    learned from.
    """

    id: str
    sentence: str
    positive: str | None = None
    negative: str | None = None
    sentence_pair: str | None = None
    score: float | None = None
    source: str = ""
    problem: str = ""

    @property
    def other(self) -> str | None:
        """Return the sentence that this one is compared with."""
        return self.sentence_pair if self.positive is None else self.positive

    @property
    def texts(self) -> tuple[str, ...]:
        """Return all its sentences."""
        parts = (self.sentence, self.positive, self.negative, self.sentence_pair)
        return tuple(text for text in parts if text is not None)
