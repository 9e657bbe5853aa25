"""A checkpoint with another vocabulary or more positions, written as a new folder.

    python -m PACKAGE.reshape DIR --output-dir NEW --positions 1024
    python -m PACKAGE.reshape DIR --output-dir NEW --add-tokens covid 5g
    python -m PACKAGE.reshape DIR --output-dir NEW --keep-tokens-of a.txt b.jsonl

PACKAGE is the folder that this file is in. The new folder serves as --pretrained, here
and for transformers. It has the encoder; heads for a task are left behind.

For a few new words nothing needs to be reshaped: vocab.txt of Google's models has lines
such as [unused1], which may be replaced by words of one's own.
"""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import keras
import numpy as np
from tokenizers import Tokenizer

from . import weight_names
from .atomic import atomically
from .checkpoint_writers import write_folder
from .checkpoints import find_checkpoint, model_variables
from .encoder import EncoderConfig, build_encoder
from .errors import ArgumentParser, UserError, run_command
from .tokenizer import load_tokenizer, prepare
from .weights import from_pretrained, load_config

Arrays = dict[str, np.ndarray]
TOKENS, POSITIONS = "embeddings_token/embeddings", "embeddings_position/embeddings"


def main(arguments: Sequence[str]) -> None:
    """Read a checkpoint, change what was asked for, write the new folder."""
    parser = ArgumentParser("reshape.py", __doc__)
    parser.add_argument("checkpoint", help="folder, file or short name")
    parser.add_argument("--output-dir", required=True, help="folder to write")
    parser.add_argument("--positions", type=int, help="longest input, in tokens")
    parser.add_argument("--add-tokens", nargs="+", default=[], help="new tokens")
    parser.add_argument(
        "--keep-tokens-of", nargs="+", default=[], help="texts whose tokens are kept"
    )
    options = parser.parse_args(arguments)
    folder = Path(options.output_dir)
    if folder.exists():
        raise UserError(
            f"{folder} is already there",
            "nothing is overwritten",
            "give another --output-dir",
            exit_code=3,
        )
    config = load_config(options.checkpoint)
    tokenizer = load_tokenizer(find_checkpoint(options.checkpoint))
    encoder = from_pretrained(options.checkpoint)
    arrays = {
        key: keras.ops.convert_to_numpy(variable)
        for key, variable in model_variables(encoder).items()
    }
    if options.keep_tokens_of:
        tokenizer, kept = prune(tokenizer, read_lines(options.keep_tokens_of))
        arrays[TOKENS] = arrays[TOKENS][kept]
    if options.add_tokens:
        arrays[TOKENS] = add_tokens(tokenizer, arrays[TOKENS], options.add_tokens)
    if options.positions:
        arrays[POSITIONS] = fit_positions(arrays[POSITIONS], options.positions)
    write(arrays, config, tokenizer, folder)
    print(f"{folder}: {len(arrays[TOKENS])} tokens, {len(arrays[POSITIONS])} positions")


def write(
    arrays: Arrays, config: EncoderConfig, tokenizer: Tokenizer, folder: Path
) -> None:
    """Write an encoder of these weights; the folder is whole or absent."""
    config = dataclasses.replace(
        config,
        vocab_size=len(arrays[TOKENS]),
        max_position_embeddings=len(arrays[POSITIONS]),
    )
    weight_names.release_config(config, "torch")  # may refuse: before a file is there
    encoder = build_encoder(config)
    for key, variable in model_variables(encoder).items():
        variable.assign(arrays[key])
    with atomically(folder) as unfinished:
        unfinished.mkdir()
        write_folder(encoder, config, tokenizer, "Model", unfinished)


def fit_positions(table: np.ndarray, rows: int, share: float = 0.4) -> np.ndarray:
    """Return a table of `rows` positions whose first rows are those of `table`.

    Position i · n + j beyond the n known ones is share · u(i) + (1 - share) · u(j),
    with u such that the known positions keep their vectors: Jianlin Su's hierarchical
    decomposition, https://kexue.fm/archives/7947. It serves n² positions, and the
    longer inputs should be trained on. Fewer rows are the first ones.
    """
    known = len(table)
    if not 0 < rows <= known**2:
        raise UserError(
            f"--positions {rows} cannot be had",
            f"{known} known positions can be extended to {known**2} at the most",
            "give a number between",
        )
    vectors = (table - share * table[:1]) / (1 - share)
    block, place = np.divmod(np.arange(rows), known)
    extended = share * vectors[block] + (1 - share) * vectors[place]
    extended[:known] = table[:rows]  # without rounding
    return extended.astype(table.dtype)


def add_tokens(
    tokenizer: Tokenizer, table: np.ndarray, tokens: Sequence[str]
) -> np.ndarray:
    """Add tokens to the tokenizer and return the table with rows for them.

    A new token's vector is the mean of those of the pieces it was divided into.
    """
    pieces = [tokenizer.encode(token, add_special_tokens=False).ids for token in tokens]
    known = [token for token in tokens if tokenizer.token_to_id(token) is not None]
    if known or not all(pieces):
        raise UserError(
            f"cannot add {known or tokens}",
            "a token that is there already, or of no visible character",
            "leave it out",
        )
    tokenizer.add_tokens(list(tokens))
    return np.concatenate([table, [table[ids].mean(axis=0) for ids in pieces]])


def prune(tokenizer: Tokenizer, lines: Iterable[str]) -> tuple[Tokenizer, list[int]]:
    """Return a tokenizer of the tokens that occur in texts, and their old ids.

    The texts are divided as before: the longest piece that fits is still there.
    Special tokens and single characters stay, so that other texts have pieces too.
    """
    content = json.loads(tokenizer.to_str())
    if content["model"]["type"] != "WordPiece":
        raise UserError(
            "this vocabulary cannot be pruned",
            f"it is {content['model']['type']}, where scores decide, not WordPiece",
            "leave --keep-tokens-of out",
        )
    used = {i for each in tokenizer.encode_batch(list(lines)) for i in each.ids}
    vocabulary = sorted(content["model"]["vocab"].items(), key=lambda pair: pair[1])
    kept = [
        (token, index)
        for token, index in vocabulary
        if index in used
        or len(token.removeprefix("##")) == 1
        or token in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    ]
    content["model"]["vocab"] = {token: new for new, (token, _) in enumerate(kept)}
    added = [each for each in content["added_tokens"] if each["content"] in dict(kept)]
    for each in added:
        each["id"] = content["model"]["vocab"][each["content"]]
    content["added_tokens"] = added
    content["post_processor"] = None  # it holds ids; inputs are put together here
    return prepare(Tokenizer.from_str(json.dumps(content))), [old for _, old in kept]


def read_lines(paths: Sequence[str]) -> Iterable[str]:
    """Yield the lines of text files; JSON's escapes are undone."""
    for path in paths:
        try:
            text = Path(path).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(
                f"cannot read {path}", str(error), "give a text file in UTF-8"
            ) from error
        for line in text.split("\n"):
            try:
                yield json.dumps(json.loads(line), ensure_ascii=False)
            except ValueError:
                yield line


if __name__ == "__main__":
    run_command(main)
