"""Arrays in an HDF5 file, with the checks that HDF5 leaves out.

HDF5 as Keras writes it has no checksums, and a library reads whatever a damaged header
describes. So a header must tell of numbers as Keras stores them, and of places that no
two arrays share. What remains are changed numbers, and a changed place outside of all
arrays: no reader can tell those.

A damaged file makes these functions raise anything; Hdf5Checkpoint in
checkpoint_formats.py tells the user.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np

# Groups in which Keras keeps the optimizer.
_OPTIMIZER = ("optimizer", "optimizer_weights")


def find_arrays(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shape of each array by its path in the file, the optimizer's not.

    Raises ValueError where two arrays lie in one place.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    regions: list[tuple[int, int]] = []

    def note(place: str, item: Any) -> None:
        """Take down a dataset; those without a shape hold nothing."""
        if not isinstance(item, h5py.Dataset) or item.shape is None:
            return
        start = item.id.get_offset()  # None where it is not in one piece
        if start is not None:
            regions.append((start, start + item.id.get_storage_size()))
        if place.split("/")[0] not in _OPTIMIZER:
            shapes[place] = tuple(item.shape)

    with h5py.File(path, "r") as file:
        file.visititems(note)
    if any(next_start < end for (_, end), (next_start, _) in pairwise(sorted(regions))):
        raise ValueError("two arrays lie in one place")
    return shapes


def read_array(path: Path, place: str) -> np.ndarray:
    """Return the array at a path in the file.

    Raises ValueError where its numbers are of no usual type, or not in this file.
    """
    with h5py.File(path, "r") as file:
        dataset = file[place]
        if dataset.external or dataset.is_virtual:
            raise ValueError(f"{place} is in another file")
        # A dataset that was never written takes no room, however large it is.
        if dataset.nbytes > path.stat().st_size:
            raise ValueError(f"{place} is larger than the file")
        usual = h5py.h5t.py_create(dataset.dtype.newbyteorder("<"))
        if dataset.dtype.kind in "fiu" and not dataset.id.get_type().equal(usual):
            raise ValueError(f"{place} has numbers of no usual type")
        return np.asarray(dataset[()])
