"""How the model is trained: the lower a layer, the shorter its steps.

The lower layers of a pretrained encoder know what holds for any text, and are to be
changed least (Howard and Ruder, 2018, https://arxiv.org/abs/1801.06146; for BERT, Sun
et al., 2019, https://arxiv.org/abs/1905.05583). So each layer's learning rate is that
of the layer above it, times a factor:

    head and pooler: 1    top layer: decay    the next: decay²   …   embeddings: lowest

Layers that share their weights are one layer here, and have one rate: of an ALBERT
with one group, 1, decay and decay² are all there is.
"""

import dataclasses
import re
from typing import Any

import keras

from .config import TrainConfig as TaskConfig
from .errors import UserError
from .model import compile_model
from .runs import option

# A Transformer layer's number, or that of a group of layers with the same weights.
NUMBER = re.compile(r"(?:layer|group)_(\d+)_")


@dataclasses.dataclass(frozen=True)
class TrainConfig(TaskConfig):
    """The task's settings and that of the method."""

    layer_decay: float = option(
        0.95,
        "a layer's learning rate as a multiple of that of the layer above; the best in "
        "Sun et al. for BERT-base; ELECTRA has 0.8",
    )


def make_trainer(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, config: Any
) -> keras.Model:
    """Return what is fitted, compiled. `model` is what is scored and saved.

    A head that has a rate of its own keeps it.
    """
    if not 0.0 < config.layer_decay <= 1.0:
        raise UserError(
            f"layer_decay is {config.layer_decay:g}",
            "lower layers learn slower than higher ones, but they learn",
            "--layer-decay above 0, at most 1; --freeze stops layers altogether",
        )
    compile_model(model, optimizer, config)
    own = dict(optimizer.rate_factors)
    factors = layer_factors(model, config.layer_decay)
    optimizer.rate_factors = {
        name: factor * own.get(name, 1.0) for name, factor in factors.items()
    }
    return model


def layer_factors(model: keras.Model, decay: float) -> dict[str, float]:
    """Return the multiple of the learning rate of each layer that has weights."""
    names = [layer.name for layer in model.layers if layer.weights]
    found = {name: NUMBER.match(name) for name in names}
    numbers = sorted({int(match[1]) for match in found.values() if match})
    factors = dict.fromkeys(names, 1.0)
    for name, match in found.items():
        if match:
            factors[name] = decay ** (len(numbers) - numbers.index(int(match[1])))
        elif name.startswith("embeddings_"):
            factors[name] = decay ** (len(numbers) + 1)
    return factors
