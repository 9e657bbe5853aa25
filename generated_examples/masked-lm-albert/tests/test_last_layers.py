"""Training the last layers only: ALBERT's share their weights, so it is refused."""

import pytest

from masked_lm_albert.config import TrainConfig
from masked_lm_albert.encoder import (
    EncoderConfig,
    build_encoder,
)
from masked_lm_albert.errors import UserError
from masked_lm_albert.model import build_model
from masked_lm_albert.optimization import (
    freeze_layers,
)


def test_last_layers():
    """The error says why, and nothing is frozen."""
    model = build_model(build_encoder(EncoderConfig.small(20)), TrainConfig())
    with pytest.raises(UserError, match="share their weights"):
        freeze_layers(model, [], train_last_layers=1)
    assert all(layer.trainable for layer in model.layers)


def test_layers_share_their_weights():
    """An encoder of more layers has no more weights."""
    sizes = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8}
    small, large = (
        build_encoder(EncoderConfig(vocab_size=9, num_hidden_layers=n, **sizes))
        for n in (2, 6)
    )
    assert small.count_params() == large.count_params()
