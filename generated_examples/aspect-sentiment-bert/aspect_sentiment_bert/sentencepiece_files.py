"""SentencePiece models: reading a `.model` file, and ALBERT's tokenizer from it."""

import dataclasses
import itertools
import math
import re
import struct
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from tokenizers import (
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
)

from .errors import UserError
from .token_text import FINAL_SIGMA

# Kinds of pieces and of models, as sentencepiece_model.proto numbers them.
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE = range(1, 7)
UNIGRAM = 1
MODEL_KINDS = {1: "unigram", 2: "BPE", 3: "word", 4: "character"}
# What Python's str.split() divides at, except for the space itself.
OTHER_SPACES = r"[[\s\x{1C}-\x{1F}\x{85}]&&[^ ]]"


@dataclasses.dataclass(frozen=True)
class Piece:
    """One entry of the vocabulary."""

    text: str
    score: float
    kind: int


@dataclasses.dataclass(frozen=True)
class SentencePieceModel:
    """What a `.model` file holds; a piece's id is its place in `pieces`."""

    pieces: list[Piece]
    charsmap: bytes  # SentencePiece's own normalization, compiled


def read_model(path: Path) -> SentencePieceModel:
    """Read a unigram model.

    Raises UserError for a file that cannot be read or is damaged, and for a model of
    a kind that ALBERT does not have (BPE, byte fallback).
    """
    try:
        return parse_model(path.read_bytes())
    except OSError as error:
        why = error.strerror or str(error)
    except (ValueError, struct.error) as error:
        why = str(error)
    raise UserError(
        f"cannot read the SentencePiece model {path}",
        why,
        "get ALBERT's spiece.model or 30k-clean.model from where the weights came from",
    )


def parse_model(data: bytes) -> SentencePieceModel:
    """Return the model in a file's bytes; raise ValueError where they hold none."""
    pieces: list[Piece] = []
    parts: dict[int, dict] = {2: {}, 3: {}}  # trainer and normalizer settings
    for number, value in fields(data):
        if number == 1:
            pieces.append(parse_piece(message(value)))
        elif number in parts:
            parts[number] = dict(fields(message(value)))
    trainer, normalizer = parts[2], parts[3]
    kind = trainer.get(3, UNIGRAM)
    if kind != UNIGRAM:
        raise ValueError(f"a {MODEL_KINDS.get(kind, kind)} model, not a unigram one")
    # add_dummy_prefix, remove_extra_whitespaces, escape_whitespaces, all on by default
    if trainer.get(24, 0) or not all(normalizer.get(field, 1) for field in (3, 4, 5)):
        raise ValueError("its treatment of spaces is not ALBERT's")
    if any(piece.kind == BYTE for piece in pieces):
        raise ValueError("byte pieces, which ALBERT does not have")
    if sum(piece.kind == UNKNOWN for piece in pieces) != 1:
        raise ValueError("not exactly one piece for unknown text")
    if not any(piece.kind == NORMAL for piece in pieces):
        raise ValueError("no pieces of text")
    if len({piece.text for piece in pieces}) < len(pieces):
        raise ValueError("a piece stands in it twice")
    charsmap = message(normalizer.get(2, b""))
    if charsmap:  # the size of a table in blocks of 1024 bytes, the table, and texts
        size = int.from_bytes(charsmap[:4], "little")
        if not 0 < size <= len(charsmap) - 4 or size % 1024:
            raise ValueError(f"a damaged normalization table of {size} bytes")
    return SentencePieceModel(pieces, charsmap)


def parse_piece(data: bytes) -> Piece:
    """Return one piece from its protobuf message."""
    values = dict(fields(data))
    text = message(values.get(1, b"")).decode("utf-8")
    score, kind = values.get(2, bytes(4)), values.get(3, NORMAL)
    (score,) = struct.unpack("<f", message(score))
    if isinstance(kind, bytes) or kind not in range(1, 7):
        raise ValueError(f"a damaged piece: {text!r} of kind {kind!r}")
    if not text or not math.isfinite(score):
        raise ValueError(f"a damaged piece: {text!r}, score {score}")
    return Piece(text, score, kind)


def message(value: int | bytes) -> bytes:
    """Return a field's bytes; raise ValueError where it is a number."""
    if isinstance(value, int):
        raise ValueError("a number where text belongs")
    return value


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of each field of a protobuf message.

    A value is an integer, or bytes (of a string, a message, or a fixed-size number).
    https://protobuf.dev/programming-guides/encoding/
    """
    position = 0
    value: int | bytes
    while position < len(data):
        key, position = varint(data, position)
        kind = key & 7
        if kind == 0:
            value, position = varint(data, position)
        elif kind in (1, 2, 5):
            size = {1: 8, 5: 4}.get(kind, 0)
            if kind == 2:
                size, position = varint(data, position)
            if position + size > len(data):
                raise ValueError(f"it ends within {size} bytes at byte {position}")
            value = data[position : position + size]
            position += size
        else:
            raise ValueError(f"no SentencePiece model: field kind {kind}")
        yield key >> 3, value


def varint(data: bytes, position: int) -> tuple[int, int]:
    """Return the integer at a position, seven bits a byte, and the position after."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise ValueError("it ends within a number")
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, position
    raise ValueError(f"no number at byte {position}")


def unigram_tokenizer(model: SentencePieceModel, lowercase: bool) -> Tokenizer:
    """Return ALBERT's tokenizer: `preprocess_text` and `encode_pieces` of Google's.

    A piece that ends in digit and comma ("▁3,") is split by Google after the fact;
    here it cannot match, so that "▁3" and "," are found at once. It keeps its id,
    under a name that no text can have.
    """
    best = max(piece.score for piece in model.pieces if piece.kind == NORMAL)
    vocabulary = []
    for piece in model.pieces:
        text, score = piece.text, piece.score
        if piece.kind == USER_DEFINED:  # SentencePiece prefers these to all others
            score = len(text) * best - 0.1
        if piece.kind == UNUSED or re.search(r"\d,$", text):
            text += "▁"  # texts are divided before each "▁"
        # Nine digits are a float32, and unlike 17 survive tokenizer.json unchanged.
        vocabulary.append((text, float(f"{score:.9g}")))
    unknown = [piece.kind for piece in model.pieces].index(UNKNOWN)
    tokenizer = Tokenizer(models.Unigram(vocabulary, unknown, False))
    tokenizer.normalizer = albert_normalizer(model, lowercase)
    names = [p.text for p in model.pieces if p.kind in (CONTROL, UNKNOWN)]
    tokenizer.pre_tokenizer = albert_words(names)
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


def albert_normalizer(
    model: SentencePieceModel, lowercase: bool
) -> normalizers.Normalizer:
    """Return Google's preparation of a text, followed by SentencePiece's own."""
    steps = [
        normalizers.Replace(Regex(OTHER_SPACES), " "),
        normalizers.NFKD(),
        normalizers.Replace(Regex(combining_characters()), ""),
    ]
    if lowercase:
        steps.append(normalizers.Replace(Regex(FINAL_SIGMA), "ς"))
        steps.append(normalizers.Lowercase())
    if model.charsmap:
        # `Precompiled` looks at single characters: NFC joins Korean syllables first.
        steps += [normalizers.NFC(), normalizers.Precompiled(model.charsmap)]
    return normalizers.Sequence([*steps, normalizers.Replace("▁", " ")])


def combining_characters() -> str:
    """Return a regular expression for what `unicodedata.combining` calls combining."""
    codes = [code for code in range(0x1F000) if unicodedata.combining(chr(code))]
    ranges = []
    for _, group in itertools.groupby(enumerate(codes), lambda pair: pair[1] - pair[0]):
        run = [code for _, code in group]
        ranges.append(f"{escape(run[0])}-{escape(run[-1])}")
    return f"[{''.join(ranges)}]"


def albert_words(names: list[str]) -> pre_tokenizers.PreTokenizer:
    """Return the division into words, each with its "▁".

    The first character of a special token's name that stands in a text is cut off:
    a text must not yield special tokens, as it would not with SentencePiece.
    """
    steps = [
        pre_tokenizers.WhitespaceSplit(),
        pre_tokenizers.Metaspace("▁", prepend_scheme="always", split=False),
    ]
    heads = [f"{quoted(n[0])}(?={quoted(n[1:])})" for n in names if len(n) > 1]
    if heads:
        pattern = Regex("|".join(heads))
        steps.append(pre_tokenizers.Split(pattern, "merged_with_previous"))
    return pre_tokenizers.Sequence(steps)


def quoted(text: str) -> str:
    """Return a regular expression for exactly this text."""
    return "".join(escape(ord(character)) for character in text)


def escape(code: int) -> str:
    """Return a character as a regular expression writes it, such as \\x{3A3}."""
    return "\\x{" + f"{code:X}" + "}"
