"""The vocabulary of an encoder with random weights: trained, or from a file."""

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Tokenizer, models, trainers

from .checkpoints import find_checkpoint
from .errors import UserError
from .known_checkpoints import ORIGINS
from .sentencepiece_files import (
    CONTROL,
    NORMAL,
    UNKNOWN,
    Piece,
    SentencePieceModel,
    unigram_tokenizer,
)
from .tokenizer import load_tokenizer, prepare, train_tokenizer

# In the order of ALBERT's own vocabularies.
UNIGRAM_SPECIAL = ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")


def make_tokenizer(kind: str, size: int, texts: Iterable[str]) -> Tokenizer:
    """Return a tokenizer: "wordpiece" or "unigram" trained on texts, or a checkpoint's.

    Raises UserError where there is no such kind and no such path.
    """
    if kind == "wordpiece":
        return train_tokenizer(texts, size)
    if kind == "unigram":
        return train_unigram(texts, size)
    known = kind in ORIGINS or kind.startswith("hf://")
    if not known and not Path(kind).exists():
        raise UserError(
            f'no vocabulary "{kind}"',
            "it is neither wordpiece nor unigram, and no such file or folder exists",
            "--vocabulary with one of these, or the path of a vocabulary",
        )
    return load_tokenizer(find_checkpoint(kind))


def train_unigram(texts: Iterable[str], size: int) -> Tokenizer:
    """Train a lower-cased Unigram vocabulary, ALBERT's kind, on some texts.

    Unlike WordPiece's, the trainer adds up in the order of a hash table: a few pieces
    differ from run to run. Keep the vocabulary where runs are to be compared.
    """
    tokenizer = unigram_tokenizer(make_model([("▁", 0.0)]), lowercase=True)
    words = Tokenizer(models.Unigram())
    words.normalizer = tokenizer.normalizer
    words.pre_tokenizer = tokenizer.pre_tokenizer
    trainer = trainers.UnigramTrainer(
        vocab_size=size,
        special_tokens=list(UNIGRAM_SPECIAL),
        unk_token="<unk>",
        show_progress=False,
    )
    words.train_from_iterator(texts, trainer)
    pieces = pieces_and_scores(words)
    return prepare(unigram_tokenizer(make_model(pieces), lowercase=True))


def pieces_and_scores(tokenizer: Tokenizer) -> list[tuple[str, float]]:
    """Return the pieces of a trained model with their scores, in alphabetical order."""
    vocabulary = json.loads(tokenizer.to_str())["model"]["vocab"]
    return sorted(
        (text, score) for text, score in vocabulary if text not in UNIGRAM_SPECIAL
    )


def make_model(pieces: list[tuple[str, float]]) -> SentencePieceModel:
    """Return a SentencePiece model of the special tokens and some pieces."""
    kinds = {"<unk>": UNKNOWN}
    special = [Piece(name, 0.0, kinds.get(name, CONTROL)) for name in UNIGRAM_SPECIAL]
    return SentencePieceModel(
        [*special, *(Piece(text, score, NORMAL) for text, score in pieces)], b""
    )
