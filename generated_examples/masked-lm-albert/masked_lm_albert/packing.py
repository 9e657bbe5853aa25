"""Rows of one or two parts from documents, as Google's create_pretraining_data.py.

A row is `[CLS] part [SEP] part [SEP]`. Sentences are added until a row is full; the
first part takes one or more of them. What the second part is, decides the task:

    nsp    with even chance the sentences that follow (0), or some from another
           document (1), and then what followed begins the next row
    sop    the sentences that follow, in the right order (0) or swapped (1)
    none   there is no second part

Where a row has but one sentence, its second part is from another document (1).
"""

import dataclasses
from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from .features import Features

if TYPE_CHECKING:
    from .config import TrainConfig

ORDERS = ("nsp", "sop", "none")
IGNORED = -1  # the order of a row that has no second part

Place = tuple[int, int]  # first and last-plus-one token


@dataclasses.dataclass(frozen=True)
class Packing:
    """Rows: where their parts stand among all tokens."""

    places: np.ndarray  # (rows, 4) int64: first and last-plus-one token of each part
    order: np.ndarray  # (rows,) int32: the label above, or IGNORED

    @property
    def lengths(self) -> np.ndarray:
        """Return the tokens of each row, the special ones included, (rows,)."""
        first, first_end, second, second_end = self.places.T
        return first_end - first + second_end - second + 2 + (second_end > second)


def pack(
    features: Features, config: "TrainConfig", mask_id: int, epoch: int = 0
) -> Packing:
    """Return the rows of an epoch, which the seed decides.

    A document with blanks to fill, tokens of `mask_id`, is never mixed with others.
    """
    packer = Packer(features, config, Random(f"{config.seed}/{epoch}"))
    blanks = np.flatnonzero(features.input_ids == mask_id)
    prompts = set(np.searchsorted(features.token_splits, blanks, "right") - 1)
    packer.filled = [each for each in packer.filled if each not in prompts]
    rows: list[tuple[Place, Place, int]] = []
    for document in range(len(features.document_splits) - 1):
        if document in prompts or config.sentence_order == "none":
            rows += packer.single_rows(document, short=document not in prompts)
        elif config.sentence_order == "nsp" and len(packer.filled) == 1:
            rows += packer.single_rows(document, short=True)  # there is no other
        else:
            rows += packer.pair_rows(document)
    places = np.array([(*a, *b) for a, b, _ in rows], "int64").reshape(-1, 4)
    return Packing(places, np.array([order for *_, order in rows], "int32"))


def joined(packings: list[Packing]) -> Packing:
    """Return the rows of several packings of the same features, one after another."""
    return Packing(
        np.concatenate([each.places for each in packings]),
        np.concatenate([each.order for each in packings]),
    )


class Packer:
    """Makes rows of documents, one document after another."""

    def __init__(
        self, features: Features, config: "TrainConfig", random: Random
    ) -> None:
        self.splits = features.sentence_splits.tolist()
        self.documents = features.document_splits.tolist()
        filled = np.flatnonzero(np.diff(features.token_splits))
        self.filled = filled.tolist()  # documents that have a token
        self.config = config
        self.random = random

    def sentences(self, document: int) -> list[int]:
        """Return the token where each sentence of a document begins, and the end."""
        first, last = self.documents[document : document + 2]
        return self.splits[first : last + 1]

    def target(self, room: int) -> int:
        """Return how many tokens the rows of a document shall have: some are short."""
        if self.random.random() < self.config.short_seq_prob:
            return self.random.randint(2, room)
        return room

    def single_rows(
        self, document: int, short: bool
    ) -> Iterator[tuple[Place, Place, int]]:
        """Yield rows of one part; every token of the document is in one of them."""
        room = self.config.max_length - 2
        target = self.target(room) if short else room
        splits = self.sentences(document)
        first, count = 0, len(splits) - 1
        while first < count:
            last = first + 1
            while last < count and splits[last + 1] - splits[first] <= target:
                last += 1
            yield (splits[first], splits[last]), (0, 0), IGNORED
            first = last

    def pair_rows(self, document: int) -> Iterator[tuple[Place, Place, int]]:
        """Yield rows of two parts."""
        room = self.config.max_length - 3
        target = self.target(room)
        splits = self.sentences(document)
        first, count = 0, len(splits) - 1
        swapping = self.config.sentence_order == "sop"
        while first < count:
            last = first + 1
            while last < count and splits[last] - splits[first] < target:
                last += 1
            alone = last - first == 1
            if alone and len(self.filled) == 1:
                yield (splits[first], splits[last]), (0, 0), IGNORED
                break
            cut = first + 1 if alone else self.random.randint(first + 1, last - 1)
            one, other = (splits[first], splits[cut]), (splits[cut], splits[last])
            changed = alone or self.random.random() < 0.5
            if changed and swapping and not alone:
                one, other = other, one
            elif changed:
                other = self.elsewhere(document, target - (one[1] - one[0]))
                last = cut
            yield *self.cut_to_fit(one, other, room), int(changed)
            first = last

    def elsewhere(self, document: int, wanted: int) -> Place:
        """Return sentences of another document, `wanted` tokens or a few more."""
        for _ in range(10):
            found = self.random.choice(self.filled)
            if found != document:
                break
        splits = self.sentences(found)
        first = self.random.randrange(len(splits) - 1)
        last = first + 1
        while last < len(splits) - 1 and splits[last] - splits[first] < wanted:
            last += 1
        return splits[first], splits[last]

    def cut_to_fit(self, one: Place, other: Place, room: int) -> tuple[Place, Place]:
        """Take tokens off the longer part, at its begin or its end, until both fit."""
        a, b, c, d = *one, *other
        while b - a + d - c > room:
            at_begin = self.random.random() < 0.5
            if b - a > d - c:
                a, b = (a + 1, b) if at_begin else (a, b - 1)
            else:
                c, d = (c + 1, d) if at_begin else (c, d - 1)
        return (a, b), (c, d)
