"""How the model is trained: two passes of each batch, whose predictions shall agree.

R-Drop (Liang et al., 2021, https://arxiv.org/abs/2106.14448). Dropout makes two passes
of the same batch differ; training makes them differ less:

    loss = (loss(p) + loss(q)) / 2 + alpha · (KL(p ‖ q) + KL(q ‖ p)) / 2

p and q are the two predictions; what KL means for the task says `divergence` in
model.py. Without dropout, as in ALBERT v2's encoder, this is little more than the
task's loss.
"""

import dataclasses
from typing import Any

import keras

from .config import TrainConfig as TaskConfig
from .errors import UserError
from .model import compile_model, divergence
from .runs import option


@dataclasses.dataclass(frozen=True)
class TrainConfig(TaskConfig):
    """The task's settings and that of the method."""

    r_drop_alpha: float = option(
        1.0, "weight of the disagreement; the paper tries 0.1 to 5, 1 for most tasks"
    )


class TwoPassModel(keras.Model):
    """A model, its layers shared, whose loss looks at two passes."""

    def __init__(self, model: keras.Model, settings: TrainConfig) -> None:
        super().__init__(model.input, model.output, name=model.name)
        self.settings = settings

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the loss of the first pass, `y_pred`, and of a second one."""
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if not training:
            return loss
        again = self(x, training=True)
        loss = (loss + super().compute_loss(x, y, again, sample_weight, training)) / 2
        apart = divergence(y, y_pred, again, self.settings)
        apart = (apart + divergence(y, again, y_pred, self.settings)) / 2
        return loss + self.settings.r_drop_alpha * apart


def make_trainer(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, config: Any
) -> keras.Model:
    """Return what is fitted, compiled. `model` is what is scored and saved."""
    if config.r_drop_alpha < 0.0:
        raise UserError(
            f"r_drop_alpha is {config.r_drop_alpha:g}",
            "below 0 the two passes would be driven apart",
            "--r-drop-alpha 1",
        )
    trainer = TwoPassModel(model, config)
    compile_model(trainer, optimizer, config)
    return trainer
