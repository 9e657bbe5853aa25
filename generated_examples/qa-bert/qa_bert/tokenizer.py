"""Tokenizers: loading one as its checkpoint means it, or training one."""

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)

from .errors import UserError

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@dataclasses.dataclass(frozen=True)
class SpecialIds:
    """Ids of the tokens that stand around and between texts."""

    cls: int
    sep: int


def load_tokenizer(path: str | Path) -> Tokenizer:
    """Load `tokenizer.json`, else `vocab.txt`, from a folder or a path.

    Padding and truncation that the file may bring are switched off, and special
    tokens written in a text ("[SEP]") are read as text, as in Google's code.
    Raises UserError where neither file can be read.
    """
    folder = Path(path)
    files = [folder / "tokenizer.json", folder / "vocab.txt"]
    files = [file for file in files if file.exists()] if folder.is_dir() else [folder]
    if not files:
        raise UserError(
            f"no vocabulary in {folder}",
            "looked for tokenizer.json and vocab.txt",
            "put the file that came with the weights into that folder",
        )
    try:
        if files[0].suffix == ".json":
            tokenizer = Tokenizer.from_file(str(files[0]))
        else:
            tokenizer = wordpiece_tokenizer(read_vocabulary(files[0]), folder)
    except UserError:
        raise
    except Exception as error:  # tokenizers raises a bare Exception for a bad file
        raise UserError(
            f"cannot read the tokenizer {files[0]}",
            str(error),
            "get the file again from where the weights came from",
        ) from error
    return prepare(tokenizer)


def prepare(tokenizer: Tokenizer) -> Tokenizer:
    """Switch off what would change or cut a text behind our back."""
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    return tokenizer


def read_vocabulary(path: Path) -> dict[str, int]:
    """Return token -> id; a token's id is the number of its line.

    Lines end at "\\n" alone: bert-base-chinese has U+2028 as a token, which
    `str.splitlines` would take for a line end and shift every later id.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"cannot read the vocabulary {path}",
            str(error),
            "give a UTF-8 file with one token a line",
        ) from error
    tokens = [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]
    return {token: index for index, token in enumerate(tokens)}


def wordpiece_tokenizer(vocabulary: dict[str, int], folder: Path) -> Tokenizer:
    """Return BERT's tokenizer for a vocabulary, with Google's word cap of 200."""
    tokenizer = Tokenizer(
        models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=200)
    )
    lowercase = is_lowercase(vocabulary, folder)
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True,
        handle_chinese_chars=True,
        strip_accents=lowercase,
        lowercase=lowercase,
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def is_lowercase(vocabulary: dict[str, int], folder: Path) -> bool:
    """Return whether texts are lower-cased (and lose their accents) first.

    `tokenizer_config.json` says so where it is there. Otherwise a vocabulary
    without one capital letter can only have been made from lower-cased text.
    """
    settings = (folder if folder.is_dir() else folder.parent) / "tokenizer_config.json"
    if settings.exists():
        answer = json.loads(settings.read_text(encoding="utf-8")).get("do_lower_case")
        if answer is not None:
            return bool(answer)
    words = (token for token in vocabulary if not token.startswith("["))
    return not any(token != token.lower() for token in words)


def special_ids(tokenizer: Tokenizer) -> SpecialIds:
    """Return the ids of [CLS] and [SEP]; raise UserError where one is missing."""
    ids = {"cls": tokenizer.token_to_id("[CLS]"), "sep": tokenizer.token_to_id("[SEP]")}
    for name, index in ids.items():
        if index is None:
            raise UserError(
                f"the vocabulary has no [{name.upper()}]",
                "BERT's inputs begin with [CLS], and [SEP] ends each text",
                "use the vocabulary that belongs to the weights",
            )
    return SpecialIds(**ids)


def train_tokenizer(texts: Iterable[str], vocab_size: int = 8000) -> Tokenizer:
    """Train a lower-cased WordPiece vocabulary on some texts."""
    tokenizer = wordpiece_tokenizer({"[UNK]": 0}, Path())
    texts = list(texts)
    letters = sorted(set("".join(map(tokenizer.normalizer.normalize_str, texts))))
    # The trainer numbers continuing letters in the order of a hash table, and breaks
    # ties by number: given as special tokens they have the same number in every run.
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocab_size,
        special_tokens=[*SPECIAL_TOKENS, *(f"##{x}" for x in letters if x.strip())],
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return prepare(wordpiece_tokenizer(tokenizer.get_vocab(), Path()))
