"""Google's tokenization, stated anew from its behaviour: slow, and easy to check.

`words` and `wordpieces` are what tokenization.py of google-research/bert does,
`prepare_albert` and `albert_pieces` what that of google-research/albert does.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping

WORD_CAP = 200
CJK_BLOCKS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


class Table(dict[int, str]):
    """A table for `str.translate` that is filled as characters come up."""

    def __init__(self, rule: Callable[[str], str]) -> None:
        super().__init__()
        self.rule = rule

    def __missing__(self, code: int) -> str:
        self[code] = self.rule(chr(code))
        return self[code]


def cleaned(character: str) -> str:
    """Drop control characters, make spaces one, and set CJK characters apart."""
    category = unicodedata.category(character)
    if character in "\t\n\r" or category == "Zs":
        return " "
    if character in "\0\ufffd" or category in ("Cc", "Cf"):
        return ""
    if any(first <= ord(character) <= last for first, last in CJK_BLOCKS):
        return f" {character} "
    return character


def without_accent(character: str) -> str:
    """Drop nonspacing marks."""
    return "" if unicodedata.category(character) == "Mn" else character


def set_apart(character: str) -> str:
    """Set punctuation apart, and ASCII symbols with it."""
    ascii_symbol = "!" <= character <= "~" and not character.isalnum()
    if ascii_symbol or unicodedata.category(character).startswith("P"):
        return f" {character} "
    return character


CLEANED, WITHOUT_ACCENT, SET_APART = map(Table, (cleaned, without_accent, set_apart))


def words(text: str, lowercase: bool) -> list[str]:
    """Return the words that BasicTokenizer makes of a text."""
    found = []
    for word in text.translate(CLEANED).split():
        if lowercase:
            word = unicodedata.normalize("NFD", word.lower()).translate(WITHOUT_ACCENT)
        found.extend(word.translate(SET_APART).split())
    return found


def wordpieces(word: str, vocabulary: Mapping[str, int]) -> list[int]:
    """Return the ids of a word: the longest known piece first, or [UNK] for all."""
    ids: list[int] = []
    begin = 0
    while begin < len(word) <= WORD_CAP:
        mark = "##" if begin else ""
        ends = range(len(word), begin, -1)
        end = next((e for e in ends if mark + word[begin:e] in vocabulary), None)
        if end is None:
            return [vocabulary["[UNK]"]]
        ids.append(vocabulary[mark + word[begin:end]])
        begin = end
    return ids or [vocabulary["[UNK]"]]


def prepare_albert(text: str) -> str:
    """Return the text as ALBERT gives it to SentencePiece."""
    text = unicodedata.normalize("NFKD", " ".join(text.split()))
    return "".join(c for c in text if not unicodedata.combining(c)).lower()


def albert_pieces(text: str, encode: Callable[[str], list[str]]) -> list[str]:
    """Return SentencePiece's pieces, the comma after a digit being one of its own."""
    found = []
    for piece in encode(prepare_albert(text)):
        if len(piece) < 2 or piece[-1] != "," or not piece[-2].isdigit():
            found.append(piece)
            continue
        number = encode(piece[:-1].replace("▁", ""))
        if not piece.startswith("▁") and number[0].startswith("▁"):
            number[:1] = [number[0][1:]] if number[0] != "▁" else []
        found += [*number, ","]
    return found
