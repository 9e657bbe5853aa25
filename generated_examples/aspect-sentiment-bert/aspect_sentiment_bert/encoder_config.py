"""The sizes of an encoder, under the names of the checkpoints' own JSON files."""

import dataclasses
import json
import typing
from pathlib import Path
from typing import Any, ClassVar, Self

from .errors import UserError
from .transformer import ACTIVATIONS


@dataclasses.dataclass(frozen=True)
class BaseEncoderConfig:
    """What all encoders of BERT's family have.

    Defaults are BERT's where a file may leave a field out; sizes have none.
    """

    model_type: ClassVar[str] = ""
    sentence_order: ClassVar[str] = "none"
    max_ngram: ClassVar[int] = 1

    vocab_size: int
    hidden_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12  # not Keras' 1e-3: rows of small variance differ
    # With tasks, the encoder has a fourth input, task_ids (batch, 1), whose vector is
    # added to each token's, so that one encoder serves several tasks.
    num_tasks: int = 0

    def __post_init__(self) -> None:
        """Check what Keras would report only deep inside the graph."""
        for name, kind in typing.get_type_hints(type(self)).items():
            if kind in (int, float):
                self._check_number(name, kind)
        if self.hidden_size % self.num_attention_heads:
            raise UserError(
                f"hidden_size {self.hidden_size} cannot be split into "
                f"{self.num_attention_heads} attention heads",
                "each head takes an equal share of the hidden size",
                "correct hidden_size or num_attention_heads in the encoder's config",
            )
        if self.hidden_act not in ACTIVATIONS:
            raise UserError(
                f'unknown hidden_act "{self.hidden_act}"',
                f"this encoder knows {', '.join(ACTIVATIONS)}",
                "correct the config, or add the function to ACTIVATIONS in "
                "transformer.py",
            )

    def _check_number(self, name: str, kind: type) -> None:
        """Raise UserError where a field holds no number of its kind."""
        value = getattr(self, name)
        least = 0 if name in ("num_tasks", "grouped_layers") else 1
        numeric = isinstance(value, int | float) and not isinstance(value, bool)
        if kind is int:
            fits, wanted = isinstance(value, int), f"a whole number from {least} on"
        else:
            least, fits = 0, True
            wanted = "a number from 0 on"
        if not (numeric and fits and value >= least):
            raise UserError(
                f"the encoder's {name} is {value!r}",
                f"it must be {wanted}",
                "correct the field in the encoder's config",
            )

    @property
    def block_size(self) -> int:
        """Return the number of weights in the matrices of one layer."""
        return 4 * self.hidden_size**2 + 2 * self.hidden_size * self.intermediate_size

    @classmethod
    def small(cls, vocab_size: int) -> Self:
        """Return sizes that train from random weights in minutes on a laptop."""
        return cls(vocab_size, 128, 2, 4, 512)

    @classmethod
    def from_json(cls, path: str | Path, **overrides: Any) -> Self:
        """Read a checkpoint's `config.json`, `bert_config.json` or the like.

        Unknown fields are ignored; `overrides` replace fields of the file. Raises
        UserError for a file that cannot be read or lacks a size.
        """
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise UserError(
                f"cannot read the encoder's config {path}",
                str(error),
                "give the config.json or bert_config.json of the checkpoint",
            ) from error
        values = {**values, **overrides} if isinstance(values, dict) else overrides
        names = {field.name for field in dataclasses.fields(cls)}
        values = {name: value for name, value in values.items() if name in names}
        try:
            return cls(**values)
        except TypeError as error:
            raise UserError(
                f"the config {path} does not describe a {cls.model_type} encoder",
                str(error).replace(f"{cls.__name__}.__init__() ", ""),
                "add the field to the file, or give the config of a checkpoint of "
                f"{cls.model_type}",
            ) from error

    def to_json(self) -> str:
        """Return the config as JSON text that `from_json` and others read."""
        values = {"model_type": self.model_type, **dataclasses.asdict(self)}
        return json.dumps(values, indent=2)
