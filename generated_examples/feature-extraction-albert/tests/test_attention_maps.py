"""Pictures show the weights that are computed by hand."""

import numpy as np
import pytest

import reference
import released
from feature_extraction_albert import attention_maps
from feature_extraction_albert.checkpoints import (
    model_variables,
)
from feature_extraction_albert.dataset import Text
from feature_extraction_albert.encoder import (
    EncoderConfig,
    build_encoder,
)
from feature_extraction_albert.errors import UserError
from feature_extraction_albert.tokenizer import (
    train_tokenizer,
)


def attention_by_hand(encoder, hidden, name):
    """Return softmax(q k / √d) of one layer, without padding."""
    query, key = (encoder.heads(hidden, f"{name}_{part}") for part in ("query", "key"))
    scores = query @ key.transpose(0, 1, 3, 2) / np.sqrt(query.shape[-1])
    weights = np.exp(scores)
    return weights / weights.sum(axis=-1, keepdims=True)


def test_compute():
    """Each layer's weights are those of the hidden states below it."""
    tokenizer = train_tokenizer(["the cat sat on a mat"] * 3, vocab_size=60)
    size = tokenizer.get_vocab_size()
    sizes = EncoderConfig(size, 8, 2, 2, 12, hidden_act="relu", **released.SIZES)
    model = build_encoder(sizes, return_attention_weights=True)
    weights = reference.randomize(model_variables(model), seed=5)
    text = Text("text", "the cat sat", "on a mat")
    found, tokens = attention_maps.compute(model, tokenizer, text)
    assert tokens == ["[CLS]", "the", "cat", "sat", "[SEP]", "on", "a", "mat", "[SEP]"]
    ids = np.array([[tokenizer.token_to_id(token) for token in tokens]])
    inputs = {"input_ids": ids, "segment_ids": np.array([[0] * 5 + [1] * 4])}
    encoder = reference.Encoder(weights, sizes)
    hidden = reference.embedding_sum(weights, inputs)
    hidden = encoder.normalize(hidden, "embeddings_layer_norm")
    if "embeddings_projection/kernel" in weights:
        hidden = encoder.dense(hidden, "embeddings_projection")
    blocks = [name for names in released.blocks(sizes) for name in names]
    assert found.shape == (len(blocks), 2, 9, 9)
    for index, name in enumerate(blocks):
        expected = attention_by_hand(encoder, hidden, name)[0]
        np.testing.assert_allclose(found[index], expected, atol=1e-4)
        hidden = encoder.block(hidden, name, np.zeros((1, 1, 1, 9), bool))


def test_choose():
    """Layers and heads count from 1; the mean is that of all heads."""
    weights = np.arange(3 * 2 * 4 * 4, dtype="float64").reshape(3, 2, 4, 4)
    ((title, found),) = attention_maps.choose(weights, "-1", ["mean"])
    assert title == "layer 3, mean of 2 heads"
    np.testing.assert_array_equal(found, (weights[2, 0] + weights[2, 1]) / 2)
    first, second = attention_maps.choose(weights, "1", ["all"])
    assert (first[0], second[0]) == ("layer 1, head 1", "layer 1, head 2")
    np.testing.assert_array_equal(second[1], weights[0, 1])
    ((_, found),) = attention_maps.choose(weights, "2", ["1"])
    np.testing.assert_array_equal(found, weights[1, 0])
    for layer, head in (("4", "1"), ("0", "1"), ("-4", "1"), ("x", "1")):
        with pytest.raises(UserError, match="no layer"):
            attention_maps.choose(weights, layer, [head])
    for head in ("0", "3", "-1", "max"):
        with pytest.raises(UserError, match="no head"):
            attention_maps.choose(weights, "1", [head])


def test_draw(tmp_path):
    """A picture is drawn, and no half of one is left."""
    pytest.importorskip("matplotlib")
    weights = np.random.default_rng(0).dirichlet(np.ones(5), 5)
    maps = [(f"head {n}", weights) for n in range(5)]
    tokens = ["[CLS]", "$5", "▁été", "今天", "[SEP]"]
    attention_maps.draw(tmp_path / "new/a.png", maps, tokens)
    attention_maps.draw(tmp_path / "new/b.svg", maps[:1], tokens)
    assert (tmp_path / "new/a.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (tmp_path / "new/b.svg").read_text(encoding="utf-8")
    assert len(list((tmp_path / "new").iterdir())) == 2
    with pytest.raises(UserError, match="none of .png"):
        attention_maps.check_output(tmp_path / "a.bmp")
