"""Layers and poolings mean what was asked for, or are refused."""

import pytest

from feature_extraction_albert.errors import UserError
from feature_extraction_albert.selection import (
    check_pooling,
    hide_minus,
    layer_numbers,
)


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        (["-1"], (6,)),
        (["0"], (0,)),
        (["-7"], (0,)),
        (["6", "1"], (6, 1)),
        (["-1", "-2"], (6, 5)),
        ([" -4:"], (3, 4, 5, 6)),
        (["2:4"], (2, 3)),
        ([":-5"], (0, 1)),
        ([":"], (0, 1, 2, 3, 4, 5, 6)),
        (["-2:", "0"], (5, 6, 0)),
    ],
)
def test_layers(wanted, numbers):
    """Numbers count from the embeddings or from the end; the order is kept."""
    assert layer_numbers(wanted, depth=6) == numbers


@pytest.mark.parametrize(
    "wanted", [["7"], ["-8"], ["last"], ["6:2"], [], ["-1", "6"], ["1.5"], [""]]
)
def test_layers_that_are_not_there(wanted):
    """What the encoder has not, or what comes twice, is refused with what there is."""
    with pytest.raises(UserError) as caught:
        layer_numbers(wanted, depth=6)
    assert "1 to 6" in caught.value.why


@pytest.mark.parametrize(
    ("pooling", "part"),
    [
        (["sum"], '"sum"'),
        ([], "at least one"),
        (["mean", "mean"], "twice"),
        (["tokens", "mean"], "each token"),
    ],
)
def test_poolings_that_cannot_be(pooling, part):
    """Each mistake has its own reason."""
    with pytest.raises(UserError) as caught:
        check_pooling(pooling)
    assert part in caught.value.why


def test_ranges_are_no_options():
    """A range that begins with a minus is a value to argparse, an option is not."""
    given = ["--layers", "-4:", "-1", "-3:-1", "--text", "-x", "-1 degree"]
    assert hide_minus(given) == [
        *("--layers", " -4:", " -1", " -3:-1"),
        *("--text", "-x", "-1 degree"),
    ]
