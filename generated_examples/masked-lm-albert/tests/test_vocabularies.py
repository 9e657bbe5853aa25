"""Vocabularies trained on texts, of each kind, and read from files."""

from pathlib import Path

import pytest

from masked_lm_albert.errors import UserError
from masked_lm_albert.tokenizer import (
    load_tokenizer,
    special_ids,
)
from masked_lm_albert.vocabularies import (
    make_tokenizer,
)

HERE = Path(__file__).parent
TEXTS = [  # the sample's and, since one may be small, those of the tests
    line
    for path in sorted([*HERE.parent.glob("data/*.jsonl"), *HERE.glob("test_*.py")])
    for line in path.read_text(encoding="utf-8").splitlines()[:300]
]
TEXT = "The keeper of the Café in 1843"


@pytest.mark.parametrize("kind", ["wordpiece", "unigram"])
def test_trained(kind, tmp_path):
    """It reads texts in lower case, has the special tokens, and can be saved."""
    tokenizer = make_tokenizer(kind, 500, TEXTS)
    ids = tokenizer.get_vocab()
    assert 300 < len(ids) <= 500
    assert sorted(ids.values()) == list(range(len(ids)))
    assert {"[CLS]", "[SEP]", "[MASK]"} < set(ids) and special_ids(tokenizer)
    encoding = tokenizer.encode(TEXT)
    assert not {"[UNK]", "<unk>"} & set(encoding.tokens)
    assert len(encoding.ids) < len(TEXT)
    assert tokenizer.decode(encoding.ids) == TEXT.lower().replace("é", "e")
    assert ids["[MASK]"] not in tokenizer.encode("[MASK]").ids  # in a text it is text
    (tmp_path / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    assert load_tokenizer(tmp_path).encode(TEXT).ids == encoding.ids
    assert make_tokenizer(str(tmp_path), 5, []).get_vocab() == ids


def test_training_is_repeatable():
    """The same texts give the same ids; a unigram vocabulary differs in details."""
    first, second = (make_tokenizer("wordpiece", 500, TEXTS).to_str() for _ in range(2))
    assert first == second


def test_unknown_kind():
    """What is neither a kind nor a path is named."""
    with pytest.raises(UserError, match='no vocabulary "bpe"'):
        make_tokenizer("bpe", 80, TEXTS)
