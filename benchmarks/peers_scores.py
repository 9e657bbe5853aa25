"""The scores of peers.py, by others' code, the same for both sides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import seqeval.metrics


def accuracy(gold: Sequence[str], found: Sequence[str]) -> float:
    """Return the share of equal labels, in percent."""
    right = sum(a == b for a, b in zip(gold, found, strict=True))
    return 100 * right / len(gold)


def entity_f1(gold: Sequence[list[str]], found: Sequence[list[str]]) -> float:
    """Return seqeval's F1 in its default mode, that of conlleval, in percent."""
    return 100 * float(seqeval.metrics.f1_score(gold, found))


Score = Callable[[Any, Any], float]
SCORES: dict[str, Score] = {
    "sequence-classification": accuracy,
    "token-classification": entity_f1,
}
