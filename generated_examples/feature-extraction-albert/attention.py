"""Draw which tokens of a text attend to which.

    python attention.py --pretrained DIR --text "The ferry was late."
    python attention.py --pretrained DIR --text "A text" "its pair" --layer 3 \\
        --heads 1 2 5 --output attention.png
    python attention.py --model-dir runs/001 --heads all --output attention.svg

Rows are the tokens that attend, columns those that they attend to; each row adds up to
1. Needs matplotlib: pip install -e ".[plots]"
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from feature_extraction_albert import (
    attention_maps,
    dataset,
    loading,
    runs,
    selection,
)
from feature_extraction_albert.config import (
    ExtractConfig,
)
from feature_extraction_albert.dataset import Text
from feature_extraction_albert.errors import (
    ArgumentParser,
    UserError,
    run_command,
)

EXAMPLE = "The heron stood on the bank of the river."
SAMPLE = Path("data/texts.jsonl")  # trains the vocabulary of random weights
# Settings that say which encoder it is.
NAMES = ("pretrained", "encoder_config", "vocabulary", "vocab_size", "seed")


def main(arguments: Sequence[str]) -> None:
    """Compute the attention of one text, and draw it."""
    parser = ArgumentParser("attention.py", __doc__)
    parser.add_argument("--text", nargs="+", default=[], help="a text, or a pair")
    parser.add_argument("--layer", default="-1", help="1 is the first, -1 the last")
    parser.add_argument(
        "--heads", nargs="+", default=["mean"], help="numbers from 1 on, all, or mean"
    )
    parser.add_argument("--output", default="attention.png", help=".png, .svg or .pdf")
    parser.add_argument("--model-dir", default="", help="a run, to use its model")
    runs.add_options(parser, ExtractConfig, NAMES)
    given = vars(parser.parse_args(selection.hide_minus(arguments)))
    own = ("text", "layer", "heads", "output", "model_dir")
    text, layer, heads, output, folder = (given.pop(name) for name in own)
    if len(text) > 2:
        raise UserError(
            f"--text has {len(text)} texts",
            "attention is within one text or a pair",
            "put quotation marks around each text",
        )
    attention_maps.check_output(Path(output))
    config = dataclasses.replace(ExtractConfig(), **given)
    loading.prepare_backend(config)
    encoder, tokenizer = loading.load_encoder(
        config,
        folder,
        dataset.read_texts(SAMPLE, config),
        return_attention_weights=True,
    )
    shown = Text("text", *(text or [EXAMPLE]))
    weights, tokens = attention_maps.compute(encoder, tokenizer, shown)
    maps = attention_maps.choose(weights, layer.strip(), heads)
    attention_maps.draw(Path(output), maps, tokens)
    print(f"{len(maps)} maps of {len(tokens)} tokens in {output}")


if __name__ == "__main__":
    run_command(main)
