"""Checkpoints in albert_zh's own layout: other names, and another graph.

Computed here in NumPy and float64 from the file's entries, step by step as its
modeling.py does, so that neither names nor graph come from the code under test.
"""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import reference
from {{ cookiecutter.package }} import weight_names
from {{ cookiecutter.package }}.checkpoints import (
    model_variables,
)
from {{ cookiecutter.package }}.encoder import (
    EncoderConfig,
    build_encoder,
)
from {{ cookiecutter.package }}.errors import UserError
from {{ cookiecutter.package }}.weights import (
    from_pretrained,
    load_config,
    load_pretrained,
)

SETTINGS = {
    "vocab_size": 40,
    "embedding_size": 6,
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 2,
    "intermediate_size": 24,
    "hidden_act": "gelu",
    "max_position_embeddings": 20,
    "type_vocab_size": 2,
}
LAYER = "bert/encoder/layer_shared"
SHAPES = {
    "bert/embeddings/word_embeddings": (40, 6),
    "bert/embeddings/word_embeddings_2": (6, 16),
    "bert/embeddings/position_embeddings": (20, 16),
    "bert/embeddings/token_type_embeddings": (2, 16),
    "bert/embeddings/LayerNorm/gamma": (16,),
    "bert/embeddings/LayerNorm/beta": (16,),
    **{
        f"{place}/{part}": (16, 16) if part == "kernel" else (16,)
        for place in (
            f"{LAYER}/attention/self/query",
            f"{LAYER}/attention/self/key",
            f"{LAYER}/attention/self/value",
            f"{LAYER}/attention/output/dense",
            "bert/pooler/dense",
        )
        for part in ("kernel", "bias")
    },
    f"{LAYER}/attention/output/LayerNorm/gamma": (16,),
    f"{LAYER}/attention/output/LayerNorm/beta": (16,),
    f"{LAYER}/intermediate/dense/kernel": (16, 24),
    f"{LAYER}/intermediate/dense/bias": (24,),
    f"{LAYER}/output/dense/kernel": (24, 16),
    f"{LAYER}/output/dense/bias": (16,),
    f"{LAYER}/output/LayerNorm/gamma": (16,),
    f"{LAYER}/output/LayerNorm/beta": (16,),
}


def write(folder, ln_type="postln", shapes=SHAPES):
    """Write a checkpoint with its config; return its arrays."""
    random = np.random.default_rng(5)
    arrays = {
        name: (random.normal(0, 0.3, shape) + name.endswith("gamma")).astype("float32")
        for name, shape in shapes.items()
    }
    others = {
        "cls/predictions/output_bias": np.zeros(40, "float32"),
        "bert/pooler/dense/kernel/adam_m": np.zeros((16, 16), "float32"),
    }
    tf.raw_ops.SaveV2(
        prefix=str(folder / "albert_model.ckpt"),
        tensor_names=[*arrays, *others],
        shape_and_slices=[""] * len(arrays | others),
        tensors=[tf.constant(array) for array in (arrays | others).values()],
    )
    settings = {**SETTINGS, "ln_type": ln_type}
    (folder / "albert_config.json").write_text(json.dumps(settings))
    return arrays


def make_inputs():
    """Return rows of different lengths, padded, with two segments."""
    mask = (np.arange(15) < np.array([[15], [9], [3]])).astype("int32")
    ids = np.random.default_rng(0).integers(1, 40, mask.shape).astype("int32")
    segments = (np.arange(15) > 4).astype("int32") * mask
    return {"input_ids": ids, "segment_ids": segments, "attention_mask": mask}


class AlbertZh:
    """The graph of albert_zh's modeling.py."""

    def __init__(self, arrays, ln_type, widen="before the sum"):
        self.arrays = {name: array.astype("float64") for name, array in arrays.items()}
        self.ln_type, self.widen = ln_type, widen

    def dense(self, x, place):
        return x @ self.arrays[f"{place}/kernel"] + self.arrays[f"{place}/bias"]

    def normalize(self, x, place):
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        return scaled * self.arrays[f"{place}/gamma"] + self.arrays[f"{place}/beta"]

    def attend(self, x, mask):
        batch, length, width = x.shape
        parts = (
            self.dense(x, f"{LAYER}/attention/self/{name}")
            .reshape(batch, length, 2, width // 2)
            .transpose(0, 2, 1, 3)
            for name in ("query", "key", "value")
        )
        mixed = reference.attention(*parts, (mask == 0)[:, None, None, :])
        mixed = mixed.transpose(0, 2, 1, 3).reshape(x.shape)
        return self.dense(mixed, f"{LAYER}/attention/output/dense")

    def feed_forward(self, x):
        wide = reference.gelu_new(self.dense(x, f"{LAYER}/intermediate/dense"))
        return self.dense(wide, f"{LAYER}/output/dense")

    def embed(self, ids, segments):
        place = "bert/embeddings"
        token, matrix, position, segment = (
            self.arrays[f"{place}/{name}_embeddings{end}"]
            for name, end in (
                ("word", ""),
                ("word", "_2"),
                ("position", ""),
                ("token_type", ""),
            )
        )
        others = segment[segments] + position[: ids.shape[1]]
        if self.widen == "before the sum":
            total = token[ids] @ matrix + others
        else:  # wrong here, and right in Google's ALBERT: the tables' first columns
            total = (token[ids] + others[..., : token.shape[1]]) @ matrix
        return self.normalize(total, f"{place}/LayerNorm")

    def forward(self, inputs):
        hidden = self.embed(inputs["input_ids"], inputs["segment_ids"])
        first, second = (
            f"{LAYER}/{place}/LayerNorm" for place in ("attention/output", "output")
        )
        mask, states = inputs["attention_mask"], []
        for _ in range(SETTINGS["num_hidden_layers"]):
            if self.ln_type == "preln":
                hidden = hidden + self.attend(self.normalize(hidden, first), mask)
                hidden = hidden + self.feed_forward(self.normalize(hidden, second))
            else:
                hidden = self.normalize(hidden + self.attend(hidden, mask), first)
                hidden = self.normalize(hidden + self.feed_forward(hidden), second)
            states.append(hidden)
        pooled = np.tanh(self.dense(hidden[:, 0], "bert/pooler/dense"))
        return {
            "hidden_states": np.stack(states, 1),
            "sequence_output": hidden,
            "pooled_output": pooled,
        }


def difference(found, expected, mask):
    """Return the largest difference of any output where there are tokens."""
    real = mask.astype(bool)
    pairs = {name: (np.asarray(found[name]), expected[name]) for name in expected}
    for name, (one, other) in pairs.items():
        assert one.shape == other.shape, name
        if name == "sequence_output":
            pairs[name] = one[real], other[real]
        elif name == "hidden_states":
            one, other = (np.moveaxis(each, 1, 2)[real] for each in (one, other))
            pairs[name] = one, other
    return max(float(np.abs(one - other).max()) for one, other in pairs.values())


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 1e-5)])
@pytest.mark.parametrize("ln_type", ["postln", "preln"])
def test_graph(tmp_path, ln_type, dtype, tolerance):
    """Each layer equals the graph in NumPy; other graphs are far away."""
    keras.config.set_dtype_policy(dtype)
    arrays = write(tmp_path, ln_type)
    inputs = make_inputs()
    found = from_pretrained(tmp_path, return_states=True)(inputs)
    mask = inputs["attention_mask"]
    expected = AlbertZh(arrays, ln_type).forward(inputs)
    assert difference(found, expected, mask) <= tolerance
    other_type = {"postln": "preln", "preln": "postln"}[ln_type]
    for wrong in (
        AlbertZh(arrays, other_type),
        AlbertZh(arrays, ln_type, widen="after the sum"),
    ):
        assert difference(found, wrong.forward(inputs), mask) > 0.1


@pytest.mark.parametrize("prefix", ["", "module/"])
def test_every_entry_arrives_once(tmp_path, prefix):
    """Each variable has its entry, and the projection has no bias."""
    arrays = write(tmp_path, shapes={prefix + name: SHAPES[name] for name in SHAPES})
    encoder = build_encoder(load_config(tmp_path))
    report = load_pretrained(encoder, tmp_path)
    variables = model_variables(encoder)
    assert report.loaded == tuple(variables) and len(variables) == len(SHAPES)
    assert "embeddings_projection/bias" not in variables
    assert report.unused == ("cls/predictions/output_bias",)
    for name, layer in (
        ("embeddings/word_embeddings_2", "embeddings_projection/kernel"),
        ("encoder/layer_shared/output/LayerNorm/beta", "output_layer_norm/beta"),
    ):
        (found,) = (v for key, v in variables.items() if key.endswith(layer))
        expected = arrays[f"{prefix}bert/{name}"]
        np.testing.assert_array_equal(np.asarray(found), expected)


def test_config_is_read_as_it_is_meant(tmp_path):
    """GELU is the tanh form, and ln_type decides; only these two are known."""
    write(tmp_path, "preln")
    config = load_config(tmp_path)
    assert config.hidden_act == "gelu_new"
    assert config.wide_embeddings and config.ln_type == "preln"
    write(tmp_path, "sandwich")
    with pytest.raises(UserError, match="sandwich"):
        load_config(tmp_path)


def test_other_files_have_one_way(tmp_path):
    """Code for other layouts does not look for ln_type, so it changes nothing."""
    config = EncoderConfig(**{**SETTINGS, "ln_type": "preln", "wide_embeddings": True})
    for style in ("google", "torch", "keras"):
        adapted = weight_names.adapt_config(config, style)
        assert adapted.ln_type == "postln" and not adapted.wide_embeddings


def test_layers_of_their_own_are_not_taken_for_shared(tmp_path):
    """A file with the projection but without the shared layer says what it lacks."""
    shapes = {name.replace("shared", "0"): shape for name, shape in SHAPES.items()}
    write(tmp_path, shapes=shapes)
    with pytest.raises(UserError, match="layer_shared/attention"):
        from_pretrained(tmp_path)


@pytest.mark.parametrize("style", ["torch", "google"])
@pytest.mark.parametrize(
    "change", [{"wide_embeddings": True}, {"ln_type": "preln"}], ids=str
)
def test_other_formats_cannot_hold_it(style, change):
    """An export that would compute something else is refused."""
    config = EncoderConfig(**SETTINGS)
    assert "ln_type" not in weight_names.release_config(
        EncoderConfig(**{**SETTINGS, "hidden_act": "relu"}), style
    )
    with pytest.raises(UserError, match="albert_zh"):
        weight_names.release_config(EncoderConfig(**{**vars(config), **change}), style)


def test_doubtful_config_is_warned_of(tmp_path):
    """For xlarge albert_zh has published both values, and the weights fit either."""
    config = EncoderConfig(**{**SETTINGS, "num_hidden_layers": 24})
    wide = {**vars(config), "wide_embeddings": True, "hidden_size": 2048}
    assert "ln_type" in weight_names.doubts(EncoderConfig(**wide))
    narrow = {**wide, "wide_embeddings": False}
    assert weight_names.doubts(EncoderConfig(**narrow)) == ""
