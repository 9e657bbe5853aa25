"""Text and tokens: Google's normalization, tokens found again, pairs cut to length."""

import unicodedata
from collections.abc import Iterable

import numpy as np
from tokenizers import Regex, normalizers, pre_tokenizers

# Unicode classes as Google's tokenization.py uses them. Google isolates all of
# U+2B820..U+2CEAF like other CJK blocks; BertNormalizer lacks the first 256 of them.
CONTROL = r"[\x{0}-\x{8}\x{B}\x{C}\x{E}-\x{1F}\x{7F}-\x{9F}\x{FFFD}\p{Cf}]"
ISOLATED = r"[\p{P}!-/:-@\[-`{-~\x{2B820}-\x{2B91F}]"
# A sigma that ends a word, by the rule of Unicode's SpecialCasing and str.lower().
FINAL_SIGMA = r"Σ(?<=\p{Cased}\p{Case_Ignorable}*Σ)(?!\p{Case_Ignorable}*\p{Cased})"
# Of such characters alone, a text has no token: controls, spaces, separate accents.
INVISIBLE = {"Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Mc", "Me"}
SPECIAL = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}
SPECIAL |= {"<pad>", "<unk>", "<s>", "</s>", "<mask>"}


def google_normalizer(
    lowercase: bool, strip_accents: bool | None = None
) -> normalizers.Normalizer:
    """Return BasicTokenizer's cleaning, lower-casing and accent stripping.

    `BertNormalizer` alone strips accents before it lower-cases, drops private-use
    characters, knows no final sigma and classifies by older Unicode tables.
    """
    steps = [
        normalizers.Replace(Regex(CONTROL), ""),
        normalizers.BertNormalizer(
            clean_text=False,
            handle_chinese_chars=True,
            strip_accents=False,
            lowercase=False,
        ),
    ]
    if lowercase:
        steps.append(normalizers.Replace(Regex(FINAL_SIGMA), "ς"))
        steps.append(normalizers.Lowercase())
    if lowercase if strip_accents is None else strip_accents:
        steps.append(normalizers.NFD())
        steps.append(normalizers.Replace(Regex(r"\p{Mn}"), ""))
    return normalizers.Sequence(steps)


def google_words() -> pre_tokenizers.PreTokenizer:
    """Return the division of a text around punctuation and at white space."""
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(ISOLATED), "isolated"),
            pre_tokenizers.WhitespaceSplit(),
        ]
    )


def is_blank(text: str) -> bool:
    """Return whether a text has no character that tokens are made of."""
    return all(
        unicodedata.category(character) in INVISIBLE or character == "\ufffd"
        for character in text
    )


def cover_marks(text: str, offsets: np.ndarray) -> np.ndarray:
    """Return offsets (tokens, 2) in which a token takes in the marks that follow it.

    Accents that stand as characters of their own are dropped before a text is divided,
    and no token would cover the last one of a word. Nor the voicing marks of half-width
    Katakana, which NFKC makes one with the letter before.
    """
    if text.isascii() or not len(offsets):
        return offsets
    is_mark = [unicodedata.category(x) == "Mn" or x in "\uff9e\uff9f" for x in text]
    is_mark = np.array([*is_mark, False])
    starts, ends = offsets[:, 0], offsets[:, 1].copy()
    following = np.append(starts[1:], len(text))
    while (more := is_mark[ends] & (ends < following)).any():
        ends[more] += 1
    return np.stack([starts, ends], axis=1)


def rematch(
    text: str, tokens: Iterable[str], reach: int = 100
) -> list[tuple[int, int]]:
    """Return where each token stands in a text: first and last-plus-one character.

    For tokens that come without offsets, of any tokenizer: case, accents, "##", "▁",
    compatibility forms and dropped characters may differ from the text's. A token
    that is not found within `reach` characters after the one before it, a special
    token such as "[UNK]", and one without visible characters get an empty span at
    the end of the one before. Where the tokenizer gives offsets, use those.
    """
    folded, origin = [], []
    for index, character in enumerate(text):
        letters = fold(character)
        folded.append(letters)
        origin.extend([index] * len(letters))
    haystack = "".join(folded)
    spans, place, end = [], 0, 0
    for token in tokens:
        needle = "" if token in SPECIAL else fold(bare(token))
        found = haystack.find(needle, place, place + reach + len(needle))
        if needle and found >= 0:
            place = found + len(needle)
            spans.append((origin[found], origin[place - 1] + 1))
            end = spans[-1][1]
        else:
            spans.append((end, end))
    return spans


def bare(token: str) -> str:
    """Return a token without the mark of its place in a word."""
    if token.startswith("##") and len(token) > 2:
        return token[2:]
    return token.replace("▁", "")


def fold(text: str) -> str:
    """Return the letters that a text keeps under any tokenizer's normalization."""
    text = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    dropped = ("Mn", "Cc", "Cf", "Zs", "Zl", "Zp")
    return "".join(
        character
        for character in text
        if unicodedata.category(character) not in dropped and character != "\ufffd"
    )


def truncate_pair(first: int, second: int, limit: int) -> tuple[int, int]:
    """Return how many tokens of two texts are kept so that together they fit.

    The longer text loses its last token, again and again, and the second where both
    are equally long: `_truncate_seq_pair` of Google's run_classifier.py. Raises
    ValueError for a negative limit.
    """
    if limit < 0:
        raise ValueError(f"limit {limit} is less than 0")
    if first + second <= limit:
        return first, second
    kept = min(first, max(limit - second, (limit + 1) // 2))
    return kept, limit - kept
