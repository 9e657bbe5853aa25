"""Learning rates by layers: how far each layer goes in one step."""

import re

import numpy as np
import pytest

import samples
from {{ cookiecutter.package }} import (
    method,
    optimization,
)
from {{ cookiecutter.package }}.errors import UserError


@pytest.fixture(scope="module")
def sample():
    """A batch of the sample."""
    return samples.load_batch(method.TrainConfig)


def step(sample, decay):
    """Return how far one update moves each weight, by its path."""
    config, tokenizer, inputs, targets = sample
    config = method.TrainConfig(**{**vars(config), "layer_decay": decay})
    model = samples.small_model(config, tokenizer, dropout=False, num_hidden_layers=2)
    optimizer = optimization.AdamW(learning_rate=1e-4, weight_decay=0.0, epsilon=1e-12)
    trainer = method.make_trainer(model, optimizer, config)
    assert trainer is model
    before = samples.weights_of(model)
    trainer.train_on_batch(inputs, targets)
    after = samples.weights_of(model)
    return {path: np.abs(after[path] - before[path]).max() for path in before}


def expected_factor(path, paths):
    """Return decay's power for a weight, read from its name."""
    blocks = [re.match(r"[a-z]+_\d+", each) for each in paths]
    blocks = sorted({found[0] for found in blocks if found})  # lowest first
    assert blocks
    if path.startswith("embeddings_"):
        return len(blocks) + 1
    block = next((each for each in blocks if path.startswith(f"{each}_")), None)
    return len(blocks) - blocks.index(block) if block else 0


def test_each_layer_has_its_rate(sample):
    """With decay 0.5 the head's step is as it was, the next a half, and so on."""
    whole, decayed = step(sample, 1.0), step(sample, 0.5)
    powers = set()
    for path, length in whole.items():
        if length == 0.0:  # the loss does not depend on it
            assert decayed[path] == 0.0
            continue
        power = expected_factor(path, whole)
        # A step is a difference of float32 numbers.
        assert decayed[path] == pytest.approx(0.5**power * length, rel=0.01), path
        powers.add(power)
    assert powers == set(range(max(powers) + 1)) and max(powers) >= 2


def test_a_decay_of_1_is_plain_training(sample):
    """Also where the task gives some layer a rate of its own."""
    config, tokenizer, inputs, targets = sample
    model = samples.small_model(config, tokenizer, dropout=False, num_hidden_layers=2)
    optimizer = optimization.AdamW(learning_rate=1e-4, weight_decay=0.0, epsilon=1e-12)
    method.compile_model(model, optimizer, config)
    before = samples.weights_of(model)
    model.train_on_batch(inputs, targets)
    found = step(sample, 1.0)
    for path, weight in samples.weights_of(model).items():
        length = np.abs(weight - before[path]).max()
        assert found[path] == pytest.approx(length, rel=0.01), path


def test_rates_above_one_layer_are_errors(sample):
    """The lower layers can neither stand still nor be faster."""
    for decay in (0.0, 1.5):
        with pytest.raises(UserError, match="layer_decay"):
            step(sample, decay)
