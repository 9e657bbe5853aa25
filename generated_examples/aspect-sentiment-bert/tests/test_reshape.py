"""Checkpoints with another vocabulary or more positions work as before on old texts."""

import numpy as np
import pytest

import reference
import released
from aspect_sentiment_bert import reshape
from aspect_sentiment_bert.checkpoint_writers import (
    write_folder,
)
from aspect_sentiment_bert.checkpoints import (
    model_variables,
)
from aspect_sentiment_bert.encoder import (
    EncoderConfig,
    build_encoder,
)
from aspect_sentiment_bert.errors import UserError
from aspect_sentiment_bert.tokenizer import (
    load_tokenizer,
    train_tokenizer,
)
from aspect_sentiment_bert.weights import (
    from_pretrained,
)

TEXTS = ["the cat sat on the mat", "a dog dug the garden", "cats and dogs"]


@pytest.fixture
def checkpoint(tmp_path):
    """A folder with a small encoder of random weights and its tokenizer."""
    tokenizer = train_tokenizer(TEXTS * 5, vocab_size=80)
    config = EncoderConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=12,
        max_position_embeddings=16,
        **released.SIZES,
    )
    encoder = build_encoder(config)
    reference.randomize(model_variables(encoder), seed=0)
    folder = tmp_path / "old"
    folder.mkdir()
    write_folder(encoder, config, tokenizer, "Model", folder)
    return folder


def encode(folder, text):
    """Return what the encoder in a folder makes of a text."""
    ids = np.array([load_tokenizer(folder).encode(text).ids], "int32")
    inputs = {name: np.ones_like(ids) for name in ("segment_ids", "attention_mask")}
    outputs = from_pretrained(folder)({"input_ids": ids, **inputs})
    return np.asarray(outputs["sequence_output"])


def test_pruned_vocabulary(checkpoint, tmp_path):
    """Texts whose tokens are kept are divided and encoded as before; others work."""
    (tmp_path / "texts.txt").write_text(f"{TEXTS[0]}\n")
    keep = ["--keep-tokens-of", str(tmp_path / "texts.txt")]
    reshape.main([str(checkpoint), "--output-dir", str(tmp_path / "new"), *keep])
    old, new = load_tokenizer(checkpoint), load_tokenizer(tmp_path / "new")
    assert new.get_vocab_size() < old.get_vocab_size()
    assert new.encode(TEXTS[0]).tokens == old.encode(TEXTS[0]).tokens
    found = encode(tmp_path / "new", TEXTS[0])
    np.testing.assert_allclose(found, encode(checkpoint, TEXTS[0]), atol=1e-5)
    assert "[UNK]" not in new.encode(TEXTS[1]).tokens


def test_added_tokens(checkpoint, tmp_path):
    """A new token is one piece; texts without it are encoded as before."""
    add = ["--add-tokens", "catdog", "5g"]
    reshape.main([str(checkpoint), "--output-dir", str(tmp_path / "new"), *add])
    tokens = load_tokenizer(tmp_path / "new").encode("the catdog sat").tokens
    assert tokens == ["[CLS]", "the", "catdog", "sat", "[SEP]"]
    found = encode(tmp_path / "new", TEXTS[0])
    np.testing.assert_allclose(found, encode(checkpoint, TEXTS[0]), atol=1e-5)
    with pytest.raises(UserError, match="cannot add"):
        again = ["--output-dir", str(tmp_path / "third"), "--add-tokens", "the"]
        reshape.main([str(checkpoint), *again])


def test_more_positions(checkpoint, tmp_path):
    """Known positions keep their vectors, new ones are all different."""
    more = ["--positions", "40"]
    reshape.main([str(checkpoint), "--output-dir", str(tmp_path / "new"), *more])
    old, new = (
        model_variables(from_pretrained(folder))[reshape.POSITIONS].numpy()
        for folder in (checkpoint, tmp_path / "new")
    )
    np.testing.assert_array_equal(new[:16], old)
    assert len(np.unique(new, axis=0)) == 40
    # Position 2 n + 3 has the parts of 2 and of 3.
    parts = (old - 0.4 * old[:1]) / 0.6
    np.testing.assert_allclose(new[35], 0.4 * parts[2] + 0.6 * parts[3], atol=1e-6)
    np.testing.assert_array_equal(reshape.fit_positions(old, 5), old[:5])
    with pytest.raises(UserError, match="at the most"):
        reshape.fit_positions(old, 257)


def test_nothing_is_overwritten(checkpoint):
    """An output folder that is there is refused."""
    with pytest.raises(UserError, match="already there"):
        reshape.main([str(checkpoint), "--output-dir", str(checkpoint)])
