"""Plain training fits the model itself."""

import keras

from sentence_embedding_bert import (
    config,
    method,
)
from sentence_embedding_bert.encoder import (
    EncoderConfig,
    build_encoder,
)
from sentence_embedding_bert.model import build_model


def test_the_model_itself_is_fitted():
    """Nothing stands between `fit` and the model, and no setting is added."""
    assert method.TrainConfig is config.TrainConfig
    settings = method.TrainConfig()
    model = build_model(build_encoder(EncoderConfig.small(40)), settings)
    assert method.make_trainer(model, keras.optimizers.SGD(), settings) is model
    assert model.compiled
