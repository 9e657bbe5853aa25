"""Which tokens begin a word: words are masked whole."""

from typing import Any

import numpy as np
from tokenizers import Tokenizer

from .errors import UserError

UNITS = ("word", "piece", "chinese")


def word_marks(tokenizer: Tokenizer, unit: str) -> np.ndarray:
    """Return for each id of the vocabulary whether the token begins a word, bool.

    In WordPiece "##" goes on with a word. In SentencePiece letters without "▁" do,
    but for scripts that put no spaces between words.
    """
    vocabulary = tokenizer.get_vocab()
    marks = np.ones(1 + max(vocabulary.values()), bool)
    if unit == "piece":
        return marks
    wordpiece = any(token.startswith("##") for token in vocabulary)
    for token, index in vocabulary.items():
        if wordpiece:
            marks[index] = not (token.startswith("##") and len(token) > 2)
        else:
            marks[index] = not goes_on(token)
    return marks


def goes_on(token: str) -> bool:
    """Return whether a SentencePiece token goes on with the word before it."""
    # From U+2E80 on: Chinese, Japanese, Korean.
    return token.isalpha() and all(letter < "\u2e80" for letter in token)


class ChineseWords:
    """Words of Chinese text as jieba finds them."""

    def __init__(self) -> None:
        """Load jieba; raise UserError where it is not installed."""
        try:
            import jieba
        except ImportError as error:
            raise UserError(
                "--mask-unit chinese needs the package jieba",
                "it finds the words of a Chinese text, and is not installed",
                "pip install jieba, which is this project's extra `chinese`",
            ) from error
        jieba.setLogLevel("WARNING")  # it tells of each start otherwise
        self._jieba: Any = jieba

    def begins(self, text: str, offsets: np.ndarray) -> np.ndarray:
        """Return for tokens at these characters, (tokens, 2), which begin a word."""
        starts = [start for _, start, _ in self._jieba.tokenize(text)]
        return np.isin(offsets[:, 0], starts)
