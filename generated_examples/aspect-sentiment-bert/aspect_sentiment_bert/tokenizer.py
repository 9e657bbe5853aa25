"""Tokenizers: loading one as its checkpoint means it, or training one."""

import dataclasses
import itertools
import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path

from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    trainers,
)

from .errors import UserError
from .sentencepiece_files import read_model, unigram_tokenizer
from .token_text import google_normalizer, google_words

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
FILES = ("tokenizer.json", "vocab.txt", "spiece.model", "*.model", "*vocab*.txt")
WORD_CAP = 200  # characters; a longer word is one [UNK]. Hugging Face's files say 100


@dataclasses.dataclass(frozen=True)
class SpecialIds:
    """Ids of the tokens that stand around and between texts."""

    cls: int
    sep: int


def load_tokenizer(
    path: str | Path, *, lowercase: bool | None = None, google_ids: bool = True
) -> Tokenizer:
    """Load a vocabulary, from its path or the first of FILES in a folder.

    The ids are those of Google's own tokenization. So a `tokenizer.json` with
    WordPiece and BertNormalizer, as Hugging Face has them, gets Google's word cap
    and normalization; `google_ids=False` leaves it as it is. Padding and truncation
    are switched off, and special tokens written in a text ("[SEP]") are read as text.

    `lowercase` says whether texts are lower-cased and lose their accents. None takes
    that from tokenizer.json, else from tokenizer_config.json, else from the
    vocabulary. A saved tokenizer holds the decision. Raises UserError where no file
    can be read, and where `lowercase` cannot be applied.
    """
    file = find_vocabulary(Path(path))
    try:
        tokenizer, lowercase = read_tokenizer(file, lowercase, google_ids)
    except UserError:
        raise
    except Exception as error:  # tokenizers raises a bare Exception for a bad file
        raise UserError(
            f"cannot read the tokenizer {file}",
            str(error),
            "get the file again from where the weights came from",
        ) from error
    if lowercase is not None:
        warn_of_casing(file, lowercase)
    return prepare(tokenizer)


def find_vocabulary(path: Path) -> Path:
    """Return a folder's vocabulary, or the path itself where it is no folder."""
    if not path.is_dir():
        return path
    for pattern in FILES:
        found = sorted(path.glob(pattern))
        if len(found) > 1:
            raise UserError(
                f"more than one vocabulary in {path}",
                ", ".join(file.name for file in found),
                "give the path of the one that belongs to the weights",
            )
        if found:
            return found[0]
    raise UserError(
        f"no vocabulary in {path}",
        f"looked for {', '.join(FILES)}",
        "put the file that came with the weights into that folder",
    )


def read_tokenizer(
    file: Path, lowercase: bool | None, google_ids: bool
) -> tuple[Tokenizer, bool | None]:
    """Return a file's tokenizer and whether it lower-cases (None: unknown)."""
    if file.suffix == ".json":
        tokenizer = Tokenizer.from_file(str(file))
        if google_ids or lowercase is not None:
            lowercase = make_google(tokenizer, lowercase)
        return tokenizer, lowercase
    if file.suffix in (".model", ".spm"):
        model = read_model(file)
        words = [piece.text.removeprefix("▁") for piece in model.pieces]
        if lowercase is None:
            lowercase = is_lowercase(words, file)
        return unigram_tokenizer(model, lowercase), lowercase
    vocabulary = read_vocabulary(file)
    if lowercase is None:
        lowercase = is_lowercase(vocabulary, file)
    return wordpiece_tokenizer(vocabulary, lowercase), lowercase


def make_google(tokenizer: Tokenizer, lowercase: bool | None) -> bool | None:
    """Make a BERT tokenizer give Google's ids; return whether it lower-cases.

    Any other kind is left alone: None, or UserError where `lowercase` is asked for.
    """
    found = casing(tokenizer)
    if found is None:
        if lowercase is not None:
            raise UserError(
                "the tokenizer's casing cannot be changed",
                "its tokenizer.json is not that of a BERT WordPiece tokenizer",
                "leave out lowercase, or load the vocabulary file",
            )
        return None
    lowercase, strip_accents = found if lowercase is None else (lowercase, lowercase)
    tokenizer.normalizer = google_normalizer(lowercase, strip_accents)
    tokenizer.pre_tokenizer = google_words()
    tokenizer.model.max_input_chars_per_word = WORD_CAP
    return lowercase


def casing(tokenizer: Tokenizer) -> tuple[bool, bool] | None:
    """Return (lower-cases, strips accents) of a BERT tokenizer, None for another."""
    normalizer = tokenizer.normalizer
    if normalizer is None or not isinstance(tokenizer.model, models.WordPiece):
        return None
    if isinstance(normalizer, normalizers.BertNormalizer):
        if not (normalizer.clean_text and normalizer.handle_chinese_chars):
            return None
        lowercase, strip = normalizer.lowercase, normalizer.strip_accents
        return lowercase, lowercase if strip is None else strip
    for lowercase, strip in itertools.product((True, False), repeat=2):
        ours = google_normalizer(lowercase, strip)
        if normalizer.__getstate__() == ours.__getstate__():
            return lowercase, strip
    return None


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
    tokens = [line.strip(" \t\r") for line in text.removesuffix("\n").split("\n")]
    return {token: index for index, token in enumerate(tokens)}


def wordpiece_tokenizer(vocabulary: dict[str, int], lowercase: bool) -> Tokenizer:
    """Return BERT's tokenizer for a vocabulary."""
    tokenizer = Tokenizer(
        models.WordPiece(
            vocabulary, unk_token="[UNK]", max_input_chars_per_word=WORD_CAP
        )
    )
    tokenizer.normalizer = google_normalizer(lowercase)
    tokenizer.pre_tokenizer = google_words()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer


def is_lowercase(words: Iterable[str], file: Path) -> bool:
    """Return whether texts are lower-cased (and lose their accents) first.

    `tokenizer_config.json` beside the file says so where it is there. Otherwise a
    vocabulary without one capital letter can only have been made from lower-cased
    text; names in brackets ("[CLS]", and "<S>" of chinese_L-12) do not count.
    """
    settings = file.parent / "tokenizer_config.json"
    if settings.exists():
        try:
            answer = json.loads(settings.read_text("utf-8")).get("do_lower_case")
        except (ValueError, AttributeError) as error:
            raise UserError(
                f"cannot read {settings}",
                str(error),
                "mend or remove it; lowercase=True or False then decides",
            ) from error
        if answer is not None:
            return bool(answer)
    words = (word for word in words if not word.startswith(("[", "<")))
    return not any(word != word.lower() for word in words)


def warn_of_casing(file: Path, lowercase: bool) -> None:
    """Warn where the name of a Google checkpoint in the path tells another casing."""
    names = re.findall(
        r"(uncased|multi_cased|cased|multilingual|chinese)\w*_L-\d", str(file.resolve())
    )
    if names and lowercase == (names[-1] in ("cased", "multi_cased")):
        kind, wanted = ("lower-cased", False) if lowercase else ("cased", True)
        print(
            f"warning: {file} is read as {kind}, but {names[-1]}_* checkpoints are "
            f"not: load_tokenizer(path, lowercase={wanted}) changes that",
            file=sys.stderr,
        )


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
    tokenizer = wordpiece_tokenizer({"[UNK]": 0}, lowercase=True)
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
    return prepare(wordpiece_tokenizer(tokenizer.get_vocab(), lowercase=True))
