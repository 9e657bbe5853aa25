"""Without a network: the switch for it, and the error that says what to get."""

import os
from collections.abc import Sequence

from .errors import UserError

OFFLINE = "HF_HUB_OFFLINE forbids requests, and it is not in the cache"


def is_offline() -> bool:
    """Return whether HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE forbids every request.

    Hugging Face's switch holds here for Google's server too.
    """
    switches = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    values = (os.environ.get(switch, "").upper() for switch in switches)
    return any(value in ("1", "ON", "YES", "TRUE") for value in values)


def get_by_hand(name: str, why: str, step: str, urls: Sequence[str]) -> UserError:
    """Return the error for a checkpoint that could not be downloaded.

    `step` says what to do with the files of the URLs; they make a folder in the end.
    """
    lines = [f"{step}, then give that folder: --pretrained FOLDER", *urls]
    return UserError(f"cannot download {name}", why, "\n       ".join(lines))
