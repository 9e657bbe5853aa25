"""Variables of a model that wait for the values of a file, and arrays for them."""

import math
from collections.abc import Iterable
from typing import Any

import keras
import numpy as np

ALIGNMENT = 64  # bytes; TensorFlow takes over memory that starts at a multiple
PART = 2**17  # bytes that two of fit into a core's cache with room to spare


class LateValues(keras.StatelessScope):
    """Within it a model is made without values; on leaving, its variables get them.

        with LateValues():
            encoder = build_encoder(config)
            load_pretrained(encoder, "path/of/a/checkpoint")

    What has been assigned to a variable becomes its first value, without a copy. All
    others get the random values that they would have had at once, so no numbers are
    drawn, and no memory is filled, for what a file replaces.
    """

    def __init__(self) -> None:
        super().__init__()
        self._assigned: dict[int, keras.Variable] = {}

    def add_update(self, update: tuple[keras.Variable, Any]) -> None:
        """Note a variable to which something is assigned; Keras keeps the value."""
        super().add_update(update)
        self._assigned[id(update[0])] = update[0]

    def __exit__(self, *error: Any) -> None:
        """Give every variable its value."""
        given = []
        for variable in self._assigned.values():
            value = _Given(self.get_current_value(variable))
            # What Keras calls for a value as it leaves the scope.
            variable._initializer = value
            given.append((variable, value))
        super().__exit__(*error)
        for variable, value in given:
            if not value.used:  # the variable is older than this scope
                variable._initializer = None
                variable.assign(value.value)


class _Given:
    """An initializer that returns a value which is there already."""

    def __init__(self, value: Any) -> None:
        self.value, self.used = value, False

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> Any:
        self.used = True
        return self.value


def can_be_taken(array: np.ndarray, dtype: str) -> bool:
    """Return whether `as_tensor` can hand over an array without a copy."""
    flags, aligned = array.flags, array.ctypes.data % ALIGNMENT == 0
    return aligned and flags.c_contiguous and flags.writeable and array.dtype == dtype


def empty_aligned(shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Return an array without values that `as_tensor` can hand over without a copy."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    memory = np.empty(size + ALIGNMENT, "uint8")
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size].view(dtype).reshape(shape)


def parts(array: np.ndarray) -> Iterable[Any]:
    """Return indices that cut an array into parts which are fast to go through.

    A part has its place in the processor's cache. What is transposed is read in
    stripes of two cache lines' width, twice as fast.
    """
    if array.ndim < 2 or array.size == 0:
        return [...]
    if array.flags.c_contiguous:
        step = max(1, PART * len(array) // array.nbytes)
        return [np.s_[row : row + step] for row in range(0, len(array), step)]
    width = 2 * ALIGNMENT // array.itemsize
    columns = range(0, array.shape[-1], width)
    return [np.s_[..., column : column + width] for column in columns]


def as_held(array: np.ndarray, dtype: str) -> np.ndarray | None:
    """Return an array of a file as a variable will hold it, None where that differs."""
    if can_be_taken(array, dtype):
        return array
    copy = empty_aligned(array.shape, dtype)
    for part in parts(array):
        copy[part] = array[part]
        # At once: what has left the cache takes longer to compare than to copy.
        if not same_bits(copy[part], array[part].astype(dtype, copy=False)):
            return None
    return copy


def same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    """Return whether two arrays of a dtype are equal; as bits, NaN equals itself."""
    bits = f"u{one.itemsize}"
    return np.array_equal(one.view(bits), other.view(bits))


def holds(variable: keras.Variable, values: np.ndarray) -> bool:
    """Return whether a variable has these values; in the same memory it must."""
    held = np.asarray(variable)
    here = held.ctypes.data == values.ctypes.data and held.strides == values.strides
    return (here and held.dtype == values.dtype) or same_bits(held, values)


def as_tensor(array: np.ndarray) -> Any:
    """Return a tensor with an array's values; the array belongs to it from then on.

    For TensorFlow, Keras would copy the array, and TensorFlow once more where it is
    not aligned. An operation takes it as it is.
    """
    if keras.config.backend() != "tensorflow":
        return keras.ops.convert_to_tensor(array)
    import tensorflow as tf

    return tf.raw_ops.Identity(input=array)
