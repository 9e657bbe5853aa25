"""Checkpoints of each format land in the right layers, or say why they do not."""

import json
import re

import numpy as np
import pytest
import tensorflow as tf
from safetensors.numpy import save_file

import released
from masked_lm_albert import checkpoints, variables
from masked_lm_albert.checkpoints import (
    model_variables,
)
from masked_lm_albert.encoder import (
    EncoderConfig,
    build_encoder,
)
from masked_lm_albert.errors import UserError
from masked_lm_albert.variables import as_tensor
from masked_lm_albert.weights import (
    from_pretrained,
    load_pretrained,
)

CONFIG = EncoderConfig(
    vocab_size=20,
    hidden_size=8,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=12,
    max_position_embeddings=10,
    **released.SIZES,
)


def random_weights():
    """Return random arrays by our names, in Keras' orientation."""
    random = np.random.default_rng(0)
    variables = model_variables(build_encoder(CONFIG))
    return {
        key: random.normal(size=variable.shape).astype("float32")
        for key, variable in variables.items()
    }


def write_hugging_face(folder, weights, prefix=f"{released.MODEL}.", old_norms=False):
    """Write a Hugging Face folder: matrices are transposed there."""
    arrays = {"cls.predictions.bias": np.zeros(20, "float32")}
    for key, array in weights.items():
        name = released.hugging_face_name(key)
        if old_norms and "LayerNorm" in name:
            name = name.replace("weight", "gamma").replace("bias", "beta")
        array = array.T if key.endswith("kernel") else array
        arrays[prefix + name] = np.ascontiguousarray(array)
    save_file(arrays, folder / "model.safetensors")
    (folder / "config.json").write_text(CONFIG.to_json())


def write_google(folder, weights):
    """Write a TensorFlow checkpoint with optimizer slots and a head, as released."""
    arrays = {released.google_name(key): array for key, array in weights.items()}
    slots = {f"{name}/adam_m": array for name, array in arrays.items()}
    arrays |= {**slots, "global_step": np.int64(7)}
    arrays["cls/predictions/output_bias"] = np.zeros(20, "float32")
    tf.raw_ops.SaveV2(
        prefix=str(folder / "bert_model.ckpt"),
        tensor_names=list(arrays),
        shape_and_slices=[""] * len(arrays),
        tensors=[tf.constant(array) for array in arrays.values()],
    )
    (folder / "bert_config.json").write_text(CONFIG.to_json())


def assert_equal(encoder, weights):
    """Check every variable of the encoder against the arrays."""
    variables = model_variables(encoder)
    assert variables.keys() == weights.keys()
    for key, variable in variables.items():
        np.testing.assert_array_equal(np.asarray(variable), weights[key], key)


@pytest.mark.parametrize("prefix", [f"{released.MODEL}.", ""])
@pytest.mark.parametrize("old_norms", [False, True])
def test_hugging_face(tmp_path, prefix, old_norms):
    """Every variable of a safetensors file arrives, under each spelling in use."""
    weights = random_weights()
    write_hugging_face(tmp_path, weights, prefix, old_norms)
    assert_equal(from_pretrained(tmp_path), weights)


def test_what_stays_random_is_said(tmp_path, capsys):
    """A file without a pooler loads, and says that the pooler is random."""
    weights = random_weights()
    write_hugging_face(tmp_path, weights)
    from_pretrained(tmp_path)
    assert "random" not in capsys.readouterr().err
    for key in ("pooler/kernel", "pooler/bias"):
        del weights[key]
    write_hugging_face(tmp_path, weights)
    from_pretrained(tmp_path)
    assert "random: pooler/kernel, pooler/bias" in capsys.readouterr().err


def test_training_does_not_reach_the_file(tmp_path):
    """The model's numbers are its own, wherever the file's were read from."""
    weights = random_weights()
    write_hugging_face(tmp_path, weights)
    encoder = from_pretrained(tmp_path)
    for variable in encoder.weights:
        variable.assign_add(np.ones(variable.shape))
    assert_equal(encoder, {key: array + 1 for key, array in weights.items()})
    assert_equal(from_pretrained(tmp_path), weights)


def test_a_wrong_copy_is_noticed(tmp_path, monkeypatch):
    """What the model holds is compared with the file, not with the copy in between."""
    write_hugging_face(tmp_path, random_weights())

    def forgetful(shape, dtype):
        """Return memory that keeps one number, whatever is written."""
        one = np.zeros(1, dtype)
        return np.lib.stride_tricks.as_strided(one, shape, [0] * len(shape))

    with monkeypatch.context() as patch:
        patch.setattr(variables, "empty_aligned", forgetful)
        with pytest.raises(UserError, match="does not hold what the file has"):
            from_pretrained(tmp_path)


def test_a_variable_with_other_values_is_noticed(tmp_path, monkeypatch):
    """Nor is it enough that the copy is right: the model itself is looked at."""
    write_hugging_face(tmp_path, random_weights())
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "as_tensor", lambda array: as_tensor(array + 1))
        with pytest.raises(UserError, match="does not hold what the file has"):
            from_pretrained(tmp_path)


def test_google(tmp_path):
    """Every variable of a TensorFlow checkpoint arrives; slots are not looked at."""
    weights = random_weights()
    write_google(tmp_path, weights)
    encoder = build_encoder(CONFIG)
    report = load_pretrained(encoder, tmp_path)
    assert_equal(encoder, weights)
    assert len(report.loaded) == len(weights)
    assert report.random == ()
    assert report.unused == ("cls/predictions/output_bias",)


def test_fewer_layers_and_skipped_parts(tmp_path):
    """The lowest layers can be taken alone; what is skipped stays random."""
    weights = random_weights()
    write_hugging_face(tmp_path, weights)
    encoder = from_pretrained(
        tmp_path,
        num_hidden_layers=1,
        skip=("pooler", "token_embedding"),
        return_states=True,
    )
    assert encoder.output["hidden_states"].shape[1] == 1
    variables = model_variables(encoder)
    top = released.blocks(CONFIG)[-1][-1]
    assert not any(key.startswith(top) for key in variables)
    for key, variable in variables.items():
        equal = np.array_equal(np.asarray(variable), weights[key])
        random = key.startswith("embeddings_token") or key == "pooler/kernel"
        assert equal != random or key == "pooler/bias", key


def test_missing_pooler_stays_random(tmp_path):
    """Files without a pooler are common; the report names what stayed random."""
    weights = random_weights()
    write_hugging_face(
        tmp_path, {k: v for k, v in weights.items() if not k.startswith("pooler")}
    )
    report = load_pretrained(build_encoder(CONFIG), tmp_path)
    assert report.random == ("pooler/kernel", "pooler/bias")
    assert "pooler/kernel" in str(report)


def test_what_does_not_fit_is_named(tmp_path):
    """A missing entry, a wrong shape and a damaged file each say what is wrong."""
    weights = random_weights()
    key = next(key for key in weights if key.endswith("_query/kernel"))
    lacking = {k: v for k, v in weights.items() if k != key}
    write_hugging_face(tmp_path, lacking)
    with pytest.raises(UserError, match=re.escape(released.hugging_face_name(key))):
        from_pretrained(tmp_path)
    write_hugging_face(tmp_path, weights)
    with pytest.raises(UserError, match=r"\(20, \d\).*\(30, \d\)"):
        from_pretrained(tmp_path, vocab_size=30)
    whole = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"model\.safetensors"):
        from_pretrained(tmp_path)
    config = json.loads(CONFIG.to_json())
    del config["hidden_size"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match="hidden_size"):
        from_pretrained(tmp_path)


@pytest.mark.parametrize("field", ["hidden_size", "vocab_size", "intermediate_size"])
def test_absurd_sizes_are_refused(tmp_path, field):
    """A config that asks for a million times the memory is not tried out."""
    write_hugging_face(tmp_path, random_weights())
    config = json.loads(CONFIG.to_json())
    config[field] *= 2**24
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match="not that of its weights"):
        from_pretrained(tmp_path)


def test_damaged_tensorflow_checkpoint(tmp_path):
    """A cut data file gives one clear error."""
    write_google(tmp_path, random_weights())
    data = next(tmp_path.glob("*.data-*"))
    data.write_bytes(data.read_bytes()[:100])
    with pytest.raises(UserError, match=r"bert_model\.ckpt"):
        from_pretrained(tmp_path)
