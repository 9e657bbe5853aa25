"""Tokenizers read texts as the checkpoint's own tokenization does."""

import pytest

from qa_bert.errors import UserError
from qa_bert.tokenizer import (
    load_tokenizer,
    read_vocabulary,
    special_ids,
    train_tokenizer,
)

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "[", "]", "sep", "cafe"]
WORDS += ["un", "##want", "##ed", ",", "，", "\u2028", "##\u2028", "last"]


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a small vocabulary that holds a line separator."""
    (tmp_path / "vocab.txt").write_bytes("\n".join(WORDS).encode() + b"\n")
    return tmp_path


def pieces(tokenizer, text):
    """Return the pieces of a text."""
    return tokenizer.encode(text, add_special_tokens=False).tokens


def test_ids_are_line_numbers(folder):
    """U+2028 is a token, not the end of a line that shifts all later ids."""
    vocabulary = read_vocabulary(folder / "vocab.txt")
    assert [vocabulary[word] for word in WORDS] == list(range(len(WORDS)))


def test_pieces(folder):
    """Lower case, accents, unknown words and full-width marks as in Google's code."""
    tokenizer = load_tokenizer(folder)
    assert pieces(tokenizer, "UNwanted, Café") == ["un", "##want", "##ed", ",", "cafe"]
    assert pieces(tokenizer, "，☃") == ["，", "[UNK]"]
    assert pieces(tokenizer, "[SEP]") == ["[", "sep", "]"]
    tokenizer.add_special_tokens(["[SEP]"])  # as Hugging Face's tokenizer.json has it
    tokenizer.save(str(folder / "tokenizer.json"))
    assert pieces(load_tokenizer(folder), "[SEP]") == ["[", "sep", "]"]


def test_cased_vocabulary_keeps_capitals(folder):
    """Capitals in the vocabulary, or tokenizer_config.json, keep a text's case."""
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": false}')
    assert pieces(load_tokenizer(folder), "CAFE") == ["[UNK]"]
    (folder / "tokenizer_config.json").unlink()
    (folder / "vocab.txt").write_text("\n".join([*WORDS[:5], "Ada"]))
    assert pieces(load_tokenizer(folder), "Ada") == ["Ada"]


def test_saved_tokenizer_is_the_same(folder):
    """The tokenizer.json of a run folder gives the same pieces."""
    text = "unwanted [SEP] Café ，"
    expected = pieces(load_tokenizer(folder), text)
    load_tokenizer(folder).save(str(folder / "tokenizer.json"))
    assert pieces(load_tokenizer(folder), text) == expected


def test_truncation_in_the_file_is_ignored(folder):
    """A tokenizer.json that cuts at 4 tokens, as some do at 128, does not cut here."""
    tokenizer = load_tokenizer(folder)
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=4)
    tokenizer.save(str(folder / "tokenizer.json"))
    assert len(pieces(load_tokenizer(folder), "last " * 9)) == 9
    assert len(pieces(load_tokenizer(folder), "last")) == 1


def test_trained_vocabulary():
    """A vocabulary trained on texts has the special tokens and needs no [UNK]."""
    texts = ["the cat sat on the mat", "the dog sat on the log"] * 5
    tokenizer = train_tokenizer(texts, vocab_size=60)
    assert tokenizer.token_to_id("[PAD]") == 0
    assert "[UNK]" not in pieces(tokenizer, "The cat sat on the log")


def test_missing_vocabulary_is_named(tmp_path):
    """A folder without a vocabulary, and one without [CLS], are told apart."""
    with pytest.raises(UserError, match="no vocabulary in"):
        load_tokenizer(tmp_path)
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\nword\n")
    with pytest.raises(UserError, match=r"\[CLS\]"):
        special_ids(load_tokenizer(tmp_path))
    (tmp_path / "tokenizer.json").write_text('{"version": ')
    with pytest.raises(UserError, match=r"tokenizer\.json"):
        load_tokenizer(tmp_path)
