"""How files of different origin spell the names of a model's weights.

A file has one of these styles:

    google   bert/encoder/layer_0/output/dense/kernel       TensorFlow checkpoint
    torch    bert.encoder.layer.0.output.dense.weight       Hugging Face, transposed
    keras    …/bert/encoder/layer_._0/output/dense/kernel   Hugging Face's HDF5
    objects  model/layer_with_weights-4/_output_dense/…     TensorFlow's model garden
    brightmart  bert/encoder/layer_shared/output/dense/…    albert_zh's own layout

Where a layer stands in each is a model's affair: weight_names.py.
"""

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping

import numpy as np

# How a style writes the last part of a name; several where files differ.
TORCH_PARTS = {
    "embeddings": ("weight",),
    "kernel": ("weight",),
    "bias": ("bias",),
    "gamma": ("weight", "gamma"),  # old files keep TensorFlow's names for LayerNorm
    "beta": ("bias", "beta"),
}
PARTS = tuple(TORCH_PARTS)
OBJECT_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"
# What the model garden calls the parts of a layer.
OBJECT_PARTS = {
    "query": "_attention_layer/_query_dense",
    "key": "_attention_layer/_key_dense",
    "value": "_attention_layer/_value_dense",
    "attention_output": "_attention_layer/_output_dense",
    "attention_layer_norm": "_attention_layer_norm",
    "intermediate": "_intermediate_dense",
    "output": "_output_dense",
    "output_layer_norm": "_output_layer_norm",
}
# What some of its files call otherwise.
OBJECT_ALIAS = ("_attention_layer/_output_dense", "_attention_output_dense")
OBJECT_POOLER = "next_sentence..pooler_dense"
# A task's layers -> where files that were trained for it keep them. A place that ends
# with "_" goes on with "weights", which is transposed, or "bias".
TASK_HEADS = {
    "qa_head": {
        "google": "cls/squad/output_",
        "torch": "qa_outputs",
        "keras": "qa_outputs",
    },
    "classifier": {"google": "output_", "torch": "classifier", "keras": "classifier"},
    # SimCSE's layer on a sentence's vector; Google's code has none, so no name.
    "mlp": {"google": "cls/mlp", "torch": "mlp.dense"},
    "crf_transitions": {"google": "crf"},  # the same
}
# What a style is told by, where that is not the table of token embeddings.
ANCHORS = {"brightmart": ("embeddings_projection", "kernel")}
# Entries that repeat others: indices 0, 1, 2, …; the token table, and the bias, as the
# last layer of masked-word prediction; what Keras writes twice as two layers share it.
COPIES = re.compile(
    r"(^|[./])position_ids$|(^|[./])predictions[./](decoder[./]|bias$)"
    r"|^(mlm___cls|predictions)/.*/embeddings/"
)


@dataclasses.dataclass(frozen=True)
class Entry:
    """A name in a file, and whether its matrix is transposed there."""

    name: str
    transposed: bool = False

    def convert(self, array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Return the array as a Keras layer has it.

        Attention matrices with an axis for the heads are made flat.
        """
        if self.transposed:
            array = array.T
        flat = array.ndim > len(shape) and array.size == np.prod(shape)
        return array.reshape(shape) if flat else array


def torch_entries(place: str, part: str) -> list[Entry]:
    """Return the names that Hugging Face gives a variable of the layer at `place`."""
    parts = TORCH_PARTS.get(part, (part,))
    return [Entry(f"{place}.{each}", part == "kernel") for each in parts]


@dataclasses.dataclass(frozen=True)
class Spelling:
    """The names of one file: `entries("layer_0_query", "kernel")` are to be tried."""

    style: str
    prefix: str  # before every name of the encoder, such as "bert/"
    depth: int  # encoder layers in the file, as far as its names tell
    place: Callable[[str, int], str]
    heads: Mapping[str, Mapping[str, str]]
    model: str

    def entries(self, layer: str, part: str) -> list[Entry]:
        """Return the names that a variable may have, the usual one first."""
        if layer in self.heads:
            return self._head_entries(layer, part)
        place = self.prefix + self.place(layer, self.depth)
        if self.style == "torch":
            return torch_entries(place, part)
        if self.style == "objects":
            places = place.split(" or ")
            places = [places[0], *(self.prefix + each for each in places[1:])]
            places += [each.replace(*OBJECT_ALIAS) for each in places]
            places += [OBJECT_POOLER] if layer == "pooler" else []
            return [Entry(f"{each}/{part}{OBJECT_SUFFIX}") for each in places]
        # Tables have the name of their layer, and so has brightmart's projection.
        if part == "embeddings" or place.endswith("word_embeddings_2"):
            parts = ("/weight", "/embeddings") if self.style == "keras" else ("",)
            return [Entry(place + each) for each in parts]
        return [Entry(f"{place}/{part}")]

    def _head_entries(self, layer: str, part: str) -> list[Entry]:
        """Return the names that a variable of a task's layer may have."""
        style = "google" if self.style == "brightmart" else self.style
        # The stock layer that adds this bias calls it beta.
        part = "bias" if layer == "mlm_bias" else part
        place = self.heads[layer].get(style)
        if place is None:
            return []
        # The head stands beside the encoder, not in it.
        root = re.sub(rf"(^|(?<=[/.]))(bert|{self.model})[/.]$", "", self.prefix)
        if place.endswith("_"):
            last = "weights" if part == "kernel" else part
            return [Entry(f"{root}{place}{last}", part == "kernel")]
        if style == "torch":
            return torch_entries(root + place, part)
        if style == "keras":
            # Keras groups by layer: qa_outputs/tf_bert_for_…/qa_outputs/kernel.
            group, task = place.split("/")[0], root.rstrip("/").split("/")[-1]
            roots = (f"{group}/{task}/", root)
            return [Entry(f"{each}{place}/{part}") for each in roots]
        return [Entry(f"{root}{place}/{part}")]

    def spare(self, names: Iterable[str]) -> list[str]:
        """Return those of the names that hold nothing which a model could lack.

        They are copies of other entries, or belong to the heads of other tasks, as the
        pooler does.
        """
        heads = {
            entry.name
            for layer in (*self.heads, "pooler")
            for part in PARTS
            for entry in self.entries(layer, part)
        }
        return [name for name in names if name in heads or COPIES.search(name)]


def find_spelling(
    names: Iterable[str],
    places: Mapping[str, Callable[[str, int], str]],
    heads: Mapping[str, Mapping[str, str]],
    model: str,
) -> Spelling | None:
    """Return the spelling of a file with these names, None where it has none.

    It is told by the table of token embeddings, which every file has, or by the
    style's entry in ANCHORS; `places` has such a style before those it resembles.
    """
    names = sorted(names, key=lambda name: (len(name), name))
    depth = sum(name.endswith(f"_query_dense/kernel{OBJECT_SUFFIX}") for name in names)
    for style, place in places.items():
        spelling = Spelling(style, "", depth, place, heads, model)
        known = ANCHORS.get(style, ("embeddings_token", "embeddings"))
        for anchor in spelling.entries(*known):
            for name in names:
                prefix = name.removesuffix(anchor.name)
                if name.endswith(anchor.name) and (not prefix or prefix[-1] in "/."):
                    return dataclasses.replace(spelling, prefix=prefix)
    return None
