"""Tokenizers read texts as the checkpoint's own tokenization does."""

import numpy as np
import pytest
from tokenizers import (
    Tokenizer,
    models,
    normalizers,
    pre_tokenizers,
)

from aspect_sentiment_bert.errors import UserError
from aspect_sentiment_bert.token_text import (
    cover_marks,
    is_blank,
    rematch,
    truncate_pair,
)
from aspect_sentiment_bert.tokenizer import (
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


def test_casing_is_decided_and_recorded(folder):
    """`lowercase` decides, a saved tokenizer keeps it, and "<S>" is no capital."""
    (folder / "vocab.txt").write_text("\n".join([*WORDS[:5], "<S>", "ada", "Ada"][:7]))
    assert pieces(load_tokenizer(folder), "Ada") == ["ada"]
    cased = load_tokenizer(folder, lowercase=False)
    assert pieces(cased, "Ada") == ["[UNK]"]
    cased.save(str(folder / "tokenizer.json"))
    assert load_tokenizer(folder).to_str() == cased.to_str()
    assert pieces(load_tokenizer(folder, lowercase=True), "Ada") == ["ada"]
    (folder / "tokenizer_config.json").write_text("[")
    with pytest.raises(UserError, match="tokenizer_config"):
        load_tokenizer(folder / "vocab.txt")


@pytest.mark.parametrize("name", ["uncased_L-2_H-4_A-2", "chinese_L-12_H-768_A-12"])
def test_casing_against_the_name_is_told(folder, capsys, name):
    """One line says that a folder's name and the casing contradict each other."""
    (folder / "vocab.txt").rename((folder / name).with_suffix(".tmp"))
    (folder / name).mkdir()
    (folder / name).with_suffix(".tmp").rename(folder / name / "vocab.txt")
    load_tokenizer(folder / name)
    assert capsys.readouterr().err == ""
    load_tokenizer(folder / name, lowercase=False)
    assert "lowercase=True" in capsys.readouterr().err


def test_hugging_face_file_gives_googles_ids(folder):
    """BertNormalizer and a word cap of 100 are made Google's unless asked not to."""
    vocabulary = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3, "##a": 4, "##ς": 5}
    theirs = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    theirs.normalizer = normalizers.BertNormalizer()
    theirs.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    theirs.save(str(folder / "tokenizer.json"))
    tokenizer = load_tokenizer(folder)
    assert len(pieces(tokenizer, "a" * 200)) == 200
    assert pieces(tokenizer, "a" * 201) == ["[UNK]"]
    assert pieces(tokenizer, "AΣ aΣa") == ["a", "##ς", "[UNK]"]
    theirs = load_tokenizer(folder, google_ids=False)
    assert pieces(theirs, "a" * 101) == pieces(theirs, "AΣ") == ["[UNK]"]


def test_vocabulary_of_albert_folders(folder):
    """vocab_chinese.txt is found, 30k-clean.vocab is not; two are one too many."""
    (folder / "vocab.txt").rename(folder / "30k-clean.vocab")
    with pytest.raises(UserError, match="no vocabulary in"):
        load_tokenizer(folder)
    (folder / "30k-clean.vocab").rename(folder / "vocab_chinese.txt")
    assert pieces(load_tokenizer(folder), "Café") == ["cafe"]
    (folder / "my_vocab.txt").write_text("[UNK]")
    with pytest.raises(UserError, match="more than one"):
        load_tokenizer(folder)


def test_offsets_are_places_in_the_text(folder):
    """Dropped characters, accents and letters that change length move nothing."""
    text = "\x00UN\u200bwante\u0301d， İ Cafe\u0301"
    encoding = load_tokenizer(folder).encode(text)
    found = [text[start:stop] for start, stop in encoding.offsets]
    assert encoding.tokens == ["un", "##want", "##ed", "，", "[UNK]", "cafe"]
    assert found == ["UN", "want", "e\u0301d", "，", "İ", "Cafe"]


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


def test_rematch():
    """Tokens of any tokenizer are found in the text; what is not has an empty span."""
    text = "Café ☃ NAÏVE\u200b ﬁne"
    tokens = ["[CLS]", "cafe", "[UNK]", "▁na", "##ive", "##zz", "fine", "[SEP]"]
    spans = rematch(text, tokens)
    found = [text[start:stop] for start, stop in spans]
    assert found == ["", "Café", "", "NA", "ÏVE", "", "ﬁne", ""]
    assert spans[5] == (12, 12)
    assert rematch("a" * 300 + "b", ["b"]) == [(0, 0)]


def test_truncate_pair():
    """The longer text is cut, and the second one where both are as long."""
    assert truncate_pair(3, 4, 7) == (3, 4)
    assert truncate_pair(9, 2, 7) == (5, 2)
    assert truncate_pair(2, 9, 7) == (2, 5)
    assert truncate_pair(9, 9, 7) == (4, 3)
    assert truncate_pair(9, 9, 0) == (0, 0)
    with pytest.raises(ValueError, match="-1"):
        truncate_pair(9, 9, -1)


def test_offsets_take_in_separate_accents():
    """A token ends after the marks that follow its letter, and before a space."""
    text = "cafe\u0301\u0302 e\u0301a"
    offsets = np.array([(0, 4), (7, 8), (9, 10)])
    assert cover_marks(text, offsets).tolist() == [[0, 6], [7, 9], [9, 10]]
    assert cover_marks("cafe", offsets[:1]).tolist() == [[0, 4]]
    katakana = cover_marks("\uff76\uff9e \uff76", np.array([[0, 1], [3, 4]]))
    assert katakana.tolist() == [[0, 2], [3, 4]]


def test_texts_without_tokens():
    """Controls, spaces and separate accents are blank; letters and symbols are not."""
    for text in ("", " \n\u3000", "\u200b\ufeff\x07", "\u0301\ufffd", "\u2028"):
        assert is_blank(text)
    for text in ("a", " 。", "\u200b😀", "\ue000", "\uff9e"):
        assert not is_blank(text)
