"""The optimizer, its schedule, and which layers train."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from .errors import UserError


class WarmupLinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Rate that rises from 0 to `peak` over the warm-up, then falls to 0 at the end.

    Steps are batches, also with gradient accumulation: Keras hands a schedule the
    count of batches, not of updates. The fall is measured from the end of the
    warm-up, as in Hugging Face's code; Google's measures it from the first step.
    """

    def __init__(self, peak: float, warmup_steps: int, total_steps: int) -> None:
        self.peak = peak
        self.warmup_steps = warmup_steps
        self.total_steps = total_steps

    def __call__(self, step):
        """Return the learning rate of batch `step`, counted from 0."""
        step = ops.cast(step, "float32")
        rising = (step + 1.0) / max(1, self.warmup_steps)
        falling = (self.total_steps - step) / max(
            1, self.total_steps - self.warmup_steps
        )
        return self.peak * ops.clip(ops.minimum(rising, falling), 0.0, 1.0)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "peak": self.peak,
            "warmup_steps": self.warmup_steps,
            "total_steps": self.total_steps,
        }


class LayerRates:
    """Gives some layers a learning rate of their own; to be mixed into an optimizer.

    `rate_factors`, layer name -> multiple of the rate, is set before the optimizer is
    built. Weight decay goes on at the common rate, and the norm of all gradients is
    clipped as ever, so a factor changes the length of a layer's steps and nothing else.
    """

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.rate_factors: dict[str, float] = {}
        self.factors: list[float] = []

    def build(self, variables: Sequence[keras.Variable]) -> None:
        """Make the optimizer's own variables, and look up each variable's factor."""
        super().build(variables)
        layers = [variable.path.split("/")[0] for variable in variables]
        self.factors = [self.rate_factors.get(layer, 1.0) for layer in layers]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Change one variable."""
        factor = self.factors[self._get_variable_index(variable)]
        super().update_step(gradient, variable, learning_rate * factor)


class WholeGradients:
    """Gives an optimizer each gradient as one tensor; to be mixed in.

    TensorFlow's gradient of a table of embeddings is a list of rows, one for each token
    of the batch. Where a token comes twice, Keras squares its two rows one by one, not
    their sum: the norm that is clipped is wrong, and without clipping Adam's second
    moment too.
    """

    def apply(self, grads: Sequence[Any], trainable_variables: Any = None) -> None:
        """Update the variables by their gradients."""
        # Adds up rows; tensors stay what they are.
        whole = [g if g is None else ops.reshape(g, ops.shape(g)) for g in grads]
        super().apply(whole, trainable_variables)


class AdamW(WholeGradients, LayerRates, keras.optimizers.AdamW):
    """Keras' AdamW with `rate_factors`."""


class Lamb(WholeGradients, LayerRates, keras.optimizers.Lamb):
    """Keras' LAMB with `rate_factors`."""


OPTIMIZERS = {"adamw": AdamW, "lamb": Lamb}


def make_optimizer(config: Any, total_steps: int) -> keras.optimizers.Optimizer:
    """Return AdamW as BERT uses it, or LAMB; `total_steps` counts the run's batches.

    Decay is decoupled from the gradient and leaves out biases and LayerNorm, whose
    weights Keras calls "gamma" and "beta": "LayerNorm" would match nothing. In Keras'
    LAMB the decay takes no part in the ratio of norms, as it does in the paper.
    """
    if config.optimizer not in OPTIMIZERS:
        raise UserError(
            f'unknown optimizer "{config.optimizer}"',
            "it is not among those of optimization.py",
            f"--optimizer with one of {', '.join(OPTIMIZERS)}",
        )
    optimizer = OPTIMIZERS[config.optimizer](
        learning_rate=WarmupLinearDecay(
            config.learning_rate, round(total_steps * config.warmup_ratio), total_steps
        ),
        weight_decay=config.weight_decay,
        epsilon=1e-6,  # BERT's; Keras' default is 1e-7
        global_clipnorm=config.clip_norm,
        gradient_accumulation_steps=(
            config.gradient_accumulation if config.gradient_accumulation > 1 else None
        ),
    )
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def freeze_layers(
    model: keras.Model, prefixes: Sequence[str], train_last_layers: int = -1
) -> list[str]:
    """Stop layers from training and return their names.

    A prefix is a layer's name or its beginning up to an underscore: "layer_1" does
    not mean "layer_10". `train_last_layers` of n ≥ 0 freezes the embeddings and all
    encoder layers but the last n. Raises UserError for a prefix that fits no layer.
    """
    names = [layer.name for layer in model.layers if layer.weights]
    numbers = {int(n.split("_")[1]) for n in names if n.startswith("layer_")}
    prefixes = list(prefixes)
    if train_last_layers >= 0 and not numbers:
        raise UserError(
            f"--train-last-layers {train_last_layers} cannot be done",
            "this encoder's layers share their weights, so none can train alone",
            "name what is to be frozen: --freeze embeddings",
        )
    if train_last_layers >= 0:
        lower = sorted(numbers)[: max(0, len(numbers) - train_last_layers)]
        prefixes += ["embeddings", *(f"layer_{number}" for number in lower)]
    frozen = []
    for prefix in prefixes:
        found = [name for name in names if f"{name}_".startswith(f"{prefix}_")]
        if not found:
            raise UserError(
                f'no layer to freeze begins with "{prefix}"',
                f"the layers are {', '.join(names[:6])}, … {', '.join(names[-3:])}",
                "give a layer's name or its beginning up to an underscore",
            )
        frozen += found
    for name in frozen:
        model.get_layer(name).trainable = False
    return frozen
