"""How the model is trained: as the student of a larger model, its teacher.

    python train.py --encoder-config large.json --output-dir runs/teacher
    python train.py --teacher runs/teacher --vocabulary runs/teacher/tokenizer.json

Hinton et al., 2015, https://arxiv.org/abs/1503.02531, and for what is inside the
models TinyBERT (Jiao et al., 2020, https://arxiv.org/abs/1909.10351):

    loss = alpha · loss of the task + (1 - alpha) · T² · KL(teacher ‖ student)
         + hidden_state_weight · Σ MSE(student's states · W, teacher's states)
         + attention_weight · Σ MSE(student's scores, teacher's scores)

What KL means for the task says `divergence` in model.py. The sums run over the
student's layers, each with the teacher's layer at the same part of its depth, and over
the embeddings for the states. W, a matrix for the layers and one for the embeddings, is
learned and not kept. Scores are what attention's softmax gets. Padding takes no part.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

import keras
from keras import layers, ops

from .config import TrainConfig as TaskConfig
from .errors import UserError
from .model import compile_model, divergence
from .runs import option
from .tokenizer import load_tokenizer

Tensor = Any
MEANINGS = ("kind", "labels", "polarities")  # settings that say what outputs mean


@dataclasses.dataclass(frozen=True)
class TrainConfig(TaskConfig):
    """The task's settings and those of the method."""

    teacher: str = option(
        "",
        "run folder of a larger model for the same task, of this or another project; "
        "empty: no teacher, plain training",
    )
    distillation_alpha: float = option(
        0.5, "weight of the task's own loss; what the teacher says has the rest"
    )
    distillation_temperature: float = option(
        2.0, "divides the logits; higher: improbable classes count more"
    )
    hidden_state_weight: float = option(
        0.0, "weight of the layers' outputs and the embeddings; TinyBERT's is 1"
    )
    attention_weight: float = option(
        0.0, "weight of the attention scores; TinyBERT's is 1; needs as many heads"
    )


class StudentModel(keras.Model):
    """A model, its layers shared, whose loss also looks at a teacher."""

    def __init__(
        self, model: keras.Model, teacher: keras.Model, settings: TrainConfig
    ) -> None:
        outputs = dict(model.output)
        if settings.hidden_state_weight or settings.attention_weight:
            model, teacher = add_insides(model), add_insides(teacher)
            sizes = {name: each.shape[-1] for name, each in teacher.output.items()}
            outputs = dict(model.output)
            for name in ("embeddings", "states"):
                outputs[name] = widen(outputs[name], sizes[name], f"{name}_to_teacher")
        super().__init__(model.input, outputs, name=model.name)
        self.settings = settings
        # Behind a function, so that Keras does not count its weights as this model's.
        self.teach = lambda inputs: teacher(inputs, training=False)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the loss of the task, and what the teacher's outputs add."""
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        if not training:
            return loss
        settings = self.settings
        taught = {name: ops.stop_gradient(v) for name, v in self.teach(x).items()}
        apart = divergence(
            y, taught, y_pred, settings, settings.distillation_temperature
        )
        alpha = settings.distillation_alpha
        loss = alpha * loss + (1.0 - alpha) * apart
        real = ops.cast(x["attention_mask"], "float32")  # (batch, length)
        if settings.hidden_state_weight:
            states = states_loss(taught, y_pred, real)
            loss = loss + settings.hidden_state_weight * states
        if settings.attention_weight:
            scores = attention_loss(taught, y_pred, real)
            loss = loss + settings.attention_weight * scores
        return loss


def make_trainer(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, config: Any
) -> keras.Model:
    """Return what is fitted, compiled. `model` is what is scored and saved.

    Raises UserError for a teacher that says something else than the student.
    """
    trainer = model
    if config.teacher:
        teacher = load_teacher(model, config)
        check_heads(model, teacher, config)
        trainer = StudentModel(model, teacher, config)
        print(f"{config.teacher}: a teacher of {teacher.count_params():,} weights")
    else:
        print("no teacher: plain training; for a student give --teacher a run folder")
    compile_model(trainer, optimizer, config)
    return trainer


def load_teacher(model: keras.Model, config: Any) -> keras.Model:
    """Return the model of the teacher's run; it needs no code of its project."""
    folder = Path(config.teacher)
    try:
        settings = json.loads((folder / "settings.json").read_text("utf-8"))
        teacher = keras.saving.load_model(folder / "model.keras", compile=False)
    except (OSError, ValueError) as error:
        raise UserError(
            f"{folder} is no teacher",
            str(error).splitlines()[0],
            "--teacher with the run folder of a trained model",
        ) from error
    own = json.loads(json.dumps(dataclasses.asdict(config)))
    differences = [name for name in MEANINGS if settings.get(name) != own.get(name)]
    shared = {*teacher.output} & {*model.output}
    if {*teacher.input} != {*model.input} or not shared or differences:
        raise UserError(
            f"the teacher {folder} does another task than the student",
            f"not the same: {', '.join(differences) or 'inputs or outputs'}",
            "a teacher that was trained for the same task, with the same labels",
        )
    texts = [load_tokenizer(each).to_str() for each in (config.output_dir, folder)]
    if texts[0] != texts[1]:
        raise UserError(
            f"the teacher {folder} has another vocabulary than the student",
            "a token's number must mean the same to both",
            f"--vocabulary {folder / 'tokenizer.json'}, or --pretrained with weights "
            "of the teacher's vocabulary",
        )
    positions = teacher.get_layer("embeddings_position").input_dim
    if positions < config.max_length:
        raise UserError(
            f"max_length {config.max_length} is too long for the teacher",
            f"it has {positions} positions",
            f"--max-length {positions}",
        )
    return teacher


def check_heads(model: keras.Model, teacher: keras.Model, config: Any) -> None:
    """Raise UserError where attention cannot be compared head by head."""
    if not config.attention_weight:
        return
    heads = [add_insides(x).output["scores"].shape[2] for x in (model, teacher)]
    if heads[0] != heads[1]:
        raise UserError(
            f"the student has {heads[0]} attention heads, the teacher {heads[1]}",
            "attention is compared head by head",
            "--attention-weight 0, or a student with as many heads",
        )


def add_insides(model: keras.Model) -> keras.Model:
    """Return the model with what happens inside as further outputs, layers shared.

    `embeddings` (batch, length, size), `states` (batch, layers, length, hidden),
    `scores` (batch, layers, heads, length, length), the lowest layer first.
    """
    embeddings, states, scores = [], [], []

    def call(layer: Any, *arguments: Any, **options: Any) -> Any:
        outputs = layer(*arguments, **options)
        if layer.name == "embeddings_layer_norm":
            embeddings.append(outputs)
        elif layer.name.endswith("_output_layer_norm"):
            states.append(outputs)
        elif layer.name.endswith("_attention_softmax"):
            scores.append(arguments[0])
        return outputs

    # Goes through the graph call by call, so that layers which share weights count.
    same = keras.models.clone_model(model, clone_function=itself, call_function=call)
    insides = {"states": ops.stack(states, axis=1), "scores": ops.stack(scores, axis=1)}
    insides["embeddings"] = embeddings[0]
    return keras.Model(same.input, {**same.output, **insides}, name=model.name)


def itself(layer: Any) -> Any:
    """Return the layer: the graph is gone through, not copied."""
    return layer


def widen(hidden: Tensor, size: int, name: str) -> Tensor:
    """Multiply vectors by a matrix that learns; of equal sizes it begins as 1."""
    initializer: Any = "glorot_uniform"
    if hidden.shape[-1] == size:
        initializer = keras.initializers.Identity()
    return layers.Dense(
        size, use_bias=False, kernel_initializer=initializer, name=name
    )(hidden)


def same_depth(taught: Tensor, found: Tensor) -> Tensor:
    """Return the teacher's layers at the depths of the student's: (batch, layers, …).

    Of 12 layers a student of 4 has the 3rd, 6th, 9th and 12th.
    """
    count, own = taught.shape[1], found.shape[1]
    places = [max(0, round((place + 1) * count / own) - 1) for place in range(own)]
    return ops.take(taught, ops.convert_to_tensor(places, "int32"), axis=1)


def states_loss(taught: Any, found: Any, real: Tensor) -> Tensor:
    """Return the squared differences of embeddings and states, a mean for each layer.

    `real` (batch, length) is 1 for tokens and 0 for padding.
    """
    states = same_depth(taught["states"], found["states"])
    loss = mean_square(taught["embeddings"] - found["embeddings"], real[:, :, None])
    differences = states - found["states"]  # (batch, layers, length, hidden)
    return loss + states.shape[1] * mean_square(differences, real[:, None, :, None])


def attention_loss(taught: Any, found: Any, real: Tensor) -> Tensor:
    """Return the squared differences of attention scores, a mean for each layer."""
    scores = same_depth(taught["scores"], found["scores"])
    pairs = (real[:, :, None] * real[:, None, :])[:, None, None]  # query and key
    return scores.shape[1] * mean_square(scores - found["scores"], pairs)


def mean_square(differences: Tensor, real: Tensor) -> Tensor:
    """Return the mean square of what is real; the two shapes are broadcast."""
    squares = ops.square(ops.cast(differences, "float32"))
    real = ops.broadcast_to(real, ops.shape(squares))
    return ops.sum(squares * real) / ops.sum(real)
