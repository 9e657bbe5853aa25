"""Variables get the values they are given, and only the others random ones."""

import keras
import numpy as np
import pytest
from keras import layers, ops

import released
from aspect_sentiment_bert.checkpoints import (
    assign_variable,
)
from aspect_sentiment_bert.encoder import (
    EncoderConfig,
    build_encoder,
)
from aspect_sentiment_bert.variables import (
    LateValues,
    as_held,
    as_tensor,
    can_be_taken,
)

MATRIX = np.arange(6, dtype="float32").reshape(2, 3)


def copy_of(array, dtype="float32"):
    """Return a copy of an array that can be taken over."""
    fixed = array.view()
    fixed.flags.writeable = False
    return as_held(fixed, dtype)


def dense(initializer="glorot_uniform"):
    """Return a model of one matrix, (2, 3)."""
    inputs = keras.Input((2,))
    layer = layers.Dense(3, use_bias=False, kernel_initializer=initializer)
    return keras.Model(inputs, layer(inputs))


def test_random_values_are_those_of_an_ordinary_model():
    """With the same seed, what is not assigned is the same as outside the scope."""
    config = EncoderConfig(
        vocab_size=20,
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=12,
        **released.SIZES,
    )
    keras.utils.set_random_seed(3)
    expected = build_encoder(config)
    keras.utils.set_random_seed(3)
    with LateValues():
        model = build_encoder(config)
        first = model.weights[0]
        first.assign(np.ones(first.shape))
    pairs = zip(model.variables, expected.variables, strict=True)
    for index, (one, other) in enumerate(pairs):
        assert one.path.split("/")[-1] == other.path.split("/")[-1]
        wanted = np.ones(first.shape) if index == 0 else np.asarray(other)
        np.testing.assert_array_equal(np.asarray(one), wanted, other.path)


def test_no_value_is_drawn_that_is_replaced():
    """What is assigned is there within the scope and after it; the last one counts."""

    def never(shape, dtype=None):
        raise AssertionError("the initializer was called")

    with LateValues():
        model = dense(never)
        model.weights[0].assign(MATRIX)
        model.weights[0].assign(MATRIX + 1)
        np.testing.assert_array_equal(np.asarray(model.weights[0]), MATRIX + 1)
    np.testing.assert_array_equal(np.asarray(model.weights[0]), MATRIX + 1)
    np.testing.assert_array_equal(np.asarray(model(np.eye(2))), MATRIX + 1)


def test_scope_within_a_scope():
    """Values come when the outermost scope is left."""
    with LateValues():
        with LateValues():
            model = dense()
            model.weights[0].assign(MATRIX)
        outputs = layers.Dense(1)(model.output)
    np.testing.assert_array_equal(np.asarray(model.weights[0]), MATRIX)
    whole = keras.Model(model.input, outputs)
    assert np.asarray(whole(np.eye(2))).shape == (2, 1)


def test_variable_older_than_the_scope():
    """A variable that had a value gets the new one."""
    model = dense()
    with LateValues():
        model.weights[0].assign(MATRIX)
    np.testing.assert_array_equal(np.asarray(model.weights[0]), MATRIX)
    model.weights[0].assign_add(MATRIX)
    np.testing.assert_array_equal(np.asarray(model.weights[0]), 2 * MATRIX)


def test_error_within_the_scope():
    """After an error Keras makes variables as before."""
    with pytest.raises(KeyError), LateValues():
        dense().weights[0].assign(MATRIX)
        raise KeyError
    assert np.asarray(dense()(np.eye(2))).shape == (2, 3)


@pytest.mark.parametrize(
    "shape", [(), (0, 3), (5,), (1, 1), (40, 3), (3, 40), (2, 3, 4), (900, 70)]
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_copies(shape, dtype):
    """Copies hold the same numbers, transposed ones too, and can be taken over."""
    array = np.random.default_rng(0).normal(size=shape).astype("float32")
    for each in (array, array.T, array[..., ::-1] if shape else array):
        copy = copy_of(each, dtype)
        assert copy.dtype == dtype and not np.shares_memory(copy, each)
        assert copy.tolist() == each.astype(dtype).tolist()
        assert copy.size == 0 or can_be_taken(copy, dtype)
        assert ops.convert_to_numpy(as_tensor(copy)).tolist() == copy.tolist()


def test_arrays_that_cannot_be_taken():
    """What another may hold or write to, or has another layout or type, is copied."""
    good = copy_of(MATRIX)
    fixed = good.copy()
    fixed.flags.writeable = False
    memory = np.empty(MATRIX.nbytes + 64, "uint8")
    odd = memory[(1 - memory.ctypes.data) % 64 :][: MATRIX.nbytes].view("float32")
    for array in (fixed, good.T, odd, good.astype("float64")):
        assert not can_be_taken(array, "float32")


def test_assigned_array_stays_the_callers():
    """Neither side sees what the other does to its numbers; NaN is a number too."""
    array = copy_of(MATRIX)
    array[0, 0] = np.nan
    kept = array.copy()
    variable = dense().weights[0]
    assign_variable(variable, "kernel", "kernel", array)
    variable.assign_add(MATRIX)
    np.testing.assert_array_equal(array, kept)
    array[:] = 0
    np.testing.assert_array_equal(np.asarray(variable), kept + MATRIX)
