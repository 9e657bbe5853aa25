"""How files of different origin spell the names of a model's weights.

A file has one of these styles:

    google   bert/encoder/layer_0/output/dense/kernel       TensorFlow checkpoint
    torch    bert.encoder.layer.0.output.dense.weight       Hugging Face, transposed
    keras    …/bert/encoder/layer_._0/output/dense/kernel   Hugging Face's HDF5
    objects  model/layer_with_weights-4/_output_dense/…     TensorFlow's model garden

Where a layer stands in each is a model's affair: weight_names.py.
"""

import dataclasses
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
OBJECT_SUFFIX = "/.ATTRIBUTES/VARIABLE_VALUE"


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
            root = self.prefix
            for encoder in ("bert/", f"{self.model}/", f"{self.model}."):
                root = root.removesuffix(encoder)
            name = self.heads[layer].get(f"{self.style}/{part}")
            if name is None:
                return []
            return [Entry(root + name, name.endswith(("weight", "output_weights")))]
        place = self.prefix + self.place(layer, self.depth)
        if self.style == "torch":
            parts = TORCH_PARTS.get(part, (part,))
            return [Entry(f"{place}.{each}", part == "kernel") for each in parts]
        if self.style == "objects":
            return [Entry(f"{place}/{part}{OBJECT_SUFFIX}")]
        if part == "embeddings":
            parts = ("/weight", "/embeddings") if self.style == "keras" else ("",)
            return [Entry(place + each) for each in parts]
        return [Entry(f"{place}/{part}")]


def find_spelling(
    names: Iterable[str],
    places: Mapping[str, Callable[[str, int], str]],
    heads: Mapping[str, Mapping[str, str]],
    model: str,
) -> Spelling | None:
    """Return the spelling of a file with these names, None where it has none.

    It is told by the table of token embeddings, which every file has.
    """
    names = sorted(names, key=lambda name: (len(name), name))
    depth = sum(name.endswith(f"_query_dense/kernel{OBJECT_SUFFIX}") for name in names)
    for style, place in places.items():
        spelling = Spelling(style, "", depth, place, heads, model)
        for anchor in spelling.entries("embeddings_token", "embeddings"):
            for name in names:
                prefix = name.removesuffix(anchor.name)
                if name.endswith(anchor.name) and (not prefix or prefix[-1] in "/."):
                    return dataclasses.replace(spelling, prefix=prefix)
    return None
