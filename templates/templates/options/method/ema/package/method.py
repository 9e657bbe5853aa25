"""How the model is trained: a moving average of its weights is scored and kept.

    average ← average + (1 - momentum) · (weights - average)        after each batch

The average moves less than the weights do from batch to batch, and is often a little
better than any of them (Polyak and Juditsky, 1992). Training goes on from the weights
themselves, as if there was no average.

Keras' optimizers have `use_ema`, but put the averages in the place of the weights
whenever `fit` ends, which it also does where a run is resumed within an epoch.
"""

import dataclasses
from typing import Any

import keras
from keras import ops

from .config import TrainConfig as TaskConfig
from .errors import UserError
from .model import compile_model
from .runs import option


@dataclasses.dataclass(frozen=True)
class TrainConfig(TaskConfig):
    """The task's settings and that of the method."""

    ema_momentum: float = option(
        0.999,
        "part of the average that stays after a batch; it averages over about 1 / (1 - "
        "momentum) batches, which should be less than half of the run",
    )


class AveragedModel(keras.Model):
    """A copy of a model that learns, while the model gets the copy's average.

    In the first batches the momentum is lower, (1 + batches) / (10 + batches): the
    average would otherwise hold on to the weights from before the training.
    """

    def __init__(self, model: keras.Model, momentum: float) -> None:
        copy = keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
        super().__init__(copy.input, copy.output, name=model.name)
        self.momentum = momentum
        # Behind a function, so that Keras does not count them as weights of this model.
        self.averages = lambda: model.weights

    def train_step(self, data: Any) -> dict[str, Any]:
        """Learn from a batch, then move the averages."""
        logs = super().train_step(data)
        batches = ops.cast(self.optimizer.iterations, "float32")
        momentum = ops.minimum(self.momentum, (1.0 + batches) / (10.0 + batches))
        for average, weight in zip(self.averages(), self.weights, strict=True):
            difference = ops.convert_to_tensor(weight) - average
            average.assign_add((1.0 - momentum) * difference)
        return logs

    def save_own_variables(self, store: Any) -> None:
        """Put the averages into a state of the run."""
        for number, average in enumerate(self.averages()):
            store[str(number)] = average.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take the averages from a state of the run."""
        for number, average in enumerate(self.averages()):
            average.assign(store[str(number)])


def make_trainer(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, config: Any
) -> keras.Model:
    """Return what is fitted, compiled. `model`, with the averages, is saved."""
    if not 0.0 <= config.ema_momentum < 1.0:
        raise UserError(
            f"ema_momentum is {config.ema_momentum:g}",
            "it is the part of the average that stays",
            "--ema-momentum of at least 0, below 1",
        )
    if keras.config.backend() == "jax":
        raise UserError(
            "averages of weights cannot be kept with JAX",
            "its training steps change no variables in place",
            "KERAS_BACKEND=tensorflow",
        )
    trainer = AveragedModel(model, config.ema_momentum)
    compile_model(trainer, optimizer, config)
    return trainer
