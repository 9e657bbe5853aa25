"""Accuracy, loss and perplexity of masked tokens; accuracy of the order of parts."""

import math
from collections.abc import Sequence

MONITOR = "mlm_accuracy"  # the figure that picks the best model
# The figures shown after each epoch.
REPORTED = ("mlm_accuracy", "mlm_loss", "order_accuracy")


def mlm_scores(losses: Sequence[float], correct: Sequence[bool]) -> dict[str, float]:
    """Return the scores of masked tokens.

    `losses` are the negative natural logarithms of the true tokens' probabilities.
    `mlm_accuracy` is the part, in percent, of which the token was the likeliest;
    `mlm_loss` the mean loss; `perplexity` its exponential, the number of equally
    likely tokens that would be as hard to choose among; `masked` the number of tokens.

    Without a token there is no score but the accuracy, which is 0.
    """
    count = len(losses)
    if not count:
        return {"mlm_accuracy": 0.0, "masked": 0}
    loss = math.fsum(losses) / count
    return {
        "mlm_accuracy": 100.0 * sum(correct) / count,
        "mlm_loss": loss,
        "perplexity": math.exp(min(loss, 700.0)),  # beyond it is no float
        "masked": count,
    }


def order_scores(expected: Sequence[int], found: Sequence[int]) -> dict[str, float]:
    """Return `order_accuracy` in percent and `pairs`; nothing without pairs."""
    if not expected:
        return {}
    equal = sum(one == other for one, other in zip(expected, found, strict=True))
    return {
        "order_accuracy": 100.0 * equal / len(expected),
        "pairs": len(expected),
    }
