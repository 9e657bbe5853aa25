"""How the model is trained: plainly, with the task's loss and nothing else."""

from typing import Any

import keras

from .config import TrainConfig as TrainConfig  # other methods add settings to it
from .model import compile_model


def make_trainer(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, config: Any
) -> keras.Model:
    """Return what is fitted, compiled. `model` is what is scored and saved."""
    compile_model(model, optimizer, config)
    return model
