"""Pictures of attention: which token attends to which, in a layer, by heads."""

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from tokenizers import Tokenizer

from .atomic import atomically
from .dataset import Text
from .errors import UserError
from .features import collate, encode

SUFFIXES = (".png", ".svg", ".pdf")
COLUMNS = 4  # pictures side by side
LARGEST = 30.0  # inches of a picture's side
MOST_TOKENS = 128  # more could not be read

Map = tuple[str, np.ndarray]  # a title, and weights (tokens, tokens)


def compute(
    encoder: keras.Model, tokenizer: Tokenizer, text: Text
) -> tuple[np.ndarray, list[str]]:
    """Return weights (layers, heads, tokens, tokens) of a text, and its tokens.

    The weights of each row, a token that attends, add up to 1. `encoder` was built with
    `return_attention_weights`. What is longer than can be drawn is cut, and said so.
    """
    positions = encoder.get_layer("embeddings_position").input_dim
    length = min(MOST_TOKENS, positions)
    (row,) = encode([text], tokenizer, length)
    if row.cut:
        print(f"the text has more than {length} tokens: the first are drawn")
    inputs = collate([row], len(row.input_ids))  # without any padding
    weights = encoder.predict_on_batch(inputs)["attention_weights"][0]
    tokens = [tokenizer.id_to_token(index) for index in row.input_ids.tolist()]
    return weights, tokens


def choose(weights: np.ndarray, layer: str, heads: Sequence[str]) -> list[Map]:
    """Return the maps of some heads of a layer with their titles.

    Layers and heads count from 1, "-1" is the last layer; "mean" is that of all heads.
    Raises UserError for what the encoder does not have.
    """
    depth, count = weights.shape[:2]
    number = whole(layer, depth)
    if number < 0:
        number += depth + 1
    if not 1 <= number <= depth:
        raise absent("layer", layer, depth)
    chosen = weights[number - 1]
    maps: list[Map] = []
    for head in [str(n + 1) for n in range(count)] if "all" in heads else heads:
        if head == "mean":
            maps.append((f"layer {number}, mean of {count} heads", chosen.mean(axis=0)))
            continue
        index = whole(head, 0)
        if not 1 <= index <= count:
            raise absent("head", head, count)
        maps.append((f"layer {number}, head {index}", chosen[index - 1]))
    return maps


def whole(text: str, depth: int) -> int:
    """Return the number in a text, 0 where there is none that counts."""
    try:
        number = int(text)
    except ValueError:
        return 0
    return number if -depth <= number else 0


def absent(what: str, given: str, count: int) -> UserError:
    """Return the error for a layer or a head that is not there."""
    more = "-1 for the last" if what == "layer" else "mean or all"
    return UserError(
        f'there is no {what} "{given}"',
        f"the encoder has {count}, counted from 1",
        f"a number from 1 to {count}, or {more}",
    )


def check_output(path: Path) -> None:
    """Raise UserError where no picture can be drawn into a file of that name."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise UserError(
            "cannot draw a picture",
            "matplotlib is not installed",
            'pip install -e ".[plots]"',
        ) from error
    if path.suffix not in SUFFIXES:
        raise UserError(
            f"cannot draw {path}",
            f"its name ends in none of {', '.join(SUFFIXES)}",
            f"for example {path.with_suffix('.png')}",
        )


def draw(path: Path, maps: Sequence[Map], tokens: Sequence[str]) -> None:
    """Draw heat maps side by side, each with its own scale, into a whole file."""
    from matplotlib.figure import Figure

    columns = min(COLUMNS, len(maps))
    rows = -(-len(maps) // columns)
    side = min(LARGEST / columns, max(4.0, 1.8 + 0.22 * len(tokens)))
    size = min(10.0, 36.0 * side / len(tokens))  # a token's letters fit in its cell
    names = drawable(tokens)
    figure = Figure(figsize=(columns * side, rows * side), layout="constrained")
    grid = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes, (title, weights) in zip(grid, maps, strict=False):
        image = axes.imshow(weights, cmap="viridis", vmin=0.0)
        axes.set_title(title, fontsize=10)
        axes.set_xticks(range(len(names)), names, rotation=90, fontsize=size)
        axes.set_yticks(range(len(names)), names, fontsize=size)
        axes.set(xlabel="attended to", ylabel="attending")
        figure.colorbar(image, ax=axes, shrink=0.7)
    for axes in grid[len(maps) :]:
        axes.set_visible(False)
    with atomically(path) as unfinished:
        figure.savefig(unfinished, dpi=120)


def drawable(tokens: Sequence[str]) -> list[str]:
    """Return what tokens are called in a picture; "$" would begin a formula.

    Where no font here has a token's letters, it is its place.
    """
    from matplotlib import font_manager, rcParams

    # matplotlib's own font has no Chinese, Japanese and Korean characters.
    fonts = {font.name for font in font_manager.fontManager.ttflist}
    eastern = sorted(name for name in fonts if "CJK" in name or "WenQuanYi" in name)
    rcParams["font.sans-serif"] = ["DejaVu Sans", *eastern[:1]]
    return [
        f"#{place}" if token >= "\u2e80" and not eastern else token.replace("$", r"\$")
        for place, token in enumerate(tokens, start=1)
    ]
