"""What makes a vector: which layers, which poolings, and in which order."""

import re
from collections.abc import Sequence

from .errors import UserError

POOLINGS = ("cls", "nsp", "max", "mean", "tokens")
LAYER = re.compile(r"-?\d+")
RANGE = re.compile(r"(-?\d+)?:(-?\d+)?")
NEGATIVE = re.compile(r"-\d+(:(-?\d+)?)?")


def layer_numbers(wanted: Sequence[str], depth: int) -> tuple[int, ...]:
    """Return the numbers of layers, 0 the embeddings to `depth` the last, in order.

    "-1" counts from the end. "2:4" is layers 2 and 3, "-4:" the last four and ":" all,
    the embeddings too, as Python cuts lists. Raises UserError for what is no layer.
    """
    numbers: list[int] = []
    for word in wanted:
        word = word.strip()
        if LAYER.fullmatch(word) and -depth - 1 <= int(word) <= depth:
            numbers.append(int(word) % (depth + 1))
        elif match := RANGE.fullmatch(word):
            first, stop = (int(x) if x else None for x in match.groups())
            found = range(depth + 1)[first:stop]
            if not found:
                raise bad_layer(word, "there is no layer in that range", depth)
            numbers += found
        else:
            raise bad_layer(word, "there is no such layer", depth)
    if not numbers:
        raise bad_layer("", "at least one layer is needed", depth)
    if len(set(numbers)) < len(numbers):
        shown = " ".join(map(str, numbers))
        raise bad_layer(" ".join(wanted), f"a layer comes twice: {shown}", depth)
    return tuple(numbers)


def bad_layer(word: str, why: str, depth: int) -> UserError:
    """Return the error for a layer that the encoder does not have."""
    return UserError(
        f'cannot take the layers "{word}"',
        f"{why}; the encoder has 0, the embeddings, and 1 to {depth}",
        "for example --layers -1, --layers -1 -2 or --layers -4:",
    )


def check_pooling(pooling: Sequence[str]) -> None:
    """Raise UserError where poolings are unknown or cannot stand side by side."""
    why = ""
    if unknown := [name for name in pooling if name not in POOLINGS]:
        why = f'there is no pooling "{unknown[0]}"'
    elif not pooling:
        why = "at least one is needed"
    elif len(set(pooling)) < len(pooling):
        why = "one comes twice"
    elif "tokens" in pooling and len(pooling) > 1:
        why = "tokens gives a vector for each token, the others one for the whole text"
    if why:
        raise UserError(
            f'cannot pool by "{" ".join(pooling)}"',
            why,
            f"choose from {', '.join(POOLINGS)}",
        )


def hide_minus(arguments: Sequence[str]) -> list[str]:
    """Return a command line in which "-4:" is not taken for an option.

    argparse takes what holds a blank for a value.
    """
    return [f" {each}" if NEGATIVE.fullmatch(each) else each for each in arguments]
