"""The encoder is what it says: compared with reference.py, loaded without this code."""

import subprocess
import sys

import keras
import numpy as np
import pytest

import reference
import released
from sentence_embedding_bert.checkpoints import (
    model_variables,
)
from sentence_embedding_bert.encoder import (
    EncoderConfig,
    build_encoder,
)
from sentence_embedding_bert.errors import UserError

CONFIG = EncoderConfig(
    vocab_size=60,
    hidden_size=24,
    num_hidden_layers=3,
    num_attention_heads=4,
    intermediate_size=40,
    max_position_embeddings=20,
    **released.SIZES,
)


def make_inputs(batch=3, length=17):
    """Return rows of different lengths, padded, with two segments."""
    random = np.random.default_rng(0)
    lengths = np.array([length, length - 5, 4])[:batch, None]
    mask = (np.arange(length) < lengths).astype("int32")
    return {
        "input_ids": random.integers(1, CONFIG.vocab_size, (batch, length)).astype(
            "int32"
        ),
        "segment_ids": (np.arange(length) > 5).astype("int32") * mask,
        "attention_mask": mask,
    }


def randomize(encoder):
    """Give the encoder large weights, and small ones in its tables; return them."""
    variables = model_variables(encoder)
    values = reference.randomize(variables, seed=1, scale=0.3)
    for key, variable in variables.items():
        # Rows of small variance make the LayerNorm epsilon count.
        if key.startswith("embeddings_") and key.endswith("/embeddings"):
            values[key] *= 1e-4
            variable.assign(values[key])
    return values


def largest_differences(config, dtype):
    """Return the largest difference to the reference for each step of the encoder."""
    keras.config.set_dtype_policy(dtype)
    encoder = build_encoder(config, return_states=True)
    weights = randomize(encoder)
    if dtype == "float32":
        weights = {key: value.astype("float32") for key, value in weights.items()}
    inputs = make_inputs()
    expected = reference.forward(weights, config, inputs, released.blocks(config))
    embeddings = keras.Model(
        encoder.input, encoder.get_layer("embeddings_layer_norm").output
    )
    outputs = encoder(inputs)
    found = {"embeddings": embeddings(inputs)}
    for index in range(config.num_hidden_layers):
        found[f"layer_{index}"] = outputs["hidden_states"][:, index]
    found["sequence_output"] = outputs["sequence_output"]
    found["pooled_output"] = outputs["pooled_output"]
    real = inputs["attention_mask"].astype(bool)
    differences = {}
    for name, array in found.items():
        array, wanted = keras.ops.convert_to_numpy(array), expected[name]
        if name != "pooled_output":
            array, wanted = array[real], wanted[real]
        differences[name] = float(np.abs(array - wanted).max())
    return differences


def first_departure(differences, tolerance):
    """Return the first step that departs from the reference, or None."""
    return next((n for n, d in differences.items() if not d <= tolerance), None)


@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu", "silu", "tanh"])
@pytest.mark.parametrize("epsilon", [1e-12, 1e-5])
def test_parity_float64(activation, epsilon):
    """Each step equals the reference to 1e-9: a wrong epsilon or GELU cannot pass."""
    config = EncoderConfig(
        **{**vars(CONFIG), "hidden_act": activation, "layer_norm_eps": epsilon}
    )
    differences = largest_differences(config, "float64")
    departure = first_departure(differences, 1e-9)
    assert departure is None, f"departs at {departure}: {differences}"


def test_parity_float32():
    """In the usual number format each step equals the reference to rounding."""
    differences = largest_differences(CONFIG, "float32")
    # The embeddings are tiny before they are normalized, so rounding is magnified.
    departure = first_departure(differences, 1e-4)
    assert departure is None, f"departs at {departure}: {differences}"


def test_every_layer_norm_has_the_configured_epsilon():
    """No LayerNorm is left with Keras' default of 1e-3."""
    norms = [
        layer
        for layer in build_encoder(CONFIG).layers
        if isinstance(layer, keras.layers.LayerNormalization)
    ]
    blocks = {name for names in released.blocks(CONFIG) for name in names}
    assert len(norms) == 1 + 2 * len(blocks)
    assert {layer.epsilon for layer in norms} == {1e-12}


def test_padding_does_not_matter():
    """What stands in padded places changes nothing, nor does more padding."""
    encoder = build_encoder(CONFIG)
    randomize(encoder)
    inputs = make_inputs()
    real = inputs["attention_mask"].astype(bool)
    expected = np.asarray(encoder(inputs)["sequence_output"])[real]
    changed = dict(inputs)
    changed["input_ids"] = np.where(real, inputs["input_ids"], 7).astype("int32")
    found = np.asarray(encoder(changed)["sequence_output"])[real]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    longer = {name: np.pad(array, ((0, 0), (0, 3))) for name, array in inputs.items()}
    found = np.asarray(encoder(longer)["sequence_output"])[:, :-3][real]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_segments_matter():
    """First and second text are told apart."""
    encoder = build_encoder(CONFIG)
    randomize(encoder)
    inputs = make_inputs()
    swapped = {**inputs, "segment_ids": 1 - inputs["segment_ids"]}
    one, other = (encoder(each)["sequence_output"] for each in (inputs, swapped))
    assert np.abs(np.asarray(one) - np.asarray(other)).max() > 1e-3


def test_optional_outputs():
    """States and attention weights come on request, with the promised shapes."""
    encoder = build_encoder(
        CONFIG,
        return_states=True,
        return_attention_weights=True,
        concatenate_layers=2,
    )
    inputs = make_inputs()
    outputs = {name: np.asarray(array) for name, array in encoder(inputs).items()}
    assert outputs["hidden_states"].shape == (3, 3, 17, 24)
    blocks = sum(map(len, released.blocks(CONFIG)))
    assert outputs["attention_weights"].shape == (3, blocks, 4, 17, 17)
    np.testing.assert_array_equal(
        outputs["hidden_states"][:, -1], outputs["sequence_output"]
    )
    assert outputs["last_layers_output"].shape == (3, 17, 48)
    np.testing.assert_array_equal(
        outputs["last_layers_output"][..., :24], outputs["hidden_states"][:, -2]
    )
    np.testing.assert_allclose(outputs["attention_weights"].sum(-1), 1, atol=1e-5)
    assert outputs["attention_weights"][1, :, :, :, 12:].max() == 0  # padded keys


def test_chosen_layers_side_by_side():
    """Layers come by number, in the order given; 0 is what the first layer reads."""
    encoder = build_encoder(CONFIG, return_states=True, concatenate_layers=(-1, 0, 1))
    weights, inputs = randomize(encoder), make_inputs()
    outputs = {name: np.asarray(array) for name, array in encoder(inputs).items()}
    expected = reference.forward(weights, CONFIG, inputs, released.blocks(CONFIG))
    read = expected["embeddings"]
    if "embeddings_projection/kernel" in weights:
        read = reference.Encoder(weights, CONFIG).dense(read, "embeddings_projection")
    last, embeddings, first = np.split(outputs["last_layers_output"], 3, axis=-1)
    np.testing.assert_array_equal(last, outputs["sequence_output"])
    np.testing.assert_array_equal(first, outputs["hidden_states"][:, 0])
    np.testing.assert_allclose(embeddings, read, atol=1e-4)


def test_loads_without_the_project(tmp_path):
    """A saved encoder loads in a process that cannot import this project."""
    encoder = build_encoder(CONFIG)
    randomize(encoder)
    encoder.save(tmp_path / "encoder.keras")
    inputs = make_inputs()
    np.savez(tmp_path / "inputs.npz", **inputs)
    code = (
        "import keras, numpy as np\n"
        "model = keras.saving.load_model('encoder.keras')\n"
        "outputs = model(dict(np.load('inputs.npz')))\n"
        "np.savez('outputs.npz', **{k: np.asarray(v) for k, v in outputs.items()})\n"
    )
    # It inherits the environment, so TensorFlow takes the same kernels there.
    subprocess.run([sys.executable, "-I", "-c", code], cwd=tmp_path, check=True)
    found = np.load(tmp_path / "outputs.npz")
    for name, array in encoder(inputs).items():
        np.testing.assert_array_equal(found[name], np.asarray(array))


def test_config_says_what_is_missing(tmp_path):
    """A config without a size, or with an unknown activation, is named."""
    path = tmp_path / "config.json"
    path.write_text('{"vocab_size": 10, "num_hidden_layers": 1}')
    with pytest.raises(UserError, match="hidden_size"):
        EncoderConfig.from_json(path)
    path.write_text(CONFIG.to_json().replace('"gelu', '"glue'))
    with pytest.raises(UserError, match="glue"):
        EncoderConfig.from_json(path)
    path.write_text(CONFIG.to_json())
    assert EncoderConfig.from_json(path) == CONFIG
