"""The adapter in docs/adapters.md loads keras-bert's HDF5 files, and computes the same.

The code is taken from the page. One file is made here, another is keras-bert's own, in
the folder `checkpoints` beside that of the environment variable TKGEN_DATA.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import h5py
import numpy as np
import pytest

from .conftest import REPOSITORY, Load

PAGE = REPOSITORY / "docs" / "adapters.md"
DATA = Path(os.environ.get("TKGEN_DATA") or "/nowhere")
REAL = DATA.parent / "checkpoints" / "keras_bert_h5" / "test_bert_fit.h5"
needs_file = pytest.mark.skipif(
    not REAL.is_file(),
    reason="no checkpoints/keras_bert_h5/test_bert_fit.h5 beside $TKGEN_DATA",
)
ATTENTION_PARTS = ("_query", "_key", "_value", "_attention_output")
Arrays = dict[str, np.ndarray]
# What stands in the files; of the real one, in keras-bert's tests/test_bert.py too.
SMALL_SIZES = {
    "vocab_size": 11,
    "hidden_size": 6,
    "num_hidden_layers": 11,
    "num_attention_heads": 2,
    "intermediate_size": 10,
    "hidden_act": "relu",
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "max_position_embeddings": 8,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-5,
}
REAL_SIZES = {
    "vocab_size": 28,
    "hidden_size": 25,
    "num_hidden_layers": 12,
    "num_attention_heads": 5,
    "intermediate_size": 100,
    "hidden_act": "gelu_new",
    "hidden_dropout_prob": 0.05,
    "attention_probs_dropout_prob": 0.0,
    "max_position_embeddings": 20,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-7**2,  # the square of Keras' epsilon
}


def module_from(name: str, path: Path) -> ModuleType:
    """Import a file under a name."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def blocks(load: Load, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page's adapter, importable by its name, and the code that uses it."""
    _, adapter, use = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.S)
    path = tmp_path_factory.mktemp("page") / "keras_bert_adapter.py"
    path.write_text(adapter, "utf-8")
    load("weights")
    module_from("keras_bert_adapter", path)
    yield use
    del sys.modules["keras_bert_adapter"]


@pytest.fixture(scope="module")
def reference(project: Path) -> ModuleType:
    """The generated project's encoder in NumPy."""
    return module_from("reference_of_adapters", project / "tests" / "reference.py")


@pytest.fixture
def float64() -> Iterator[None]:
    """Compute in float64, so that a wrong epsilon shows."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_dtype_policy(before)


def run_page(use: str, path: Path, folder: Path, monkeypatch: Any) -> dict[str, Any]:
    """Run the page's code on a file; return the names it has then."""
    (folder / "model.h5").symlink_to(path)
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    exec(compile(use, str(PAGE), "exec"), names)
    return names


def arrays_of(file: h5py.File) -> Arrays:
    """Return the weights by our names; each of the file's names is written out."""
    weights = file["model_weights"]

    def read(layer: str, name: str) -> np.ndarray:
        return weights[f"{layer}/{layer}/{name}:0"][()]

    arrays = {
        "embeddings_token/embeddings": read("Embedding-Token", "embeddings"),
        "embeddings_segment/embeddings": read("Embedding-Segment", "embeddings"),
        "embeddings_position/embeddings": read("Embedding-Position", "embeddings"),
        "embeddings_layer_norm/gamma": read("Embedding-Norm", "gamma"),
        "embeddings_layer_norm/beta": read("Embedding-Norm", "beta"),
        "pooler/kernel": read("NSP-Dense", "kernel"),
        "pooler/bias": read("NSP-Dense", "bias"),
    }
    depth = sum(name.endswith("-FeedForward") for name in weights)
    for i in range(depth):
        attention = f"Encoder-{i + 1}-MultiHeadSelfAttention"
        forward = f"Encoder-{i + 1}-FeedForward"
        for part, letter in zip(ATTENTION_PARTS, "qkvo", strict=True):
            arrays[f"layer_{i}{part}/kernel"] = read(
                attention, f"{attention}_W{letter}"
            )
            arrays[f"layer_{i}{part}/bias"] = read(attention, f"{attention}_b{letter}")
        for part, end in (("intermediate", "1"), ("output", "2")):
            arrays[f"layer_{i}_{part}/kernel"] = read(forward, f"{forward}_W{end}")
            arrays[f"layer_{i}_{part}/bias"] = read(forward, f"{forward}_b{end}")
        for part, layer in (("attention", attention), ("output", forward)):
            for name in ("gamma", "beta"):
                arrays[f"layer_{i}_{part}_layer_norm/{name}"] = read(
                    f"{layer}-Norm", name
                )
    return arrays


def forward(
    reference: ModuleType, arrays: Arrays, config: Any, inputs: Arrays, attention: bool
) -> Arrays:
    """Return what keras-bert computes, in NumPy; `attention` has its activation."""

    class KerasBert(reference.Encoder):
        def dense(self, x: np.ndarray, name: str) -> np.ndarray:
            result = super().dense(x, name)
            gelu = attention and name.endswith(ATTENTION_PARTS)
            return reference.gelu_new(result) if gelu else result

    plain, reference.Encoder = reference.Encoder, KerasBert
    layers = [[f"layer_{index}"] for index in range(config.num_hidden_layers)]
    try:
        return reference.forward(arrays, config, inputs, layers)
    finally:
        reference.Encoder = plain


def compare(
    names: dict[str, Any],
    load: Load,
    reference: ModuleType,
    path: Path,
    sizes: dict[str, Any],
) -> None:
    """Compare the config, every variable with the file, and the outputs with NumPy."""
    with h5py.File(path) as file:
        arrays = arrays_of(file)
    config = load("encoder").EncoderConfig(**sizes)
    assert names["adapter"].adapt_config(path) == config
    encoder = names["encoder"]
    variables = load("checkpoints").model_variables(encoder)
    assert variables.keys() == arrays.keys()
    assert len(arrays) == 7 + 16 * config.num_hidden_layers
    for key, variable in variables.items():
        np.testing.assert_array_equal(np.asarray(variable), arrays[key], key)
    random = np.random.default_rng(0)
    shape = (3, config.max_position_embeddings)
    inputs = {
        "input_ids": random.integers(1, config.vocab_size, shape),
        "segment_ids": random.integers(0, 2, shape),
        "attention_mask": np.ones(shape, "int32"),
    }
    inputs["attention_mask"][1, 5:] = 0
    has_activation = bool(names["report"].warning)
    expected = forward(reference, arrays, config, inputs, has_activation)
    found = encoder(inputs)
    for name in ("sequence_output", "pooled_output"):
        difference = np.abs(np.asarray(found[name]) - expected[name]).max()
        assert difference < 1e-9, name


def write_small(path: Path, attention: str, with_pooler: bool = True) -> None:
    """Write a small model of eleven layers in keras-bert's layout."""
    random = np.random.default_rng(0)
    layers: list[dict[str, Any]] = [
        {"name": "Embedding-Token", "input_dim": 11, "output_dim": 6},
        {"name": "Embedding-Segment", "input_dim": 2, "output_dim": 6},
        {"name": "Embedding-Position", "input_dim": 8, "output_dim": 6},
        {"name": "Embedding-Norm", "epsilon": 1e-5},
    ]
    hidden, inner = 6, 10
    shapes: dict[str, dict[str, tuple[int, ...]]] = {
        "Embedding-Token": {"embeddings": (11, hidden)},
        "Embedding-Segment": {"embeddings": (2, hidden)},
        "Embedding-Position": {"embeddings": (8, hidden)},
        "Embedding-Norm": {"gamma": (hidden,), "beta": (hidden,)},
        "MLM-Dense": {"kernel": (hidden, hidden), "bias": (hidden,)},
    }
    if with_pooler:
        shapes["NSP-Dense"] = {"kernel": (hidden, hidden), "bias": (hidden,)}
    for number in range(1, 12):  # 10 and 11 come before 2 in the file
        name = f"Encoder-{number}-MultiHeadSelfAttention"
        layers.append({"name": name, "head_num": 2, "activation": attention})
        shapes[name] = {f"{name}_W{part}": (hidden, hidden) for part in "qkvo"}
        shapes[name] |= {f"{name}_b{part}": (hidden,) for part in "qkvo"}
        shapes[f"{name}-Norm"] = {"gamma": (hidden,), "beta": (hidden,)}
        name = f"Encoder-{number}-FeedForward"
        layers.append({"name": name, "units": inner, "activation": "relu"})
        shapes[name] = {f"{name}_W1": (hidden, inner), f"{name}_W2": (inner, hidden)}
        shapes[name] |= {f"{name}_b1": (inner,), f"{name}_b2": (hidden,)}
        shapes[f"{name}-Norm"] = {"gamma": (hidden,), "beta": (hidden,)}
    config = {"layers": [{"name": each["name"], "config": each} for each in layers]}
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"config": config})
        for group in ("model_weights", "optimizer_weights"):
            for layer, variables in shapes.items():
                for name, shape in variables.items():
                    value = random.normal(scale=0.3, size=shape).astype("float32")
                    file[f"{group}/{layer}/{layer}/{name}:0"] = value


@pytest.mark.parametrize("attention", ["linear", "gelu"])
def test_a_small_file(
    blocks: str,
    load: Load,
    reference: ModuleType,
    float64: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    attention: str,
) -> None:
    """Every array of a file in keras-bert's layout arrives; outputs are NumPy's."""
    write_small(tmp_path / "small.h5", attention)
    names = run_page(blocks, tmp_path / "small.h5", tmp_path, monkeypatch)
    compare(names, load, reference, tmp_path / "small.h5", SMALL_SIZES)
    report = names["report"]
    assert bool(report.warning) == (attention == "gelu")
    assert report.unused == (
        "MLM-Dense/MLM-Dense/bias:0",
        "MLM-Dense/MLM-Dense/kernel:0",
    )


def test_a_task_and_a_file_without_a_pooler(
    blocks: str, load: Load, tmp_path: Path
) -> None:
    """In a task's model the head stays random, and a missing pooler does too."""
    adapter = sys.modules["keras_bert_adapter"].KerasBertAdapter()
    path = tmp_path / "small.h5"
    write_small(path, "linear", with_pooler=False)
    encoder = load("encoder").build_encoder(adapter.adapt_config(path))
    report = load("weights").load_pretrained(encoder, path, adapter=adapter)
    assert report.random == ("pooler/kernel", "pooler/bias")
    model = load("model").build_model(encoder, load("config").TrainConfig())
    report = load("weights").load_pretrained(model, path, adapter=adapter)
    assert report.random == ("qa_head/kernel", "qa_head/bias")
    assert len(report.loaded) == 5 + 16 * 11


# Token ids of the three sentence pairs that the file was trained on, in keras-bert's
# tests/test_bert.py; 2, 3, 4 are [CLS], [SEP] and [MASK].
PAIRS = [
    ([5, 6, 7, 8, 9], [10, 11, 12, 13, 14]),
    ([15, 16, 17, 18], [19, 20, 21]),
    ([7, 12, 22, 23], [24, 25, 26, 27, 24]),
]


def training_rows() -> tuple[Arrays, np.ndarray, list[tuple[int, int, int]]]:
    """Return each pair of halves, whole and with each token masked in turn.

    Also whether the halves are of different pairs, and (row, position, token) of what
    is masked.
    """
    rows, segments, swapped, masked = [], [], [], []
    for i, (first, _) in enumerate(PAIRS):
        for j, (_, second) in enumerate(PAIRS):
            tokens = [2, *first, 3, *second, 3]
            tokens += [0] * (20 - len(tokens))
            for position in [-1, *range(20)]:
                if position >= 0 and tokens[position] < 5:
                    continue
                row = list(tokens)
                if position >= 0:
                    masked.append((len(rows), position, tokens[position]))
                    row[position] = 4
                rows.append(row)
                segments.append([int(place > len(first) + 1) for place in range(20)])
                swapped.append(i != j)
    ids = np.array(rows)
    inputs = {
        "input_ids": ids,
        "segment_ids": np.array(segments),
        "attention_mask": (ids != 0).astype("int32"),
    }
    return inputs, np.array(swapped), masked


def heads(reference: ModuleType, outputs: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the tokens and the classes that the file's own heads choose, in NumPy."""
    hidden, pooled = (
        np.asarray(outputs[name], "float64")
        for name in ("sequence_output", "pooled_output")
    )
    with h5py.File(REAL) as file:

        def read(layer: str, name: str) -> np.ndarray:
            return file[f"model_weights/{layer}/{layer}/{name}:0"][()]

        kernel, bias = read("MLM-Dense", "kernel"), read("MLM-Dense", "bias")
        gamma, beta = read("MLM-Norm", "gamma"), read("MLM-Norm", "beta")
        table, offset = read("Embedding-Token", "embeddings"), read("MLM-Sim", "bias")
        classes = pooled @ read("NSP", "kernel") + read("NSP", "bias")
    hidden = reference.gelu_new(hidden @ kernel + bias)
    hidden = hidden - hidden.mean(-1, keepdims=True)
    hidden = hidden / np.sqrt(hidden.var(-1, keepdims=True) + 1e-14)
    scores = (hidden * gamma + beta) @ table.T + offset
    return scores.argmax(-1), classes.argmax(-1)


@needs_file
def test_the_real_file(
    blocks: str,
    load: Load,
    reference: ModuleType,
    float64: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """keras-bert's own file: every array, the outputs, and what it was trained for.

    The last needs neither our NumPy nor our reading of keras-bert's code: a model of
    another function does not find the tokens.
    """
    names = run_page(blocks, REAL, tmp_path, monkeypatch)
    assert names["report"].warning
    compare(names, load, reference, REAL, REAL_SIZES)
    inputs, swapped, masked = training_rows()
    row, position, token = np.array(masked).T
    assert (len(swapped), len(masked)) == (87, 78)
    tokens, classes = heads(reference, names["encoder"](inputs))
    assert (tokens[row, position] == token).sum() == 78
    assert (classes == swapped).all()
    plain = load("weights").from_pretrained(REAL, adapter=names["adapter"])
    tokens, _ = heads(reference, plain(inputs))
    assert (tokens[row, position] == token).sum() == 4  # as the page says
