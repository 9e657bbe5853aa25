"""SentencePiece files are read as ALBERT's code reads them, or refused."""

import struct

import pytest

from aspect_sentiment_bert.errors import UserError
from aspect_sentiment_bert.tokenizer import (
    load_tokenizer,
    special_ids,
)

NORMAL, UNKNOWN, CONTROL, USER_DEFINED = 1, 2, 3, 4
PIECES = [("<pad>", 0, CONTROL), ("<unk>", 0, UNKNOWN), ("[CLS]", 0, CONTROL)]
PIECES += [("[SEP]", 0, CONTROL), ("[MASK]", 0, CONTROL), ("(", 0, USER_DEFINED)]
PIECES += [("▁3,", -1, NORMAL), ("▁cafe", -2, NORMAL), ("▁(x", -9.5, NORMAL)]
PIECES += [(text, -4, NORMAL) for text in ("▁3", "▁", ",", "pad", "s", "x", ">")]


def field(number, value):
    """Return one protobuf field: an integer, or bytes."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    size = bytes([len(value) & 127 | 128, len(value) >> 7])
    return bytes([number << 3 | 2]) + size + value


def model_file(pieces, kind=1):
    """Return the bytes of a small SentencePiece model."""
    data = b""
    for text, score, piece_kind in pieces:
        score = bytes([2 << 3 | 5]) + struct.pack("<f", score)
        data += field(1, field(1, text.encode()) + score + field(3, piece_kind))
    return data + field(2, field(3, kind)) + field(3, field(1, b"identity"))


@pytest.fixture
def folder(tmp_path):
    """Return a folder with a small model and the vocabulary that is beside it."""
    (tmp_path / "30k-clean.model").write_bytes(model_file(PIECES))
    (tmp_path / "30k-clean.vocab").write_text("<pad>\t0\n<unk>\t0\n")
    return tmp_path


def pieces(tokenizer, text):
    """Return the pieces of a text."""
    return tokenizer.encode(text, add_special_tokens=False).tokens


def test_ids_are_places_in_the_file(folder):
    """ALBERT's special tokens have their ids, and the model frames texts with them."""
    tokenizer = load_tokenizer(folder)
    names = ["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"]
    assert [tokenizer.token_to_id(name) for name in names] == [0, 1, 2, 3, 4]
    assert (special_ids(tokenizer).cls, special_ids(tokenizer).sep) == (2, 3)
    assert tokenizer.encode("café ☃").ids == [7, 10, 1]


def test_pieces(folder):
    """Case, accents, spaces, digit and comma, and symbols that stand alone."""
    tokenizer = load_tokenizer(folder)
    assert pieces(tokenizer, "  Café\u00a0\n3,") == ["▁cafe", "▁3", ","]
    assert pieces(tokenizer, "(x") == ["▁", "(", "x"]
    assert pieces(tokenizer, " ▁ ") == []
    assert pieces(load_tokenizer(folder, lowercase=False), "Cafes")[:1] == ["▁"]


def test_special_tokens_in_a_text_are_text(folder):
    """ "<pad>" and "<unk>" are characters, also for a tokenizer that was saved."""
    load_tokenizer(folder).save(str(folder / "tokenizer.json"))
    for path in (folder / "30k-clean.model", folder / "tokenizer.json"):
        assert pieces(load_tokenizer(path), "<pad>") == ["▁", "<", "pad", ">"]
        ids = load_tokenizer(path).encode("<unk> [CLS] [SEP] [MASK] <pad>").ids
        assert not {0, 2, 3, 4} & set(ids)


def test_saved_tokenizer_is_the_same(folder):
    """Scores survive the JSON of a run folder to the last digit."""
    scores = [(f"▁{i}", -3.3 - i / 7, NORMAL) for i in range(99) if i != 3]
    (folder / "30k-clean.model").write_bytes(model_file([*PIECES, *scores]))
    tokenizer = load_tokenizer(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    assert load_tokenizer(folder).to_str() == tokenizer.to_str()


def test_offsets_are_places_in_the_text(folder):
    """Spaces belong to no piece, and accents and wide characters move nothing."""
    text = "  Cafe\u0301 \u3000３，x"
    encoding = load_tokenizer(folder).encode(text)
    assert encoding.tokens == ["▁cafe", "▁3", ",", "x"]
    found = [text[start:stop] for start, stop in encoding.offsets]
    assert found == ["Cafe", "３", "，", "x"]


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda data: data[:100], "ends within"),
        (lambda data: b"", "not exactly one piece for unknown"),
        (lambda data: b"version https://git-lfs", "SentencePiece model"),
        (lambda data: data + data, "not exactly one"),
        (lambda data: data + model_file([("s", 0, NORMAL)]), "twice"),
        (lambda data: data + model_file([("y", float("nan"), 1)]), "damaged piece"),
        (lambda data: data + model_file([], kind=2), "BPE"),
        (lambda data: data + field(3, field(2, b"\1\2\3\4\5")), "normalization table"),
        (lambda data: data + field(3, field(3, 0)), "treatment of spaces"),
    ],
)
def test_damaged_files_are_named(folder, damage, why):
    """A file that is cut, of another kind or inconsistent is refused with its name."""
    path = folder / "30k-clean.model"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(UserError, match=why) as caught:
        load_tokenizer(folder)
    assert "30k-clean.model" in str(caught.value)
