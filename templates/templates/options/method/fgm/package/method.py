"""How the model is trained: each batch a second time, with word vectors pushed astray.

The fast gradient method for text (Miyato et al., 2017, https://arxiv.org/abs/1605.07725)
as it is used with BERT: the table of tokens goes a step of a fixed length in the
direction in which the batch's loss rises most, and the gradients there are added to
those at the table itself.

    push = epsilon · g / ‖g‖                  g: gradient of the loss by the whole table
    gradients = ∇ loss(table) + ∇ loss(table + push)

Then the table is what it was, bit for bit, and the optimizer makes one update.
"""

import dataclasses
from typing import Any

import keras

from .config import TrainConfig as TaskConfig
from .errors import UserError
from .model import compile_model
from .runs import option


@dataclasses.dataclass(frozen=True)
class TrainConfig(TaskConfig):
    """The task's settings and that of the method."""

    fgm_epsilon: float = option(
        1.0, "length of the push, all vectors of the table together; 0.5 to 1 is usual"
    )


class AdversarialModel(keras.Model):
    """A model, its layers shared, with a training step of two passes."""

    def __init__(self, model: keras.Model, epsilon: float) -> None:
        super().__init__(model.input, model.output, name=model.name)
        self.epsilon = epsilon

    def train_step(self, data: Any) -> dict[str, Any]:
        """Learn from a batch as it is and as the push makes it, in one update."""
        import tensorflow as tf

        inputs, targets, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        batch = inputs, targets, sample_weight
        table = self.get_layer("embeddings_token").embeddings
        before = tf.identity(table.value)
        outputs, loss, gradients, slope = self.gradients(batch)
        push = tf.math.divide_no_nan(slope, tf.norm(slope))
        table.assign_add(self.epsilon * push)
        _, _, others, _ = self.gradients(batch)
        table.assign(before)
        pairs = zip(gradients, others, strict=True)
        both = [a if b is None else a + b for a, b in pairs]
        self.optimizer.apply(both, self.trainable_weights)
        for metric in self.metrics:
            if metric.name == "loss":  # that of the batch as it is
                rows = tf.shape(inputs["input_ids"])[0]
                metric.update_state(loss, sample_weight=rows)
        return self.compute_metrics(inputs, targets, outputs, sample_weight)

    def gradients(self, batch: Any) -> tuple[Any, Any, list[Any], Any]:
        """Return outputs, loss, and the gradients by the weights and by the table."""
        import tensorflow as tf

        inputs, targets, sample_weight = batch
        table = self.get_layer("embeddings_token").embeddings
        with tf.GradientTape() as tape:
            tape.watch(table.value)  # also where it does not train
            outputs = self(inputs, training=True)
            loss = self.compute_loss(inputs, targets, outputs, sample_weight)
            scaled = self.optimizer.scale_loss(loss)
        found = tape.gradient(scaled, [*self.trainable_weights, table])
        # Of a table they come as rows. None: the loss does not depend on the weight.
        dense = [g if g is None else tf.convert_to_tensor(g) for g in found]
        return outputs, loss, dense[:-1], dense[-1]


def make_trainer(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, config: Any
) -> keras.Model:
    """Return what is fitted, compiled. `model` is what is scored and saved."""
    if keras.config.backend() != "tensorflow":
        raise UserError(
            f"adversarial training cannot be done with {keras.config.backend()}",
            "its two passes are written for TensorFlow",
            "KERAS_BACKEND=tensorflow",
        )
    trainer = AdversarialModel(model, config.fgm_epsilon)
    compile_model(trainer, optimizer, config)
    return trainer
