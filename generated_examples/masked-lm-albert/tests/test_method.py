"""Plain training fits the model itself."""

import keras

import samples
from masked_lm_albert import (
    config,
    method,
)


def test_the_model_itself_is_fitted():
    """Nothing stands between `fit` and the model, and no setting is added."""
    assert method.TrainConfig is config.TrainConfig
    settings, tokenizer, inputs, targets = samples.load_batch(method.TrainConfig)
    model = samples.small_model(settings, tokenizer)
    trainer = method.make_trainer(model, keras.optimizers.Adam(3e-3), settings)
    assert trainer is model
    losses = [samples.learn(trainer, inputs, targets) for _ in range(15)]
    assert losses[-1] < losses[0]
